"""Pages of benefits on a card."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hub import pages
from hub.guard import Who, need

router = APIRouter()

Seer = Annotated[Who, Depends(need("waivers"))]


@router.get("/benefits")
def benefits(request: Request, who: Seer) -> Response:
    """What waits for somebody, and every account."""
    return pages.page(request, "benefits.html", who)
