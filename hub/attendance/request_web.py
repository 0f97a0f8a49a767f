"""Pages of requests for whoever looks, enters for others or approves: the list, one request, a new one."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from hub import pages
from hub.attendance import (
    close_store,
    open_web,
    request_entry,
    request_form,
    request_page,
    request_store,
    tap_store,
    timesheet_store,
)
from hub.attendance import request as rule
from hub.attendance.request import Decision, Kind, State
from hub.attendance.request_entry import Entering, Found, Outcome, department_of
from hub.attendance.request_form import Wrong
from hub.attendance.request_store import Which
from hub.attendance.rules.calendar import month_of, month_span
from hub.db import Connection
from hub.guard import Who, fresh, need, read_form
from hub.staff import store as staff
from hub.staff.store import Member
from wire.messages import INT64_MAX

router = APIRouter()
router.include_router(open_web.router)

Seer = Annotated[Who, Depends(need("attendance"))]
Enterer = Annotated[Who, Depends(need("attend"))]
# Four eyes are worth nothing on somebody else's open screen: whoever approves has just said who they are.
Approver = Annotated[Who, Depends(fresh("approve_time"))]
Form = Annotated[dict[str, str], Depends(read_form)]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]
Month = Annotated[str, Query(pattern=r"^((19|20)\d\d-(0[1-9]|1[0-2]))?$")]
Many = Annotated[int, Query(ge=0, le=request_entry.MOST)]

# A form has at most fifty fields (`guard.py`).
_ON_A_PAGE = 40
_DAYS_SHOWN = 3
_DAY = timedelta(days=1)
_DECIDE: dict[str, Decision] = {"approve": "approved", "refuse": "refused", "revoke": "revoked"}
_OWN: dict[str, Decision] = {"withdraw": "withdrawn", "enter_again": "entered_again"}


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which requests: of a state, kind, department and month; empty says all."""

    state: Literal["waiting", "approved", "refused", "revoked", "withdrawn", "all"] = "waiting"
    kind: Literal["", "order", "leave", "correction", "swap", "substitute", "gap"] = ""
    department: str = ""
    month: str = ""

    def query(self, **more: object) -> str:
        """The part of an address behind its path."""
        found = urlencode({**msgspec.to_builtins(self), **more})
        return f"?{found}" if found else ""

    def which(self, everyone: dict[int, Member]) -> Which:
        """The same as the store takes it."""
        of = None
        if self.department:
            of = tuple(one.id for one in everyone.values() if department_of(one) == self.department)
        first, last = month_span(self.month) if self.month else (None, None)
        state: State | None = None if self.state == "all" else self.state
        kind: Kind | None = self.kind or None
        return Which(of, kind, state, first, last)


def _asked(
    state: Literal["waiting", "approved", "refused", "revoked", "withdrawn", "all"] = "waiting",
    kind: Literal["", "order", "leave", "correction", "swap", "substitute", "gap"] = "",
    department: str = "",
    month: Month = "",
) -> Asked:
    return Asked(state, kind, department[:80], month)


AskedFor = Annotated[Asked, Depends(_asked)]


@router.get("/attendance/requests")
def requests(request: Request, who: Seer, asked: AskedFor, before: pages.Before = None, entered: Many = 0) -> Response:
    """What waits, oldest first; or what was decided, newest first."""
    return _list(request, who, asked, before, entered=entered)


def _list(
    request: Request,
    who: Who,
    asked: Asked,
    before: int | None = None,
    *,
    entered: int = 0,
    approved: int | None = None,
    refused: Sequence[tuple[rule.Request, str]] = (),
) -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        everyone = staff.members(conn)
        which = asked.which(everyone)
        if asked.state == "waiting":
            found = request_store.find(conn, which, _ON_A_PAGE, before or 0)
        else:
            found = request_store.newest(conn, which, _ON_A_PAGE, before)
        return {
            "found": found,
            "everyone": everyone,
            "departments": staff.departments(conn),
            "waiting": request_store.waiting_since(conn, INT64_MAX)[0],
            "mine": {one.id for one in found if _kept_from(one, everyone[one.staff_id], who)},
        }

    values = request.app.state.db.read(gather)
    return pages.page(
        request,
        "requests.html",
        who,
        409 if refused else 200,
        asked=asked,
        entered=entered,
        approved=approved,
        refused=refused,
        page_size=_ON_A_PAGE,
        kinds=rule.KINDS,
        states=rule.STATES,
        **request_page.words(pages.language_of(request)),
        **values,
    )


def _kept_from(one: rule.Request, member: Member, who: Who) -> bool:
    """Whether somebody else has to decide."""
    refusal = rule.may_decide(one, "approved", who.person, member.person_id, "")
    return refusal in ("own_entry", "own_time")


@router.post("/attendance/requests")
def approve_chosen(request: Request, who: Approver, form: Form) -> Response:
    """Approves all that are marked, each by itself: one that cannot be is told, the others are."""
    numbers = sorted(_whole(name[2:]) for name, value in form.items() if name.startswith("r_") and value == "yes")

    def write(conn: Connection) -> list[tuple[rule.Request, str]]:
        refused = []
        for number in numbers:
            one = request_store.request(conn, number)
            if one is None:
                raise HTTPException(404)
            why = request_store.decide(conn, number, "approved", who.person, pages.now_ms())
            if why:
                refused.append((one, str(why)))
        return refused

    refused = request.app.state.db.write_now(write)
    return _list(request, who, Asked(), approved=len(numbers) - len(refused), refused=refused)


def _whole(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 19 else -1
    if not 0 < number <= pages.LAST_ID:
        raise HTTPException(400)
    return number


# ---- a new one


@router.get("/attendance/requests/new")
def new(request: Request, who: Enterer, kind: str = "", number: str = "", day: str = "") -> Response:
    """The form of a kind, for a person and a day if the address says so."""
    now_ms = pages.now_ms()
    if not kind:
        return pages.page(request, "request_kinds.html", who, kinds=rule.KINDS, number=number, day=day)
    what, on = _kind(kind), request_page.a_day(day, now_ms)

    def gather(conn: Connection) -> tuple[dict[str, str], Any, list[staff.Department]]:
        member = staff.by_number(conn, number) if number else None
        fields, recorded = ({"day": on.isoformat()}, None)
        if member is not None:
            fields, recorded = request_page.likely(conn, member, what, on, now_ms)
        return {**fields, "numbers": number[:80]}, recorded, staff.departments(conn)

    fields, recorded, departments = request.app.state.db.read(gather)
    return _form(request, who, what, fields, departments, recorded=recorded)


@router.post("/attendance/requests/new")
def enter(request: Request, who: Enterer, form: Form) -> Response:
    """Enters for others: for each of them one, an order for each day as well; all of them or none."""
    what = _kind(form.get("kind", ""))

    def write(conn: Connection) -> tuple[Outcome, list[staff.Department]]:
        entering = Entering(who.person, form, pages.now_ms(), by_clerk=True)
        try:
            chosen = request_entry.chosen(conn, form)
        except Wrong as wrong:
            return Outcome(found=(Found(wrong.problem),)), staff.departments(conn)
        return request_entry.enter(conn, chosen, entering), staff.departments(conn)

    outcome, departments = request.app.state.db.write_now(write)
    if outcome.found:
        return _form(request, who, what, form, departments, outcome)
    return pages.to("/attendance/requests", entered=str(len(outcome.entered)))


def _form(
    request: Request,
    who: Who,
    kind: Kind,
    fields: dict[str, str],
    departments: Sequence[staff.Department],
    outcome: Outcome = Outcome(),  # noqa: B008 (frozen)
    recorded: Any = None,
) -> Response:
    return request_page.form(
        request,
        who,
        kind,
        request_page.typed(fields),
        outcome.found,
        action="/attendance/requests/new",
        back="/attendance/requests",
        for_others=True,
        recorded=recorded,
        departments=departments,
    )


def _kind(text: str) -> Kind:
    try:
        return request_form.kind(text)
    except Wrong:
        raise HTTPException(400) from None


# ---- one


@router.get("/attendance/requests/{number}")
def one(request: Request, who: Seer, number: Number) -> Response:
    """One request, beside it what is recorded of its days."""
    return _one(request, who, number)


def _one(request: Request, who: Who, number: int, refused: str = "", note: str = "") -> Response:
    values = request.app.state.db.read(lambda conn: _gather(conn, who, number))
    return pages.page(
        request,
        "request.html",
        who,
        409 if refused else 200,
        refused=refused,
        note=note,
        **request_page.words(pages.language_of(request)),
        **values,
    )


def _gather(conn: Connection, who: Who, number: int) -> dict[str, Any]:
    found = request_store.request(conn, number)
    member = staff.member(conn, found.staff_id) if found else None
    if found is None or member is None:
        raise HTTPException(404)
    days = _days(found)
    closed = close_store.first_closed(conn)
    return {
        "one": found,
        "member": member,
        "records": _records(conn, member, days),
        "kept_from": _kept_from(found, member, who),
        "own": found.entered_by == who.person.name,
        "books": sorted({month_of(day) for day in days} & set(closed)),
    }


def _days(one: rule.Request) -> list[date]:
    if isinstance(one.body, rule.SwapBody | rule.SubstituteBody):
        return sorted({one.body.worked, one.body.off})
    first, last = rule.days_of(one.body)
    return [first + number * _DAY for number in range(min((last - first).days + 1, _DAYS_SHOWN))]


def _records(conn: Connection, member: Member, days: Sequence[date]) -> list[tuple[date, Any, list[Any]]]:
    """Of each day what it comes to at the moment, and the taps of the duty day."""
    now_ms, found = pages.now_ms(), []
    for day in days:
        result = timesheet_store.months(conn, [member.id], month_of(day), now_ms).get(member.id)
        begin_ms = rule.utc_ms(rule.at_minute(day, 0)) + 3 * 3_600_000
        taps = tap_store.taps(conn, [member.id], begin_ms, begin_ms + 24 * 3_600_000).get(member.id, [])
        come = next((one for one in result.days if one.day == day), None) if result else None
        found.append((day, come, [kept.tap for kept in taps]))
    return found


@router.post("/attendance/requests/{number}")
def decide(request: Request, who: Approver, form: Form, number: Number) -> Response:
    """Another person approves, refuses, or takes an approval back."""
    return _decide(request, who, form, number, _DECIDE)


@router.post("/attendance/requests/{number}/own")
def change_own(request: Request, who: Enterer, form: Form, number: Number) -> Response:
    """Who entered it for somebody withdraws it, or takes that back."""
    return _decide(request, who, form, number, _OWN)


def _decide(request: Request, who: Who, form: dict[str, str], number: int, known: dict[str, Decision]) -> Response:
    decision, note = known.get(form.get("do", "")), form.get("note", "")[: request_form.REASON_LENGTH]
    if decision is None:
        raise HTTPException(400)

    def write(conn: Connection) -> str | None:
        try:
            return request_store.decide(conn, number, decision, who.person, pages.now_ms(), note)
        except KeyError:
            raise HTTPException(404) from None

    refused = request.app.state.db.write_now(write)
    return _one(request, who, number, refused, note) if refused else pages.to(f"/attendance/requests/{number}")
