"""Pages of punches that come as another clock's file: which column is what, what a row comes to, and then "do it"."""

import secrets
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from hub import audit, pages, sheet
from hub.attendance import punch_intake_store as store
from hub.attendance.punch_intake import COLUMNS, Column, Given, Plan, given, guess, plan
from hub.db import Connection
from hub.guard import Who, fields, need
from hub.sheet import CannotRead
from hub.staff import store as staff
from hub.upload import Upload, read_upload

router = APIRouter()

_KIND = "punches"
_SHOWN = 200
_SOURCE = 60
File = Annotated[Upload, Depends(read_upload)]
Clerk = Annotated[Who, Depends(need("attend"))]
Sender = Annotated[Who, Depends(need("attend", read_upload))]
_PLACES = tuple(f"at_{column}" for column in COLUMNS)
Sent = Annotated[dict[str, str], Depends(fields("token", "digest", "unknown", *_PLACES))]


class Looked(Exception):
    """A file whose look came to something else than was confirmed."""


@router.get("/attendance/punches/import")
def start(request: Request, who: Clerk, n: int = -1) -> Response:
    """Where a file is chosen."""
    return _page(request, who, n=n)


def _page(request: Request, who: Who, status: int = 200, **values: Any) -> Response:
    total, why = request.app.state.db.read(store.count), values.pop("why", "")
    # Two of them have words of their own here.
    key = {"csv_only": "punch_csv_only", "no_headings": "punch_no_headings"}.get(why, f"import_{why}" if why else "")
    given_ = {"n": -1, "found": "", **values}
    return pages.page(request, "punch_import.html", who, status, total=total, why=key, **given_)


@router.post("/attendance/punches/import")
def upload(request: Request, who: Sender, file: File) -> Response:
    """A first look at a file, its columns guessed; nothing is taken in by this."""
    if file.too_large:
        return _page(request, who, 413, why="too_large", found=sheet.BYTES // 1_000_000)
    try:
        table = _read(file.filename, file.content)
    except CannotRead as error:
        return _page(request, who, 422, why=error.why, found=error.found)
    token, now_ms = secrets.token_urlsafe(18), pages.now_ms()
    draft = (token, _KIND, who.person.name, file.filename, file.content, now_ms)
    request.app.state.db.write_now(lambda conn: staff.keep_draft(conn, *draft))
    return _look(request, who, token, file.filename, table, guess(table))


@router.post("/attendance/punches/import/look")
def look(request: Request, who: Clerk, sent: Sent) -> Response:
    """Another look, with the columns as somebody said they are."""
    kept = _draft(request, who, sent)
    if kept is None:
        return _page(request, who, 410, why="gone")
    name, table = kept
    return _look(request, who, sent["token"], name, table, _places(sent, table), unknown=sent.get("unknown", ""))


@router.post("/attendance/punches/import/do")
def do(request: Request, who: Clerk, sent: Sent) -> Response:
    """Does what was looked at, all of it or nothing; when things have changed meanwhile, shows it anew."""
    kept = _draft(request, who, sent)
    if kept is None:
        return _page(request, who, 410, why="gone")
    name, table = kept
    places, unknown = _places(sent, table), sent.get("unknown", "")
    try:
        n = request.app.state.db.write_now(lambda conn: _do(conn, who, sent, name, table, places))
    except Looked:
        return _look(request, who, sent["token"], name, table, places, unknown=unknown, changed=True)
    return pages.to("/attendance/punches/import", n=str(n))


def _read(name: str, content: bytes) -> Given:
    if content[:4] == b"PK\x03\x04":
        # A spreadsheet's own file has days without their times, once it is read as text.
        raise CannotRead("csv_only")
    found = sheet.read(name, content)
    return given(found.headings, found.rows)


def _draft(request: Request, who: Who, sent: Mapping[str, str]) -> tuple[str, Given] | None:
    token, now_ms = sent.get("token", ""), pages.now_ms()
    kept = request.app.state.db.read(lambda conn: staff.draft(conn, token, _KIND, who.person.name, now_ms))
    return None if kept is None else (kept[0], _read(*kept))


def _places(sent: Mapping[str, str], table: Given) -> dict[Column, int]:
    found: dict[Column, int] = {}
    for column in COLUMNS:
        text = sent.get(f"at_{column}", "")
        if text.isascii() and text.isdigit() and len(text) < 4 and int(text) < len(table.headings):
            found[column] = int(text)
    return found


def _look(
    request: Request,
    who: Who,
    token: str,
    name: str,
    table: Given,
    places: Mapping[Column, int],
    **more: Any,
) -> Response:
    unknown, changed = more.get("unknown", ""), more.get("changed", False)
    now_ms = pages.now_ms()
    found: Plan = request.app.state.db.read(
        lambda conn: plan(table, places, store.known(conn, now_ms), leave_unknown=unknown == "leave")
    )
    wrong = found.problems or found.needs
    return pages.page(
        request,
        "punch_import_look.html",
        who,
        409 if changed else 422 if wrong else 200,
        plan=found,
        table=table,
        places=places,
        columns=COLUMNS,
        name=name,
        token=token,
        unknown=unknown,
        changed=changed,
        has_unknown=unknown == "leave" or any(one.why.startswith("unknown") for one in found.problems),
        most=_SHOWN,
    )


def _do(
    conn: Connection, who: Who, sent: Mapping[str, str], name: str, table: Given, places: Mapping[Column, int]
) -> int:
    """Everything in one transaction; how many punches came in. Raises Looked."""
    now_ms = pages.now_ms()
    found = plan(table, places, store.known(conn, now_ms), leave_unknown=sent.get("unknown") == "leave")
    if found.problems or found.needs or found.digest != sent.get("digest"):
        raise Looked
    new = found.new
    store.take_in(conn, new, name[:_SOURCE], now_ms, who.person.name)
    told = (
        f"rows {found.rows}, new {len(new)}, of closed months {found.count('closed')}, there {found.count('there')}, "
        f"left out {found.count('left_out')}"
    )
    audit.note(conn, now_ms, who.person.name, "import_punches", name[:80], told)
    staff.drop_draft(conn, sent["token"])
    return len(new)
