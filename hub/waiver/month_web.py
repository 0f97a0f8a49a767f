"""Pages of the waivers' month: its steps, each line with its reasons, the closing that one asks and another approves.

1. What a month would come to is worked out anew for each look; nothing is entered before the closing.
2. Who asks has the need `bills`, who approves `decide`; the same person never does both.
"""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from hub import pages, shown
from hub.db import Connection, Db
from hub.guard import Who, fresh, need, read_form
from hub.waiver import (
    application_view,
    bill_store,
    closing,
    ledger_store,
    month_store,
    outlook,
    payment_store,
    voucher_web,
)
from hub.waiver.closing import Refused
from hub.waiver.ledger import CASH, RECEIVABLE, NotPosted
from hub.waiver.ledger_store import Which
from hub.waiver.month import AREA
from hub.waiver.month_facts import Facts
from hub.waiver.outlook import Outlook
from hub.waiver.rules import explain, months
from hub.waiver.rules.result import LineResult
from hub.words import WORDS

router = APIRouter()
router.include_router(voucher_web.router)

MONTH = r"^[12][0-9]{3}-(0[1-9]|1[0-2])$"
_PAGE = 100
_LATE_SHOWN = 60
_NOTE = 200

Seer = Annotated[Who, Depends(need("waivers"))]
Asker = Annotated[Who, Depends(fresh("bills"))]
Approver = Annotated[Who, Depends(fresh("decide"))]
Form = Annotated[dict[str, str], Depends(read_form)]
Asked = Annotated[str | None, Query(pattern=MONTH)]
Phone = Annotated[str, Query(max_length=40)]
LineId = Annotated[str, Query(max_length=60)]
PageNumber = Annotated[int, Query(ge=1, le=10_000)]


@router.get("/waiver")
def month(request: Request, who: Seer, month: Asked = None, q: Phone = "", page: PageNumber = 1) -> Response:
    """A month: the one asked for, else the next to be closed."""
    db: Db = request.app.state.db
    return _page(request, who, month or db.read(_next), q=q, number=page)


@router.get("/waiver/line-month")
def line_month(request: Request, who: Seer, month: Asked = None, line: LineId = "") -> Response:
    """One line's month: what it cost, what is waived on which ground and decision, each step, and its entries."""
    if not month or not line:
        return pages.to("/waiver", **({"month": month} if month else {}))
    db: Db = request.app.state.db
    language = pages.language_of(request)

    def gather(conn: Connection) -> dict[str, Any] | None:
        found = outlook.look(conn, month, pages.now_ms())
        result = next((one for one in found.facts.assessment.lines if one.id == line), None)
        if result is None:
            return None
        holder = found.facts.holders[line]
        entries = ledger_store.entries(conn, Which(area=AREA, line_id=holder.line_id), 400)
        about = [one for one in entries if any(leg.of_month == month for leg in one.entry.legs)]
        open_yen = sum(
            leg.yen
            for one in about
            for leg in one.entry.legs
            if (leg.account, leg.line_id, leg.of_month) == (RECEIVABLE, holder.line_id, month)
        )
        return {
            "found": found,
            "line": result,
            "holder": holder,
            "used": found.facts.used.get(holder.line_id),
            "source": found.facts.sources.get(holder.line_id, ""),
            "entries": list(reversed(about)),
            "open_yen": open_yen,
            "names": application_view.rule_names(conn),
            "change": [one for one in found.corrections if one.phone == line and found.closing],
        }

    values = db.read(gather)
    if values is None:
        raise HTTPException(404)
    sentences = [explain.sentence(step, language) for step in values["line"].steps]
    return pages.page(request, "waiver_line_month.html", who, sentences=sentences, known=WORDS, **values)


@router.post("/waiver/close")
def ask(request: Request, who: Asker, sent: Form) -> Response:
    """Asks to close a month as it was looked at, or takes the request back."""
    db: Db = request.app.state.db
    month, act, name, now_ms = _month(sent), sent.get("do"), who.person.name, pages.now_ms()
    note, fingerprint = sent.get("note", "").strip()[:_NOTE], sent.get("fingerprint", "")
    if act == "ask":
        done = db.write_now(lambda conn: closing.ask(conn, month, fingerprint, note, name, now_ms))
    elif act == "withdraw":
        done = db.write_now(lambda conn: closing.end(conn, month, "withdrawn", name, now_ms))
    else:
        raise HTTPException(400)
    return _page(request, who, month, done) if isinstance(done, str) else pages.to("/waiver", month=month)


@router.post("/waiver/approve")
def approve(request: Request, who: Approver, sent: Form) -> Response:
    """Closes what another person asked for, after one more question; or sends it back."""
    db: Db = request.app.state.db
    month, name, now_ms = _month(sent), who.person.name, pages.now_ms()
    if sent.get("do") == "refuse":
        ended = db.write_now(lambda conn: closing.end(conn, month, "refused", name, now_ms))
        return _page(request, who, month, ended) if isinstance(ended, str) else pages.to("/waiver", month=month)
    if sent.get("do") != "approve":
        raise HTTPException(400)
    if sent.get("sure") != "yes":
        return _confirm(request, who, month)
    try:
        done = db.write_now(lambda conn: closing.approve(conn, month, name, now_ms))
    except NotPosted as error:
        return _page(request, who, month, fault=str(error))
    return _page(request, who, month, done) if isinstance(done, str) else pages.to("/waiver", month=month)


@router.post("/waiver/pay")
def pay(request: Request, who: Asker, sent: Form) -> Response:
    """Enters that a bill of a closed month was paid."""
    db: Db = request.app.state.db
    month, day = _month(sent), sent.get("day", "")
    number = int(sent["bill"]) if sent.get("bill", "").isdecimal() and len(sent["bill"]) < 18 else 0
    try:
        db.write_now(lambda conn: payment_store.pay(conn, number, day, who.person.name, pages.now_ms()))
    except NotPosted as error:
        return _page(request, who, month, fault=str(error))
    except LookupError as error:
        raise HTTPException(404) from error
    return pages.to("/waiver", month=month)


def _month(sent: dict[str, str]) -> str:
    month = sent.get("month", "")
    if not re.match(MONTH, month):
        raise HTTPException(400)
    return month


def _next(conn: Connection) -> str:
    last_month = months.later(shown.day_of(pages.now_ms())[:7], -1)
    return outlook.following(conn, [one.month for one in ledger_store.closings(conn, AREA)]) or last_month


def _confirm(request: Request, who: Who, month: str) -> Response:
    found = request.app.state.db.read(lambda conn: outlook.look(conn, month, pages.now_ms()))
    refused = _why_not(found, who.person.name)
    if refused:
        return _page(request, who, month, refused)
    return pages.page(request, "waiver_close_confirm.html", who, found=found, sums=_sums(found.facts))


def _why_not(found: Outlook, name: str) -> Refused | None:
    if found.closing:
        return "closed"
    if found.ask is None:
        return "not_asked"
    if found.ask.asked_by == name:
        return "same_person"
    return None if found.is_asked else "moved"


def _page(
    request: Request,
    who: Who,
    month: str,
    refused: Refused | Literal[""] = "",
    *,
    fault: str = "",
    q: str = "",
    number: int = 1,
) -> Response:
    db: Db = request.app.state.db
    now_ms = pages.now_ms()

    def gather(conn: Connection) -> dict[str, Any]:
        found = outlook.look(conn, month, now_ms)
        totals = ledger_store.totals(conn, AREA, month)
        return {
            "found": found,
            "received_yen": sum(one.yen for one in totals if one.account == CASH),
            "open_yen": ledger_store.balances(conn, area=AREA).get(RECEIVABLE, 0),
            "past": ledger_store.closings(conn, AREA)[:25],
            "differences": {one.id: len(bill_store.open_lines(conn, one.id)) for one in found.facts.bills},
            "payments": {one.id: payment_store.owed(conn, one) for one in found.facts.bills} if found.closing else {},
            "asks": month_store.asks(conn, month),
            "names": application_view.rule_names(conn),
        }

    values = db.read(gather)
    facts: Facts = values["found"].facts
    chosen = [one for one in facts.assessment.lines if _is_found(one, facts, q)]
    begin = (number - 1) * _PAGE
    return pages.page(
        request,
        "waiver_month.html",
        who,
        409 if refused or fault else 200,
        refused=refused,
        fault=fault,
        q=q,
        lines=chosen[begin : begin + _PAGE],
        lines_count=len(chosen),
        number=number,
        more=len(chosen) > begin + _PAGE,
        late_shown=_LATE_SHOWN,
        sums=_sums(facts),
        today=shown.day_of(now_ms),
        **values,
    )


def _is_found(line: LineResult, facts: Facts, q: str) -> bool:
    return not q or q in line.id or q == facts.holders[line.id].resident


def _sums(facts: Facts) -> dict[str, Any]:
    """What a month comes to, of lines that are somebody's."""
    held = [one for one in facts.assessment.lines if facts.holders[one.id].resident_id]
    grounds: dict[str, list[int]] = {}
    for ground in (ground for one in held for ground in one.grounds):
        sums = grounds.setdefault(ground.account, [0, 0])
        sums[0] += 1
        sums[1] += ground.waived
    return {
        "lines": len(facts.gathered.lines),
        "held": len(held),
        "fee": sum(one.total for one in held),
        "waived": sum(one.waived for one in held),
        "share": sum(one.resident for one in held),
        "grounds": sorted(grounds.items()),
    }
