"""Pages of the Wi-Fi: the access points now, and one of them."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from hub import pages, shown
from hub.db import Connection
from hub.guard import Who, fresh, need, read_form
from hub.live import Change
from hub.orders import giving
from hub.orders import store as orders
from hub.orders.giving import CannotOrder, Target
from hub.stream import stream
from hub.wifi import picture, point_store
from hub.wifi.hourly import HOUR_MS
from hub.wifi.point_store import Hour, Point

router = APIRouter()

_PAUSE_S = 1.0
_WEEK_MS = 7 * 86_400_000
_ORDERS = 5
_UNDER_WAY = ("made", "sent", "delivered")

Seer = Annotated[Who, Depends(need("wifi"))]
Giver = Annotated[Who, Depends(fresh("order"))]
Form = Annotated[dict[str, str], Depends(read_form)]


@router.get("/wifi")
def access_points(request: Request, who: Seer) -> Response:
    """Each access point as it is now."""
    values = request.app.state.db.read(lambda conn: _now(request, conn))
    return pages.page(request, "wifi.html", who, **values)


@router.get("/wifi/events")
async def access_point_events(request: Request, who: Seer) -> StreamingResponse:
    """The same, anew whenever something was heard (server-sent events)."""
    language = pages.language_of(request)

    def render(conn: Connection) -> str:
        return pages.fragment("_wifi.html", language, **_now(request, conn))

    return stream(request, "wifi", lambda change: bool(change.devices), render, _PAUSE_S)


@router.get("/wifi/points/{name}")
def access_point(request: Request, who: Seer, name: str, day: str = "", over: str = "") -> Response:
    """One access point: how it is, who is on it, its day."""
    now_ms = pages.now_ms()
    day_ms = _day_ms(day, now_ms)

    def gather(conn: Connection) -> dict[str, Any]:
        values = _one(conn, name, who)
        one: Point = values["point"]
        told = point_store.hours(conn, one.id, day_ms, day_ms + 24 * HOUR_MS)
        before = point_store.hours(conn, one.id, day_ms - _WEEK_MS, day_ms - _WEEK_MS + 24 * HOUR_MS)
        return {**values, **_day(day_ms, told, before)}

    values = request.app.state.db.read(gather)
    today_ms = _day_ms("", now_ms)
    return pages.page(
        request,
        "wifi_point.html",
        who,
        over=over,
        day=shown.day_of(day_ms),
        day_before=shown.day_of(day_ms - 1),
        day_after=shown.day_of(day_ms + 24 * HOUR_MS) if day_ms < today_ms else "",
        **values,
    )


@router.get("/wifi/points/{name}/events")
def access_point_now(request: Request, who: Seer, name: str) -> StreamingResponse:
    """How it is now, anew whenever it was heard (server-sent events)."""
    language = pages.language_of(request)
    request.app.state.db.read(lambda conn: _one(conn, name, who))

    def render(conn: Connection) -> str:
        return pages.fragment("_wifi_point.html", language, who=who, **_one(conn, name, who))

    return stream(request, "point", lambda change: name in change.devices, render, _PAUSE_S)


@router.post("/wifi/points/{name}/end")
async def end_session(request: Request, who: Giver, form: Form, name: str) -> Response:
    """Orders a session to be ended; asks once before."""
    state = request.app.state
    number = form.get("number", "")
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise HTTPException(400)

    def find(conn: Connection) -> tuple[Point, str | None]:
        one = _point(conn, name)
        return one, point_store.open_session(conn, one.id, int(number))

    one, session = await state.db.aread(find)
    if session is None:
        return pages.to(f"/wifi/points/{name}", over="1")
    if form.get("confirm") != "yes":
        return pages.page(request, "wifi_end.html", who, point=one, number=number)

    def give(conn: Connection) -> str:
        target = Target(one.id, one.name, "access_point")
        return giving.give(
            conn, state.signing, target, ("wifi_end", {"session": session}), who.person.name, pages.now_ms()
        )

    try:
        order = await state.db.write(give)
    except CannotOrder as cannot:
        return pages.page(request, "orders_cannot.html", who, 409, reason=cannot.reason, device=name)
    state.down.wake()
    state.live.tell(Change(frozenset({name}), at_ms=pages.now_ms()))
    return pages.to(f"/orders/{order}")


def _now(request: Request, conn: Connection) -> dict[str, Any]:
    """What changes while one looks."""
    now_ms = pages.now_ms()
    found = point_store.points(conn, _day_ms("", now_ms))
    fresh_ones = [one for one in found if one.is_fresh(now_ms)]
    return {
        "points": found,
        "now_ms": now_ms,
        "guests": sum(one.state.sessions for one in fresh_ones if one.state),
        "began": sum(one.began for one in found),
        "bytes": sum(one.bytes for one in found),
        "well": sum(one.condition(now_ms) == "ok" for one in found),
        "mail_failure": request.app.state.confirm_mail.failure,
    }


def _one(conn: Connection, name: str, who: Who) -> dict[str, Any]:
    one = _point(conn, name)
    now_ms = pages.now_ms()
    found = orders.latest(conn, now_ms, _ORDERS, device_id=one.id) if who.may("order") else []
    return {
        "point": one,
        "now_ms": now_ms,
        "sessions": point_store.open_sessions(conn, one.id),
        "may_end": who.may("order"),
        "csrf": who.csrf,
        "ending": [order for order in found if order.name == "wifi_end" and order.progress.state in _UNDER_WAY],
    }


def _point(conn: Connection, name: str) -> Point:
    one = point_store.point(conn, name, _day_ms("", pages.now_ms()))
    if one is None:
        raise HTTPException(404)
    return one


def _day(day_ms: int, told: dict[int, Hour], before: dict[int, Hour]) -> dict[str, Any]:
    """A day's hours, as a picture and as they are."""
    now = {hour_ms: hour.up_bytes + hour.down_bytes for hour_ms, hour in told.items()}
    week = {hour_ms + _WEEK_MS: hour.up_bytes + hour.down_bytes for hour_ms, hour in before.items()}
    return {"picture": picture.picture(point_store.day_hours(day_ms), now, week), "hours": list(told.values())}


def _day_ms(day: str, now_ms: int) -> int:
    """When a day begins in Japan; today for none, or one that is none."""
    try:
        when = date.fromisoformat(day) if day else shown.moment(now_ms).date()
        return min(shown.day_start_ms(when), shown.day_start_ms(shown.moment(now_ms).date()))
    except (ValueError, OverflowError) as error:
        raise HTTPException(400) from error
