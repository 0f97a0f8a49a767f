"""The bars of a day's hours: where each stands in a picture of whole pixels (rule).

Zero is at the foot; the highest bar of today or last week, or a megabyte, is the whole height.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 720, 160
_LEAST = 1_000_000


class Bar(NamedTuple):
    """One hour: figures now and a week before (None: nothing was told), and where their bars are."""

    hour: int
    now: int | None
    before: int | None
    x: int
    width: int
    now_y: int
    now_height: int
    before_y: int
    before_height: int


class Picture(NamedTuple):
    """A day's bars, and the figure at the top."""

    bars: tuple[Bar, ...]
    top: int


def picture(hours: Sequence[int], now: Mapping[int, int], before: Mapping[int, int]) -> Picture:
    """The picture of a day; figures by the beginning of the hour, those of last week by the hour of today."""
    top = max([_LEAST, *now.values(), *before.values()])
    step = WIDTH // len(hours)
    bars = []
    for place, hour_ms in enumerate(hours):
        told, earlier = now.get(hour_ms), before.get(hour_ms)
        height, earlier_height = ((figure or 0) * HEIGHT // top for figure in (told, earlier))
        x = place * step
        bars.append(
            Bar(place, told, earlier, x, step, HEIGHT - height, height, HEIGHT - earlier_height, earlier_height)
        )
    return Picture(tuple(bars), top)
