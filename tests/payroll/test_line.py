"""The table of a month, out of what the rules make of it: its minutes, hours and yen are those of the month."""

from datetime import date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.attendance.rules.given import Given, Leave, Order, Span, Tap
from hub.attendance.rules.month import month
from hub.attendance.rules.profile import DEFAULT
from hub.payroll.line import Person, line
from hub.shown import JST
from hub.staff.terms import Terms

ZERO = datetime(1970, 1, 1, tzinfo=JST)
NIGHTS = st.dictionaries(st.integers(1, 30), st.integers(18 * 60, 25 * 60), max_size=12)


def at(day: int, minute: int) -> datetime:
    """A minute of a day in November."""
    return datetime(2026, 11, day, tzinfo=JST) + timedelta(minutes=minute)


def november(outs: dict[int, int], rounding: str, *, raised: bool = False) -> Given:
    """Somebody who stays late under orders; paid more from the middle of the month on, perhaps."""
    taps: list[Tap] = []
    orders = []
    for day, out in sorted(outs.items()):
        taps += [Tap(at_ms=int(when.timestamp() * 1000)) for when in (at(day, 8 * 60 + 24), at(day, out))]
        begin = (at(day, 17 * 60 + 15) - ZERO) // timedelta(minutes=1)
        orders.append(Order(span=Span(begin, begin + out - 17 * 60 - 15)))
    terms = [Terms(since=date(2026, 4, 1), monthly_base_yen=250_000)]
    if raised:
        terms.append(Terms(since=date(2026, 11, 16), monthly_base_yen=260_000))
    return Given(
        month="2026-11",
        terms=tuple(terms),
        taps=tuple(taps),
        orders=tuple(orders),
        holidays=frozenset({date(2026, 11, 3), date(2026, 11, 23)}),
        profile=msgspec.structs.replace(DEFAULT, monthly_rounding=rounding),
    )


@given(NIGHTS, st.sampled_from(["half_hour", "none"]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_figures_of_a_line_are_those_of_the_month(outs: dict[int, int], rounding: str, raised: bool) -> None:
    """Minute by minute and yen by yen, rounded or not, at one hourly unit or two."""
    result = month(november(outs, rounding, raised=raised))
    found = line(Person(number="1"), result)
    assert sum(one.yen for one in found.entries) == result.yen == found.yen
    for pay, minutes in result.minutes.items():
        own = [one for one in found.entries if one.pay == pay]
        assert sum(one.minutes for one in own) == minutes
        if rounding == "half_hour":
            assert sum(one.hours or 0 for one in own) == result.hours.get(pay, 0)
    if rounding == "none" and result.yen:
        assert {one.hours for one in found.entries if one.yen} == {None}
    assert found.work_days == len(outs)


def test_days_of_leave_and_of_absence() -> None:
    """Whole days: of leave, and apart from them of absence."""
    days = (date(2026, 11, 4), date(2026, 11, 5))
    given_ = msgspec.structs.replace(
        november({}, "half_hour"), leaves=(Leave(day=days[0], kind="annual"), Leave(day=days[1], kind="absent"))
    )
    found = line(Person(number="1"), month(given_), absent=frozenset({days[1]}))
    assert (found.leave_days, found.absent_days) == (1, 1)


@pytest.mark.parametrize(("out", "shown"), [(17 * 60 + 30, 1050), (25 * 60, 1500)])
def test_ends_are_minutes_of_the_duty_day(out: int, shown: int) -> None:
    """One in the morning is 25:00."""
    found = line(Person(number="1"), month(november({4: out}, "half_hour")))
    day = next(one for one in found.days if one.day == date(2026, 11, 4))
    assert (day.in_min, day.out_min) == (504, shown)
