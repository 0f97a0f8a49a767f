"""An independent reckoning of a person's month: slow, minute by minute, and easy to check by eye.

It shares the input types with the rules and nothing else.  Every minute of presence is looked at on its own and given
at most one class; sums are counted one by one; money is in fractions.  Where it and the rules differ, one of them is
wrong.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from hub.attendance.rules.given import Correction, Given, Leave, Swap, Tap
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
    return EPOCH + timedelta(days=minute // DAY)


def first_minute(day: date) -> int:
    """Midnight at the beginning of a day."""
    return (day - EPOCH).days * DAY


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
        self.ordered = {minute for order in given.orders for minute in range(order.span.begin, order.span.end)}

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
        hours, kind = self.pattern(day), ""
        if hours is None:
            kind = "weekly_day_off"
        else:
            kind = "holiday" if day in self.given.holidays else "work"
        for sub in self.given.substitutes:
            if sub.worked == day:
                kind = "work" if hours is not None else kind
            if sub.off == day:
                kind = "holiday" if hours is not None else kind
        minutes = self._span(day, hours)
        for swap in self.given.swaps:
            if swap.worked == day:
                if swap.worked_hours is not None:
                    minutes = self._span(day, swap.worked_hours)
                else:
                    minutes = self._span(day, self.pattern(swap.off) or self.profile.day)
                kind = "work"
            if swap.off == day:
                if swap.off_hours is None:
                    minutes, kind = set(), "weekly_day_off"
                else:
                    minutes = minutes - self._span(day, swap.off_hours)
        return kind, minutes

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
        for day in self.all_days:
            self.kind[day], regular = self.regular_of(day)
            lunch = self._span(day, self.profile.lunch)
            if regular or self.profile.day_off_lunch:
                self.lunch |= lunch
            self.evening[day] = self._span(day, self.profile.evening_break) if regular else set()
            self.regular[day] = regular
        for day in self.all_days:
            self.regular[day] = {minute for minute in self.regular[day] if minute not in self.lunch}

    def is_night(self, minute: int) -> bool:
        of_day, night = minute % DAY, self.profile.night
        return night.begin <= of_day < night.end or night.begin <= of_day + DAY < night.end

    # ---- taps

    def debounced(self) -> tuple[list[Tap], dict[date, int]]:
        kept: list[Tap] = []
        suppressed: dict[date, int] = defaultdict(int)
        for tap in sorted(self.given.taps, key=lambda tap: tap.at_ms):
            if kept and tap.at_ms - kept[-1].at_ms <= self.profile.debounce_ms:
                suppressed[self.duty_day(tap.at_ms)] += 1
            else:
                kept.append(tap)
        return kept, suppressed

    def duty_day(self, at_ms: int) -> date:
        minute, line = minute_of(at_ms), self.profile.day_line
        for order in self.given.orders:
            began_on = day_of(order.span.begin - line)
            line_at = first_minute(began_on) + DAY + line
            if order.span.begin < line_at < order.span.end and line_at <= minute <= order.span.end + AFTER_ORDER_MIN:
                return began_on
        return day_of(minute - line)

    def ends(self, day: Day, taps: list[Tap]) -> tuple[Tap | None, Tap | None]:
        """Which taps came in and went out."""
        repeat_ms = self.profile.repeat_s * 1000
        for one, other in zip(taps, taps[1:], strict=False):
            if other.at_ms - one.at_ms < repeat_ms:
                day.flags.add("RAPID_REPEAT")
        came = [tap for tap in taps if tap.direction != "clock_out"]
        went = [tap for tap in taps if tap.direction != "clock_in"]
        first, last = (came[0] if came else None), (went[-1] if went else None)
        if first is None or last is None:
            return first, last
        if first.direction and last.direction:
            return first, last
        if abs(last.at_ms - first.at_ms) >= repeat_ms:
            return first, last
        if first.direction == "clock_in":
            return first, None
        if last.direction == "clock_out":
            return None, last
        of_day = minute_of(first.at_ms) % DAY
        if self.profile.day_line <= of_day < self.profile.clock_out_from:
            return first, None
        return None, last

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

    def whole_leave(self, day: date) -> Leave | None:
        return next((one for one in self.given.leaves if one.day == day and one.span is None), None)

    def taps_told(self) -> dict[date, Day]:
        kept, suppressed = self.debounced()
        of_day: dict[date, list[Tap]] = defaultdict(list)
        for tap in kept:
            of_day[self.duty_day(tap.at_ms)].append(tap)
        days = {}
        for one in self.all_days:
            day = Day(one, self.kind[one], suppressed=suppressed.get(one, 0))
            days[one] = day
            correction, taps = self.corrected(one), of_day.get(one, [])
            if taps or correction:
                self._tell(day, taps, correction)
            else:
                day.status = self._without_taps(one)
        return days

    def _tell(self, day: Day, taps: list[Tap], correction: Correction | None) -> None:
        came, went = self.ends(day, taps) if taps else (None, None)
        day.in_ms = came.at_ms if came else None
        day.out_ms = went.at_ms if went else None
        if correction and correction.in_ms is not None:
            day.in_ms, came = correction.in_ms, None
        if correction and correction.out_ms is not None:
            day.out_ms, went = correction.out_ms, None
        for tap in (came, went):
            if tap is None:
                continue
            if self.profile.clock_alert_s is not None and abs(tap.skew_s) >= self.profile.clock_alert_s:
                day.flags.add("CLOCK_SKEW")
            if not tap.trusted:
                day.flags.add("UNTRUSTED_CLOCK")
        if day.in_ms is None:
            day.flags.add("MISSING_IN")
        if day.out_ms is None:
            day.flags.add("MISSING_OUT")
        day.status = "corrected" if correction else "complete"
        if day.in_ms is None or day.out_ms is None:
            day.status = "incomplete"
        elif day.out_ms < day.in_ms:
            day.status, day.reversed = "incomplete", True

    def _without_taps(self, day: date) -> str:
        terms = self.terms(day)
        if self.kind[day] != "work":
            return "off"
        if self.whole_leave(day):
            return "leave"
        past = self.given.until is not None and day <= self.given.until
        return "unexplained" if past and terms is not None and terms.tracked else "off"

    # ---- minutes

    def month(self) -> Reckoned:
        self.lay_out()
        days = self.taps_told()
        known = [day for day in days.values() if day.status in ("complete", "corrected")]
        paid: dict[date, list[tuple[int, str]]] = {}
        for day in known:
            paid[day.day] = self._classed(day)
        self._part_time(days, paid)
        self._shifted(days, paid)
        for one in self.all_days:
            self._rest(days.get(one - timedelta(days=1)), days[one])
        return self._summed(days, paid)

    def present(self, day: Day) -> list[int]:
        assert day.in_ms is not None
        assert day.out_ms is not None
        return list(range(minute_of(day.in_ms), minute_of(day.out_ms)))

    def _classed(self, day: Day) -> list[tuple[int, str]]:
        """Class of each minute that has one, by the calendar day of the minute."""
        present = self.present(day)
        day.presence_min, day.regular_min = len(present), 0
        first_ordered = next((minute for minute in present if minute in self.ordered), None)
        begins = [first_ordered] if first_ordered is not None else []
        if day.kind == "work" and self.regular[day.day]:
            begins.append(min(self.regular[day.day]))
        paid = []
        for minute in present:
            calendar_day = day_of(minute)
            kind = self.kind[calendar_day]
            regular = minute in self.regular[day.day] or minute in self.regular[calendar_day]
            evening = minute in self.evening[calendar_day]
            night = self.is_night(minute)
            if regular and kind != "holiday":
                day.regular_min += 1
                if night and self._kind_of_staff(day.day) == "full_time":
                    paid.append((minute, "N25"))
                continue
            if minute in self.lunch:
                continue
            if minute in self.ordered:
                if evening and not regular:
                    continue
                if regular:
                    paid.append((minute, "HOL160" if night else "HOL135"))
                elif kind == "work":
                    paid.append((minute, "W150" if night else "W125"))
                else:
                    paid.append((minute, "H160" if night else "H135"))
                continue
            if evening and any(later in self.ordered for later in self._rest_of_day(calendar_day, day)):
                continue
            if begins and minute < min(begins):
                day.before_min += 1
            else:
                day.after_min += 1
        alert = self.profile.gap_alert_min
        if alert is not None and (day.before_min >= alert or day.after_min >= alert):
            day.flags.add("GAP_GE_30")
        return paid

    def _rest_of_day(self, calendar_day: date, day: Day) -> range:
        """The minutes from the end of the evening break to the end of presence."""
        assert day.out_ms is not None
        return range(max(self.evening[calendar_day]) + 1, minute_of(day.out_ms))

    def _kind_of_staff(self, day: date) -> str:
        terms = self.terms(day)
        return terms.kind if terms else ""

    def _part_time(self, days: dict[date, Day], paid: dict[date, list[tuple[int, str]]]) -> None:
        worked_week: dict[date, int] = defaultdict(int)
        for day in self.all_days:
            week = sunday_of(day)
            worked = days[day].regular_min or 0
            worked_week[week] += worked
            if day not in paid or self._kind_of_staff(day) != "part_time":
                continue
            changed = []
            for minute, cls in paid[day]:
                name = cls
                if (
                    cls in ("W125", "W150")
                    and worked < self.profile.full_day_min
                    and worked_week[week] < self.profile.week_min
                ):
                    name = "PT125N" if cls == "W150" else "PT100"
                    worked += 1
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
                worked = [minute for minute in self.present(days[day]) if minute in self.regular[day]]
                for minute in worked:
                    if excess > 0:
                        paid[day] = [(m, cls) for m, cls in paid[day] if m != minute] + [(minute, "SHIFT25")]
                        excess -= 1

    def _rest(self, before: Day | None, day: Day) -> None:
        if before is None or before.out_ms is None or day.in_ms is None:
            return
        day.rest_min = minute_of(day.in_ms) - minute_of(before.out_ms)
        target = self.profile.rest_target_min
        if target is not None and day.rest_min < target:
            day.flags.add("INTERVAL_LT_11H")

    # ---- the month

    def _summed(self, days: dict[date, Day], paid: dict[date, list[tuple[int, str]]]) -> Reckoned:
        profile, line = self.profile, self.profile.sixty_hours_min
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
        for cls, minutes in self.given.carried.items():
            next(iter(by_unit.values()))[cls] += minutes
            if cls in COUNTED:
                counted += minutes
        for day in of_month:
            terms = self.terms(day)
            assert terms is not None
            sums: dict[str, int] = defaultdict(int)
            for minute, cls in sorted(paid.get(day, [])):
                name, counts = cls, cls in COUNTED
                weekly = cls in ("H135", "H160") and self.kind[day_of(minute)] == "weekly_day_off"
                if weekly and not profile.count_weekly_holidays_to_60h:
                    counts = False
                if counts and line is not None and counted >= line:
                    name = {"W125": "X150", "H135": "X150", "W150": "X175", "H160": "X175", "SHIFT25": "X50"}[cls]
                counted += counts
                sums[name] += 1
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

    def _money(self, unit: int, minutes: dict[str, int]) -> Unit:
        rates = {str(cls): half_up(Fraction(unit * rate, 100)) for cls, rate in self.profile.rates.items()}
        minutes = {cls: n for cls, n in minutes.items() if n}
        if self.profile.monthly_rounding == "none":
            yen = sum(half_up(Fraction(n * rates[cls], 60)) for cls, n in minutes.items())
            return Unit(unit, rates, minutes, {}, yen)
        hours = {cls: half_up(Fraction(n, 60)) for cls, n in minutes.items()}
        return Unit(unit, rates, minutes, hours, sum(n * rates[cls] for cls, n in hours.items()))
