"""Pages of the waivers' month: bill, assess, waive, close; vouchers for the finance system."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from hub import pages, shown
from hub.attendance.rules import calendar
from hub.guard import Who, need

router = APIRouter()

MONTH = r"^[12][0-9]{3}-(0[1-9]|1[0-2])$"
Seer = Annotated[Who, Depends(need("waivers"))]
Asked = Annotated[str | None, Query(pattern=MONTH)]


@router.get("/waiver")
def month(request: Request, who: Seer, month: Asked = None) -> Response:
    """A month: the one asked for, else the one that is next to be closed."""
    chosen = month or calendar.month_after(shown.day_of(pages.now_ms())[:7], -1)
    return pages.page(request, "waiver_month.html", who, month=chosen)
