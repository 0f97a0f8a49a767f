"""Pages of the carriers' bills: all of them, one with its lines, differences decided by a person."""

from collections import Counter
from typing import Annotated, Any, get_args
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from hub import audit, pages, shown
from hub.db import Connection
from hub.guard import Who, fields, fresh, need
from hub.tablet import usage_store
from hub.tablet.metering import Compared, compare
from hub.waiver import bill_entry, bill_import_web, bill_layout_web, bill_look, bill_store, ledger_store, register_store
from hub.waiver.bill import DECIDED, VERDICTS, Bill, Decision, Line, Verdict, open_differences
from hub.waiver.bill_intake import BadBill
from hub.waiver.bill_layout import BadLayout
from hub.waiver.bill_store import Cannot
from hub.waiver.ledger import NotPosted

router = APIRouter()
router.include_router(bill_import_web.router)
router.include_router(bill_layout_web.router)

_ON_A_PAGE = 100
_NOTE = 200
Seer = Annotated[Who, Depends(need("waivers"))]
Keeper = Annotated[Who, Depends(need("bills"))]
# What leaves the house is asked for by somebody who is at the desk.
Taker = Annotated[Who, Depends(fresh("waivers"))]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]
Page = Annotated[int, Query(ge=1, le=10_000)]
Deciding = Annotated[dict[str, str], Depends(fields("which", "decided", "note"))]
Nothing = Annotated[dict[str, str], Depends(fields())]


@router.get("/waiver/bills")
def bills(request: Request, who: Seer, did: str = "") -> Response:
    """All bills, with what waits for a decision."""

    def gather(conn: Connection) -> dict[str, Any]:
        found = bill_store.every(conn)
        return {
            "bills": found,
            "opens": {one.id: _opens(conn, one) for one in found if one.withdrawn_ms is None},
            "posted": {one.id for one in found if bill_store.is_posted(conn, one)},
            "lines": len(register_store.lines(conn)),
        }

    found = request.app.state.db.read(gather)
    done = did if did == "withdraw" else ""
    return pages.page(request, "bills.html", who, did=done, may_keep=who.may("bills"), **found)


def _opens(conn: Connection, bill: Bill) -> tuple[int, int]:
    """How many differences are open, and how many yen of them wait."""
    found = bill_store.open_lines(conn, bill.id)
    return len(found), sum(one.difference_yen for one in found if one.verdict != "MISSING_LINE")


@router.get("/waiver/bills/{number}")
def one(
    request: Request, who: Seer, number: Number, show: str = "", page: Page = 1, did: str = "", n: int = 0
) -> Response:
    """One bill: what it comes to, each line beside what was expected, our own count beside the carrier's."""
    done = did if did in ("import", "decide", "again") else ""
    return _page(request, who, number, show=show, page=page, did=done, did_n=n)


def _page(request: Request, who: Who, number: int, status: int = 200, **values: Any) -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        bill = bill_store.bill(conn, number)
        if bill is None:
            raise HTTPException(404)
        lines, decisions = bill_store.lines(conn, number), bill_store.decisions(conn, number)
        own = {line_id: one.sim_bytes for line_id, one in usage_store.used(conn, bill.month).items()}
        return {
            "bill": bill,
            "lines": lines,
            "decisions": decisions,
            "own": own,
            "has_file": bill_store.has_file(conn, number),
            "is_posted": bill_store.is_posted(conn, bill),
            "is_closed": ledger_store.is_closed(conn, bill_entry.AREA, bill.month),
        }

    found = request.app.state.db.read(gather)
    lines: list[Line] = found.pop("lines")
    decisions: list[Decision] = found.pop("decisions")
    compared = _compared(lines, found["own"])
    opens = {one.n for one in open_differences(lines, decisions)}
    given = {"show": "", "page": 1, "did": "", "did_n": 0, "wrong": "", **values}
    show = given["show"] if given["show"] in (*VERDICTS, "all", "open", "usage") else ("open" if opens else "all")
    rows = [one for one in lines if _is_shown(one, show, opens, compared)]
    start = (given["page"] - 1) * _ON_A_PAGE
    counts = Counter(one.verdict for one in lines)
    return pages.page(
        request,
        "bill.html",
        who,
        status,
        rows=rows[start : start + _ON_A_PAGE],
        n_rows=len(rows),
        more=start + _ON_A_PAGE < len(rows),
        opens=opens,
        open_counts=Counter(one.verdict for one in lines if one.n in opens),
        counts={verdict: counts[verdict] for verdict in VERDICTS},
        decided={one.n: one for one in decisions},
        compared=compared,
        beyond=sum(one.status == "EXCEPTION" for one in compared.values()),
        waits_yen=sum(one.difference_yen for one in lines if one.n in opens and one.verdict != "MISSING_LINE"),
        fiscal_year=bill_entry.fiscal_year_of(found["bill"]),
        may_keep=who.may("bills") and found["bill"].withdrawn_ms is None,
        **found,
        **given | {"show": show},
    )


def _compared(lines: list[Line], own: dict[int, int]) -> dict[int, Compared]:
    """The carrier's figure beside the tablet's, of lines that have both, by their place in the bill."""
    return {
        one.n: compare(one.used_bytes, own[one.line_id])
        for one in lines
        if one.line_id in own and one.used_bytes is not None and one.line_id is not None
    }


def _is_shown(line: Line, show: str, opens: set[int], compared: dict[int, Compared]) -> bool:
    if show == "open":
        return line.n in opens
    if show == "usage":
        return line.n in compared and compared[line.n].status == "EXCEPTION"
    return show in ("all", line.verdict)


@router.post("/waiver/bills/{number}/withdraw")
def withdraw(request: Request, who: Keeper, number: Number, sent: Nothing) -> Response:
    """Takes a bill back that the ledger has nothing of."""
    now_ms = pages.now_ms()

    def write(conn: Connection) -> None:
        gone = bill_store.withdraw(conn, number, now_ms)
        detail = f"{gone.total_yen} yen, sha256 {gone.file_hash}"
        audit.note(conn, now_ms, who.person.name, "bill_withdraw", f"{gone.carrier} {gone.month}", detail)

    try:
        request.app.state.db.write_now(write)
    except Cannot as error:
        return _page(request, who, number, 409, wrong=f"bill_cannot_{error.why}")
    return pages.to("/waiver/bills", did="withdraw")


@router.get("/waiver/bills/{number}/file")
def file(request: Request, who: Taker, number: Number) -> Response:
    """The file as the carrier sent it."""
    found, content = request.app.state.db.read(
        lambda conn: (bill_store.bill(conn, number), bill_store.content_of(conn, number))
    )
    if found is None or content is None:
        raise HTTPException(404)
    name = quote(found.file_name or f"bill-{number}")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.post("/waiver/bills/{number}/again")
def again(request: Request, who: Keeper, number: Number, sent: Nothing) -> Response:
    """Judges a bill anew, after its lines or its tariff were put right."""
    now_ms, person = pages.now_ms(), who.person.name

    def write(conn: Connection) -> int:
        found = bill_store.bill(conn, number)
        if found is None:
            raise Cannot("gone")
        made = bill_look.again(conn, found, person, now_ms)
        audit.note(conn, now_ms, person, "bill_again", f"{found.carrier} {found.month}", f"sha256 {found.file_hash}")
        return made

    try:
        made = request.app.state.db.write_now(write)
    except Cannot as error:
        return _page(request, who, number, 409, wrong=f"bill_cannot_{error.why}")
    except (BadBill, BadLayout):
        return _page(request, who, number, 409, wrong="bill_cannot_read")
    return pages.to(f"/waiver/bills/{made}", did="again")


@router.post("/waiver/bills/{number}/decide")
def decide(request: Request, who: Keeper, number: Number, sent: Deciding) -> Response:
    """Decides on one difference (`line:3`), or on all open ones of a verdict (`verdict:RATE_CHANGED`)."""
    decided, note = sent.get("decided", ""), sent.get("note", "").strip()[:_NOTE]
    kind, _, name = sent.get("which", "").partition(":")
    is_line = kind == "line" and name.isascii() and name.isdigit() and len(name) < 7
    if decided not in DECIDED or not (is_line or (kind == "verdict" and name in get_args(Verdict))):
        raise HTTPException(400)
    if not note or not note.isprintable():
        return _page(request, who, number, 422, wrong="bill_decide_note")
    now_ms = pages.now_ms()
    made = Decision(0, decided, shown.day_of(now_ms), note, who.person.name, now_ms)

    def write(conn: Connection) -> int:
        open_lines = bill_store.open_lines(conn, number)
        chosen = [int(name)] if is_line else [one.n for one in open_lines if one.verdict == name]
        done = bill_store.decide(conn, number, chosen, made)
        bill = bill_store.bill(conn, number)
        about = f"{bill.carrier} {bill.month}" if bill else str(number)
        audit.note(conn, now_ms, who.person.name, "bill_decide", about, f"{decided} {sent['which']} ({done}): {note}")
        return done

    try:
        done = request.app.state.db.write_now(write)
    except Cannot as error:
        return _page(request, who, number, 409, wrong=f"bill_cannot_{error.why}")
    except NotPosted:
        return _page(request, who, number, 409, wrong="bill_cannot_ledger")
    return pages.to(f"/waiver/bills/{number}", did="decide", n=str(done))
