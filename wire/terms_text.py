"""The text of terms as blocks, the same for whoever shows it: guests on the portal, staff in the hub's preview.

1. Paragraphs are parted by an empty line.  A line that begins with `# ` is a heading, lines that begin with `- ` are
   a list; all else in a paragraph keeps its lines.
2. Furigana stand as `漢字《かんじ》`, after the run of kanji that they read; marks that are no such thing stay as they
   were typed.
3. There is nothing else: no links, no markup.  Who shows a text escapes it.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

# What counts as kanji, as the inside of a character class.
KANJI = "\u3005\u3007\u30f5\u30f6\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_RUBY = re.compile(rf"([{KANJI}]+)《([^《》\n]{{1,40}})》")
_READING = re.compile("[ぁ-ゖァ-ヺー・]+")
_UNREAD = re.compile(rf"[{KANJI}]+")

Kind = Literal["heading", "paragraph", "list"]


class Run(NamedTuple):
    """A piece of a line; `reading` is how its kanji are read, or empty."""

    text: str
    reading: str = ""


Line = tuple[Run, ...]


class Block(NamedTuple):
    """A heading (one line), a paragraph, or a list (a line an item)."""

    kind: Kind
    lines: tuple[Line, ...]


class Problem(NamedTuple):
    """What a reader would stumble over: in which line (counted from 1), and the words there.

    `mark`: 《 or 》 that are no furigana, or furigana that are no kana; `unread`: kanji without furigana, where all are
    to have them.
    """

    line: int
    what: Literal["mark", "unread"]
    words: str


def blocks(text: str) -> tuple[Block, ...]:
    """The text from its first block to its last; an empty text has none."""
    found: list[Block] = []
    joins = False
    for line in _lines(text):
        kind, words = _kind(line)
        if line:
            if joins and kind != "heading" and kind == found[-1].kind:
                found[-1] = Block(kind, (*found[-1].lines, runs(words)))
            else:
                found.append(Block(kind, (runs(words),)))
        joins = bool(line)
    return tuple(found)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\r\n", "\n").split("\n")]


def _kind(line: str) -> tuple[Kind, str]:
    if line.startswith("# "):
        return "heading", line[2:]
    return ("list", line[2:]) if line.startswith("- ") else ("paragraph", line)


def runs(line: str) -> Line:
    """A line, parted where furigana begin and end."""
    found: list[Run] = []
    end = 0
    for ruby in _RUBY.finditer(line):
        if ruby.start() > end:
            found.append(Run(line[end : ruby.start()]))
        found.append(Run(ruby[1], ruby[2]))
        end = ruby.end()
    return (*found, Run(line[end:])) if end < len(line) else tuple(found)


def plain(line: Sequence[Run]) -> str:
    """A line without its furigana."""
    return "".join(run.text for run in line)


def problems(text: str, *, every_kanji: bool) -> tuple[Problem, ...]:
    """What would be read wrongly, line by line; with `every_kanji` also kanji that nobody has given a reading."""
    return tuple(
        problem
        for number, line in enumerate(_lines(text), 1)
        for run in runs(line)
        for problem in _of_run(number, run, every_kanji=every_kanji)
    )


def _of_run(line: int, run: Run, *, every_kanji: bool) -> list[Problem]:
    if run.reading:
        good = _READING.fullmatch(run.reading)
        return [] if good else [Problem(line, "mark", f"{run.text}《{run.reading}》")]
    mark = re.search("[《》]", run.text)
    found = [Problem(line, "mark", run.text[max(mark.start() - 8, 0) : mark.start() + 8].strip())] if mark else []
    unread = _UNREAD.finditer(run.text) if every_kanji else ()
    return found + [Problem(line, "unread", one[0]) for one in unread]
