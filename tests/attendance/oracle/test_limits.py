"""Upper limits, counted once more from the words of the rule, against the rules' own answer."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.attendance.rules.limits import violations
from hub.staff.terms import Office

MONTHS = [f"{year}-{number:02}" for year in (2025, 2026, 2027) for number in range(1, 13)]
MINUTES = st.one_of(st.integers(0, 7000), st.sampled_from((2700, 2701, 4800, 4801, 5999, 6000, 7200)))


def year_of(month: str) -> int:
    """The fiscal year."""
    return int(month[:4]) - (month[5:] < "04")


def passed(office: Office, known: dict[str, int]) -> list[tuple[str, str]]:
    """Month and limit of each violation."""
    found: list[tuple[str, str]] = []
    for month, minutes in known.items():
        of_year = [other for other in known if year_of(other) == year_of(month)]
        until = sum(known[other] for other in of_year if other <= month)
        before = sum(known[other] for other in of_year if other < month)
        over = [other for other in of_year if known[other] > 2700 and other <= month]
        if office == "ordinary":
            found += [(month, "month_45")] if minutes > 2700 else []
            found += [(month, "year_360")] if before <= 21_600 < until else []
            continue
        found += [(month, "month_100")] if minutes >= 6000 else []
        for n in (2, 3, 4, 5, 6):
            at = MONTHS.index(month)
            window = MONTHS[max(0, at - n + 1) : at + 1]
            if len(window) == n and all(one in known for one in window):
                found += [(month, f"mean_{n}")] if sum(known[one] for one in window) > 4800 * n else []
        found += [(month, "year_720")] if before <= 43_200 < until else []
        found += [(month, "months_over_45")] if minutes > 2700 and len(over) > 6 else []
    return sorted(found)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(("ordinary", "other_directed")), st.dictionaries(st.sampled_from(MONTHS), MINUTES, min_size=1))
def test_limits_are_those_of_the_rule(office: Office, known: dict[str, int]) -> None:
    answer = violations(office, known)
    assert [(one.month, one.limit) for one in answer.violations] == passed(office, known)
    assert answer.total_min == sum(known.values())
    assert answer.months_over_45h == sum(minutes > 2700 for minutes in known.values())


def test_a_whole_heavy_year_is_told_month_by_month() -> None:
    known = dict.fromkeys(MONTHS[3:15], 4801)
    answer = violations("other_directed", known)
    assert [(one.month, one.limit) for one in answer.violations] == passed("other_directed", known)
    assert {one.limit for one in answer.violations} > {"mean_6", "year_720", "months_over_45"}
