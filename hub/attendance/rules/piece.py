"""The pieces of a duty day (rule): every minute with what it is, what it is paid as, and the clause that decided.

1. Overtime is paid where it was ordered and somebody was there: less the breaks, less a working day's regular hours.
2. Each minute has one class at most, by the calendar day it lies in: a night's work is cut at 00:00.
3. What was neither regular, ordered nor a break is presence that somebody has to look at; it is never cut away.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Literal, NamedTuple

from hub.attendance.rules.given import Leave, Order, Span
from hub.attendance.rules.japan import DAY_MIN, number_of
from hub.attendance.rules.kinds import DAY_OFF, HOLIDAY, WORKDAY, PayClass
from hub.attendance.rules.plan import Plan, Planner
from hub.attendance.rules.result import Piece
from hub.attendance.rules.spans import NONE, Spans, holds, join, within
from hub.staff.terms import Hours

Duty = Literal["regular", "break", "leave", ""]
Decided = tuple[Duty, PayClass | None, str]


class Around(NamedTuple):
    """What a person's pieces are cut from, besides the presence: all orders, joined and one by one, and all leave.

    `by_day` has the joined orders by the number of the day that they begin on.
    """

    ordered: Spans
    orders: tuple[Order, ...]
    by_day: dict[int, Spans]
    leaves: dict[int, list[Leave]]


class Ends(NamedTuple):
    """The presence of a duty day, or None: without taps, or with an end `missing`."""

    presence: Span | None
    missing: bool


class _Day(NamedTuple):
    """One calendar day that a duty touches."""

    plan: Plan
    begin: int
    # Regular hours that lie in this calendar day: its own, and those of a shift that began the day before.
    regular: Spans
    evening: Spans
    night: Spans


class _Minute(NamedTuple):
    """What is known of a minute (and of all others of its piece) before its class is decided."""

    at: int
    present: bool
    ordered: bool
    on_leave: bool
    regular: bool
    early: bool


def pieces(number: int, ends: Ends, planner: Planner, around: Around) -> tuple[Piece, ...]:
    """The pieces of the duty day: from whichever comes first of coming, regular hours and order, to what ends last."""
    own, orders, presence = planner.day(number), around.by_day.get(number, NONE), ends.presence
    marks = [*own.regular, *orders] if own.kind == "work" or presence or orders else []
    if presence:
        marks.append(presence)
    whole = Span(min((mark.begin for mark in marks), default=0), max((mark.end for mark in marks), default=0))
    if whole.end == whole.begin:
        return ()
    days = {
        day: _calendar_day(day, planner, around)
        for day in range(whole.begin // DAY_MIN, (whole.end - 1) // DAY_MIN + 1)
    }
    leave = _leave(own, around.leaves.get(number, ()))
    ordered = within(around.ordered, whole)
    here = [one for one in around.orders if one.ref and one.span.begin < whole.end and whole.begin < one.span.end]
    early = _early(own, orders)
    found: list[Piece] = []
    for at, until in pairwise(_cuts(whole, presence, ordered, leave, days.values())):
        day = days[at // DAY_MIN]
        present = presence is not None and presence.begin <= at < presence.end
        minute = _Minute(
            at, present, holds(ordered, at), not present and holds(leave, at), holds(day.regular, at), at < early
        )
        duty, pay, rule = _break(minute, day) or (_paid(minute, day) if present else _away(minute, day, ends))
        refs = tuple(one.ref for one in here if one.span.begin < until and at < one.span.end) if minute.ordered else ()
        if minute.on_leave:
            refs = tuple(one.ref for one in around.leaves.get(number, ()) if one.ref and _covers(one, at))
        if minute.regular:
            refs = day.plan.refs + refs
        piece = Piece(
            span=Span(at, until), present=present, ordered=minute.ordered, duty=duty, pay=pay, rule=rule, refs=refs
        )
        if found and _same(found[-1], piece):
            found[-1] = _one(found[-1], piece)
        else:
            found.append(piece)
    return tuple(found)


def _early(own: Plan, orders: Spans) -> int:
    """Presence before this minute is a card tapped early; all other presence in question comes after it."""
    firsts = [order.begin for order in orders[:1]]
    if own.kind == "work":
        firsts.append(own.regular[0].begin)
    return min(firsts, default=0)


def _calendar_day(number: int, planner: Planner, around: Around) -> _Day:
    plan, begin = planner.day(number), number * DAY_MIN
    regular = plan.regular
    before = planner.day(number - 1).regular
    if before and before[-1].end > begin:
        regular = join((*regular, *before))
    return _Day(
        plan, begin, regular, _evening(plan, begin, planner, around.ordered), _night(begin, planner.profile.night)
    )


def _night(begin: int, night: Hours) -> Spans:
    """The night hours that touch a day: those that began the evening before, and its own."""
    return tuple(Span(day + night.begin, day + night.end) for day in (begin - DAY_MIN, begin))


def _evening(plan: Plan, begin: int, planner: Planner, ordered: Spans) -> Spans:
    """The evening break, which is one only when ordered work follows it that day."""
    if not plan.evening:
        return NONE
    end, line = plan.evening[-1].end, begin + DAY_MIN + planner.profile.day_line
    return plan.evening if any(span.end > end and span.begin < line for span in ordered) else NONE


def _covers(leave: Leave, at: int) -> bool:
    return leave.span is None or leave.span.begin <= at < leave.span.end


def _leave(own: Plan, leaves: Iterable[Leave]) -> Spans:
    spans: list[Span] = []
    for one in leaves:
        spans += own.regular if one.span is None else within(own.regular, one.span)
    return join(spans)


def _cuts(whole: Span, presence: Span | None, ordered: Spans, leave: Spans, days: Iterable[_Day]) -> list[int]:
    edges = {whole.begin, whole.end}
    if presence:
        edges.update(presence)
    for span in (*ordered, *leave):
        edges.update(span)
    for day in days:
        edges.add(day.begin)
        for spans in (day.regular, day.plan.lunch, day.plan.evening, day.night):
            for span in spans:
                edges.update(span)
    return sorted(edge for edge in edges if whole.begin <= edge <= whole.end)


def _break(minute: _Minute, day: _Day) -> Decided | None:
    if minute.on_leave:
        return "leave", None, "leave"
    # 労働基準法34条: neither lunch nor the evening break is working time, ordered or not, on a day with regular hours.
    if holds(day.plan.lunch, minute.at):
        return "break", None, "lunch"
    if holds(day.evening, minute.at) or (minute.ordered and holds(day.plan.evening, minute.at)):
        return "break", None, "evening_break"
    return None


def _paid(minute: _Minute, day: _Day) -> Decided:
    """A minute in which somebody was there."""
    plan, night = day.plan, holds(day.night, minute.at)
    if minute.regular and not plan.lifted:
        # 給与法18条: regular hours at night get a quarter more; by day the salary covers them.
        if night and plan.terms is not None and plan.terms.kind == "full_time":
            return "regular", "N25", "night_regular"
        return "regular", None, "regular"
    if not minute.ordered:
        # Presence without an order is kept and shown (ガイドライン4(3)ウ); it is not pay.
        return "", None, "unordered_before" if minute.early else "unordered_after"
    if minute.regular:
        # 給与法17条: regular hours on a holiday that no other day stands in for.
        pay, rule = HOLIDAY, "holiday"
    elif plan.kind == "work":
        # 給与法16条1項1号: beyond the regular hours of a working day.
        pay, rule = WORKDAY, "workday"
    elif plan.kind == "holiday":
        # 給与法16条1項2号: a holiday outside its regular hours is paid as a day off is.
        pay, rule = DAY_OFF, "holiday_overtime"
    else:
        # 給与法16条1項2号: a weekly day off.
        pay, rule = DAY_OFF, "day_off"
    return "", pay[night], f"{rule}_{'night' if night else 'day'}"


def _away(minute: _Minute, day: _Day, ends: Ends) -> Decided:
    duty: Duty = "regular" if minute.regular and not day.plan.lifted else ""
    if ends.missing and (duty or minute.ordered):
        return duty, None, "end_missing"
    if duty:
        return duty, None, "absent"
    if minute.ordered:
        return "", None, "ordered_absent"
    return "", None, "holiday_lifted" if minute.regular else "away"


def _same(one: Piece, other: Piece) -> bool:
    return (
        # Midnight cuts: the class goes by the calendar day, and so does what depends on the day's sum.
        other.span.begin % DAY_MIN != 0
        and one.present == other.present
        and one.ordered == other.ordered
        and one.duty == other.duty
        and one.pay == other.pay
        and one.rule == other.rule
    )


def _one(one: Piece, other: Piece) -> Piece:
    refs = one.refs if one.refs == other.refs else tuple(dict.fromkeys(one.refs + other.refs))
    return Piece(
        span=Span(one.span.begin, other.span.end),
        present=one.present,
        ordered=one.ordered,
        duty=one.duty,
        pay=one.pay,
        rule=one.rule,
        refs=refs,
    )


def leaves_by_day(leaves: Iterable[Leave]) -> dict[int, list[Leave]]:
    """The leave of each day, by the day's number."""
    found: dict[int, list[Leave]] = {}
    for one in leaves:
        found.setdefault(number_of(one.day), []).append(one)
    return found
