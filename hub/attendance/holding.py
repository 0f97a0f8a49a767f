"""Whose card it was (rule).

1. A card that changes hands belongs to each holder from a moment to a moment, however the terminal answered meanwhile.
2. A tap before the card was given out, or between two holders, is the next holder's: the card lay at the counter, the
   person has come to work, and the clerk writes it down afterwards.
3. After the last holder gave it back it is nobody's.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Holding(NamedTuple):
    """A card in somebody's hands from a moment to before another, in milliseconds of UTC; None: still."""

    from_ms: int
    until_ms: int | None
    staff_id: int


def holder(holdings: Sequence[Holding], at_ms: int) -> int | None:
    """Whose tap it is; `holdings` of one card, in the order of time."""
    return next((one.staff_id for one in holdings if one.until_ms is None or at_ms < one.until_ms), None)
