"""The hourly unit, the month's rounding and yen, against fractions."""

import math
from datetime import date
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.attendance.rules.month import month
from hub.attendance.rules.profile import DEFAULT, Profile
from hub.attendance.rules.unit import half_up, unit_result, unit_yen, yen_per_hour
from hub.staff.terms import Terms
from tests.attendance.rules.parts import CLERK, order, worked_out
from tests.attendance.rules.parts import given as given_month


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_half_goes_up(above: int, below: int) -> None:
    assert half_up(above, below) == math.floor(Fraction(above, below) + Fraction(1, 2))


@pytest.mark.parametrize(("holidays", "unit"), [(18, 1600), (19, 1606), (20, 1613), (15, 1580)])
def test_the_same_salary_has_another_unit_with_other_holidays(holidays: int, unit: int) -> None:
    assert unit_yen(CLERK, holidays, DEFAULT) == unit


def test_what_the_unit_is_taken_from() -> None:
    assert unit_yen(CLERK, 20, Profile(unit_formula="national")) == 1489
    assert unit_yen(Terms(since=date(2020, 4, 1), unit_yen=1611, monthly_base_yen=1), 20, DEFAULT) == 1611
    assert unit_yen(Terms(since=date(2020, 4, 1), hourly_yen=1200), 20, DEFAULT) == 1200


@pytest.mark.parametrize(("unit", "yen"), [(1611, 2417), (1615, 2423), (1613, 2420)])
def test_half_a_yen_goes_up_where_pythons_rounding_would_not(unit: int, yen: int) -> None:
    assert yen_per_hour(unit, DEFAULT)["W150"] == yen


@settings(deadline=None)
@given(st.integers(1, 20_000))
def test_yen_an_hour_is_the_fraction_rounded(unit: int) -> None:
    for pay, yen in yen_per_hour(unit, DEFAULT).items():
        assert yen == math.floor(Fraction(unit * DEFAULT.rates[pay], 100) + Fraction(1, 2))


def test_rounding_is_once_a_month_and_class() -> None:
    found = unit_result(date(2026, 11, 1), 1613, {"W125": 629, "W150": 30, "H135": 29}, DEFAULT)
    assert found.hours == {"W125": 10, "W150": 1, "H135": 0}
    assert found.yen == 10 * 2016 + 2420


def test_without_rounding_minutes_are_paid() -> None:
    found = unit_result(date(2026, 11, 1), 1613, {"W125": 45, "W150": 1}, Profile(monthly_rounding="none"))
    assert found.hours == {}
    assert found.yen == 1512 + 40
    assert unit_result(date(2026, 11, 1), 1613, {"W125": 46}, Profile(monthly_rounding="none")).yen == 1546


def test_a_salary_that_changes_in_the_month_is_rounded_on_its_own() -> None:
    raised = Terms(since=date(2026, 11, 16), monthly_base_yen=260_000)
    orders = [order("11-12 17:30", "18:00"), order("11-19 17:30", "18:00")]
    taps = ["11-12 08:30", "11-12 18:00", "11-19 08:30", "11-19 18:00"]
    month_of = msgspec.structs.replace(given_month(taps, orders), terms=(raised, CLERK), carried={"W125": 29})
    result = month(month_of)
    assert [(one.since, one.unit_yen, one.minutes, one.hours) for one in result.units] == [
        (date(2026, 11, 1), 1613, {"W125": 59}, {"W125": 1}),
        (date(2026, 11, 16), 1677, {"W125": 30}, {"W125": 1}),
    ]
    assert result.minutes == {"W125": 89}
    assert result.hours == {"W125": 2}
    assert result.yen == 2016 + 2096


def test_another_department_at_the_same_salary_is_no_other_unit() -> None:
    moved = Terms(since=date(2026, 11, 16), monthly_base_yen=250_000, department="20")
    assert len(month(msgspec.structs.replace(given_month(), terms=(CLERK, moved))).units) == 1


def test_april_has_another_unit_than_march_and_a_night_keeps_marchs() -> None:
    assert worked_out([], of="2027-03").units[0].unit_yen == 1613
    assert worked_out([], of="2027-04").units[0].unit_yen == 1606
    taps, orders = ["2027-03-31 08:30", "2027-04-01 02:00"], [order("2027-03-31 17:30", "2027-04-01 02:00")]
    march = worked_out(taps, orders, of="2027-03")
    assert march.minutes == {"W125": 270, "W150": 240}
    assert march.yen == 5 * 2016 + 4 * 2420 - 2016 + 2016
    assert worked_out(taps, orders, of="2027-04").minutes == {}
