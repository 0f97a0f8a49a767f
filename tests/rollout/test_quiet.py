"""Closed hours and days off."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rollout.plan import CLOCKING
from hub.rollout.quiet import Closed, Quiet, Window, closed, is_day_off, never_open
from tests.rollout.world import JST, MINUTE_MS, at


@pytest.mark.parametrize(
    ("now_ms", "kind", "expected"),
    [
        (at(25, 7, 54), "terminal", None),
        (at(25, 7, 55), "terminal", Closed("window", at(25, 9))),  # five minutes before, because it takes effect later
        (at(25, 8), "terminal", Closed("window", at(25, 9))),
        (at(25, 8, 59), "terminal", Closed("window", at(25, 9))),
        (at(25, 9), "terminal", None),
        (at(25, 8, 30), "tablet", None),
        (at(25, 17, 30), "terminal", Closed("window", at(25, 18))),
        (at(27, 23, 54), "tablet", None),
        (at(27, 23, 56), "tablet", Closed("day_off", at(30, 0))),  # Friday night to Monday
        (at(28, 17, 59), "terminal", Closed("day_off", at(30, 0))),
        (at(23, 12), "terminal", Closed("day_off", at(24, 0))),  # Labour Thanksgiving Day
    ],
)
def test_clocking_hours_and_days_off(now_ms: int, kind: str, expected: Closed | None) -> None:
    assert closed(CLOCKING, kind, now_ms) == expected


def test_the_towns_own_dates_and_a_window_over_midnight() -> None:
    quiet = Quiet((Window(22 * 60, 6 * 60),), dates=("2026-11-26",))
    assert closed(quiet, "terminal", at(24, 23)) == Closed("window", at(25, 6))
    assert closed(quiet, "terminal", at(25, 5)) == Closed("window", at(25, 6))
    # From a window into a closed day and out of the next night.
    assert closed(quiet, "terminal", at(25, 22)) == Closed("window", at(27, 6))
    assert closed(quiet, "terminal", at(26, 12)) == Closed("day_off", at(27, 6))


def test_a_window_shorter_than_the_time_ahead_is_not_missed() -> None:
    quiet = Quiet((Window(10 * 60 + 2, 10 * 60 + 4),))
    assert closed(quiet, "", at(25, 10)) == Closed("window", at(25, 10, 4))


def test_windows_that_leave_no_time_are_found() -> None:
    night, day = Window(18 * 60, 6 * 60), Window(6 * 60, 18 * 60, ("terminal",))
    assert never_open(Quiet((night, day)), {"terminal", "tablet"})
    assert not never_open(Quiet((night, day)), {"tablet"})
    assert never_open(Quiet((Window(60, 60),)), {""})
    assert not never_open(CLOCKING, {"terminal"})


@pytest.mark.parametrize(
    ("day", "off"),
    [("2026-12-28", False), ("2026-12-29", True), ("2027-01-03", True), ("2027-01-04", False), ("2026-05-06", True)],
)
def test_days_off_of_a_town_hall(day: str, *, off: bool) -> None:
    """6 May 2026 is a substitute holiday for Constitution Day, which is a Sunday (Act on National Holidays, 3-2)."""
    assert is_day_off(date.fromisoformat(day)) == off


@given(
    windows=st.lists(st.builds(Window, st.integers(0, 1439), st.integers(0, 1439)), max_size=3),
    minutes=st.integers(0, 60 * 24 * 60),
    off=st.booleans(),
)
def test_the_end_that_is_told_is_open_and_nothing_before_it(windows: list[Window], minutes: int, *, off: bool) -> None:
    quiet, now_ms = Quiet(tuple(windows), off), at(1, 0) + minutes * MINUTE_MS
    found = closed(quiet, "terminal", now_ms)
    if found is None or found.until_ms is None:
        return
    assert closed(quiet, "terminal", found.until_ms) is None
    assert closed(quiet, "terminal", found.until_ms - 1) is not None
    half_ms = now_ms + (found.until_ms - now_ms) // 2
    assert half_ms == found.until_ms or closed(quiet, "terminal", half_ms) is not None


def test_the_offset_of_japan() -> None:
    assert datetime(2026, 11, 25, tzinfo=JST).utcoffset() == timedelta(hours=9)
