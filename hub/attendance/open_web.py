"""The page of open work: everything that somebody has to see to before a month can be closed, in one place."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from hub import pages, shown
from hub.attendance import closing, open_work, request_page, timesheet_store
from hub.attendance.rules.calendar import month_after, month_of
from hub.guard import Who, need

router = APIRouter()

Seer = Annotated[Who, Depends(need("attendance"))]
Month = Annotated[str, Query(pattern=r"^((19|20)\d\d-(0[1-9]|1[0-2]))?$")]
_LINES = 50


@router.get("/attendance/open")
def open_page(request: Request, who: Seer, month: Month = "", department: str = "") -> Response:
    """What is open in a month: days, requests, gaps, cards, clocks; each with one button."""
    db, now_ms = request.app.state.db, pages.now_ms()
    month = month or db.read(lambda conn: open_work.month_due(conn, now_ms))
    wanted = db.read(lambda conn: open_work.members(conn, month, department[:80]))
    timesheet_store.warm(db, list(wanted), month, now_ms)
    found = db.read(lambda conn: open_work.gather(conn, wanted, month, now_ms))
    return pages.page(
        request,
        "open_work.html",
        who,
        month=month,
        months=(month_after(month, -1), month_after(month)),
        this_month=month_of(shown.moment(now_ms).date()),
        department=department[:80],
        departments=db.read(open_work.departments),
        work=found,
        everyone=wanted,
        changed=[one for one in closing.warm_past(db, now_ms) if one.changed],
        parts=_parts(found),
        most=_LINES,
        **request_page.words(pages.language_of(request)),
    )


def _parts(found: open_work.Work) -> list[tuple[str, Sequence[Any]]]:
    """What has anything in it, in the order in which it is shown."""
    parts: list[tuple[str, Sequence[Any]]] = [
        ("days", found.days),
        ("waiting", found.waiting),
        ("gaps", found.gaps),
        ("cards", found.cards),
        ("clocks", found.clocks),
    ]
    return [(name, lines) for name, lines in parts if lines]
