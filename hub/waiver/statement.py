"""A resident's account (rule): what was assessed, waived, paid and is open, by month of use and line."""

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from hub.waiver.ledger import CASH, FEE, OVERPAID, RECEIVABLE, WAIVED, WRITTEN_OFF

# What a month of use of a line is made of; benefits on a card are the town's alone.
_OF_A_MONTH = (FEE, WAIVED, RECEIVABLE, CASH, WRITTEN_OFF)


class Sum(msgspec.Struct, frozen=True, gc=False):
    """What an account came to for a month of use and line, by ground and decision."""

    of_month: str
    phone: str
    account: str
    ground: str
    decision: str
    yen: int


class Waived(msgspec.Struct, frozen=True, gc=False):
    """What was waived on one ground by one decision."""

    ground: str
    decision: str
    yen: int


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One month of use and line: assessed = waived + received + written_off + open."""

    of_month: str
    phone: str
    assessed: int
    waived: int
    received: int
    written_off: int
    open: int
    grounds: tuple[Waived, ...]

    @property
    def share(self) -> int:
        """What the resident has to pay of it."""
        return self.assessed - self.waived


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """All months, the latest first; `overpaid` is what was paid beyond everything that was due."""

    rows: tuple[Row, ...]
    overpaid: int

    @property
    def open(self) -> int:
        """What stands open in all."""
        return sum(row.open for row in self.rows)


def statement(sums: Iterable[Sum]) -> Statement:
    """The account that these sums come to, whatever their order."""
    months: dict[tuple[str, str], list[Sum]] = defaultdict(list)
    overpaid = 0
    for one in sums:
        if one.account in _OF_A_MONTH and one.of_month:
            months[one.of_month, one.phone].append(one)
        elif one.account == OVERPAID:
            overpaid -= one.yen
    # By month, the latest first; within it by phone number.
    keys = sorted(sorted(months, key=lambda key: key[1]), key=lambda key: key[0], reverse=True)
    return Statement(rows=tuple(_row(*key, months[key]) for key in keys), overpaid=overpaid)


def _row(of_month: str, phone: str, sums: list[Sum]) -> Row:
    of: dict[str, int] = defaultdict(int)
    grounds: dict[tuple[str, str], int] = defaultdict(int)
    for one in sums:
        of[one.account] += one.yen
        if one.account == WAIVED:
            grounds[one.ground, one.decision] += one.yen
    return Row(
        of_month=of_month,
        phone=phone,
        assessed=-of[FEE],
        waived=of[WAIVED],
        received=of[CASH],
        written_off=of[WRITTEN_OFF],
        open=of[RECEIVABLE],
        grounds=tuple(Waived(*key, yen) for key, yen in sorted(grounds.items()) if yen),
    )
