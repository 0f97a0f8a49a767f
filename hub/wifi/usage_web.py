"""Pages of the Wi-Fi: what it is used for, by place and hour."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import pages, sheet, shown
from hub.db import Connection
from hub.guard import Who, fresh, need
from hub.wifi import month as months
from hub.wifi import purge_store, usage_store
from hub.wifi.month import Cell
from hub.words import Language, word

router = APIRouter()

_MONTH = re.compile(r"20[2-9][0-9]-(0[1-9]|1[0-2])")

_NOWHERE = "?"

Seer = Annotated[Who, Depends(need("wifi"))]
# What leaves the house is asked for by somebody who is at the desk.
Taker = Annotated[Who, Depends(fresh("wifi"))]
By = Literal["day", "hour"]


@router.get("/wifi/usage")
def usage(request: Request, who: Seer, month: str = "", place: str = "") -> Response:
    """A month: its days and hours, and when it was full."""
    month = _month(month)

    def gather(conn: Connection) -> dict[str, Any]:
        fewest = purge_store.setting(conn).fewest
        hours, devices = usage_store.hours(conn, month, _where(place)), usage_store.devices(conn, month)
        return {
            "month": months.month_of(month, hours, devices, fewest),
            "fewest": fewest,
            "places": usage_store.places(conn),
            "first_ms": usage_store.first_month(conn),
        }

    values = request.app.state.db.read(gather)
    newest = shown.day_of(pages.now_ms())[:7]
    return pages.page(
        request,
        "wifi_usage.html",
        who,
        chosen=month,
        place=place,
        before=months.neighbour(month, -1),
        after=months.neighbour(month, 1) if month < newest else "",
        levels=months.LEVELS,
        **values,
    )


@router.get("/wifi/usage.csv")
def usage_csv(request: Request, who: Taker, month: str = "", place: str = "", by: By = "day") -> Response:
    """A month as CSV: by place and day, or the steps of its hours."""
    headings, rows = _table(request, _month(month), place, by)
    return _file(sheet.csv_file(headings, rows), "text/csv; charset=utf-8", f"wifi-{by}-{_month(month)}.csv")


@router.get("/wifi/usage.xlsx")
def usage_xlsx(request: Request, who: Taker, month: str = "", place: str = "", by: By = "day") -> Response:
    """The same for a spreadsheet."""
    headings, rows = _table(request, _month(month), place, by)
    return _file(sheet.xlsx_file("Wi-Fi", headings, rows), sheet.XLSX, f"wifi-{by}-{_month(month)}.xlsx")


def _month(month: str) -> str:
    if not month:
        return shown.day_of(pages.now_ms())[:7]
    if not _MONTH.fullmatch(month):
        raise HTTPException(400)
    return month


def _where(place: str) -> str | None:
    """The place that is meant: None for all; `?` is where nobody has entered one."""
    return None if not place else place.removeprefix(_NOWHERE)


def _table(request: Request, month: str, place: str, by: By) -> tuple[list[str], list[list[str]]]:
    language = pages.language_of(request)

    def gather(conn: Connection) -> list[list[str]]:
        hours = usage_store.hours(conn, month, _where(place))
        if by == "hour":
            return _hour_rows(hours)
        fewest = purge_store.setting(conn).fewest
        cells = months.cells_of(hours, usage_store.devices(conn, month), fewest)
        return [[where, day, *_cells(cell, language, fewest)] for where, day, cell in cells]

    columns = _DAY_COLUMNS if by == "day" else _HOUR_COLUMNS
    return [word(language, key) for key in columns], request.app.state.db.read(gather)


_DAY_COLUMNS = (
    "wifi_place",
    "wifi_day",
    "wifi_sessions",
    "wifi_devices",
    "wifi_most",
    "wifi_bytes",
    "wifi_airtime_percent",
)
_HOUR_COLUMNS = ("wifi_place", "wifi_day", "wifi_hour", "wifi_at_least", "wifi_airtime_percent")


def _cells(cell: Cell | None, language: Language, fewest: int) -> list[str]:
    if cell is None:
        few = word(language, "wifi_few", n=fewest)
        return [few, few, few, few, ""]
    devices = "" if cell.devices is None else str(cell.devices)
    return [str(cell.sessions), devices, str(cell.most_sessions), str(cell.bytes), _percent(cell.airtime_permille)]


def _hour_rows(hours: Sequence[months.Hour]) -> list[list[str]]:
    """By place; several access points of one count together."""
    sums: dict[tuple[str, int], tuple[int, int | None]] = {}
    for one in hours:
        sessions, airtime = sums.get((one.place, one.hour_ms), (0, None))
        known = [figure for figure in (airtime, one.airtime_permille) if figure is not None]
        sums[one.place, one.hour_ms] = (sessions + one.sessions, max(known, default=None))
    rows = []
    for (place, hour_ms), (sessions, airtime) in sorted(sums.items()):
        step = months.level(sessions)
        least = str(months.LEVELS[step - 1]) if step else "0"
        rows.append([place, shown.day_of(hour_ms), str(shown.moment(hour_ms).hour), least, _percent(airtime)])
    return rows


def _percent(permille: int | None) -> str:
    return "" if permille is None else f"{permille // 10}.{permille % 10}"


def _file(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
