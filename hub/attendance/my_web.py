"""A person's own page: their days at a glance, what is open, and what they ask for."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from hub import pages, shown
from hub.attendance import close_store, request_entry, request_form, request_page, request_store, timesheet_store
from hub.attendance.open_day import OpenDay, open_days
from hub.attendance.request import Decision, Kind
from hub.attendance.request_entry import Entering, Outcome
from hub.attendance.request_store import Which
from hub.attendance.rules.calendar import month_after, month_of, month_span
from hub.db import Connection
from hub.guard import Who, need, read_form
from hub.staff import store as staff
from hub.staff.store import Member

router = APIRouter()

Own = Annotated[Who, Depends(need("my_time"))]
Form = Annotated[dict[str, str], Depends(read_form)]
Month = Annotated[str, Query(pattern=r"^((19|20)\d\d-(0[1-9]|1[0-2]))?$")]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]
Done = Literal["", "entered", "withdrawn", "entered_again"]
Known = Annotated[int, Query(ge=0, le=pages.LAST_ID)]
_DECISION: dict[str, Decision] = {"withdraw": "withdrawn", "enter_again": "entered_again"}


@router.get("/my-time")
def my_time(request: Request, who: Own, month: Month = "", did: Done = "", n: Known = 0) -> Response:
    """This month, what is open in it, what waits."""
    return _my_time(request, who, month, did, n)


def _my_time(request: Request, who: Who, month: str = "", did: str = "", n: int = 0, refused: str = "") -> Response:
    now_ms = pages.now_ms()
    values = request.app.state.db.read(lambda conn: _gather(conn, who, month, now_ms))
    if values is None:
        return pages.page(request, "my_unlinked.html", who)
    words = request_page.words(pages.language_of(request))
    return pages.page(
        request, "my.html", who, 409 if refused else 200, did=did, n=n, refused=refused, **words, **values
    )


def _gather(conn: Connection, who: Who, month: str, now_ms: int) -> dict[str, Any] | None:
    member = staff.member_of_person(conn, who.person.id)
    if member is None:
        return None
    today = shown.moment(now_ms).date()
    month = month or month_of(today)
    before = month_after(month_of(today), -1)
    found = open_of(conn, member, month, now_ms)
    left = open_of(conn, member, before, now_ms) if month == month_of(today) else []
    if before in close_store.first_closed(conn):
        left = []
    result = timesheet_store.months(conn, [member.id], month, now_ms).get(member.id)
    first, last = month_span(month)
    return {
        "member": member,
        "month": month,
        "months": (month_after(month, -1), month_after(month)),
        "month_before": before,
        "until": request_page.last_past_day(conn, month, now_ms),
        "left": left,
        "open_days": [*left, *found],
        "days": [one for one in reversed(result.days) if one.day <= today] if result else [],
        "mine": list(reversed(request_store.find(conn, Which((member.id,), None, None, first, last)))),
    }


def open_of(conn: Connection, member: Member, month: str, now_ms: int) -> list[OpenDay]:
    """The days of a member's month that somebody has to see to."""
    result = timesheet_store.months(conn, [member.id], month, now_ms).get(member.id)
    first, last = month_span(month)
    asked = request_store.find(conn, Which((member.id,), None, None, first, last))
    return open_days(result, asked, request_page.last_past_day(conn, month, now_ms)) if result else []


# ---- asking


@router.get("/my-time/requests/new")
def new(request: Request, who: Own, kind: str = "", day: str = "") -> Response:
    """The form of a kind for a day, filled with what is likely."""
    if not kind:
        return pages.to("/my-time")
    what, now_ms = _kind(kind), pages.now_ms()

    def gather(conn: Connection) -> tuple[Member, dict[str, str], Any] | None:
        member = staff.member_of_person(conn, who.person.id)
        if member is None:
            return None
        return (member, *request_page.likely(conn, member, what, request_page.a_day(day, now_ms), now_ms))

    found = request.app.state.db.read(gather)
    if found is None:
        return pages.page(request, "my_unlinked.html", who)
    _member, fields, recorded = found
    return _form(request, who, what, fields, Outcome(), recorded)


@router.post("/my-time/requests/new")
def ask(request: Request, who: Own, form: Form) -> Response:
    """Enters one's own request."""
    what, now_ms = _kind(form.get("kind", "")), pages.now_ms()
    entering = Entering(who.person, request_page.one_day(form), now_ms, by_clerk=who.may("attend"))

    def write(conn: Connection) -> Outcome | None:
        member = staff.member_of_person(conn, who.person.id)
        return None if member is None else request_entry.enter(conn, [member], entering)

    outcome = request.app.state.db.write_now(write)
    if outcome is None:
        return pages.page(request, "my_unlinked.html", who, 409)
    if outcome.found:
        return _form(request, who, what, form, outcome)
    return pages.to("/my-time", did="entered", n=str(outcome.entered[0]))


def _form(
    request: Request, who: Who, kind: Kind, fields: dict[str, str], outcome: Outcome, recorded: Any = None
) -> Response:
    typed = request_page.typed(fields)
    return request_page.form(
        request,
        who,
        kind,
        typed,
        outcome.found,
        action="/my-time/requests/new",
        back="/my-time",
        for_others=False,
        recorded=recorded,
        departments=[],
    )


def _kind(text: str) -> Kind:
    try:
        return request_form.kind(text)
    except request_form.Wrong:
        raise HTTPException(400) from None


@router.post("/my-time/requests/{number}")
def change(request: Request, who: Own, form: Form, number: Number) -> Response:
    """Withdraws one's own request, or takes that back."""
    decision = _DECISION.get(form.get("do", ""))
    if decision is None:
        raise HTTPException(400)

    def write(conn: Connection) -> str | None:
        one = request_store.request(conn, number)
        member = staff.member_of_person(conn, who.person.id)
        if one is None or member is None or one.staff_id != member.id:
            raise HTTPException(404)
        return request_store.decide(conn, number, decision, who.person, pages.now_ms())

    refused = request.app.state.db.write_now(write)
    if refused:
        return _my_time(request, who, refused=refused)
    return pages.to("/my-time", did=decision, n=str(number))
