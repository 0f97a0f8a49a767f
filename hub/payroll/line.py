"""One month as the payroll gets it: a line a person, with what earlier months came to more or less (rule).

Times in minutes, money in yen.  A preview has version 0 and no hash: the month is not closed.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import msgspec

from hub.attendance.rules.kinds import PAY_CLASSES, PayClass
from hub.attendance.rules.result import DayResult, MonthResult, UnitResult
from hub.shown import moment


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A class at one hourly unit. `hours` is None where the town does not round to whole hours."""

    pay: PayClass
    since: date
    unit_yen: int
    yen_per_hour: int
    minutes: int
    hours: int | None
    yen: int


class Adjusted(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier month came to more or less in a class, booked in this one."""

    target_month: str
    pay: PayClass
    minutes: int
    hours: int
    yen: int


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """A duty day; the ends are minutes after its 00:00, so that 26:10 is ten past two the next morning."""

    day: date
    kind: str
    status: str
    in_min: int | None
    out_min: int | None
    presence_min: int
    regular_min: int
    late_min: int
    leave_min: int
    minutes: dict[PayClass, int]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One person's month."""

    number: str
    name: str = ""
    department_code: str = ""
    department: str = ""
    kind: str = "full_time"
    work_days: int = 0
    absent_days: int = 0
    leave_days: int = 0
    late_min: int = 0
    leave_min: int = 0
    regular_min: int = 0
    overtime_min: int = 0
    unit_yen: int = 0
    yen: int = 0
    entries: tuple[Entry, ...] = ()
    adjusted: tuple[Adjusted, ...] = ()
    days: tuple[Day, ...] = ()


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A month for the payroll, its lines in the order of staff numbers."""

    month: str
    version: int
    hash: str
    closed_ms: int
    lines: tuple[Line, ...]

    @property
    def preview(self) -> bool:
        """Whether the month is not closed."""
        return not self.version


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Whose line it is."""

    number: str
    name: str = ""
    department_code: str = ""
    department: str = ""
    kind: str = "full_time"


def line(
    person: Person, result: MonthResult, adjusted: Iterable[Adjusted] = (), absent: frozenset[date] = frozenset()
) -> Line:
    """A person's line; `absent` are the days of absence without leave."""
    days = tuple(_day(one) for one in result.days)
    return Line(
        number=person.number,
        name=person.name,
        department_code=person.department_code,
        department=person.department,
        kind=person.kind,
        work_days=sum(bool(one.worked_min) for one in result.days),
        absent_days=sum(one.day in absent for one in result.days),
        leave_days=sum(one.status == "leave" and one.day not in absent for one in result.days),
        late_min=sum(one.late_min for one in days),
        leave_min=sum(one.leave_min for one in days),
        regular_min=sum(one.regular_min for one in days),
        overtime_min=result.overtime_min,
        unit_yen=result.units[-1].unit_yen if result.units else 0,
        yen=result.yen,
        entries=_entries(result.units),
        adjusted=tuple(sorted(adjusted, key=lambda one: (one.target_month, PAY_CLASSES.index(one.pay)))),
        days=days,
    )


def _entries(units: Sequence[UnitResult]) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            pay=pay,
            since=unit.since,
            unit_yen=unit.unit_yen,
            yen_per_hour=unit.yen_per_hour.get(pay, 0),
            minutes=unit.minutes[pay],
            hours=unit.hours.get(pay, 0) if _rounds(unit) else None,
            yen=_yen(unit, pay),
        )
        for unit in units
        for pay in PAY_CLASSES
        if unit.minutes.get(pay)
    )


def _rounds(unit: UnitResult) -> bool:
    """Whether minutes become whole hours; where they all round to nought there is no yen either."""
    return bool(unit.hours) or not unit.yen


def _yen(unit: UnitResult, pay: PayClass) -> int:
    """Whole hours at so much an hour; without rounding, minutes of it, half a yen up (decision 13)."""
    per_hour = unit.yen_per_hour.get(pay, 0)
    if _rounds(unit):
        return unit.hours.get(pay, 0) * per_hour
    return (unit.minutes[pay] * per_hour * 2 + 60) // 120


def _day(one: DayResult) -> Day:
    return Day(
        day=one.day,
        kind=one.kind,
        status=one.status,
        in_min=_since_midnight(one.day, one.in_ms),
        out_min=_since_midnight(one.day, one.out_ms),
        presence_min=one.presence_min or 0,
        regular_min=one.regular_min or 0,
        late_min=one.late_min,
        leave_min=one.leave_min,
        minutes=one.minutes,
    )


def _since_midnight(day: date, at_ms: int | None) -> int | None:
    if at_ms is None:
        return None
    when = moment(at_ms)
    return (when.date() - day) // timedelta(days=1) * 1440 + when.hour * 60 + when.minute
