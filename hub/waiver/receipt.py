"""What a resident paid (rule): how it is spread over what stands open, and the entry that it makes.

1. A payment that names a line or a month of use goes there first; else the oldest month first, lines by their number.
2. What is left over is kept as paid too much (過誤納金): it is the resident's, and no fee of ours.
3. Each part has its own debit and credit, so that what was received is known by line and month of use.
"""

from collections.abc import Sequence

import msgspec

from hub.waiver.ledger import CASH, OVERPAID, RECEIVABLE, Entry, Leg

# How it was paid: at the counter, by transfer, from an account each month, by a payment slip, otherwise.
WAYS = ("counter", "transfer", "debit", "slip", "other")


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A payment. `reference` is its number on paper or at the bank.

    `line_id` 0 and `of_month` empty: for whatever is due.
    """

    reference: str
    resident_id: int
    day: str
    yen: int
    way: str = "counter"
    line_id: int = 0
    of_month: str = ""


class Due(msgspec.Struct, frozen=True, gc=False):
    """What stands open for a line and month of use."""

    line_id: int
    of_month: str
    yen: int
    fiscal_year: int = 0
    budget_code: str = ""


def spread(paid: Receipt, due: Sequence[Due]) -> tuple[list[tuple[Due, int]], int]:
    """How much goes to each of what stands open, and what is left over."""
    meant = [one for one in due if one.yen > 0 and _is_meant(paid, one)]
    left, parts = paid.yen, []
    for one in sorted(meant, key=lambda one: (one.of_month, one.line_id)):
        part = min(left, one.yen)
        if part:
            parts.append((one, part))
            left -= part
    return parts, left


def _is_meant(paid: Receipt, one: Due) -> bool:
    return paid.line_id in (0, one.line_id) and paid.of_month in ("", one.of_month)


def key_of(reference: str, n: int) -> str:
    """What the entry of a payment is known by, when it is entered for the n-th time (after it was taken back)."""
    return f"receipt:{reference}" if n == 1 else f"receipt:{reference}#{n}"


def entry(paid: Receipt, due: Sequence[Due], month: str, n: int = 1) -> Entry:
    """The entry of a payment, booked in a month."""
    parts, left = spread(paid, due)
    legs = []
    for one, yen in parts:
        about = {
            "line_id": one.line_id,
            "resident_id": paid.resident_id,
            "budget_code": one.budget_code,
            "fiscal_year": one.fiscal_year,
            "of_month": one.of_month,
        }
        legs += [Leg(CASH, yen, **about), Leg(RECEIVABLE, -yen, **about)]  # type: ignore[arg-type]
    if left:
        legs += [
            Leg(CASH, left, resident_id=paid.resident_id),
            Leg(OVERPAID, -left, resident_id=paid.resident_id),
        ]
    return Entry(key_of(paid.reference, n), "receipt", "line", month, paid.day, tuple(legs), paid.way)
