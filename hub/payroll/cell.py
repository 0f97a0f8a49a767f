"""What stands in a column of a row: a text, or a figure that can be added up (rule)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from hub.attendance.rules.kinds import PayClass
from hub.payroll.amount import decimal, hundredths, written
from hub.payroll.form import FIELDS, Column, Layout
from hub.payroll.line import Adjusted, Day, Entry, Line, Table

# A name with a line's end in it would be two rows.
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


class Letters(msgspec.Struct, frozen=True):
    """What is written instead of letters that a payroll cannot take (外字): for everybody, or for one person's name."""

    everywhere: dict[str, str] = {}
    names: dict[str, str] = {}

    def text(self, text: str) -> str:
        """A text with its letters replaced."""
        return "".join(self.everywhere.get(letter, letter) for letter in text)

    def name(self, number: str, name: str) -> str:
        """A person's name as the payroll gets it."""
        return self.names.get(number) or self.text(name) if name else ""


class Row(NamedTuple):
    """What a row of the file is about."""

    line: Line
    entry: Entry | None = None
    adjusted: Adjusted | None = None
    day: Day | None = None


class Value(NamedTuple):
    """A text; or an amount, in minutes (`time`) or in pieces. None: nothing is known."""

    text: str = ""
    amount: int | None = None
    time: bool = False


def rows(layout: Layout, table: Table) -> Iterator[Row]:
    """The rows of a file: in the order of staff numbers, then of months and classes, or of days."""
    for line in table.lines:
        if layout.rows == "person":
            yield Row(line)
        elif layout.rows == "day":
            yield from (Row(line, day=one) for one in line.days)
        else:
            yield from (Row(line, entry=one) for one in line.entries)
            yield from (Row(line, adjusted=one) for one in line.adjusted)


def left_out(layout: Layout, table: Table) -> dict[PayClass, int]:
    """The minutes of classes that get into no column, so that somebody has to enter them by hand."""
    if layout.rows != "person":
        return {}
    told = {pay for one in layout.columns if one.field in ("minutes", "hours", "yen") for pay in one.classes}
    if any(one.field == "total_yen" for one in layout.columns):
        return {}
    found: dict[PayClass, int] = {}
    for line in table.lines:
        for one in line.entries:
            if one.pay not in told:
                found[one.pay] = found.get(one.pay, 0) + one.minutes
    return found


def value(column: Column, row: Row, layout: Layout, table: Table, letters: Letters) -> Value:
    """What a column holds in a row."""
    if not column.field:
        return Value(column.constant)
    return _FIELDS[column.field](_Place(column, row, layout, table, letters))


class _Place(NamedTuple):
    column: Column
    row: Row
    layout: Layout
    table: Table
    letters: Letters


def shown(column: Column, found: Value) -> str:
    """A value in the unit of its column, before it is filled up to its width."""
    if found.amount is None:
        return found.text
    if column.empty_zero and not found.amount:
        return ""
    if not found.time or column.unit in ("count", "yen"):
        return str(found.amount)
    return written(found.amount, column.unit)  # type: ignore[arg-type]  # a field of time has units of time


def added(column: Column, found: Iterable[Value]) -> str:
    """The sum of a column as the rows show it: of hundredths that were rounded each, too."""
    amounts = [one.amount for one in found if one.amount is not None]
    if column.unit == "h.hh":
        return decimal(sum(hundredths(one) for one in amounts))
    times = FIELDS[column.field].quantity in ("minutes", "hours", "clock") and column.unit != "count"
    return shown(msgspec.structs.replace(column, empty_zero=False), Value(amount=sum(amounts), time=times))


# ---- fields


def _text(of: Callable[[_Place], str]) -> Callable[[_Place], Value]:
    return lambda place: Value(_CONTROL.sub(" ", place.letters.text(of(place))))


def _name(place: _Place) -> Value:
    line = place.row.line
    return Value(_CONTROL.sub(" ", place.letters.name(line.number, line.name)))


def _count(of: Callable[[_Place], int]) -> Callable[[_Place], Value]:
    return lambda place: Value(amount=of(place))


def _time(of: Callable[[_Place], int | None]) -> Callable[[_Place], Value]:
    return lambda place: Value(amount=of(place), time=True)


def _of_line(name: str) -> Callable[[_Place], int]:
    return lambda place: getattr(place.row.line, name)


def _of_day_or_line(name: str) -> Callable[[_Place], int]:
    return lambda place: getattr(place.row.day or place.row.line, name)


def _month(text: str, unit: str) -> Value:
    year, month = text.split("-")
    return Value({"yyyymm": f"{year}{month}", "yyyy-mm": text}.get(unit, f"{year}/{month}/01"))


def _own_month(place: _Place) -> Value:
    return _month(place.table.month, place.column.unit)


def _target_month(place: _Place) -> Value:
    adjusted = place.row.adjusted
    return _month(adjusted.target_month if adjusted else place.table.month, place.column.unit)


def _on_day(place: _Place) -> Value:
    day = place.row.day
    assert day is not None  # noqa: S101 (the layout allows this field in rows of days alone)
    return Value(_day(day.day, place.column.unit))


def _day(day: date, unit: str) -> str:
    text = day.isoformat()
    return {"yyyymmdd": text.replace("-", ""), "yyyy/mm/dd": text.replace("-", "/")}.get(unit, text)


def _entries(place: _Place) -> Iterator[Entry]:
    return (one for one in place.row.line.entries if one.pay in place.column.classes)


def _adjusted(place: _Place) -> Iterator[Adjusted]:
    return (one for one in place.row.line.adjusted if one.pay in place.column.classes)


def _minutes(place: _Place) -> int:
    line, entry, adjusted, day = place.row
    if entry or adjusted:
        return (entry or adjusted).minutes  # type: ignore[union-attr]
    by_class: Mapping[PayClass, int] = day.minutes if day else {}
    if day:
        return sum(by_class.get(pay, 0) for pay in place.column.classes)
    return sum(one.minutes for one in line.entries if one.pay in place.column.classes)


def _hours(place: _Place) -> Value:
    """Whole hours; where the town does not round, hours are in minutes alone."""
    _, entry, adjusted, _ = place.row
    if entry:
        found = [entry.hours]
    elif adjusted:
        found = [adjusted.hours]
    else:
        found = [one.hours for one in _entries(place)]
    return _whole(place, found)


def _whole(place: _Place, found: list[int | None]) -> Value:
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return Value()
    return Value(amount=sum(known)) if place.column.unit == "count" else Value(amount=sum(known) * 60, time=True)


def _yen(place: _Place) -> int:
    _, entry, adjusted, _ = place.row
    if entry or adjusted:
        return (entry or adjusted).yen  # type: ignore[union-attr]
    return sum(one.yen for one in _entries(place))


def _unit_yen(place: _Place) -> int:
    line, entry, adjusted, _ = place.row
    return entry.unit_yen if entry else 0 if adjusted else line.unit_yen


def _total_yen(place: _Place) -> int:
    line = place.row.line
    return line.yen + sum(one.yen for one in line.adjusted)


def _class(place: _Place) -> str:
    one = place.row.entry or place.row.adjusted
    assert one is not None  # noqa: S101 (the layout allows this field in rows of classes alone)
    return place.layout.codes.get(one.pay, one.pay)


def _in_days(name: str) -> Callable[[_Place], str]:
    return lambda place: str(getattr(place.row.day, name))


def _clock(name: str) -> Callable[[_Place], Value]:
    def of(place: _Place) -> Value:
        at = getattr(place.row.day, name)
        return Value() if at is None else Value(amount=at, time=True)

    return of


_FIELDS: dict[str, Callable[[_Place], Value]] = {
    "month": _own_month,
    "staff_number": _text(lambda place: place.row.line.number),
    "name": _name,
    "department_code": _text(lambda place: place.row.line.department_code),
    "department": _text(lambda place: place.row.line.department),
    "kind": _text(lambda place: place.layout.codes.get(place.row.line.kind, place.row.line.kind)),
    "close_version": _count(lambda place: place.table.version),
    "close_hash": _text(lambda place: place.table.hash),
    "empty": lambda _: Value(),
    "work_days": _count(_of_line("work_days")),
    "absent_days": _count(_of_line("absent_days")),
    "leave_days": _count(_of_line("leave_days")),
    "late_min": _time(_of_day_or_line("late_min")),
    "leave_min": _time(_of_day_or_line("leave_min")),
    "regular_min": _time(_of_day_or_line("regular_min")),
    "overtime_min": _time(_of_line("overtime_min")),
    "minutes": _time(_minutes),
    "hours": _hours,
    "yen": _count(_yen),
    "unit_yen": _count(_unit_yen),
    "yen_per_hour": _count(lambda place: place.row.entry.yen_per_hour if place.row.entry else 0),
    "adjust_months": _text(lambda place: " ".join(sorted({one.target_month for one in place.row.line.adjusted}))),
    "adjust_minutes": _time(lambda place: sum(one.minutes for one in _adjusted(place))),
    "adjust_hours": lambda place: _whole(place, [one.hours for one in _adjusted(place)]),
    "adjust_yen": _count(lambda place: sum(one.yen for one in _adjusted(place))),
    "total_yen": _count(_total_yen),
    "class": _text(_class),
    "target_month": _target_month,
    "day": _on_day,
    "day_kind": _text(_in_days("kind")),
    "status": _text(_in_days("status")),
    "clock_in": _clock("in_min"),
    "clock_out": _clock("out_min"),
    "presence_min": _time(_of_day_or_line("presence_min")),
}
