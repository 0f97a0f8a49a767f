"""Months and their days (rule). A month is `YYYY-MM`; days are Japan's."""

from calendar import monthrange
from datetime import date, timedelta


def first_day(month: str) -> date:
    """The month's first day."""
    return date(int(month[:4]), int(month[5:]), 1)


def last_day(month: str) -> date:
    """The month's last day."""
    first = first_day(month)
    return first.replace(day=monthrange(first.year, first.month)[1])


def month_of(day: date) -> str:
    """The month that a day lies in."""
    return f"{day.year:04d}-{day.month:02d}"


def later(month: str, by: int) -> str:
    """The month so many months later."""
    place = int(month[:4]) * 12 + int(month[5:]) - 1 + by
    return f"{place // 12:04d}-{place % 12 + 1:02d}"


def last_of_months(first: date, months: int) -> date:
    """The last day of so many months from a day on: 10 November and one month is 9 December.

    Where the last month has no such day, it ends with the month (民法143条2項).
    """
    there = later(month_of(first), months)
    if first.day > last_day(there).day:
        return last_day(there)
    return first_day(there).replace(day=first.day) - timedelta(days=1)
