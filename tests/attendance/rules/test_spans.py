"""Arithmetic of spans, against sets of minutes."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.attendance.rules.given import Span
from hub.attendance.rules.spans import holds, join, less, total, within

ends = st.integers(-50, 120)
spans = st.lists(st.tuples(ends, ends), max_size=6)


def minutes(of: object) -> set[int]:
    return {minute for begin, end in of for minute in range(begin, end)}  # type: ignore[attr-defined]


@settings(deadline=None)
@given(spans)
def test_join_keeps_each_minute_once_and_in_order(some: list[tuple[int, int]]) -> None:
    joined = join(some)
    assert minutes(joined) == minutes(some)
    assert total(joined) == len(minutes(some))
    assert all(one.end < other.begin for one, other in pairwise(joined))
    assert all(one.begin < one.end for one in joined)


@settings(deadline=None)
@given(spans, spans)
def test_less_takes_away(some: list[tuple[int, int]], away: list[tuple[int, int]]) -> None:
    assert minutes(less(join(some), join(away))) == minutes(some) - minutes(away)


@settings(deadline=None)
@given(spans, ends, ends)
def test_within_keeps_what_is_inside(some: list[tuple[int, int]], begin: int, end: int) -> None:
    assert minutes(within(join(some), Span(begin, end))) == minutes(some) & set(range(begin, end))


@settings(deadline=None)
@given(spans, ends)
def test_holds(some: list[tuple[int, int]], minute: int) -> None:
    assert holds(join(some), minute) == (minute in minutes(some))
