"""The start page: what needs somebody, at most five lines, then how things are."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from hub import pages
from hub.attendance import store as attendance
from hub.db import Connection
from hub.fleet import store as fleet
from hub.fleet.web import Line, lines
from hub.guard import Who, need

router = APIRouter()

_LINES = 5
_WORST = {"fault": 0, "warning": 1, "offline": 2, "ok": 3}


class Work(msgspec.Struct, frozen=True):
    """One line of work: a device and why, or a count; `path` is where to go."""

    word: str
    device: str
    reason: str
    values: dict[str, object]
    path: str


def work(every: list[Line], totals: fleet.Totals, *, sees_quarantine: bool) -> list[Work]:
    """What needs somebody, worst first (rule)."""
    found = []
    if totals.unreadable and sees_quarantine:
        found.append(Work("fault", "", "unreadable", {"n": totals.unreadable}, "/settings/quarantine"))
    for line in sorted(every, key=lambda one: (_WORST[one.condition.word], one.row.name)):
        reasons = line.condition.reasons or (("offline",) if line.condition.word == "offline" else ())
        if reasons:
            found.append(_of(line, reasons[0]))
    return found


def _of(line: Line, reason: str) -> Work:
    row = line.row
    values: dict[str, object] = {
        "name": row.open_alarms[0] if row.open_alarms else "",
        "n": {
            "missing": row.missing,
            "dropped": row.dropped,
            "quarantined": row.quarantined,
            "backlog": row.spool_urgent + row.spool_bulk,
        }.get(reason, 0),
    }
    return Work(line.condition.word, row.name, reason, values, f"/devices/{row.name}")


@router.get("/")
def today(request: Request, who: Annotated[Who, Depends(need("devices"))]) -> Response:
    """Is anything wrong? What waits for me?"""

    def gather(conn: Connection) -> dict[str, Any]:
        totals = fleet.totals(conn)
        todo = work(lines(conn, pages.now_ms()), totals, sees_quarantine=who.may("quarantine"))
        taps = attendance.latest_taps(conn, 8) if who.may("taps") else []
        return {"totals": totals, "todo": todo[:_LINES], "more": max(0, len(todo) - _LINES), "taps": taps}

    return pages.page(request, "today.html", who, **request.app.state.db.read(gather))
