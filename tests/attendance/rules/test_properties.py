"""What holds of every month: one class a minute, sums as sets of minutes say, no trace of the order of arrival."""

import random
from datetime import date, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.attendance.rules.canonical import canonical
from hub.attendance.rules.given import Correction, Given, Leave, Order, Span, Substitute, Swap, Tap
from hub.attendance.rules.japan import DAY_MIN, date_of, number_of
from hub.attendance.rules.kinds import PAY_CLASSES
from hub.attendance.rules.month import month
from hub.attendance.rules.profile import DEFAULT, Profile
from hub.attendance.rules.tap import by_day
from hub.staff.terms import Hours, Terms
from tests.attendance.rules.parts import CLERK, HELPER, HOLIDAYS

FIRST = number_of(date(2026, 11, 1))
PAID_BEYOND_REGULAR = frozenset(PAY_CLASSES) - {"N25", "SHIFT25", "X50"}
# Thirty days and a week on each side; the rules ask for no more.
numbers = st.integers(FIRST - 4, FIRST + 33)


@st.composite
def taps(draw: st.DrawFn) -> Tap:
    minute = draw(numbers) * DAY_MIN + draw(st.integers(0, DAY_MIN - 1))
    return Tap(
        at_ms=(minute - 540) * 60_000 + draw(st.sampled_from([0, 0, 1, 4_000, 5_000, 5_001, 59_999])),
        direction=draw(st.sampled_from(["", "", "", "clock_in", "clock_out"])),
        terminal=draw(st.sampled_from(["T1", "T2"])),
        skew_s=draw(st.sampled_from([0, 0, 59, 60, -600])),
        trusted=draw(st.sampled_from([True, True, False])),
    )


@st.composite
def orders(draw: st.DrawFn) -> Order:
    begin = draw(numbers) * DAY_MIN + draw(st.integers(0, DAY_MIN - 1))
    return Order(span=Span(begin, begin + draw(st.integers(1, 1200))))


@st.composite
def workdays(draw: st.DrawFn) -> list[Tap]:
    """A coming and a going on one day, so that months are not all incomplete."""
    start = draw(numbers) * DAY_MIN + draw(st.integers(240, 700))
    end = start + draw(st.integers(60, 1100))
    return [Tap(at_ms=(minute - 540) * 60_000) for minute in (start, end)]


days = numbers.map(date_of)
pairs = st.tuples(days, days).filter(lambda one: one[0] != one[1])
profiles = st.sampled_from(
    [
        DEFAULT,
        Profile(evening_break=None, count_weekly_holidays_to_60h=False),
        Profile(lunch=None, day_off_lunch=True, sixty_hours_min=None),
        Profile(day_off_lunch=True, day_line=0, debounce_ms=0, sixty_hours_min=600),
        Profile(monthly_rounding="none", night=Hours(0, 300), sixty_hours_min=1),
    ]
)
night_shift = Terms(since=date(2020, 4, 1), unit_yen=1500, week=(Hours(1260, 1800), None) * 3 + (None,))


@st.composite
def months(draw: st.DrawFn) -> Given:
    pairs_of_taps = draw(st.lists(workdays(), max_size=8))
    corrected = [
        Correction(day=date_of(number), in_ms=(number * DAY_MIN + 400 - 540) * 60_000, out_ms=None)
        for number in draw(st.lists(numbers, max_size=2, unique=True))
    ]
    return Given(
        month="2026-11",
        terms=(draw(st.sampled_from([CLERK, HELPER, night_shift])),),
        taps=(*draw(st.lists(taps(), max_size=8)), *[tap for pair in pairs_of_taps for tap in pair]),
        orders=tuple(draw(st.lists(orders(), max_size=8))),
        swaps=tuple(Swap(worked=worked, off=off) for worked, off in draw(st.lists(pairs, max_size=2))),
        substitutes=tuple(Substitute(worked=worked, off=off) for worked, off in draw(st.lists(pairs, max_size=2))),
        leaves=tuple(Leave(day=day, kind="annual") for day in draw(st.lists(days, max_size=2))),
        corrections=tuple(corrected),
        holidays=HOLIDAYS,
        carried=draw(st.dictionaries(st.sampled_from(PAY_CLASSES), st.integers(0, 4000), max_size=2)),
        profile=draw(profiles),
    )


def minutes(spans: object) -> set[int]:
    return {one for begin, end in spans for one in range(begin, end)}  # type: ignore[attr-defined]


@settings(deadline=None)
@given(months())
def test_each_minute_has_one_class_at_most_and_the_sums_are_the_pieces(given_month: Given) -> None:
    result = month(given_month)
    seen: set[int] = set()
    totals = {pay: n for pay, n in given_month.carried.items() if n}
    for day in result.days:
        by_class: dict[str, int] = {}
        for one, other in zip(day.pieces, day.pieces[1:], strict=False):
            assert one.span.end == other.span.begin
        for piece in day.pieces:
            assert piece.span.begin < piece.span.end
            if piece.pay is None:
                continue
            here = set(range(*piece.span))
            assert not here & seen
            seen |= here
            by_class[piece.pay] = by_class.get(piece.pay, 0) + len(here)
        assert by_class == day.minutes
        for pay, n in day.minutes.items():
            totals[pay] = totals.get(pay, 0) + n
    assert totals == result.minutes
    by_unit = {pay: sum(unit.minutes.get(pay, 0) for unit in result.units) for pay in PAY_CLASSES}
    assert result.minutes == {pay: n for pay, n in by_unit.items() if n}


@settings(deadline=None)
@given(months())
def test_what_is_paid_is_ordered_and_present_less_breaks_and_regular_hours(given_month: Given) -> None:
    profile = given_month.profile
    ordered = minutes(one.span for one in given_month.orders)
    result = month(given_month)
    with_hours = {number_of(one.day) for one in result.days if one.kind != "weekly_day_off"}
    for day in result.days:
        if day.presence_min is None:
            assert day.minutes == {}
            continue
        present = minutes(piece.span for piece in day.pieces if piece.present)
        regular = minutes(piece.span for piece in day.pieces if piece.present and piece.duty == "regular")
        paid = minutes(piece.span for piece in day.pieces if piece.pay in PAID_BEYOND_REGULAR)
        breaks = set()
        for number in {minute // DAY_MIN for minute in present}:
            for rest in (profile.lunch, profile.evening_break):
                at_all = number in with_hours or (rest is profile.lunch and profile.day_off_lunch)
                if rest and at_all:
                    breaks |= set(range(number * DAY_MIN + rest.begin, number * DAY_MIN + rest.end))
        if all(FIRST <= minute // DAY_MIN < FIRST + 30 for minute in present):
            assert paid == (ordered & present) - breaks - regular
        assert len(regular) == day.regular_min
        assert day.presence_min >= len(present)


@settings(deadline=None)
@given(months(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_and_repeats_change_nothing(given_month: Given, chance: random.Random) -> None:
    shuffled = {}
    for name in ("taps", "orders", "swaps", "substitutes", "leaves"):
        some = [*getattr(given_month, name)]
        if name in ("taps", "orders"):
            some += chance.sample(some, min(len(some), 3))
        chance.shuffle(some)
        shuffled[name] = tuple(some)
    assert canonical(month(msgspec.structs.replace(given_month, **shuffled))) == canonical(month(given_month))


def test_taps_of_one_moment_stand_in_one_order() -> None:
    sure, unsure = Tap(at_ms=1_793_545_200_000), Tap(at_ms=1_793_545_200_000, trusted=False)
    assert by_day((sure, unsure), (), 180, 5000) == by_day((unsure, sure), (), 180, 5000)


@settings(deadline=None)
@given(months(), st.data())
def test_an_order_cut_at_any_minute_is_the_same_order(given_month: Given, data: st.DataObject) -> None:
    cut: list[Order] = []
    for one in given_month.orders:
        at = data.draw(st.integers(one.span.begin, one.span.end))
        cut += [Order(span=Span(one.span.begin, at)), Order(span=Span(at, one.span.end))]
    parts = tuple(one for one in cut if one.span.begin < one.span.end)
    assert canonical(month(msgspec.structs.replace(given_month, orders=parts))) == canonical(month(given_month))


@settings(deadline=None)
@given(months())
def test_the_sixty_hours_are_the_first_ones(given_month: Given) -> None:
    profile = given_month.profile
    free = month(msgspec.structs.replace(given_month, profile=msgspec.structs.replace(profile, sixty_hours_min=None)))
    drawn = month(given_month)
    empty = month(msgspec.structs.replace(given_month, taps=(), corrections=(), orders=()))
    assert free.counts_to_60h_min == drawn.counts_to_60h_min
    carried = empty.counts_to_60h_min
    past = sum(drawn.minutes.get(pay, 0) - given_month.carried.get(pay, 0) for pay in ("X150", "X175", "X50"))
    if profile.sixty_hours_min is None:
        assert past == 0
    else:
        assert past == max(0, drawn.counts_to_60h_min - max(profile.sixty_hours_min, carried))


@settings(max_examples=30, deadline=None)
@given(months(), st.integers(0, 3))
def test_days_outside_what_a_month_needs_change_nothing(given_month: Given, far: int) -> None:
    away = (number_of(date(2027, 2, 1)) + far) * DAY_MIN
    more = (Tap(at_ms=(away - 540) * 60_000), Tap(at_ms=(away - 40) * 60_000))
    grown = msgspec.structs.replace(given_month, taps=(*given_month.taps, *more))
    assert canonical(month(grown)) == canonical(month(given_month))


def test_a_month_that_is_empty_has_all_its_days() -> None:
    result = month(Given(month="2026-11", terms=(CLERK,), holidays=HOLIDAYS))
    assert [one.day for one in result.days] == [date(2026, 11, 1) + timedelta(days=at) for at in range(30)]
