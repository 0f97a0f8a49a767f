"""Who is in at a moment (rule), from the same taps, duty days and ends as the month itself.

1. Somebody is in who has come on this duty day and has not gone, or who chose "in" again after having gone.
2. A duty that began yesterday goes on over the day line as long as an order or assigned hours reach, and an hour longer
   (`rules/tap.py`); whoever then has not gone has forgotten the clock: they are not in.
3. Somebody is expected whose regular hours have begun on a working day, without a tap and without leave at this moment.
4. A card that belongs to nobody is in when its last punch of the duty day was a clock-in at the terminal.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from hub.attendance.rules.duty import duty
from hub.attendance.rules.given import Given, Leave
from hub.attendance.rules.japan import DAY_MIN, minute_of, number_of
from hub.attendance.rules.plan import Planner
from hub.attendance.rules.spans import join
from hub.attendance.rules.tap import AROUND_ORDER_MIN, DayTaps, by_day
from hub.attendance.store import Tap

# in; gone; has not come although on duty; comes later today; on leave; has no duty; does not tap at all.
State = Literal["in", "out", "expected", "later", "leave", "off", "untracked"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How one person stands: since when in, or when gone; `night` when the duty is yesterday's.

    `forgot`: yesterday's going was not tapped.  `leave`: the kind of today's leave, whether or not it is over.
    """

    staff_id: int
    state: State
    in_ms: int | None = None
    out_ms: int | None = None
    night: bool = False
    forgot: bool = False
    leave: str = ""


class Day(msgspec.Struct, frozen=True):
    """How many punches today, by how many cards, and how many people and cards of nobody are in."""

    punches: int = 0
    cards: int = 0
    inside: int = 0


def duty_day(now_ms: int, day_line: int) -> int:
    """The number of the duty day that goes on at a moment."""
    return (minute_of(now_ms) - day_line) // DAY_MIN


def standing(staff_id: int, given: Given, now_ms: int) -> Standing:
    """How somebody stands; `given` holds the taps of yesterday and today at least, and orders, leave and hours."""
    planner, profile, now = Planner(given), given.profile, minute_of(now_ms)
    today = duty_day(now_ms, profile.day_line)
    ordered = join(order.span for order in given.orders)
    seen = by_day((tap for tap in given.taps if tap.at_ms <= now_ms), ordered, profile.day_line, profile.debounce_ms)
    came = _came(seen.get(today), given, today)
    before = _came(seen.get(today - 1), given, today - 1)
    night = before is not None and before[1] is None and now < _until(today - 1, planner, given)
    forgot = before is not None and before[1] is None and not night
    leave = next((one for one in given.leaves if number_of(one.day) == today), None)
    kind = leave.kind if leave else ""
    if came is None and night and before is not None:
        return Standing(staff_id=staff_id, state="in", in_ms=before[0], night=True, leave=kind)
    if came is not None:
        state: State = "in" if came[0] is not None and came[1] is None else "out"
        return Standing(staff_id=staff_id, state=state, in_ms=came[0], out_ms=came[1], forgot=forgot, leave=kind)
    state = _away(today, now, planner, leave)
    return Standing(staff_id=staff_id, state=state, forgot=forgot, leave=kind)


def _came(taps: DayTaps | None, given: Given, day: int) -> tuple[int | None, int | None] | None:
    """Coming and going of a duty day; a going is None again when somebody chose "in" after it."""
    corrections = [one for one in given.corrections if number_of(one.day) == day]
    if taps is None and not corrections:
        return None
    taps = taps or DayTaps([], [])
    done = duty(taps, corrections, given.profile)
    if done.in_ms is None and done.out_ms is None:
        return None
    back = taps.kept[-1] if taps.kept and taps.kept[-1].direction == "clock_in" else None
    if back is not None and done.out_ms is not None and back.at_ms > done.out_ms:
        return done.in_ms, None
    return done.in_ms, done.out_ms


def _until(day: int, planner: Planner, given: Given) -> int:
    """The minute until which a duty of that day can go on."""
    line = (day + 1) * DAY_MIN + given.profile.day_line
    ends = [one.span.end for one in given.orders if one.span.begin < line]
    ends += [one.end for one in planner.day(day).regular]
    return max([line - AROUND_ORDER_MIN, *ends]) + AROUND_ORDER_MIN


def _away(today: int, now: int, planner: Planner, leave: Leave | None) -> State:
    plan = planner.day(today)
    if plan.terms is not None and not plan.terms.tracked:
        return "untracked"
    if leave is not None and (leave.span is None or leave.span.begin <= now < leave.span.end):
        return "leave"
    if plan.kind != "work" or plan.regular[-1].end <= now:
        return "off" if plan.kind != "work" else "expected"
    begin = plan.regular[0].begin
    if leave is not None and leave.span is not None and leave.span.begin <= begin:
        begin = max(begin, leave.span.end)
    return "expected" if begin <= now else "later"


def loose_inside(taps: Iterable[Tap], now_ms: int, day_line: int) -> int:
    """How many cards that belong to nobody are in."""
    last = {tap.card: tap.direction for tap in _counted(taps, duty_day(now_ms, day_line), day_line)}
    return sum(direction == "clock_in" for direction in last.values())


def day(taps: Iterable[Tap], now_ms: int, day_line: int, inside: int) -> Day:
    """The duty day so far; `inside` is how many are in."""
    counted = _counted(taps, duty_day(now_ms, day_line), day_line)
    return Day(len(counted), len({tap.card for tap in counted}), inside)


def _counted(taps: Iterable[Tap], number: int, day_line: int) -> list[Tap]:
    """The punches of a duty day in the order of their true times; a repeated, refused or unknown one is none."""
    counted = [
        tap
        for tap in taps
        if tap.standing in ("accepted", "unsure") and (minute_of(tap.true_ms) - day_line) // DAY_MIN == number
    ]
    return sorted(counted, key=lambda tap: (tap.true_ms, tap.id))
