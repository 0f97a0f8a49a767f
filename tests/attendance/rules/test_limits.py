"""Upper limits by month and year."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.attendance.rules.calendar import month_after
from hub.attendance.rules.limits import violations


def told(office: str, minutes: dict[str, int]) -> list[tuple[str, str]]:
    found = violations("ordinary" if office == "ordinary" else "other_directed", minutes)
    return [(one.month, one.limit) for one in found.violations]


def year(*minutes: int, first: str = "2026-04") -> dict[str, int]:
    return {month_after(first, at): one for at, one in enumerate(minutes)}


def test_an_ordinary_office_may_reach_its_limits() -> None:
    assert told("ordinary", year(2700, 2700, 2700, 2700, 2700, 2700, 2700, 2700)) == []
    assert told("ordinary", year(2701, 0, 2700)) == [("2026-04", "month_45")]
    passed = told("ordinary", year(*[2700] * 8, 1, 1))
    assert passed == [("2026-12", "year_360")]


def test_a_year_begins_in_april() -> None:
    assert told("ordinary", year(*[2000] * 11, first="2026-01")) == []
    assert told("ordinary", year(*[2000] * 14, first="2026-01")) == [("2027-02", "year_360")]


def test_a_hundred_hours_itself_is_too_much() -> None:
    assert told("other_directed", year(5999)) == []
    assert told("other_directed", year(6000)) == [("2026-04", "month_100")]


def test_eighty_hours_on_average_may_be_reached_over_two_to_six_months() -> None:
    assert told("other_directed", year(4800, 4800)) == []
    assert told("other_directed", year(4800, 4801)) == [("2026-05", "mean_2")]
    assert told("other_directed", year(5000, 4600, 4801)) == [("2026-06", "mean_3")]
    # April is not known: only windows that lie wholly in the known months are told.
    assert told("other_directed", {"2026-05": 5500, "2026-07": 5500}) == []
    gap = told("other_directed", {"2026-05": 9000, "2026-07": 9000})
    assert gap == [("2026-05", "month_100"), ("2026-07", "month_100")]


def test_means_reach_over_the_end_of_the_year() -> None:
    assert told("other_directed", {"2027-03": 4900, "2027-04": 4900}) == [("2027-04", "mean_2")]


def test_seven_months_over_forty_five_hours_and_the_year() -> None:
    assert told("other_directed", year(*[2701] * 6)) == []
    assert told("other_directed", year(*[2701] * 6, 2700, 2701)) == [("2026-11", "months_over_45")]
    assert told("other_directed", year(*[3600] * 12)) == [
        (month_after("2026-04", at), "months_over_45") for at in range(6, 12)
    ]
    assert ("2027-03", "year_720") in told("other_directed", year(*[3600] * 11, 3601))


def test_totals() -> None:
    found = violations("ordinary", {"2027-03": 3000, "2027-04": 100})
    assert (found.total_min, found.months_over_45h) == (3100, 1)
    assert {year: (one.total_min, one.months_over_45h) for year, one in found.years.items()} == {
        2026: (3000, 1),
        2027: (100, 0),
    }


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 40).map(lambda at: month_after("2026-01", at)), st.integers(0, 20_000)))
def test_means_as_fractions_say(minutes: dict[str, int]) -> None:
    expected = {
        (month, f"mean_{count}")
        for month in minutes
        for count in range(2, 7)
        if all(month_after(month, -at) in minutes for at in range(count))
        and sum(minutes[month_after(month, -at)] for at in range(count)) > 4800 * count
    }
    assert {one for one in told("other_directed", minutes) if one[1].startswith("mean")} == expected
    assert told("other_directed", minutes) == sorted(told("other_directed", minutes))
