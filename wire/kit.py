"""What a kit says once it is opened: everything that an access point needs to receive guests while the hub is away.

JSON, deflated (zlib). Fields are only added, with defaults; unknown ones are ignored.

1. The portal's name, and the certificate and key with which it is served.
2. The terms, a version with its texts in every language; a guest's consent names the version.
3. Vouchers as keyed hashes of their codes, so that a stolen access point gives none away.
4. Keys of days, of today and some days to come: pseudonyms of guests' devices are made with them.
5. The month's public key, to which what identifies a person is sealed.
6. An order that begins the disaster network, signed in advance for the button on the device.
"""

import hashlib
import hmac
import zlib
from typing import Annotated

import msgspec

from wire.messages import DayText, Order, Pseudonym, TermsLanguage

KEY_BYTES = 32
# What a kit inflates to at most.
PLAIN_BYTES = 1024 * 1024
# Without what is misread: 0 and O, 1, I and L, U (V).
VOUCHER_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
VOUCHER_LENGTH = 10

Key = Annotated[bytes, msgspec.Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
Line = Annotated[str, msgspec.Meta(max_length=200)]
Pem = Annotated[str, msgspec.Meta(max_length=16_384)]
CodeHash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]


class BadKit(Exception):
    """Bytes that are no kit; one plain sentence, without anything of its content."""


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """One version of the terms. A text is paragraphs parted by an empty line; one that begins with `# ` is a heading,
    lines that begin with `- ` are a list. Furigana stand as `漢字《かんじ》`, after the run of kanji that they read."""

    version: Line
    texts: dict[TermsLanguage, Annotated[str, msgspec.Meta(max_length=20_000)]]


class Voucher(msgspec.Struct, array_like=True, frozen=True):
    """One voucher: how long a session with it lasts, on how many devices, and until when it can be used."""

    code: CodeHash
    id: Line
    minutes: Annotated[int, msgspec.Meta(ge=1, le=44_640)]
    devices: Annotated[int, msgspec.Meta(ge=1, le=100)]
    until_ms: int


class DayKey(msgspec.Struct, array_like=True, frozen=True):
    """The key of a day in Japan."""

    day: DayText
    key: Key


class SealingKey(msgspec.Struct, frozen=True):
    """The public key of a month: a point on P-256 (65 bytes, X9.62 uncompressed) and its name."""

    name: Line
    point: Annotated[bytes, msgspec.Meta(min_length=65, max_length=65)]


class KitContent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that an access point needs. `place` and `contact` are shown to guests; `radius_secret` is
    shared with whoever answers for staff networks."""

    portal_host: Line
    chain: Pem
    key: Pem
    terms: Terms
    voucher_key: Key
    vouchers: tuple[Voucher, ...] = ()
    day_keys: tuple[DayKey, ...] = ()
    sealing_key: SealingKey | None = None
    standing: Order | None = None
    place: Line = ""
    contact: Line = ""
    venue_url: Line = ""
    radius_secret: Line = ""


def pseudonym(key: bytes, address: str) -> Pseudonym:
    """What stands for a device's address (`02:00:5e:10:00:01`, lower case) on this key's day (HMAC-SHA-256, half)."""
    return hmac.new(key, address.encode("ascii"), hashlib.sha256).hexdigest()[:32]


def voucher_code(text: str) -> str:
    """A voucher's code as printed, whatever a person typed between its letters, in which case, and for 0, 1 and O."""
    misread = str.maketrans({"0": "Q", "O": "Q", "1": "J", "I": "J", "L": "J", "U": "V"})
    return "".join(letter for letter in text.upper().translate(misread) if letter in VOUCHER_LETTERS)


def code_hash(key: bytes, code: str) -> str:
    """What stands for a voucher's code in a kit."""
    return hmac.new(key, voucher_code(code).encode("ascii"), hashlib.sha256).hexdigest()[:32]


_decoder = msgspec.json.Decoder(KitContent)


def pack(content: KitContent) -> bytes:
    """The bytes that are sealed: the same for the same content."""
    return zlib.compress(msgspec.json.encode(content), 9)


def unpack(data: bytes) -> KitContent:
    """The content. Raises BadKit."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(data, PLAIN_BYTES + 1)
        if len(plain) > PLAIN_BYTES or not inflater.eof or inflater.unused_data:
            raise BadKit(f"expected at most {PLAIN_BYTES} bytes, whole")
        return _decoder.decode(plain)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        # The error itself may repeat a secret.
        raise BadKit(f"not a kit ({type(error).__name__})") from None
