"""The page of the day: who is in, who has not come, who has gone; it updates by itself."""

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from hub import pages
from hub.attendance import presence
from hub.attendance.day import Standing
from hub.attendance.presence import Presence
from hub.attendance.rules.calendar import month_of
from hub.db import Connection
from hub.guard import Who, need
from hub.staff import store as staff
from hub.staff.store import Member
from hub.stream import stream

router = APIRouter()

_PAUSE_S = 0.5
# More people than these who have not come are told as a number.
_LINES = 12

Seer = Annotated[Who, Depends(need("attendance"))]
Taps = Annotated[Who, Depends(need("taps"))]
Chosen = Annotated[str, Query(max_length=40)]


class Person(msgspec.Struct, frozen=True):
    """Somebody and how they stand."""

    member: Member
    standing: Standing


class Column(msgspec.Struct, frozen=True):
    """One department: who is in by when they came, who is not, who has gone."""

    code: str
    name: str
    inside: list[Person]
    away: list[Person]
    gone: list[Person]


@router.get("/attendance")
def today(request: Request, who: Taps, department: Chosen = "") -> Response:
    """Who is in now.  Whoever keeps the terminals only sees the punches."""
    if not who.may("attendance"):
        return pages.to("/taps")
    values = request.app.state.db.read(lambda conn: _gather(conn, department))
    return pages.page(request, "attendance.html", who, **values)


@router.get("/attendance/events")
async def today_events(request: Request, who: Seer, department: Chosen = "") -> StreamingResponse:
    """The same, anew whenever somebody tapped, and as time goes on (server-sent events)."""
    language = pages.language_of(request)

    def render(conn: Connection) -> str:
        return pages.fragment("_who.html", language, who=who, **_gather(conn, department))

    return stream(request, "who", lambda change: change.taps, render, _PAUSE_S)


def _gather(conn: Connection, chosen: str) -> dict[str, Any]:
    now_ms = pages.now_ms()
    found = presence.now(conn, now_ms)
    names = {one.code: one.name for one in staff.departments(conn)}
    people = _people(found, chosen)
    return {
        "now_ms": now_ms,
        "department": chosen,
        "departments": names,
        "columns": _columns(people, names),
        "expected": [one for one in people if one[1].standing.state == "expected"][:_LINES],
        "forgot": [one for one in people if one[1].standing.forgot][:_LINES],
        "counts": _counts(people),
        "people": len(people),
        "staff_n": len(found.members),
        "loose": found.loose,
        "month": month_of(found.today),
        "today": found.today,
        "yesterday": found.today - timedelta(days=1),
    }


def _people(found: Presence, chosen: str) -> list[tuple[str, Person]]:
    """Everybody with the code of their department, of one department if one is chosen."""
    people = []
    for id_, member in found.members.items():
        terms = member.terms_on(found.today)
        code = terms.department if terms else ""
        if chosen in ("", code):
            people.append((code, Person(member, found.standings[id_])))
    return people


def _counts(people: list[tuple[str, Person]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for _, one in people:
        found[one.standing.state] = found.get(one.standing.state, 0) + 1
    return found


def _columns(people: list[tuple[str, Person]], names: dict[str, str]) -> list[Column]:
    columns: dict[str, Column] = {}
    for code, one in people:
        column = columns.setdefault(code, Column(code, names.get(code, ""), [], [], []))
        state = one.standing.state
        (column.inside if state == "in" else column.gone if state == "out" else column.away).append(one)
    for column in columns.values():
        column.inside.sort(key=lambda one: (one.standing.in_ms or 0, one.member.number))
        column.gone.sort(key=lambda one: (-(one.standing.out_ms or 0), one.member.number))
    return [columns[code] for code in sorted(columns, key=lambda code: (not code, code))]
