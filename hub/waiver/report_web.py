"""Pages of the reports of waivers, as page, xlsx and PDF."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hub import pages
from hub.guard import Who, need

router = APIRouter()

Seer = Annotated[Who, Depends(need("waivers"))]


@router.get("/waiver/reports")
def reports(request: Request, who: Seer) -> Response:
    """What may be reported, by month and by fiscal year."""
    return pages.page(request, "waiver_reports.html", who)
