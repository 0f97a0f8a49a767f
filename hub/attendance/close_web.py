"""The page of the close: what stops it, what it would come to, and the button."""

import re
from typing import Annotated, Any, Literal, NamedTuple, get_args

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from hub import pages, shown
from hub.attendance import close_store, closing
from hub.attendance.close_store import Close
from hub.attendance.closing import Outlook, Refused
from hub.attendance.rules import calendar
from hub.db import Connection, Db
from hub.guard import Who, fresh, need, read_form

router = APIRouter()

_DAYS_SHOWN = 60
_PEOPLE_SHOWN = 60
MONTH = r"^[12][0-9]{3}-(0[1-9]|1[0-2])$"

Act = Literal["close", "book"]
ACTS: tuple[Act, ...] = get_args(Act)

Seer = Annotated[Who, Depends(need("attendance"))]
# It cannot be undone: whoever closes has just said who they are.
Closer = Annotated[Who, Depends(fresh("close"))]
Form = Annotated[dict[str, str], Depends(read_form)]
Asked = Annotated[str | None, Query(pattern=MONTH)]


class Check(NamedTuple):
    """What another domain says of a month before it is closed: a sentence in the reader's language, and where to go."""

    text: str
    path: str


@router.get("/attendance/close")
def close(request: Request, who: Seer, month: Asked = None) -> Response:
    """A month: the one asked for, else the next to be closed."""
    db: Db = request.app.state.db
    chosen = month or db.read(_next)
    return _page(request, who, chosen)


@router.post("/attendance/close")
def do(request: Request, who: Closer, sent: Form) -> Response:
    """Closes a month, or books the difference of a closed one; asks once."""
    db: Db = request.app.state.db
    month, now_ms = sent.get("month", ""), pages.now_ms()
    act: Act | None = next((one for one in ACTS if one == sent.get("do")), None)
    if act is None or not re.match(MONTH, month):
        raise HTTPException(400)
    closing.warm(db, month, now_ms)
    if sent.get("sure") != "yes":
        return _confirm(request, who, month, act)
    fingerprint, name = sent.get("fingerprint", ""), who.person.name
    done: Close | Refused
    if act == "close":
        done = db.write_now(lambda conn: closing.close(conn, month, fingerprint, now_ms, name))
    else:
        done = db.write_now(lambda conn: closing.book(conn, month, fingerprint, now_ms, name))
    if not isinstance(done, Close):
        return _page(request, who, month, done)
    return pages.to("/attendance/close", month=month)


def _confirm(request: Request, who: Who, month: str, act: Act) -> Response:
    found = request.app.state.db.read(lambda conn: closing.look(conn, month, pages.now_ms()))
    refused = _why_not(found, act)
    if refused:
        return _page(request, who, month, refused)
    return pages.page(request, "close_confirm.html", who, found=found, act=act)


def _why_not(found: Outlook, act: Act) -> Refused | None:
    """Why there is nothing to confirm."""
    if act == "close" and found.latest:
        return "closed"
    if act == "book" and not found.latest:
        return "open"
    if act == "book" and not found.changed:
        return "same"
    return found.stops[0] if found.stops else None


def _page(request: Request, who: Who, month: str, refused: Refused | None = None) -> Response:
    db: Db = request.app.state.db
    now_ms = pages.now_ms()
    closing.warm(db, month, now_ms)
    past = closing.warm_past(db, now_ms)

    language = pages.language_of(request)

    def gather(conn: Connection) -> dict[str, Any]:
        return {
            "found": closing.look(conn, month, now_ms),
            "checks": [one for check in request.app.state.close_checks for one in check(conn, month, language)],
        }

    values = db.read(gather)
    return pages.page(
        request,
        "close.html",
        who,
        409 if refused else 200,
        refused=refused,
        past=past,
        days_shown=_DAYS_SHOWN,
        people_shown=_PEOPLE_SHOWN,
        **values,
    )


def _next(conn: Connection) -> str:
    last_month = calendar.month_after(shown.day_of(pages.now_ms())[:7], -1)
    return close_store.booked_month(conn) or last_month
