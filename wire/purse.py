"""What a purse says once it is opened: how much of which benefit a device may take while the hub is away.

JSON, deflated (zlib). Fields are only added, with defaults; unknown ones are ignored.

An allowance is a limit on all that is ever taken under its name at this one device.  A later purse may raise the limit
of the same name; what the device has taken counts on, so nothing that the hub has not heard of yet is given twice.
"""

import zlib
from typing import Annotated

import msgspec

from wire.fields import Millis
from wire.paper import BadPaper

KIND = "purse"
# What a purse inflates to at most.
PLAIN_BYTES = 1024 * 1024
KEY_BYTES = 32

Line = Annotated[str, msgspec.Meta(max_length=200)]
Token = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Key = Annotated[bytes, msgspec.Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]


class BadPurse(BadPaper):
    """Bytes that are no purse; one plain sentence, without anything of its content."""


class Benefit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A benefit of the town: what it is called, and what one unit is (`1枚` of `タクシー券`, worth so many yen)."""

    code: Line
    name_ja: Line
    name_en: Line
    unit_ja: Line
    unit_en: Line
    unit_yen: Count = 0


class Allowance(msgspec.Struct, array_like=True, frozen=True):
    """What may be taken here for one card and benefit: `limit` units in all under `id`, until `until_ms`.

    `balance` is what the hub knew to be left everywhere when it wrote this, for the screen.  `used` is what it knew to
    be taken here under `id`: a device that has lost its own count goes on from there.
    """

    id: Line
    card: Token
    benefit: Line
    limit: Count
    until_ms: Millis
    balance: Count = 0
    used: Count = 0


class PurseContent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that a device knows of benefits. `card_key` makes tokens of cards, as in a roster."""

    card_key: Key
    benefits: tuple[Benefit, ...] = ()
    allowances: tuple[Allowance, ...] = ()


_decoder = msgspec.json.Decoder(PurseContent)


def as_json(content: PurseContent) -> bytes:
    """The JSON: the same for the same content."""
    return msgspec.json.encode(content)


def pack(content: PurseContent) -> bytes:
    """The bytes that are sealed: the same for the same content."""
    return zlib.compress(as_json(content), 9)


def unpack(data: bytes) -> PurseContent:
    """The content. Raises BadPurse."""
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, PLAIN_BYTES + 1)
        if len(text) > PLAIN_BYTES or not inflater.eof or inflater.unused_data:
            raise BadPurse(f"expected at most {PLAIN_BYTES} bytes, whole")
        return _decoder.decode(text)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        # The error itself may repeat a token.
        raise BadPurse(f"not a purse ({type(error).__name__})") from None
