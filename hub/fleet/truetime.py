"""What time it truly was: a rule over the raw stamp and the clock readings of the same boot.

1. Raw stamps are never edited; the true time is worked out whenever it is shown.
2. A record whose clock was synced is believed.  Any other is placed by the nearest clock reading of its boot.
3. With no reading yet, the raw time is all there is.
"""

from collections.abc import Sequence
from typing import NamedTuple

from wire.messages import ClockQuality

QUALITIES: tuple[ClockQuality, ...] = ("synced", "held", "unset")
NUMBER_OF_QUALITY = {quality: number for number, quality in enumerate(QUALITIES)}
SYNCED = 0

HOUR_MS = 3_600_000
# 2020 to 2100: a wall clock outside was never set.
EARLIEST_MS = 1_577_836_800_000
LATEST_MS = 4_102_444_800_000


class Anchor(NamedTuple):
    """The wall clock truly read `wall_ms` when `mono_ms` had gone by since the boot."""

    mono_ms: int
    wall_ms: int


def true_ms(at_ms: int, mono_ms: int, clock: int, anchors: Sequence[Anchor]) -> int:
    """The true time in ms; within 1970 to 2100, whatever the device said."""
    if clock != SYNCED and anchors:
        nearest = min(anchors, key=lambda anchor: abs(anchor.mono_ms - mono_ms))
        at_ms = nearest.wall_ms + mono_ms - nearest.mono_ms
    return shown_ms(at_ms)


def shown_ms(at_ms: int) -> int:
    """A raw time as it can be shown: calendars end somewhere."""
    return min(max(at_ms, 0), LATEST_MS)


def hour_of(at_ms: int, mono_ms: int, clock: int, anchor: Anchor | None, received_ms: int) -> int:
    """The hour that a figure is counted in: by its true time, or when it came if that is not known."""
    at_ms = counted_ms(at_ms, mono_ms, clock, anchor, received_ms)
    return at_ms - at_ms % HOUR_MS


def counted_ms(at_ms: int, mono_ms: int, clock: int, anchor: Anchor | None, received_ms: int) -> int:
    """The moment that a figure is counted at: its true time, or when it came if that is not known."""
    if clock != SYNCED and anchor:
        at_ms = anchor.wall_ms + mono_ms - anchor.mono_ms
    elif clock == 2:
        at_ms = received_ms
    if not EARLIEST_MS <= at_ms <= received_ms + 24 * HOUR_MS:
        at_ms = received_ms
    return at_ms
