"""The fiscal year of a bill, the closing of its books, fees by months (C15, C21)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.waiver.rules import fiscal, months

days = st.dates(date(2000, 1, 1), date(2098, 12, 31))


def test_a_telephone_bill_belongs_to_its_period_of_use() -> None:
    march = fiscal.year_of_period(date(2027, 3, 1), date(2027, 3, 31), due=date(2027, 4, 30))
    assert march == 2026
    across = fiscal.year_of_period(date(2027, 3, 21), date(2027, 4, 20), due=date(2027, 5, 31))
    assert across == 2027
    assert fiscal.year_of_period(date(2027, 3, 21), date(2027, 4, 20), due=date(2027, 3, 31)) == 2026


def test_the_books_are_open_to_the_end_of_may() -> None:
    assert fiscal.last_payment_day(2026) == date(2027, 5, 31)
    assert fiscal.budget_of(2026, date(2027, 5, 31)) == (2026, "current")
    assert fiscal.budget_of(2026, date(2027, 6, 1)) == (2027, "past")
    assert fiscal.budget_of(2026, date(2028, 4, 1)) == (2028, "past")


def test_a_year_has_twelve_months_from_april_on() -> None:
    assert fiscal.months_of(2026)[0] == "2026-04"
    assert fiscal.months_of(2026)[-1] == "2027-03"
    assert {fiscal.fiscal_year_of(month) for month in fiscal.months_of(2026)} == {2026}
    assert fiscal.fiscal_year_of("2027-04") == 2027


def test_a_part_of_a_month_counts_as_one() -> None:
    assert fiscal.begun_months(date(2026, 11, 30), date(2027, 3, 1)) == 5
    assert fiscal.begun_months(date(2026, 11, 2), date(2026, 11, 3)) == 1
    assert fiscal.begun_months(date(2026, 11, 2), date(2026, 9, 3)) == 0


@given(days)
def test_a_day_lies_in_its_month_and_year(day: date) -> None:
    month = months.month_of(day)
    assert months.first_day(month) <= day <= months.last_day(month)
    assert (months.last_day(month) + timedelta(days=1)) == months.first_day(months.later(month, 1))
    assert fiscal.days_of(month) == (months.last_day(month) - months.first_day(month)).days + 1
    assert date(fiscal.fiscal_year(day), 4, 1) <= day <= date(fiscal.fiscal_year(day) + 1, 3, 31)


@given(days, st.integers(1, 120))
def test_so_many_months_from_a_day_on(day: date, count: int) -> None:
    last = months.last_of_months(day, count)
    after = last + timedelta(days=1)
    there = months.later(months.month_of(day), count)
    assert (
        after == months.first_day(there).replace(day=day.day)
        if _has(there, day.day)
        else last == months.last_day(there)
    )


def _has(month: str, day: int) -> bool:
    return day <= months.last_day(month).day


@pytest.mark.parametrize(("month", "by", "there"), [("2026-11", 2, "2027-01"), ("2026-01", -1, "2025-12")])
def test_months_later(month: str, by: int, there: str) -> None:
    assert months.later(month, by) == there
