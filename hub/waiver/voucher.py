"""What a month of the ledger comes to for the finance system (rule): a row a kind of entry, budget code and account.

1. The town's books are the finance system's; our ledger is the sub-ledger that it is fed from, once a month.
2. Of one kind of entry in one fiscal year debits and credits come to the same; a reversal counts to what it reverses.
3. A row says the year that the facts lie in, and from which year's budget it is paid: through 31 May that year's own
   (出納整理期間, 自治法235条の5), later that of the year in which it is booked (過年度, 施行令165条の8).
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

from hub.waiver.ledger import ACCOUNTS
from hub.waiver.rules.fiscal import budget_of, fiscal_year_of
from hub.waiver.rules.months import last_day

Period = Literal["in_year", "settling", "past"]


class Sum(NamedTuple):
    """What one account came to in a month: by kind of entry, budget code and fiscal year; debits above 0."""

    kind: str
    account: str
    budget_code: str
    fiscal_year: int
    yen: int
    entries: int


class Voucher(msgspec.Struct, frozen=True, kw_only=True):
    """A row for the finance system.

    `period`: booked in its own year, in the two months in which that year's books are settled, or after these.
    """

    number: int
    month: str
    day: str
    kind: str
    account: str
    budget_code: str
    fiscal_year: int
    budget_year: int
    period: Period
    debit_yen: int
    credit_yen: int
    entries: int


def vouchers(month: str, sums: Iterable[Sum]) -> list[Voucher]:
    """The rows of a month in order of year, kind, budget code and account; what comes to nothing is no row."""
    wanted = sorted(
        (one for one in sums if one.yen),
        key=lambda one: (one.fiscal_year, one.kind, one.budget_code, ACCOUNTS.index(one.account)),
    )
    return [_voucher(number, month, one) for number, one in enumerate(wanted, 1)]


def _voucher(number: int, month: str, one: Sum) -> Voucher:
    day = last_day(month)
    year = one.fiscal_year or fiscal_year_of(month)
    budget = budget_of(year, day)
    return Voucher(
        number=number,
        month=month,
        day=day.isoformat(),
        kind=one.kind,
        account=one.account,
        budget_code=one.budget_code,
        fiscal_year=year,
        budget_year=budget.fiscal_year,
        period=_period(budget.kind, year, month),
        debit_yen=max(0, one.yen),
        credit_yen=max(0, -one.yen),
        entries=one.entries,
    )


def _period(kind: Literal["current", "past"], year: int, month: str) -> Period:
    if kind == "past":
        return "past"
    return "in_year" if fiscal_year_of(month) <= year else "settling"
