"""Pages of the whole inventory: files out, files in with a look beforehand, whether borrowers' names are kept."""

import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import audit, pages, sheet, shown
from hub.db import Connection
from hub.guard import Who, fresh, need, read_form
from hub.inventory import store
from hub.inventory.intake import COLUMNS, Change, Plan, headings, plan, row_of
from hub.sheet import CannotRead
from hub.upload import Upload, read_upload
from hub.words import WORDS, Language, word

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
File = Annotated[Upload, Depends(read_upload)]
Seer = Annotated[Who, Depends(need("devices"))]
# What leaves the house is asked for by somebody who is at the desk.
Taker = Annotated[Who, Depends(fresh("devices"))]
Keeper = Annotated[Who, Depends(need("inventory"))]
Sender = Annotated[Who, Depends(need("inventory", read_upload))]

_SHOWN = 200
_DETAIL = 2000
_TITLE = "inventory"


class Looked(Exception):
    """A file whose look came to something else than was confirmed."""


# ---- the inventory as a whole


@router.get("/inventory")
def inventory(request: Request, who: Seer, did: str = "", n: int = 0) -> Response:
    """What is there, files out and in, and what is kept of borrowers."""
    return _page(request, who, did=did if did in ("import", "keep_names", "forget_names") else "", n=n)


def _page(request: Request, who: Who, status: int = 200, **values: Any) -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        today = shown.day_of(pages.now_ms())
        items = store.everything(conn)
        return {
            "total": len(items),
            "entered": sum(item.id > 0 for item in items),
            "unheard": sum(not item.device for item in items),
            "lent": sum(item.loan is not None for item in items),
            "overdue": store.overdue(conn, today),
            "names_kept": store.names_kept(conn),
        }

    known = request.app.state.db.read(gather)
    given = {"did": "", "n": 0, "why": "", "found": "", **values}
    return pages.page(request, "inventory.html", who, status, may_change=who.may("inventory"), **known, **given)


@router.post("/inventory/names")
def names(request: Request, who: Keeper, form: Form) -> Response:
    """Whether the names of borrowers are kept; when not, those that are there are forgotten."""
    if form.get("names") not in ("kept", "forgotten"):
        raise HTTPException(400)
    kept = form["names"] == "kept"
    did: Literal["keep_names", "forget_names"] = "keep_names" if kept else "forget_names"

    def write(conn: Connection) -> int:
        n = store.keep_names(conn, kept=kept)
        audit.note(conn, pages.now_ms(), who.person.name, did, "", str(n) if n else "")
        return n

    return pages.to("/inventory", did=did, n=str(request.app.state.db.write_now(write)))


# ---- files out


@router.get("/inventory.csv")
def csv_out(request: Request, who: Taker) -> Response:
    """Everything as CSV; what comes back unchanged changes nothing."""
    head, rows = _table(request, who)
    return _file("csv", "text/csv; charset=utf-8", sheet.csv_file(head, rows))


@router.get("/inventory.xlsx")
def xlsx_out(request: Request, who: Taker) -> Response:
    """The same as xlsx."""
    head, rows = _table(request, who)
    return _file("xlsx", sheet.XLSX, sheet.xlsx_file(_TITLE, head, rows))


def _file(ending: str, media_type: str, content: bytes) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="inventory-{shown.day_of(pages.now_ms())}.{ending}"'}
    return Response(content, media_type=media_type, headers=headers)


def _table(request: Request, who: Who) -> tuple[list[str], list[list[str]]]:
    """Names of borrowers only for whoever lends."""
    language = pages.language_of(request)

    def gather(conn: Connection) -> tuple[list[str], list[list[str]]]:
        named = store.names_kept(conn) and who.may("inventory")
        columns = [field for field in COLUMNS if named or field != "loan_name"]
        rows = [row_of(item) for item in store.everything(conn)]
        return [word(language, field) for field in columns], [
            [_shown(language, field, row[field]) for field in columns] for row in rows
        ]

    found: tuple[list[str], list[list[str]]] = request.app.state.db.read(gather)
    return found


def _shown(language: Language, field: str, value: str) -> str:
    return word(language, f"kind_{value}") if field == "kind" and value and f"kind_{value}" in WORDS else value


# ---- files in


@router.post("/inventory/import")
def look(request: Request, who: Sender, file: File) -> Response:
    """What a file would change and what is wrong with it; nothing is changed by this."""
    if file.too_large:
        return _page(request, who, 413, why="too_large", found=sheet.BYTES // 1_000_000)
    db, token = request.app.state.db, secrets.token_urlsafe(18)
    try:
        read = sheet.read(file.filename, file.content)
        found = db.read(lambda conn: _plan(conn, read))
    except CannotRead as error:
        return _page(request, who, 422, why=error.why, found=error.found)
    if found.changes:
        draft = (token, who.person.name, file.filename, file.content, pages.now_ms())
        db.write_now(lambda conn: store.keep_draft(conn, *draft))
    return _look_page(request, who, token, file.filename, read, found)


@router.post("/inventory/import/do")
def do(request: Request, who: Keeper, form: Form) -> Response:
    """Does what was looked at, all of it or nothing; when things have changed meanwhile, shows it anew."""
    token = form.get("token", "")
    db, now_ms = request.app.state.db, pages.now_ms()
    kept = db.read(lambda conn: store.draft(conn, token, who.person.name, now_ms))
    if kept is None:
        return _page(request, who, 410, why="gone")
    # Read before: the transaction holds up what devices send.
    name, read = kept[0], sheet.read(*kept)
    try:
        n = db.write_now(lambda conn: _do(conn, who, form, name, read))
    except Looked:
        found = db.read(lambda conn: _plan(conn, read))
        return _look_page(request, who, token, name, read, found, changed=True)
    return pages.to("/inventory", did="import", n=str(n))


def _look_page(
    request: Request, who: Who, token: str, name: str, read: sheet.Sheet, found: Plan, *, changed: bool = False
) -> Response:
    return pages.page(
        request,
        "inventory_import.html",
        who,
        409 if changed else 422 if found.problems else 200,
        plan=found,
        read=read,
        name=name,
        token=token,
        changed=changed,
        most=_SHOWN,
    )


def _plan(conn: Connection, read: sheet.Sheet) -> Plan:
    """What a file comes to now. Raises CannotRead."""
    places, unknown = headings(read.headings, WORDS)
    if not {"device", "asset", "serial"} & set(places):
        raise CannotRead("no_headings")
    today, names_kept = shown.day_of(pages.now_ms()), store.names_kept(conn)
    return plan(read.rows, places, unknown, store.everything(conn), today=today, names_kept=names_kept)


def _do(conn: Connection, who: Who, form: Mapping[str, str], name: str, read: sheet.Sheet) -> int:
    """Everything in one transaction; how many things were changed. Raises Looked."""
    found = _plan(conn, read)
    if found.problems or found.digest != form.get("digest"):
        raise Looked
    now_ms, person = pages.now_ms(), who.person.name
    for change in found.changes:
        _apply(conn, change, person, now_ms)
    store.join(conn, now_ms)
    new = found.new
    detail = (
        f"rows {found.rows}, new {new}, changed {len(found.changes) - new}, the same {found.rows - len(found.changes)}"
    )
    audit.note(conn, now_ms, person, "import_inventory", name[:80], detail)
    store.drop_draft(conn, form["token"])
    return len(found.changes)


def _apply(conn: Connection, change: Change, person: str, now_ms: int) -> None:
    number = change.item_id or store.enter(conn, change.device_id, now_ms)
    if change.item_id and change.device_id is not None:
        store.set_device(conn, number, change.device_id)
    store.change(conn, number, {k: v for k, v in change.after.items() if not k.startswith("loan_")}, now_ms)
    if change.lends:
        store.lend(conn, number, change.after, person)
    elif change.prolongs:
        store.prolong(conn, number, change.after["loan_until"])
    audit.note(conn, now_ms, person, "inventory", change.label, told(change.before, change.after))


def told(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Each changed field for the audit log; a borrower's name is not repeated there."""
    parts = [
        f"{field}: …" if field == "loan_name" else f"{field}: {before.get(field, '') or '–'} → {value or '–'}"
        for field, value in after.items()
    ]
    return "; ".join(parts)[:_DETAIL]
