"""What a calendar day is for one person (rule): a working day, a weekly day off or a holiday, and its regular hours.

1. A day with regular hours is a working day, one without is a weekly day off (週休日); a holiday (休日) is a day with
   regular hours whose duty is lifted, so a holiday on a weekly day off stays a weekly day off.
2. A swap (振替) makes the weekly day off a working day and the other day a weekly day off, or four hours of each.
3. A substitute (代休日) makes the holiday a plain working day and the other working day the holiday.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple, TypeVar

from hub.attendance.rules.given import Given, Span, Substitute, Swap
from hub.attendance.rules.japan import DAY_MIN, date_of
from hub.attendance.rules.kinds import DayKind
from hub.attendance.rules.profile import Profile
from hub.attendance.rules.spans import NONE, Spans, join, less, total
from hub.staff.terms import Hours, Terms

_Pair = TypeVar("_Pair", Swap, Substitute)


class Plan(NamedTuple):
    """One day: what kind it is, its regular hours without lunch (a holiday's too), and its breaks.

    `lifted`: regular hours in this calendar day are a holiday's.  `swapped`: it is worked for another day off.
    """

    kind: DayKind
    regular: Spans
    lunch: Spans
    evening: Spans
    lifted: bool
    swapped: bool
    assigned_min: int
    terms: Terms | None
    refs: tuple[str, ...]


class Planner:
    """The days of one person, each worked out once."""

    def __init__(self, given: Given) -> None:
        """Looks the given over once."""
        self.given = given
        self.profile: Profile = given.profile
        self.terms = sorted(given.terms, key=lambda one: one.since)
        self.assigned = {one.day: one for one in given.assigned}
        self.swaps = _by_day(given.swaps)
        self.substitutes = _by_day(given.substitutes)
        self.holidays = given.holidays
        self._known: dict[int, Plan] = {}

    def day(self, number: int) -> Plan:
        """The day with this number."""
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = self._make(number)
        return known

    def terms_on(self, day: date) -> Terms | None:
        """How somebody is employed on that day, None before and after."""
        if self.given.left is not None and day > self.given.left:
            return None
        found = None
        for one in self.terms:
            if one.since > day:
                break
            found = one
        return found

    def _pattern(self, day: date, terms: Terms | None) -> Hours | None:
        if terms is None:
            return None
        if terms.shifts:
            # 勤務時間法7条: who works in shifts has the days and hours that are assigned, and no others.
            one = self.assigned.get(day)
            return one.hours if one else None
        if terms.week is not None:
            return terms.week[day.weekday()]
        # 勤務時間法6条: Saturday and Sunday are weekly days off, the town's day is Monday to Friday's.
        return self.profile.day if day.weekday() < 5 else None

    def _make(self, number: int) -> Plan:
        day = date_of(number)
        terms = self.terms_on(day)
        hours = self._pattern(day, terms)
        spans: Spans = (_span(number, hours),) if hours else NONE
        swapped, refs = False, []
        for swap in self.swaps.get(day, ()):
            refs.append(swap.ref)
            if swap.worked == day:
                # 勤務時間法8条: the weekly day off gets the hours of the day that is off for it.
                swapped = True
                spans = join((*spans, _span(number, swap.worked_hours or self._hours_of(swap.off))))
            elif swap.off_hours is None:
                spans = NONE
            else:
                spans = less(spans, (_span(number, swap.off_hours),))
        lifted = day in self.holidays and not swapped
        for one in self.substitutes.get(day, ()):
            refs.append(one.ref)
            # 勤務時間法15条: duty is lifted on the day that stands in for the holiday, not on the holiday itself.
            lifted = one.off == day
        regular, lunch, evening = self._without_breaks(number, spans)
        kind: DayKind = "weekly_day_off" if not regular else "holiday" if lifted else "work"
        kept = tuple(ref for ref in refs if ref)
        return Plan(kind, regular, lunch, evening, lifted, swapped, total(regular), terms, kept)

    def _without_breaks(self, number: int, spans: Spans) -> tuple[Spans, Spans, Spans]:
        """The regular hours, lunch and the evening break of a day."""
        lunch = _spans(number, self.profile.lunch)
        if not spans:
            return NONE, lunch if self.profile.day_off_lunch else NONE, NONE
        # 労働基準法34条: a break is no working time; inside a shift there is no evening break.
        regular = less(spans, lunch)
        return regular, lunch, less(_spans(number, self.profile.evening_break), regular)

    def _hours_of(self, day: date) -> Hours:
        return self._pattern(day, self.terms_on(day)) or self.profile.day


def _by_day(pairs: Iterable[_Pair]) -> Mapping[date, list[_Pair]]:
    found: dict[date, list[_Pair]] = {}
    for pair in sorted(pairs, key=lambda one: (one.worked, one.off, one.ref)):
        found.setdefault(pair.worked, []).append(pair)
        found.setdefault(pair.off, []).append(pair)
    return found


def _spans(number: int, hours: Hours | None) -> Spans:
    return (_span(number, hours),) if hours else NONE


def _span(number: int, hours: Hours) -> Span:
    return Span(number * DAY_MIN + hours.begin, number * DAY_MIN + hours.end)
