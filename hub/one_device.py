"""The page of one device: how it is, what happened, charts, its taps.

It shows several domains, so it stands above them.
"""

from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from hub import audit, pages
from hub.alerts import web as alerts
from hub.alerts.store import Asked
from hub.attendance import store as attendance
from hub.attendance.tap_owner import owners
from hub.db import Connection
from hub.fleet import chart, outbox, store
from hub.fleet.condition import condition
from hub.guard import Who, need, read_form
from hub.inventory import card
from hub.orders import stolen_store
from hub.orders import store as orders
from hub.policy import step
from hub.policy import store as policy
from hub.staff import roster_store
from hub.stream import stream
from hub.words import Language
from wire.orders import VERBS

router = APIRouter()


_PAUSE_S = 0.5

Did = Literal["seen", "unseen"]
Form = Annotated[dict[str, str], Depends(read_form)]
Seer = Annotated[Who, Depends(need("devices"))]


@router.get("/devices/{name}")
def one_device(request: Request, who: Seer, name: str, span: chart.Span = "24h") -> Response:
    """One device: how it is, what happened, charts."""
    language = pages.language_of(request)

    def gather(conn: Connection) -> dict[str, Any]:
        now = _now(conn, name, who, language)
        row: store.DeviceRow = now["row"]
        return {
            **now,
            "quarantined": store.quarantine(conn, 10, row.id) if who.may("quarantine") else [],
            "series": chart.series(conn, row.id, span, pages.now_ms()),
            **_commands(conn, row, who),
            **card.of_device(conn, name, who),
        }

    values = request.app.state.db.read(gather)
    return pages.page(request, "device.html", who, chosen=span, spans=chart.SPANS, **values)


@router.get("/devices/{name}/events")
def device_events(request: Request, who: Seer, name: str) -> StreamingResponse:
    """How it is now, anew whenever it was heard (server-sent events)."""
    language = pages.language_of(request)
    request.app.state.db.read(lambda conn: _now(conn, name, who, language))

    def render(conn: Connection) -> str:
        return pages.fragment("_device.html", language, **_now(conn, name, who, language))

    return stream(request, "device", lambda change: change.alerts or name in change.devices, render, _PAUSE_S)


@router.post("/devices/{name}/seen")
def seen(request: Request, who: Annotated[Who, Depends(need("tend"))], form: Form, name: str) -> Response:
    """Somebody has looked at what was lost, or takes that back."""
    do = next((known for known in get_args(Did) if known == form.get("do")), None)
    if do is None:
        raise HTTPException(400)

    def mark(conn: Connection) -> None:
        row = store.device(conn, name)
        if row is None:
            raise HTTPException(404)
        if do == "seen":
            store.mark_seen(conn, row, who.person.name, pages.now_ms())
        else:
            store.mark_unseen(conn, row.id)
        audit.note(conn, pages.now_ms(), who.person.name, do, name)

    request.app.state.db.write_now(mark)
    return pages.to(f"/devices/{name}")


def _commands(conn: Connection, row: store.DeviceRow, who: Who) -> dict[str, Any]:
    """What may be ordered of it, and whether it is on hold."""
    known = [verb for verb in VERBS.values() if row.kind in verb.kinds and not verb.page] if who.may("order") else []
    hold = outbox.held(conn, [row.id]).get(row.id, "")
    return {"verbs": known, "hold": hold, "theft": stolen_store.one(conn, row.id)}


def _settings(conn: Connection, device_id: int) -> step.Word:
    """How it is with its ordered settings, in one word."""
    return step.word(policy.ordered(conn, [device_id]).get(device_id), policy.reports(conn, [device_id]).get(device_id))


def _now(conn: Connection, name: str, who: Who, language: Language) -> dict[str, Any]:
    """What changes while one looks."""
    row = store.device(conn, name)
    if row is None:
        raise HTTPException(404)
    taps = attendance.latest_taps(conn, 10, None, row.name) if row.kind == "terminal" and who.may("taps") else []
    return {
        "row": row,
        "condition": condition(row, pages.now_ms()),
        "used": chart.used_permille,
        "alert_lines": alerts.open_lines(conn, language, who, pages.now_ms(), Asked(device=row.name)),
        "alarms": store.alarms(conn, row.id, 20),
        "dropped": store.dropped(conn, row.id),
        "taps": taps,
        "owners": owners(conn, taps),
        **_ordered(conn, row, who),
        "csrf": who.csrf if who.may("tend") else "",
        "policy_word": _settings(conn, row.id),
        "roster": roster_store.standing(conn, row.id),
        "roster_error": roster_store.error(conn) if row.kind == "terminal" else "",
        "may_configure": who.may("configure"),
    }


def _ordered(conn: Connection, row: store.DeviceRow, who: Who) -> dict[str, Any]:
    """Its latest commands, and the files that came of them."""
    found = orders.latest(conn, pages.now_ms(), 10, device_id=row.id) if who.may("order") else []
    return {"orders": found, "files": orders.parts(conn, [one.id for one in found if one.name == "diagnostics"])}
