"""The fiscal year (会計年度) and the closing of its books (rule).

A year runs from 1 April to 31 March (地方自治法208条). What is still to be paid or received for it may be until 31 May
(出納整理期間, 235条の5); what is paid later is of the budget of the year in which it is paid (過年度支出).
A telephone bill belongs to the year of its period of use; one that reaches over two years to that of its due date
(施行令143条1項3号).
"""

from datetime import date
from typing import Literal, NamedTuple

from hub.waiver.rules.months import first_day, last_day, later


class Budget(NamedTuple):
    """Which year's budget a payment is from, and whether it is of a year whose books are closed (過年度)."""

    fiscal_year: int
    kind: Literal["current", "past"]


def fiscal_year(day: date) -> int:
    """The fiscal year in which a day lies."""
    return day.year - (day.month < 4)


def fiscal_year_of(month: str) -> int:
    """The fiscal year in which a month lies."""
    return fiscal_year(first_day(month))


def months_of(year: int) -> tuple[str, ...]:
    """The twelve months of a fiscal year, April first."""
    return tuple(later(f"{year:04d}-04", by) for by in range(12))


def year_of_period(first: date, last: date, due: date) -> int:
    """The fiscal year of a bill for use from `first` to `last`, due on `due`."""
    begins, ends = fiscal_year(first), fiscal_year(last)
    return begins if begins == ends else fiscal_year(due)


def last_payment_day(year: int) -> date:
    """The last day on which something is paid or received for a fiscal year: 31 May after it."""
    return date(year + 1, 5, 31)


def budget_of(year: int, paid: date) -> Budget:
    """The budget that a debt of a fiscal year is paid from on a day."""
    if paid <= last_payment_day(year):
        return Budget(year, "current")
    return Budget(fiscal_year(paid), "past")


def begun_months(first: date, last: date) -> int:
    """How many months a stretch of days touches, as fees by months count them (月割): a part counts as one."""
    return max(0, (last.year - first.year) * 12 + last.month - first.month + 1)


def days_of(month: str) -> int:
    """How many days a month has."""
    return last_day(month).day
