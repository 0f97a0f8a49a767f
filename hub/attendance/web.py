"""The page of punches as they come."""

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from hub import pages, shown
from hub.attendance import store
from hub.attendance.tap_owner import owners
from hub.db import Connection
from hub.fleet import listing as fleet
from hub.guard import Who, fresh, need
from hub.stream import stream
from hub.words import Language, known_word, word

router = APIRouter()

_ON_A_PAGE = 50
_IN_A_FILE = 10_000
_PAUSE_S = 0.02

Seer = Annotated[Who, Depends(need("taps"))]
# What leaves the house is asked for by somebody who is at the desk.
Taker = Annotated[Who, Depends(fresh("taps"))]


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which punches: of one device, of cards that begin so."""

    device: str = ""
    card: str = ""

    def query(self, **more: object) -> str:
        """The part of an address behind its path; empty for all punches."""
        found = urlencode({**msgspec.to_builtins(self), **more})
        return f"?{found}" if found else ""

    def taps(self, conn: Connection, limit: int, before: int | None = None) -> list[store.Tap]:
        """The newest of them."""
        return store.latest_taps(conn, limit, before, self.device or None, self.card)


def _asked(device: str = "", card: str = "") -> Asked:
    return Asked(device.strip()[:80], card.strip().lower()[:40])


AskedFor = Annotated[Asked, Depends(_asked)]


@router.get("/taps")
def taps(request: Request, who: Seer, asked: AskedFor, before: pages.Before = None) -> Response:
    """Newest first; the first page updates by itself."""

    def gather(conn: Connection) -> dict[str, object]:
        found = asked.taps(conn, _ON_A_PAGE, before)
        return {
            "taps": found,
            "owners": owners(conn, found),
            "terminals": [name for name, kind in fleet.names(conn) if kind in ("terminal", "")],
        }

    values = request.app.state.db.read(gather)
    return pages.page(request, "taps.html", who, asked=asked, before=before, page_size=_ON_A_PAGE, **values)


@router.get("/taps/events")
async def tap_events(request: Request, who: Seer, asked: AskedFor) -> StreamingResponse:
    """The newest punches, anew whenever one came (server-sent events)."""
    language = pages.language_of(request)

    def rows(conn: Connection) -> str:
        found = asked.taps(conn, _ON_A_PAGE)
        return pages.fragment("_taps.html", language, taps=found, owners=owners(conn, found))

    return stream(request, "taps", lambda change: change.taps, rows, _PAUSE_S)


@router.get("/taps.csv")
def tap_file(request: Request, who: Taker, asked: AskedFor) -> Response:
    """The newest punches as a file: at most 10,000, and then its name says so."""
    language = pages.language_of(request)
    found = request.app.state.db.read(lambda conn: asked.taps(conn, _IN_A_FILE))
    head = [word(language, key) for key in ("time", "device", "card", "direction", "standing", "clock", "received_at")]
    name = f"punches-newest-{_IN_A_FILE}.csv" if len(found) == _IN_A_FILE else "punches.csv"
    return pages.table_file(name, head, [_cells(language, tap) for tap in found])


def _cells(language: Language, tap: store.Tap) -> tuple[object, ...]:
    return (
        shown.moment(tap.true_ms).isoformat(),
        tap.device,
        tap.card,
        known_word(language, tap.direction),
        known_word(language, tap.standing),
        word(language, tap.clock),
        shown.moment(tap.received_ms).isoformat(),
    )
