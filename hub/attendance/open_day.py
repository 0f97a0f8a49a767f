"""Which days of a person's month somebody has to see to, and what for (rule).

1. A day with a missing or reversed end, and a working day with nothing at all, hold up the close.
2. Presence of thirty minutes or more without an order wants an order or a reason (Guideline on the objective record of
   working time, 2017-01-20): a request for either answers it, a refused or withdrawn one does not.
3. A clock that was ahead or cannot be trusted wants a look; it holds up nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

import msgspec

from hub.attendance.request import Kind, Request, days_of
from hub.attendance.rules.kinds import Flag
from hub.attendance.rules.result import DayResult, MonthResult

Why = Literal["missing_in", "missing_out", "reversed", "unexplained", "gap", "clock"]
_CLOCK: frozenset[Flag] = frozenset({"CLOCK_SKEW", "UNTRUSTED_CLOCK"})
# What answers a day that holds up the close, and a gap.
_ANSWERS: frozenset[Kind] = frozenset({"correction", "leave", "swap", "substitute"})
_ANSWERS_GAP: frozenset[Kind] = frozenset({"order", "gap", "correction"})


class OpenDay(msgspec.Struct, frozen=True):
    """A day, why it is open, and the requests for it that wait."""

    day: DayResult
    why: Why
    waiting: tuple[Request, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether it holds up the close."""
        return self.why not in ("gap", "clock")


def open_days(month: MonthResult, asked: Sequence[Request], until: date) -> list[OpenDay]:
    """The open days of a month through the last that is over, in their order."""
    found = []
    for day in month.days:
        if day.day > until:
            break
        if day.open:
            found.append(OpenDay(day, _why(day), tuple(_waiting(day, asked, _ANSWERS))))
        elif "GAP_GE_30" in day.flags and not _answered(day, asked):
            found.append(OpenDay(day, "gap", tuple(_waiting(day, asked, _ANSWERS_GAP))))
        if _CLOCK & set(day.flags):
            found.append(OpenDay(day, "clock"))
    return found


def _why(day: DayResult) -> Why:
    if day.status == "unexplained":
        return "unexplained"
    if "MISSING_IN" in day.flags:
        return "missing_in"
    return "missing_out" if "MISSING_OUT" in day.flags else "reversed"


def _waiting(day: DayResult, asked: Iterable[Request], kinds: frozenset[Kind]) -> Iterable[Request]:
    return (one for one in _on(day, asked) if one.state == "waiting" and one.kind in kinds)


def _answered(day: DayResult, asked: Iterable[Request]) -> bool:
    """Whether the reason was given and accepted; an approved order has taken the gap away by itself."""
    return any(one.state == "approved" and one.kind == "gap" for one in _on(day, asked))


def _on(day: DayResult, asked: Iterable[Request]) -> Iterable[Request]:
    for one in asked:
        first, last = days_of(one.body)
        if first <= day.day <= last:
            yield one
