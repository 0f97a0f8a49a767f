"""The month of one person (rule): from taps, orders and terms to days, minutes and yen.  Pure: no clock, no I/O.

Taps -> duty days (`tap`) -> ends (`duty`) -> pieces of each day (`piece`, over `plan`) -> the week's rules (`week`)
-> the line of sixty hours (`sixty`) -> units, rounding and yen (`unit`).
"""

from collections.abc import Iterable
from datetime import date

from hub.attendance.rules.calendar import fiscal_year, month_span, weekday_holidays
from hub.attendance.rules.duty import Duty, duty
from hub.attendance.rules.given import Correction, Given, Span
from hub.attendance.rules.japan import DAY_MIN, date_of, minute_of, number_of, week_of
from hub.attendance.rules.kinds import DAY_OFF, PAST_SIXTY, WORKDAY, Flag, Note, PayClass, Status
from hub.attendance.rules.piece import Around, Ends, leaves_by_day, pieces
from hub.attendance.rules.plan import Plan, Planner
from hub.attendance.rules.result import DayResult, MonthResult, Piece, UnitResult
from hub.attendance.rules.sixty import SixtyLine
from hub.attendance.rules.spans import Spans, join, less, total, within
from hub.attendance.rules.split import minutes_of
from hub.attendance.rules.tap import DayTaps, by_day
from hub.attendance.rules.unit import unit_result, unit_yen
from hub.attendance.rules.week import Days, pay_part_time, pay_swaps

# Overtime against the upper limits: beyond regular hours, so neither a holiday's regular hours nor a swap's.
OVERTIME: frozenset[PayClass] = frozenset({*WORKDAY, *DAY_OFF, *PAST_SIXTY})
_NOTHING = DayTaps([], [])


def month(given: Given) -> MonthResult:
    """Everything about one person's month; the days of it on which the person is employed, in order."""
    return _Month(given).result()


class _Month:
    def __init__(self, given: Given) -> None:
        self.given, self.profile = given, given.profile
        self.planner = Planner(given)
        first, last = month_span(given.month)
        self.first, self.last = number_of(first), number_of(last)
        ordered = join(order.span for order in given.orders)
        self.orders = _orders_by_day(ordered, self.profile.day_line)
        orders = tuple(sorted(given.orders, key=lambda one: (one.span, one.ref)))
        self.around = Around(ordered, orders, self.orders, leaves_by_day(given.leaves))
        nights = join((*ordered, *self._nights()))
        self.taps = by_day(given.taps, nights, self.profile.day_line, self.profile.debounce_ms)
        self.corrections: dict[int, list[Correction]] = {}
        for one in given.corrections:
            self.corrections.setdefault(number_of(one.day), []).append(one)
        self.until = self.last + DAY_MIN if given.until is None else number_of(given.until)
        self.duties = self._duties()
        self.before = self._befores()

    def result(self) -> MonthResult:
        days = self._paid_days()
        line = SixtyLine(self.given.carried, self.profile)
        employed = [one for one in range(self.first, self.last + 1) if self.planner.day(one).terms is not None]
        results = [self._day(number, line.draw(days.get(number, ()))) for number in employed]
        holidays = weekday_holidays(self.given.holidays, fiscal_year(self.given.month))
        units = self._units(results, holidays)
        minutes = _sum(unit.minutes for unit in units)
        return MonthResult(
            month=self.given.month,
            weekday_holidays=holidays,
            units=units,
            minutes=minutes,
            hours=_sum(unit.hours for unit in units),
            yen=sum(unit.yen for unit in units),
            counts_to_60h_min=line.counted,
            overtime_min=sum(minute for pay, minute in minutes.items() if pay in OVERTIME),
            days=tuple(results),
        )

    def _nights(self) -> Spans:
        """Regular hours over a day line: a night shift's taps are of the day it begins on, as an order's are."""
        line = self.profile.day_line
        found: list[Span] = []
        for number in range(self.first - 9, self.last + 10):
            begin = number * DAY_MIN + line
            found += [one for one in self.planner.day(number).regular if one.begin < begin or one.end > begin + DAY_MIN]
        return tuple(found)

    def _duties(self) -> dict[int, Duty]:
        """The days that have taps, corrections or an order, in order."""
        numbers = self.taps.keys() | self.corrections.keys() | self.orders.keys()
        found: dict[int, Duty] = {}
        for number in sorted(numbers):
            taps, corrections = self.taps.get(number, _NOTHING), self.corrections.get(number, ())
            if taps.kept or corrections or number <= self.until:
                found[number] = duty(taps, corrections, self.profile)
        return found

    def _paid_days(self) -> Days:
        """The pieces of the days that the month needs: its own, and its weeks' where a rule goes by the week."""
        part_time = any(one.kind == "part_time" for one in self.given.terms)
        first, last = self.first, self.last
        if part_time or self.given.swaps:
            first, last = week_of(first) * 7 - 4, week_of(last) * 7 + 2
        days: Days = {}
        for number in range(first, last + 1):
            if self.planner.day(number).terms is None:
                continue
            done = self.duties.get(number)
            presence = self._free(number, done.presence) if done and done.presence else None
            ends = Ends(presence, missing=done is not None and done.presence is None)
            days[number] = pieces(number, ends, self.planner, self.around)
        if self.given.swaps:
            pay_swaps(days, self.planner)
        if part_time:
            pay_part_time(days, self.planner)
        return days

    def _free(self, number: int, presence: Span) -> Span:
        """The presence less what the day before's work reached into: no minute is counted on two days."""
        for before in (number - 1, number - 2):
            done = self.duties.get(before)
            if done and done.presence and done.presence.end > presence.begin:
                presence = Span(min(done.presence.end, presence.end), presence.end)
        return presence

    def _day(self, number: int, found: tuple[Piece, ...]) -> DayResult:
        plan, done = self.planner.day(number), self.duties.get(number)
        if done is None:
            return DayResult(
                day=date_of(number),
                kind=plan.kind,
                status=self._quiet(number, plan),
                pieces=found,
                leave_min=_minutes(found, "leave"),
            )
        minutes: dict[PayClass, int] = {}
        regular = breaks = absent = before = after = 0
        for piece in found:
            length = minutes_of(piece)
            if piece.pay is not None:
                minutes[piece.pay] = minutes.get(piece.pay, 0) + length
            if piece.present and piece.duty == "regular":
                regular += length
            elif piece.present and piece.duty == "break":
                breaks += length
            elif piece.rule == "absent":
                absent += length
            elif piece.rule == "unordered_before":
                before += length
            elif piece.rule == "unordered_after":
                after += length
        presence = done.presence and done.presence.end - done.presence.begin
        rest = self._rest(number, done)
        flags, notes = self._flags(done, before, after, rest), self._notes(number, done, before, after)
        return DayResult(
            day=date_of(number),
            kind=plan.kind,
            status=done.status,
            in_ms=done.in_ms,
            out_ms=done.out_ms,
            presence_min=presence,
            regular_min=None if presence is None else regular,
            worked_min=None if presence is None else presence - breaks,
            unordered_before_min=before,
            unordered_after_min=after,
            rest_before_min=rest,
            late_min=absent,
            leave_min=_minutes(found, "leave"),
            suppressed=done.suppressed,
            flags=flags,
            notes=notes,
            minutes=minutes,
            pieces=found,
            taps=done.taps + done.refs,
        )

    def _quiet(self, number: int, plan: Plan) -> Status:
        """How a day stands that has neither taps, corrections nor orders."""
        if plan.kind != "work":
            return "off"
        leaves = self.around.leaves.get(number, ())
        if any(one.span is None for one in leaves):
            return "leave"
        if leaves and not less(plan.regular, join(one.span for one in leaves if one.span)):
            return "leave"
        if number > self.until or plan.terms is None or not plan.terms.tracked or not self.profile.unexplained_blocks:
            return "off"
        before = self.duties.get(number - 1)
        if before and before.presence and total(within(plan.regular, before.presence)):
            return "off"
        return "unexplained"

    def _rest(self, number: int, done: Duty) -> int | None:
        """Minutes between the last duty's end and this one's beginning.  人事院 職職-78: 11 hours are a target."""
        before = self.before.get(number)
        if done.in_ms is None or before is None or before.out_ms is None:
            return None
        return max(0, minute_of(done.in_ms) - minute_of(before.out_ms))

    def _befores(self) -> dict[int, Duty]:
        """The duty before each duty: the last day on which somebody was there."""
        found: dict[int, Duty] = {}
        last: Duty | None = None
        for number, done in self.duties.items():
            if last is not None:
                found[number] = last
            if number in self.taps or number in self.corrections:
                last = done
        return found

    def _flags(self, done: Duty, before: int, after: int, rest: int | None) -> tuple[Flag, ...]:
        flags = list(done.flags)
        gap, target = self.profile.gap_alert_min, self.profile.rest_target_min
        if gap is not None and max(before, after) >= gap:
            flags.append("GAP_GE_30")
        if rest is not None and target is not None and rest < target:
            flags.append("INTERVAL_LT_11H")
        return tuple(sorted(flags))

    def _notes(self, number: int, done: Duty, before: int, after: int) -> tuple[Note, ...]:
        notes = list(done.notes)
        gap = self.profile.gap_alert_min
        if gap is not None and before >= gap:
            notes.append("EARLY_CARD")
        if gap is not None and after >= gap and number not in self.orders:
            notes.append("NO_ORDER")
        return tuple(sorted(notes))

    def _units(self, days: list[DayResult], holidays: int) -> tuple[UnitResult, ...]:
        """One result a unit: a salary that changes inside the month has its own minutes, rounded on their own."""
        parts: dict[int, tuple[date, dict[PayClass, int]]] = {}
        for day in days:
            terms = self.planner.day(number_of(day.day)).terms
            if terms is None:
                continue
            unit = unit_yen(terms, holidays, self.profile)
            if unit not in parts:
                parts[unit] = day.day, {} if parts else dict(self.given.carried)
            counted = parts[unit][1]
            for pay, minutes in day.minutes.items():
                counted[pay] = counted.get(pay, 0) + minutes
        return tuple(unit_result(since, unit, minutes, self.profile) for unit, (since, minutes) in parts.items())


def _orders_by_day(ordered: Spans, day_line: int) -> dict[int, Spans]:
    """Orders by the day that they begin on; one that is over before the day line is still the night's before."""
    found: dict[int, Spans] = {}
    for span in ordered:
        day = span.begin // DAY_MIN
        if span.end <= day * DAY_MIN + day_line:
            day -= 1
        found[day] = (*found.get(day, ()), span)
    return found


def _minutes(found: tuple[Piece, ...], rule: str) -> int:
    return sum(minutes_of(piece) for piece in found if piece.rule == rule)


def _sum(parts: Iterable[dict[PayClass, int]]) -> dict[PayClass, int]:
    whole: dict[PayClass, int] = {}
    for part in parts:
        for pay, minutes in part.items():
            whole[pay] = whole.get(pay, 0) + minutes
    return whole
