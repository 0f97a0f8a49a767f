"""A table of assigned hours (勤務割): one row a day, or one row a person with a column for each day (rule).

1. Hours are written 8:30-17:15; 休 is a weekly day off; an empty cell says nothing of its day.
2. Hours are assigned only to those who work in shifts on that day.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from hub import day
from hub.cells import Cells
from hub.staff.form import Wrong, WrongValue, a_day, hours, hours_text, text
from hub.staff.plan import Fate, Plan, Rows, finished, robbed
from hub.staff.terms import Hours

COLUMNS = ("staff_number", "shift_day", "shift_hours")
OFF = "休"


class Known(NamedTuple):
    """Somebody: whether they work in shifts on a day, and what is assigned so far."""

    shifts_on: Callable[[date], bool]
    days: Mapping[date, Hours | None]


def day_columns(headings: Sequence[str]) -> dict[int, date]:
    """Columns whose headings are days."""
    found = {}
    for place, heading in enumerate(headings):
        try:
            found[place] = date.fromisoformat(day.parse(heading))
        except ValueError:
            continue
    return found


def shown(hours: Hours | None) -> str:
    """Assigned hours as they are written."""
    return hours_text(hours) or OFF


def plan(
    rows: Iterable[Cells],
    places: Mapping[str, int],
    days: Mapping[int, date],
    unknown: list[str],
    known: Mapping[str, Known],
) -> Plan:
    """What these rows come to; `days` are the columns of a table with one for each day."""
    intake = _Intake(Rows({**places, **{when.isoformat(): place for place, when in days.items()}}), days, known)
    fates = [fate for cells in rows if (fate := intake.row(cells)) is not None]
    return finished(intake.rows, fates, unknown)


class _Intake:
    def __init__(self, rows: Rows, days: Mapping[int, date], known: Mapping[str, Known]) -> None:
        self.rows, self._days, self._known = rows, days, known
        self._seen: dict[tuple[str, date], int] = {}

    def row(self, cells: Cells) -> Fate | None:
        before = len(self.rows.problems)
        values = self.rows.values(cells)
        try:
            number = text("staff_number", values.get("staff_number", ""))
        except WrongValue as error:
            self.rows.wrong(cells, error.wrong)
            return None
        known = self._known.get(number)
        if known is None:
            found = robbed(number, self._known)
            self.rows.wrong(cells, Wrong("staff_number", number, "zeros" if found else "staff_number", found))
            return None
        old, new = {}, {}
        for field, when, value in self._cells(cells, values):
            given = self._hours(cells, field, when, value, number)
            if given is None:
                continue
            if when not in known.days or known.days[when] != given[0]:
                old[when.isoformat()] = shown(known.days[when]) if when in known.days else ""
                new[when.isoformat()] = shown(given[0])
                if not known.shifts_on(when):
                    self.rows.wrong(cells, Wrong(field, when.isoformat(), "shift_worker"))
        if len(self.rows.problems) > before:
            return None
        kind = "same" if not new else "changed" if any(old.values()) else "new"
        return Fate(cells.number, number, kind, old, new, new)  # type: ignore[arg-type]

    def _cells(self, cells: Cells, values: dict[str, str]) -> list[tuple[str, date, str]]:
        """The days of a row that say something: under which heading, which day, what."""
        if self._days:
            found = ((when.isoformat(), when) for when in self._days.values())
            return [(field, when, values[field]) for field, when in found if values.get(field)]
        try:
            when = a_day("shift_day", values.get("shift_day", ""))
        except WrongValue as error:
            self.rows.wrong(cells, error.wrong)
            return []
        return [("shift_hours", when, values["shift_hours"])] if values.get("shift_hours") else []

    def _hours(self, cells: Cells, field: str, when: date, value: str, number: str) -> tuple[Hours | None] | None:
        if (number, when) in self._seen:
            wrong = Wrong(field, when.isoformat(), "once", self._seen[number, when])
            self.rows.wrong(cells, wrong)
            return None
        self._seen[number, when] = cells.number
        try:
            return (hours(field, value),)
        except WrongValue as error:
            self.rows.wrong(cells, error.wrong)
            return None
