"""Alerts: what is wrong, since when, and whether somebody sees to it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from hub import audit, pages
from hub.alerts import store
from hub.alerts.rule import Alert as Row
from hub.alerts.store import Asked
from hub.api.gate import Caller, scope
from hub.api.model import DEVICE_PATTERN, WHOLE, Limit, Model, Number
from hub.api.problem import Refused
from hub.db import Connection
from hub.fleet.truetime import LATEST_MS

router = APIRouter(tags=["alerts"])

Kind = Annotated[str, Query(max_length=40, description="Only of this kind.")]


class Alert(Model):
    """Something that is wrong. `ended_ms` is null while it is; times are milliseconds of UTC."""

    id: int
    kind: str
    subject: str
    device: str
    place: str
    detail: str
    n: int
    times: int
    begun_ms: int
    ended_ms: int | None
    taken_ms: int | None
    taken_by: str
    hushed_until_ms: int | None
    hushed_by: str


class Alerts(Model):
    """Open alerts, or ended ones."""

    items: list[Alert]


class Seeing(Model):
    """Whether somebody sees to it."""

    taken: bool


class Hushing(Model):
    """Until when nobody is told of it, in milliseconds of UTC; null: they are told again."""

    until_ms: Annotated[int, Field(ge=0, le=LATEST_MS), WHOLE] | None


@router.get("/alerts")
def alerts(
    request: Request,
    caller: Annotated[Caller, Depends(scope("alerts:read"))],
    state: Literal["open", "ended"] = "open",
    kind: Kind = "",
    place: Annotated[str, Query(max_length=60)] = "",
    device: Annotated[str, Query(pattern=f"^$|{DEVICE_PATTERN}", max_length=63)] = "",
    limit: Limit = 50,
) -> Alerts:
    """What is wrong now, or what was, the newest first."""
    asked = Asked(kind, place, device)

    def read(conn: Connection) -> list[Row]:
        return store.open_alerts(conn, asked) if state == "open" else store.ended_alerts(conn, asked, limit)

    return Alerts(items=[_alert(row) for row in request.app.state.db.read(read)][:limit])


@router.get("/alerts/{number}")
def one_alert(request: Request, caller: Annotated[Caller, Depends(scope("alerts:read"))], number: Number) -> Alert:
    """One alert."""
    return _alert(_found(request.app.state.db.read(lambda conn: store.one(conn, number)), number))


@router.put("/alerts/{number}/taken")
async def take(
    request: Request, caller: Annotated[Caller, Depends(scope("alerts:write"))], number: Number, seeing: Seeing
) -> Alert:
    """Says that somebody sees to an alert, or no longer does; 409 when it has ended."""

    def write(conn: Connection) -> Alert:
        row, now_ms = _found(store.one(conn, number), number), pages.now_ms()
        if not store.take(conn, number, now_ms if seeing.taken else None, caller.who):
            raise Refused(409, f"alert {number} has ended")
        did: audit.Did = "alert_take" if seeing.taken else "alert_untake"
        audit.note(conn, now_ms, caller.who, did, row.subject, row.kind)
        return _alert(_found(store.one(conn, number), number))

    changed: Alert = await request.app.state.db.write(write)
    request.app.state.watch.changed()
    return changed


@router.put("/alerts/{number}/hush")
async def hush(
    request: Request, caller: Annotated[Caller, Depends(scope("alerts:write"))], number: Number, hushing: Hushing
) -> Alert:
    """Tells nobody of an alert until then, or takes that back; 409 when it has ended."""

    def write(conn: Connection) -> Alert:
        row, now_ms = _found(store.one(conn, number), number), pages.now_ms()
        if not store.hush(conn, number, hushing.until_ms, caller.who):
            raise Refused(409, f"alert {number} has ended")
        did: audit.Did = "alert_unhush" if hushing.until_ms is None else "alert_hush"
        audit.note(conn, now_ms, caller.who, did, row.subject, row.kind)
        return _alert(_found(store.one(conn, number), number))

    changed: Alert = await request.app.state.db.write(write)
    request.app.state.watch.changed()
    return changed


def _found(row: Row | None, number: int) -> Row:
    if row is None:
        raise Refused(404, f"there is no alert {number}")
    return row


def _alert(row: Row) -> Alert:
    return Alert(
        id=row.id,
        kind=row.kind,
        subject=row.subject,
        device=row.device,
        place=row.place,
        detail=row.detail,
        n=row.n,
        times=row.times,
        begun_ms=row.begun_ms,
        ended_ms=row.ended_ms,
        taken_ms=row.taken_ms,
        taken_by=row.taken_by,
        hushed_until_ms=row.hushed_until_ms,
        hushed_by=row.hushed_by,
    )
