"""The start page: what needs somebody, at most five lines of open alerts, then how things are."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from hub import pages, shown
from hub.alerts import web as alerts
from hub.attendance import presence
from hub.attendance import store as attendance
from hub.attendance.reminders import Reminders
from hub.attendance.tap_owner import owners
from hub.benefit import store as benefits
from hub.benefit import use_store
from hub.db import Connection
from hub.fleet import store as fleet
from hub.guard import Who, need
from hub.identity import enrol_store as enrolment
from hub.inventory import store as inventory
from hub.rollout import picture as rollouts
from hub.stream import stream
from hub.tablet import tablet_store
from hub.waiver import application_store
from hub.wifi import disaster_store as disaster
from hub.wifi import point_store
from hub.words import Language

router = APIRouter()

_LINES = 5
_PAUSE_S = 0.5

Own = Annotated[Who, Depends(need("own"))]
Seer = Annotated[Who, Depends(need("devices"))]


@router.get("/")
def today(request: Request, who: Own) -> Response:
    """Is anything wrong? What waits for me?  Whoever has nothing but their own hours to see goes there."""
    if not who.may("devices"):
        return pages.to("/my-time")
    gather = partial(_gather, who, pages.language_of(request), request.app.state.reminders)
    gathered = request.app.state.db.read(gather)
    return pages.page(request, "today.html", who, **gathered)


@router.get("/today/events")
async def today_events(request: Request, who: Seer) -> StreamingResponse:
    """The same, anew whenever something changed (server-sent events)."""
    language, reminders = pages.language_of(request), request.app.state.reminders

    def render(conn: Connection) -> str:
        return pages.fragment("_today.html", language, **_gather(who, language, reminders, conn))

    return stream(request, "today", lambda change: True, render, _PAUSE_S)


def _gather(who: Who, language: Language, reminders: Reminders, conn: Connection) -> dict[str, Any]:
    now_ms = pages.now_ms()
    lines = alerts.open_lines(conn, language, who, now_ms)
    # Whoever steers roll-outs has a line of their own for one that stopped.
    todo = [line for line in alerts.todo(lines) if line.alert.kind != "rollout" or not who.may("configure")]
    sees_taps = who.may("taps")
    taps = attendance.latest_taps(conn, 8) if sees_taps else []
    return {
        "totals": fleet.totals(conn),
        "todo": todo[:_LINES],
        "more": max(0, len(todo) - _LINES),
        "overdue": inventory.overdue(conn, shown.day_of(now_ms)),
        "in_hand": sum(line.in_hand for line in lines),
        "rollouts": rollouts.waiting(conn, who),
        "reminders": reminders.of(conn, who, now_ms),
        "switch": disaster.waiting(conn, who, now_ms),
        "helping": len(tablet_store.asking(conn)) if who.may("tablets") else 0,
        "deciding": application_store.waiting(conn, who.person.name) if who.may("decide") else 0,
        "granting": benefits.waiting(conn, who.person.name) if who.may("decide") else 0,
        "over": use_store.unseen(conn) if who.may("benefits") else 0,
        "asking": len(enrolment.waiting(conn)) if who.may("enrol") else 0,
        "day": presence.now(conn, now_ms).day if sees_taps else None,
        "guests": point_store.guests_now(conn, now_ms) if who.may("wifi") and point_store.has_points(conn) else None,
        "taps": taps,
        "owners": owners(conn, taps),
    }
