"""The line of sixty hours."""

import pytest

from hub.attendance.rules.given import Swap
from hub.attendance.rules.kinds import PayClass
from hub.attendance.rules.profile import Profile
from tests.attendance.rules.parts import day_of, full_days, order, the_day, worked_out

FRIDAY = (["11-27 08:30", "11-27 19:30"], [order("11-27 17:30", "19:30")])


@pytest.mark.parametrize(
    ("carried", "minutes"),
    [
        (3479, {"W125": 3599}),
        (3480, {"W125": 3600}),
        (3481, {"W125": 3600, "X150": 1}),
        (3599, {"W125": 3600, "X150": 119}),
        (3600, {"W125": 3600, "X150": 120}),
        (4000, {"W125": 4000, "X150": 120}),
    ],
)
def test_exactly_sixty_hours_are_below(carried: int, minutes: dict[str, int]) -> None:
    assert worked_out(*FRIDAY, carried={"W125": carried}).minutes == minutes


@pytest.mark.parametrize("carried", ["W125", "W150", "H135", "H160", "X150", "X175", "SHIFT25", "X50"])
def test_what_counts(carried: PayClass) -> None:
    result = worked_out(*FRIDAY, carried={carried: 3600})
    assert result.minutes.get("X150", 0) == (3720 if carried == "X150" else 120)
    assert result.counts_to_60h_min == 3720


@pytest.mark.parametrize("carried", ["HOL135", "HOL160", "PT100", "PT125N", "N25"])
def test_what_does_not_count(carried: PayClass) -> None:
    result = worked_out(*FRIDAY, carried={carried: 3600})
    assert result.minutes == {"W125": 120, carried: 3600}
    assert result.counts_to_60h_min == 120


def test_the_line_is_drawn_in_the_order_of_time_and_night_stays_night() -> None:
    taps = ["11-27 08:30", "11-27 23:00", "11-28 09:00", "11-28 10:00"]
    orders = [order("11-28 09:00", "10:00"), order("11-27 17:30", "23:00")]
    result = worked_out(taps, orders, carried={"W125": 3300})
    assert result.minutes == {"W125": 3570, "W150": 30, "X175": 30, "X150": 60}
    assert [(one.pay, one.rule) for one in the_day(result, "11-27").pieces if one.pay] == [
        ("W125", "workday_day"),
        ("W150", "workday_night"),
        ("X175", "past_sixty_night"),
    ]
    assert result.counts_to_60h_min == 3690


def test_weekly_days_off_can_be_left_out_but_a_holidays_overtime_counts() -> None:
    taps = ["11-21 09:00", "11-21 11:00", "11-23 17:30", "11-23 19:30"]
    orders = [order("11-21 09:00", "11:00"), order("11-23 17:30", "19:30")]
    result = worked_out(taps, orders, carried={"W125": 3540})
    assert result.minutes == {"W125": 3540, "H135": 60, "X150": 180}
    left_out = worked_out(taps, orders, carried={"W125": 3540}, profile=Profile(count_weekly_holidays_to_60h=False))
    assert left_out.minutes == {"W125": 3540, "H135": 180, "X150": 60}
    assert left_out.counts_to_60h_min == 3660
    carried = worked_out(*FRIDAY, carried={"H135": 3600}, profile=Profile(count_weekly_holidays_to_60h=False))
    assert (carried.minutes, carried.counts_to_60h_min) == ({"W125": 120, "H135": 3600}, 120)


def test_the_quarter_of_a_swap_becomes_a_half() -> None:
    days = full_days("11-16", "11-17", "11-18", "11-19", "11-20", "11-21")
    swap = Swap(worked=day_of("11-21"), off=day_of("11-25"))
    result = worked_out(days, swaps=(swap,), carried={"W125": 3500})
    assert result.minutes == {"W125": 3500, "SHIFT25": 100, "X50": 365}
    assert result.overtime_min == 3500
    assert the_day(result, "11-21").regular_min == 465


def test_the_line_can_be_switched_off() -> None:
    result = worked_out(*FRIDAY, carried={"W125": 3600}, profile=Profile(sixty_hours_min=None))
    assert result.minutes == {"W125": 3720}
