"""A month for the payroll, out of the close (or, not closed yet, out of the facts).

1. A closed month is told as its first version has it, with what is booked in it of earlier months.  What later versions
   came to more or less is booked in a later month and told there: a file of a later version would pay it twice.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from hub.attendance import close_store, request_store, timesheet_store
from hub.attendance.close_store import Close
from hub.attendance.rules import calendar
from hub.attendance.rules.result import MonthResult
from hub.db import Connection
from hub.payroll.line import Adjusted, Person, Table, line
from hub.staff import store as staff
from hub.staff.store import Member


def table(conn: Connection, month: str, now_ms: int) -> Table:
    """The month's table; a preview of an open one."""
    found = close(conn, month)
    if found:
        return _table(conn, month, close_store.results(conn, found), found)
    ids = list(staff.members(conn, month))
    return _table(conn, month, timesheet_store.months(conn, ids, month, now_ms), None)


def close(conn: Connection, month: str) -> Close | None:
    """The close that a month's file is made from; None while it is open."""
    versions = close_store.versions(conn, month)
    return versions[-1] if versions else None


def _table(conn: Connection, month: str, results: Mapping[int, MonthResult], made: Close | None) -> Table:
    adjusted = _adjusted(conn, month)
    ids = sorted({*results, *adjusted})
    members = staff.members(conn, None, ids)
    departments = {one.code: one.name for one in staff.departments(conn)}
    absent = _absent(conn, ids, month)
    nothing = MonthResult(
        month=month,
        weekday_holidays=0,
        units=(),
        minutes={},
        hours={},
        yen=0,
        counts_to_60h_min=0,
        overtime_min=0,
        days=(),
    )
    lines = [
        line(
            _person(members[id_], month, departments),
            results.get(id_, nothing),
            adjusted.get(id_, ()),
            absent.get(id_, frozenset()),
        )
        for id_ in ids
    ]
    return Table(
        month=month,
        version=made.version if made else 0,
        hash=made.hash if made else "",
        closed_ms=made.closed_ms if made else 0,
        lines=tuple(sorted(lines, key=lambda one: one.number)),
    )


def _adjusted(conn: Connection, month: str) -> dict[int, list[Adjusted]]:
    found: dict[int, list[Adjusted]] = defaultdict(list)
    for one in close_store.adjustments(conn, month):
        found[one.staff_id].append(
            Adjusted(target_month=one.target_month, pay=one.cls, minutes=one.minutes, hours=one.hours, yen=one.yen)
        )
    return found


def _person(member: Member, month: str, departments: Mapping[str, str]) -> Person:
    """As the person stood on the last day of the month (or of working here)."""
    last = calendar.month_span(month)[1]
    terms = member.terms_on(min(last, member.left) if member.left else last)
    code = terms.department if terms else ""
    return Person(
        number=member.number,
        name=member.name,
        department_code=code,
        department=departments.get(code, ""),
        kind=terms.kind if terms else "full_time",
    )


def _absent(conn: Connection, ids: list[int], month: str) -> dict[int, frozenset[date]]:
    first, last = calendar.month_span(month)
    return {
        id_: frozenset(one.day for one in approved.leaves if one.kind == "absent" and one.span is None)
        for id_, approved in request_store.approved(conn, ids, first, last).items()
    }
