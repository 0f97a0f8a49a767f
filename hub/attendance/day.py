"""One day's punches at a glance (rule).

1. A punch belongs to the day of its true time in Japan, wherever it was kept meanwhile.
2. A tap that was already taken, or of an unknown card, is no punch.
3. Who is in: the cards whose last punch of the day is a clock-in. A duty that began yesterday is not seen here.
"""

from collections.abc import Iterable

import msgspec

from hub.attendance.store import Tap
from hub.shown import moment


class Day(msgspec.Struct, frozen=True):
    """How many punches, by how many cards, and how many of these are in."""

    punches: int = 0
    cards: int = 0
    inside: int = 0


def day(taps: Iterable[Tap], now_ms: int) -> Day:
    """The day of `now_ms` so far."""
    date = moment(now_ms).date()
    counted = [tap for tap in taps if tap.standing in ("accepted", "unsure") and moment(tap.true_ms).date() == date]
    last = {tap.card: tap.direction for tap in sorted(counted, key=lambda tap: (tap.true_ms, tap.id))}
    return Day(len(counted), len(last), sum(direction == "clock_in" for direction in last.values()))
