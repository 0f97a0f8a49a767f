"""The holidays (休日) of a town: the national ones, the days around New Year, and the town's own word over both (rule).

国民の祝日に関する法律 with its substitute holidays and days between two holidays, as the library `jpholiday` knows
them; 29 December to 3 January by the town's ordinance (`Profile.closed_days`).  The library knows no law that is still
to come: a day that a special law moves is written into the town's own table.
"""

import calendar
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

import jpholiday

# What the town's table says of a day: it is a holiday, or it is none although the law or the profile has it so.
Says = Literal["holiday", "workday"]
NEW_YEAR = "年末年始の休日"


@lru_cache(maxsize=64)
def national(year: int) -> Mapping[date, str]:
    """The national holidays of a year, with their names."""
    return MappingProxyType(dict(jpholiday.year_holidays(year)))


def holiday_names(
    first: date, last: date, closed_days: Iterable[str], entries: Mapping[date, tuple[Says, str]] | None = None
) -> dict[date, str]:
    """Every holiday from `first` through `last` with its name; what the town's table says comes last and wins."""
    closed, entries = tuple(closed_days), entries or {}
    found: dict[date, str] = {}
    for year in range(first.year, last.year + 1):
        found |= {_day(year, text): NEW_YEAR for text in closed if _is_day(year, text)}
        found |= national(year)
    for day, (says, name) in entries.items():
        if says == "holiday":
            found[day] = name
        else:
            found.pop(day, None)
    return {day: found[day] for day in sorted(found) if first <= day <= last}


def holidays(
    first: date, last: date, closed_days: Iterable[str], entries: Mapping[date, tuple[Says, str]] | None = None
) -> frozenset[date]:
    """The same days without their names."""
    return frozenset(holiday_names(first, last, closed_days, entries))


def fiscal_year(month: str) -> int:
    """The fiscal year (April to March) of a month, by the year in which it begins.  地方自治法208条."""
    year, number = int(month[:4]), int(month[5:7])
    return year if number >= 4 else year - 1


def fiscal_span(year: int) -> tuple[date, date]:
    """First and last day of a fiscal year."""
    return date(year, 4, 1), date(year + 1, 3, 31)


def month_span(month: str) -> tuple[date, date]:
    """First and last day of a month."""
    year, number = int(month[:4]), int(month[5:7])
    return date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])


def month_after(month: str, by: int = 1) -> str:
    """The month so many months later, or earlier."""
    count = int(month[:4]) * 12 + int(month[5:7]) - 1 + by
    return f"{count // 12:04d}-{count % 12 + 1:02d}"


def month_of(day: date) -> str:
    """The month of a day, YYYY-MM."""
    return f"{day.year:04d}-{day.month:02d}"


def weekday_holidays(days: Iterable[date], year: int) -> int:
    """How many of the days fall on Monday to Friday in a fiscal year: H of the hourly unit's formula."""
    first, last = fiscal_span(year)
    return sum(first <= day <= last and day.weekday() < 5 for day in days)


def reach(month: str) -> tuple[date, date]:
    """The days whose facts a month needs: whole weeks (Sunday to Saturday), a night before and after them."""
    first, last = month_span(month)
    sunday = first - timedelta(days=(first.weekday() + 1) % 7)
    saturday = last + timedelta(days=(5 - last.weekday()) % 7)
    return sunday - timedelta(days=2), saturday + timedelta(days=2)


def _is_day(year: int, text: str) -> bool:
    """29 February is a day in some years only."""
    return int(text[3:]) <= calendar.monthrange(year, int(text[:2]))[1]


def _day(year: int, text: str) -> date:
    return date(year, int(text[:2]), int(text[3:]))
