"""When the town hall is open."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.hours import JST, Hours, is_open, next_opening_ms

OFFICE = Hours()


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+09:00").timestamp() * 1000)


@pytest.mark.parametrize(
    ("moment", "opened"),
    [
        ("2026-11-24T08:29", False),
        ("2026-11-24T08:30", True),
        ("2026-11-24T17:14", True),
        ("2026-11-24T17:15", False),
        ("2026-11-22T10:00", False),  # Sunday
        ("2026-11-23T10:00", False),  # Labour Thanksgiving Day (勤労感謝の日)
        ("2026-09-22T10:00", False),  # between two holidays (国民の休日)
        ("2027-03-22T10:00", False),  # in lieu of a holiday on a Sunday (振替休日)
        ("2026-12-28T10:00", True),
        ("2026-12-29T10:00", False),
        ("2027-01-03T10:00", False),
        ("2027-01-04T10:00", True),
    ],
)
def test_the_week_the_holidays_and_the_turn_of_the_year(moment: str, *, opened: bool) -> None:
    assert is_open(OFFICE, at(moment)) is opened


def test_a_town_may_have_other_days() -> None:
    assert is_open(Hours(holidays_off=False), at("2026-11-23T10:00"))
    assert is_open(Hours(new_year_off=False), at("2026-12-30T10:00"))
    assert is_open(Hours(always=True), at("2026-11-22T03:00"))


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-20T18:00", "2026-11-24T08:30"),
        ("2026-12-28T17:15", "2027-01-04T08:30"),
        ("2026-11-24T08:00", "2026-11-24T08:30"),
        ("2026-11-24T09:00", "2026-11-24T09:00"),
    ],
)
def test_the_next_opening(moment: str, opening: str) -> None:
    assert next_opening_ms(OFFICE, at(moment)) == at(opening)


def test_a_town_that_is_never_open_has_no_opening() -> None:
    assert next_opening_ms(Hours((None,) * 7), at("2026-11-24T09:00")) is None


@given(st.datetimes(datetime(2024, 1, 1), datetime(2036, 1, 1)))  # noqa: DTZ001 (made aware below)
def test_it_is_open_at_the_next_opening_and_not_before(moment: datetime) -> None:
    now_ms = int(moment.replace(tzinfo=JST).timestamp() * 1000)
    opening_ms = next_opening_ms(OFFICE, now_ms)
    assert opening_ms is not None
    assert opening_ms >= now_ms
    assert is_open(OFFICE, opening_ms)
    if opening_ms > now_ms:
        assert not is_open(OFFICE, opening_ms - 1)
        assert not is_open(OFFICE, now_ms)
