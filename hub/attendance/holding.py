"""Whose card it was (rule).

1. A card that changes hands belongs to each holder from a moment to a moment, however the terminal answered meanwhile.
2. A tap between two holders is the next holder's: the card lay at the counter, the person has come to work, and the
   clerk writes it down afterwards.
3. What comes before the day of the first holder's moment, which somebody chose, is nobody's: the card was being tried
   out.  Of that day all counts: a new card is often written down hours after it was given out.
4. After the last holder gave it back it is nobody's.
"""

from collections.abc import Sequence
from typing import NamedTuple

_DAY_MS, _JAPAN_MS = 86_400_000, 9 * 3_600_000


class Holding(NamedTuple):
    """A card in somebody's hands from a moment to before another, in milliseconds of UTC; None: still."""

    from_ms: int
    until_ms: int | None
    staff_id: int


def holder(holdings: Sequence[Holding], at_ms: int) -> int | None:
    """Whose tap it is; `holdings` of one card, in the order of time."""
    if not holdings or at_ms < _day_begins_ms(holdings[0].from_ms):
        return None
    return next((one.staff_id for one in holdings if one.until_ms is None or at_ms < one.until_ms), None)


def _day_begins_ms(at_ms: int) -> int:
    """Midnight in Japan before a moment."""
    return (at_ms + _JAPAN_MS) // _DAY_MS * _DAY_MS - _JAPAN_MS
