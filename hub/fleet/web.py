"""Pages of the fleet: the list, the figures of one device's charts, what could not be read."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from hub import pages, shown
from hub.db import Connection
from hub.fleet import chart, store
from hub.fleet.condition import Condition, condition
from hub.fleet.store import DeviceRow
from hub.guard import Who, need
from hub.stream import stream
from hub.words import WORDS, Language, word

router = APIRouter()

_SHOWN_AT_MOST = 200
_LIST_PAUSE_S = 0.5
_STILL_HERE_S = 15
_ORDER = {"fault": 0, "warning": 1, "offline": 2, "ok": 3}

Sort = Literal["name", "condition", "heard"]
Seer = Annotated[Who, Depends(need("devices"))]


class Asked(msgspec.Struct, frozen=True):
    """What a list shows: the words of its address."""

    q: str = ""
    kind: str = ""
    condition: str = ""
    sort: str = "name"


class Line(msgspec.Struct, frozen=True):
    """A device and how it is."""

    row: DeviceRow
    condition: Condition


def _asked(q: str = "", kind: str = "", condition: str = "", sort: Sort = "name") -> Asked:
    return Asked(q.strip().lower()[:80], kind, condition, sort)


AskedFor = Annotated[Asked, Depends(_asked)]


def lines(conn: Connection, now_ms: int) -> list[Line]:
    """Every device with its condition."""
    return [Line(row, condition(row, now_ms)) for row in store.devices(conn)]


def matching(every: list[Line], asked: Asked) -> list[Line]:
    """The lines that are asked for, in the order that is asked for."""
    found = [
        line
        for line in every
        if asked.q in line.row.name
        and asked.kind in ("", line.row.kind)
        and asked.condition in ("", line.condition.word)
    ]
    if asked.sort == "condition":
        found.sort(key=lambda line: (_ORDER[line.condition.word], -len(line.condition.reasons), line.row.name))
    elif asked.sort == "heard":
        found.sort(key=lambda line: -line.row.last_heard_ms)
    return found


@router.get("/devices")
def device_list(request: Request, who: Seer, asked: AskedFor) -> Response:
    """The list; every view of it is an address."""
    every = request.app.state.db.read(lambda conn: lines(conn, pages.now_ms()))
    found = matching(every, asked)
    if asked.q and len(found) == 1 and found[0].row.name == asked.q:
        return pages.to(f"/devices/{asked.q}")
    return pages.page(
        request,
        "devices.html",
        who,
        lines=found[:_SHOWN_AT_MOST],
        total=len(every),
        asked=asked,
        query=request.url.query,
    )


@router.get("/devices.csv")
def device_file(request: Request, who: Seer, asked: AskedFor) -> Response:
    """What the list shows, as a file."""
    language = pages.language_of(request)
    found = matching(request.app.state.db.read(lambda conn: lines(conn, pages.now_ms())), asked)
    keys = ("device", "kind", "condition", "last_heard", "version", "clock", "waiting", "cpu", "memory", "disk")
    return pages.table_file("devices.csv", [word(language, key) for key in keys], [_cells(language, x) for x in found])


def _cells(language: Language, line: Line) -> list[object]:
    row, health = line.row, line.row.health
    used: list[object] = ["", "", ""]
    if health:
        memory = chart.used_permille(health.memory_total, health.memory_available)
        disk = chart.used_permille(health.disk_total, health.disk_free)
        used = [shown.permille(figure) for figure in (health.cpu_permille, memory, disk)]
    return [
        row.name,
        word(language, f"kind_{row.kind}") if f"kind_{row.kind}" in WORDS else row.kind,
        word(language, line.condition.word),
        shown.moment(row.last_heard_ms).isoformat(),
        row.version,
        word(language, row.clock) if row.clock else "",
        row.spool_urgent + row.spool_bulk,
        *used,
    ]


@router.get("/devices/events")
async def device_events(request: Request, who: Seer, asked: AskedFor) -> StreamingResponse:
    """The list's rows, anew whenever something changed (server-sent events)."""
    language = pages.language_of(request)

    def rows(conn: Connection) -> str:
        found = matching(lines(conn, pages.now_ms()), asked)[:_SHOWN_AT_MOST]
        return pages.fragment("_devices.html", language, lines=found)

    return stream(request, "devices", lambda change: True, rows, _LIST_PAUSE_S)


@router.get("/devices/{name}/series")
def device_series(request: Request, who: Seer, name: str, span: chart.Span = "24h") -> Response:
    """The figures of the charts, as JSON."""

    def gather(conn: Connection) -> chart.Series | None:
        row = store.device(conn, name)
        return chart.series(conn, row.id, span, pages.now_ms()) if row else None

    series = request.app.state.db.read(gather)
    if series is None:
        raise HTTPException(404)
    return Response(msgspec.json.encode(series), media_type="application/json")


@router.get("/settings/quarantine")
def quarantine(
    request: Request, who: Annotated[Who, Depends(need("quarantine"))], before: int | None = None
) -> Response:
    """What could not be read, as it came."""

    def gather(conn: Connection) -> dict[str, Any]:
        return {"kept": store.quarantine(conn, 50, None, before), "totals": store.totals(conn)}

    return pages.page(request, "quarantine.html", who, **request.app.state.db.read(gather))
