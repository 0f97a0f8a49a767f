"""A day as a bar (rule): four rows over the same minutes, one above the other.

1. Every row covers the whole window: its parts follow one another without a gap and without an overlap, so that the
   widths of a row add up to the window.  A part with nothing in it has an empty `what`.
2. The window is the calendar day, longer by whole hours where the day's work reaches over its ends.
3. Neighbours that show the same are one part.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Literal, NamedTuple, get_args

from hub.attendance.rules.japan import DAY_MIN, number_of
from hub.attendance.rules.result import DayResult, Piece
from hub.staff.terms import Hours

RowName = Literal["presence", "ordered", "duty", "paid"]
ROWS: tuple[RowName, ...] = get_args(RowName)
_HOUR = 60


class Part(NamedTuple):
    """Minutes of a row from `begin` to before `end`, counted from the window's first; `what` they are."""

    begin: int
    end: int
    what: str

    @property
    def width(self) -> int:
        """How many minutes."""
        return self.end - self.begin


class Row(NamedTuple):
    """One row of a bar."""

    name: RowName
    parts: tuple[Part, ...]


class Bar(NamedTuple):
    """A window of `minutes` from the minute `first` (since 1970 in Japan); `nights` are its minutes at night."""

    first: int
    minutes: int
    rows: tuple[Row, ...]
    nights: tuple[tuple[int, int], ...]
    hours: tuple[tuple[int, int], ...]


def bar(one: DayResult, night: Hours, window: tuple[int, int] | None = None) -> Bar:
    """The bar of a day; `window` in minutes from the day's 00:00, else as long as the day needs."""
    midnight = number_of(one.day) * DAY_MIN
    begin, end = window or reach([one])
    first, last = midnight + begin, midnight + end
    rows = tuple(Row(name, _parts(one.pieces, _SHOWS[name], first, last)) for name in ROWS)
    return Bar(first, last - first, rows, _nights(first, last, night), _hours(first, last))


def reach(days: Iterable[DayResult]) -> tuple[int, int]:
    """The window, in minutes from 00:00, into which the bars of all these days fit."""
    begin, end = 0, DAY_MIN
    for one in days:
        if one.pieces:
            midnight = number_of(one.day) * DAY_MIN
            begin = min(begin, (one.pieces[0].span.begin - midnight) // _HOUR * _HOUR)
            end = max(end, -((midnight - one.pieces[-1].span.end) // _HOUR) * _HOUR)
    return begin, end


def minute_text(minute: int, day: date) -> tuple[str, int]:
    """A minute as a clock shows it, and how many days after `day` it lies (an end at 24:00 is the next day's 0:00)."""
    return f"{minute % DAY_MIN // 60}:{minute % 60:02d}", minute // DAY_MIN - number_of(day)


_SHOWS: dict[RowName, Callable[[Piece], str]] = {
    "presence": lambda piece: "present" if piece.present else "",
    "ordered": lambda piece: "ordered" if piece.ordered else "",
    "duty": lambda piece: piece.duty,
    "paid": lambda piece: piece.pay or "",
}


def _parts(pieces: Sequence[Piece], shows: Callable[[Piece], str], first: int, last: int) -> tuple[Part, ...]:
    found: list[Part] = []

    def add(begin: int, end: int, what: str) -> None:
        if end <= begin:
            return
        if found and found[-1].what == what:
            found[-1] = found[-1]._replace(end=end - first)
        else:
            found.append(Part(begin - first, end - first, what))

    at = first
    for piece in pieces:
        begin, end = (min(max(edge, first), last) for edge in piece.span)
        add(at, begin, "")
        add(max(at, begin), end, shows(piece))
        at = max(at, end)
    add(at, last, "")
    return tuple(found)


def _nights(first: int, last: int, night: Hours) -> tuple[tuple[int, int], ...]:
    found = []
    for day in range(first // DAY_MIN - 1, last // DAY_MIN + 1):
        begin, end = max(first, day * DAY_MIN + night.begin), min(last, day * DAY_MIN + night.end)
        if begin < end:
            found.append((begin - first, end - first))
    return tuple(found)


def _hours(first: int, last: int) -> tuple[tuple[int, int], ...]:
    """Where each full hour lies, and which it is."""
    return tuple((minute - first, minute % DAY_MIN // _HOUR) for minute in range(first, last + 1, _HOUR))
