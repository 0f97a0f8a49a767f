"""A fiscal year of fees and waivers (rule): assessed, waived, received, and what stood open on 31 May (収入未済).

1. Legs belong to the year of their month of use (April to March, 自治法208条), whenever they were booked.
2. Counted is what was booked through May after the year and received by 31 May (出納整理期間, 235条の5).  What comes
   later changes nothing of a year that is settled; it is carried over (滞納繰越).
3. For the year and for each of its lines: assessed = waived + received + written off + open.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from hub.waiver.ledger import EXPENSE, FEE, PAYABLE, RECEIVABLE, SUSPENSE, WAIVED, WRITTEN_OFF
from hub.waiver.rules.fiscal import last_payment_day


class YearSum(NamedTuple):
    """What an account came to through 31 May, by ground, budget code and month of use (debits above 0)."""

    account: str
    ground: str
    budget_code: str
    of_month: str
    yen: int


class OfGround(NamedTuple):
    """What was waived on a ground in the year."""

    ground: str
    yen: int


class OfMonth(NamedTuple):
    """A month of use: assessed, waived, received, open."""

    month: str
    assessed_yen: int
    waived_yen: int
    received_yen: int
    open_yen: int


class Year(msgspec.Struct, frozen=True, kw_only=True):
    """A fiscal year. `open_yen` is what is not received by 31 May, `overdue_day` that day."""

    year: int
    settled_day: str
    assessed_yen: int
    waived_yen: int
    received_yen: int
    written_off_yen: int
    open_yen: int
    expense_yen: int
    payable_yen: int
    suspense_yen: int
    grounds: tuple[OfGround, ...]
    months: tuple[OfMonth, ...]
    budgets: tuple[tuple[str, int], ...]


def last_month(year: int) -> str:
    """The last month in which anything is booked for a fiscal year: May after it."""
    return f"{year + 1:04d}-05"


def fold(year: int, sums: Iterable[YearSum]) -> Year:
    """The year from its sums."""
    every = list(sums)
    of_month: dict[str, list[YearSum]] = {}
    for one in every:
        of_month.setdefault(one.of_month, []).append(one)
    whole = _month("", every)
    return Year(
        year=year,
        settled_day=last_payment_day(year).isoformat(),
        assessed_yen=whole.assessed_yen,
        waived_yen=whole.waived_yen,
        received_yen=whole.received_yen,
        written_off_yen=_of(every, WRITTEN_OFF),
        open_yen=whole.open_yen,
        expense_yen=_of(every, EXPENSE),
        payable_yen=-_of(every, PAYABLE),
        suspense_yen=_of(every, SUSPENSE),
        grounds=tuple(OfGround(name, yen) for name, yen in _by((one.ground, one) for one in _only(every, WAIVED))),
        months=tuple(_month(name, found) for name, found in sorted(of_month.items()) if name),
        budgets=tuple(_by((one.budget_code, one) for one in _only(every, EXPENSE))),
    )


def _month(name: str, sums: list[YearSum]) -> OfMonth:
    assessed, waived = -_of(sums, FEE), _of(sums, WAIVED)
    left = _of(sums, RECEIVABLE)
    received = assessed - waived - left - _of(sums, WRITTEN_OFF)
    return OfMonth(name, assessed, waived, received, left)


def _of(sums: Iterable[YearSum], account: str) -> int:
    return sum(one.yen for one in sums if one.account == account)


def _only(sums: Iterable[YearSum], account: str) -> list[YearSum]:
    return [one for one in sums if one.account == account]


def _by(named: Iterable[tuple[str, YearSum]]) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for name, one in named:
        found[name] = found.get(name, 0) + one.yen
    return sorted((name, yen) for name, yen in found.items() if yen)
