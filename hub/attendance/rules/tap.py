"""From taps to the taps that count, each on its duty day (rule).

1. The same tap that came twice is one tap; a tap within the debounce of the last one that counts does not count.
2. A tap belongs to the calendar day of its time less the day line; a night's work stays on the day it began on, as long
   as an order or a shift that began before the day line reaches, and an hour longer for whoever is late to the
   clock.  An order
   that begins between midnight and the day line and goes on past it (snow at two in the morning) begins that day's
   work: a tap from an hour before it on is that day's, unless work before it is not an hour over.
3. What order taps arrive in changes nothing.
"""

from collections.abc import Iterable
from typing import NamedTuple

from hub.attendance.rules.given import Tap
from hub.attendance.rules.japan import DAY_MIN, minute_of
from hub.attendance.rules.spans import Spans

# How long after the end of a night's order a tap is still that night's, and how long before an order it is that one's.
AROUND_ORDER_MIN = 60


class DayTaps(NamedTuple):
    """The taps of one duty day: those that count, in time order, and those within the debounce."""

    kept: list[Tap]
    suppressed: list[Tap]


def by_day(taps: Iterable[Tap], ordered: Spans, day_line: int, debounce_ms: int) -> dict[int, DayTaps]:
    """The taps of each duty day, by the day's number; `ordered` are all orders (and shifts over a day line), joined."""
    nights = _nights(ordered, day_line)
    days: dict[int, DayTaps] = {}
    last: Tap | None = None
    into = DayTaps([], [])
    for tap in sorted(taps, key=_order):
        if last is not None:
            if tap == last:
                continue
            if debounce_ms and tap.at_ms - last.at_ms <= debounce_ms:
                # Shown, never an end: a card that is read twice is one tap.
                if tap not in into.suppressed:
                    into.suppressed.append(tap)
                continue
        number = _duty_day(minute_of(tap.at_ms), nights, day_line)
        into = days.setdefault(number, DayTaps([], []))
        into.kept.append(tap)
        last = tap
    return days


def _nights(ordered: Spans, day_line: int) -> list[tuple[int, int, int]]:
    """For orders over a day line: from when on and before when taps are the order's, and the day it began on."""
    nights = []
    over = 0
    for begin, end in ordered:
        day = begin // DAY_MIN
        line = day * DAY_MIN + day_line
        if begin >= line:
            line += DAY_MIN
            if end > line:
                nights.append((line, end + AROUND_ORDER_MIN + 1, day))
        elif end > line:
            nights.append((min(begin, max(begin - AROUND_ORDER_MIN, over)), line, day))
        over = end + AROUND_ORDER_MIN + 1
    return nights


def _duty_day(minute: int, nights: list[tuple[int, int, int]], day_line: int) -> int:
    for first, before, day in nights:
        if first <= minute < before:
            return day
    return (minute - day_line) // DAY_MIN


def _order(tap: Tap) -> tuple[int, str, str, str, int, bool, bool]:
    # Every field: two that differ in one stand in one order only. Of the same moment the better known comes first.
    return tap.at_ms, tap.terminal, tap.direction, tap.ref, tap.skew_s, not tap.trusted, tap.late
