"""The page of letters that a payroll cannot take: whose names they are in, and what is written instead."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import audit, pages, shown
from hub.attendance.rules import calendar
from hub.db import Connection
from hub.guard import Who, fields, need
from hub.payroll import store
from hub.payroll.cell import Letters
from hub.payroll.store import LetterKind
from hub.staff import store as staff
from hub.writable import Encoding, Unwritable, cannot_write, unwritable

router = APIRouter()

_WRITTEN = re.compile(r"[^\x00-\x1f\x7f]{0,40}")
# What almost every payroll takes at most.
_NARROWEST: Encoding = "cp932"

Seer = Annotated[Who, Depends(need("payroll"))]
Sent = Annotated[dict[str, str], Depends(fields("kind", "what", "written"))]


@router.get("/payroll/letters")
def letters(request: Request, who: Seer, did: str = "") -> Response:
    """Names that Shift_JIS cannot write, and the table of what is written instead."""
    return _page(request, who, did=did if did == "kept" else "")


def _page(request: Request, who: Who, status: int = 200, **values: Any) -> Response:
    def look(conn: Connection) -> dict[str, Any]:
        return {
            "wrong": _wrong(conn, store.letters(conn)),
            "kept": store.letter_list(conn),
            "names_kept": staff.names_kept(conn),
        }

    found = request.app.state.db.read(look)
    return pages.page(
        request, "payroll_letters.html", who, status, **found, **{"did": "", "why": "", "form": None, **values}
    )


def _wrong(conn: Connection, known: Letters) -> list[Unwritable]:
    """Of those who work here this month or did in the last one."""
    now = shown.day_of(pages.now_ms())[:7]
    members = {**staff.members(conn, calendar.month_after(now, -1)), **staff.members(conn, now)}
    names = [(one.number, known.name(one.number, one.name)) for one in members.values()]
    return cannot_write(sorted(names), _NARROWEST)


@router.post("/payroll/letters")
def keep(request: Request, who: Seer, sent: Sent) -> Response:
    """Says what is written instead of a letter or of somebody's name; nothing: as it is."""
    kind, what, written = sent.get("kind", ""), sent.get("what", "").strip(), sent.get("written", "").strip()
    if kind not in ("letter", "number"):
        raise HTTPException(400)
    asked: LetterKind = "letter" if kind == "letter" else "number"
    why = _why_not(asked, what, written)
    if not why and asked == "number":
        known = request.app.state.db.read(lambda conn: staff.by_number(conn, what))
        why = "" if known else "number"
    if why:
        return _page(request, who, 422, why=why, form=sent)
    now_ms = pages.now_ms()

    def write(conn: Connection) -> None:
        store.keep_letter(conn, asked, what, written, now_ms, who.person.name)
        # What stands for a name is a name: the log has the number alone.
        told = f"{what} → {written or '–'}" if asked == "letter" else what
        audit.note(conn, now_ms, who.person.name, "payroll_letter", asked, told)

    request.app.state.db.write_now(write)
    return pages.to("/payroll/letters", did="kept")


def _why_not(kind: LetterKind, what: str, written: str) -> str:
    if kind == "letter" and len(what) != 1:
        return "one_letter"
    if not what:
        return "number"
    if not _WRITTEN.fullmatch(written):
        return "length"
    return "still" if unwritable(written, _NARROWEST) else ""
