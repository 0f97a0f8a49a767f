"""Which letters an encoding can write (rule).

1. Strict: what does not come back as it went is not written.  Code page 932 writes 髙 and 﨑, not 𠮷; ～ and not 〜.
2. A letter of the private area (外字) is another one on each machine, so that no encoding writes it.
"""

import unicodedata
from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

Encoding = Literal["cp932", "utf-8-sig", "utf-8"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)


class Unwritable(NamedTuple):
    """A text that an encoding cannot write: whose (a staff number), the text, and the letters that it fails at."""

    number: str
    text: str
    letters: str


def cannot_write(texts: Iterable[tuple[str, str]], encoding: Encoding) -> list[Unwritable]:
    """The texts (staff number, text) that cannot be written, in the order in which they came."""
    found = []
    for number, text in texts:
        letters = unwritable(text, encoding)
        if letters:
            found.append(Unwritable(number, text, letters))
    return found


def unwritable(text: str, encoding: Encoding) -> str:
    """The letters of a text that an encoding cannot write, each once."""
    if text.isascii():
        return ""
    return "".join(dict.fromkeys(letter for letter in text if not _writes(letter, encoding)))


def _writes(letter: str, encoding: Encoding) -> bool:
    if unicodedata.category(letter) in ("Co", "Cs", "Cn"):
        return False
    # The mark at the beginning of a file would be taken away with the first letter.
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    try:
        return letter.encode(codec).decode(codec) == letter
    except UnicodeError:
        return False
