"""A device is late by its own interval, not by a constant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.fleet.condition import is_late
from hub.fleet.late import HOUR_MS, MINUTE_MS, late_after_ms, report_every_ms
from tests.ingest.parts import NOW_MS
from tests.pages.test_figures import row

HOUR = 400_000 * HOUR_MS


@pytest.mark.parametrize(
    ("hours", "last_ms", "every_ms"),
    [
        ([], None, MINUTE_MS),
        ([(HOUR, 60)], HOUR + HOUR_MS, MINUTE_MS),
        ([(HOUR, 12)], HOUR + HOUR_MS, 5 * MINUTE_MS),
        # A quarter of an hour into the newest hour; the one before had another pace.
        ([(HOUR - HOUR_MS, 60), (HOUR, 3)], HOUR + 15 * MINUTE_MS, 5 * MINUTE_MS),
        # Too few yet to tell: the hour before says it.
        ([(HOUR, 2), (HOUR - HOUR_MS, 60)], HOUR + MINUTE_MS, MINUTE_MS),
        # It has just begun.
        ([(HOUR, 1)], HOUR + 9 * MINUTE_MS, MINUTE_MS),
        # Once an hour.
        ([(HOUR, 1), (HOUR - HOUR_MS, 1)], HOUR, HOUR_MS),
        # Seen by a clock that is ahead, or all at once.
        ([(HOUR, 500)], HOUR + 9 * HOUR_MS, 10_000),
        ([(HOUR, 3)], HOUR, 10_000),
    ],
)
def test_the_interval_is_what_the_device_keeps(
    hours: list[tuple[int, int]], last_ms: int | None, every_ms: int
) -> None:
    assert report_every_ms(hours, last_ms) == every_ms


@given(st.lists(st.tuples(st.integers(0, HOUR), st.integers(0, 10_000))), st.none() | st.integers(0, HOUR))
def test_any_record_gives_an_interval(hours: list[tuple[int, int]], last_ms: int | None) -> None:
    assert 10_000 <= report_every_ms(hours, last_ms) <= 24 * HOUR_MS or max(n for _, n in hours) < 3


def test_the_same_silence_is_late_for_one_and_not_for_another() -> None:
    quick, slow = 60_000, 10 * MINUTE_MS
    for every_ms, online, late in ((quick, False, True), (slow, False, False), (quick, True, False)):
        one = row(report_every_ms=every_ms, online=online, last_heard_ms=NOW_MS - 4 * MINUTE_MS)
        assert is_late(one, NOW_MS) is late
    assert late_after_ms(quick, online=True) > late_after_ms(quick, online=False) > 2 * quick
