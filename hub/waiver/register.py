"""Residents, lines and who uses which (rule): values, and what may not be.

1. A resident is a number; a name only where the town keeps names.
2. Days are text, YYYY-MM-DD, as the calendar in Japan has them; an empty last day is open, a last day counts.
3. A line is one resident's at a time; it is used within its contract only.
"""

import calendar
import re
from collections.abc import Iterable

import msgspec


class Resident(msgspec.Struct, frozen=True, gc=False):
    """Somebody to whom the town lends or waives something."""

    id: int
    number: str
    name: str
    district: str
    note: str
    from_day: str
    to_day: str


class Line(msgspec.Struct, frozen=True, gc=False):
    """A contract with a carrier: phone number, SIM, from when to when."""

    id: int
    phone: str
    iccid: str
    carrier: str
    budget_code: str
    from_day: str
    to_day: str
    note: str


class Use(msgspec.Struct, frozen=True, gc=False):
    """That a line is somebody's, from a day to a day, with a thing and its loan where there is one.

    `from_ms`, `to_ms`: the moments of hand-over and return, for counters; 0 where only the day is known.
    """

    id: int
    line_id: int
    resident_id: int
    item_id: int | None
    loan_id: int | None
    from_day: str
    to_day: str
    from_ms: int
    to_ms: int


class LineTariff(msgspec.Struct, frozen=True, gc=False):
    """Which tariff a line has from a month of use on; `list_price_yen` is the price without a discount, if told."""

    from_month: str
    code: str
    list_price_yen: int | None


# Open ends compare as the last day there is.
LAST = "9999-12-31"


def last_of(month: str) -> str:
    """The last day of a month (YYYY-MM)."""
    return f"{month}-{calendar.monthrange(int(month[:4]), int(month[5:]))[1]:02}"


def overlap(first: str, last: str, other_first: str, other_last: str) -> bool:
    """Whether two stretches of days share one; an empty last day is open."""
    return first <= (other_last or LAST) and other_first <= (last or LAST)


def cannot_use(line: Line, uses: Iterable[Use], first: str, last: str) -> str:
    """Why a line cannot be used from `first` to `last` (open: empty): a word, or empty for nothing against it."""
    if last and last < first:
        return "after_first"
    if first < line.from_day or (line.to_day and first > line.to_day):
        return "within_contract"
    if any(overlap(first, last, one.from_day, one.to_day) for one in uses):
        return "one_at_a_time"
    return ""


def next_number(number: str) -> str:
    """The number after this one: its last figures counted on by one, as wide as they were; empty for none."""
    found = re.fullmatch(r"(.*?)(\d+)(\D*)", number, re.DOTALL)
    if found is None:
        return ""
    before, figures, after = found.groups()
    return f"{before}{int(figures) + 1:0{len(figures)}d}{after}"
