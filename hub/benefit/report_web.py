"""The report on benefits by kind and month of a fiscal year: page, CSV and xlsx."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from hub import pages, sheet, shown
from hub.benefit import report
from hub.benefit.report import Row
from hub.guard import Who, need
from hub.words import word

router = APIRouter()

Seer = Annotated[Who, Depends(need("waivers"))]
Year = Annotated[int | None, Query(ge=2000, le=2100)]


@router.get("/benefits/report")
def table(request: Request, who: Seer, year: Year = None) -> Response:
    """A fiscal year, the present one unless said."""
    chosen = _year(year)
    rows = request.app.state.db.read(lambda conn: report.rows(conn, chosen))
    values = {"rows": rows, "year": chosen, "this_year": _year(None), "totals": _totals(rows)}
    return pages.page(request, "benefit_report.html", who, **values)


@router.get("/benefits/report.csv")
def csv(request: Request, who: Seer, year: Year = None) -> Response:
    """The same as CSV."""
    head, lines = _cells(request, _year(year))
    return pages.table_file(f"benefits-{_year(year)}.csv", head, lines)


@router.get("/benefits/report.xlsx")
def xlsx(request: Request, who: Seer, year: Year = None) -> Response:
    """The same as xlsx."""
    chosen = _year(year)
    head, lines = _cells(request, chosen)
    return Response(
        sheet.xlsx_file(str(chosen), head, lines),
        media_type=sheet.XLSX,
        headers={"Content-Disposition": f'attachment; filename="benefits-{chosen}.xlsx"'},
    )


def _cells(request: Request, year: int) -> tuple[list[str], list[list[str]]]:
    language = pages.language_of(request)
    rows: Sequence[Row] = request.app.state.db.read(lambda conn: report.rows(conn, year))
    names = ("month", "kind", "granted", "used", "backs", "residents", "yen")
    head = [word(language, f"benefit_report_{name}") for name in names]
    lines = []
    for one in rows:
        name = one.kind.name_en if language == "en" else one.kind.name_ja
        figures = (one.granted, one.used, one.backs, one.residents, one.yen)
        lines.append([one.month, name, *map(str, figures)])
    return head, lines


def _totals(rows: Sequence[Row]) -> dict[str, tuple[int, int]]:
    """Units used and yen, by kind."""
    found: dict[str, tuple[int, int]] = {}
    for one in rows:
        units, yen = found.get(one.kind.code, (0, 0))
        found[one.kind.code] = units + one.used, yen + one.yen
    return found


def _year(asked: int | None) -> int:
    today = shown.day_of(pages.now_ms())
    return asked if asked is not None else int(today[:4]) - (today[5:7] < "04")
