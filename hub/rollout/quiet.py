"""When nothing is released: the hours in which everybody clocks in or out, and days off (rule).

1. A release takes effect a little later, so none is made within `LEAD_MS` before a closed time either.
2. Asia/Tokyo has had no summer time since 1951: whole minutes by plain arithmetic.
3. Days off are those of article 4-2 of the Local Autonomy Act (地方自治法第4条の2): Saturdays, Sundays, holidays
   by law, and the turn of the year, which towns put at 29 December to 3 January.
"""

from datetime import date
from typing import Annotated, Literal

import jpholiday
import msgspec

MINUTE_MS = 60_000
DAY_MINUTES = 1440
LEAD_MS = 5 * MINUTE_MS
_OFFSET_MINUTES = 9 * 60
_SATURDAY = 5
# The longest row of days off is a week or two; a plan that is never open is refused before (`never_open`).
_LOOK_DAYS = 60

Cause = Literal["window", "day_off"]
Minute = Annotated[int, msgspec.Meta(ge=0, lt=DAY_MINUTES)]


class Window(msgspec.Struct, frozen=True):
    """Hours of every day, from a minute of the day up to another (over midnight when that is earlier).

    `kinds` are the kinds of device that it holds for; all when there are none.
    """

    since: Minute
    until: Minute
    kinds: tuple[str, ...] = ()

    def holds(self, kind: str) -> bool:
        """Whether it is for this kind."""
        return not self.kinds or kind in self.kinds


class Quiet(msgspec.Struct, frozen=True):
    """Everything in which nothing is released; `dates` are the town's own, as 2026-12-29."""

    windows: tuple[Window, ...] = ()
    days_off: bool = False
    dates: tuple[str, ...] = ()


class Closed(msgspec.Struct, frozen=True):
    """Nothing goes now; why, and when something may again (ms; None: never)."""

    cause: Cause
    until_ms: int | None


def closed(quiet: Quiet, kind: str, now_ms: int) -> Closed | None:
    """Whether nothing may be released to a device of this kind now; None when it may."""
    minute, first = _minute(now_ms), None
    last = minute + _LOOK_DAYS * DAY_MINUTES
    while minute < last:
        coming = (_closed_at(quiet, kind, minute + ahead) for ahead in range(LEAD_MS // MINUTE_MS + 1))
        found = next((one for one in coming if one), None)
        if found is None:
            return Closed(first, (minute - _OFFSET_MINUTES) * MINUTE_MS) if first else None
        first, minute = first or found[0], max(minute + 1, found[1])
    assert first is not None  # noqa: S101 (the loop has been gone through)
    return Closed(first, None)


def never_open(quiet: Quiet, kinds: set[str]) -> bool:
    """Whether there is a kind for which the windows leave no time of day at all."""
    hours = Quiet(quiet.windows)
    return any(closed(hours, kind, 0) == Closed("window", None) for kind in kinds)


def is_day_off(day: date) -> bool:
    """Whether a town hall is closed by article 4-2."""
    turn = (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)
    return turn or day.weekday() >= _SATURDAY or jpholiday.is_holiday(day)


def _minute(now_ms: int) -> int:
    """Minutes of local time since 1970."""
    return now_ms // MINUTE_MS + _OFFSET_MINUTES


def _closed_at(quiet: Quiet, kind: str, minute: int) -> tuple[Cause, int] | None:
    """Why a minute is closed and when that ends, in minutes of local time."""
    days, of_day = divmod(minute, DAY_MINUTES)
    day = date.fromordinal(date(1970, 1, 1).toordinal() + days)
    if (quiet.days_off and is_day_off(day)) or day.isoformat() in quiet.dates:
        return "day_off", (days + 1) * DAY_MINUTES
    for window in quiet.windows:
        if window.holds(kind) and (of_day - window.since) % DAY_MINUTES < _length(window):
            left = _length(window) - (of_day - window.since) % DAY_MINUTES
            return "window", minute + left
    return None


def _length(window: Window) -> int:
    """A window from a minute to the same one is the whole day."""
    return (window.until - window.since) % DAY_MINUTES or DAY_MINUTES
