"""A carrier's bill (rule): its lines with their charges, what was expected of each, what was decided on a difference.

1. Yen are whole. `ex_tax + tax = total` for every charge, line and bill, and the lines add up to the bill.
2. A line's difference is what was billed less what was expected, with its tax; for a line that the bill has not
   (MISSING_LINE) it is below 0, and nothing is owed.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from hub.waiver.rules.given import OtherCharge

# `all`: the bill tells one amount a line, and nobody knows what is in it.
Kind = Literal["base", "fee", "overage", "other", "all"]
KINDS: tuple[Kind, ...] = ("base", "fee", "overage", "other", "all")
Verdict = Literal["OK", "OVERBILLED", "UNDERBILLED", "UNKNOWN_LINE", "MISSING_LINE", "RATE_CHANGED"]
VERDICTS: tuple[Verdict, ...] = ("OK", "OVERBILLED", "UNDERBILLED", "UNKNOWN_LINE", "MISSING_LINE", "RATE_CHANGED")
Decided = Literal["accepted", "credit", "asked"]
DECIDED: tuple[Decided, ...] = ("accepted", "credit", "asked")


class Item(msgspec.Struct, frozen=True, gc=False):
    """One charge of a line, with its share of the bill's tax."""

    name: str
    kind: Kind
    tax_percent: int
    ex_tax_yen: int
    tax_yen: int


class Bill(msgspec.Struct, frozen=True):
    """A month of one carrier. `first_day` and `last_day` are its period of use, `due_day` empty where none is told."""

    id: int
    carrier: str
    month: str
    number: str
    first_day: str
    last_day: str
    due_day: str
    ex_tax_yen: int
    tax_yen: int
    total_yen: int
    file_name: str
    file_hash: str
    layout: str
    entered_by: str
    entered_ms: int
    withdrawn_ms: int | None = None


class Expected(msgspec.Struct, frozen=True, gc=False):
    """How an expected amount came about: charges as the tariff has them (`stated` yen), or why there is none."""

    tariff: str = ""
    charges: tuple[tuple[str, str, int], ...] = ()
    tax_included: bool = False
    used_bytes: int | None = None
    # Where there is nothing to expect: unknown, ended, other_carrier, no_tariff, twice.
    why: str = ""
    about: str = ""


class Line(msgspec.Struct, frozen=True):
    """A line of a bill, judged."""

    n: int
    phone: str
    iccid: str
    line_id: int | None
    items: tuple[Item, ...]
    used_bytes: int | None
    ex_tax_yen: int
    tax_yen: int
    total_yen: int
    verdict: Verdict
    expected_yen: int | None
    difference_yen: int
    expected: Expected
    budget_code: str = ""


class Decision(msgspec.Struct, frozen=True):
    """What a person decided on a line's difference."""

    n: int
    decided: Decided
    day: str
    note: str
    by: str
    at_ms: int


def other_charges(line: Line) -> tuple[OtherCharge, ...]:
    """A line's charges beside the tariff's (roaming, paid content), without their tax."""
    return tuple(
        OtherCharge(name=one.name, yen=one.ex_tax_yen, tax_percent=one.tax_percent)
        for one in line.items
        if one.kind == "other"
    )


def open_differences(lines: Iterable[Line], decisions: Iterable[Decision]) -> list[Line]:
    """Lines with a difference on which nothing final was decided."""
    ended = {one.n for one in decisions if one.decided != "asked"}
    return [one for one in lines if one.verdict != "OK" and one.n not in ended]
