"""A payroll file as text, delimited or of fixed widths (rule).

1. Everything that cannot be written is told at once, with staff number and column; then nothing is written.
2. A text that begins like a formula gets an apostrophe; a figure below nought stays a figure.
3. Below the rows, as the layout asks: the sums of what the rows show, their count, and the SHA-256 of every byte before
   that line.
"""

import csv
import hashlib
import io
from collections.abc import Sequence
from typing import NamedTuple

from hub.payroll.cell import Letters, Value, added, rows, shown, value
from hub.payroll.form import Column, Layout
from hub.payroll.line import Table
from hub.sheet import guarded
from hub.writable import unwritable

SHOWN = 500


class Problem(NamedTuple):
    """What cannot be written: whose, in which column, what stands there, and why (`payroll_cannot_…`)."""

    number: str
    column: str
    found: str
    why: str
    detail: str = ""


class CannotWrite(Exception):
    """A month that this layout cannot write."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} cells cannot be written")
        self.problems = list(problems)


class Body(NamedTuple):
    """The rows of a file as values and as texts, the sums of its figures, and what of it cannot be written."""

    values: list[list[Value]]
    texts: list[list[str]]
    sums: list[str]
    problems: list[Problem]


def body(layout: Layout, table: Table, letters: Letters) -> Body:
    """The cells of a file."""
    values, texts, problems = [], [], []
    for row in rows(layout, table):
        found = [value(column, row, layout, table, letters) for column in layout.columns]
        cells = []
        for column, one in zip(layout.columns, found, strict=True):
            text = shown(column, one)
            text = text if one.amount is not None else guarded(text)
            problems += _problems(layout, column, one, text, row.line.number)
            cells.append(_filled(column, text, layout))
        values.append(found)
        texts.append(cells)
    sums = _sums(layout, values)
    for column, text in zip(layout.columns, sums, strict=True):
        if layout.trailer.sums and column.width and layout.size(text) > column.width:
            problems.append(Problem("", column.heading or column.field, text, "too_wide", str(column.width)))
    return Body(values, texts, sums, problems)


def file(layout: Layout, table: Table, letters: Letters) -> bytes:
    """The whole file. Raises CannotWrite."""
    found = body(layout, table, letters)
    if found.problems:
        raise CannotWrite(found.problems)
    head = [[_heading(layout, column) for column in layout.columns]] if layout.header else []
    lines = [*head, *found.texts]
    if layout.trailer.sums:
        first = layout.columns[0]
        lines.append([_filled(first, layout.trailer.sums, layout, heading=True), *found.sums[1:]])
    written = bytearray(_text(layout, lines).encode(layout.encoding))
    if layout.trailer.rows:
        written += _tail(layout, layout.trailer.rows, str(len(found.texts)))
    if layout.trailer.sha256:
        written += _tail(layout, layout.trailer.sha256, hashlib.sha256(written).hexdigest())
    return bytes(written)


def _heading(layout: Layout, column: Column) -> str:
    return _filled(column, column.heading, layout, heading=True) if layout.format == "fixed" else column.heading


def _problems(layout: Layout, column: Column, one: Value, text: str, number: str) -> list[Problem]:
    heading, found = column.heading or column.field, text[:60]
    if column.field in ("hours", "adjust_hours") and one.amount is None and not column.empty_zero:
        return [Problem(number, heading, "", "not_rounded")]
    letters = unwritable(text, layout.encoding)
    if letters:
        return [Problem(number, heading, found, "letters", letters)]
    if layout.format == "xlsx":
        return []
    if column.width and layout.size(text) > column.width:
        return [Problem(number, heading, found, "too_wide", str(column.width))]
    if layout.format == "delimited" and layout.quoting == "none" and ('"' in text or layout.delimiter in text):
        return [Problem(number, heading, found, "unquoted", '"' if '"' in text else layout.delimiter)]
    return []


def _filled(column: Column, text: str, layout: Layout, *, heading: bool = False) -> str:
    """A text filled up to its width, counted in bytes; noughts go between the minus and the figure."""
    missing = column.width - layout.size(text)
    if not column.width or missing <= 0:
        return text
    if column.align == "left" or heading:
        return text + " " * missing
    if column.fill == "0" and text:
        sign = "-" if text.startswith("-") and column.figure else ""
        return sign + "0" * missing + text[len(sign) :]
    return " " * missing + text


# Adding them up says nothing.
_NO_SUM = ("unit_yen", "yen_per_hour", "clock_in", "clock_out")


def _sums(layout: Layout, values: Sequence[Sequence[Value]]) -> list[str]:
    """A sum under each figure."""
    return [
        _filled(column, added(column, (row[place] for row in values)), layout)
        if column.figure and column.field not in _NO_SUM
        else " " * column.width
        for place, column in enumerate(layout.columns)
    ]


def _text(layout: Layout, lines: Sequence[Sequence[str]]) -> str:
    if layout.format == "fixed":
        return "".join("".join(cells) + layout.newline for cells in lines)
    if layout.quoting == "none":
        return "".join(layout.delimiter.join(cells) + layout.newline for cells in lines)
    made = io.StringIO(newline="")
    writer = csv.writer(
        made,
        delimiter=layout.delimiter,
        quoting=csv.QUOTE_ALL if layout.quoting == "all" else csv.QUOTE_MINIMAL,
        lineterminator=layout.newline,
    )
    writer.writerows(lines)
    return made.getvalue()


def _tail(layout: Layout, text: str, found: str) -> bytes:
    cells = [text, found]
    if layout.format == "fixed":
        width = sum(column.width for column in layout.columns)
        cells = [text + found.rjust(width - layout.size(text))]
    return _text(layout, [cells]).encode(layout.codec)
