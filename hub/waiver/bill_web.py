"""Pages of the carrier's bills."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hub import pages
from hub.guard import Who, need
from hub.waiver import bill_store

router = APIRouter()

Seer = Annotated[Who, Depends(need("waivers"))]


@router.get("/waiver/bills")
def bills(request: Request, who: Seer) -> Response:
    """All bills."""
    found = request.app.state.db.read(bill_store.every)
    return pages.page(request, "bills.html", who, bills=found)
