"""The start page: what needs somebody, at most five lines, then how things are."""

from functools import partial
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from hub import pages, shown
from hub.attendance import store as attendance
from hub.attendance.day import day
from hub.db import Connection
from hub.fleet import store as fleet
from hub.fleet.web import Line, lines
from hub.guard import Who, need
from hub.stream import stream

router = APIRouter()

_LINES = 5
_PAUSE_S = 0.5
_WORST = {"fault": 0, "warning": 1, "offline": 2, "ok": 3}


class Work(msgspec.Struct, frozen=True):
    """One line of work: a device and why (which alarm, how many records); `path` is where to go."""

    word: str
    device: str
    reason: str
    path: str
    alarm: str = ""
    n: int = 0


def work(every: list[Line], totals: fleet.Totals, *, sees_quarantine: bool) -> list[Work]:
    """What needs somebody, worst first (rule)."""
    found = []
    if totals.unreadable and sees_quarantine:
        found.append(Work("fault", "", "unreadable", "/settings/quarantine", n=totals.unreadable))
    for line in sorted(every, key=lambda one: (_WORST[one.condition.word], one.row.name)):
        reasons = line.condition.reasons or (("offline",) if line.condition.word == "offline" else ())
        if reasons:
            found.append(_of(line, reasons[0]))
    return found


def _of(line: Line, reason: str) -> Work:
    row = line.row
    counts = {
        "missing": row.missing,
        "dropped": row.dropped,
        "quarantined": row.quarantined,
        "backlog": row.spool_urgent + row.spool_bulk,
    }
    alarm = row.open_alarms[0] if row.open_alarms else ""
    return Work(line.condition.word, row.name, reason, f"/devices/{row.name}", alarm, counts.get(reason, 0))


Seer = Annotated[Who, Depends(need("devices"))]


@router.get("/")
def today(request: Request, who: Seer) -> Response:
    """Is anything wrong? What waits for me?"""
    return pages.page(request, "today.html", who, **request.app.state.db.read(partial(_gather, who)))


@router.get("/today/events")
async def today_events(request: Request, who: Seer) -> StreamingResponse:
    """The same, anew whenever something changed (server-sent events)."""
    language = pages.language_of(request)

    def render(conn: Connection) -> str:
        return pages.fragment("_today.html", language, **_gather(who, conn))

    return stream(request, "today", lambda change: True, render, _PAUSE_S)


def _gather(who: Who, conn: Connection) -> dict[str, Any]:
    now_ms, totals = pages.now_ms(), fleet.totals(conn)
    todo = work(lines(conn, now_ms), totals, sees_quarantine=who.may("quarantine"))
    midnight_ms = int(shown.moment(now_ms).replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
    sees_taps = who.may("taps")
    return {
        "totals": totals,
        "todo": todo[:_LINES],
        "more": max(0, len(todo) - _LINES),
        "day": day(attendance.taps_since(conn, midnight_ms), now_ms) if sees_taps else None,
        "taps": attendance.latest_taps(conn, 8) if sees_taps else [],
    }
