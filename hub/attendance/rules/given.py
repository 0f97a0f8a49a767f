"""What the month of one person is worked out from (rule): taps, orders, leave, corrections, terms, calendar.

Times: `…_ms` are milliseconds of UTC; a `Span` counts whole minutes since 1970-01-01T00:00 in Japan (UTC+9, no summer
time), its end not included.  Everything here is approved already: what is asked for and not decided does not come in.
`ref` names the entry behind a value (`punch:12`, `request:7`), for whoever asks how a figure came about.
"""

from datetime import date
from typing import Literal, NamedTuple

import msgspec

from hub.attendance.rules.kinds import PayClass
from hub.attendance.rules.profile import DEFAULT, Profile
from hub.staff.terms import Hours, Terms


class Span(NamedTuple):
    """Minutes from `begin` to before `end`."""

    begin: int
    end: int


class Tap(msgspec.Struct, frozen=True, kw_only=True):
    """A card at a time clock at its true time; `direction` only where a person chose it.

    `skew_s`: how far the terminal's clock was ahead of the true time.  `trusted` is False when the true time is not
    known, `late` when it came to the hub after its month had been closed or days later.
    """

    at_ms: int
    direction: Literal["clock_in", "clock_out", ""] = ""
    terminal: str = ""
    skew_s: int = 0
    trusted: bool = True
    late: bool = False
    ref: str = ""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An overtime order (時間外勤務命令)."""

    span: Span
    ref: str = ""


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """A weekly day off that is worked, another day that is off for it (週休日の振替).

    With hours it is of these alone (four hours): worked then, and off then.
    """

    worked: date
    off: date
    worked_hours: Hours | None = None
    off_hours: Hours | None = None
    ref: str = ""


class Substitute(msgspec.Struct, frozen=True, kw_only=True):
    """A holiday that is worked, and the working day that is off for it (代休日)."""

    worked: date
    off: date
    ref: str = ""


class Leave(msgspec.Struct, frozen=True, kw_only=True):
    """Time off in regular hours, the whole day without a span.

    `kind`: annual, sick, special, care, unpaid, absent, trip.
    """

    day: date
    kind: str
    span: Span | None = None
    paid: bool = True
    ref: str = ""


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in for a punch that is missing or wrong; the punch itself stays as it is."""

    day: date
    in_ms: int | None = None
    out_ms: int | None = None
    ref: str = ""


class Assigned(msgspec.Struct, frozen=True, kw_only=True):
    """Regular hours of one day of somebody who works in shifts (勤務割); None: this is a weekly day off."""

    day: date
    hours: Hours | None
    ref: str = ""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """One person's month. Days outside of it come along where a night, a week or a rest reaches over its ends.

    `holidays` are the holidays of the fiscal years that the month's days need, national and town's, as `calendar.py`
    gives them.  `carried` are minutes of this month counted before the first punch, by class; `until` is the last day
    that has happened (later days are not unexplained yet), `left` the last day of employment.
    """

    month: str
    terms: tuple[Terms, ...]
    taps: tuple[Tap, ...] = ()
    orders: tuple[Order, ...] = ()
    swaps: tuple[Swap, ...] = ()
    substitutes: tuple[Substitute, ...] = ()
    leaves: tuple[Leave, ...] = ()
    corrections: tuple[Correction, ...] = ()
    assigned: tuple[Assigned, ...] = ()
    holidays: frozenset[date] = frozenset()
    carried: dict[PayClass, int] = {}
    profile: Profile = DEFAULT
    until: date | None = None
    left: date | None = None
