"""How a device comes by its identity: the code that a person hands on, and what device and hub say over HTTP.

1. A code is 27 characters of chance (135 bits) and one that checks the others, in Crockford's base 32: no I, L, O, U,
   so that it can be read aloud and typed. The hub keeps only its SHA-256.
2. With the code goes the SHA-256 of the town's root, so a device knows its town before it believes anything.
3. A key gets one certificate, ever: the same request again is answered with the same certificate.
"""

import base64
import hashlib
import re
import secrets
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from wire import signed
from wire.fields import Millis

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_CHARACTERS = 28
_GROUP = 4
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0"})
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")

ENROL_PATH = "/device/enrol"
RENEW_PATH = "/device/renew"
ROOT_PATH = "/device/root"
CODES_PATH = "/api/v1/enrolment/codes"
# The largest is a renewal with its old chain; more is none of ours.
BODY_BYTES = 32_768

Pem = Annotated[str, msgspec.Meta(max_length=16_384)]
Request = Annotated[str, msgspec.Meta(max_length=4096)]
Short = Annotated[str, msgspec.Meta(max_length=100)]
Kind = Literal["terminal", "tablet", "access_point"]


class BadInvitation(Exception):
    """Not a code, or not an invitation; one plain sentence."""


def make_code() -> str:
    """A new code, in groups of four."""
    plain = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARACTERS - 1))
    return _grouped(plain + _check(plain))


def read_code(text: str) -> str:
    """A code as it was typed, in groups of four. Raises BadInvitation, also for one mistyped character."""
    plain = "".join(text.upper().split()).replace("-", "").translate(_MISREAD)
    if len(plain) != CODE_CHARACTERS or set(plain) - set(ALPHABET):
        raise BadInvitation(
            f"found {len(plain)} characters, expected a code of {CODE_CHARACTERS} (seven groups of four)"
        )
    if _check(plain[:-1]) != plain[-1]:
        raise BadInvitation("this is no code of ours: one of its characters is mistyped")
    return _grouped(plain)


def hash_code(code: str) -> str:
    """What the hub keeps of a code. Raises BadInvitation."""
    return hashlib.sha256(f"machinaka code 1 {read_code(code)}".encode()).hexdigest()


def _check(plain: str) -> str:
    return ALPHABET[hashlib.sha256(f"machinaka check {plain}".encode()).digest()[0] % 32]


def _grouped(plain: str) -> str:
    return "-".join(plain[start : start + _GROUP] for start in range(0, len(plain), _GROUP))


class Invitation(msgspec.Struct, frozen=True):
    """What a person hands on to a device: the hub's address, a code, the root's SHA-256. The code may be empty where
    the hub knows the device by its serial number."""

    hub: str
    code: str
    root: str

    @property
    def text(self) -> str:
        """One line; also the QR code, and the device's file `enrol-code`."""
        return f"machinaka:enrol?{urlencode({'hub': self.hub, 'code': self.code, 'root': self.root})}"


def read_invitation(text: str) -> Invitation:
    """The invitation in a line. Raises BadInvitation."""
    parts = urlsplit(text.strip())
    if parts.scheme != "machinaka" or parts.path != "enrol":
        raise BadInvitation("found no invitation, expected a line that begins with machinaka:enrol?")
    found = {key: values[0] for key, values in parse_qs(parts.query).items()}
    return invite(found.get("hub", ""), found.get("code", ""), found.get("root", ""))


def invite(hub: str, code: str, root: str) -> Invitation:
    """An invitation of parts that were checked. Raises BadInvitation."""
    try:
        address = urlsplit(hub)
        host = address.hostname
    except ValueError:
        host = None
    if not host or address.scheme not in ("http", "https"):
        raise BadInvitation(f"hub: found {hub!r}, expected an address such as https://machinaka.example")
    root = root.replace(":", "").strip().lower()
    if _FINGERPRINT.fullmatch(root) is None:
        raise BadInvitation(f"root: found {root!r}, expected the SHA-256 of the town's root, 64 hex digits")
    return Invitation(hub.rstrip("/"), read_code(code) if code else "", root)


# ---- what crosses


class Ask(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device asks for its first certificate: by a code, or by its serial number alone."""

    device: Short
    kind: Kind
    request: Request
    code: Short = ""
    serial: Short = ""


class Given(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer: chain and root in PEM, the hub's public half for orders, and where the broker is."""

    chain: Pem
    root: Pem
    orders: Short
    broker_host: Short
    broker_port: Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Waiting(msgspec.Struct, frozen=True):
    """The answer when a person must look first: ask again, with the same request, after so long.

    `compare` is what the device shows and the person sees beside the button: the beginning of its key's SHA-256.
    """

    ask_again_s: Annotated[int, msgspec.Meta(ge=1, le=3600)]
    compare: Short


class CodeWanted(msgspec.Struct, frozen=True, omit_defaults=True):
    """An officer's computer asks for a code for one device (`CODES_PATH`, scope `enrolment:write`)."""

    device: Short
    kind: Kind
    serial: Short = ""


class CodeMade(msgspec.Struct, frozen=True):
    """The answer: the code, and until when it is good (UTC ms)."""

    code: Short
    end_ms: Millis


class Late(msgspec.Struct, frozen=True):
    """A device whose certificate has ended asks for the next one, signed with the key of the old.

    `signature` is ECDSA with SHA-256 over `late_bytes`, in base64url without padding.
    """

    device: Short
    chain: Pem
    request: Request
    at_ms: Millis
    signature: Short


class LateAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A new chain; or, for a device that was reported stolen, what it must still be told (messages of `down`)."""

    chain: Pem = ""
    down: Annotated[tuple[str, ...], msgspec.Meta(max_length=20)] = ()


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why not, in one plain sentence. `now_ms` is the hub's time, when the asker's was too far from it."""

    error: str
    now_ms: int | None = None


def late_bytes(device: str, chain: str, request: str, at_ms: int) -> bytes:
    """What a late device signs. Raises NotCanonical."""
    return signed.late_renewal_bytes(device, {"chain": chain, "request": request, "at_ms": at_ms})


def write_signature(raw: bytes) -> str:
    """A signature as it crosses."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_signature(text: str) -> bytes:
    """The bytes of a signature. Raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compare_text(key_name: str) -> str:
    """The beginning of a key's SHA-256 as two people compare it: `3f1c 9a52`."""
    return f"{key_name[:4]} {key_name[4:8]}"
