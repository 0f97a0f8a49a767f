"""The page of punches as they come."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from hub import pages, shown
from hub.attendance import store
from hub.db import Connection
from hub.fleet import store as fleet
from hub.guard import Who, need
from hub.stream import stream
from hub.words import word

router = APIRouter()

_ON_A_PAGE = 50
_IN_A_FILE = 10_000
_PAUSE_S = 0.02

Seer = Annotated[Who, Depends(need("taps"))]


@router.get("/taps")
def taps(request: Request, who: Seer, device: str = "", before: int | None = None) -> Response:
    """Newest first; the first page updates by itself."""

    def gather(conn: Connection) -> dict[str, object]:
        return {
            "taps": store.latest_taps(conn, _ON_A_PAGE, before, device or None),
            "terminals": [row.name for row in fleet.devices(conn) if row.kind in ("terminal", "")],
        }

    values = request.app.state.db.read(gather)
    return pages.page(
        request, "taps.html", who, device=device, before=before, query=request.url.query, page_size=_ON_A_PAGE, **values
    )


@router.get("/taps/events")
async def tap_events(request: Request, who: Seer, device: str = "") -> StreamingResponse:
    """The newest punches, anew whenever one came."""
    language = pages.language_of(request)

    def rows(conn: Connection) -> str:
        return pages.fragment(
            "_taps.html", language, taps=store.latest_taps(conn, _ON_A_PAGE, None, device or None), show_device=True
        )

    return stream(request, "taps", lambda change: change.taps, rows, _PAUSE_S)


@router.get("/taps.csv")
def tap_file(request: Request, who: Seer, device: str = "") -> Response:
    """The newest punches as a file (at most 10,000)."""
    language = pages.language_of(request)
    found = request.app.state.db.read(lambda conn: store.latest_taps(conn, _IN_A_FILE, None, device or None))
    head = [word(language, key) for key in ("time", "device", "card", "direction", "standing", "clock", "received_at")]
    rows = [
        (
            shown.moment(tap.true_ms).isoformat(),
            tap.device,
            tap.card,
            word(language, tap.direction),
            word(language, tap.standing),
            word(language, tap.clock),
            shown.moment(tap.received_ms).isoformat(),
        )
        for tap in found
    ]
    return pages.table_file("punches.csv", head, rows)
