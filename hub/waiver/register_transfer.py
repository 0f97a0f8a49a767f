"""Residents and lines as files: out, an example, and in with a look beforehand."""

import secrets
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import audit, pages, sheet, shown
from hub.db import Connection
from hub.guard import Who, fresh, need, read_form
from hub.inventory import store as inventory
from hub.sheet import CannotRead, Sheet
from hub.staff import draft_store
from hub.staff.plan import Fate, Plan, headings
from hub.upload import Upload, read_upload
from hub.waiver import line_web, register_store, resident_web, tariff_store
from hub.waiver.register import LineTariff, Use
from hub.waiver.register_form import LINE, shown_phone
from hub.waiver.register_intake import LINE_COLUMNS, RESIDENT_COLUMNS, KnownLine, plan_lines, plan_residents
from hub.words import WORDS, word

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
File = Annotated[Upload, Depends(read_upload)]
Enterer = Annotated[Who, Depends(need("apply"))]
# What leaves the house is asked for by somebody who is at the desk.
Taker = Annotated[Who, Depends(fresh("apply"))]
Sender = Annotated[Who, Depends(need("apply", read_upload))]

Kind = Literal["residents", "lines"]
KINDS: tuple[Kind, ...] = ("residents", "lines")
_SHOWN = 300
# What an example says, in the order of the columns.
_EXAMPLES: dict[Kind, tuple[dict[str, str], ...]] = {
    "residents": (
        {"resident_number": "1001", "resident_district": "北町", "resident_from": "2026-04-01"},
        {"resident_number": "1002", "resident_district": "南町", "resident_from": "2026-04-01"},
    ),
    "lines": (
        {
            "line_phone": "090-0000-0001",
            "line_iccid": "8981100000000000001",
            "line_carrier": "A通信",
            "line_budget": "2-1-1-11",
            "line_from": "2026-04-01",
            "line_tariff": "data-3gb",
            "use_resident": "1001",
            "use_from": "2026-04-10",
        },
        {
            "line_phone": "090-0000-0002",
            "line_carrier": "A通信",
            "line_from": "2026-04-01",
            "line_tariff": "data-3gb",
        },
    ),
}


class Looked(Exception):
    """A file whose look came to something else than was confirmed."""


def _kind(kind: str) -> Kind:
    for known in KINDS:
        if kind == known:
            return known
    raise HTTPException(404)


def _columns(conn: Connection, kind: Kind) -> list[str]:
    if kind == "lines":
        return list(LINE_COLUMNS)
    kept = inventory.names_kept(conn)
    return [field for field in RESIDENT_COLUMNS if kept or field != "resident_name"]


@router.get("/waiver/import")
def import_page(request: Request, who: Enterer, did: str = "", n: int = 0) -> Response:
    """Files out, examples, files in."""
    return _page(request, who, did=did if did in KINDS else "", n=n)


def _page(request: Request, who: Who, status: int = 200, **more: Any) -> Response:
    columns = request.app.state.db.read(lambda conn: {kind: _columns(conn, kind) for kind in KINDS})
    given = {"did": "", "n": 0, "why": "", "found": "", **more}
    return pages.page(request, "register_import.html", who, status, columns=columns, **given)


# ---- files out


@router.get("/waiver/file/{name}")
def file_out(
    request: Request, who: Taker, name: str, form: str = "csv", rows: Literal["all", "example"] = "all"
) -> Response:
    """Everything of a kind as a file that can be taken in again, or an example of one."""
    known, language = _kind(name), pages.language_of(request)
    if form not in ("xlsx", "csv"):
        raise HTTPException(400)

    def gather(conn: Connection) -> tuple[list[str], list[dict[str, str]]]:
        return _columns(conn, known), list(_EXAMPLES[known]) if rows == "example" else _rows(conn, known)

    columns, found = request.app.state.db.read(gather)
    head = [word(language, field) for field in columns]
    table = [[row.get(field, "") for field in columns] for row in found]
    file = f"{known}-example" if rows == "example" else f"{known}-{shown.day_of(pages.now_ms())}"
    if form == "csv":
        content, media = sheet.csv_file(head, table), "text/csv; charset=utf-8"
    else:
        content, media = sheet.xlsx_file(known, head, table), sheet.XLSX
    headers = {"Content-Disposition": f'attachment; filename="{file}.{form}"'}
    return Response(content, media_type=media, headers=headers)


def _rows(conn: Connection, kind: Kind) -> list[dict[str, str]]:
    if kind == "residents":
        return [resident_web.values_of(one) for one in register_store.residents(conn)]
    found = []
    for one in _lines(conn).values():
        row = one.values | {"line_phone": shown_phone(one.line.phone), "line_tariff": one.tariff}
        held = next((use for use in one.uses if not use.to_day), None)
        found.append(row | ({"use_resident": one.resident, "use_from": held.from_day} if held else {}))
    return found


def _lines(conn: Connection) -> dict[str, KnownLine]:
    numbers = register_store.resident_numbers(conn)
    uses: dict[int, list[Use]] = {}
    for use in register_store.uses(conn):
        uses.setdefault(use.line_id, []).append(use)
    tariffs = register_store.tariffs_in(conn, "9999-12")
    found = {}
    for one in register_store.lines(conn):
        its = tuple(uses.get(one.id, ()))
        now = next((numbers[use.resident_id] for use in its if not use.to_day), "")
        tariff = tariffs.get(one.id)
        found[one.phone] = KnownLine(one, line_web.values_of(one), tariff.code if tariff else "", its, now)
    return found


# ---- files in


@router.post("/waiver/import/{name}")
def look(request: Request, who: Sender, file: File, name: str) -> Response:
    """What becomes of each row of a file, and what is wrong with it; nothing is changed by this."""
    known = _kind(name)
    if file.too_large:
        return _page(request, who, 413, why="too_large", found=sheet.BYTES // 1_000_000)
    db, token = request.app.state.db, secrets.token_urlsafe(18)
    try:
        read = sheet.read(file.filename, file.content)
        found = db.read(lambda conn: _PLANS[known](conn, read))
    except CannotRead as error:
        return _page(request, who, 422, why=error.why, found=error.found)
    if found.changes:
        draft = (token, f"waiver_{known}", who.person.name, file.filename, file.content, pages.now_ms())
        db.write_now(lambda conn: draft_store.keep_draft(conn, *draft))
    return _look_page(request, who, known, (token, file.filename), read, found)


@router.post("/waiver/import/{name}/do")
def do(request: Request, who: Enterer, form: Form, name: str) -> Response:
    """Does what was looked at, all of it or nothing; when things have changed meanwhile, shows it anew."""
    known, token = _kind(name), form.get("token", "")
    db, now_ms = request.app.state.db, pages.now_ms()
    asked = (token, f"waiver_{known}", who.person.name, now_ms)
    kept = db.read(lambda conn: draft_store.draft(conn, *asked))
    if kept is None:
        return _page(request, who, 410, why="gone")
    # Read before: the transaction holds up what devices send.
    file, read = kept[0], sheet.read(*kept)
    try:
        n = db.write_now(lambda conn: _do(conn, known, who.person.name, form, file, read))
    except Looked:
        found = db.read(lambda conn: _PLANS[known](conn, read))
        return _look_page(request, who, known, (token, file), read, found, changed=True)
    return pages.to("/waiver/import", did=known, n=str(n))


def _look_page(
    request: Request,
    who: Who,
    kind: Kind,
    draft: tuple[str, str],
    read: Sheet,
    found: Plan,
    *,
    changed: bool = False,
) -> Response:
    return pages.page(
        request,
        "register_look.html",
        who,
        409 if changed else 422 if found.problems else 200,
        kind=kind,
        plan=found,
        read=read,
        token=draft[0],
        name=draft[1],
        changed=changed,
        most=_SHOWN,
        words=WORDS,
    )


def _plan_residents(conn: Connection, read: Sheet) -> Plan:
    """What a file comes to now. Raises CannotRead."""
    places, unknown = headings(read.headings, _columns(conn, "residents"), WORDS)
    if "resident_number" not in places:
        raise CannotRead("no_resident_heading")
    known = {one.number: resident_web.values_of(one) for one in register_store.residents(conn)}
    return plan_residents(read.rows, places, unknown, known)


def _plan_lines(conn: Connection, read: Sheet) -> Plan:
    places, unknown = headings(read.headings, LINE_COLUMNS, WORDS)
    if "line_phone" not in places:
        raise CannotRead("no_phone_heading")
    tariffs = {one.code for one in tariff_store.tariffs(conn)}
    residents = register_store.resident_numbers(conn).values()
    closed = tariff_store.closed_through(conn)
    return plan_lines(read.rows, places, unknown, _lines(conn), tariffs, residents, closed)


_PLANS: dict[Kind, Callable[[Connection, Sheet], Plan]] = {"residents": _plan_residents, "lines": _plan_lines}


# ---- doing it


def _do(conn: Connection, kind: Kind, who: str, form: dict[str, str], name: str, read: Sheet) -> int:
    """Everything in one transaction; how many rows came to something. Raises Looked."""
    found = _PLANS[kind](conn, read)
    if found.problems or found.digest != form.get("digest"):
        raise Looked
    now_ms = pages.now_ms()
    for fate in found.changes:
        _APPLY[kind](conn, fate, who, now_ms)
    detail = f"new {found.count('new')}, changed {found.count('changed')}, the same {found.count('same')}"
    audit.note(conn, now_ms, who, "import_residents" if kind == "residents" else "import_lines", name[:80], detail)
    draft_store.drop_draft(conn, form["token"])
    return len(found.changes)


def _apply_resident(conn: Connection, fate: Fate, who: str, now_ms: int) -> None:
    one = register_store.resident_by_number(conn, fate.label)
    if one is None:
        resident_web.add(conn, fate.do, who, now_ms)
    else:
        resident_web.put(conn, one, fate.do, who, now_ms)


def _apply_line(conn: Connection, fate: Fate, who: str, now_ms: int) -> None:
    own = {field: value for field, value in fate.do.items() if field in LINE}
    one = register_store.line_by_phone(conn, fate.label)
    if one is not None:
        line_web.put(conn, one, own, who, now_ms)
    number = line_web.add(conn, own, who, now_ms) if one is None else one.id
    if "line_tariff" in fate.do:
        price = int(fate.do["line_list_price"]) if "line_list_price" in fate.do else None
        tariff = LineTariff(fate.do["line_tariff_from"], fate.do["line_tariff"], price)
        line_web.put_tariff(conn, number, fate.label, tariff, who, now_ms)
    if "use_resident" in fate.do:
        resident = register_store.resident_by_number(conn, fate.do["use_resident"])
        if resident is None:
            raise Looked
        first = fate.do["use_from"]
        register_store.hand_over(conn, Use(0, number, resident.id, None, None, first, "", 0, 0), now_ms)
        audit.note(conn, now_ms, who, "line_hand_over", shown_phone(fate.label), f"{resident.number} {first}")


_APPLY: dict[Kind, Callable[[Connection, Fate, str, int], None]] = {
    "residents": _apply_resident,
    "lines": _apply_line,
}
