"""Confirming an e-mail address: a code that goes up sealed, and is checked here.

1. Address and code are sealed to the month's key of the hub, bound to the session: neither is on this disk nor in a
   log. Here only the code is kept, in memory, for as long as it counts.
2. Five tries a code, in constant time; a few mails a device and hour, so that nobody's mailbox is flooded from here.
3. A restart forgets codes; the guest gets a new one.
"""

import base64
import hmac
import re
import secrets
import unicodedata
from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from edge_agent.wifi.guesses import Brake
from wire import sealed, signed
from wire.kit import SealingKey
from wire.messages import TermsLanguage

TRIES = 5
LASTS_S = 600
_CODES = 2000
_MAILS_EACH, _MAILS_TOGETHER, _MAILS_WITHIN_S = 3, 200, 3600
# Letters, digits and signs that mailboxes have (RFC 5322, 3.2.3), dots anywhere (old addresses of Japanese carriers).
_MAILBOX = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{1,62}"
)

Outcome = Literal["right", "wrong", "code_over", "code_gone"]


class Contact(msgspec.Struct, frozen=True):
    """What is sealed: where the code is to be sent, and in which language."""

    email: str
    code: str
    language: TermsLanguage


class _Code(NamedTuple):
    session: str
    code: str
    until_s: float
    tries: int


class Codes:
    """The codes that are waited for, by device. `now_s` is a monotonic clock."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._of: dict[str, _Code] = {}
        self._mails = Brake(_MAILS_EACH, _MAILS_TOGETHER, _MAILS_WITHIN_S, now_s)

    def may_ask(self, device: str) -> bool:
        """Whether one more mail may be asked for from this device."""
        return self._mails.is_free(device)

    def draw(self, device: str, session: str) -> str:
        """A new code of six digits for a session of this device; an earlier one no longer counts."""
        self._mails.note(device)
        code = f"{secrets.randbelow(1_000_000):06d}"
        self._of.pop(device, None)
        self._of[device] = _Code(session, code, self._now_s() + LASTS_S, 0)
        if len(self._of) > _CODES:
            del self._of[next(iter(self._of))]
        return code

    def check(self, device: str, session: str, typed: str) -> Outcome:
        """What a typed code is worth. A right one counts once."""
        kept = self._of.get(device)
        if kept is None or kept.session != session or kept.until_s <= self._now_s():
            return "code_gone"
        if kept.tries >= TRIES:
            return "code_over"
        self._of[device] = kept._replace(tries=kept.tries + 1)
        if hmac.compare_digest(digits(typed).encode(), kept.code.encode()):
            del self._of[device]
            return "right"
        return "code_over" if kept.tries + 1 >= TRIES else "wrong"

    def tries_left(self, device: str) -> int:
        """How often this device may still type its code."""
        kept = self._of.get(device)
        return max(0, TRIES - kept.tries) if kept else 0


def mailbox(typed: str) -> str | None:
    """An e-mail address as a person typed it, also in wide letters; None when it cannot be one."""
    text = unicodedata.normalize("NFKC", typed).strip()
    return text if len(text) <= 254 and _MAILBOX.fullmatch(text) else None


def digits(typed: str) -> str:
    """A code as a person typed it, also in wide digits and with spaces."""
    return "".join(one for one in unicodedata.normalize("NFKC", typed[:40]) if one in "0123456789")


def seal(key: SealingKey, session: str, contact: Contact) -> str | None:
    """The contact, sealed for the hub and bound to the session, in base64url; None when the key is none."""
    try:
        to = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key.point)
    except ValueError:
        return None
    closed = sealed.seal(to, msgspec.json.encode(contact), signed.contact_bytes(session))
    return base64.urlsafe_b64encode(closed).decode().rstrip("=")
