"""Pages of payroll files: a month in a layout, what it cannot write, the file, and what left the house.

1. A closed month's file is recorded: of what, its digest, who and when.  An open month's is a preview, named so, and
   never recorded.
2. The same file again is made again, and given only when its digest is the same.
"""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from hub import audit, pages, shown
from hub.attendance import close_store, timesheet_store
from hub.attendance.rules import calendar
from hub.db import Connection, Db
from hub.guard import Who, fields, fresh, need
from hub.payroll import compare_web, gather, layout_web, letter_web, store
from hub.payroll.cell import Letters, left_out
from hub.payroll.choice import Choice, choices, chosen, close_check, said
from hub.payroll.export import Export, export
from hub.payroll.form import Layout
from hub.payroll.line import Table
from hub.payroll.store import Left
from hub.payroll.writing import CannotWrite, body
from hub.staff import store as staff

__all__ = ["close_check", "router"]

router = APIRouter()
router.include_router(layout_web.router)
router.include_router(letter_web.router)
router.include_router(compare_web.router)

_MONTH = re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])")
_ROWS_SHOWN = 5
_PROBLEMS_SHOWN = 100
_MONTHS_SHOWN = 24

Seer = Annotated[Who, Depends(need("payroll"))]
# What leaves the house is asked for by somebody who is at the desk.
Taker = Annotated[Who, Depends(fresh("payroll"))]
Sent = Annotated[dict[str, str], Depends(fields("month", "layout"))]


@router.get("/payroll")
def payroll(
    request: Request,
    who: Seer,
    month: Annotated[str, Query(max_length=7)] = "",
    layout: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """A month in a layout: first rows, sums, what cannot be written; the files that left the house."""
    return _page(request, who, month, layout)


def _page(request: Request, who: Who, month: str, name: str, status: int = 200, why: str = "") -> Response:
    db: Db = request.app.state.db
    if month and not _MONTH.fullmatch(month):
        raise HTTPException(400)
    now_ms = pages.now_ms()
    month = month or db.read(_default_month)
    _warm(db, month, now_ms)

    def look(conn: Connection) -> dict[str, Any]:
        found = choices(conn)
        one = chosen(found, name, store.layouts_used(conn))
        table = gather.table(conn, month, now_ms)
        return {
            "choices": found,
            "layout_name": one,
            "months": _months(conn, month),
            "later": len(close_store.versions(conn, month)) - 1,
            "left": _left(store.left(conn)),
            "names_kept": staff.names_kept(conn),
            **_seen(found[one], table, store.letters(conn)),
        }

    language = pages.language_of(request)
    values = db.read(look)
    bad = [said(language, one.bad) for one in values["choices"].values() if one.bad]
    return pages.page(request, "payroll.html", who, status, month=month, why=why, bad=bad, **values)


def _seen(choice: Choice, table: Table, letters: Letters) -> dict[str, Any]:
    layout = choice.layout
    assert layout is not None  # noqa: S101 (what is chosen can be read)
    found = body(layout, table, letters)
    adjusted = [one for line in table.lines for one in line.adjusted]
    return {
        "layout": layout,
        "table": table,
        "rows": found.texts[:_ROWS_SHOWN],
        "row_count": len(found.texts),
        "sums": found.sums,
        "problems": found.problems[:_PROBLEMS_SHOWN],
        "problem_count": len(found.problems),
        "adjusted": adjusted,
        "adjusted_yen": sum(one.yen for one in adjusted),
        "left_out": left_out(layout, table),
        "total_yen": sum(line.yen for line in table.lines),
    }


def _left(found: list[Left]) -> list[tuple[Left, bool]]:
    """Each file, and whether an earlier one of the same month and layout had other bytes."""
    seen: dict[tuple[str, str], str] = {}
    told = []
    for one in reversed(found):
        before = seen.get((one.month, one.layout))
        told.append((one, before is not None and before != one.sha256))
        seen[one.month, one.layout] = one.sha256
    return told[::-1]


def _default_month(conn: Connection) -> str:
    closed = close_store.closed_months(conn)
    return closed[0] if closed else calendar.month_after(shown.day_of(pages.now_ms())[:7], -1)


def _months(conn: Connection, month: str) -> list[tuple[str, bool]]:
    """Months that can be chosen and whether they are closed, the latest first."""
    closed = set(close_store.closed_months(conn)[:_MONTHS_SHOWN])
    now = shown.day_of(pages.now_ms())[:7]
    found = closed | {month, now, calendar.month_after(now, -1)}
    return [(one, one in closed) for one in sorted(found, reverse=True)]


def _warm(db: Db, month: str, now_ms: int) -> None:
    """An open month is worked out beside whoever writes."""
    ids = db.read(lambda conn: [] if gather.close(conn, month) else list(staff.members(conn, month)))
    if ids:
        timesheet_store.warm(db, ids, month, now_ms)


# ---- files


@router.post("/payroll/file")
def take(request: Request, who: Taker, sent: Sent) -> Response:
    """The file of a month; that of a closed one is recorded."""
    db: Db = request.app.state.db
    month, name, now_ms = sent.get("month", ""), sent.get("layout", ""), pages.now_ms()
    if not _MONTH.fullmatch(month):
        raise HTTPException(400)
    _warm(db, month, now_ms)
    table, layout, letters = db.read(lambda conn: _basis(conn, month, name, now_ms))
    try:
        made = export(layout, table, letters)
    except CannotWrite:
        return _page(request, who, month, name, 409, "cannot")
    if table.preview:
        db.write_now(
            lambda conn: audit.note(conn, now_ms, who.person.name, "payroll_preview", month, _told(name, made))
        )
        return _file(made._replace(name=f"preview-{made.name}"))
    left = Left(0, month, table.version, name, made.sha256, made.rows, now_ms, who.person.name)

    def write(conn: Connection) -> None:
        store.record(conn, left)
        audit.note(conn, now_ms, who.person.name, "payroll_export", f"{month} v{table.version}", _told(name, made))

    db.write_now(write)
    return _file(made)


@router.get("/payroll/files/{number}")
def again(request: Request, who: Taker, number: Annotated[int, Path(ge=1, le=pages.LAST_ID)]) -> Response:
    """A file that left the house, once more: the same bytes, or not at all."""
    db: Db = request.app.state.db
    now_ms = pages.now_ms()
    left = db.read(lambda conn: store.one_left(conn, number))
    if left is None:
        raise HTTPException(404)
    try:
        table, layout, letters = db.read(lambda conn: _basis(conn, left.month, left.layout, now_ms))
        made = export(layout, table, letters)
    except (CannotWrite, HTTPException):
        return _page(request, who, left.month, left.layout, 409, "otherwise")
    if made.sha256 != left.sha256:
        return _page(request, who, left.month, left.layout, 409, "otherwise")
    what = f"{left.month} v{left.version}"
    db.write_now(
        lambda conn: audit.note(
            conn, now_ms, who.person.name, "payroll_export", what, f"again; {_told(left.layout, made)}"
        )
    )
    return _file(made)


def _basis(conn: Connection, month: str, name: str, now_ms: int) -> tuple[Table, Layout, Letters]:
    choice = choices(conn).get(name)
    if choice is None or choice.layout is None:
        raise HTTPException(404)
    return gather.table(conn, month, now_ms), choice.layout, store.letters(conn)


def _told(name: str, made: Export) -> str:
    return f"{name}; rows {made.rows}; sha256 {made.sha256}"


def _file(made: Export) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"', "X-Content-SHA256": made.sha256}
    return Response(made.content, media_type=made.media_type, headers=headers)
