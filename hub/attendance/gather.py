"""What people's months are worked out from: the facts of many people in few questions to the database.

1. Days outside of the month come along as far as it reaches over its ends (`calendar.reach`).
2. A tap is late when it came after its month had been closed for the first time.
3. What is approved counts, whoever entered it and in whatever order it came.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, time, timedelta

import msgspec

from hub.attendance import close_store, profile_store, request_store, tap_store
from hub.attendance.request_store import Approved
from hub.attendance.rules import calendar
from hub.attendance.rules.given import Assigned, Given, Tap
from hub.attendance.rules.profile import Profile
from hub.attendance.tap_store import Kept
from hub.db import Connection
from hub.shown import JST, moment
from hub.staff import store as staff
from hub.staff.terms import Hours

_MINUTE_MS = 60_000
_NOTHING = Approved()


class Town(msgspec.Struct, frozen=True):
    """What counts for everybody in a month, with the hashes that a close writes down."""

    profile: Profile
    holidays: frozenset[date]
    profile_hash: str
    holiday_hash: str


def town(conn: Connection, month: str) -> Town:
    """The values and holidays of a month: those of its fiscal year, and as far as the month reaches over its ends."""
    values = profile_store.profile(conn, month)
    reach, year = calendar.reach(month), calendar.fiscal_span(calendar.fiscal_year(month))
    days = profile_store.holidays(conn, min(reach[0], year[0]), max(reach[1], year[1]), values)
    return Town(values, days, profile_store.profile_hash(values), profile_store.holiday_hash(days))


def last_past_day(now_ms: int, day_line: int) -> date:
    """The last duty day that is over."""
    return moment(now_ms - day_line * _MINUTE_MS).date() - timedelta(days=1)


def end_ms(conn: Connection, month: str) -> int:
    """When the month's last duty day is over."""
    line = profile_store.profile(conn, month).day_line
    return _ms(calendar.month_span(month)[1] + timedelta(days=1)) + line * _MINUTE_MS


def givens(conn: Connection, staff_ids: Collection[int], month: str, until: date | None) -> dict[int, Given]:
    """Each person's month as the rules take it, of those who are on the staff at all."""
    common = town(conn, month)
    first, last = calendar.reach(month)
    members = staff.members(conn, None, list(staff_ids))
    ids = list(members)
    line = timedelta(minutes=common.profile.day_line)
    found = tap_store.taps(conn, ids, _ms(first), _ms(last + timedelta(days=1)) + int(line.total_seconds()) * 1000)
    closed_ms = close_store.first_closed(conn)
    approved = request_store.approved(conn, ids, first, last)
    assigned = staff.assigned(conn, ids, first, last)
    given = {}
    for id_, member in members.items():
        said = approved.get(id_, _NOTHING)
        given[id_] = Given(
            month=month,
            terms=member.terms,
            taps=tuple(_told_late(found.get(id_, ()), closed_ms, common.profile.day_line)),
            orders=said.orders,
            swaps=said.swaps,
            substitutes=said.substitutes,
            leaves=said.leaves,
            corrections=said.corrections,
            assigned=_assigned(assigned.get(id_, ())),
            holidays=common.holidays,
            profile=common.profile,
            until=until,
            left=member.left,
        )
    return given


def _ms(day: date) -> int:
    return int(datetime.combine(day, time(), JST).timestamp()) * 1000


def _told_late(found: Iterable[Kept], closed_ms: Mapping[str, int], day_line: int) -> Iterable[Tap]:
    if not closed_ms:
        return (kept.tap for kept in found)
    return (_late(kept, closed_ms, day_line) for kept in found)


def _late(kept: Kept, closed_ms: Mapping[str, int], day_line: int) -> Tap:
    month = calendar.month_of(moment(kept.tap.at_ms - day_line * _MINUTE_MS).date())
    closed = closed_ms.get(month)
    return kept.tap if closed is None or kept.received_ms <= closed else msgspec.structs.replace(kept.tap, late=True)


def _assigned(days: Iterable[tuple[date, Hours | None]]) -> tuple[Assigned, ...]:
    return tuple(Assigned(day=day, hours=hours) for day, hours in days)
