"""An independent reckoning of a person's month: slow, minute by minute, and easy to check by eye.

It shares the input types with the rules and nothing else.  Every minute of presence is looked at on its own and given
at most one class; sums are counted one by one; money is in fractions.  Where it and the rules differ, one of them is
wrong.
"""

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from functools import cache

from hub.attendance.rules.given import Correction, Given, Swap, Tap
from hub.attendance.rules.profile import Profile
from hub.staff.terms import Hours, Terms

EPOCH = date(1970, 1, 1)
DAY = 1440
AFTER_ORDER_MIN = 60
COUNTED = ("W125", "W150", "H135", "H160", "SHIFT25", "X150", "X175", "X50")
OVERTIME = ("W125", "W150", "H135", "H160", "X150", "X175")


@dataclass
class Day:
    """What one duty day came to."""

    day: date
    kind: str
    status: str = ""
    in_ms: int | None = None
    out_ms: int | None = None
    presence_min: int | None = None
    regular_min: int | None = None
    before_min: int = 0
    after_min: int = 0
    rest_min: int | None = None
    suppressed: int = 0
    flags: set[str] = field(default_factory=set)
    reversed: bool = False
    minutes: dict[str, int] = field(default_factory=dict)


@dataclass
class Unit:
    """What was earned at one hourly unit."""

    unit_yen: int
    yen_per_hour: dict[str, int]
    minutes: dict[str, int]
    hours: dict[str, int]
    yen: int


@dataclass
class Reckoned:
    """What the month came to."""

    weekday_holidays: int
    days: dict[date, Day]
    units: list[Unit]
    minutes: dict[str, int]
    hours: dict[str, int]
    yen: int
    counts_min: int
    overtime_min: int


def reckon(given: Given) -> Reckoned:
    """The month of one person."""
    return _Reckoning(given).month()


def minute_of(at_ms: int) -> int:
    """The minute in Japan since 1970 that a moment lies in: its seconds are dropped."""
    return at_ms // 60_000 + 9 * 60


def day_of(minute: int) -> date:
    """The calendar day of a minute."""
    return _date(minute // DAY)


@cache
def _date(days: int) -> date:
    return EPOCH + timedelta(days=days)


def first_minute(day: date) -> int:
    """Midnight at the beginning of a day."""
    return (day - EPOCH).days * DAY


def _order(tap: Tap) -> tuple[int, str, str, str, int, bool, bool]:
    return tap.at_ms, tap.terminal, tap.direction, tap.ref, tap.skew_s, not tap.trusted, tap.late


def _runs(minutes: set[int]) -> list[tuple[int, int]]:
    """Stretches of minutes without a gap: the first one, and the first one after it."""
    runs: list[tuple[int, int]] = []
    for minute in sorted(minutes):
        if runs and runs[-1][1] == minute:
            runs[-1] = (runs[-1][0], minute + 1)
        else:
            runs.append((minute, minute + 1))
    return runs


def half_up(value: Fraction) -> int:
    """The nearest whole number; a half goes up."""
    return math.floor(value + Fraction(1, 2))


def sunday_of(day: date) -> date:
    """The Sunday with which a day's week begins."""
    while day.isoweekday() != 7:
        day -= timedelta(days=1)
    return day


def fiscal_year_of(day: date) -> int:
    """The year in which the fiscal year of a day began."""
    return day.year if day.month >= 4 else day.year - 1


def unit_yen(terms: Terms, profile: Profile, holidays: int) -> int:
    """Yen of an hour's work, from what somebody is paid."""
    if terms.unit_yen is not None:
        return terms.unit_yen
    if terms.monthly_base_yen is not None:
        year_min = profile.week_min * 52
        if profile.unit_formula == "prefectural":
            year_min -= profile.full_day_min * holidays
        return half_up(Fraction(terms.monthly_base_yen * 12 * 60, year_min))
    return terms.hourly_yen or 0


class _Reckoning:
    def __init__(self, given: Given) -> None:
        self.given = given
        self.profile = given.profile
        year, number = map(int, given.month.split("-"))
        self.first = date(year, number, 1)
        self.last = self.first
        while (self.last + timedelta(days=1)).month == number:
            self.last += timedelta(days=1)
        # A week, and the night before it, on both sides.
        self.all_days = [self.first + timedelta(days=n) for n in range(-9, (self.last - self.first).days + 10)]
        self.around = [self.all_days[0] + timedelta(days=n) for n in range(-3, len(self.all_days) + 3)]
        self.ordered = {minute for order in given.orders for minute in range(order.span.begin, order.span.end)}
        self.runs = _runs(self.ordered)

    # ---- the calendar

    def terms(self, day: date) -> Terms | None:
        if self.given.left is not None and day > self.given.left:
            return None
        found = None
        for one in sorted(self.given.terms, key=lambda one: one.since):
            if one.since <= day:
                found = one
        return found

    def pattern(self, day: date) -> Hours | None:
        """Regular hours before anything was moved."""
        terms = self.terms(day)
        if terms is None:
            return None
        if terms.shifts:
            for one in self.given.assigned:
                if one.day == day:
                    return one.hours
            return None
        if terms.week is not None:
            return terms.week[day.weekday()]
        return self.profile.day if day.weekday() < 5 else None

    def swapped_in(self, day: date) -> Swap | None:
        return next((one for one in self.given.swaps if one.worked == day), None)

    def regular_of(self, day: date) -> tuple[str, set[int]]:
        """Kind of a day, and its regular minutes (lunch still in)."""
        hours, lifted = self.pattern(day), self.is_lifted(day)
        minutes = self._span(day, hours)
        for swap in self.given.swaps:
            if swap.worked == day:
                minutes |= self._span(day, swap.worked_hours or self.pattern(swap.off) or self.profile.day)
            elif swap.off == day:
                minutes = minutes - self._span(day, swap.off_hours) if swap.off_hours else set()
        if not minutes - self._span(day, self.profile.lunch):
            return "weekly_day_off", minutes
        return "holiday" if lifted else "work", minutes

    def is_lifted(self, day: date) -> bool:
        """Whether regular hours that lie in this calendar day are those of a holiday."""
        lifted = day in self.given.holidays and self.swapped_in(day) is None
        for one in self.given.substitutes:
            if one.off == day:
                lifted = True
            if one.worked == day:
                lifted = False
        return lifted

    def _span(self, day: date, hours: Hours | None) -> set[int]:
        if hours is None:
            return set()
        start = first_minute(day)
        return set(range(start + hours.begin, start + hours.end))

    def lay_out(self) -> None:
        """Of each minute around the month: whose regular minute it is, whether it is a break; of each day its kind."""
        self.kind: dict[date, str] = {}
        self.regular: dict[date, set[int]] = {}
        self.lunch: set[int] = set()
        self.evening: dict[date, set[int]] = {}
        for day in self.around:
            self.kind[day], regular = self.regular_of(day)
            lunch = self._span(day, self.profile.lunch)
            if regular or self.profile.day_off_lunch:
                self.lunch |= lunch
            self.evening[day] = self._span(day, self.profile.evening_break) if regular else set()
            self.regular[day] = regular
        for day in self.around:
            self.regular[day] = {minute for minute in self.regular[day] if minute not in self.lunch}

        over_lines = {minute for day in self.around for minute in self._over_line(day)}
        self.nights = _runs(self.ordered | over_lines)

    def _over_line(self, day: date) -> set[int]:
        """Regular hours that begin before the day line or end after the next one."""
        line_at = first_minute(day) + self.profile.day_line
        return {
            minute
            for begin, end in _runs(self.regular[day])
            if begin < line_at or end > line_at + DAY
            for minute in range(begin, end)
        }

    def is_night(self, minute: int) -> bool:
        of_day, night = minute % DAY, self.profile.night
        return night.begin <= of_day < night.end or night.begin <= of_day + DAY < night.end

    # ---- taps

    def debounced(self) -> tuple[list[Tap], dict[date, int]]:
        """The taps that count, and how many do not, by the day of the one before them."""
        kept: list[Tap] = []
        suppressed: dict[date, int] = defaultdict(int)
        different: list[Tap] = []
        for tap in sorted(self.given.taps, key=_order):
            if tap not in different:
                different.append(tap)
        for tap in different:
            if kept and self.profile.debounce_ms and tap.at_ms - kept[-1].at_ms <= self.profile.debounce_ms:
                suppressed[self.duty_day(kept[-1].at_ms)] += 1
            else:
                kept.append(tap)
        return kept, suppressed

    def duty_day(self, at_ms: int) -> date:
        """The day line before it; but a night whose order reaches over the line holds on to what comes soon after.

        And who is called for work that begins after midnight and goes on past the line has come on that day: from an
        hour before the order on, unless the work before it is not an hour over.
        """
        minute, line = minute_of(at_ms), self.profile.day_line
        over = -AFTER_ORDER_MIN
        for begin, end in self.nights:
            if begin % DAY >= line:
                line_at = first_minute(day_of(begin)) + DAY + line
                if end > line_at and line_at <= minute <= end + AFTER_ORDER_MIN:
                    return day_of(begin)
            elif end > first_minute(day_of(begin)) + line:
                comes = range(begin - AFTER_ORDER_MIN, first_minute(day_of(begin)) + line)
                if minute in comes and (minute >= begin or minute > over):
                    return day_of(begin)
            over = end + AFTER_ORDER_MIN
        return day_of(minute - line)

    def ends(self, day: Day, taps: list[Tap]) -> tuple[Tap | None, Tap | None]:
        """Which taps came in and went out."""
        repeat_ms = self.profile.repeat_s * 1000
        for one, other in itertools.pairwise(taps):
            if other.at_ms - one.at_ms < repeat_ms:
                day.flags.add("RAPID_REPEAT")
        came = [tap for tap in taps if tap.direction != "clock_out"]
        went = [tap for tap in taps if tap.direction != "clock_in"]
        first, last = (came[0] if came else None), (went[-1] if went else None)
        if first is None or last is None:
            return first, last
        if first is not last and abs(last.at_ms - first.at_ms) >= repeat_ms:
            return first, last
        return self._one_event(first, last)

    def _one_event(self, first: Tap, last: Tap) -> tuple[Tap | None, Tap | None]:
        """Too close to be two: what a person chose last counts, else the window of the clock."""
        chosen = ""
        for tap in sorted((first, last), key=lambda tap: tap.at_ms):
            chosen = tap.direction or chosen
        if not chosen:
            of_day = minute_of(first.at_ms) % DAY
            came = self.profile.day_line <= of_day < self.profile.clock_out_from
            chosen = "clock_in" if came else "clock_out"
        return (first, None) if chosen == "clock_in" else (None, last)

    def corrected(self, day: date) -> Correction | None:
        """What corrections say of a day; a later one wins, end by end."""
        found = None
        for one in self.given.corrections:
            if one.day == day:
                in_ms, out_ms = one.in_ms, one.out_ms
                if found is not None:
                    in_ms = found.in_ms if in_ms is None else in_ms
                    out_ms = found.out_ms if out_ms is None else out_ms
                found = Correction(day=day, in_ms=in_ms, out_ms=out_ms)
        return found

    def taps_told(self) -> dict[date, Day]:
        kept, suppressed = self.debounced()
        of_day: dict[date, list[Tap]] = defaultdict(list)
        self.was_there: dict[date, bool] = {}
        self.was_ordered: dict[date, bool] = {}
        for tap in kept:
            of_day[self.duty_day(tap.at_ms)].append(tap)
        days = {}
        for one in self.all_days:
            day = Day(one, self.kind[one], suppressed=suppressed.get(one, 0))
            days[one] = day
            correction, taps = self.corrected(one), of_day.get(one, [])
            self.was_there[one] = bool(taps or correction)
            self.was_ordered[one] = self._is_past(one) and any(self.order_day(run) == one for run in self.runs)
            if self.was_there[one] or self.was_ordered[one]:
                self._tell(day, taps, correction)
            else:
                day.status = self._without_taps(one, days.get(one - timedelta(days=1)))
        return days

    def _tell(self, day: Day, taps: list[Tap], correction: Correction | None) -> None:
        came, went = self.ends(day, taps) if taps else (None, None)
        day.in_ms = came.at_ms if came else None
        day.out_ms = went.at_ms if went else None
        if correction and correction.in_ms is not None:
            day.in_ms, came = correction.in_ms, None
        if correction and correction.out_ms is not None:
            day.out_ms, went = correction.out_ms, None
        self._doubt(day, [tap for tap in (came, went) if tap is not None])
        if day.in_ms is None:
            day.flags.add("MISSING_IN")
        if day.out_ms is None:
            day.flags.add("MISSING_OUT")
        day.status = "corrected" if correction else "complete"
        if day.in_ms is None or day.out_ms is None:
            day.status = "incomplete"
        elif day.out_ms < day.in_ms:
            day.status, day.reversed = "incomplete", True
        else:
            day.presence_min = minute_of(day.out_ms) - minute_of(day.in_ms)

    def _doubt(self, day: Day, ends: list[Tap]) -> None:
        for tap in ends:
            if self.profile.clock_alert_s is not None and abs(tap.skew_s) >= self.profile.clock_alert_s:
                day.flags.add("CLOCK_SKEW")
            if not tap.trusted:
                day.flags.add("UNTRUSTED_CLOCK")

    def order_day(self, run: tuple[int, int]) -> date:
        """The day that an order's work belongs to: a short one after midnight is the night's before."""
        begin, end = run
        if end <= first_minute(day_of(begin)) + self.profile.day_line:
            return day_of(begin) - timedelta(days=1)
        return day_of(begin)

    def _is_past(self, day: date) -> bool:
        return self.given.until is None or day <= self.given.until

    def _without_taps(self, day: date, before: Day | None) -> str:
        terms = self.terms(day)
        if self.kind[day] != "work":
            return "off"
        leaves = [one for one in self.given.leaves if one.day == day]
        on_leave = {minute for one in leaves if one.span for minute in range(one.span.begin, one.span.end)}
        if any(one.span is None for one in leaves) or not self.regular[day] - on_leave:
            return "leave"
        if not self._is_past(day) or terms is None or not terms.tracked or not self.profile.unexplained_blocks:
            return "off"
        if before is not None and before.presence_min is not None and self.regular[day] & set(self.present(before)):
            return "off"
        return "unexplained"

    # ---- minutes

    def month(self) -> Reckoned:
        self.lay_out()
        days = self.taps_told()
        known = [day for day in days.values() if day.status in ("complete", "corrected")]
        paid: dict[date, list[tuple[int, str]]] = {}
        # Minutes of earlier days' presence: none is counted on two days.
        self.told: set[int] = set()
        for day in known:
            if self.terms(day.day) is not None:
                paid[day.day] = self._classed(day)
            self.told |= set(self.present(day))
        self._part_time(days, paid)
        self._shifted(days, paid)
        before: Day | None = None
        for one in self.all_days:
            self._rest(before, days[one])
            if self.was_there[one]:
                before = days[one]
        return self._summed(days, paid)

    def present(self, day: Day) -> list[int]:
        assert day.in_ms is not None
        assert day.out_ms is not None
        return list(range(minute_of(day.in_ms), minute_of(day.out_ms)))

    def _classed(self, day: Day) -> list[tuple[int, str]]:
        """Class of each minute that has one, by the calendar day of the minute."""
        present = [minute for minute in self.present(day) if minute not in self.told]
        day.regular_min = 0
        begins = [run[0] for run in self.runs if self.order_day(run) == day.day]
        if day.kind == "work":
            begins.append(min(self.regular[day.day]))
        paid = []
        for minute in present:
            cls = self._class(minute)
            if cls in ("", "N25"):
                day.regular_min += 1
            elif cls == "unordered" and begins and minute < min(begins):
                day.before_min += 1
            elif cls == "unordered":
                day.after_min += 1
            if cls not in ("", "break", "unordered"):
                paid.append((minute, cls))
        alert = self.profile.gap_alert_min
        if alert is not None and (day.before_min >= alert or day.after_min >= alert):
            day.flags.add("GAP_GE_30")
        return paid

    def _class(self, minute: int) -> str:
        """What a minute of presence is: a class, nothing of its own for regular hours, a break, or not ordered."""
        day = day_of(minute)
        night, ordered = self.is_night(minute), minute in self.ordered
        regular = minute in self.regular[day] or minute in self.regular[day - timedelta(days=1)]
        if self._is_break(minute):
            return "break"
        if regular and not self.is_lifted(day):
            return "N25" if night and self._kind_of_staff(day) == "full_time" else ""
        if not ordered:
            return "unordered"
        if regular:
            return "HOL160" if night else "HOL135"
        if self.kind[day] == "work":
            return "W150" if night else "W125"
        return "H160" if night else "H135"

    def _is_break(self, minute: int) -> bool:
        day = day_of(minute)
        if minute in self.lunch:
            return True
        if minute not in self.evening[day] or minute in self.regular[day]:
            return False
        later = range(max(self.evening[day]) + 1, first_minute(day) + DAY + self.profile.day_line)
        return minute in self.ordered or any(one in self.ordered for one in later)

    def _kind_of_staff(self, day: date) -> str:
        terms = self.terms(day)
        return terms.kind if terms else ""

    def _part_time(self, days: dict[date, Day], paid: dict[date, list[tuple[int, str]]]) -> None:
        worked_week: dict[date, int] = defaultdict(int)
        for day in self.all_days:
            week, worked_day = sunday_of(day), days[day].regular_min or 0
            worked_week[week] += worked_day
            if day not in paid or self._kind_of_staff(day) != "part_time":
                continue
            changed = []
            for minute, cls in paid[day]:
                is_full = worked_day >= self.profile.full_day_min or worked_week[week] >= self.profile.week_min
                name = cls
                if cls in ("W125", "W150") and not is_full:
                    name = "PT125N" if cls == "W150" else "PT100"
                    worked_day += 1
                    worked_week[week] += 1
                changed.append((minute, name))
            paid[day] = changed

    def _shifted(self, days: dict[date, Day], paid: dict[date, list[tuple[int, str]]]) -> None:
        for sunday in {sunday_of(day) for day in self.all_days}:
            week = [sunday + timedelta(days=n) for n in range(7)]
            if any(day not in self.kind for day in week):
                continue
            excess = sum(len(self.regular[day]) for day in week) - self.profile.week_min
            excess -= sum(cls.startswith("HOL") for day in week for _, cls in paid.get(day, []))
            for day in week:
                if self.swapped_in(day) is None or day not in paid:
                    continue
                worked = [
                    minute
                    for minute in self.present(days[day])
                    if self._class(minute) in ("", "N25") and minute in self.regular[day]
                ]
                for minute in worked:
                    if excess > 0:
                        paid[day] = [(m, cls) for m, cls in paid[day] if m != minute] + [(minute, "SHIFT25")]
                        excess -= 1

    def _rest(self, before: Day | None, day: Day) -> None:
        if before is None or before.out_ms is None or day.in_ms is None:
            return
        day.rest_min = max(0, minute_of(day.in_ms) - minute_of(before.out_ms))
        target = self.profile.rest_target_min
        if target is not None and day.rest_min < target:
            day.flags.add("INTERVAL_LT_11H")

    # ---- the month

    def _summed(self, days: dict[date, Day], paid: dict[date, list[tuple[int, str]]]) -> Reckoned:
        profile = self.profile
        of_month = [one for one in self.all_days if self.first <= one <= self.last and self.terms(one)]
        holidays = sum(
            one.weekday() < 5 and fiscal_year_of(one) == fiscal_year_of(self.first) for one in self.given.holidays
        )
        by_unit: dict[int, dict[str, int]] = {}
        for one in of_month:
            terms = self.terms(one)
            assert terms is not None
            by_unit.setdefault(unit_yen(terms, profile, holidays), defaultdict(int))
        counted = 0
        for carried, minutes in self.given.carried.items():
            if by_unit:
                next(iter(by_unit.values()))[carried] += minutes
            if carried in COUNTED and (profile.count_weekly_holidays_to_60h or carried not in ("H135", "H160")):
                counted += minutes
        for day in of_month:
            terms = self.terms(day)
            assert terms is not None
            sums, counted = self._past_sixty(paid.get(day, []), counted)
            days[day].minutes = dict(sums)
            for cls, minutes in sums.items():
                by_unit[unit_yen(terms, profile, holidays)][cls] += minutes
        units = [self._money(unit, minutes) for unit, minutes in by_unit.items()]
        total: dict[str, int] = defaultdict(int)
        hours: dict[str, int] = defaultdict(int)
        for unit in units:
            for cls, minutes in unit.minutes.items():
                total[cls] += minutes
            for cls, whole in unit.hours.items():
                hours[cls] += whole
        return Reckoned(
            weekday_holidays=holidays,
            days={day: days[day] for day in of_month},
            units=units,
            minutes=dict(total),
            hours=dict(hours),
            yen=sum(unit.yen for unit in units),
            counts_min=counted,
            overtime_min=sum(minutes for cls, minutes in total.items() if cls in OVERTIME),
        )

    def _past_sixty(self, paid: list[tuple[int, str]], counted: int) -> tuple[dict[str, int], int]:
        """A day's minutes by class, with those past the line in the higher one; how far the month has counted."""
        line, sums = self.profile.sixty_hours_min, defaultdict[str, int](int)
        for minute, cls in sorted(paid):
            name, counts = cls, cls in COUNTED
            weekly = cls in ("H135", "H160") and self.kind[day_of(minute)] == "weekly_day_off"
            if weekly and not self.profile.count_weekly_holidays_to_60h:
                counts = False
            if counts and line is not None and counted >= line:
                name = {"W125": "X150", "H135": "X150", "W150": "X175", "H160": "X175", "SHIFT25": "X50"}[cls]
            counted += counts
            sums[name] += 1
        return sums, counted

    def _money(self, unit: int, minutes: dict[str, int]) -> Unit:
        rates = {str(cls): half_up(Fraction(unit * rate, 100)) for cls, rate in self.profile.rates.items()}
        minutes = {cls: n for cls, n in minutes.items() if n}
        if self.profile.monthly_rounding == "none":
            yen = sum(half_up(Fraction(n * rates[cls], 60)) for cls, n in minutes.items())
            return Unit(unit, rates, minutes, {}, yen)
        hours = {cls: half_up(Fraction(n, 60)) for cls, n in minutes.items()}
        return Unit(unit, rates, minutes, hours, sum(n * rates[cls] for cls, n in hours.items()))
