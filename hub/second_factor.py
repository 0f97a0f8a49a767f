"""The second factor: six digits from a phone (TOTP, RFC 6238), and ten recovery codes for a day without it.

1. A step is 30 seconds; the step before and the one after count as well (RFC 6238, 5.2: one step for delay).
2. A step counts once: whoever looked over a shoulder cannot use the digits again.
3. Secrets are kept sealed (AES-GCM) under a key that lies outside the database, each bound to its person.
4. Recovery codes have 80 bits of chance and are kept as hashes.
"""

import base64
import hashlib
import hmac
import secrets
import unicodedata
from pathlib import Path
from urllib.parse import quote

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.key_file import read_key

_STEP_S = 30
# How far a phone's clock may be off, in steps.
DRIFT = 1
# RFC 4226, 4, R6: at least 128 bits, 160 recommended.
_SECRET_BYTES = 20
_NONCE_BYTES = 12
RECOVERY_CODES = 10
# Crockford's 32: no letter that is taken for another.
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_MISREAD = str.maketrans({"o": "0", "i": "1", "l": "1"})
_ISSUER = "machinaka"


class Sealing:
    """Seals secrets for the disk. One a hub; its key lies in the hub's folder."""

    def __init__(self, folder: Path) -> None:
        key = read_key(folder, "codes.key")
        self._cipher = AESGCM(key)
        self._offers = hashlib.sha256(b"offer" + key).digest()

    def seal(self, person_id: int, secret: bytes) -> bytes:
        """What is kept of a person's secret."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, _bound_to(person_id))

    def unseal(self, person_id: int, sealed: bytes) -> bytes | None:
        """The secret; None for one that was sealed under another key or for somebody else."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound_to(person_id))
        except InvalidTag:
            return None

    def offer(self, token: str) -> bytes:
        """The secret that a session is offered: the same each time its page is loaded, another in each session."""
        return hmac.new(self._offers, token.encode(), hashlib.sha256).digest()[:_SECRET_BYTES]


def _bound_to(person_id: int) -> bytes:
    return b"person %d" % person_id


def step_of(now_ms: int) -> int:
    """The step of a moment."""
    return now_ms // 1000 // _STEP_S


def matching_step(secret: bytes, code: str, now_ms: int) -> int | None:
    """The step whose digits these are, or None; looks at each of the three whatever the first ones say."""
    given, now, found = plain(code).encode(), step_of(now_ms), None
    digits = pyotp.TOTP(as_text(secret))
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(digits.generate_otp(step).encode(), given):
            found = step
    return found


def plain(code: str) -> str:
    """What was meant: full-width digits, spaces, hyphens and capital letters as a person types them."""
    return "".join(c for c in unicodedata.normalize("NFKC", code).lower() if c.isalnum())


def as_text(secret: bytes) -> str:
    """The secret as an authenticator takes it by hand (base32)."""
    return base64.b32encode(secret).decode()


def address(secret: bytes, name: str) -> str:
    """What the QR code says (the authenticators' `otpauth` address)."""
    return f"otpauth://totp/{_ISSUER}:{quote(name)}?secret={as_text(secret)}&issuer={_ISSUER}"


def recovery_codes() -> list[str]:
    """Ten new codes, as they are shown."""
    drawn = ["".join(secrets.choice(_LETTERS) for _ in range(16)) for _ in range(RECOVERY_CODES)]
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in drawn]


def hash_of_recovery(code: str) -> str:
    """What is kept of a recovery code."""
    return hashlib.sha256(b"recovery " + plain(code).translate(_MISREAD).encode()).hexdigest()
