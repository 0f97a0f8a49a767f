"""SQL: open work across everybody, as far as a month goes."""

import msgspec

from hub.attendance import close_store, profile_store, request_store, timesheet_store
from hub.attendance import gather as facts
from hub.attendance.open_day import OpenDay, open_days
from hub.attendance.request import Request
from hub.attendance.request_entry import department_of
from hub.attendance.request_store import Which
from hub.attendance.rules.calendar import month_after, month_of, month_span
from hub.db import Connection
from hub.shown import moment
from hub.staff import store as staff
from hub.staff.store import Department, Member, Unknown


class Work(msgspec.Struct, frozen=True):
    """What is open: days by staff id, requests that wait, and what else wants a look."""

    days: tuple[tuple[int, OpenDay], ...] = ()
    waiting: tuple[Request, ...] = ()
    gaps: tuple[tuple[int, OpenDay], ...] = ()
    cards: tuple[Unknown, ...] = ()
    clocks: tuple[tuple[int, OpenDay], ...] = ()


def month_due(conn: Connection, now_ms: int) -> str:
    """The month to look at: the last one while it is not closed, else this one."""
    this = month_of(moment(now_ms).date())
    before = month_after(this, -1)
    return this if before in close_store.first_closed(conn) or not staff.members(conn, before) else before


def members(conn: Connection, month: str, department: str) -> dict[int, Member]:
    """Who is employed in a month, of a department if one is named."""
    found = staff.members(conn, month)
    return {id_: one for id_, one in found.items() if not department or department_of(one) == department}


def departments(conn: Connection) -> list[Department]:
    """All departments."""
    return staff.departments(conn)


def gather(conn: Connection, wanted: dict[int, Member], month: str, now_ms: int) -> Work:
    """Everything that is open for these people in a month; what waits, of whatever month it is."""
    until = facts.last_past_day(now_ms, profile_store.profile(conn, month).day_line)
    first, last = month_span(month)
    asked: dict[int, list[Request]] = {}
    for one in request_store.find(conn, Which(tuple(wanted), None, None, first, last)):
        asked.setdefault(one.staff_id, []).append(one)
    found = [
        (id_, day)
        for id_, result in timesheet_store.months(conn, list(wanted), month, now_ms).items()
        for day in open_days(result, asked.get(id_, []), until)
    ]
    found.sort(key=lambda one: (one[1].day.day, wanted[one[0]].number))
    return Work(
        days=tuple(one for one in found if one[1].blocks),
        waiting=tuple(request_store.waiting(conn, list(wanted))),
        gaps=tuple(one for one in found if one[1].why == "gap"),
        cards=tuple(staff.unknown_cards(conn)),
        clocks=tuple(one for one in found if one[1].why == "clock"),
    )
