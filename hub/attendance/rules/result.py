"""What comes out of a person's month (rule): days with their pieces, minutes, hours and yen by class.

`gc=False`: they hold no cycle, and a department's month has so many that looking for one is what a page would wait for.
"""

from datetime import date
from typing import Literal

import msgspec

from hub.attendance.rules.given import Span
from hub.attendance.rules.kinds import DayKind, Flag, Note, PayClass, Status


class Piece(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A stretch of a day in which everything is the same: the bar on the page, and the reason for each minute.

    `duty`: regular hours, a break, or neither. `pay` is the class that is paid, None for what the salary covers or what
    is not paid.  `rule` is the key of the rule that decided (`clause.py`), `refs` the entries behind it.
    """

    span: Span
    present: bool
    ordered: bool
    duty: Literal["regular", "break", "leave", ""]
    pay: PayClass | None
    rule: str
    refs: tuple[str, ...] = ()


class DayResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One duty day. Minutes are None where an end is missing; `worked` leaves breaks out.

    `status` off: nothing is asked of the day (no duty, still to come, or nobody taps).  `late_min`: regular minutes
    away without leave, at either end; `leave_min`: regular minutes on leave; both are told and change no pay.
    `taps`: the entries behind the ends, taps and corrections.
    """

    day: date
    kind: DayKind
    status: Status
    in_ms: int | None = None
    out_ms: int | None = None
    presence_min: int | None = None
    regular_min: int | None = None
    worked_min: int | None = None
    unordered_before_min: int = 0
    unordered_after_min: int = 0
    rest_before_min: int | None = None
    late_min: int = 0
    leave_min: int = 0
    suppressed: int = 0
    flags: tuple[Flag, ...] = ()
    notes: tuple[Note, ...] = ()
    minutes: dict[PayClass, int] = {}
    pieces: tuple[Piece, ...] = ()
    taps: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether somebody has to see to this day before the month can be closed."""
        return self.status in ("incomplete", "unexplained")


class UnitResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The figures at one hourly unit: a month has two when the salary changed in it."""

    since: date
    unit_yen: int
    yen_per_hour: dict[PayClass, int]
    minutes: dict[PayClass, int]
    hours: dict[PayClass, int]
    yen: int


class MonthResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One person's month. `hours` are whole hours after rounding; with `monthly_rounding` none they are empty."""

    month: str
    weekday_holidays: int
    units: tuple[UnitResult, ...]
    minutes: dict[PayClass, int]
    hours: dict[PayClass, int]
    yen: int
    counts_to_60h_min: int
    overtime_min: int
    days: tuple[DayResult, ...]

    @property
    def closable(self) -> bool:
        """Whether no day is open any more."""
        return not any(one.open for one in self.days)
