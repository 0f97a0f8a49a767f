"""Pages of the fleet: the list, the figures of one device's charts, what could not be read."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from hub import pages, shown
from hub.db import Connection
from hub.fleet import chart, listing, store
from hub.fleet.listing import Line
from hub.guard import Who, need
from hub.stream import stream
from hub.words import WORDS, Language, word

router = APIRouter()

_ON_A_PAGE = 50
_LIST_PAUSE_S = 0.5
_ORDER = {"fault": 0, "warning": 1, "offline": 2, "ok": 3, "unheard": 4}
# As little of a card as the search box takes for one: punches are found by it.
_CARD = re.compile(r"[0-9a-f]{6,32}")

_WORDS = ("kind", "condition", "place", "tag", "version")

Sort = Literal["name", "condition", "heard", "place", "until"]
Loan = Literal["", "lent", "overdue", "store"]
Seer = Annotated[Who, Depends(need("devices"))]


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a list shows: the words of its address."""

    q: str = ""
    kind: str = ""
    condition: str = ""
    place: str = ""
    tag: str = ""
    loan: Loan = ""
    version: str = ""
    sort: Sort = "name"
    page: int = 1

    def query(self, **changed: object) -> str:
        """The part of an address behind its path; empty for the whole list."""
        found = urlencode(msgspec.to_builtins(msgspec.structs.replace(self, **changed)))
        return f"?{found}" if found else ""

    def words(self) -> dict[str, str]:
        """What a form carries so that it means the same devices as this list: without order and page."""
        return msgspec.to_builtins(msgspec.structs.replace(self, sort="name", page=1))  # type: ignore[no-any-return]


class Choices(msgspec.Struct, frozen=True):
    """What there is to filter by."""

    places: list[str]
    tags: list[str]
    versions: list[str]


def asked_in(form: Mapping[str, str]) -> Asked:
    """What the words of a form say, as those of an address. Refuses with 400 a loan that could mean every device."""
    loan = next((known for known in get_args(Loan) if known == form.get("loan", "")), None)
    if loan is None:
        raise HTTPException(400)
    kind, condition, place, tag, version = (form.get(key, "")[:80] for key in _WORDS)
    return Asked(form.get("q", "").strip().lower()[:80], kind, condition, place, tag, loan, version)


def _asked(
    request: Request,
    loan: Loan = "",
    sort: Sort = "name",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Asked:
    return msgspec.structs.replace(asked_in(request.query_params), loan=loan, sort=sort, page=page)


AskedFor = Annotated[Asked, Depends(_asked)]


def lines(conn: Connection, now_ms: int) -> list[Line]:
    """Every device with its condition, by name."""
    return listing.lines(conn, now_ms, shown.day_of(now_ms))


def with_unheard(conn: Connection, now_ms: int) -> list[Line]:
    """The same, and the things that have not been heard of yet behind them."""
    return lines(conn, now_ms) + listing.unheard(conn, shown.day_of(now_ms))


def matching(every: list[Line], asked: Asked) -> list[Line]:
    """The lines that are asked for, in the order that is asked for."""
    found = [line for line in every if _is_asked(line, asked)]
    if asked.sort == "condition":
        found.sort(key=lambda line: (_ORDER[line.condition.word], -len(line.condition.reasons), line.row.name))
    elif asked.sort == "heard":
        found.sort(key=lambda line: -line.row.last_heard_ms)
    elif asked.sort == "place":
        found.sort(key=lambda line: (not line.thing.place, line.thing.place, line.row.name))
    elif asked.sort == "until":
        found.sort(key=lambda line: (not line.thing.loan_until, line.thing.loan_until, line.row.name))
    return found


def _is_asked(line: Line, asked: Asked) -> bool:
    return (
        (not asked.q or _is_found(line, asked.q))
        and asked.kind in ("", line.row.kind)
        and asked.condition in ("", line.condition.word)
        and _stands(line, asked)
    )


def _stands(line: Line, asked: Asked) -> bool:
    return (
        asked.place in ("", line.thing.place)
        and (not asked.tag or asked.tag in line.tags)
        and (asked.loan in ("", line.thing.loan) or (asked.loan == "lent" and line.thing.loan == "overdue"))
        and asked.version in ("", line.row.version)
    )


def _is_found(line: Line, q: str) -> bool:
    """By a part of its name, asset number, serial number or loan number."""
    thing = line.thing
    return q in line.row.name or any(q in text.lower() for text in (thing.asset, thing.serial, thing.loan_number))


def choices(every: Iterable[Line]) -> Choices:
    """The places, tags and versions that these lines have."""
    places: set[str] = set()
    tags: set[str] = set()
    versions: set[str] = set()
    for line in every:
        places.add(line.thing.place)
        tags.update(line.tags)
        versions.add(line.row.version)
    return Choices(*(sorted(found - {""}) for found in (places, tags, versions)))


def on_page(found: list[Line], page: int) -> list[Line]:
    """The lines of one page of a list."""
    return found[(page - 1) * _ON_A_PAGE : page * _ON_A_PAGE]


@router.get("/devices")
def device_list(request: Request, who: Seer, asked: AskedFor, find: str = "") -> Response:
    """The list; every view of it is an address. `find` is the search box: it goes straight to what it names."""
    every = request.app.state.db.read(lambda conn: with_unheard(conn, pages.now_ms()))
    if find.strip():
        asked = Asked(q=find.strip().lower()[:80])
        if any(line.row.name == asked.q for line in every):
            return pages.to(f"/devices/{asked.q}")
    found = matching(every, asked)
    if find and not found and _CARD.fullmatch(asked.q) and who.may("taps"):
        return pages.to("/taps", card=asked.q)
    return pages.page(
        request,
        "devices.html",
        who,
        lines=on_page(found, asked.page),
        found=len(found),
        more=len(found) > asked.page * _ON_A_PAGE,
        total=len(every),
        asked=asked,
        choices=choices(every),
    )


@router.get("/devices.csv")
def device_file(request: Request, who: Seer, asked: AskedFor) -> Response:
    """What the list shows, as a file."""
    language = pages.language_of(request)
    found = matching(request.app.state.db.read(lambda conn: with_unheard(conn, pages.now_ms())), asked)
    keys = ["device", "kind", "condition", "last_heard", "version", "clock", "waiting", "cpu", "memory", "disk"]
    keys += ["place", "tags", "asset", "loan_number", "loan_until"]
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
        shown.moment(row.last_heard_ms).isoformat() if row.id else "",
        row.version,
        word(language, row.clock) if row.clock else "",
        row.spool_urgent + row.spool_bulk,
        *used,
        line.thing.place,
        " ".join(line.tags),
        line.thing.asset,
        line.thing.loan_number,
        line.thing.loan_until,
    ]


@router.get("/devices/events")
async def device_events(request: Request, who: Seer, asked: AskedFor) -> StreamingResponse:
    """The list's rows, anew whenever something changed (server-sent events)."""
    language = pages.language_of(request)

    def rows(conn: Connection) -> str:
        found = matching(request.app.state.overview.lines(conn, pages.now_ms()), asked)
        return pages.fragment("_devices.html", language, lines=on_page(found, asked.page))

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
    request: Request, who: Annotated[Who, Depends(need("quarantine"))], before: pages.Before = None
) -> Response:
    """What could not be read, as it came."""

    def gather(conn: Connection) -> dict[str, Any]:
        return {"kept": store.quarantine(conn, 50, None, before), "totals": store.totals(conn)}

    return pages.page(request, "quarantine.html", who, **request.app.state.db.read(gather))
