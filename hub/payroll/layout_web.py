"""Pages of layouts: those that came with the hub, the town's own; a text to change, with the first rows beside it."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from hub import audit, pages
from hub.attendance import close_store
from hub.db import Connection, Db
from hub.guard import Who, fields, need
from hub.payroll import gather, sample, store
from hub.payroll.choice import Choice, choices, read, said
from hub.payroll.export import export
from hub.payroll.line import Table
from hub.payroll.store import Form
from hub.payroll.writing import CannotWrite, body
from hub.words import Language, word

router = APIRouter()

_ROWS = 3
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_SHOWN_BYTES = 4000

Seer = Annotated[Who, Depends(need("payroll"))]
Sent = Annotated[dict[str, str], Depends(fields("text", "do", "name"))]


@router.get("/payroll/layouts")
def layouts(request: Request, who: Seer, did: str = "") -> Response:
    """All layouts."""
    found = request.app.state.db.read(choices)
    done = did if did in ("kept", "removed") else ""
    return pages.page(request, "payroll_layouts.html", who, choices=found, did=done)


@router.get("/payroll/layouts/{name}")
def edit(request: Request, who: Seer, name: str) -> Response:
    """A layout's text: the town's own to change, another to copy."""
    found = request.app.state.db.read(store.forms).get(name)
    if found is None:
        raise HTTPException(404)
    text = found.text if found.own else _copy(found, set(request.app.state.db.read(store.forms)))
    return _edit(request, who, text, name if found.own else "")


def _copy(form: Form, taken: set[str]) -> str:
    """The text under a name that is free."""
    n = next(n for n in range(2, 1000) if f"{form.name}-{n}" not in taken)
    return form.text.replace(f'name = "{form.name}"', f'name = "{form.name}-{n}"', 1)


def _edit(request: Request, who: Who, text: str, name: str, status: int = 200) -> Response:
    seen = _look(request, text)
    return pages.page(request, "payroll_layout.html", who, status, text=text, name=name, **seen)


@router.post("/payroll/layouts")
def change(request: Request, who: Seer, sent: Sent) -> Response:
    """Looks at a text, keeps it, or forgets a layout."""
    do, text, name = sent.get("do", "look"), _plain(sent.get("text", "")), sent.get("name", "")
    if do not in ("look", "keep", "remove"):
        raise HTTPException(400)
    if do == "remove":
        return _remove(request, who, name)
    choice = _read(text)
    if do == "look" or choice.layout is None or choice.layout.name in store.shipped():
        return _edit(request, who, text, name, 200 if do == "look" else 422)
    kept, now_ms = choice.layout.name, pages.now_ms()

    def write(conn: Connection) -> None:
        store.keep_form(conn, kept, text, now_ms, who.person.name)
        audit.note(conn, now_ms, who.person.name, "payroll_layout", kept)

    request.app.state.db.write_now(write)
    return pages.to("/payroll/layouts", did="kept")


def _remove(request: Request, who: Who, name: str) -> Response:
    def write(conn: Connection) -> bool:
        gone = store.drop_form(conn, name)
        if gone:
            audit.note(conn, pages.now_ms(), who.person.name, "payroll_layout_removed", name)
        return gone

    if not request.app.state.db.write_now(write):
        raise HTTPException(404)
    return pages.to("/payroll/layouts", did="removed")


@router.post("/payroll/layouts/look")
def look(request: Request, who: Seer, sent: Sent) -> Response:
    """The first rows in the layout as it stands there, for the page while somebody types."""
    seen = _look(request, _plain(sent.get("text", "")))
    return HTMLResponse(pages.fragment("_payroll_look.html", pages.language_of(request), **seen))


def _plain(text: str) -> str:
    """A browser sends a line's end as two signs."""
    return text.replace("\r\n", "\n")


def _read(text: str) -> Choice:
    return read(Form("layout", text, own=True))


def _look(request: Request, text: str) -> dict[str, Any]:
    language: Language = pages.language_of(request)
    choice = _read(text)
    if choice.layout is None:
        assert choice.bad is not None  # noqa: S101 (one of the two)
        return {"wrong": said(language, choice.bad), "layout": None}
    if choice.layout.name in store.shipped():
        return {"wrong": word(language, "layout_name_taken", name=choice.layout.name), "layout": None}
    table, real = _first(request.app.state.db)
    letters = request.app.state.db.read(store.letters)
    found = body(choice.layout, table, letters)
    raw = ""
    if choice.layout.format != "xlsx":
        try:
            content = export(choice.layout, table, letters).content
            raw = content.decode(choice.layout.encoding)[:_SHOWN_BYTES]
        except CannotWrite:
            pass
    return {
        "wrong": "",
        "layout": choice.layout,
        "rows": found.texts[:_ROWS],
        "problems": found.problems[:10],
        "real": real,
        "month": table.month,
        "raw": raw,
    }


def _first(db: Db) -> tuple[Table, bool]:
    """Three people of the last closed month, or made-up ones."""

    def find(conn: Connection) -> Table | None:
        months = close_store.closed_months(conn)
        if not months:
            return None
        whole = gather.table(conn, months[0], pages.now_ms())
        return Table(
            month=whole.month,
            version=whole.version,
            hash=whole.hash,
            closed_ms=whole.closed_ms,
            lines=whole.lines[:_ROWS],
        )

    found = db.read(find)
    return (found, True) if found and found.lines else (sample.TABLE, False)
