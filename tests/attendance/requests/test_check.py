"""What is wrong with a request is told, with its field, before it is entered."""

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.attendance.request import (
    Body,
    CorrectionBody,
    GapBody,
    LeaveBody,
    OrderBody,
    Request,
    SubstituteBody,
    SwapBody,
    clash,
)
from hub.attendance.request_check import Known, check, stops
from hub.attendance.request_say import one_line, sentence
from hub.attendance.rules import calendar
from hub.attendance.rules.given import Assigned, Given, Swap
from hub.attendance.rules.profile import DEFAULT
from hub.staff.terms import Hours, Terms
from hub.words import Language
from tests.attendance.requests.parts import SINCE, at

HOLIDAYS = calendar.holidays(date(2026, 1, 1), date(2027, 12, 31), DEFAULT.closed_days)
SATURDAY, SUNDAY, TUESDAY = date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 24)
LABOUR = date(2026, 11, 23)
WEEK = timedelta(days=7)


def known(*others: Body, swaps: tuple[Swap, ...] = (), **more: object) -> Known:
    """Somebody with the town's hours, at noon of 24 November 2026."""
    terms = (Terms(since=SINCE),)
    assigned = tuple(Assigned(day=day, hours=hours) for day, hours in dict(more.pop("assigned", {})).items())  # type: ignore[call-overload]
    if assigned:
        terms = (Terms(since=SINCE, shifts=True),)
    given_ = Given(
        month="2026-11",
        terms=terms,
        holidays=HOLIDAYS,
        swaps=swaps,
        assigned=assigned,
        left=more.pop("left", None),  # type: ignore[arg-type]
    )
    return Known(
        now=at("2026-11-24T12:00"),
        since=SINCE,
        given=given_,
        others=tuple(
            Request(id=n, staff_id=1, body=body, reason="", entered_ms=0, entered_by="taro")
            for n, body in enumerate(others, 1)
        ),
        **more,  # type: ignore[arg-type]
    )


def keys(body: Body, about: Known | None = None, reason: str = "why") -> list[str]:
    """What is wrong with it."""
    return [one.key for one in check(body, reason, about or known())]


LANGUAGES: tuple[Language, ...] = ("ja", "en")
ORDER = OrderBody(at("2026-11-24T17:30"), at("2026-11-24T20:00"))


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (ORDER, []),
        (OrderBody(at("2026-11-24T20:00"), at("2026-11-24T20:00")), ["order_reversed"]),
        (OrderBody(at("2026-11-24T20:00"), at("2026-11-24T17:30")), ["order_reversed"]),
        (OrderBody(at("2026-11-21T08:00"), at("2026-11-22T08:00")), []),
        (OrderBody(at("2026-11-21T08:00"), at("2026-11-22T08:01")), ["order_long"]),
        (OrderBody(at("2026-11-24T17:00"), at("2026-11-24T20:00")), ["order_in_hours"]),
        (OrderBody(at("2026-11-24T06:00"), at("2026-11-24T08:30")), []),
        (OrderBody(at("2026-11-21T09:00"), at("2026-11-21T12:00")), []),
        (OrderBody(at("2026-11-23T09:00"), at("2026-11-23T12:00")), []),
        (OrderBody(at("0026-11-24T17:30"), at("0026-11-24T20:00")), ["far"]),
        (OrderBody(at("2028-11-24T17:30"), at("2028-11-24T20:00")), ["far"]),
        (OrderBody(at("2024-03-29T17:30"), at("2024-03-29T20:00")), ["not_employed"]),
        (CorrectionBody(TUESDAY), ["correction_empty"]),
        (CorrectionBody(date(2026, 11, 25), at("2026-11-25T08:30")), ["correction_future"]),
        (CorrectionBody(TUESDAY, at("2026-11-24T12:01")), ["correction_not_yet"]),
        (CorrectionBody(TUESDAY, at("2026-11-24T08:30")), []),
        (CorrectionBody(SATURDAY, at("2026-11-21T08:30"), at("2026-11-22T02:10")), []),
        (CorrectionBody(SATURDAY, None, at("2026-11-23T02:10")), ["correction_other_day"]),
        (CorrectionBody(SATURDAY, at("2026-11-21T17:00"), at("2026-11-21T08:30")), ["correction_reversed"]),
        (CorrectionBody(SATURDAY, at("2026-11-21T17:00"), at("2026-11-21T17:00")), ["correction_reversed"]),
        (LeaveBody(TUESDAY, TUESDAY, "annual"), []),
        (LeaveBody(SATURDAY, TUESDAY, "sick"), []),
        (LeaveBody(SATURDAY, LABOUR, "annual"), ["leave_day_off"]),
        (LeaveBody(TUESDAY, SATURDAY, "annual"), ["leave_reversed"]),
        (LeaveBody(TUESDAY, TUESDAY + 366 * timedelta(days=1), "care"), ["leave_long"]),
        (LeaveBody(TUESDAY, TUESDAY + WEEK, "annual", "morning", Hours(510, 720)), ["leave_one_day"]),
        (LeaveBody(TUESDAY, TUESDAY, "annual", "hours", Hours(600, 600)), ["leave_hours_reversed"]),
        (LeaveBody(TUESDAY, TUESDAY, "annual", "hours", Hours(480, 600)), ["leave_outside"]),
        (LeaveBody(TUESDAY, TUESDAY, "annual", "hours", Hours(510, 1035)), []),
        (SwapBody(SATURDAY, date(2026, 11, 18)), []),
        (SwapBody(SATURDAY, SATURDAY), ["same_day"]),
        (SwapBody(date(2026, 11, 20), TUESDAY), ["swap_worked"]),
        (SwapBody(SATURDAY, SUNDAY), ["swap_off"]),
        (SwapBody(SATURDAY, LABOUR), ["swap_off"]),
        (SwapBody(SATURDAY, TUESDAY, Hours(510, 750), Hours(780, 1020)), []),
        (SwapBody(SATURDAY, TUESDAY, Hours(510, 750)), ["swap_four_hours"]),
        (SwapBody(SATURDAY, TUESDAY, Hours(510, 751), Hours(780, 1020)), ["swap_four_hours"]),
        (SwapBody(SATURDAY, TUESDAY, Hours(510, 750), Hours(840, 1080)), ["leave_outside"]),
        (SubstituteBody(LABOUR, TUESDAY), []),
        (SubstituteBody(SATURDAY, TUESDAY), ["substitute_worked"]),
        (SubstituteBody(LABOUR, date(2026, 11, 20)), ["substitute_window"]),
        (SubstituteBody(LABOUR, LABOUR + 8 * WEEK + timedelta(days=1)), ["substitute_window"]),
        (SubstituteBody(LABOUR, date(2026, 12, 29)), ["swap_off"]),
        (GapBody(TUESDAY), []),
    ],
)
def test_each_thing_that_is_wrong_has_its_sentence(body: Body, wrong: list[str]) -> None:
    assert keys(body) == wrong
    for problem in check(body, "why", known()):
        for language in LANGUAGES:
            said = sentence(language, problem)
            assert "{" not in said
            assert said


def test_an_order_inside_the_regular_hours_is_a_warning_only() -> None:
    found = check(OrderBody(at("2026-11-24T16:00"), at("2026-11-24T20:00")), "why", known())
    assert not stops(found)
    assert stops(check(OrderBody(at("2026-11-24T20:00"), at("2026-11-24T16:00")), "why", known()))


@given(st.integers(-60, 90))
@example(-29)
@example(-28)
@example(56)
@example(57)
def test_a_swap_lies_from_four_weeks_before_to_eight_weeks_after(days: int) -> None:
    off = SATURDAY + timedelta(days=days)
    wrong = keys(SwapBody(SATURDAY, off)) if days else ["swap_window"]
    inside = -28 <= days <= 56
    assert ("swap_window" in wrong) == (not inside) or not days
    if inside and off.weekday() < 5 and off not in HOLIDAYS:
        assert wrong == []
    elif days:
        assert wrong


def test_reasons_are_asked_for_where_the_law_does() -> None:
    """Not for annual leave: it is a right (労働基準法39条)."""
    assert keys(ORDER, reason=" ") == ["reason_needed"]
    assert keys(CorrectionBody(TUESDAY, at("2026-11-24T08:30")), reason="") == ["reason_needed"]
    assert keys(GapBody(TUESDAY), reason="") == ["reason_needed"]
    assert keys(LeaveBody(TUESDAY, TUESDAY, "annual"), reason="") == []


def test_what_overlaps_is_told_with_the_other_request() -> None:
    other = OrderBody(at("2026-11-24T19:59"), at("2026-11-25T01:00"))
    (problem,) = check(ORDER, "why", known(other))
    assert problem.key == "clash"
    assert "19:59–翌日1:00" in sentence("ja", problem)
    assert "request 1, waiting" in sentence("en", problem)
    assert keys(ORDER, known(OrderBody(at("2026-11-24T20:00"), at("2026-11-24T21:00")))) == []
    leave = LeaveBody(TUESDAY, TUESDAY, "annual", "morning", Hours(510, 720))
    assert keys(leave, known(LeaveBody(SATURDAY, TUESDAY, "sick"))) == ["clash"]
    assert keys(leave, known(LeaveBody(TUESDAY, TUESDAY, "annual", "afternoon", Hours(780, 1035)))) == []
    assert keys(SwapBody(SATURDAY, TUESDAY), known(SubstituteBody(LABOUR, TUESDAY))) == ["clash"]


@given(st.integers(0, 6), st.integers(1, 6), st.integers(0, 6), st.integers(1, 6))
def test_two_orders_clash_when_a_minute_is_in_both(begin: int, long: int, other: int, other_long: int) -> None:
    start, minute = at("2026-11-24T17:00"), timedelta(minutes=1)
    one = OrderBody(start + begin * minute, start + (begin + long) * minute)
    two = OrderBody(start + other * minute, start + (other + other_long) * minute)
    both = set(range(begin, begin + long)) & set(range(other, other + other_long))
    assert clash(one, two) == clash(two, one) == bool(both)


def test_a_closed_month_is_for_the_clerk_and_only_warns_there() -> None:
    body, closed = CorrectionBody(date(2026, 10, 30), at("2026-10-30T08:30")), frozenset({"2026-10"})
    (mine,) = check(body, "why", known(closed=closed))
    assert (mine.key, mine.blocks) == ("closed", True)
    (clerks,) = check(body, "why", known(closed=closed, by_clerk=True))
    assert (clerks.key, clerks.blocks) == ("closed_books", False)
    assert keys(LeaveBody(date(2026, 9, 30), date(2026, 11, 2), "sick"), known(closed=closed)) == ["closed"]
    assert keys(SwapBody(SATURDAY, date(2026, 10, 30)), known(closed=closed)) == ["closed"]
    # A reason changes no figure.
    assert keys(GapBody(date(2026, 10, 30)), known(closed=closed)) == []


def test_what_is_recorded_of_the_day_counts_for_the_other_end() -> None:
    ends = {SATURDAY: (at("2026-11-21T09:00"), None)}
    assert keys(CorrectionBody(SATURDAY, None, at("2026-11-21T08:59")), known(ends=ends)) == ["correction_reversed"]
    assert keys(CorrectionBody(SATURDAY, None, at("2026-11-21T12:00")), known(ends=ends)) == []


def test_days_are_those_of_the_person() -> None:
    """Shifts, and what a swap has moved: the days off are asked of the person's own plan."""
    shifts = {SATURDAY: Hours(510, 1035), TUESDAY: None}
    assert keys(SwapBody(TUESDAY, SATURDAY), known(assigned=shifts)) == []
    assert keys(SwapBody(SATURDAY, TUESDAY), known(assigned=shifts)) == ["swap_worked", "swap_off"]
    moved = (Swap(worked=SATURDAY, off=TUESDAY),)
    assert keys(SwapBody(SATURDAY, date(2026, 11, 25)), known(swaps=moved)) == ["swap_worked"]
    assert keys(LeaveBody(TUESDAY, TUESDAY, "annual"), known(swaps=moved)) == ["leave_day_off"]
    assert keys(ORDER, known(left=date(2026, 11, 23))) == ["not_employed"]


def test_a_request_in_one_line() -> None:
    body = LeaveBody(TUESDAY, TUESDAY, "annual", "morning", Hours(510, 720))
    found = Request(id=12, staff_id=1, body=body, reason="", entered_ms=0, entered_by="taro")
    assert one_line("ja", found) == "年次有給休暇 2026年11月24日(火) 午前 8:30–12:00 (申請12、承認待ち)"
    assert one_line("en", found) == "Annual leave Tue 2026-11-24 morning 8:30–12:00 (request 12, waiting)"
    order = Request(id=1, staff_id=1, body=ORDER, reason="", entered_ms=0, entered_by="taro")
    assert not order.afterwards
    late = Request(id=1, staff_id=1, body=ORDER, reason="", entered_ms=1_795_508_999_999, entered_by="taro")
    assert not late.afterwards
    assert Request(id=1, staff_id=1, body=ORDER, reason="", entered_ms=1_795_509_000_000, entered_by="taro").afterwards
