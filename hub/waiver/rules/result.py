"""What comes out of a month of lines (rule). Every sum is whole yen; for each line waived + resident = total."""

from typing import Literal

import msgspec

Match = Literal["OK", "OVERBILLED", "UNDERBILLED"]


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One step to a figure: which rule (`explain.py` has its sentence), what it came to, which numbers went in."""

    rule: str
    yen: int
    numbers: dict[str, int | str] = {}
    clause: str = ""


class Part(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One charge of a line: `base`, `overage`, a line fee or another charge by its name; `ex_tax` + `tax` = `total`."""

    name: str
    kind: Literal["base", "fee", "overage", "other"]
    tax_percent: int
    ex_tax: int
    tax: int

    @property
    def total(self) -> int:
        """With its tax."""
        return self.ex_tax + self.tax


class Ground(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was waived on one ground: the rule, its clause, the decision, on how many of the line's days of use.

    `account` is the ground it is booked to (the rule's `ground`, else its name); `days` lists first and last days of
    stretches, as `("2026-11-10", "2026-11-30")`.
    """

    rule: str
    account: str
    clause: str
    ref: str
    days: tuple[tuple[str, str], ...]
    day_count: int
    waived: int


class LineResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line's month."""

    id: str
    tariff: str
    invoice: str
    days: int
    base_ex_tax: int
    fees_ex_tax: int
    blocks: int
    overage_ex_tax: int
    other_ex_tax: int
    ex_tax: int
    tax: int
    total: int
    waived: int
    resident: int
    grounds: tuple[Ground, ...] = ()
    parts: tuple[Part, ...] = ()
    steps: tuple[Step, ...] = ()
    billed_ex_tax: int | None = None
    difference_ex_tax: int | None = None
    match: Match | None = None


class Invoice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One invoice: its sums, and tax by rate in percent."""

    id: str
    ex_tax: int
    tax: int
    total: int
    tax_by_rate: dict[int, int]


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """A month of lines: `lines` in order of their id, `invoices` in order of theirs, and the month's sums.

    The same for any order of the lines and grants that came in.
    """

    month: str
    lines: tuple[LineResult, ...]
    invoices: tuple[Invoice, ...]
    ex_tax: int
    tax: int
    total: int
    waived: int
    resident: int
