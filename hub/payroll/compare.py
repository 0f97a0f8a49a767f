"""A payroll's own result against ours, in the form of a layout (rule): for the months that run side by side.

1. A row is about the staff number in it; rows without one of ours (headings, sums) say nothing.
2. Figures are compared, not texts: 5:15 and 5.25 and 0515 are the same time; nothing is nought.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hub.cells import Cells
from hub.payroll.amount import TIME_UNITS, NotATime, read
from hub.payroll.cell import Letters, Value, shown, value
from hub.payroll.cell import rows as rows_of
from hub.payroll.form import Column, Layout
from hub.payroll.line import Table
from hub.payroll.writing import body


class Difference(NamedTuple):
    """What differs: whose, in which column, what we have and what stands there (`why`: also_…)."""

    number: str
    column: str
    ours: str
    theirs: str


class Compared(NamedTuple):
    """What came of it. `columns` were compared; `only_ours` and `only_theirs` are staff numbers."""

    people: int
    columns: list[str]
    differences: list[Difference]
    only_ours: list[str]
    only_theirs: list[str]


class CannotCompare(Exception):
    """There is nothing to compare by; `why` is a word (`compare_…`)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def compare(
    headings: Sequence[str], found: Iterable[Cells], layout: Layout, table: Table, letters: Letters
) -> Compared:
    """Compares a file with a month. Raises CannotCompare."""
    if layout.rows != "person":
        raise CannotCompare("rows")
    places = {column: headings.index(column.heading) for column in layout.columns if column.heading in headings}
    numbers = [column for column in places if column.field == "staff_number"]
    figures = [column for column in places if column.figure]
    if not numbers:
        raise CannotCompare("no_number")
    if not figures:
        raise CannotCompare("no_figure")
    theirs = _by_number(found, places[numbers[0]])
    # As the file has them: filled up with noughts, perhaps.
    at = layout.columns.index(numbers[0])
    written = (texts[at].strip() for texts in body(layout, table, letters).texts)
    ours = dict(zip(written, rows_of(layout, table), strict=True))
    differences = []
    for number in sorted(ours.keys() & theirs.keys()):
        for column in figures:
            mine = value(column, ours[number], layout, table, letters)
            text = _at(theirs[number], places[column])
            if not _same(column, mine, text):
                differences.append(Difference(number, column.heading, shown(column, mine), text))
    return Compared(
        people=len(ours.keys() & theirs.keys()),
        columns=[column.heading for column in figures],
        differences=differences,
        only_ours=sorted(ours.keys() - theirs.keys()),
        only_theirs=sorted(number for number in theirs.keys() - ours.keys() if number.isalnum() and number.isascii()),
    )


def _by_number(found: Iterable[Cells], place: int) -> Mapping[str, Cells]:
    return {number: cells for cells in found if (number := _at(cells, place))}


def _at(cells: Cells, place: int) -> str:
    return cells.texts[place].strip() if place < len(cells.texts) else ""


def _same(column: Column, mine: Value, text: str) -> bool:
    plain = text.replace(",", "") or "0"
    if mine.amount is None:
        return not text
    if not mine.time:
        return plain.lstrip("-").isdecimal() and int(plain) == mine.amount
    if text == "":
        return mine.amount == 0
    return any(_minutes(plain, unit) == mine.amount for unit in _units(column))


def _units(column: Column) -> Sequence[str]:
    """Its own unit first; a colon or a point says of itself what it is."""
    return (column.unit, "h:mm", "h.hh") if column.unit in TIME_UNITS else ("min",)


def _minutes(text: str, unit: str) -> int | None:
    if unit == "h.hh" and "." not in text:
        return None
    try:
        return read(text, unit)  # type: ignore[arg-type]  # a unit of time
    except NotATime:
        return None
