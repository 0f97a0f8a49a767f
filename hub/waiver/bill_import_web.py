"""Pages of importing a carrier's bill: choose a file, look at what it comes to, do it."""

import secrets
from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from hub import audit, pages, shown
from hub.db import Connection
from hub.guard import Who, fields, need
from hub.staff.draft_store import draft, drop_draft, keep_draft
from hub.upload import Upload, upload_of
from hub.waiver import bill_layout, bill_look, bill_store, register_store
from hub.waiver.bill import VERDICTS
from hub.waiver.bill_intake import BadBill
from hub.waiver.bill_layout import BadLayout
from hub.waiver.bill_look import Asked, Look
from hub.waiver.bill_say import said
from hub.waiver.ledger import is_month
from hub.waiver.rules.months import later
from hub.words import Language, word

router = APIRouter()

_KIND = "bill"
_SHOWN = 200
_PATH = "/waiver/bills/import"
# Three thousand lines of a few records each, of 510 bytes.
_FILE_BYTES = 16_000_000
_read_file = upload_of(_FILE_BYTES)
File = Annotated[Upload, Depends(_read_file)]
Keeper = Annotated[Who, Depends(need("bills"))]
Sender = Annotated[Who, Depends(need("bills", _read_file))]
Sent = Annotated[dict[str, str], Depends(fields("token", "digest", "month", "carrier", "layout", "total"))]
Asking = Annotated[str, Query(max_length=60)]


class Looked(Exception):
    """A file whose look came to something else than was confirmed."""


class _Wrong(Exception):
    """Something typed that cannot be: a word (`bill_ask_…`)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@router.get(_PATH)
def start(request: Request, who: Keeper, month: Asking = "", carrier: Asking = "") -> Response:
    """Where a file is chosen."""
    return _page(request, who, month=month, carrier=carrier)


def _page(request: Request, who: Who, status: int = 200, **values: Any) -> Response:
    """`wrong` is a whole sentence."""

    def gather(conn: Connection) -> dict[str, Any]:
        lines = register_store.lines(conn)
        return {
            "carriers": sorted({one.carrier for one in lines if one.carrier}),
            "lines": len(lines),
            "layouts": _layouts(conn),
            "before": {one.carrier: one.layout for one in reversed(bill_store.every(conn))},
        }

    now = shown.day_of(pages.now_ms())[:7]
    given = {"wrong": "", "month": "", "carrier": "", "layout": "", "total": "", **values}
    given["month"] = given["month"] if is_month(given["month"]) else later(now, -1)
    found = request.app.state.db.read(gather)
    before = found.pop("before")
    if not given["carrier"] and len(found["carriers"]) == 1:
        given["carrier"] = found["carriers"][0]
    # What was used for this carrier last.
    given["layout"] = given["layout"] or before.get(given["carrier"], "")
    return pages.page(request, "bill_import.html", who, status, **found, **given)


def _layouts(conn: Connection) -> dict[str, str]:
    """Titles by code of the layouts that can be read."""
    found = {}
    for code, form in bill_store.forms(conn).items():
        try:
            found[code] = bill_layout.read(form.body, code).title or code
        except BadLayout:
            continue
    return found


@router.post(_PATH)
def upload(request: Request, who: Sender, file: File) -> Response:
    """A look at a file; nothing is imported by this."""
    language = pages.language_of(request)
    typed = {name: file.get(name, "")[:60] for name in ("month", "carrier", "layout", "total")}
    if file.too_large:
        too_large = word(language, "import_too_large", found=_FILE_BYTES // 1_000_000)
        return _page(request, who, 413, wrong=too_large, **typed)
    db, now_ms = request.app.state.db, pages.now_ms()
    try:
        asked = _asked(typed)
        found = db.read(lambda conn: _look(conn, file.content, asked))
    except (_Wrong, BadBill, BadLayout) as error:
        return _page(request, who, 422, wrong=_told(language, error), **typed)
    token = secrets.token_urlsafe(18)
    kept = (token, _KIND, who.person.name, file.filename, file.content, now_ms)
    db.write_now(lambda conn: keep_draft(conn, *kept))
    return _look_page(request, who, token, file.filename, asked, found)


@router.post(f"{_PATH}/do")
def do(request: Request, who: Keeper, sent: Sent) -> Response:
    """Imports what was looked at, all of it or nothing; when things have changed meanwhile, shows it anew."""
    language, db, now_ms = pages.language_of(request), request.app.state.db, pages.now_ms()
    token = sent.get("token", "")
    kept = db.read(lambda conn: draft(conn, token, _KIND, who.person.name, now_ms))
    if kept is None:
        return _page(request, who, 410, wrong=word(language, "import_gone"))
    name, content = kept
    try:
        asked = _asked(sent)
        number = db.write_now(lambda conn: _keep(conn, who, sent, name, content, asked))
    except (_Wrong, BadBill, BadLayout) as error:
        return _page(request, who, 422, wrong=_told(language, error))
    except Looked:
        found = db.read(lambda conn: _look(conn, content, asked))
        return _look_page(request, who, token, name, asked, found, changed=True)
    return pages.to(f"/waiver/bills/{number}", did="import")


def _asked(typed: dict[str, str]) -> Asked:
    """What was typed beside the file. Raises _Wrong."""
    month, carrier, total = typed.get("month", ""), typed.get("carrier", "").strip(), typed.get("total", "")
    if not is_month(month):
        raise _Wrong("month")
    if not carrier or not carrier.isprintable():
        raise _Wrong("carrier")
    figures = total.replace(",", "").removesuffix("円").strip()
    if figures and not (figures.isascii() and figures.isdigit() and len(figures) < 11):
        raise _Wrong("total")
    return Asked(month, carrier, typed.get("layout", ""), int(figures) if figures else None)


def _look(conn: Connection, content: bytes, asked: Asked) -> Look:
    """What a file comes to. Raises BadBill, BadLayout, _Wrong."""
    form = bill_store.forms(conn).get(asked.layout)
    if form is None:
        raise _Wrong("layout")
    paper = bill_look.read(content, bill_layout.read(form.body, form.code), asked)
    return bill_look.look(conn, paper, bill_look.hash_of(content))


def _look_page(
    request: Request, who: Who, token: str, name: str, asked: Asked, found: Look, *, changed: bool = False
) -> Response:
    counts = Counter(one.verdict for one in found.lines)
    return pages.page(
        request,
        "bill_look.html",
        who,
        409 if changed or found.against else 200,
        look=found,
        asked=asked,
        name=name,
        token=token,
        changed=changed,
        counts={verdict: counts[verdict] for verdict in VERDICTS},
        waits_yen=sum(one.difference_yen for one in found.lines if one.verdict != "MISSING_LINE"),
        rows=sorted(found.lines, key=lambda one: (one.verdict == "OK", one.n))[:_SHOWN],
        most=_SHOWN,
    )


def _keep(conn: Connection, who: Who, sent: dict[str, str], name: str, content: bytes, asked: Asked) -> int:
    """Everything in one transaction; the bill's number. Raises Looked."""
    found = _look(conn, content, asked)
    if found.against or found.digest != sent.get("digest"):
        raise Looked
    now_ms, person = pages.now_ms(), who.person.name
    made = bill_look.as_bill(found, asked, name, bill_look.hash_of(content), person, now_ms)
    number = bill_store.keep(conn, made, found.lines, content)
    detail = f"{made.total_yen} yen, lines {len(found.paper.rows)}, file {name[:80]}, sha256 {made.file_hash}"
    audit.note(conn, now_ms, person, "bill_import", f"{made.carrier} {made.month}", detail)
    drop_draft(conn, sent["token"])
    return number


def _told(language: Language, error: Exception) -> str:
    """One sentence about what is wrong with a file, its layout, or what was typed."""
    if isinstance(error, BadBill):
        return said(language, error)
    if isinstance(error, _Wrong):
        return word(language, f"bill_ask_{error.why}")
    return word(language, "bill_layout_wrong", said=error)
