"""A month of lines (rule): what each costs, what is waived on which ground, what is left to the resident."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

from hub.waiver.rules.given import Line
from hub.waiver.rules.invoice import Taxed, invoice
from hub.waiver.rules.profile import BadProfile, Rounding, Tariff, WaiverRule
from hub.waiver.rules.result import Assessment, Invoice, LineResult, Match, Part, Step
from hub.waiver.rules.tariff import Charges, charges
from hub.waiver.rules.waiver import Waived, waive

_Named = TypeVar("_Named")


class Change(NamedTuple):
    """What a line's month comes to less what it came to before: booked in the open month, the closed one stays."""

    id: str
    total: int
    waived: int
    resident: int


def assess(
    month: str, tariffs: Mapping[str, Tariff], rules: Mapping[str, WaiverRule], lines: Iterable[Line]
) -> Assessment:
    """The month (`YYYY-MM`) of these lines.

    `tariffs` are the tariffs of this month of use by the names that the lines have in `tariff`, `rules` the rules of
    waiver by the names that the grants have in `rule`.  Several tariffs and several invoices may be in one month.
    Raises BadProfile (one sentence) for a name that is not there, for two lines with one id, and for an invoice whose
    tariffs round tax in different ways.
    """
    by_invoice: dict[str, list[Line]] = {}
    for line in _sorted(lines):
        by_invoice.setdefault(line.invoice, []).append(line)
    results: list[LineResult] = []
    invoices = []
    for name in sorted(by_invoice):
        found = _invoice(month, tariffs, rules, by_invoice[name])
        results.extend(found)
        invoices.append(_sum(name, found))
    results.sort(key=lambda one: one.id)
    return Assessment(
        month=month,
        lines=tuple(results),
        invoices=tuple(invoices),
        ex_tax=sum(one.ex_tax for one in results),
        tax=sum(one.tax for one in results),
        total=sum(one.total for one in results),
        waived=sum(one.waived for one in results),
        resident=sum(one.resident for one in results),
    )


def changes(before: Assessment, after: Assessment) -> tuple[Change, ...]:
    """What differs by line between two assessments of one month; a line that is not there came to nothing."""
    old, new = ({one.id: one for one in each.lines} for each in (before, after))
    found = []
    for name in sorted(old.keys() | new.keys()):
        sums = [
            tuple(
                0 if one is None else value for value in (one and one.total, one and one.waived, one and one.resident)
            )
            for one in (old.get(name), new.get(name))
        ]
        if sums[0] != sums[1]:
            found.append(Change(name, *((now or 0) - (was or 0) for was, now in zip(*sums, strict=True))))
    return tuple(found)


def _sorted(lines: Iterable[Line]) -> list[Line]:
    found = sorted(lines, key=lambda line: line.id)
    for one, other in pairwise(found):
        if one.id == other.id:
            raise BadProfile(f"line {one.id}: expected once in a month, found twice")
    return found


def _invoice(
    month: str, tariffs: Mapping[str, Tariff], rules: Mapping[str, WaiverRule], lines: Sequence[Line]
) -> list[LineResult]:
    its_tariffs = [_named(tariffs, line.tariff, f"line {line.id}: tariff") for line in lines]
    found = [charges(month, tariff, line) for tariff, line in zip(its_tariffs, lines, strict=True)]
    taxed = invoice([one.charges for one in found], _rounding(lines[0].invoice, its_tariffs))
    results = []
    for line, its_charges, its_tax in zip(lines, found, taxed, strict=True):
        its_rules = [_named(rules, grant.rule, f"line {line.id}: rule") for grant in line.grants]
        waived = waive(line, its_rules, its_tax.parts, its_charges.first, its_charges.last)
        results.append(_result(line, its_charges, its_tax, waived))
    return results


def _named(known: Mapping[str, _Named], name: str, what: str) -> _Named:
    found = known.get(name)
    if found is None:
        raise BadProfile(f"{what}: expected one of {', '.join(sorted(known)) or 'none'}, found {name!r}")
    return found


def _rounding(name: str, tariffs: Sequence[Tariff]) -> Rounding:
    found = {tariff.tax_rounding for tariff in tariffs}
    if len(found) > 1:
        raise BadProfile(f"invoice {name!r}: expected one way of rounding tax, found {', '.join(sorted(found))}")
    return found.pop()


def _result(line: Line, its: Charges, taxed: Taxed, waived: Waived) -> LineResult:
    ex_tax, total = sum(part.ex_tax for part in taxed.parts), sum(part.total for part in taxed.parts)
    match, steps = _match(line, ex_tax)
    return LineResult(
        id=line.id,
        tariff=line.tariff,
        invoice=line.invoice,
        days=its.days,
        base_ex_tax=_ex_tax(taxed.parts, "base"),
        fees_ex_tax=_ex_tax(taxed.parts, "fee"),
        blocks=its.blocks,
        overage_ex_tax=_ex_tax(taxed.parts, "overage"),
        other_ex_tax=_ex_tax(taxed.parts, "other"),
        ex_tax=ex_tax,
        tax=total - ex_tax,
        total=total,
        waived=waived.yen,
        resident=total - waived.yen,
        grounds=waived.grounds,
        parts=taxed.parts,
        steps=(*its.steps, *taxed.steps, *steps, *waived.steps),
        billed_ex_tax=line.billed_ex_tax,
        difference_ex_tax=None if line.billed_ex_tax is None else line.billed_ex_tax - ex_tax,
        match=match,
    )


def _ex_tax(parts: Iterable[Part], kind: str) -> int:
    return sum(part.ex_tax for part in parts if part.kind == kind)


def _match(line: Line, expected: int) -> tuple[Match | None, list[Step]]:
    """The carrier's line beside ours: residents are assessed by the tariff, a person looks into a difference."""
    if line.billed_ex_tax is None:
        return None, []
    difference = line.billed_ex_tax - expected
    match: Match = "OK" if not difference else "OVERBILLED" if difference > 0 else "UNDERBILLED"
    numbers: dict[str, int | str] = {"billed": line.billed_ex_tax, "expected": expected, "match": match}
    return match, [Step(rule="billed", yen=difference, numbers=numbers)]


def _sum(name: str, lines: Iterable[LineResult]) -> Invoice:
    tax_by_rate: dict[int, int] = {}
    ex_tax = 0
    for part in (part for line in lines for part in line.parts):
        tax_by_rate[part.tax_percent] = tax_by_rate.get(part.tax_percent, 0) + part.tax
        ex_tax += part.ex_tax
    tax = sum(tax_by_rate.values())
    return Invoice(id=name, ex_tax=ex_tax, tax=tax, total=ex_tax + tax, tax_by_rate=dict(sorted(tax_by_rate.items())))
