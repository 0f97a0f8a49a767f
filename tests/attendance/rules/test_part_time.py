"""Part-time staff: the plain unit until a full day and a full week, then overtime as everybody's."""

from datetime import date

import msgspec

from hub.staff.terms import Hours, Terms
from tests.attendance.rules.parts import HELPER, full_days, order, the_day, worked_out


def test_until_a_full_day_and_then_overtime() -> None:
    # 9 to 16 is 360 minutes; 105 more fill the day, 75 are overtime.
    result = worked_out(["11-18 09:00", "11-18 19:15"], [order("11-18 16:00", "19:15")], HELPER)
    assert result.minutes == {"PT100": 105, "W125": 75}
    assert result.counts_to_60h_min == 75
    assert result.units[0].unit_yen == 1200
    assert result.yen == 2 * 1200 + 1 * 1500


def test_early_minutes_count_after_the_days_regular_hours() -> None:
    result = worked_out(["11-18 07:00", "11-18 16:00"], [order("11-18 07:00", "09:00")], HELPER)
    assert result.minutes == {"PT100": 105, "W125": 15}


def test_at_night() -> None:
    late = Terms(since=date(2020, 4, 1), kind="part_time", week=(Hours(1020, 1290),) * 7, hourly_yen=1200)
    result = worked_out(["11-18 17:00", "11-19 01:30"], [order("11-18 21:30", "11-19 01:30")], late)
    # 270 regular minutes; 22:00 is night; the night belongs to the day it began on, so 165 fill it.
    assert result.minutes == {"PT100": 30, "PT125N": 165, "W150": 45}


def test_their_regular_hours_at_night_are_their_hourly_pay() -> None:
    late = Terms(since=date(2020, 4, 1), kind="part_time", week=(Hours(1200, 1410),) * 7, hourly_yen=1200)
    assert worked_out(["11-18 20:00", "11-18 23:30"], terms=late).minutes == {}


def test_until_a_full_week_and_then_overtime() -> None:
    # Five days of six hours are 1800 minutes; 105 extra on each day fill 2325 on Friday exactly.
    days = ("11-16", "11-17", "11-18", "11-19", "11-20")
    taps = full_days(*days, begin="09:00", end="18:00")
    orders = [order(f"{day} 16:00", "18:00") for day in days]
    assert worked_out(taps, orders, HELPER).minutes == {"PT100": 525}
    # Somebody with a longer week is full sooner: 5 x 450 = 2250, so 75 minutes are left for the week.
    longer = Terms(
        since=date(2020, 4, 1), kind="part_time", week=(*[Hours(510, 1020)] * 5, None, None), hourly_yen=1200
    )
    taps = full_days(*days, begin="08:30", end="18:00")
    orders = [order(f"{day} 17:00", "18:00") for day in days]
    result = worked_out(taps, orders, longer)
    # Each day has room for 15, and the week for 15 a day: the hour less the evening break is 45 minutes a day.
    assert result.minutes == {"PT100": 75, "W125": 150}


def test_the_week_begins_on_sunday_and_reaches_over_the_month() -> None:
    # 45 minutes a day of a working Sunday to Saturday: the week is full before the month begins.
    all_week = Terms(since=date(2020, 4, 1), kind="part_time", week=(Hours(540, 960),) * 7, hourly_yen=1200)
    days = [f"11-{day}" for day in range(22, 31)]
    taps = full_days(*days, begin="09:00", end="17:00")
    orders = [order("11-28 16:00", "17:00"), order("11-29 16:00", "17:00")]
    result = worked_out(taps, orders, all_week)
    # Saturday 28 is the seventh day (2160 - 360 for Monday's holiday + 60); Sunday begins anew.
    assert the_day(result, "11-28").minutes == {"PT100": 60}
    more = [order(f"11-{day} 16:00", "17:00") for day in (22, 24, 25, 26, 27)]
    crowded = worked_out(taps, [*orders, *more], all_week)
    assert the_day(crowded, "11-28").minutes == {"W125": 60}
    assert the_day(crowded, "11-29").minutes == {"PT100": 60}


def test_the_days_of_a_week_before_the_month_count_for_it() -> None:
    all_week = msgspec.structs.replace(HELPER, week=(Hours(540, 960),) * 7)
    days = ["11-29", "11-30", "12-01", "12-02", "12-03", "12-04"]
    taps = full_days(*days, begin="09:00", end="17:00")
    result = worked_out(taps, [order(f"{day} 16:00", "17:00") for day in days], all_week, of="2026-12")
    # Friday is the week's sixth day: 5 x 420 and 360 are past 2325, though December itself has four days of it.
    assert result.minutes == {"PT100": 180, "W125": 60}


def test_days_off_and_holidays_are_as_for_everybody() -> None:
    taps = ["11-21 09:00", "11-21 10:00", "11-23 09:00", "11-23 17:00"]
    result = worked_out(taps, [order("11-21 09:00", "10:00"), order("11-23 09:00", "17:00")], HELPER)
    assert result.minutes == {"H135": 120, "HOL135": 360}
