"""The page of alerts: what is wrong, since when, the next step; what was; and what people do with one."""

from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from fastapi.responses import StreamingResponse

from hub import audit, pages, shown
from hub.access import Need
from hub.alerts import hours, post, say, settings_web, store
from hub.alerts.kinds import KINDS, MINUTE_MS, NATURE, ORDER, Kind
from hub.alerts.rule import Alert
from hub.alerts.store import Asked
from hub.db import Connection
from hub.fleet import groups
from hub.guard import Who, need, read_form
from hub.live import Change
from hub.stream import stream
from hub.words import Language

router = APIRouter()
router.include_router(settings_web.router)

_ON_A_PAGE = 50
_PAUSE_S = 0.5
_HOUR_MS = 60 * MINUTE_MS
# Where nobody's hours come within a month, "until the next opening" is a day.
_NO_OPENING_MS = 24 * _HOUR_MS

# Pages behind the button that not everybody may open.
_NEEDS: dict[str, Need] = {
    "/settings/quarantine": "quarantine",
    "/settings/clones": "enrol",
    "/settings/identity": "enrol",
    "/attendance/requests": "attendance",
    "/attendance/open": "attendance",
}

Do = Literal["take", "untake", "hush", "unhush"]
Length = Literal["1h", "opening", "7d"]
Form = Annotated[dict[str, str], Depends(read_form)]
Seer = Annotated[Who, Depends(need("devices"))]
Tender = Annotated[Who, Depends(need("tend"))]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]


class Line(msgspec.Struct, frozen=True):
    """An alert in words. `path` is empty when this person may not go there."""

    alert: Alert
    word: str
    title: str
    step: str
    short: str
    path: str
    lasted: str
    in_hand: bool


def line(language: Language, who: Who, alert: Alert, now_ms: int) -> Line:
    """An alert as this person reads it."""
    path = say.path(alert)
    hushed = alert.hushed_until_ms is not None and alert.hushed_until_ms > now_ms
    return Line(
        alert,
        NATURE[alert.kind].word,
        say.title(language, alert),
        say.step(language, alert),
        say.short(language, alert.kind),
        path if who.may(_NEEDS.get(path, "devices")) else "",
        say.length(language, alert, now_ms),
        hushed or alert.taken_ms is not None,
    )


def open_lines(conn: Connection, language: Language, who: Who, now_ms: int, asked: Asked | None = None) -> list[Line]:
    """Everything that is open, what is still wrong first, then the gravest, then the oldest."""
    alerts = sorted(
        store.open_alerts(conn, asked), key=lambda one: (one.calm_ms is not None, ORDER[one.kind], one.begun_ms)
    )
    return [line(language, who, alert, now_ms) for alert in alerts]


def todo(lines: list[Line]) -> list[Line]:
    """What waits for somebody: still wrong, in nobody's hand, and with somewhere to go."""
    return [one for one in lines if one.alert.calm_ms is None and not one.in_hand and one.path]


def _asked(kind: str = "", place: str = "", device: str = "") -> Asked:
    known = kind if kind in KINDS else ""
    return Asked(known, place[:80], device[:80])


AskedFor = Annotated[Asked, Depends(_asked)]


def _query(asked: Asked, **more: object) -> str:
    found = urlencode({**msgspec.to_builtins(asked), **more})
    return f"?{found}" if found else ""


@router.get("/alerts")
def alert_page(request: Request, who: Seer, asked: AskedFor, before: pages.Before = None) -> Response:
    """Open alerts and past ones."""
    language = pages.language_of(request)

    def gather(conn: Connection) -> dict[str, Any]:
        now_ms = pages.now_ms()
        past = store.ended_alerts(conn, asked, _ON_A_PAGE, before)
        waiting, given_up = post.failing(conn)
        return {
            **_open(conn, language, who, asked),
            "past": [line(language, who, alert, now_ms) for alert in past],
            "older": _query(asked, before=past[-1].id) if len(past) == _ON_A_PAGE else "",
            "places": sorted({*groups.places(conn), *store.places(conn)}),
            "nobody": not post.targets(conn),
            "waiting": waiting,
            "given_up": given_up,
        }

    values = request.app.state.db.read(gather)
    kinds: list[tuple[Kind, str]] = [(kind, say.short(language, kind)) for kind in NATURE]
    return pages.page(
        request, "alerts.html", who, asked=asked, query=_query(asked), kinds=kinds, before=before, **values
    )


@router.get("/alerts/events")
async def alert_events(request: Request, who: Seer, asked: AskedFor) -> StreamingResponse:
    """The open ones, anew whenever one changed (server-sent events)."""
    language = pages.language_of(request)

    def render(conn: Connection) -> str:
        return pages.fragment("_alerts.html", language, **_open(conn, language, who, asked))

    return stream(request, "alerts", _concerns, render, _PAUSE_S)


def _concerns(change: Change) -> bool:
    return change.alerts


def _open(conn: Connection, language: Language, who: Who, asked: Asked) -> dict[str, Any]:
    lines = open_lines(conn, language, who, pages.now_ms(), asked)
    return {"lines": lines, "csrf": who.csrf if who.may("tend") else "", "back": f"/alerts{_query(asked)}"}


@router.post("/alerts/{number}")
def change_alert(request: Request, who: Tender, form: Form, number: Number) -> Response:
    """Somebody sees to it, or hushes it for a while; both can be taken back."""
    do = next((known for known in get_args(Do) if known == form.get("do")), None)
    if do is None:
        raise HTTPException(400)
    now_ms, name = pages.now_ms(), who.person.name

    def change(conn: Connection) -> None:
        alert = store.one(conn, number)
        if alert is None:
            raise HTTPException(404)
        if do in ("take", "untake"):
            done = store.take(conn, number, now_ms if do == "take" else None, name)
            until = ""
        else:
            until_ms = _until(conn, form.get("for", ""), now_ms) if do == "hush" else None
            done = store.hush(conn, number, until_ms, name)
            until = f" → {shown.moment(until_ms):%Y-%m-%d %H:%M}" if until_ms else ""
        # One that has ended meanwhile needs nobody: the page shows it among the past ones.
        if done:
            audit.note(conn, now_ms, name, DID[do], alert.subject, f"{alert.kind}{until}")

    request.app.state.db.write_now(change)
    tell_live(request)
    return pages.to(pages.safe_next(form.get("back", "/alerts")))


DID: dict[Do, audit.Did] = {
    "take": "alert_take",
    "untake": "alert_untake",
    "hush": "alert_hush",
    "unhush": "alert_unhush",
}


def _until(conn: Connection, length: str, now_ms: int) -> int:
    known = next((one for one in get_args(Length) if one == length), None)
    if known is None:
        raise HTTPException(400)
    if known == "opening":
        settings = store.read_settings(conn)
        # Asked for while it is open, the next opening is tomorrow's.
        after_ms = now_ms
        while hours.is_open(settings.hours, after_ms) and after_ms < now_ms + _NO_OPENING_MS:
            after_ms += 15 * MINUTE_MS
        return hours.next_opening_ms(settings.hours, after_ms) or now_ms + _NO_OPENING_MS
    return now_ms + (_HOUR_MS if known == "1h" else 7 * 24 * _HOUR_MS)


def tell_live(request: Request) -> None:
    """The open pages show it at once."""
    settings_web.tell_live(request)
