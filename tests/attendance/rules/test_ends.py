"""Which taps count, the day they belong to, and the ends of that day."""

import msgspec
import pytest

from hub.attendance.rules.given import Correction, Tap
from hub.attendance.rules.profile import Profile
from tests.attendance.rules.parts import day_of, ms, order, tap, the_day, worked_out


def test_five_seconds_exactly_are_one_tap_and_a_millisecond_more_is_another() -> None:
    first = tap("11-18 08:24:10")
    at_line = msgspec.structs.replace(first, at_ms=first.at_ms + 5000)
    past = msgspec.structs.replace(first, at_ms=first.at_ms + 5001)
    assert the_day(worked_out([first, at_line, "11-18 17:20"]), "11-18").suppressed == 1
    assert the_day(worked_out([first, past, "11-18 17:20"]), "11-18").suppressed == 0


def test_the_debounce_counts_from_the_last_tap_that_counts() -> None:
    taps = [f"11-18 08:24:{second:02d}" for second in (10, 14, 18)]
    found = the_day(worked_out([*taps, "11-18 17:20"]), "11-18")
    assert found.suppressed == 1
    assert found.flags == ("RAPID_REPEAT",)
    assert found.in_ms == ms("11-18 08:24:10")


def test_the_same_tap_twice_is_one_but_two_terminals_are_two_places() -> None:
    one, other = tap("11-18 08:24:10"), tap("11-18 08:24:13", terminal="T2")
    found = the_day(worked_out([one, one, one, "11-18 17:20"]), "11-18")
    assert (found.suppressed, found.notes) == (0, ())
    found = the_day(worked_out([one, other, other, "11-18 17:20"]), "11-18")
    assert (found.suppressed, found.notes) == (1, ("TWO_PLACES",))


def test_without_a_debounce_each_tap_counts() -> None:
    profile = Profile(debounce_ms=0)
    found = the_day(worked_out(["11-18 08:24:10", "11-18 08:24:11", "11-18 17:20"], profile=profile), "11-18")
    assert (found.suppressed, found.flags) == (0, ("RAPID_REPEAT",))


@pytest.mark.parametrize(("text", "day"), [("11-19 02:59:59", "11-18"), ("11-19 03:00", "11-19")])
def test_the_day_line(text: str, day: str) -> None:
    found = [one.day for one in worked_out([text]).days if one.taps or one.in_ms or one.out_ms]
    assert found == [day_of(day)]


def test_a_single_tap_is_by_the_window() -> None:
    # The Osaka window: 03:00 to 14:30 comes, 14:30 to 03:00 goes.
    ways = {}
    for clock in ("03:00", "08:24", "14:29:59", "14:30", "23:59:59"):
        found = the_day(worked_out([f"11-18 {clock}"]), "11-18")
        ways[clock] = found.flags
        assert found.status == "incomplete"
        assert found.presence_min is None
        assert found.regular_min is None
    assert ways == {
        "03:00": ("MISSING_OUT",),
        "08:24": ("MISSING_OUT",),
        "14:29:59": ("MISSING_OUT",),
        "14:30": ("MISSING_IN",),
        "23:59:59": ("MISSING_IN",),
    }
    assert the_day(worked_out(["11-19 02:59"]), "11-18").flags == ("MISSING_IN",)


def test_first_and_last_count_whatever_the_window_says() -> None:
    found = the_day(worked_out(["11-18 15:00", "11-18 16:00", "11-18 20:00"]), "11-18")
    assert (found.in_ms, found.out_ms, found.status) == (ms("11-18 15:00"), ms("11-18 20:00"), "complete")


def test_sixty_seconds_make_a_day_and_fifty_nine_do_not() -> None:
    whole = the_day(worked_out(["11-18 08:24:00", "11-18 08:25:00"]), "11-18")
    assert (whole.status, whole.flags) == ("complete", ())
    found = the_day(worked_out(["11-18 08:24:00", "11-18 08:24:59"]), "11-18")
    assert (found.status, found.flags) == ("incomplete", ("MISSING_OUT", "RAPID_REPEAT"))


def test_a_chosen_direction_counts_before_the_window() -> None:
    late = the_day(worked_out([tap("11-18 15:10", "clock_in")]), "11-18")
    assert (late.in_ms, late.out_ms, late.flags) == (ms("11-18 15:10"), None, ("MISSING_OUT",))
    early = the_day(worked_out([tap("11-18 11:00", "clock_out")]), "11-18")
    assert (early.in_ms, early.out_ms, early.flags) == (None, ms("11-18 11:00"), ("MISSING_IN",))
    both = the_day(worked_out([tap("11-18 08:20", "clock_in"), tap("11-18 12:10", "clock_in")]), "11-18")
    assert (both.in_ms, both.flags) == (ms("11-18 08:20"), ("MISSING_OUT",))


def test_what_was_chosen_last_counts_within_a_minute() -> None:
    found = the_day(worked_out(["11-18 08:24:00", tap("11-18 08:24:20", "clock_out")]), "11-18")
    assert found.flags == ("MISSING_IN", "RAPID_REPEAT")
    both = [tap("11-18 08:24:00", "clock_in"), tap("11-18 08:24:20", "clock_out")]
    assert the_day(worked_out(both), "11-18").flags == ("MISSING_IN", "RAPID_REPEAT")
    turned = [tap("11-18 08:24:00", "clock_out"), tap("11-18 08:24:20", "clock_in")]
    assert the_day(worked_out(turned), "11-18").flags == ("MISSING_OUT", "RAPID_REPEAT")


def test_ends_that_are_the_wrong_way_round_are_told() -> None:
    found = the_day(worked_out([tap("11-18 08:24", "clock_out"), tap("11-18 17:20", "clock_in")]), "11-18")
    assert (found.status, found.notes, found.flags) == ("incomplete", ("REVERSED",), ())
    assert found.presence_min is None
    assert not worked_out([tap("11-18 08:24", "clock_out"), tap("11-18 17:20", "clock_in")]).closable


def test_a_night_over_the_day_line_stays_on_the_day_its_order_began() -> None:
    night = order("11-18 22:00", "11-19 05:00")
    taps = ["11-18 21:50", "11-19 05:40", "11-19 08:25", "11-19 17:20"]
    result = worked_out(taps, [night])
    first, second = the_day(result, "11-18"), the_day(result, "11-19")
    assert (first.in_ms, first.out_ms) == (ms("11-18 21:50"), ms("11-19 05:40"))
    assert first.minutes == {"W150": 420}
    assert (second.in_ms, second.out_ms, second.rest_before_min) == (ms("11-19 08:25"), ms("11-19 17:20"), 165)
    assert "INTERVAL_LT_11H" in second.flags


@pytest.mark.parametrize(("text", "day"), [("11-19 06:00", "11-18"), ("11-19 06:01", "11-19")])
def test_an_hour_after_the_nights_order(text: str, day: str) -> None:
    result = worked_out(["11-18 21:50", text], [order("11-18 22:00", "11-19 05:00")])
    assert the_day(result, "11-18").status == ("complete" if day == "11-18" else "incomplete")


def test_two_orders_that_touch_are_one_night() -> None:
    cut = [order("11-18 22:00", "11-19 01:00"), order("11-19 01:00", "11-19 05:00")]
    assert the_day(worked_out(["11-18 21:50", "11-19 05:40"], cut), "11-18").minutes == {"W150": 420}


def test_an_order_that_is_over_before_the_day_line_is_the_night_befores() -> None:
    result = worked_out(["11-18 08:30", "11-19 02:05"], [order("11-19 00:30", "02:00")])
    assert the_day(result, "11-18").minutes == {"W150": 90}
    assert the_day(result, "11-19").status == "unexplained"


def test_snow_at_two_in_the_morning_begins_the_day() -> None:
    taps = ["11-18 08:30", "11-18 17:15", "11-19 01:55", "11-19 17:15"]
    result = worked_out(taps, [order("11-19 02:00", "08:30")])
    assert the_day(result, "11-18").out_ms == ms("11-18 17:15")
    assert the_day(result, "11-19").minutes == {"W150": 180, "W125": 210}
    assert the_day(result, "11-19").unordered_before_min == 5
    assert "INTERVAL_LT_11H" in the_day(result, "11-19").flags


def test_the_clock_of_an_end_is_told_and_of_another_tap_is_not() -> None:
    ahead = msgspec.structs.replace(tap("11-18 12:00"), skew_s=300)
    assert the_day(worked_out(["11-18 08:24", ahead, "11-18 17:20"]), "11-18").flags == ()
    for skew_s, flags in ((59, ()), (60, ("CLOCK_SKEW",)), (-60, ("CLOCK_SKEW",))):
        end = msgspec.structs.replace(tap("11-18 17:20"), skew_s=skew_s)
        assert the_day(worked_out(["11-18 08:24", end]), "11-18").flags == flags
    unsure = msgspec.structs.replace(tap("11-18 17:20"), trusted=False, late=True)
    found = the_day(worked_out(["11-18 08:24", unsure]), "11-18")
    assert (found.flags, found.notes) == (("UNTRUSTED_CLOCK",), ("LATE_UPLOAD",))


def test_a_correction_sets_what_it_names_and_the_last_one_wins() -> None:
    day = day_of("11-18")
    first = Correction(day=day, in_ms=ms("11-18 08:00"), out_ms=ms("11-18 18:00"), ref="request:1")
    second = Correction(day=day, out_ms=ms("11-18 17:00"), ref="request:2")
    found = the_day(worked_out(["11-18 08:24", "11-18 17:20"], corrections=(first, second)), "11-18")
    assert (found.in_ms, found.out_ms, found.status) == (ms("11-18 08:00"), ms("11-18 17:00"), "corrected")
    assert found.taps == ("request:1", "request:2")


def test_a_correction_that_leaves_an_end_open_closes_nothing() -> None:
    one = Correction(day=day_of("11-18"), in_ms=ms("11-18 08:00"))
    found = the_day(worked_out([], corrections=(one,)), "11-18")
    assert (found.status, found.flags) == ("incomplete", ("MISSING_OUT",))


def test_a_clock_that_a_correction_replaced_is_told_no_more() -> None:
    unsure = Tap(at_ms=ms("11-18 17:20"), trusted=False, skew_s=600)
    one = Correction(day=day_of("11-18"), out_ms=ms("11-18 17:30"))
    assert the_day(worked_out(["11-18 08:24", unsure], corrections=(one,)), "11-18").flags == ()
    early = Tap(at_ms=ms("11-18 08:24"), trusted=False, skew_s=600)
    one = Correction(day=day_of("11-18"), in_ms=ms("11-18 08:30"))
    assert the_day(worked_out([early, "11-18 17:20"], corrections=(one,)), "11-18").flags == ()


def test_corrections_never_count_a_minute_on_two_days() -> None:
    one = Correction(day=day_of("11-18"), out_ms=ms("11-19 10:00"))
    orders = [order("11-18 17:30", "11-19 08:30")]
    result = worked_out(["11-18 08:30", "11-19 11:30", "11-19 17:15"], orders, corrections=(one,))
    other = Correction(day=day_of("11-19"), in_ms=ms("11-19 08:30"))
    doubled = worked_out(["11-18 08:30", "11-19 11:30", "11-19 17:15"], orders, corrections=(one, other))
    assert the_day(result, "11-18").regular_min == 465 + 90
    assert the_day(doubled, "11-19").regular_min == 465 - 90
    assert the_day(doubled, "11-19").rest_before_min == 0
