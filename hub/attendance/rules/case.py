"""A case in its own words to what the rules take (rule): the default profile with the case's overrides, one person.

What stands in punches, orders and corrections beyond the names below is let pass; in `profile`, `staff` and the case
itself an unknown name is told, for it would change what is worked out.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple, get_args

import msgspec

from hub.attendance.rules import calendar
from hub.attendance.rules.given import Assigned, Correction, Given, Order, Span, Substitute, Swap, Tap
from hub.attendance.rules.japan import DAY_MIN, minute_of, number_of
from hub.attendance.rules.kinds import PAY_CLASSES, PayClass
from hub.attendance.rules.profile import DEFAULT, MonthDay, Profile
from hub.attendance.rules.reading import BadCase, Fields, clock, day, hours, month, time, whole
from hub.staff.terms import Hours, StaffKind, Terms

# Somebody in a case has always been employed.
_SINCE = date(1970, 1, 1)
_LONGEST_ORDER_MIN = 31 * DAY_MIN
_NEAR_DAYS = 3
_MOST_AHEAD_S = 10 * 366 * 86_400
_MOST_MINUTES = 1_000_000
_CASE = frozenset(
    {
        "month",
        "staff",
        "profile",
        "punches",
        "orders",
        "swaps",
        "substitute_days",
        "corrections",
        "carried_minutes",
        "closed",
        "holidays",
        "assigned",
    }
)
_STAFF = frozenset(
    {
        "kind",
        "monthly_base_yen",
        "unit_yen",
        "hourly_yen",
        "day",
        "week",
        "shifts",
        # What says who it is changes nothing.
        "number",
        "name",
        "department",
        "office",
    }
)
_WAYS: dict[str, Literal["clock_in", "clock_out", ""]] = {
    "": "",
    "in": "clock_in",
    "clock_in": "clock_in",
    "out": "clock_out",
    "clock_out": "clock_out",
}


class Closed(NamedTuple):
    """What an earlier version of the month came to."""

    hours: dict[PayClass, int]
    yen: int


class Case(NamedTuple):
    """One case: what the rules take, the days that somebody asked to correct, and what was closed before."""

    given: Given
    asked: frozenset[date]
    closed: Closed | None


def read_case(value: object) -> Case:
    """The case. Raises BadCase."""
    fields = Fields(value, "given", _CASE)
    of = month(fields.get("month"), "month")
    profile = read_profile(fields.get("profile"))
    corrections = [_correction(one) for one in fields.objects("corrections")]
    given = Given(
        month=of,
        terms=(_terms(fields, profile),),
        taps=tuple(_tap(one) for one in fields.objects("punches")),
        orders=tuple(_order(one) for one in fields.objects("orders")),
        swaps=tuple(_swap(one, profile) for one in fields.objects("swaps")),
        substitutes=tuple(
            Substitute(worked=one.day("worked"), off=one.day("off")) for one in fields.objects("substitute_days")
        ),
        corrections=tuple(one for one, counts in corrections if counts),
        assigned=tuple(Assigned(day=one.day("day"), hours=one.hours("hours")) for one in fields.objects("assigned")),
        holidays=_holidays(fields, of, profile),
        carried=classes(fields, "carried_minutes"),
        profile=profile,
    )
    return Case(given, frozenset(one.day for one, _ in corrections), _closed(fields))


def read_profile(value: object) -> Profile:
    """The town's default with the overrides of a case; null switches a thing off. Raises BadCase."""
    if value is None:
        return DEFAULT
    fields = Fields(value, "profile", frozenset(_OVERRIDES))
    changes: dict[str, Any] = {}
    for name, given in fields.values.items():
        key, read, off = _OVERRIDES[name]
        if given is None and off is _NEVER_OFF:
            raise BadCase(fields.place(name), "a value; it cannot be switched off")
        changes[key] = off if given is None else read(given, fields.place(name))
    return msgspec.structs.replace(DEFAULT, **changes)


def classes(fields: Fields, name: str) -> dict[PayClass, int]:
    """Whole numbers by class; empty without it."""
    if not fields.has(name):
        return {}
    inner = Fields(fields.get(name), fields.place(name), frozenset(PAY_CLASSES))
    return {pay: number for pay in PAY_CLASSES if (number := inner.whole(pay, _MOST_MINUTES)) is not None}


def _terms(fields: Fields, profile: Profile) -> Terms:
    staff = Fields(fields.get("staff"), "staff", _STAFF)
    kind: StaffKind = "part_time" if staff.choice("kind", "full_time", "part_time") == "part_time" else "full_time"
    if not any(staff.has(name) for name in ("monthly_base_yen", "unit_yen", "hourly_yen")):
        raise BadCase("staff", "monthly_base_yen, unit_yen or hourly_yen")
    return Terms(
        since=_SINCE,
        kind=kind,
        week=_week(staff, profile),
        shifts=_switch(staff.get("shifts"), "staff.shifts"),
        monthly_base_yen=staff.whole("monthly_base_yen"),
        unit_yen=staff.whole("unit_yen"),
        hourly_yen=staff.whole("hourly_yen"),
    )


def _week(staff: Fields, profile: Profile) -> tuple[Hours | None, ...] | None:
    if staff.has("week"):
        days = staff.items("week")
        if len(days) != 7:
            raise BadCase("staff.week", "seven days from Monday on, each with hours or null")
        return tuple(None if one is None else hours(one, f"staff.week[{at}]") for at, one in enumerate(days))
    value = staff.get("day")
    if value is None:
        return None
    if isinstance(value, int):
        return (_so_long(whole(value, "staff.day", DAY_MIN - 120), profile),) * 5 + (None, None)
    return (hours(value, "staff.day"),) * 5 + (None, None)


def _so_long(minutes: int, profile: Profile) -> Hours | None:
    """Hours from the beginning of the town's day with so many minutes of work, lunch not counted."""
    if not minutes:
        return None
    begin, lunch = profile.day.begin, profile.lunch
    end = begin + minutes
    if lunch and begin <= lunch.begin < end:
        end += lunch.end - lunch.begin
    return Hours(begin, end)


def _tap(one: Fields) -> Tap:
    ahead_ms = _ahead_ms(one)
    way = one.get("direction") if one.has("direction") else one.get("key")
    if way is not None and (not isinstance(way, str) or way not in _WAYS):
        raise BadCase(one.place("direction"), "clock_in or clock_out", way)
    return Tap(
        # The true time: what the terminal's clock showed, less how far it was ahead.
        at_ms=one.time("at") - (ahead_ms or 0),
        direction=_WAYS[way or ""],
        terminal=one.text("terminal"),
        skew_s=_toward_zero_s(ahead_ms or 0),
        trusted=ahead_ms is not None,
    )


def _toward_zero_s(ms: int) -> int:
    return ms // 1000 if ms >= 0 else -(-ms // 1000)


def _ahead_ms(one: Fields) -> int | None:
    """How far the terminal's clock was ahead; None when nobody knows."""
    if one.get("clock") == "unset":
        return None
    ahead = one.values.get("clock_offset_s", 0)
    if ahead is None:
        return None
    if isinstance(ahead, bool) or not isinstance(ahead, int | Decimal) or not -_MOST_AHEAD_S <= ahead <= _MOST_AHEAD_S:
        raise BadCase(one.place("clock_offset_s"), "seconds that the clock was ahead, or null", ahead)
    return int(ahead * 1000)


def _order(one: Fields) -> Order:
    begin, end = minute_of(one.time("from")), minute_of(one.time("to"))
    if not begin < end <= begin + _LONGEST_ORDER_MIN:
        raise BadCase(one.place("to"), "a time after the beginning and within 31 days of it", one.get("to"))
    return Order(span=Span(begin, end))


def _swap(one: Fields, profile: Profile) -> Swap:
    worked, off = one.day("worked"), one.day("off")
    # 勤務時間法8条, 規則15-14第6条: the other day lies in a window around the day that is worked.
    first, last = (
        worked - timedelta(weeks=profile.swap_weeks_before),
        worked + timedelta(weeks=profile.swap_weeks_after),
    )
    if not first <= off <= last or off == worked:
        raise BadCase(one.place("off"), f"another day from {first} to {last}", str(off))
    return Swap(worked=worked, off=off, worked_hours=one.hours("worked_hours"), off_hours=one.hours("off_hours"))


def _correction(one: Fields) -> tuple[Correction, bool]:
    on = one.day("day")
    in_ms, out_ms = _end(one, "in", on), _end(one, "out", on)
    if in_ms is None and out_ms is None:
        raise BadCase(one.where, "in, out or both")
    asked, approved = one.text("requested_by").strip(), one.text("approved_by").strip()
    # Whoever asks does not decide: what nobody else has approved changes nothing.
    return Correction(day=on, in_ms=in_ms, out_ms=out_ms), bool(approved) and approved != asked


def _end(one: Fields, name: str, on: date) -> int | None:
    value = one.get(name)
    if value is None:
        return None
    if isinstance(value, str) and "T" not in value:
        return (number_of(on) * DAY_MIN + clock(value, one.place(name)) - 9 * 60) * 60_000
    at_ms = time(value, one.place(name))
    if not abs(minute_of(at_ms) // DAY_MIN - number_of(on)) <= _NEAR_DAYS:
        raise BadCase(one.place(name), f"a time within {_NEAR_DAYS} days of {on}", value)
    return at_ms


def _holidays(fields: Fields, of: str, profile: Profile) -> frozenset[date]:
    """The holidays of the fiscal year and the months beside it; `holidays` of a case are the town's word over them."""
    first, last = calendar.fiscal_span(calendar.fiscal_year(of))
    value, entries = fields.get("holidays"), dict[date, tuple[calendar.Says, str]]()
    if isinstance(value, dict):
        inner = Fields(value, "holidays")
        for name in inner.values:
            says = inner.choice(name, "holiday", "workday")
            entries[day(name, "holidays")] = ("workday" if says == "workday" else "holiday", "")
    else:
        for at, one in enumerate(fields.items("holidays")):
            entries[day(one, f"holidays[{at}]")] = ("holiday", "")
    beside = timedelta(days=31)
    return calendar.holidays(first - beside, last + beside, profile.closed_days, entries)


def _closed(fields: Fields) -> Closed | None:
    if not fields.has("closed"):
        return None
    inner = Fields(fields.get("closed"), "closed")
    return Closed(classes(inner, "hours"), inner.whole("yen") or 0)


# ---- the overrides of a profile

_NEVER_OFF = object()
_Read = Callable[[object, str], object]


def _switch(value: object, where: str) -> bool:
    if value is not None and not isinstance(value, bool):
        raise BadCase(where, "true or false", value)
    return bool(value)


def _minute_of_day(value: object, where: str) -> int:
    return whole(value, where, DAY_MIN) if isinstance(value, int) else _at_most_a_day(clock(value, where), where)


def _at_most_a_day(minutes: int, where: str) -> int:
    if minutes > DAY_MIN:
        raise BadCase(where, "a clock time up to 24:00")
    return minutes


def _amount(value: object, where: str) -> int:
    return whole(value, where, _MOST_MINUTES)


def _of_hours(value: object, where: str) -> int:
    if isinstance(value, Decimal) and 0 <= value <= 1000 and value * 60 == int(value * 60):
        return int(value * 60)
    return whole(value, where, 1000) * 60


def _of_seconds(value: object, where: str) -> int:
    if isinstance(value, Decimal) and 0 <= value <= 1000:
        return int(value * 1000)
    return whole(value, where, 1000) * 1000


def _one_of(*choices: str) -> _Read:
    def read(value: object, where: str) -> object:
        if not isinstance(value, str) or value not in choices:
            raise BadCase(where, " or ".join(choices), value)
        return value

    return read


def _rates(value: object, where: str) -> object:
    inner = Fields(value, where, frozenset(get_args(PayClass)))
    rates = dict(DEFAULT.rates)
    for pay in PAY_CLASSES:
        rate = inner.whole(pay, 1000)
        if rate is not None:
            rates[pay] = rate
    return rates


def _closed_days(value: object, where: str) -> object:
    try:
        return msgspec.convert(value, tuple[MonthDay, ...])
    except msgspec.ValidationError:
        raise BadCase(where, 'days of the year such as ["12-29", "01-03"]', value) from None


# The name in a case, the name in `Profile`, how it is read, and what null makes of it.
_OVERRIDES: dict[str, tuple[str, _Read, object]] = {
    "day": ("day", hours, _NEVER_OFF),
    "lunch": ("lunch", hours, None),
    "evening_break": ("evening_break", hours, None),
    "day_off_lunch": ("day_off_lunch", _switch, False),
    "night": ("night", hours, _NEVER_OFF),
    "day_line": ("day_line", _minute_of_day, 0),
    "clock_out_from": ("clock_out_from", _minute_of_day, _NEVER_OFF),
    "debounce_s": ("debounce_ms", _of_seconds, 0),
    "debounce_ms": ("debounce_ms", _amount, 0),
    "repeat_s": ("repeat_s", _amount, 0),
    "gap_alert_min": ("gap_alert_min", _amount, None),
    "rest_target_min": ("rest_target_min", _amount, None),
    "rest_target_h": ("rest_target_min", _of_hours, None),
    "clock_alert_s": ("clock_alert_s", _amount, None),
    "unit_formula": ("unit_formula", _one_of("prefectural", "national"), _NEVER_OFF),
    "week_min": ("week_min", _amount, _NEVER_OFF),
    "full_day_min": ("full_day_min", _amount, _NEVER_OFF),
    "sixty_hours_min": ("sixty_hours_min", _amount, None),
    "count_weekly_holidays_to_60h": ("count_weekly_holidays_to_60h", _switch, False),
    "monthly_rounding": ("monthly_rounding", _one_of("half_hour", "none"), "none"),
    "rates": ("rates", _rates, _NEVER_OFF),
    "closed_days": ("closed_days", _closed_days, ()),
    "swap_weeks_before": ("swap_weeks_before", lambda value, where: whole(value, where, 52), _NEVER_OFF),
    "swap_weeks_after": ("swap_weeks_after", lambda value, where: whole(value, where, 52), _NEVER_OFF),
    **{
        name: (name, _amount, _NEVER_OFF)
        for name in (
            "ordinary_month_min",
            "ordinary_year_min",
            "directed_month_min",
            "directed_mean_min",
            "directed_year_min",
            "directed_months_over",
        )
    },
}
