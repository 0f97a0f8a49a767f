"""Upper limits of overtime by month and fiscal year (rule).  人事院規則15-14第16条の2の2; the towns' rules copy it.

1. An ordinary office: 45 hours a month, 360 hours a year.
2. An office whose work others direct (他律的業務): below 100 hours a month, 720 hours a year, a mean of at most 80
   hours over the last two, three, four, five and six months, and at most six months of the year over 45 hours.
3. A limit of the year is told in the month in which it is passed.  A mean is told where all of its months are known.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from hub.attendance.rules.calendar import fiscal_year, month_after
from hub.attendance.rules.profile import DEFAULT, Profile
from hub.staff.terms import Office

Limit = Literal[
    "mean_2",
    "mean_3",
    "mean_4",
    "mean_5",
    "mean_6",
    "month_100",
    "month_45",
    "months_over_45",
    "year_360",
    "year_720",
]
MEANS: dict[int, Limit] = {2: "mean_2", 3: "mean_3", 4: "mean_4", 5: "mean_5", 6: "mean_6"}


class Violation(msgspec.Struct, frozen=True, order=True):
    """A limit that a month passed."""

    month: str
    limit: Limit


class YearSoFar(msgspec.Struct, frozen=True):
    """A fiscal year as far as its months are known."""

    total_min: int
    months_over_45h: int


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What passed a limit, by month and then by the limit's name; the totals are of all months that were given."""

    violations: tuple[Violation, ...]
    months_over_45h: int
    total_min: int
    years: dict[int, YearSoFar]


def violations(office: Office, overtime_min: Mapping[str, int], profile: Profile = DEFAULT) -> Limits:
    """The limits that these months of overtime (YYYY-MM, minutes) pass."""
    found: list[Violation] = []
    years: dict[int, YearSoFar] = {}
    for month in sorted(overtime_min):
        minutes, year = overtime_min[month], fiscal_year(month)
        before = years.get(year, YearSoFar(0, 0))
        over = minutes > profile.ordinary_month_min
        now = years[year] = YearSoFar(before.total_min + minutes, before.months_over_45h + over)
        if office == "ordinary":
            passed = _ordinary(before, now, profile, over=over)
        else:
            passed = _directed(minutes, before, now, profile, over=over) + _means(month, overtime_min, profile)
        found += [Violation(month, limit) for limit in passed]
    return Limits(
        violations=tuple(sorted(found)),
        months_over_45h=sum(year.months_over_45h for year in years.values()),
        total_min=sum(overtime_min.values()),
        years=years,
    )


def _ordinary(before: YearSoFar, now: YearSoFar, profile: Profile, *, over: bool) -> list[Limit]:
    # 16条の2の2第1項1号: 45 hours a month and 360 hours a year may be reached, not passed.
    found: list[Limit] = ["month_45"] if over else []
    if before.total_min <= profile.ordinary_year_min < now.total_min:
        found.append("year_360")
    return found


def _directed(minutes: int, before: YearSoFar, now: YearSoFar, profile: Profile, *, over: bool) -> list[Limit]:
    found: list[Limit] = []
    # 同項2号: a month stays below 100 hours, so a hundred itself is too much; the others may be reached.
    if minutes >= profile.directed_month_min:
        found.append("month_100")
    if before.total_min <= profile.directed_year_min < now.total_min:
        found.append("year_720")
    if over and now.months_over_45h > profile.directed_months_over:
        found.append("months_over_45")
    return found


def _means(month: str, overtime_min: Mapping[str, int], profile: Profile) -> list[Limit]:
    # 同項2号: compared as sums, for a mean need not be a whole number.
    found: list[Limit] = []
    total = overtime_min[month]
    for count, limit in MEANS.items():
        before = overtime_min.get(month_after(month, 1 - count))
        if before is None:
            break
        total += before
        if total > profile.directed_mean_min * count:
            found.append(limit)
    return found
