"""SQL: what is known of a person when somebody enters a request for them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from hub.attendance import close_store, profile_store, request_store, timesheet_store
from hub.attendance.request import local
from hub.attendance.request_check import Known
from hub.attendance.request_store import OPEN, Approved, Which
from hub.attendance.rules.calendar import month_of
from hub.attendance.rules.given import Assigned, Given
from hub.attendance.rules.result import MonthResult
from hub.db import Connection
from hub.shown import moment
from hub.staff import store as staff
from hub.staff.store import Member

# How far from its days a request can depend on something: the other day of a swap.
_REACH = timedelta(days=90)
_FAR = timedelta(days=6 * 366)


def known(conn: Connection, member: Member, days: Iterable[date], now_ms: int, *, by_clerk: bool) -> Known:
    """What is known of a member around some days; those that no request can have are left to the check."""
    today = moment(now_ms).date()
    near = [day for day in days if abs(day - today) < _FAR] or [today]
    first, last = min(near) - _REACH, max(near) + _REACH
    values = profile_store.profile(conn, month_of(min(near)))
    said = request_store.approved(conn, [member.id], first, last).get(member.id, Approved())
    assigned = staff.assigned(conn, [member.id], first, last).get(member.id, ())
    given = Given(
        month=month_of(min(near)),
        terms=member.terms,
        swaps=said.swaps,
        substitutes=said.substitutes,
        assigned=tuple(Assigned(day=day, hours=hours) for day, hours in assigned),
        holidays=profile_store.holidays(conn, first, last, values),
        profile=values,
        left=member.left,
    )
    others = [
        one
        for state in OPEN
        for one in request_store.find(conn, Which((member.id,), None, state, min(near), max(near)))
    ]
    return Known(
        now=local(now_ms),
        since=member.since,
        given=given,
        others=tuple(others),
        closed=frozenset(close_store.first_closed(conn)),
        by_clerk=by_clerk,
        ends=_ends(conn, member.id, near, now_ms),
    )


def _ends(
    conn: Connection, staff_id: int, days: Iterable[date], now_ms: int
) -> Mapping[date, tuple[datetime | None, datetime | None]]:
    """When somebody came and went on these days, as far as taps and corrections say."""
    days = {day for day in days if day <= moment(now_ms).date()}
    found: dict[date, tuple[datetime | None, datetime | None]] = {}
    for month in sorted({month_of(day) for day in days})[:2]:
        result: MonthResult | None = timesheet_store.months(conn, [staff_id], month, now_ms).get(staff_id)
        for one in result.days if result else ():
            if one.day in days:
                found[one.day] = (_local(one.in_ms), _local(one.out_ms))
    return found


def _local(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else local(at_ms)
