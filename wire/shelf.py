"""What a shelf says once it is opened: all that a lent tablet shows and goes by while the hub is away.

JSON, deflated (zlib). Fields are only added, with defaults; unknown ones are ignored.

1. Items of content with the digests of their files; the files themselves come from the hub over HTTPS, with `ticket`.
2. What the line may carry, so that the resident sees what is left.
3. The list of telephone numbers.
"""

import zlib
from typing import Annotated, Literal

import msgspec

from wire.fields import Identifier, Millis
from wire.paper import BadPaper

KIND = "shelf"
# What a shelf inflates to at most.
PLAIN_BYTES = 1024 * 1024

Line = Annotated[str, msgspec.Meta(max_length=200)]
Body = Annotated[str, msgspec.Meta(max_length=10_000)]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
MediaType = Literal["application/pdf", "image/jpeg", "image/png", "image/webp"]
Count = Annotated[int, msgspec.Meta(ge=0)]


class BadShelf(BadPaper):
    """Bytes that are no shelf; one plain sentence, without anything of its content."""


class File(msgspec.Struct, array_like=True, frozen=True):
    """A file of an item: the SHA-256 of its bytes, how many they are, what they are, and what they are called."""

    digest: Digest
    size_bytes: Count
    media_type: MediaType
    name: Line = ""


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """A question of a survey: one of the choices, several of them, or words of one's own."""

    text: Line
    way: Literal["one", "several", "words"] = "one"
    choices: Annotated[tuple[Line, ...], msgspec.Meta(max_length=20)] = ()


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One newsletter, notice or survey; `text` is plain paragraphs with furigana as in `wire/terms_text.py`."""

    id: Identifier
    kind: Literal["newsletter", "notice", "survey"]
    title: Line
    published_ms: Millis
    until_ms: Millis = 0
    text: Body = ""
    urgent: bool = False
    files: Annotated[tuple[File, ...], msgspec.Meta(max_length=40)] = ()
    questions: Annotated[tuple[Question, ...], msgspec.Meta(max_length=50)] = ()


class Allowance(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the tablet's line carries in a month before it costs more, in bytes as the contract counts them.

    `since_ms` is when the loan began: what the counters tell before that is nobody's.
    """

    sim: Line = ""
    included_bytes: Count = 0
    since_ms: Millis = 0


class Telephone(msgspec.Struct, array_like=True, frozen=True):
    """A number in the tablet's list."""

    name: Line
    number: Line
    note: Line = ""


class ShelfContent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that a tablet shows. `ticket` lets it fetch files of its own shelf at the hub, and nothing else."""

    town: Line = ""
    ticket: Line = ""
    items: tuple[Item, ...] = ()
    allowance: Allowance | None = None
    telephones: Annotated[tuple[Telephone, ...], msgspec.Meta(max_length=50)] = ()


_decoder = msgspec.json.Decoder(ShelfContent)


def as_json(content: ShelfContent) -> bytes:
    """The JSON: the same for the same content."""
    return msgspec.json.encode(content)


def pack(content: ShelfContent) -> bytes:
    """The bytes that are sealed: the same for the same content."""
    return zlib.compress(as_json(content), 9)


def unpack(data: bytes) -> ShelfContent:
    """The content. Raises BadShelf."""
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, PLAIN_BYTES + 1)
        if len(text) > PLAIN_BYTES or not inflater.eof or inflater.unused_data:
            raise BadShelf(f"expected at most {PLAIN_BYTES} bytes, whole")
        return _decoder.decode(text)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadShelf(f"not a shelf ({type(error).__name__})") from None
