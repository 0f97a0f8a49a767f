"""A second, slow way to a month's yen, day by day and in fractions; it shares no code with the hub."""

import calendar
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from tests.waiver.month.model import CARRIERS, FLAT, GB, PLANS, SHARES, Line, Use, Waiver


class Yen(NamedTuple):
    """A line's month: what it cost, what of it is waived, what is left to the resident (empty: nobody's)."""

    resident: str
    total: int
    waived: int
    ground: str = ""
    decision: str = ""

    @property
    def share(self) -> int:
        """What the resident pays."""
        return self.total - self.waived


class _Row(NamedTuple):
    name: str
    resident: str
    days: list[str]
    base_and_fees: int
    overage: int
    waiver: Waiver | None


def month(lines: Iterable[Line], of: str) -> dict[str, Yen]:
    """Every line's month, by phone number; an earlier user's stretch under the number with `/1` after it."""
    found: dict[str, Yen] = {}
    every = list(lines)
    for carrier in CARRIERS:
        rows = sorted((row for one in every if one.carrier == carrier for row in _rows(one, of)), key=lambda r: r.name)
        for row, tax in zip(rows, _taxes([row.base_and_fees + row.overage for row in rows]), strict=True):
            found[row.name] = _yen(row, tax)
    return found


def contract(lines: Iterable[Line], of: str, carrier: str) -> list[tuple[Line, int, int, int]]:
    """What a carrier bills: each line of it with its amount before tax, its tax, and the data used."""
    found = []
    for line in sorted((one for one in lines if one.carrier == carrier), key=lambda one: one.phone):
        plan, used = PLANS[line.plan], line.used.get(of, 0)
        blocks = -(-max(0, used - plan.included_bytes) // GB)
        found.append((line, plan.base_yen + plan.fee_yen + blocks * plan.block_yen, used))
    taxes = _taxes([amount for _, amount, _ in found])
    return [(line, amount, tax, used) for (line, amount, used), tax in zip(found, taxes, strict=True)]


def _rows(line: Line, of: str) -> list[_Row]:
    plan = PLANS[line.plan]
    days_of = {use: [day for day in _days(of) if use.first <= day <= (use.last or "9999")] for use in line.uses}
    uses = [(use, days) for use, days in days_of.items() if days] or [(Use("", ""), _days(of))]
    rows = []
    every = sum(len(days) for _, days in uses)
    # What one would pay who had had the line on all of these days; the earlier users' parts are rounded down.
    whole, given = int(Fraction(plan.base_yen * every, len(_days(of)))), 0
    for n, (use, days) in enumerate(uses, 1):
        is_last = n == len(uses)
        over = max(0, line.used.get(of, 0) - plan.included_bytes) if is_last else 0
        blocks = over // GB + (1 if over % GB else 0)
        upto = sum(len(one) for _, one in uses[:n])
        base = int(Fraction(whole * upto, every)) - given
        given += base
        name = line.phone if is_last else f"{line.phone}/{n}"
        rows.append(
            _Row(name, use.resident, days, base + (plan.fee_yen if is_last else 0), blocks * plan.block_yen, use.waiver)
        )
    return rows


def _days(of: str) -> list[str]:
    return [f"{of}-{day:02}" for day in range(1, calendar.monthrange(int(of[:4]), int(of[5:]))[1] + 1)]


def _taxes(amounts: list[int]) -> list[int]:
    """Ten percent of all, floored once, and given out yen by yen to whoever misses most of a yen."""
    exact = [Fraction(amount, 10) for amount in amounts]
    given = [int(one) for one in exact]
    for _ in range(int(sum(exact)) - sum(given)):
        missing = [one - got for one, got in zip(exact, given, strict=True)]
        given[missing.index(max(missing))] += 1
    return given


def _yen(row: _Row, tax: int) -> Yen:
    total = row.base_and_fees + row.overage + tax
    waiver = row.waiver
    held = [day for day in row.days if waiver and _holds(waiver, day)]
    if not waiver or not held:
        return Yen(row.resident, total, 0)
    # Of the line's tax the base and its fees have their part; the overage is never waived.
    base_tax = _inside(tax, row.base_and_fees, row.overage)
    covered = row.base_and_fees + base_tax
    if waiver.rule in SHARES:
        whole = Fraction(covered) * Fraction(*SHARES[waiver.rule])
    else:
        whole = Fraction(max(0, covered - FLAT[waiver.rule]))
    share = total - whole * Fraction(len(held), len(row.days))
    return Yen(row.resident, total, total - int(share), waiver.rule, waiver.decision)


def _inside(tax: int, base: int, overage: int) -> int:
    exact = [Fraction(base, 10), Fraction(overage, 10)]
    given = [int(one) for one in exact]
    for _ in range(tax - sum(given)):
        missing = [one - got for one, got in zip(exact, given, strict=True)]
        given[missing.index(max(missing))] += 1
    return given[0]


def _holds(waiver: Waiver, day: str) -> bool:
    if day < waiver.applied[:7] + "-01":
        return False
    if waiver.revoked_from and day >= waiver.revoked_from:
        return False
    return not (waiver.ended and day[:7] > waiver.ended[:7])
