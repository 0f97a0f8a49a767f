"""Days in the ways in which people write them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import day


@pytest.mark.parametrize(
    "text",
    [
        "2026-04-01",
        "2026/4/1",
        "2026.04.01",
        "2026年4月1日",
        "令和8年4月1日",
        "令8.4.1",
        "R8.4.1",
        "r08/04/01",
        "Ｒ８．４．１",
        "  令和 8年4月1日 ",
        "2026-04-01 00:00:00",
    ],
)
def test_one_day_in_many_ways(text: str) -> None:
    assert day.parse(text) == "2026-04-01"


def test_the_first_year_of_an_era() -> None:
    assert day.parse("令和元年5月1日") == day.parse("令和1年5月1日") == "2019-05-01"
    assert day.parse("H31.4.30") == "2019-04-30"
    assert day.parse("昭和64年1月7日") == "1989-01-07"


NONE = ["", "4/1", "2026-13-01", "2026-02-30", "46113", "20260401", "2026-4/1x", "2026-04-01 12:00", "①年1月1日"]
OUTSIDE = ["平成31年5月1日", "令和元年4月30日", "昭和64年1月8日", "令和0年1月1日", "明治1年1月1日", "令和9999年1月1日"]


@pytest.mark.parametrize("text", NONE + OUTSIDE)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        day.parse(text)


@given(st.dates(date(1926, 12, 25), date(9990, 12, 31)))
def test_a_day_comes_back_from_its_era_and_from_itself(when: date) -> None:
    iso = when.isoformat()
    assert day.parse(iso) == day.parse(f"{when.year}/{when.month}/{when.day}") == iso
    if when.year < 2117:
        # Two digits of an era's years.
        assert day.parse(day.in_era(iso)) == iso


@given(st.text(max_size=30))
def test_any_text_is_a_day_or_none(text: str) -> None:
    try:
        assert date.fromisoformat(day.parse(text))
    except ValueError:
        return
