"""Who is in, at any moment, over midnight too."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.attendance.day import Standing, standing
from hub.attendance.rules.given import Correction, Given, Leave, Order, Span, Tap
from hub.attendance.rules.japan import minute_of
from hub.staff.terms import Hours, Terms
from tests.attendance.close.hall import ms

TERMS = Terms(since=date(2026, 4, 1), monthly_base_yen=250_000)


def tap(text: str, direction: str = "") -> Tap:
    """A tap of October 2026, `DD HH:MM`."""
    return Tap(at_ms=ms(f"2026-10-{text}"), direction=direction)  # type: ignore[arg-type]


def order(begin: str, end: str) -> Order:
    """An order of October 2026."""
    return Order(span=Span(minute_of(ms(f"2026-10-{begin}")), minute_of(ms(f"2026-10-{end}"))))


def at(text: str, *taps: Tap, **more: object) -> Standing:
    """How somebody stands at a moment of October 2026."""
    found = Given(month="2026-10", terms=(TERMS,), taps=taps, **more)  # type: ignore[arg-type]
    return standing(1, found, ms(f"2026-10-{text}"))


@pytest.mark.parametrize(
    ("now", "taps", "state"),
    [
        ("06 07:00", [], "later"),
        ("06 08:30", [], "expected"),
        ("06 23:00", [], "expected"),
        ("07 02:59", [], "expected"),
        ("07 03:00", [], "later"),
        ("10 12:00", [], "off"),
        ("06 09:00", [tap("06 08:21")], "in"),
        # A tap that the future holds does not count yet.
        ("06 08:00", [tap("06 08:21")], "later"),
        ("06 18:00", [tap("06 08:21"), tap("06 17:22")], "out"),
        # The same card again within a minute is no going.
        ("06 18:00", [tap("06 08:21:10"), tap("06 08:21:13"), tap("06 08:21:40")], "in"),
        # Out for lunch by the key, and back by the key.
        ("06 12:30", [tap("06 08:21"), tap("06 12:01", "clock_out")], "out"),
        ("06 13:30", [tap("06 08:21"), tap("06 12:01", "clock_out"), tap("06 12:58", "clock_in")], "in"),
        # A single tap in the afternoon is a going: the coming was forgotten.
        ("06 18:00", [tap("06 17:22")], "out"),
        # Past midnight, before the day line, it is still the same duty.
        ("07 01:00", [tap("06 16:30", "clock_in")], "in"),
        ("10 12:00", [tap("10 09:00")], "in"),
    ],
)
def test_the_table_of_standings(now: str, taps: list[Tap], state: str) -> None:
    assert at(now, *taps).state == state


def test_a_night_goes_on_over_the_day_line_as_long_as_its_order() -> None:
    night = [tap("06 08:21")]
    orders = (order("06 17:30", "07 06:00"),)
    found = at("07 05:00", *night, orders=orders)
    assert (found.state, found.night, found.in_ms) == ("in", True, ms("2026-10-06 08:21"))
    assert not found.forgot
    # An hour later than ordered nobody believes it any more: the going was forgotten.
    late = at("07 07:00", *night, orders=orders)
    assert (late.state, late.forgot) == ("later", True)
    gone = at("07 07:00", *night, tap("07 06:10"), orders=orders)
    assert (gone.state, gone.forgot) == ("later", False)
    # Whoever then comes for the next day is in by that.
    again = at("07 09:00", *night, tap("07 06:10"), tap("07 08:40"), orders=orders)
    assert (again.state, again.in_ms, again.night) == ("in", ms("2026-10-07 08:40"), False)


def test_without_an_order_a_forgotten_going_ends_at_the_day_line() -> None:
    assert at("07 02:59", tap("06 08:21")).state == "in"
    found = at("07 08:45", tap("06 08:21"))
    assert (found.state, found.forgot) == ("expected", True)


def test_shifts_over_midnight() -> None:
    from hub.attendance.rules.given import Assigned

    terms = Terms(since=date(2026, 4, 1), unit_yen=1613, shifts=True)
    found = Given(
        month="2026-10",
        terms=(terms,),
        taps=(tap("06 16:20", "clock_in"),),
        assigned=(Assigned(day=date(2026, 10, 6), hours=Hours(990, 1980)), Assigned(day=date(2026, 10, 7), hours=None)),
    )
    assert standing(1, found, ms("2026-10-07 08:00")).state == "in"
    assert standing(1, found, ms("2026-10-07 10:30")).state == "off"


def test_leave_and_corrections() -> None:
    day = date(2026, 10, 6)
    whole = (Leave(day=day, kind="annual"),)
    assert (at("06 09:00", leaves=whole).state, at("06 09:00", leaves=whole).leave) == ("leave", "annual")
    morning = (
        Leave(day=day, kind="annual", span=Span(minute_of(ms("2026-10-06 08:30")), minute_of(ms("2026-10-06 12:00")))),
    )
    assert at("06 09:00", leaves=morning).state == "leave"
    assert at("06 08:00", leaves=morning).state == "later"
    assert at("06 12:01", leaves=morning).state == "expected"
    put_right = (Correction(day=day, in_ms=ms("2026-10-06 08:20")),)
    assert at("06 09:00", corrections=put_right).state == "in"
    assert at("06 09:00", holidays=frozenset({day})).state == "off"


def test_who_does_not_tap_is_not_missed() -> None:
    terms = Terms(since=date(2026, 4, 1), tracked=False)
    assert standing(1, Given(month="2026-10", terms=(terms,)), ms("2026-10-06 10:00")).state == "untracked"


@given(st.permutations([tap("05 08:20"), tap("05 17:30"), tap("06 08:21"), tap("06 12:01"), tap("06 12:01:02")]))
def test_the_order_of_arrival_changes_nothing(taps: list[Tap]) -> None:
    found = at("06 18:00", *taps)
    assert (found.state, found.in_ms, found.out_ms) == ("out", ms("2026-10-06 08:21"), ms("2026-10-06 12:01"))
    assert timedelta(milliseconds=(found.out_ms or 0) - (found.in_ms or 0)) == timedelta(hours=3, minutes=40)
