"""How a day's minutes and a month's yen came about: each step with the entries behind it.

1. A day is told from the very pieces that its figures were added up from; nothing is worked out a second time.
2. Taps are told with the raw time of the terminal's clock, how far it was off, and the true time; a tap that did not
   count is told as well.
3. A unit's formula is told only where its numbers give the unit that was used; else only the unit is.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from hub.attendance import gather, request_store, store
from hub.attendance.request import Request
from hub.attendance.rules.given import Given, Tap
from hub.attendance.rules.japan import number_of
from hub.attendance.rules.kinds import PAY_CLASSES, PayClass
from hub.attendance.rules.profile import Profile
from hub.attendance.rules.result import DayResult, Piece, UnitResult
from hub.attendance.rules.sixty import COUNTED, WEEKLY_RULES
from hub.attendance.rules.spans import join
from hub.attendance.rules.split import minutes_of
from hub.attendance.rules.tap import DayTaps, by_day
from hub.attendance.rules.unit import unit_yen
from hub.attendance.timesheet import Timesheet
from hub.db import Connection
from hub.staff.terms import Terms


class Heard(NamedTuple):
    """A tap of the day; `raw_ms` is what the terminal's clock said (None: from another clock's file)."""

    tap: Tap
    raw_ms: int | None
    clock: str
    kept: bool
    end: str


class Sixty(NamedTuple):
    """Minutes that count towards the line of sixty hours: before this day, on it, after it; and the line."""

    before: int
    here: int
    line: int | None

    @property
    def after(self) -> int:
        """Where the month stood at the end of this day."""
        return self.before + self.here


class Day(msgspec.Struct, frozen=True):
    """A day with what stands behind it."""

    heard: list[Heard]
    requests: dict[str, Request]
    sixty: Sixty


class Step(NamedTuple):
    """A class of a unit: minutes, what rounding makes of them, yen an hour before and after rounding, yen.

    `exact` is the class's yen of an hour in hundredths, before it is rounded.
    """

    cls: PayClass
    minutes: int
    hours: int | None
    rate: int
    exact: int
    an_hour: int
    yen: int


class Unit(NamedTuple):
    """An hourly unit, the numbers of its formula where they are known, and the steps from there.

    `formula`: prefectural, national, given (a unit that is written down), hourly, or unknown.  `year_min` is what the
    year's hours come to in minutes; `exact` the unit in hundredths of a yen, cut off.
    """

    since: date
    unit_yen: int
    formula: str
    base_yen: int
    weekday_holidays: int
    year_min: int
    exact: int
    steps: list[Step]
    yen: int


def day(conn: Connection, sheet: Timesheet, one: DayResult, now_ms: int) -> Day:
    """What stands behind a day."""
    until = gather.last_past_day(now_ms, sheet.profile.day_line)
    given = gather.givens(conn, [sheet.member.id], sheet.month, until).get(sheet.member.id)
    taps = _taps_of(given, one) if given else DayTaps([], [])
    return Day(_heard(conn, taps, one), _requests(conn, one, given), sixty(sheet, one))


def sixty(sheet: Timesheet, one: DayResult) -> Sixty:
    """Where the line of sixty hours lies to this day."""
    counted = {each.day: _counted(each, sheet.profile) for each in sheet.result.days}
    later = sum(minutes for each, minutes in counted.items() if each >= one.day)
    return Sixty(sheet.result.counts_to_60h_min - later, counted[one.day], sheet.profile.sixty_hours_min)


def units(sheet: Timesheet) -> list[Unit]:
    """How the month's hours and yen came about, unit by unit."""
    return [_unit(sheet, one) for one in sheet.result.units]


def _counted(one: DayResult, profile: Profile) -> int:
    return sum(
        minutes_of(piece)
        for piece in one.pieces
        if piece.pay in COUNTED and (profile.count_weekly_holidays_to_60h or piece.rule not in WEEKLY_RULES)
    )


def _taps_of(given: Given, one: DayResult) -> DayTaps:
    ordered = join(order.span for order in given.orders)
    days = by_day(given.taps, ordered, given.profile.day_line, given.profile.debounce_ms)
    return days.get(number_of(one.day), DayTaps([], []))


def _heard(conn: Connection, taps: DayTaps, one: DayResult) -> list[Heard]:
    numbers = [int(tap.ref.partition(":")[2]) for tap in (*taps.kept, *taps.suppressed) if tap.ref[:6] == "punch:"]
    raw = store.taps_by_id(conn, numbers) if numbers else {}
    found = []
    for tap, kept in (*((tap, True) for tap in taps.kept), *((tap, False) for tap in taps.suppressed)):
        kind, _, number = tap.ref.partition(":")
        row = raw.get(int(number)) if kind == "punch" else None
        end = "" if not kept else "in" if tap.at_ms == one.in_ms else "out" if tap.at_ms == one.out_ms else ""
        found.append(Heard(tap, row.at_ms if row else None, row.clock if row else "", kept, end))
    return sorted(found, key=lambda heard: heard.tap.at_ms)


def _requests(conn: Connection, one: DayResult, given: Given | None) -> dict[str, Request]:
    """Every request that a piece of the day names, and its corrections and leave."""
    refs = {ref for piece in one.pieces for ref in piece.refs}
    if given is not None:
        refs |= {each.ref for each in given.corrections if each.day == one.day}
        refs |= {each.ref for each in given.leaves if each.day == one.day}
    found = {}
    for ref in sorted(refs, key=_number):
        one_request = request_store.request(conn, _number(ref)) if ref.startswith("request:") else None
        if one_request is not None:
            found[ref] = one_request
    return found


def _number(ref: str) -> int:
    text = ref.partition(":")[2]
    return int(text) if text.isdecimal() else 0


def _unit(sheet: Timesheet, one: UnitResult) -> Unit:
    profile, holidays = sheet.profile, sheet.result.weekday_holidays
    terms = sheet.member.terms_on(one.since)
    formula = "unknown"
    if terms is not None and unit_yen(terms, holidays, profile) == one.unit_yen:
        formula = _formula(terms, profile)
    year_min = profile.week_min * 52 - (profile.full_day_min * holidays if formula == "prefectural" else 0)
    base = terms.monthly_base_yen or 0 if terms else 0
    steps = [_step(one, cls, profile) for cls in PAY_CLASSES if one.minutes.get(cls)]
    return Unit(
        one.since,
        one.unit_yen,
        formula,
        base,
        holidays,
        year_min,
        base * 12 * 60 * 100 // max(year_min, 1),
        steps,
        one.yen,
    )


def _formula(terms: Terms, profile: Profile) -> str:
    if terms.unit_yen is not None:
        return "given"
    return "hourly" if terms.monthly_base_yen is None else profile.unit_formula


def _step(one: UnitResult, cls: PayClass, profile: Profile) -> Step:
    minutes, an_hour, rate = one.minutes[cls], one.yen_per_hour.get(cls, 0), profile.rates.get(cls, 0)
    hours = one.hours.get(cls, 0) if one.hours else None
    yen = hours * an_hour if hours is not None else (2 * minutes * an_hour + 60) // 120
    return Step(cls, minutes, hours, rate, one.unit_yen * rate, an_hour, yen)


def entries(piece: Piece, requests: dict[str, Request]) -> list[Request]:
    """The requests behind a piece."""
    return [requests[ref] for ref in piece.refs if ref in requests]


def names_of(pieces: Iterable[Piece]) -> Sequence[str]:
    """The rules that decided, each once."""
    return tuple(dict.fromkeys(piece.rule for piece in pieces))
