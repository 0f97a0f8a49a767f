"""Pages of the layouts of carriers' bills: those that came with the hub, the town's own; a text, its example read."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import audit, pages
from hub.db import Connection
from hub.guard import Who, fields, need
from hub.waiver import bill_intake, bill_layout, bill_store
from hub.waiver.bill_intake import BadBill
from hub.waiver.bill_layout import BadLayout
from hub.waiver.bill_say import said
from hub.waiver.rules.months import later
from hub.words import Language, word

router = APIRouter()

_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
Seer = Annotated[Who, Depends(need("waivers"))]
Ruler = Annotated[Who, Depends(need("waiver_rules"))]
Sent = Annotated[dict[str, str], Depends(fields("code", "text", "do", "month"))]


@router.get("/waiver/bills/layouts")
def layouts(request: Request, who: Seer, did: str = "") -> Response:
    """All layouts."""
    found = request.app.state.db.read(bill_store.forms)
    rows = [(form, *_read(form.body, form.code)) for form in found.values()]
    done = did if did in ("kept", "removed") else ""
    return pages.page(request, "bill_layouts.html", who, rows=rows, did=done, may_change=who.may("waiver_rules"))


@router.get("/waiver/bills/layouts/{code}")
def edit(request: Request, who: Seer, code: str) -> Response:
    """A layout's text: the town's own to change, another to copy."""
    found = request.app.state.db.read(bill_store.forms)
    if code not in found:
        raise HTTPException(404)
    form = found[code]
    free = next(n for n in range(2, 1000) if f"{code[:36]}-{n}" not in found)
    return _edit(request, who, form.body, code if form.own else f"{code[:36]}-{free}")


@router.post("/waiver/bills/layouts")
def change(request: Request, who: Ruler, sent: Sent) -> Response:
    """Looks at a text, keeps it, or forgets a layout."""
    do, code = sent.get("do", "look"), sent.get("code", "")
    text = sent.get("text", "").replace("\r\n", "\n")
    if do not in ("look", "keep", "remove"):
        raise HTTPException(400)
    if do == "remove":
        return _remove(request, who, code)
    layout, _ = _read(text, code)
    taken = code in bill_store.shipped() or not _CODE.fullmatch(code)
    if do == "look" or layout is None or taken:
        return _edit(request, who, text, code, 200 if do == "look" else 422, taken=taken)
    now_ms, person = pages.now_ms(), who.person.name

    def write(conn: Connection) -> None:
        bill_store.keep_layout(conn, code, text, person, now_ms)
        audit.note(conn, now_ms, person, "bill_layout", code)

    request.app.state.db.write_now(write)
    return pages.to("/waiver/bills/layouts", did="kept")


def _remove(request: Request, who: Who, code: str) -> Response:
    def write(conn: Connection) -> bool:
        gone = bill_store.drop_layout(conn, code)
        if gone:
            audit.note(conn, pages.now_ms(), who.person.name, "bill_layout_removed", code)
        return gone

    if not request.app.state.db.write_now(write):
        raise HTTPException(404)
    return pages.to("/waiver/bills/layouts", did="removed")


def _edit(request: Request, who: Who, text: str, code: str, status: int = 200, *, taken: bool = False) -> Response:
    own = request.app.state.db.read(bill_store.forms).get(code)
    return pages.page(
        request,
        "bill_layout.html",
        who,
        status,
        text=text,
        code=code,
        taken=taken,
        is_own=own is not None and own.own,
        may_change=who.may("waiver_rules"),
        **_try(pages.language_of(request), text, code),
    )


def _read(text: str, code: str) -> tuple[bill_layout.Layout | None, str]:
    try:
        return bill_layout.read(text, code or "layout"), ""
    except BadLayout as error:
        return None, str(error)


def _try(language: Language, text: str, code: str) -> dict[str, Any]:
    """The layout's own example, read by it: the bill, or what is wrong with the text or with the example."""
    layout, wrong = _read(text, code)
    if layout is None:
        return {"paper": None, "wrong": word(language, "bill_layout_wrong", said=wrong), "layout": None}
    if not layout.example:
        return {"paper": None, "wrong": "", "layout": layout}
    try:
        return {"paper": _example(layout), "wrong": "", "layout": layout}
    except (BadBill, UnicodeEncodeError) as error:
        why = said(language, error) if isinstance(error, BadBill) else word(language, "bill_example_letters")
        return {"paper": None, "wrong": word(language, "bill_example_wrong", said=why), "layout": layout}


def _example(layout: bill_layout.Layout) -> bill_intake.Paper:
    """The example as a bill, of whichever month it says it is. Raises BadBill, UnicodeEncodeError."""
    content = bill_intake.example(layout)
    try:
        return bill_intake.read(content, layout, "2026-11", layout.carrier or "-")
    except BadBill as error:
        if error.why != "month" or not re.fullmatch(r"20\d\d-\d\d", str(error.values["found"])):
            raise
        return bill_intake.read(content, layout, later(str(error.values["found"]), 0), layout.carrier or "-")
