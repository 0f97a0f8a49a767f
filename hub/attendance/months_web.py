"""A department's month: people as rows, their sums by class, what is open; and the same as a file.

Every view is an address: department, order, page.  Months are read from the cache; what it does not have is worked out
and kept first (`timesheet_store.warm`), so the next look costs little.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from hub import pages, sheet
from hub.attendance import close_store, timesheet_store
from hub.attendance.close_store import Close
from hub.attendance.rules.calendar import month_after, month_of
from hub.attendance.rules.kinds import PAY_CLASSES, PayClass
from hub.attendance.rules.result import MonthResult
from hub.attendance.year import nearness
from hub.db import Connection, Db
from hub.guard import Who, fresh, need
from hub.shown import moment
from hub.staff import store as staff
from hub.staff.store import Member
from hub.words import Language, word

router = APIRouter()

_ON_A_PAGE = 50
Sort = Literal["number", "department", "open", "overtime", "yen"]
Seer = Annotated[Who, Depends(need("attendance"))]
# What leaves the house is asked for by somebody who is at the desk.
Taker = Annotated[Who, Depends(fresh("attendance"))]
Month = Annotated[str, Path(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
Page = Annotated[int, Query(ge=1, le=1000)]


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which people in which order."""

    department: str = ""
    sort: Sort = "number"
    page: int = 1

    def query(self, **more: object) -> str:
        """The part of an address behind its path."""
        found = urlencode({**msgspec.to_builtins(self), **more})
        return f"?{found}" if found else ""


class Row(msgspec.Struct, frozen=True):
    """One person's month in a line."""

    member: Member
    department: str
    result: MonthResult
    open_days: int
    flags: int
    presence: int
    regular: int
    near: str


def _asked(department: str = "", sort: Sort = "number", page: Page = 1) -> Asked:
    return Asked(department[:40], sort, page)


AskedFor = Annotated[Asked, Depends(_asked)]


@router.get("/attendance/months")
def months(request: Request, who: Seer) -> Response:
    """The month that goes on."""
    return pages.to(f"/attendance/months/{month_of(moment(pages.now_ms()).date())}")


@router.get("/attendance/months/{month}.csv")
def month_csv(request: Request, who: Taker, month: Month, asked: AskedFor) -> Response:
    """What is seen, whole, as CSV."""
    head, rows = _table(request, month, asked)
    return _file(sheet.csv_file(head, rows), "text/csv; charset=utf-8", f"months-{month}.csv")


@router.get("/attendance/months/{month}.xlsx")
def month_xlsx(request: Request, who: Taker, month: Month, asked: AskedFor) -> Response:
    """The same as xlsx."""
    head, rows = _table(request, month, asked)
    return _file(sheet.xlsx_file(month, head, rows), sheet.XLSX, f"months-{month}.xlsx")


@router.get("/attendance/months/{month}")
def month_page(request: Request, who: Seer, month: Month, asked: AskedFor) -> Response:
    """People of a month."""
    rows, values = _rows(request, month, asked)
    first = (asked.page - 1) * _ON_A_PAGE
    shown = rows[first : first + _ON_A_PAGE]
    return pages.page(
        request,
        "months.html",
        who,
        month=month,
        asked=asked,
        rows=shown,
        people=len(rows),
        last_page=max(1, -(-len(rows) // _ON_A_PAGE)),
        open_days=sum(row.open_days for row in rows),
        yen=sum(row.result.yen for row in rows),
        minutes=_sums(row.result.minutes for row in rows),
        hours=_sums(row.result.hours for row in rows),
        overtime=sum(row.result.overtime_min for row in rows),
        classes=[cls for cls in PAY_CLASSES if any(row.result.minutes.get(cls) for row in rows)],
        before=month_after(month, -1),
        after=month_after(month),
        **values,
    )


def _rows(request: Request, month: str, asked: Asked) -> tuple[list[Row], dict[str, Any]]:
    db: Db = request.app.state.db
    now_ms = pages.now_ms()
    members = db.read(lambda conn: _members(conn, month, asked.department))
    if not db.read(lambda conn: close_store.is_closed(conn, month)):
        timesheet_store.warm(db, list(members), month, now_ms)

    def gather(conn: Connection) -> tuple[dict[int, MonthResult], Close | None, dict[str, str]]:
        close = close_store.latest(conn, month)
        ids = list(members)
        found = close_store.results(conn, close, ids) if close else timesheet_store.months(conn, ids, month, now_ms)
        return found, close, {one.code: one.name for one in staff.departments(conn)}

    results, close, names = db.read(gather)
    rows = [_row(member, results[id_], month) for id_, member in members.items() if id_ in results]
    rows.sort(key=_ORDER[asked.sort])
    return rows, {"close": close, "departments": names}


def _members(conn: Connection, month: str, department: str) -> dict[int, Member]:
    found = staff.members(conn, month)
    return {id_: one for id_, one in found.items() if department in ("", _department(one, month))}


def _department(member: Member, month: str) -> str:
    """Where somebody is at the month's end."""
    return next((terms.department for terms in reversed(member.terms) if month_of(terms.since) <= month), "")


def _row(member: Member, result: MonthResult, month: str) -> Row:
    terms = next((one for one in reversed(member.terms) if month_of(one.since) <= month), None)
    return Row(
        member,
        _department(member, month),
        result,
        sum(one.open for one in result.days),
        sum(len(one.flags) for one in result.days),
        sum(one.presence_min or 0 for one in result.days),
        sum(one.regular_min or 0 for one in result.days),
        nearness(terms.office if terms else "ordinary", result.overtime_min),
    )


_ORDER: dict[Sort, Callable[[Row], tuple[Any, ...]]] = {
    "number": lambda row: (row.member.number,),
    "department": lambda row: (row.department, row.member.number),
    "open": lambda row: (-row.open_days, -row.flags, row.member.number),
    "overtime": lambda row: (-row.result.overtime_min, row.member.number),
    "yen": lambda row: (-row.result.yen, row.member.number),
}


def _sums(parts: Iterable[dict[PayClass, int]]) -> dict[PayClass, int]:
    found: dict[PayClass, int] = {}
    for part in parts:
        for cls, figure in part.items():
            found[cls] = found.get(cls, 0) + figure
    return found


def _table(request: Request, month: str, asked: Asked) -> tuple[list[str], list[list[str]]]:
    rows, values = _rows(request, month, asked)
    language: Language = pages.language_of(request)
    head = [word(language, key) for key in ("staff_number", "name", "department", "file_open", "presence_min")]
    head += [word(language, key) for key in ("regular_minutes", "overtime_min", "sixty_min")]
    for cls in PAY_CLASSES:
        head += [word(language, "file_minutes", cls=cls), word(language, "file_hours", cls=cls)]
    head.append(word(language, "allowance_yen"))
    return head, [_cells(row, values["departments"]) for row in rows]


def _cells(row: Row, departments: dict[str, str]) -> list[str]:
    result, department = row.result, departments.get(row.department) or row.department
    figures = [row.open_days, row.presence, row.regular, result.overtime_min, result.counts_to_60h_min]
    for cls in PAY_CLASSES:
        figures += [result.minutes.get(cls, 0), result.hours.get(cls, 0)]
    return [row.member.number, row.member.name, department, *(str(one) for one in figures), str(result.yen)]


def _file(content: bytes, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
