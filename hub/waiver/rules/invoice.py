"""Tax of an invoice (rule): rounded once an invoice and rate, then spread over its lines so that they add up.

1. Once an invoice and rate (消費税法施行令70条の10, 基本通達1-8-15): the exact tax of all lines is added, then rounded.
2. Over lines by largest remainder, of two alike to the lower line id; inside a line in the same way, first over base
   with line fees, overage and each other charge, then over base and fees.
3. Amounts with the tax inside keep their total, and the tax comes out of them (10/110); others get it added.
"""

from collections.abc import Sequence
from typing import NamedTuple

from hub.waiver.rules.exact import rounded, spread
from hub.waiver.rules.profile import Rounding
from hub.waiver.rules.result import Part, Step
from hub.waiver.rules.tariff import Charge


class Taxed(NamedTuple):
    """A line's charges with their tax, and how its tax came about."""

    parts: tuple[Part, ...]
    steps: tuple[Step, ...]


class _Share(NamedTuple):
    """One rate of one line: the places of its charges, and their exact tax in units of `_unit(percent)`."""

    line: int
    places: list[int]
    exact: int


def invoice(lines: Sequence[Sequence[Charge]], how: Rounding) -> list[Taxed]:
    """The lines of one invoice, in order of line id, with their tax."""
    taxes = [[0] * len(charges) for charges in lines]
    steps: list[list[Step]] = [[] for _ in lines]
    for percent in sorted({charge.tax_percent for charges in lines for charge in charges}, reverse=True):
        unit = _unit(percent)
        shares = _shares(lines, percent)
        exact = sum(one.exact for one in shares)
        total = rounded(exact, unit, how)
        for one, tax in zip(shares, spread(total, [one.exact for one in shares], unit), strict=True):
            _inside(lines[one.line], one.places, tax, taxes[one.line])
            if percent:
                steps[one.line].append(_step(percent, tax, total, one.exact, exact))
    return [Taxed(tuple(map(_part, charges, taxes[at])), tuple(steps[at])) for at, charges in enumerate(lines)]


def _unit(percent: int) -> int:
    """The denominator in which tax at this rate is whole, added as well as taken out."""
    return 100 * (100 + percent)


def _exact(charge: Charge) -> int:
    percent = charge.tax_percent
    return charge.yen * percent * (100 if charge.tax_included else 100 + percent)


def _shares(lines: Sequence[Sequence[Charge]], percent: int) -> list[_Share]:
    found = []
    for line, charges in enumerate(lines):
        places = [at for at, charge in enumerate(charges) if charge.tax_percent == percent]
        if places:
            found.append(_Share(line, places, sum(_exact(charges[at]) for at in places)))
    return found


def _inside(charges: Sequence[Charge], places: list[int], tax: int, taxes: list[int]) -> None:
    """Spreads a line's tax at one rate over its charges."""
    groups: dict[tuple[str, int], list[int]] = {}
    for at in places:
        kind = charges[at].kind
        groups.setdefault(("line", 0) if kind in ("base", "fee") else (kind, at), []).append(at)
    unit = _unit(charges[places[0]].tax_percent)
    by_group = spread(tax, [sum(_exact(charges[at]) for at in group) for group in groups.values()], unit)
    for group, its_tax in zip(groups.values(), by_group, strict=True):
        for at, one in zip(group, spread(its_tax, [_exact(charges[at]) for at in group], unit), strict=True):
            taxes[at] = one


def _part(charge: Charge, tax: int) -> Part:
    return Part(
        name=charge.name,
        kind=charge.kind,  # type: ignore[arg-type]
        tax_percent=charge.tax_percent,
        ex_tax=charge.yen - tax if charge.tax_included else charge.yen,
        tax=tax,
    )


def _step(percent: int, tax: int, total: int, exact: int, all_exact: int) -> Step:
    """The line's share of the invoice's tax; exact amounts are told in hundredths of a yen, floored."""
    unit = _unit(percent)
    numbers: dict[str, int | str] = {
        "percent": percent,
        "invoice_tax_yen": total,
        "invoice_exact_sen": all_exact * 100 // unit,
        "line_exact_sen": exact * 100 // unit,
    }
    return Step(rule="tax_share", yen=tax, numbers=numbers)
