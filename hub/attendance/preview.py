"""What other values would have changed in a month that is over: everybody's month worked out twice.

Nothing is written.  The months come from the same facts and the same rules as everything else.
"""

from collections.abc import Iterable
from datetime import date

import msgspec

from hub.attendance import gather, profile_store
from hub.attendance.rules import calendar
from hub.attendance.rules.given import Given
from hub.attendance.rules.kinds import PayClass
from hub.attendance.rules.month import month as reckon
from hub.attendance.rules.profile import Profile
from hub.attendance.rules.result import MonthResult
from hub.db import Connection
from hub.staff import store as staff


class Sums(msgspec.Struct, frozen=True):
    """Minutes and hours by class, and yen."""

    minutes: dict[PayClass, int]
    hours: dict[PayClass, int]
    yen: int


class Person(msgspec.Struct, frozen=True):
    """Somebody whose month comes to something else; open days before and after."""

    number: str
    before: Sums
    after: Sums
    open_before: int
    open_after: int


class Effect(msgspec.Struct, frozen=True):
    """What a change comes to in one month."""

    month: str
    people: int
    before: Sums
    after: Sums
    changed: list[Person]


def effect(conn: Connection, new: Profile, month: str, until: date) -> Effect:
    """The month with the values that count in it, and with the new ones."""
    members = staff.members(conn, month)
    givens = gather.givens(conn, list(members), month, until)
    first, last = _days_needed(month)
    holidays = profile_store.holidays(conn, first, last, new)
    before = {staff_id: reckon(given) for staff_id, given in givens.items()}
    after = {staff_id: reckon(_with(given, new, holidays)) for staff_id, given in givens.items()}
    changed = [
        Person(
            members[staff_id].number,
            _sums([before[staff_id]]),
            _sums([after[staff_id]]),
            _open(before[staff_id]),
            _open(after[staff_id]),
        )
        for staff_id in givens
        if _figures(before[staff_id]) != _figures(after[staff_id])
    ]
    changed.sort(key=lambda person: person.number)
    return Effect(month, len(givens), _sums(before.values()), _sums(after.values()), changed)


def _days_needed(month: str) -> tuple[date, date]:
    """The days of the month's weeks and of the fiscal years that they lie in."""
    first, last = calendar.reach(month)
    begin, _ = calendar.fiscal_span(calendar.fiscal_year(calendar.month_of(first)))
    _, end = calendar.fiscal_span(calendar.fiscal_year(calendar.month_of(last)))
    return begin, end


def _with(given: Given, new: Profile, holidays: frozenset[date]) -> Given:
    return msgspec.structs.replace(given, profile=new, holidays=holidays)


def _figures(result: MonthResult) -> tuple[object, ...]:
    days = [(one.status, one.flags, one.minutes, one.regular_min, one.late_min) for one in result.days]
    return result.minutes, result.hours, result.yen, days


def _open(result: MonthResult) -> int:
    return sum(one.open for one in result.days)


def _sums(results: Iterable[MonthResult]) -> Sums:
    minutes: dict[PayClass, int] = {}
    hours: dict[PayClass, int] = {}
    yen = 0
    for result in results:
        yen += result.yen
        for into, figures in ((minutes, result.minutes), (hours, result.hours)):
            for name, figure in figures.items():
                into[name] = into.get(name, 0) + figure
    return Sums(minutes, hours, yen)
