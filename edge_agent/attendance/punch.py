"""From a tap and the last taps to a punch, or why not (rule).

1. A card that the roster does not know is kept as `unknown`; without a roster every card is known.  One that was lost,
   or cannot prove that it is genuine, is kept as `refused` and is no punch.
2. The same card and direction within the debounce time is a `repeat`: kept, and said as already taken.  A tap within
   that time for which nobody chose a direction is one too: a second touch at noon is no clocking out.
3. Clocking in twice on one duty day is impossible: kept as `unsure`, and asked about.  The answer is a punch of its
   own that names the first one; without an answer the raw tap stays.  Touching again instead of answering is a repeat.
4. A duty day runs from 03:00 to 03:00 in Japan.
5. Within one boot only the monotonic clock counts, so a wall clock that was set in between changes nothing.
"""

from dataclasses import dataclass, field
from typing import Literal

from edge_agent.clock import Stamp
from wire.messages import Direction, Punch, Standing

_JST_MS = 9 * 3_600_000
_DAY_MS = 86_400_000
_DUTY_DAY_BEGINS_MS = 3 * 3_600_000
# More cards than any town's terminal sees in a day; the oldest are forgotten first.
_REMEMBERED = 2000


@dataclass(frozen=True, slots=True)
class Policy:
    """What the town ruled: `clock_out_from_min` in minutes of the day in Japan, `debounce_s` in seconds."""

    clock_out_from_min: int
    debounce_s: int


@dataclass(frozen=True, slots=True)
class Tap:
    """A card on the reader; `choice` is the direction that a person chose on the screen, if any."""

    card: str
    technology: str
    stamp: Stamp
    choice: Direction | None
    known: bool
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Last:
    """The last accepted punch of a card."""

    direction: Direction
    stamp: Stamp


def parse_minutes(text: str) -> int:
    """Minutes of the day from `HH:MM`."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def minute_of_day(at_ms: int) -> int:
    """The minute of the day in Japan (UTC+9, no summer time)."""
    return (at_ms + _JST_MS) % _DAY_MS // 60_000


def duty_day(at_ms: int) -> int:
    """The duty day's number: days since 1970 in Japan, each from 03:00 to 03:00."""
    return (at_ms + _JST_MS - _DUTY_DAY_BEGINS_MS) // _DAY_MS


def direction_by_time(at_ms: int, policy: Policy) -> Direction:
    """Which direction the clock suggests. Before 03:00 it is still the day before: clocking out."""
    minute = minute_of_day(at_ms)
    if minute < _DUTY_DAY_BEGINS_MS // 60_000 or minute >= policy.clock_out_from_min:
        return "clock_out"
    return "clock_in"


def elapsed_ms(earlier: Stamp, later: Stamp) -> int:
    """Time between two stamps; within one boot a wall clock that was set does not matter."""
    if earlier.boot == later.boot:
        return later.mono_ms - earlier.mono_ms
    return later.at_ms - earlier.at_ms


def decide(tap: Tap, last: Last | None, policy: Policy, *, asked: bool = False) -> Punch:
    """The punch that a tap is, with what the person is to be told in `standing`.

    `asked`: the screen is asking about this card's tap before at this moment.
    """
    direction = _direction(tap, last, policy)
    chosen: Literal["time", "person"] = "person" if tap.choice else "time"
    standing = _standing(tap, direction, last, policy)
    if standing == "unsure" and asked:
        standing = "repeat"
    return Punch(tap.card, direction, standing, chosen, tap.technology)


def _direction(tap: Tap, last: Last | None, policy: Policy) -> Direction:
    if tap.choice is not None:
        return tap.choice
    if tap.known and not tap.refused and last is not None and _is_close(last, tap, policy):
        return last.direction
    return direction_by_time(tap.stamp.at_ms, policy)


def _is_close(last: Last, tap: Tap, policy: Policy) -> bool:
    return 0 <= elapsed_ms(last.stamp, tap.stamp) < policy.debounce_s * 1000


def _standing(tap: Tap, direction: Direction, last: Last | None, policy: Policy) -> Standing:
    if tap.refused:
        return "refused"
    if not tap.known:
        return "unknown"
    if last is None or last.direction != direction:
        return "accepted"
    if _is_close(last, tap, policy):
        return "repeat"
    # When the last one was, by the clock that is right now.
    last_ms = tap.stamp.at_ms - elapsed_ms(last.stamp, tap.stamp)
    same_day = duty_day(last_ms) == duty_day(tap.stamp.at_ms)
    return "unsure" if direction == "clock_in" and same_day else "accepted"


def answer(asked: Punch, seq: int, direction: Direction) -> Punch:
    """The punch that settles an unsure one."""
    return Punch(asked.card, direction, "accepted", "person", asked.technology, answers=seq)


@dataclass
class LastPunches:
    """The last accepted punch of each card: a fold over punches in the order they were kept."""

    _last: dict[str, Last] = field(default_factory=dict)

    def take(self, punch: Punch, stamp: Stamp) -> None:
        """Remembers an accepted punch; others change nothing."""
        if punch.standing != "accepted":
            return
        self._last.pop(punch.card, None)
        self._last[punch.card] = Last(punch.direction, stamp)
        if len(self._last) > _REMEMBERED:
            del self._last[next(iter(self._last))]

    def of(self, *tokens: str) -> Last | None:
        """The last accepted punch of a card, by the first of its tokens that has one."""
        return next((self._last[token] for token in tokens if token in self._last), None)
