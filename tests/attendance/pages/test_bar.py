"""A bar tiles its window, whatever the pieces are."""

from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hub.attendance.bar import ROWS, bar, minute_text, reach
from hub.attendance.rules.given import Span
from hub.attendance.rules.japan import DAY_MIN, number_of
from hub.attendance.rules.kinds import PAY_CLASSES
from hub.attendance.rules.profile import DEFAULT
from hub.attendance.rules.result import DayResult, Piece

DAY = date(2026, 10, 9)
MIDNIGHT = number_of(DAY) * DAY_MIN


@st.composite
def days(draw: st.DrawFn) -> DayResult:
    """A day of pieces one after the other, with gaps where `gaps` says so, from anywhere to anywhere."""
    cuts = sorted(draw(st.sets(st.integers(-300, 2600), min_size=2, max_size=12)))
    pieces = []
    for begin, end in pairwise(cuts):
        if draw(st.booleans()):
            pieces.append(
                Piece(
                    span=Span(MIDNIGHT + begin, MIDNIGHT + end),
                    present=draw(st.booleans()),
                    ordered=draw(st.booleans()),
                    duty=draw(st.sampled_from(["regular", "break", "leave", ""])),
                    pay=draw(st.sampled_from([None, *PAY_CLASSES])),
                    rule="regular",
                )
            )
    return DayResult(day=DAY, kind="work", status="complete", pieces=tuple(pieces))


@given(days())
def test_every_row_covers_the_window_and_each_minute_once(day: DayResult) -> None:
    drawn = bar(day, DEFAULT.night)
    assert [row.name for row in drawn.rows] == list(ROWS)
    for row in drawn.rows:
        assert sum(part.width for part in row.parts) == drawn.minutes
        assert row.parts[0].begin == 0
        for one, after in pairwise(row.parts):
            assert one.end == after.begin
            assert one.what != after.what
        assert all(part.width > 0 for part in row.parts)
    # Minute by minute it says what the pieces say.
    for piece in day.pieces:
        for minute in {piece.span.begin, piece.span.end - 1}:
            at = minute - drawn.first
            shown = [next(part.what for part in row.parts if part.begin <= at < part.end) for row in drawn.rows]
            wanted = ["present" if piece.present else "", "ordered" if piece.ordered else ""]
            assert shown == [*wanted, piece.duty, piece.pay or ""]


@given(days())
def test_the_window_is_whole_hours_and_holds_all_the_work(day: DayResult) -> None:
    begin, end = reach([day])
    assert (begin % 60, end % 60) == (0, 0)
    assert begin <= 0
    assert end >= DAY_MIN
    for piece in day.pieces:
        assert MIDNIGHT + begin <= piece.span.begin < piece.span.end <= MIDNIGHT + end


@given(days())
def test_a_window_that_is_too_short_shows_what_lies_in_it(day: DayResult) -> None:
    drawn = bar(day, DEFAULT.night, (480, 1080))
    assert drawn.minutes == 600
    assert all(sum(part.width for part in row.parts) == 600 for row in drawn.rows)


def test_nights_and_hours_over_midnight() -> None:
    drawn = bar(DayResult(day=DAY, kind="work", status="off"), DEFAULT.night, (0, 1800))
    assert drawn.nights == ((0, 300), (1320, 1740))
    assert drawn.hours[0] == (0, 0)
    assert drawn.hours[24] == (1440, 0)
    assert drawn.hours[-1] == (1800, 6)
    assert minute_text(MIDNIGHT + 1570, DAY) == ("2:10", 1)
    assert minute_text(MIDNIGHT + 501, DAY) == ("8:21", 0)
