"""Which class a minute gets: the kinds of day, orders, breaks, nights, swaps, substitutes, leave."""

from datetime import date
from itertools import pairwise

import pytest

from hub.attendance.rules.given import Assigned, Leave, Span, Substitute, Swap
from hub.attendance.rules.profile import Profile
from hub.staff.terms import Hours, Terms
from tests.attendance.rules.parts import CLERK, day_of, full_days, minute, order, the_day, worked_out

SHIFTS = Terms(since=date(2020, 4, 1), monthly_base_yen=250_000, shifts=True)


def test_what_is_ordered_and_not_present_is_not_paid_nor_the_other_way_round() -> None:
    result = worked_out(["11-18 08:30", "11-18 18:00"], [order("11-18 17:30", "20:00")])
    assert result.minutes == {"W125": 30}
    result = worked_out(["11-18 08:30", "11-18 20:00"], [order("11-18 19:00", "19:30")])
    assert result.minutes == {"W125": 30}
    # The evening break is one because ordered work follows it; 90 minutes before and 30 after it are in question.
    assert the_day(result, "11-18").unordered_after_min == 120
    assert the_day(result, "11-18").flags == ("GAP_GE_30",)


def test_orders_that_overlap_pay_a_minute_once() -> None:
    orders = [order("11-18 17:30", "19:00"), order("11-18 18:00", "20:00"), order("11-18 18:00", "20:00")]
    assert worked_out(["11-18 08:30", "11-18 20:00"], orders).minutes == {"W125": 150}


def test_an_order_over_regular_hours_and_breaks_pays_neither() -> None:
    result = worked_out(["11-18 08:30", "11-18 18:00"], [order("11-18 08:30", "18:00")])
    assert result.minutes == {"W125": 30}
    assert the_day(result, "11-18").regular_min == 465


def test_the_evening_break_counts_as_presence_when_nothing_is_ordered_after_it() -> None:
    alone = the_day(worked_out(["11-18 08:30", "11-18 17:44"]), "11-18")
    assert (alone.unordered_after_min, alone.flags) == (29, ())
    gap = the_day(worked_out(["11-18 08:30", "11-18 17:45"]), "11-18")
    assert (gap.unordered_after_min, gap.flags, gap.notes) == (30, ("GAP_GE_30",), ("NO_ORDER",))
    before = the_day(worked_out(["11-18 06:00", "11-18 17:44"], [order("11-18 06:00", "08:30")]), "11-18")
    assert (before.unordered_after_min, before.minutes) == (29, {"W125": 150})
    inside = the_day(worked_out(["11-18 08:30", "11-18 17:30"], [order("11-18 17:15", "17:30")]), "11-18")
    assert (inside.unordered_after_min, inside.minutes, inside.worked_min) == (0, {}, 465)
    followed = the_day(worked_out(["11-18 08:30", "11-18 18:00"], [order("11-18 17:30", "18:00")]), "11-18")
    assert (followed.unordered_after_min, followed.worked_min) == (0, 495)


def test_an_early_card_is_before_the_first_of_regular_hours_and_order() -> None:
    early = the_day(worked_out(["11-18 07:55", "11-18 17:15"]), "11-18")
    assert (early.unordered_before_min, early.flags, early.notes) == (35, ("GAP_GE_30",), ("EARLY_CARD",))
    ordered = the_day(worked_out(["11-18 05:50", "11-18 17:15"], [order("11-18 06:00", "07:00")]), "11-18")
    assert (ordered.unordered_before_min, ordered.unordered_after_min) == (10, 90)
    assert ordered.minutes == {"W125": 60}


@pytest.mark.parametrize(
    ("day", "kind", "minutes"),
    [
        # Ordered and present from 04:00 to 23:00: 18 hours by day but for breaks and regular hours, 2 at night.
        ("11-21", "weekly_day_off", {"H160": 120, "H135": 1020}),
        ("11-23", "holiday", {"H160": 120, "H135": 1020 - 465 - 60 - 15, "HOL135": 465}),
        ("11-24", "work", {"W150": 120, "W125": 1020 - 465 - 60 - 15}),
    ],
)
def test_a_long_day_by_its_kind(day: str, kind: str, minutes: dict[str, int]) -> None:
    found = the_day(worked_out([f"{day} 04:00", f"{day} 23:00"], [order(f"{day} 04:00", "23:00")]), day)
    assert found.kind == kind
    assert found.minutes == minutes
    assert found.regular_min == (465 if kind == "work" else 0)


def test_a_holiday_on_a_weekly_day_off_stays_one() -> None:
    # Spring 2027: Sunday 21 March is the equinox, Monday its substitute holiday.
    result = worked_out([], of="2027-03")
    kinds = [the_day(result, f"2027-03-{day}").kind for day in (20, 21, 22, 23)]
    assert kinds == ["weekly_day_off", "weekly_day_off", "holiday", "work"]


def test_the_days_around_new_year_are_holidays() -> None:
    result = worked_out([], of="2026-12")
    assert [the_day(result, f"12-{day}").kind for day in (28, 29, 30, 31)] == ["work", "holiday", "holiday", "holiday"]
    result = worked_out([], of="2027-01")
    kinds = [the_day(result, f"2027-01-0{day}").kind for day in (1, 2, 3, 4)]
    assert kinds == ["holiday", "weekly_day_off", "weekly_day_off", "work"]
    paid = worked_out(["12-29 08:30", "12-29 17:15"], [order("12-29 08:30", "17:15")], of="2026-12")
    assert paid.minutes == {"HOL135": 465}


def test_presence_on_a_day_off_without_an_order_is_all_after() -> None:
    for day in ("11-21", "11-23"):
        found = the_day(worked_out([f"{day} 09:00", f"{day} 11:00"]), day)
        assert (found.unordered_before_min, found.unordered_after_min, found.regular_min) == (0, 120, 0)
        assert found.minutes == {}


def test_lunch_on_a_day_off_is_the_towns_choice() -> None:
    taps, orders = ["11-21 09:00", "11-21 17:00"], [order("11-21 09:00", "17:00")]
    assert worked_out(taps, orders).minutes == {"H135": 480}
    assert worked_out(taps, orders, profile=Profile(day_off_lunch=True)).minutes == {"H135": 420}


def test_a_night_from_sunday_into_a_working_day_is_cut_at_midnight() -> None:
    result = worked_out(["11-15 21:00", "11-16 02:00"], [order("11-15 21:00", "11-16 02:00")])
    assert result.minutes == {"H135": 60, "H160": 120, "W150": 120}
    pieces = [(one.pay, one.rule) for one in the_day(result, "11-15").pieces]
    assert pieces == [("H135", "day_off_day"), ("H160", "day_off_night"), ("W150", "workday_night")]


def test_minutes_belong_to_the_month_in_which_the_work_began() -> None:
    taps, orders = ["11-30 08:30", "12-01 02:00"], [order("11-30 17:15", "12-01 02:00")]
    assert worked_out(taps, orders).minutes == {"W125": 270, "W150": 240}
    assert worked_out(taps, orders, of="2026-12").minutes == {}


def test_a_swap_into_another_week_pays_a_quarter_for_the_day() -> None:
    # Saturday 21 worked, Wednesday 25 off: the week to the 21st has six days.
    days = full_days("11-16", "11-17", "11-18", "11-19", "11-20", "11-21")
    swap = Swap(worked=day_of("11-21"), off=day_of("11-25"), ref="request:9")
    result = worked_out([*days, "11-21 18:30"], [order("11-21 17:15", "18:30")], swaps=(swap,))
    assert result.minutes == {"W125": 60, "SHIFT25": 465}
    assert result.counts_to_60h_min == 525
    assert result.overtime_min == 60
    assert [the_day(result, f"11-{day}").kind for day in (21, 25)] == ["work", "weekly_day_off"]
    assert the_day(result, "11-21").regular_min == 465
    shift = next(one for one in the_day(result, "11-21").pieces if one.pay == "SHIFT25")
    assert (shift.duty, shift.refs) == ("regular", ("request:9",))


def test_a_swap_inside_the_week_pays_nothing() -> None:
    swap = Swap(worked=day_of("11-21"), off=day_of("11-18"))
    days = full_days("11-16", "11-17", "11-19", "11-20", "11-21")
    assert worked_out(days, swaps=(swap,)).minutes == {}


def test_a_swap_reaches_over_the_end_of_the_month() -> None:
    # Sunday 29 November to Saturday 5 December is one week; its sixth day is worked in November.
    swap = Swap(worked=day_of("11-29"), off=day_of("12-16"))
    days = full_days("11-29", "11-30", "12-01", "12-02", "12-03", "12-04")
    assert worked_out(days, swaps=(swap,)).minutes == {"SHIFT25": 465}
    assert worked_out(days, swaps=(swap,), of="2026-12").minutes == {}


def test_holiday_work_takes_from_the_swaps_quarter() -> None:
    # The week of 22 November has a holiday on Monday 23; Saturday 28 is worked for a day in another week.
    swap = Swap(worked=day_of("11-28"), off=day_of("12-02"))
    days = full_days("11-24", "11-25", "11-26", "11-27", "11-28")
    assert worked_out(days, swaps=(swap,)).minutes == {"SHIFT25": 465}
    holiday = ["11-23 08:30", "11-23 12:00"]
    result = worked_out([*days, *holiday], [order("11-23 08:30", "12:00")], swaps=(swap,))
    assert result.minutes == {"HOL135": 210, "SHIFT25": 255}


def test_four_hours_are_swapped() -> None:
    morning, half = Hours(510, 750), Hours(795, 1035)
    swap = Swap(worked=day_of("11-21"), off=day_of("11-18"), worked_hours=morning, off_hours=half)
    result = worked_out(["11-18 08:30", "11-18 13:15", "11-21 08:30", "11-21 12:30"], swaps=(swap,))
    assert the_day(result, "11-18").regular_min == 225
    assert the_day(result, "11-18").kind == "work"
    assert the_day(result, "11-21").regular_min == 210
    assert the_day(result, "11-21").unordered_after_min == 0
    longer = the_day(worked_out(["11-21 08:30", "11-21 15:00"], swaps=(swap,)), "11-21")
    assert (longer.regular_min, longer.unordered_after_min) == (210, 120)


def test_a_swap_onto_a_holiday_that_is_a_weekly_day_off_makes_a_working_day() -> None:
    # Sunday 21 March 2027 is the equinox and a weekly day off.
    swap = Swap(worked=day_of("2027-03-21"), off=day_of("2027-03-24"))
    taps, orders = ["2027-03-21 08:30", "2027-03-21 18:30"], [order("2027-03-21 17:15", "18:30")]
    result = worked_out(taps, orders, of="2027-03", swaps=(swap,))
    assert the_day(result, "2027-03-21").kind == "work"
    assert result.minutes == {"W125": 60}


def test_a_substitute_makes_the_holiday_a_working_day_and_the_other_the_holiday() -> None:
    one = Substitute(worked=day_of("11-23"), off=day_of("11-25"), ref="request:3")
    days = ["11-23 08:30", "11-23 19:00", "11-25 08:30", "11-25 10:30"]
    orders = [order("11-23 08:30", "19:00"), order("11-25 08:30", "10:30")]
    result = worked_out(days, orders, substitutes=(one,))
    assert the_day(result, "11-23").minutes == {"W125": 90}
    assert the_day(result, "11-23").regular_min == 465
    assert the_day(result, "11-25").minutes == {"HOL135": 120}
    assert [the_day(result, f"11-{day}").kind for day in (23, 25)] == ["work", "holiday"]


def test_a_shift_at_night_gets_a_quarter_and_keeps_its_regular_hours() -> None:
    night = Assigned(day=day_of("11-17"), hours=Hours(1290, 1800))
    result = worked_out(["11-17 21:25", "11-18 02:40", "11-18 06:05"], terms=SHIFTS, assigned=(night,))
    # The assigned hours reach over the day line, so 06:05 is still this night's.
    assert the_day(result, "11-17").minutes == {"N25": 420}
    assert the_day(result, "11-17").regular_min == 510
    assert the_day(result, "11-18").status == "off"


def test_a_shift_into_a_holiday_is_a_holidays_after_midnight() -> None:
    shift = Assigned(day=day_of("11-22"), hours=Hours(1200, 1560))
    result = worked_out(
        ["11-22 20:00", "11-23 02:00"], [order("11-22 20:00", "11-23 02:00")], SHIFTS, assigned=(shift,)
    )
    # Sunday until midnight is assigned and plain; 00:00 to 02:00 lie in Labour Thanksgiving Day.
    assert result.minutes == {"N25": 120, "HOL160": 120}


def test_an_unassigned_day_of_a_shift_worker_is_a_weekly_day_off() -> None:
    off = Assigned(day=day_of("11-17"), hours=None)
    result = worked_out(["11-17 09:00", "11-17 10:00"], [order("11-17 09:00", "10:00")], SHIFTS, assigned=(off,))
    assert result.minutes == {"H135": 60}
    assert the_day(result, "11-18").status == "off"


def test_a_working_day_is_on_leave_explained_or_open() -> None:
    whole = Leave(day=day_of("11-17"), kind="annual", ref="request:4")
    halves = (
        Leave(day=day_of("11-18"), kind="annual", span=Span(minute("11-18 08:30"), minute("11-18 12:00")), ref="a"),
        Leave(day=day_of("11-18"), kind="sick", span=Span(minute("11-18 13:00"), minute("11-18 17:15")), ref="b"),
        Leave(day=day_of("11-19"), kind="annual", span=Span(minute("11-19 08:30"), minute("11-19 12:00"))),
    )
    result = worked_out([], leaves=(whole, *halves), until=day_of("11-20"))
    found = {str(one.day)[8:]: one.status for one in result.days}
    assert [found[day] for day in ("16", "17", "18", "19", "20", "21", "23", "24")] == [
        "unexplained",
        "leave",
        "leave",
        "unexplained",
        "unexplained",
        "off",
        "off",
        "off",
    ]
    assert the_day(result, "11-17").leave_min == 465
    assert {one.refs for one in the_day(result, "11-17").pieces if one.duty == "leave"} == {("request:4",)}
    assert the_day(result, "11-19").leave_min == 210
    assert [one.refs for one in the_day(result, "11-18").pieces if one.duty == "leave"] == [("a",), ("b",)]
    assert not result.closable


def test_late_and_leave_are_told() -> None:
    morning = Leave(day=day_of("11-18"), kind="annual", span=Span(minute("11-18 08:30"), minute("11-18 12:00")))
    found = the_day(worked_out(["11-18 13:20", "11-18 17:00"], leaves=(morning,)), "11-18")
    assert (found.leave_min, found.late_min, found.regular_min) == (210, 35, 220)


def test_who_does_not_tap_is_not_asked_for_anything() -> None:
    quiet = Terms(since=date(2020, 4, 1), monthly_base_yen=250_000, tracked=False)
    assert worked_out([], terms=quiet).closable
    assert worked_out([], profile=Profile(unexplained_blocks=False)).closable
    assert not worked_out([]).closable


def test_an_order_without_a_tap_is_open_once_its_day_is_past() -> None:
    orders = [order("11-21 09:00", "12:00")]
    found = the_day(worked_out([], orders, until=day_of("11-21")), "11-21")
    assert (found.status, found.flags) == ("incomplete", ("MISSING_IN", "MISSING_OUT"))
    assert {one.rule for one in found.pieces} == {"end_missing"}
    assert the_day(worked_out([], orders, until=day_of("11-20")), "11-21").status == "off"


def test_a_working_day_inside_the_night_before_is_not_unexplained() -> None:
    result = worked_out(["11-17 08:30", "11-18 12:00"], [order("11-17 17:15", "11-18 12:00")])
    assert the_day(result, "11-18").status == "off"
    assert the_day(result, "11-17").regular_min == 465 + 210


def test_days_before_and_after_employment_are_not_in_the_month() -> None:
    new = Terms(since=day_of("11-10"), monthly_base_yen=250_000)
    result = worked_out([], terms=new, left=day_of("11-12"))
    assert [str(one.day) for one in result.days] == ["2026-11-10", "2026-11-11", "2026-11-12"]
    assert worked_out([], terms=new, of="2026-10").units == ()


def test_the_interval_is_a_target_and_can_be_switched_off() -> None:
    taps = ["11-17 08:30", "11-17 22:15", "11-18 09:15", "11-18 17:15"]
    assert the_day(worked_out(taps), "11-18").flags == ()
    assert the_day(worked_out(taps), "11-18").rest_before_min == 660
    later = the_day(worked_out([*taps[:2], "11-18 09:14", taps[3]]), "11-18")
    assert (later.rest_before_min, later.flags) == (659, ("INTERVAL_LT_11H",))
    off = worked_out([*taps[:2], "11-18 09:14", taps[3]], profile=Profile(rest_target_min=None, gap_alert_min=None))
    assert the_day(off, "11-18").flags == ()


def test_the_rest_is_unknown_after_a_missing_end() -> None:
    found = worked_out(["11-16 08:30", "11-16 17:15", "11-17 08:30", "11-18 08:30", "11-18 17:15"])
    assert the_day(found, "11-17").rest_before_min == 915
    assert the_day(found, "11-18").rest_before_min is None


def test_the_bar_of_a_day_covers_it_without_a_hole() -> None:
    result = worked_out(["11-18 08:21", "11-18 19:00"], [order("11-18 18:00", "20:00", "request:7")], CLERK)
    found = the_day(result, "11-18").pieces
    assert found[0].span.begin == minute("11-18 08:21")
    assert found[-1].span.end == minute("11-18 20:00")
    assert all(one.span.end == other.span.begin for one, other in pairwise(found))
    assert [(one.rule, one.refs) for one in found] == [
        ("unordered_before", ()),
        ("regular", ()),
        ("lunch", ()),
        ("regular", ()),
        ("evening_break", ()),
        ("unordered_after", ()),
        ("workday_day", ("request:7",)),
        ("ordered_absent", ("request:7",)),
    ]
