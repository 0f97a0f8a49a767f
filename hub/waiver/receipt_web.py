"""Pages of receipts: what was paid, a form for one more, and taking one back."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import audit, pages, shown
from hub.db import Connection
from hub.guard import Who, fields, need
from hub.staff.form import Wrong
from hub.waiver import ledger_store, receipt_store, register_store
from hub.waiver.ledger import Conflict, NotPosted
from hub.waiver.receipt import WAYS
from hub.waiver.receipt_form import FIELDS, Known, read
from hub.waiver.receipt_store import Kept
from hub.waiver.register_form import shown_phone

router = APIRouter()

Seer = Annotated[Who, Depends(need("waivers"))]
Keeper = Annotated[Who, Depends(need("bills"))]
Form = Annotated[dict[str, str], Depends(fields(*FIELDS))]
Why = Annotated[dict[str, str], Depends(fields("note"))]
_PAGE_SIZE = 50
_DID = ("entered", "same", "undone", "import")
_NOTE_LENGTH = 200


@router.get("/waiver/receipts")
def receipts(
    request: Request, who: Seer, before: pages.Before = None, did: str = "", n: int = 0, resident: str = ""
) -> Response:
    """What was paid, the newest first, and a form for one more (of `resident`, where the address says so)."""
    typed = {"receipt_resident": resident[:20]} if resident else {}
    return list_page(request, who, before=before, did=did if did in _DID else "", n=n, typed=typed)


def list_page(request: Request, who: Who, status: int = 200, **more: Any) -> Response:
    """The page of receipts, also after something went wrong."""
    given = {"before": None, "did": "", "n": 0, "wrong": [], "why": "", "found": "", "typed": {}, **more}

    def gather(conn: Connection) -> dict[str, Any]:
        found = receipt_store.receipts(conn, before=given["before"], limit=_PAGE_SIZE + 1)
        return {
            "receipts": found[:_PAGE_SIZE],
            "more": len(found) > _PAGE_SIZE,
            "free": receipt_store.free_reference(conn, shown.day_of(pages.now_ms())),
            "residents": bool(conn.execute("SELECT 1 FROM resident LIMIT 1").fetchone()),
            "done": receipt_store.one(conn, given["n"]) if given["did"] in ("entered", "same", "undone") else None,
        }

    known = request.app.state.db.read(gather)
    today = shown.day_of(pages.now_ms())
    typed = {"receipt_day": today, "receipt_reference": known["free"], **given.pop("typed")}
    may_enter = who.may("bills")
    values = {
        "phone": shown_phone,
        "typed": typed,
        "may_enter": may_enter,
        "ways": WAYS,
        "fields": FIELDS,
        **given,
        **known,
    }
    return pages.page(request, "receipts.html", who, status, **values)


@router.post("/waiver/receipts")
def enter(request: Request, who: Keeper, form: Form) -> Response:
    """Enters a payment."""
    now_ms = pages.now_ms()

    def write(conn: Connection) -> tuple[int, bool, list[Wrong]]:
        paid, wrong = read(form, known_to(conn, now_ms))
        if paid is None:
            return 0, False, wrong
        try:
            posted = receipt_store.enter(conn, paid, now_ms=now_ms, by=who.person.name)
        except Conflict:
            return 0, False, [Wrong("receipt_reference", paid.reference, "not_taken")]
        kept = receipt_store.of_reference(conn, paid.reference)
        assert kept is not None  # noqa: S101 (it was entered just now)
        if posted.new:
            audit.note(conn, now_ms, who.person.name, "receipt_enter", paid.reference, f"{kept.number} {paid.yen}")
        return kept.id, posted.new, []

    number, new, wrong = request.app.state.db.write_now(write)
    if wrong:
        return list_page(request, who, 422, wrong=wrong, typed=form)
    return pages.to("/waiver/receipts", did="entered" if new else "same", n=str(number))


def known_to(conn: Connection, now_ms: int) -> Known:
    """Who and what a payment can be about."""
    return Known(
        residents={number: id_ for id_, number in register_store.resident_numbers(conn).items()},
        lines={line.phone: line.id for line in register_store.lines(conn)},
        today=shown.day_of(now_ms),
    )


@router.get("/waiver/receipts/{number}")
def one(request: Request, who: Seer, number: int) -> Response:
    """One payment: where it went, and taking it back."""
    return _one(request, who, number)


def _one(request: Request, who: Who, number: int, status: int = 200, problem: str = "") -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        found = _found(conn, number)
        entry = ledger_store.entry(conn, found.seq)
        assert entry is not None  # noqa: S101 (a receipt is kept with its entry)
        legs = zip(entry.entry.legs, entry.written.names, strict=True)
        return {"one": found, "parts": [(leg.of_month, name.phone, -leg.yen) for leg, name in legs if leg.yen < 0]}

    known = request.app.state.db.read(gather)
    return pages.page(
        request, "receipt.html", who, status, may_undo=who.may("bills"), problem=problem, phone=shown_phone, **known
    )


def _found(conn: Connection, number: int) -> Kept:
    found = receipt_store.one(conn, number) if 0 < number <= pages.LAST_ID else None
    if found is None:
        raise HTTPException(404)
    return found


@router.post("/waiver/receipts/{number}")
def undo(request: Request, who: Keeper, number: int, form: Why) -> Response:
    """Takes a payment back: the ledger says its opposite, and both stay to be read."""
    note, now_ms = form.get("note", "").strip(), pages.now_ms()
    if not note or len(note) > _NOTE_LENGTH or not note.isprintable():
        return _one(request, who, number, 422, problem="note")

    def write(conn: Connection) -> bool:
        kept = _found(conn, number)
        if kept.undone_by is not None:
            return False
        day = shown.day_of(now_ms)
        receipt_store.undo(conn, kept, day=day, note=note, now_ms=now_ms, by=who.person.name)
        audit.note(conn, now_ms, who.person.name, "receipt_undo", kept.reference, note)
        return True

    try:
        done = request.app.state.db.write_now(write)
    except NotPosted:
        return _one(request, who, number, 409, problem="not_undone")
    return pages.to("/waiver/receipts", did="undone", n=str(number)) if done else pages.to(f"/waiver/receipts/{number}")
