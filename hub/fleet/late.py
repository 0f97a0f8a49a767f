"""When a device is late: it missed its report by more than its own interval (rule).

1. The interval is what the device itself keeps: from the samples of the newest hour that has three or more.
2. A device whose connection has ended is late after two intervals and a minute: records of the bulk lane wait up to a
   minute, and one report may be under way.
3. One that is still connected is late after three intervals and five minutes: the broker knows that it is there, and
   its spool may be busy with what was kept before.
"""

from collections.abc import Iterable

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
USUAL_MS = MINUTE_MS
_SHORTEST_MS, _LONGEST_MS = 10_000, 24 * HOUR_MS
_ENOUGH = 3
# No device that is connected is late sooner than this, whatever its interval.
SOONEST_MS = 3 * _SHORTEST_MS + 5 * MINUTE_MS


def report_every_ms(hours: Iterable[tuple[int, int]], last_ms: int | None) -> int:
    """The interval of a device's reports; `hours` are (hour, samples), `last_ms` is its newest sample."""
    newest_first = sorted(hours, reverse=True)
    for hour_ms, samples in newest_first:
        if samples >= _ENOUGH:
            span_ms = HOUR_MS if last_ms is None else min(max(last_ms - hour_ms, 0), HOUR_MS)
            return min(max(span_ms // samples, _SHORTEST_MS), _LONGEST_MS)
    # Of an hour that has not ended, one or two samples say nothing: the device may have just begun.
    whole = [samples for hour_ms, samples in newest_first if samples > 0 and (last_ms or 0) >= hour_ms + HOUR_MS]
    return max((HOUR_MS // samples for samples in whole), default=USUAL_MS)


def late_after_ms(every_ms: int, *, online: bool) -> int:
    """How long after it was last heard a device is late."""
    return 3 * every_ms + 5 * MINUTE_MS if online else 2 * every_ms + MINUTE_MS
