"""The holidays: one library against another, and the town's word over both."""

from datetime import date, timedelta

import holidays as other
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.attendance.rules import calendar
from hub.attendance.rules.profile import DEFAULT

CLOSED = DEFAULT.closed_days


def test_two_libraries_agree_on_the_law() -> None:
    for year in range(2022, 2041):
        assert set(calendar.national(year)) == set(other.country_holidays("JP", years=year)), year


@pytest.mark.parametrize(
    ("year", "count"),
    [(2024, 18), (2025, 19), (2026, 20), (2027, 19), (2028, 18), (2029, 15), (2030, 18), (2031, 18), (2032, 20)],
)
def test_holidays_on_weekdays_of_a_fiscal_year(year: int, count: int) -> None:
    first, last = calendar.fiscal_span(year)
    assert calendar.weekday_holidays(calendar.holidays(first, last, CLOSED), year) == count


def test_substitute_holidays_and_days_between() -> None:
    found = calendar.holiday_names(date(2026, 5, 1), date(2027, 3, 31), CLOSED)
    # 2026-05-06 and 2027-03-22 stand in for a holiday on Sunday; 2026-09-22 lies between two.
    assert {date(2026, 5, 6), date(2026, 9, 22), date(2027, 3, 22)} <= set(found)
    assert [day for day in found if day.month in (12, 1)][:7] == [
        date(2026, 12, 29) + timedelta(days=n) for n in (0, 1, 2, 3, 4, 5)
    ] + [date(2027, 1, 11)]
    assert found[date(2026, 12, 31)] == calendar.NEW_YEAR
    assert found[date(2027, 1, 1)] != calendar.NEW_YEAR


def test_the_town_says_last() -> None:
    said = {date(2026, 11, 3): ("workday", "文化の日の移動"), date(2026, 11, 4): ("holiday", "町制記念日")}
    found = calendar.holiday_names(date(2026, 11, 1), date(2026, 11, 30), CLOSED, said)  # type: ignore[arg-type]
    assert found == {date(2026, 11, 4): "町制記念日", date(2026, 11, 23): "勤労感謝の日"}


def test_the_29th_of_february_is_a_day_in_some_years() -> None:
    assert calendar.holidays(date(2027, 2, 27), date(2028, 3, 1), ("02-29",)) & {date(2028, 2, 29)}
    assert date(2027, 3, 1) not in calendar.holidays(date(2027, 2, 27), date(2027, 3, 1), ("02-29",))


@given(st.dates(date(2000, 1, 1), date(2098, 12, 31)))
def test_months_weeks_and_fiscal_years(day: date) -> None:
    month = calendar.month_of(day)
    first, last = calendar.month_span(month)
    assert first <= day <= last
    assert calendar.month_after(calendar.month_after(month), -1) == month
    assert calendar.month_of(last + timedelta(days=1)) == calendar.month_after(month)
    begin, end = calendar.fiscal_span(calendar.fiscal_year(month))
    assert begin <= day <= end
    low, high = calendar.reach(month)
    # Two days before the Sunday of its first week, two after the Saturday of its last.
    assert (low + timedelta(days=2)).weekday() == 6
    assert (high - timedelta(days=2)).weekday() == 5
    assert 2 <= (first - low).days <= 8
    assert 2 <= (high - last).days <= 8
