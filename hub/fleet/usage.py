"""Data used: differences of the counters that a device sends, interface by interface, within one boot.

1. Counters start at 0 with the boot, so the first reading of a boot counts whole ...
2. ... but not the very first reading of a device that has been up for more than an hour: nobody knows
   when those bytes flowed, so it is where counting begins.
3. A counter that is lower than before within one boot was reset (driver reloaded): it counts from 0.
"""

from typing import NamedTuple

from hub.fleet.truetime import HOUR_MS

# More than this in one step (an exbibyte would be a thousand times as much) is no counter's doing.
MOST_BYTES = 2**50


class Counter(NamedTuple):
    """What an interface had received and sent since its boot."""

    rx_bytes: int
    tx_bytes: int


ZERO = Counter(0, 0)


def used(before: Counter, now: Counter) -> Counter:
    """What flowed between two readings of one boot."""
    if now.rx_bytes < before.rx_bytes or now.tx_bytes < before.tx_bytes:
        before = ZERO
    return Counter(min(now.rx_bytes - before.rx_bytes, MOST_BYTES), min(now.tx_bytes - before.tx_bytes, MOST_BYTES))


def is_starting_point(mono_ms: int, *, known: bool) -> bool:
    """Whether a reading only begins the count: the first ever of a device that has been up for long."""
    return not known and mono_ms > HOUR_MS
