"""What is wrong with a request before it is entered (rule).

1. Everything is checked against what is known of the person: terms, assigned days, holidays, what is approved or
   waits.
2. A problem says where it lies (the field) and what was expected; one that only warns is passed with a second press.
3. A swap's other day lies from four weeks before to eight weeks after the weekly day off that is worked, both ends
   counted (勤務時間条例; the weeks are the profile's).  A substitute day (代休日) comes after its holiday,
   within the same eight weeks.
4. What concerns a closed month is entered by the clerk only, and is booked as an adjustment in the open month.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property

import msgspec

from hub.attendance.request import (
    LONGEST_DAYS,
    Body,
    CorrectionBody,
    GapBody,
    LeaveBody,
    OrderBody,
    Request,
    SubstituteBody,
    SwapBody,
    at_minute,
    clash,
    days_of,
)
from hub.attendance.rules.calendar import month_of
from hub.attendance.rules.given import Given
from hub.attendance.rules.japan import DAY_MIN, number_of
from hub.attendance.rules.kinds import DayKind
from hub.attendance.rules.plan import Planner
from hub.staff.terms import Hours


class Month(str):
    """A month, YYYY-MM."""

    __slots__ = ()


# What stands in a sentence: days and moments are written in its language.
Value = str | int | date | datetime | Request
_LONGEST_ORDER = timedelta(hours=24)
_BACK, _AHEAD = timedelta(days=5 * 366), timedelta(days=366)
_HALF_SWAP_MIN = 240
# A duty that began on a day has ended by noon of the next.
_DUTY_END_MIN = 2160
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)


class Problem(msgspec.Struct, frozen=True):
    """What is wrong (`request_wrong_…` in the words), with which field; one that does not block only warns."""

    key: str
    field: str = ""
    values: dict[str, Value] = {}
    blocks: bool = True


class Known(msgspec.Struct, kw_only=True, dict=True):
    """What is known of a person and the calendar. `others` are their requests that are approved or wait.

    `by_clerk`: whoever enters may enter for others.  `ends`: when somebody came and went on a day, as far as known.
    """

    now: datetime
    since: date
    given: Given
    others: tuple[Request, ...] = ()
    closed: frozenset[str] = frozenset()
    by_clerk: bool = False
    ends: Mapping[date, tuple[datetime | None, datetime | None]] = {}

    @cached_property
    def plan(self) -> Planner:
        """What each day is for them."""
        return Planner(self.given)


def check(body: Body, reason: str, known: Known) -> list[Problem]:
    """Everything that is wrong with a request; empty when it can be entered."""
    found = list(_shape(body, known)) or [*_days(body, known), *_against(body, known)]
    if not reason.strip() and isinstance(body, OrderBody | CorrectionBody | GapBody):
        found.append(Problem("reason_needed", "reason"))
    return found


def day_kind(known: Known, day: date) -> DayKind:
    """What a day is for this person, after swaps and substitute days."""
    return known.plan.day(number_of(day)).kind


def hours_of(known: Known, day: date) -> Hours | None:
    """The regular hours of a working day, lunch inside them; None on other days."""
    plan, start = known.plan.day(number_of(day)), number_of(day) * DAY_MIN
    if plan.kind != "work":
        return None
    return Hours(plan.regular[0].begin - start, plan.regular[-1].end - start)


# ---- the request by itself


def _shape(body: Body, known: Known) -> Iterator[Problem]:
    first, last = days_of(body)
    today = known.now.date()
    for day in (first, last):
        if not today - _BACK <= day <= today + _AHEAD:
            yield Problem("far", "day", {"day": day, "first": today - _BACK, "last": today + _AHEAD})
            return
    match body:
        case OrderBody():
            yield from _order_shape(body)
        case LeaveBody():
            yield from _leave_shape(body)
        case CorrectionBody():
            yield from _correction_shape(body, known)
        case SwapBody() | SubstituteBody() if body.worked == body.off:
            yield Problem("same_day", "off", {"day": body.off})
        case _:
            pass


def _order_shape(body: OrderBody) -> Iterator[Problem]:
    if body.end <= body.begin:
        yield Problem("order_reversed", "end", {"begin": body.begin, "end": body.end})
    elif body.end - body.begin > _LONGEST_ORDER:
        yield Problem("order_long", "end", {"begin": body.begin, "end": body.end})


def _leave_shape(body: LeaveBody) -> Iterator[Problem]:
    if body.last < body.first:
        yield Problem("leave_reversed", "last", {"first": body.first, "last": body.last})
    elif (body.last - body.first).days >= LONGEST_DAYS:
        yield Problem("leave_long", "last", {"n": LONGEST_DAYS})
    elif body.part != "day" and body.first != body.last:
        yield Problem("leave_one_day", "last", {"first": body.first, "last": body.last})
    elif body.hours is not None and body.hours.end <= body.hours.begin:
        yield Problem("leave_hours_reversed", "end", _clock(body.first, body.hours))


def _correction_shape(body: CorrectionBody, known: Known) -> Iterator[Problem]:
    if body.in_at is None and body.out_at is None:
        yield Problem("correction_empty", "in")
    if body.day > known.now.date():
        yield Problem("correction_future", "day", {"day": body.day})
        return
    begin, end = at_minute(body.day, 0), at_minute(body.day, _DUTY_END_MIN)
    for name, at in (("in", body.in_at), ("out", body.out_at)):
        if at is not None and at > known.now:
            yield Problem("correction_not_yet", name, {"at": at})
        elif at is not None and not begin <= at <= end:
            yield Problem("correction_other_day", name, {"at": at, "day": body.day})
    known_in, known_out = known.ends.get(body.day, (None, None))
    came, went = body.in_at or known_in, body.out_at or known_out
    if came is not None and went is not None and went <= came:
        yield Problem("correction_reversed", "out" if body.out_at else "in", {"came": came, "went": went})


# ---- against what is known


def _days(body: Body, known: Known) -> Iterator[Problem]:
    """Employed on each day, and no month is closed."""
    first, last = days_of(body)
    touched = (body.worked, body.off) if isinstance(body, SwapBody | SubstituteBody) else (first, last)
    for day in sorted(set(touched)):
        if day < known.since or (known.given.left is not None and day > known.given.left):
            yield Problem("not_employed", "day", {"day": day})
    if isinstance(body, GapBody):
        return
    days = _each(first, last) if isinstance(body, LeaveBody) else touched
    months = {month_of(day) for day in days}
    for month in sorted(months & known.closed):
        key = "closed_books" if known.by_clerk else "closed"
        yield Problem(key, "day", {"month": Month(month)}, blocks=not known.by_clerk)


def _against(body: Body, known: Known) -> Iterator[Problem]:
    for other in known.others:
        if clash(body, other.body):
            yield Problem("clash", "day", {"other": other})
    match body:
        case OrderBody():
            yield from _order(body, known)
        case LeaveBody():
            yield from _leave(body, known)
        case SwapBody():
            yield from _swap(body, known)
        case SubstituteBody():
            yield from _substitute(body, known)
        case _:
            pass


def _order(body: OrderBody, known: Known) -> Iterator[Problem]:
    for day in _each(body.begin.date(), body.end.date()):
        hours = hours_of(known, day)
        if hours and body.begin < at_minute(day, hours.end) and at_minute(day, hours.begin) < body.end:
            yield Problem("order_in_hours", "begin", _clock(day, hours), blocks=False)


def _leave(body: LeaveBody, known: Known) -> Iterator[Problem]:
    if all(hours_of(known, day) is None for day in _each(body.first, body.last)):
        yield Problem("leave_day_off", "day", {"first": body.first, "last": body.last})
    elif body.hours is not None:
        regular = hours_of(known, body.first)
        if regular and not regular.begin <= body.hours.begin < body.hours.end <= regular.end:
            yield Problem("leave_outside", "begin", _clock(body.first, regular))


def _swap(body: SwapBody, known: Known) -> Iterator[Problem]:
    if day_kind(known, body.worked) != "weekly_day_off":
        yield Problem("swap_worked", "worked", {"day": body.worked})
    first = body.worked - known.given.profile.swap_weeks_before * _WEEK
    last = body.worked + known.given.profile.swap_weeks_after * _WEEK
    if not first <= body.off <= last:
        yield Problem("swap_window", "off", {"day": body.off, "first": first, "last": last})
    elif day_kind(known, body.off) != "work":
        yield Problem("swap_off", "off", {"day": body.off})
    yield from _half_swap(body, known)


def _half_swap(body: SwapBody, known: Known) -> Iterator[Problem]:
    if body.worked_hours is None and body.off_hours is None:
        return
    for name, hours in (("worked_begin", body.worked_hours), ("off_begin", body.off_hours)):
        if hours is None or hours.end - hours.begin != _HALF_SWAP_MIN:
            yield Problem("swap_four_hours", name)
    regular = hours_of(known, body.off)
    if regular and body.off_hours and not regular.begin <= body.off_hours.begin < body.off_hours.end <= regular.end:
        yield Problem("leave_outside", "off_begin", _clock(body.off, regular))


def _substitute(body: SubstituteBody, known: Known) -> Iterator[Problem]:
    if day_kind(known, body.worked) != "holiday":
        yield Problem("substitute_worked", "worked", {"day": body.worked})
    first, last = body.worked + _DAY, body.worked + known.given.profile.swap_weeks_after * _WEEK
    if not first <= body.off <= last:
        yield Problem("substitute_window", "off", {"day": body.off, "first": first, "last": last})
    elif day_kind(known, body.off) != "work":
        yield Problem("swap_off", "off", {"day": body.off})


def _clock(day: date, hours: Hours) -> dict[str, Value]:
    return {"begin": at_minute(day, hours.begin), "end": at_minute(day, hours.end)}


def _each(first: date, last: date) -> Iterable[date]:
    return (first + number * _DAY for number in range((last - first).days + 1))


def stops(found: Iterable[Problem]) -> bool:
    """Whether any of the problems keeps the request from being entered."""
    return any(one.blocks for one in found)
