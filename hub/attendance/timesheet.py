"""A person's month as it is looked at: what counts of it, what was booked in it, what stands beside each day.

1. Of a closed month the closed version is shown: it is what was paid.  Whether the facts say otherwise by now is told.
2. Of an open month what the facts say at this moment.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from hub.attendance import close_store, profile_store, request_store, timesheet_store
from hub.attendance.bar import Bar, bar, reach
from hub.attendance.close_store import Adjustment, Close
from hub.attendance.request_store import Approved
from hub.attendance.rules import calendar
from hub.attendance.rules.given import Leave
from hub.attendance.rules.kinds import PAY_CLASSES, PayClass
from hub.attendance.rules.profile import Profile
from hub.attendance.rules.result import DayResult, MonthResult
from hub.attendance.rules.split import minutes_of
from hub.db import Connection
from hub.staff.store import Member


class Line(NamedTuple):
    """One day: what came of it, the holiday's name, leave on it, orders on it in minutes, and its bar."""

    result: DayResult
    holiday: str
    leaves: tuple[Leave, ...]
    moved: tuple[str, ...]
    ordered_min: int
    bar: Bar

    @property
    def paid(self) -> list[tuple[PayClass, int]]:
        """Minutes by class, in the order of the classes."""
        return [(cls, self.result.minutes[cls]) for cls in PAY_CLASSES if self.result.minutes.get(cls)]


class Sums(NamedTuple):
    """Minutes of a month's days together."""

    presence: int
    regular: int
    ordered: int
    late: int
    open_days: int


class Timesheet(msgspec.Struct, frozen=True):
    """A person's month."""

    member: Member
    month: str
    result: MonthResult
    close: Close | None
    changed: bool
    adjustments: list[Adjustment]
    profile: Profile
    lines: list[Line]
    sums: Sums
    before: str
    after: str

    def line(self, day: date) -> Line | None:
        """One of its days."""
        return next((one for one in self.lines if one.result.day == day), None)


def timesheet(conn: Connection, member: Member, month: str, now_ms: int) -> Timesheet | None:
    """The month of somebody; None where they are not employed in it."""
    close = close_store.latest(conn, month)
    closed = close_store.results(conn, close, [member.id]).get(member.id) if close else None
    now = timesheet_store.months(conn, [member.id], month, now_ms).get(member.id)
    result = close_store.with_sources(closed, now) if closed else now
    if result is None or not result.days:
        return None
    first, last = calendar.month_span(month)
    values = profile_store.profile(conn, month)
    names = profile_store.holiday_names(conn, first, last, values)
    said = request_store.approved(conn, [member.id], first, last).get(member.id, Approved())
    lines = _lines(result, names, said, values)
    return Timesheet(
        member=member,
        month=month,
        result=result,
        close=close if closed else None,
        changed=close is not None and _changed(conn, close, member.id, month, now_ms),
        adjustments=close_store.adjustments(conn, month, [member.id]),
        profile=values,
        lines=lines,
        sums=_sums(lines),
        before=calendar.month_after(month, -1),
        after=calendar.month_after(month),
    )


def _changed(conn: Connection, close: Close, staff_id: int, month: str, now_ms: int) -> bool:
    then = close_store.hashes(conn, close).get(staff_id)
    return timesheet_store.hashes(conn, [staff_id], month, now_ms).get(staff_id) != then


def _lines(result: MonthResult, names: Mapping[date, str], said: Approved, values: Profile) -> list[Line]:
    window = reach(result.days)
    leaves: dict[date, list[Leave]] = {}
    for one in said.leaves:
        leaves.setdefault(one.day, []).append(one)
    moved: dict[date, list[str]] = {}
    for swap in said.swaps:
        moved.setdefault(swap.worked, []).append("swap_worked")
        moved.setdefault(swap.off, []).append("swap_off")
    for substitute in said.substitutes:
        moved.setdefault(substitute.worked, []).append("substitute_worked")
        moved.setdefault(substitute.off, []).append("substitute_off")
    return [
        Line(
            one,
            names.get(one.day, ""),
            tuple(leaves.get(one.day, ())),
            tuple(moved.get(one.day, ())),
            sum(minutes_of(piece) for piece in one.pieces if piece.ordered),
            bar(one, values.night, window),
        )
        for one in result.days
    ]


def _sums(lines: list[Line]) -> Sums:
    days = [line.result for line in lines]
    return Sums(
        sum(one.presence_min or 0 for one in days),
        sum(one.regular_min or 0 for one in days),
        sum(line.ordered_min for line in lines),
        sum(one.late_min for one in days),
        sum(one.open for one in days),
    )
