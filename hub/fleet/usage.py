"""Data used: differences of the counters that a device sends, interface by interface, within one boot.

1. Counters start at 0 with the boot, so the first reading of a boot counts whole ...
2. ... but not the very first reading of a device that has been up for more than an hour: nobody knows
   when those bytes flowed, so it is where counting begins.
3. A counter that is lower than before within one boot was reset (driver reloaded): it counts from 0.
"""

from hub.fleet.truetime import HOUR_MS

# More than this in one step is no counter's doing (a pebibyte).
MOST_BYTES = 2**50

# Bytes received and sent since the boot, or in between.
Counter = tuple[int, int]
ZERO: Counter = (0, 0)


def used(before: Counter, now: Counter) -> Counter:
    """What flowed between two readings of one boot."""
    rx, tx = now[0] - before[0], now[1] - before[1]
    if rx < 0 or tx < 0:
        rx, tx = now
    if rx > MOST_BYTES or tx > MOST_BYTES:
        return min(rx, MOST_BYTES), min(tx, MOST_BYTES)
    return rx, tx


def is_starting_point(mono_ms: int) -> bool:
    """Whether the first reading of a device only begins the count: it has been up for long."""
    return mono_ms > HOUR_MS
