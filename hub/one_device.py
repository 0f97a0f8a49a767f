"""The page of one device: how it is, what happened, charts, its taps.

It shows several domains, so it stands above them.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import pages
from hub.attendance import store as attendance
from hub.db import Connection
from hub.fleet import chart, store
from hub.fleet.condition import condition
from hub.guard import Who, need

router = APIRouter()


@router.get("/devices/{name}")
def one_device(
    request: Request, who: Annotated[Who, Depends(need("devices"))], name: str, span: chart.Span = "24h"
) -> Response:
    """One device: how it is, what happened, charts."""

    def gather(conn: Connection) -> dict[str, Any]:
        row = store.device(conn, name)
        if row is None:
            raise HTTPException(404)
        return {
            "row": row,
            "condition": condition(row, pages.now_ms()),
            "alarms": store.alarms(conn, row.id, 20),
            "dropped": store.dropped(conn, row.id),
            "taps": attendance.latest_taps(conn, 10, None, row.name) if row.kind == "terminal" else [],
            "quarantined": store.quarantine(conn, 10, row.id),
            "series": chart.series(conn, row.id, span, pages.now_ms()),
        }

    values = request.app.state.db.read(gather)
    return pages.page(request, "device.html", who, span=span, spans=chart.SPANS, used=chart.used_permille, **values)
