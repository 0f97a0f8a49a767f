"""Receipts as files: in with a look beforehand, a template, out."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from hub import audit, pages, sheet
from hub.db import Connection
from hub.guard import Who, fields, fresh, need
from hub.sheet import CannotRead, Sheet
from hub.staff import draft_store
from hub.staff.plan import Plan, headings
from hub.upload import Upload, read_upload
from hub.waiver import receipt_intake, receipt_store
from hub.waiver.receipt import Receipt
from hub.waiver.receipt_form import FIELDS, NEEDED
from hub.waiver.receipt_web import known_to, list_page
from hub.words import WORDS, word

router = APIRouter()

Form = Annotated[dict[str, str], Depends(fields("token", "digest"))]
File = Annotated[Upload, Depends(read_upload)]
Keeper = Annotated[Who, Depends(need("bills"))]
Sender = Annotated[Who, Depends(need("bills", read_upload))]
# What leaves the house is asked for by somebody who is at the desk.
Taker = Annotated[Who, Depends(fresh("waivers"))]
_KIND = "receipts"
_SHOWN = 300
_EXAMPLE = ("R0001", "2026-11-25", "1,631", "納付書", "", "2026-10")


class Looked(Exception):
    """A file whose look came to something else than was confirmed."""


@router.get("/waiver/receipts.csv")
def csv_out(request: Request, who: Taker, rows: str = "all") -> Response:
    """Every payment as CSV; with `rows=none` a template with an example row."""
    language = pages.language_of(request)
    head = [word(language, field) for field in FIELDS]
    if rows == "none":
        return _file("receipts-template.csv", sheet.csv_file(head, [("20261125-001", *_EXAMPLE)]))
    found = request.app.state.db.read(lambda conn: receipt_store.receipts(conn, limit=-1))
    undone = word(language, "receipt_undone")
    table = [
        [
            one.reference,
            one.number,
            one.day,
            str(one.yen),
            word(language, f"receipt_way_{one.way}"),
            one.phone,
            one.of_month,
            undone if one.undone_by else "",
        ]
        for one in found
    ]
    return _file("receipts.csv", sheet.csv_file([*head, undone], table))


def _file(name: str, content: bytes) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/waiver/receipts/import")
def look(request: Request, who: Sender, file: File) -> Response:
    """What a file would post and what is wrong with it; nothing is posted by this."""
    if file.too_large:
        return list_page(request, who, 413, why="too_large", found=sheet.BYTES // 1_000_000)
    db, token = request.app.state.db, secrets.token_urlsafe(18)
    try:
        read = sheet.read(file.filename, file.content)
        found, _ = db.read(lambda conn: _plan(conn, read))
    except CannotRead as error:
        return list_page(request, who, 422, why=error.why, found=error.found)
    if found.changes:
        draft = (token, _KIND, who.person.name, file.filename, file.content, pages.now_ms())
        db.write_now(lambda conn: draft_store.keep_draft(conn, *draft))
    return _look_page(request, who, token, file.filename, read, found)


@router.post("/waiver/receipts/import/do")
def do(request: Request, who: Keeper, form: Form) -> Response:
    """Posts what was looked at, all of it or nothing; when things have changed meanwhile, shows it anew."""
    token, db, now_ms = form.get("token", ""), request.app.state.db, pages.now_ms()
    kept = db.read(lambda conn: draft_store.draft(conn, token, _KIND, who.person.name, now_ms))
    if kept is None:
        return list_page(request, who, 410, why="gone")
    # Read before: the transaction holds up what devices send.
    name, read = kept[0], sheet.read(*kept)
    try:
        n = db.write_now(lambda conn: _do(conn, who, form, name, read))
    except Looked:
        found, _ = db.read(lambda conn: _plan(conn, read))
        return _look_page(request, who, token, name, read, found, changed=True)
    return pages.to("/waiver/receipts", did="import", n=str(n))


def _plan(conn: Connection, read: Sheet) -> tuple[Plan, list[Receipt]]:
    """What a file comes to now. Raises CannotRead."""
    places, unknown = headings(read.headings, FIELDS, WORDS)
    if not set(NEEDED) <= set(places):
        raise CannotRead("no_receipt_headings")
    entered = {
        reference: (kept.paid, kept.undone_by is not None)
        for reference, kept in receipt_store.by_reference(conn).items()
    }
    return receipt_intake.plan(read.rows, places, unknown, known_to(conn, pages.now_ms()), entered)


def _do(conn: Connection, who: Who, form: dict[str, str], name: str, read: Sheet) -> int:
    """Everything in one transaction; how many payments were posted. Raises Looked."""
    found, new = _plan(conn, read)
    if found.problems or found.digest != form.get("digest"):
        raise Looked
    now_ms, person = pages.now_ms(), who.person.name
    for paid in new:
        receipt_store.enter(conn, paid, now_ms=now_ms, by=person)
    detail = f"new {len(new)}, the same {found.count('same')}, yen {sum(paid.yen for paid in new)}"
    audit.note(conn, now_ms, person, "receipt_import", name[:80], detail)
    draft_store.drop_draft(conn, form["token"])
    return len(new)


def _look_page(
    request: Request,
    who: Who,
    token: str,
    name: str,
    read: Sheet,
    found: Plan,
    *,
    changed: bool = False,
) -> Response:
    values: dict[str, Any] = {"plan": found, "read": read, "name": name, "token": token, "changed": changed}
    status = 409 if changed else 422 if found.problems else 200
    return pages.page(request, "receipt_look.html", who, status, most=_SHOWN, **values)
