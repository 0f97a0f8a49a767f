"""Pages of vouchers for the finance system: what a month comes to, the file, and the layouts that the town made."""

import hashlib
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from hub import audit, pages
from hub.db import Connection, Db
from hub.guard import Who, fresh, need, read_form
from hub.waiver import ledger_store, month_store
from hub.waiver.ledger import is_month
from hub.waiver.ledger_store import Closing
from hub.waiver.month import AREA
from hub.waiver.voucher import vouchers
from hub.waiver.voucher_file import FIELDS, SHIPPED, BadLayout, Layout, file, read
from hub.words import WORDS

router = APIRouter()

Seer = Annotated[Who, Depends(need("waivers"))]
Sender = Annotated[Who, Depends(fresh("bills"))]
Ruler = Annotated[Who, Depends(need("waiver_rules"))]
Form = Annotated[dict[str, str], Depends(read_form)]
Month = Annotated[str | None, Query(pattern=r"^[12][0-9]{3}-(0[1-9]|1[0-2])$")]
Code = Annotated[str, Query(max_length=40)]
_ROWS = 500


@router.get("/waiver/vouchers")
def show(request: Request, who: Seer, month: Month = None) -> Response:
    """A month's vouchers, and in which layouts they can be saved; without one, of the month that was closed last."""
    closed = request.app.state.db.read(lambda conn: ledger_store.closings(conn, AREA))
    if month is None and not closed:
        return pages.to("/waiver")
    return _page(request, who, month or closed[0].month)


@router.post("/waiver/vouchers")
def save(request: Request, who: Sender, sent: Form) -> Response:
    """The file of a closed month."""
    db: Db = request.app.state.db
    month, code = sent.get("month", ""), sent.get("layout", "")
    if not is_month(month):
        raise HTTPException(400)
    closing = db.read(lambda conn: _closing(conn, month))
    if closing is None:
        return _page(request, who, month, "wvoucher_not_closed")
    text = db.read(_bodies).get(code)
    if text is None:
        raise HTTPException(400)
    found = db.read(lambda conn: vouchers(month, month_store.voucher_sums(conn, month)))
    try:
        made = file(read(text), found, month, closing.content_hash)
    except BadLayout as error:
        return _page(request, who, month, fault=str(error))
    digest = hashlib.sha256(made.content).hexdigest()
    db.write_now(
        lambda conn: audit.note(
            conn, pages.now_ms(), who.person.name, "voucher_export", month, f"{code} {made.rows} {digest}"
        )
    )
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return Response(made.content, media_type="text/csv", headers=headers)


@router.get("/waiver/vouchers/layout")
def layout(request: Request, who: Ruler, code: Code = "generic") -> Response:
    """A layout as text: one that came with the hub is copied under another name, one's own is changed."""
    bodies = request.app.state.db.read(_bodies)
    if code not in bodies:
        raise HTTPException(404)
    return _layout_page(request, who, code if code not in SHIPPED else "", bodies[code])


@router.post("/waiver/vouchers/layout")
def keep(request: Request, who: Ruler, sent: Form) -> Response:
    """Keeps a layout, or removes it."""
    db: Db = request.app.state.db
    code, body, name, now_ms = sent.get("code", "").strip(), sent.get("body", ""), who.person.name, pages.now_ms()
    plain = code.isascii() and 1 <= len(code) <= 40 and all(one.isalnum() or one in "-_" for one in code)
    if not plain or code in SHIPPED:
        return _layout_page(request, who, code, body, "wvoucher_bad_code")
    if sent.get("do") == "remove":
        db.write_now(lambda conn: _remove(conn, code, name, now_ms))
        return pages.to("/waiver/vouchers/layout")
    try:
        read(body)
    except BadLayout as error:
        return _layout_page(request, who, code, body, fault=str(error))
    db.write_now(lambda conn: _keep(conn, code, body, name, now_ms))
    return pages.to("/waiver/vouchers/layout", code=code)


def _keep(conn: Connection, code: str, body: str, name: str, now_ms: int) -> None:
    month_store.keep_layout(conn, code, body, name, now_ms)
    audit.note(conn, now_ms, name, "voucher_layout", code)


def _remove(conn: Connection, code: str, name: str, now_ms: int) -> None:
    month_store.drop_layout(conn, code)
    audit.note(conn, now_ms, name, "voucher_layout_removed", code)


def _closing(conn: Connection, month: str) -> Closing | None:
    return next((one for one in ledger_store.closings(conn, AREA) if one.month == month), None)


def _bodies(conn: Connection) -> dict[str, str]:
    """Every layout's text by code, those that came with the hub first."""
    shipped = {
        code: msgspec.json.format(msgspec.json.encode(body), indent=2).decode() for code, body in SHIPPED.items()
    }
    return shipped | {one.code: one.body for one in month_store.layouts(conn)}


def _titles(bodies: dict[str, str]) -> dict[str, str]:
    found = {}
    for code, text in bodies.items():
        try:
            shown: Layout | None = read(text)
        except BadLayout:
            shown = None
        found[code] = shown.title if shown and shown.title else code
    return found


def _page(request: Request, who: Who, month: str, problem: str = "", fault: str = "") -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        return {
            "rows": vouchers(month, month_store.voucher_sums(conn, month)),
            "closing": _closing(conn, month),
            "layouts": _titles(_bodies(conn)),
        }

    values = request.app.state.db.read(gather)
    status = 409 if problem or fault else 200
    return pages.page(
        request,
        "waiver_vouchers.html",
        who,
        status,
        month=month,
        problem=problem,
        fault=fault,
        known=WORDS,
        shown_rows=_ROWS,
        **values,
    )


def _layout_page(request: Request, who: Who, code: str, body: str, problem: str = "", fault: str = "") -> Response:
    bodies = request.app.state.db.read(_bodies)
    return pages.page(
        request,
        "waiver_voucher_layout.html",
        who,
        400 if problem or fault else 200,
        code=code,
        body=body,
        problem=problem,
        fault=fault,
        fields=FIELDS,
        layouts=_titles(bodies),
        own=set(bodies) - set(SHIPPED),
    )
