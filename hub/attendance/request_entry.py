"""Entering requests: what a form says is read, checked against what is known, and entered whole or not at all.

Call inside of one writing transaction: what was looked at is then still so when it is entered.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from hub.attendance import request_form, request_store
from hub.attendance.request import Body, days_of
from hub.attendance.request_check import Problem, check, stops
from hub.attendance.request_form import Fields, Wrong
from hub.attendance.request_known import known
from hub.db import Connection
from hub.people import Person
from hub.staff import store as staff
from hub.staff.store import Member

# What one form may come to, people times days.
MOST = 200
_DAYS = ("day", "until", "worked", "off")


class Found(NamedTuple):
    """A problem, and with whose request."""

    problem: Problem
    member: Member | None = None


class Outcome(NamedTuple):
    """The numbers of what was entered, or why nothing was."""

    entered: tuple[int, ...] = ()
    found: tuple[Found, ...] = ()


class Entering(NamedTuple):
    """Who enters what: `fields` of a form; `by_clerk` may enter for others."""

    who: Person
    fields: Fields
    now_ms: int
    by_clerk: bool = False

    @property
    def sure(self) -> bool:
        """Whether warnings were seen already."""
        return self.fields.get("sure") == "yes"


def enter(conn: Connection, members: Sequence[Member], entering: Entering) -> Outcome:
    """Enters one request for each member (an order: for each day as well)."""
    try:
        reason = request_form.reason(entering.fields)
        bodies = [(member, body) for member in members for body in _bodies(conn, member, entering, len(members))]
    except Wrong as wrong:
        return Outcome(found=(Found(wrong.problem),))
    found = [
        Found(problem, member) for member, body in bodies for problem in _check(conn, member, body, reason, entering)
    ]
    if found and (stops(one.problem for one in found) or not entering.sure):
        return Outcome(found=tuple(found))
    who, now_ms = entering.who.name, entering.now_ms
    return Outcome(tuple(request_store.enter(conn, member.id, body, reason, who, now_ms) for member, body in bodies))


def chosen(conn: Connection, fields: Fields) -> list[Member]:
    """Whom a clerk's form is for: staff numbers, or a whole department. Raises Wrong, saying which number."""
    everyone = staff.members(conn)
    numbers = fields.get("numbers", "").replace(",", " ").replace("、", " ").split()
    by_number = {member.number: member for member in everyone.values()}
    picked: dict[int, Member] = {}
    for number in numbers:
        member = by_number.get(number)
        if member is None:
            raise Wrong("number", "numbers", number[:40])
        if member.id in picked:
            raise Wrong("number_twice", "numbers", number)
        picked[member.id] = member
    department = fields.get("department", "")
    if department:
        of_it = {one.id: one for one in everyone.values() if department_of(one) == department and _is_here(one, fields)}
        if not of_it:
            raise Wrong("department_empty", "department", department[:40])
        picked = of_it | picked
    if not picked:
        raise Wrong("number_missing", "numbers")
    return list(picked.values())


def _is_here(member: Member, fields: Fields) -> bool:
    """Whether somebody works here on the days of a form: who has left the department is none of the team."""
    return all(member.employed_on(day) for day in _near(fields))


def department_of(member: Member) -> str:
    """The code of the department that somebody belongs to by their latest terms."""
    return max(member.terms, key=lambda one: one.since).department if member.terms else ""


def _bodies(conn: Connection, member: Member, entering: Entering, members: int) -> Iterable[Body]:
    what = request_form.kind(entering.fields.get("kind", ""))
    if what == "order":
        days = _days(entering.fields)
        if len(days) * members > MOST:
            raise Wrong("too_many", "until", str(MOST))
        return [request_form.order(day, entering.fields) for day in days]
    near = _near(entering.fields)
    about = known(conn, member, near, entering.now_ms, by_clerk=entering.by_clerk)
    return [request_form.body(what, entering.fields, about)]


def _days(fields: Fields) -> list[date]:
    first = request_form.day(fields, "day")
    last = request_form.day(fields, "until") if fields.get("until", "").strip() else first
    if last < first:
        raise Wrong("until_reversed", "until", last.isoformat())
    # Counted before they are made: a year of four digits is quickly mistyped.
    n = (last - first).days + 1
    if n > MOST:
        raise Wrong("too_many", "until", str(MOST))
    return [first + timedelta(days=number) for number in range(n)]


def _near(fields: Fields) -> list[date]:
    """The days of a form that can be read; the others are told when the request is read."""
    found = []
    for name in _DAYS:
        try:
            found.append(request_form.day(fields, name))
        except Wrong:
            continue
    return found


def _check(conn: Connection, member: Member, body: Body, reason: str, entering: Entering) -> list[Problem]:
    about = known(conn, member, request_days(body), entering.now_ms, by_clerk=entering.by_clerk)
    return check(body, reason, about)


def request_days(body: Body) -> tuple[date, date]:
    """The ends of the days of a body, in order even when it is wrong."""
    first, last = days_of(body)
    return min(first, last), max(first, last)
