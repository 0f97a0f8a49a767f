"""Pages of the upper limits of overtime: one person's fiscal year as charts and a table, and everybody near a limit."""

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from hub import pages
from hub.attendance import close_store, profile_store, timesheet_store, year
from hub.attendance.rules.calendar import fiscal_year, month_of
from hub.attendance.rules.profile import Profile
from hub.attendance.year import Year
from hub.db import Connection, Db
from hub.guard import Who, need
from hub.shown import moment
from hub.staff import store as staff
from hub.staff.store import Member
from hub.staff.terms import Office

router = APIRouter()

Seer = Annotated[Who, Depends(need("attendance"))]
Own = Annotated[Who, Depends(need("my_time"))]
FiscalYear = Annotated[int, Path(ge=2000, le=2098)]
Number = Annotated[str, Path(max_length=40)]
Chosen = Annotated[str, Query(max_length=40)]


class Person(msgspec.Struct, frozen=True):
    """Somebody's year in the list of those near a limit."""

    member: Member
    department: str
    year: Year


@router.get("/attendance/limits")
def limits(request: Request, who: Seer) -> Response:
    """The fiscal year that goes on."""
    return pages.to(f"/attendance/limits/{_this_year()}")


@router.get("/attendance/limits/{year}")
def overview(request: Request, who: Seer, year: FiscalYear, department: Chosen = "") -> Response:
    """Everybody who is near a limit or past it, the nearest first."""
    people, names = _everybody(request, year, department)
    order = {"passed": 0, "near": 1}
    listed = [one for one in people if one.year.near]
    listed.sort(key=lambda one: (order[one.year.near], -one.year.total, one.member.number))
    values: dict[str, Any] = {"people": len(people), "listed": listed, "departments": names, "department": department}
    return pages.page(request, "limits.html", who, year=year, this_year=_this_year(), **values)


@router.get("/attendance/people/{number}/limits/{year}")
def of_person(request: Request, who: Seer, number: Number, year: FiscalYear) -> Response:
    """One person's year."""
    member = request.app.state.db.read(lambda conn: staff.by_number(conn, number))
    if member is None:
        raise HTTPException(404)
    return _person(request, who, member, year, own=False)


@router.get("/my-time/limits/{year}")
def of_oneself(request: Request, who: Own, year: FiscalYear) -> Response:
    """One's own year."""
    member = request.app.state.db.read(lambda conn: staff.member_of_person(conn, who.person.id))
    if member is None:
        return pages.page(request, "my_unlinked.html", who)
    return _person(request, who, member, year, own=True)


def _this_year() -> int:
    return fiscal_year(month_of(moment(pages.now_ms()).date()))


def _person(request: Request, who: Who, member: Member, chosen: int, *, own: bool) -> Response:
    db: Db = request.app.state.db
    found = _years(db, {member.id: member}, chosen)[member.id]
    root = "/my-time" if own else f"/attendance/people/{quote(member.number, safe='')}"
    return pages.page(
        request,
        "limits_person.html",
        who,
        member=member,
        own=own,
        root=root,
        one=found,
        by_month=year.month_chart(found),
        by_year=year.total_chart(found),
        size=(year.WIDTH, year.HEIGHT, year.LEFT, year.FOOT),
        year=chosen,
        this_year=_this_year(),
    )


def _everybody(request: Request, chosen: int, department: str) -> tuple[list[Person], dict[str, str]]:
    db: Db = request.app.state.db
    last = min(f"{chosen + 1}-03", month_of(moment(pages.now_ms()).date()))

    def gather(conn: Connection) -> tuple[dict[int, Member], dict[str, str]]:
        return staff.members(conn, last), {one.code: one.name for one in staff.departments(conn)}

    members, names = db.read(gather)
    of = {id_: _department(one, last) for id_, one in members.items()}
    members = {id_: one for id_, one in members.items() if department in ("", of[id_])}
    years = _years(db, members, chosen)
    return [Person(one, of[id_], years[id_]) for id_, one in members.items()], names


def _department(member: Member, month: str) -> str:
    return next((terms.department for terms in reversed(member.terms) if month_of(terms.since) <= month), "")


def _years(db: Db, members: dict[int, Member], chosen: int) -> dict[int, Year]:
    """The years of these people; what the cache does not have is worked out and kept first."""
    now_ms = pages.now_ms()
    now = month_of(moment(now_ms).date())
    months = [month for month in year.months_needed(chosen) if month <= now]
    for month in months:
        if not db.read(lambda conn, month=month: close_store.is_closed(conn, month)):  # type: ignore[misc]
            timesheet_store.warm(db, _employed(members, month), month, now_ms)

    def gather(conn: Connection) -> tuple[dict[str, dict[int, int]], Profile]:
        found = {month: _overtime(conn, _employed(members, month), month, now_ms) for month in months}
        return found, profile_store.profile(conn, min(now, f"{chosen + 1}-03"))

    overtime, values = db.read(gather)
    years = {}
    for id_, member in members.items():
        mine = {month: found[id_] for month, found in overtime.items() if id_ in found}
        years[id_] = year.year_of(_office(member, min(now, f"{chosen + 1}-03")), mine, chosen, values)
    return years


def _employed(members: dict[int, Member], month: str) -> list[int]:
    return [
        id_
        for id_, one in members.items()
        if month_of(one.since) <= month and (one.left is None or month_of(one.left) >= month)
    ]


def _office(member: Member, month: str) -> Office:
    return next((terms.office for terms in reversed(member.terms) if month_of(terms.since) <= month), "ordinary")


def _overtime(conn: Connection, staff_ids: list[int], month: str, now_ms: int) -> dict[int, int]:
    close = close_store.latest(conn, month)
    if close is None:
        return timesheet_store.overtime(conn, staff_ids, month, now_ms)
    return {id_: one.overtime_min for id_, one in close_store.results(conn, close, staff_ids).items()}
