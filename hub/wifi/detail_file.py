"""FreeRADIUS's detail files: entries of text, a line of its time, its attributes, an empty line (rule)."""

import re
from typing import NamedTuple

_LINE = re.compile(r"\t([A-Za-z0-9._-]+)(?::[A-Za-z0-9_]+)? = (.*)")
_ESCAPED = re.compile(r"\\([0-7]{3}|.)")
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}
# An entry of a packet of 4,096 octets has at most a few times that.
ENTRY_BYTES = 65_536


class Entries(NamedTuple):
    """Whole entries (attributes by their names in lower case), and how many bytes they are of."""

    found: list[dict[str, str]]
    read_bytes: int


def entries(data: bytes) -> Entries:
    """The whole entries that some bytes begin with. What is after them has not been written to its end.

    A run of bytes that is longer than an entry can be is passed over.
    """
    end = data.rfind(b"\n\n")
    if end < 0:
        return Entries([], len(data) if len(data) > ENTRY_BYTES else 0)
    end += 2
    blocks = data[:end].decode("utf-8", "replace").split("\n\n")
    return Entries([entry for block in blocks if (entry := _entry(block))], end)


def _entry(block: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in block.splitlines():
        if match := _LINE.fullmatch(line):
            # The first of several counts, as in JSON.
            found.setdefault(match[1].lower(), _value(match[2]))
    return found


def _value(text: str) -> str:
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return _ESCAPED.sub(_letter, text[1:-1])


def _letter(escaped: re.Match[str]) -> str:
    text = escaped[1]
    return chr(int(text, 8)) if len(text) == 3 else _LETTERS.get(text, text)
