"""Months by chance: somebody's terms, what they tapped, and what was ordered, moved, corrected."""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from hub.attendance.rules.calendar import reach
from hub.attendance.rules.given import Assigned, Correction, Given, Leave, Order, Span, Substitute, Swap, Tap
from hub.attendance.rules.profile import Profile
from hub.staff.terms import Hours, Terms
from tests.attendance.oracle.case import free_days
from tests.attendance.oracle.oracle import first_minute

MONTHS = ("2026-04", "2026-05", "2026-09", "2026-11", "2026-12", "2027-01", "2027-03")
HOLIDAYS = free_days(2025, 2027)
NINE_TO_FOUR = Hours(540, 960)
SHORT = Hours(600, 900)
SHIFTS = (Hours(510, 1035), Hours(990, 1515), Hours(420, 945), Hours(1320, 1860), Hours(780, 1305), None, None)
PROFILES: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"evening_break": None},
    {"count_weekly_holidays_to_60h": False},
    {"monthly_rounding": "none", "unit_formula": "national"},
    {"day_off_lunch": True, "gap_alert_min": 5},
    {"sixty_hours_min": 300},
    {"sixty_hours_min": None, "gap_alert_min": None, "rest_target_min": None, "clock_alert_s": None},
    {"debounce_ms": 0, "repeat_s": 0, "unexplained_blocks": False},
    {"debounce_ms": 60_000, "repeat_s": 30, "day_line": 300, "lunch": Hours(735, 780)},
)
# Begin and end of orders, in minutes of the day: after hours, before them, nights, over the day line, whole days off.
ORDERS = (
    *((1035, 1140), (1035, 1367), (1050, 1064), (1035, 1440), (1035, 1570), (1200, 1330), (1320, 1500), (1035, 1860)),
    *((250, 510), (420, 510), (510, 1035), (510, 1140), (540, 750), (60, 150), (120, 510), (1500, 1860), (0, 1440)),
    *((1035, 1690), (1320, 1720)),
)


def _minute_near(minute: int, by: int) -> st.SearchStrategy[int]:
    return st.integers(-by, by).map(lambda off: minute + off)


@st.composite
def givens(draw: st.DrawFn) -> Given:
    """A month that is as odd as months come."""
    month = draw(st.sampled_from(MONTHS))
    first, last = reach(month)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    profile = Profile(**draw(st.sampled_from(PROFILES)))
    terms = draw(_terms(month))
    busy = draw(st.lists(st.sampled_from(days[1:-1]), min_size=1, max_size=12, unique=True))
    more = draw(st.sampled_from(("", "", "all")))
    taps, orders, corrections = [], [], []
    for day in busy:
        some = draw(_day(day))
        taps += some[0]
        orders += some[1]
        corrections += some[2]
    if more:
        rest = [day for day in days[1:-1] if day not in busy and day.weekday() < 5]
        taps += [Tap(at_ms=_ms(day, 505)) for day in rest] + [Tap(at_ms=_ms(day, 1040)) for day in rest]
    return Given(
        month=month,
        terms=terms,
        taps=tuple(draw(st.permutations(taps))),
        orders=tuple(orders),
        swaps=draw(_swaps(days)),
        substitutes=draw(_substitutes(days)),
        leaves=draw(_leaves(days)),
        corrections=tuple(corrections),
        assigned=draw(_assigned(days)) if any(one.shifts for one in terms) else (),
        holidays=HOLIDAYS,
        carried=draw(st.sampled_from(({}, {}, {"W125": 3510}, {"H135": 90, "HOL135": 31, "X150": 3500}, {"W125": 29}))),
        profile=profile,
        until=draw(st.one_of(st.none(), st.sampled_from(days))),
        left=draw(st.one_of(st.none(), st.none(), st.sampled_from(days[10:]))),
    )


@st.composite
def _terms(draw: st.DrawFn, month: str) -> tuple[Terms, ...]:
    since = date(2020, 4, 1)
    kinds = (
        Terms(since=since, monthly_base_yen=250_000),
        Terms(since=since, unit_yen=1611),
        Terms(since=since, kind="part_time", hourly_yen=1_135, week=(NINE_TO_FOUR,) * 5 + (None, None)),
        Terms(since=since, kind="part_time", hourly_yen=1_201, week=(None, *(NINE_TO_FOUR,) * 5, SHORT)),
        Terms(since=since, monthly_base_yen=301_700, shifts=True),
        Terms(since=since, monthly_base_yen=199_999, tracked=False),
    )
    first = draw(st.sampled_from(kinds))
    if draw(st.booleans()):
        return (first,)
    other = draw(st.sampled_from(kinds))
    day = date.fromisoformat(f"{month}-{draw(st.integers(1, 28)):02}")
    changed = {name: getattr(other, name) for name in Terms.__struct_fields__} | {"since": day}
    return (Terms(**changed),) if draw(st.booleans()) else (first, Terms(**changed))


@st.composite
def _day(draw: st.DrawFn, day: date) -> tuple[list[Tap], list[Order], list[Correction]]:
    came = draw(st.one_of(_minute_near(510, 40), _minute_near(510, 3), st.integers(0, 1439)))
    went = draw(st.one_of(_minute_near(1035, 40), st.integers(came, 1800), _minute_near(1150, 60)))
    orders = []
    if draw(st.booleans()):
        begin, end = draw(st.sampled_from(ORDERS))
        begin += draw(st.sampled_from((0, 0, 0, 7, -13)))
        orders.append(Order(span=_span(day, max(begin, 0), end)))
        if draw(st.booleans()):
            # Who works to an order taps around it.
            came, went = min(came, begin), end + draw(st.integers(-20, 70))
    taps = [draw(_tap(day, minute)) for minute in (came, went)]
    match draw(st.sampled_from(("", "", "", "one", "double", "repeat", "third", "none"))):
        case "one":
            taps = [draw(st.sampled_from(taps))]
        case "double":
            taps.append(_later(taps[0], draw(st.sampled_from((0, 1, 3000, 5000, 5001, 60_000)))))
        case "repeat":
            taps.append(_later(taps[-1], draw(st.sampled_from((6000, 30_000, 59_999, 60_000)))))
            if draw(st.booleans()):
                taps = taps[1:]
        case "third":
            taps.append(draw(_tap(day, draw(st.integers(min(came, went) - 60, max(came, went) + 60)))))
        case "none":
            taps = []
    return taps, orders, draw(_corrections(day))


@st.composite
def _tap(draw: st.DrawFn, day: date, minute: int) -> Tap:
    return Tap(
        at_ms=_ms(day, minute) + draw(st.one_of(st.just(0), st.integers(0, 59_999))),
        direction=draw(st.sampled_from(("", "", "", "", "", "clock_in", "clock_out"))),
        terminal=draw(st.sampled_from(("t1", "t2"))),
        skew_s=draw(st.sampled_from((0, 0, 0, 59, 60, -61))),
        trusted=draw(st.sampled_from((True, True, True, False))),
    )


def _later(tap: Tap, by_ms: int) -> Tap:
    return Tap(at_ms=tap.at_ms + by_ms, terminal="t2", direction=tap.direction)


@st.composite
def _corrections(draw: st.DrawFn, day: date) -> list[Correction]:
    found = []
    for _ in range(draw(st.sampled_from((0, 0, 0, 0, 1, 1, 2)))):
        came = draw(st.one_of(st.none(), _minute_near(510, 30)))
        went = draw(st.one_of(st.none(), _minute_near(1100, 200)))
        in_ms, out_ms = (None if minute is None else _ms(day, minute) for minute in (came, went))
        found.append(Correction(day=day, in_ms=in_ms, out_ms=out_ms))
    return found


@st.composite
def _swaps(draw: st.DrawFn, days: list[date]) -> tuple[Swap, ...]:
    found: list[Swap] = []
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        worked = draw(st.sampled_from([day for day in days if day.weekday() >= 5]))
        off = draw(st.sampled_from([day for day in days if day.weekday() < 5]))
        if any({worked, off} & {one.worked, one.off} for one in found):
            continue
        hours = (Hours(510, 720), Hours(780, 1035)) if draw(st.integers(0, 3)) == 0 else (None, None)
        found.append(Swap(worked=worked, off=off, worked_hours=hours[0], off_hours=hours[1]))
    return tuple(found)


@st.composite
def _substitutes(draw: st.DrawFn, days: list[date]) -> tuple[Substitute, ...]:
    free = [day for day in days if day in HOLIDAYS and day.weekday() < 5]
    plain = [day for day in days if day not in HOLIDAYS and day.weekday() < 5]
    if not free or draw(st.integers(0, 2)):
        return ()
    return (Substitute(worked=draw(st.sampled_from(free)), off=draw(st.sampled_from(plain))),)


@st.composite
def _leaves(draw: st.DrawFn, days: list[date]) -> tuple[Leave, ...]:
    found = []
    for day in draw(st.lists(st.sampled_from(days), max_size=3, unique=True)):
        span = draw(st.sampled_from((None, _span(day, 510, 720), _span(day, 900, 1035), _span(day, 510, 1035))))
        found.append(Leave(day=day, kind="annual", span=span))
    return tuple(found)


@st.composite
def _assigned(draw: st.DrawFn, days: list[date]) -> tuple[Assigned, ...]:
    hours = draw(st.lists(st.sampled_from(SHIFTS), min_size=1, max_size=len(days)))
    return tuple(Assigned(day=day, hours=hours[n % len(hours)]) for n, day in enumerate(days))


def _span(day: date, begin: int, end: int) -> Span:
    return Span(first_minute(day) + begin, first_minute(day) + end)


def _ms(day: date, minute: int) -> int:
    return (first_minute(day) + minute - 9 * 60) * 60_000
