"""Overtime of a fiscal year beside the upper limits, as a table tells it and a chart draws it (rule).

1. What passes a limit is said by `rules/limits.py` alone; here it is laid out month by month.
2. Near a limit is four fifths of it and above.
3. A month that has not begun has no figure: a gap in the chart, not a nought.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from hub.attendance.rules.calendar import month_after
from hub.attendance.rules.limits import MEANS, Limit, violations
from hub.attendance.rules.profile import DEFAULT, Profile
from hub.staff.terms import Office

Nearness = Literal["", "near", "passed"]
# The chart's own units.
WIDTH, HEIGHT, LEFT, TOP, FOOT = 720, 250, 52, 18, 28


class Mean(NamedTuple):
    """The mean of the last `months` months, in minutes (cut off), where all of them are known."""

    months: int
    minutes: int


class Month(NamedTuple):
    """One month: minutes of overtime (None: it has not begun), the year's sum so far, means, and what it passed."""

    month: str
    minutes: int | None
    total: int | None
    means: tuple[Mean, ...]
    passed: tuple[Limit, ...]


class Year(NamedTuple):
    """A fiscal year of somebody: limits in minutes (`mean_min` None where none counts), and how near they are."""

    year: int
    office: Office
    months: tuple[Month, ...]
    month_min: int
    mean_min: int | None
    year_min: int
    total: int
    months_over: int
    months_over_most: int | None
    near: Nearness


class Mark(NamedTuple):
    """A bar or point of a chart: where it stands, and how high, in the chart's units from its top left."""

    x: int
    y: int
    height: int
    over: bool


class Chart(NamedTuple):
    """A chart: bars or points, lines of limits by their height, and the hours beside the axis."""

    marks: tuple[Mark | None, ...]
    lines: tuple[tuple[str, int], ...]
    hours: tuple[tuple[int, int], ...]


def months_of(year: int) -> list[str]:
    """The months of a fiscal year."""
    return [month_after(f"{year}-04", count) for count in range(12)]


def months_needed(year: int) -> list[str]:
    """Its months and the five before it, which the means reach back to."""
    return [month_after(f"{year}-04", count) for count in range(-5, 12)]


def year_of(office: Office, overtime_min: Mapping[str, int], year: int, profile: Profile = DEFAULT) -> Year:
    """A fiscal year; `overtime_min` of the months that have begun, with those before the year that are known."""
    found = violations(office, overtime_min, profile)
    passed: dict[str, list[Limit]] = {}
    for one in found.violations:
        passed.setdefault(one.month, []).append(one.limit)
    ordinary = office == "ordinary"
    month_min = profile.ordinary_month_min if ordinary else profile.directed_month_min
    year_min = profile.ordinary_year_min if ordinary else profile.directed_year_min
    total, months = 0, []
    for month in months_of(year):
        minutes = overtime_min.get(month)
        total += minutes or 0
        means = () if ordinary or minutes is None else _means(month, overtime_min)
        so_far = None if minutes is None else total
        months.append(Month(month, minutes, so_far, means, tuple(passed.get(month, ()))))
    so_far_year = found.years.get(year)
    mean_min = None if ordinary else profile.directed_mean_min
    result = Year(
        year,
        office,
        tuple(months),
        month_min,
        mean_min,
        year_min,
        total,
        so_far_year.months_over_45h if so_far_year else 0,
        None if ordinary else profile.directed_months_over,
        "",
    )
    return result._replace(near=_near(result))


def nearness(office: Office, minutes: int, profile: Profile = DEFAULT) -> Nearness:
    """How near the limit of one month its overtime is."""
    if office == "ordinary":
        return _of(minutes, profile.ordinary_month_min, reached=False)
    return _of(minutes, profile.directed_month_min, reached=True)


def month_chart(one: Year) -> Chart:
    """Overtime by month, with the limits of a month and of the mean."""
    lines = [("month", one.month_min), *([("mean", one.mean_min)] if one.mean_min is not None else [])]
    figures = [month.minutes for month in one.months]
    over = [bool(month.passed) for month in one.months]
    return _chart(figures, over, lines)


def total_chart(one: Year) -> Chart:
    """The year's sum so far, with the limit of the year."""
    figures = [month.total for month in one.months]
    over = [figure is not None and figure > one.year_min for figure in figures]
    return _chart(figures, over, [("year", one.year_min)])


def _means(month: str, overtime_min: Mapping[str, int]) -> tuple[Mean, ...]:
    found = []
    total = overtime_min[month]
    for count in MEANS:
        before = overtime_min.get(month_after(month, 1 - count))
        if before is None:
            break
        total += before
        found.append(Mean(count, total // count))
    return tuple(found)


def _near(one: Year) -> Nearness:
    if any(month.passed for month in one.months):
        return "passed"
    known = [month for month in one.months if month.minutes is not None]
    if _of(one.total, one.year_min, reached=False):
        return "near"
    if one.months_over_most is not None and one.months_over >= one.months_over_most:
        return "near"
    # Of the months the last one alone: what is over without having passed anything is near nothing any more.
    last = known[-1] if known else None
    if last is None:
        return ""
    mean = max((each.minutes for each in last.means), default=0)
    if one.mean_min is not None and _of(mean, one.mean_min, reached=False):
        return "near"
    return "near" if _of(last.minutes or 0, one.month_min, reached=False) else ""


def _of(minutes: int, limit: int, *, reached: bool) -> Nearness:
    """`reached`: the limit itself is too much already."""
    if minutes > limit or (reached and minutes == limit):
        return "passed"
    return "near" if minutes * 5 >= limit * 4 else ""


def _chart(figures: list[int | None], over: list[bool], lines: list[tuple[str, int]]) -> Chart:
    most = max([1, *(figure or 0 for figure in figures), *(limit for _, limit in lines)])
    step = next(step for step in (5, 10, 20, 50, 100, 200, 500) if most <= step * 60 * 6) if most <= 180_000 else 1000
    top = -(-most // (step * 60)) * step * 60
    span = HEIGHT - TOP - FOOT
    wide = (WIDTH - LEFT) // len(figures)

    def height(minutes: int) -> int:
        return minutes * span // top

    marks = tuple(
        None if figure is None else Mark(LEFT + wide * at, HEIGHT - FOOT - height(figure), height(figure), over[at])
        for at, figure in enumerate(figures)
    )
    return Chart(
        marks,
        tuple((name, HEIGHT - FOOT - height(limit)) for name, limit in lines),
        tuple((hour, HEIGHT - FOOT - height(hour * 60)) for hour in range(0, top // 60 + 1, step)),
    )
