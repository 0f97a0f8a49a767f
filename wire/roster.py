"""What a roster says once it is opened: the town's card key, who has which card, and what kinds of cards there are.

JSON, deflated (zlib). Fields are only added, with defaults; unknown ones are ignored.
"""

import hashlib
import hmac
import zlib
from typing import Annotated, Literal

import msgspec

KEY_BYTES = 32
# What a roster inflates to at most: cards by the ten thousand.
PLAIN_BYTES = 1024 * 1024

Key = Annotated[bytes, msgspec.Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
Token = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
Name = Annotated[str, msgspec.Meta(max_length=200)]
CardState = Literal["issued", "lost"]


class BadRoster(Exception):
    """Bytes that are no roster; one plain sentence, without anything of its content."""


class RosterCard(msgspec.Struct, array_like=True, frozen=True):
    """One card: `name` is what the screen shows, or empty; `kind` names one of the kinds, or is empty."""

    token: Token
    state: CardState = "issued"
    name: Name = ""
    kind: Name = ""


class CardKind(msgspec.Struct, frozen=True, omit_defaults=True):
    """A kind whose cards must prove with their own key, made of `key` and their number, that they are genuine."""

    name: Name
    technology: Name
    key: Key


class RosterContent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that a terminal knows of cards. Cards by token, each once."""

    card_key: Key
    cards: tuple[RosterCard, ...] = ()
    kinds: tuple[CardKind, ...] = ()


def proof_key(key: bytes, identifier: bytes) -> bytes:
    """The 16 bytes that a card of this number holds: its kind's key, made another for each card (two-key 3DES)."""
    return hmac.new(key, identifier, hashlib.sha256).digest()[:16]


_decoder = msgspec.json.Decoder(RosterContent)


def pack(content: RosterContent) -> bytes:
    """The bytes that are sealed: the same for the same content."""
    return zlib.compress(msgspec.json.encode(content), 9)


def unpack(data: bytes) -> RosterContent:
    """The content. Raises BadRoster."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(data, PLAIN_BYTES + 1)
        if len(plain) > PLAIN_BYTES or not inflater.eof or inflater.unused_data:
            raise BadRoster(f"expected at most {PLAIN_BYTES} bytes, whole")
        return _decoder.decode(plain)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        # The error itself may repeat a name.
        raise BadRoster(f"not a roster ({type(error).__name__})") from None
