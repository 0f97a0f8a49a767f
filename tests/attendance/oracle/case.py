"""A case of the case files as the input of a month; read here once more, apart from the hub's own reading."""

from datetime import date, datetime, timedelta
from typing import Any

import holidays
import msgspec

from hub.attendance.rules.given import Correction, Given, Order, Span, Substitute, Swap, Tap
from hub.attendance.rules.profile import Profile
from hub.staff.terms import Hours, Terms
from tests.attendance.oracle.oracle import Reckoned, minute_of

LONG_AGO = date(2000, 4, 1)


def free_days(first_year: int, last_year: int) -> frozenset[date]:
    """The holidays of these fiscal years, by another library than the hub's, with the days around New Year."""
    first, last = date(first_year, 4, 1), date(last_year + 1, 3, 31)
    days = {day for day in holidays.country_holidays("JP", years=range(first.year, last.year + 1))}  # noqa: C416
    day = first
    while day <= last:
        if (day.month, day.day) in {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}:
            days.add(day)
        day += timedelta(days=1)
    return frozenset(day for day in days if first <= day <= last)


def given_of(case: dict[str, Any]) -> Given:
    """The `given` of one case."""
    staff, year = case["staff"], int(case["month"][:4]) - (int(case["month"][5:7]) < 4)
    week = None
    if "day" in staff:
        week = (_hours(staff["day"]),) * 5 + (None, None)
    return Given(
        month=case["month"],
        terms=(
            Terms(
                since=LONG_AGO,
                kind=staff["kind"],
                week=week,
                monthly_base_yen=staff.get("monthly_base_yen"),
                unit_yen=staff.get("unit_yen"),
                hourly_yen=staff.get("hourly_yen"),
            ),
        ),
        taps=tuple(_tap(one) for one in case["punches"]),
        orders=tuple(Order(span=Span(_minute(one["from"]), _minute(one["to"]))) for one in case["orders"]),
        swaps=tuple(Swap(worked=_day(one["worked"]), off=_day(one["off"])) for one in case.get("swaps", ())),
        substitutes=tuple(
            Substitute(worked=_day(one["worked"]), off=_day(one["off"])) for one in case.get("substitute_days", ())
        ),
        corrections=tuple(
            Correction(day=_day(one["day"]), in_ms=_ms_or_none(one, "in"), out_ms=_ms_or_none(one, "out"))
            for one in case.get("corrections", ())
            if one["approved_by"] is not None
        ),
        holidays=free_days(year - 1, year + 1),
        carried=case.get("carried_minutes", {}),
        profile=_profile(case.get("profile", {})),
    )


def answer_of(found: Reckoned) -> dict[str, Any]:
    """What a case expects, in its own words."""
    unit = found.units[0]
    return {
        "unit_yen": unit.unit_yen,
        "weekday_holidays": found.weekday_holidays,
        "yen_per_hour": unit.yen_per_hour,
        "minutes": found.minutes,
        "hours": found.hours,
        "counts_to_60h_min": found.counts_min,
        "yen": found.yen,
        "closable": not any(day.status in ("incomplete", "unexplained") for day in found.days.values()),
        "days": {
            str(day): {
                "status": one.status,
                "in": _iso(one.in_ms),
                "out": _iso(one.out_ms),
                "presence_min": one.presence_min,
                "regular_min": one.regular_min,
                "unordered_before_min": one.before_min,
                "unordered_after_min": one.after_min,
                "rest_before_min": one.rest_min,
                "suppressed": one.suppressed,
                "flags": sorted(one.flags),
            }
            for day, one in found.days.items()
        },
    }


def _profile(overrides: dict[str, Any]) -> Profile:
    read = {key: _hours(value) if isinstance(value, list) else value for key, value in overrides.items()}
    return msgspec.convert(msgspec.to_builtins(read), Profile)


def _hours(clock: list[str]) -> Hours:
    begin, end = (int(one[:2]) * 60 + int(one[3:5]) for one in clock)
    return Hours(begin, end if end > begin else end + 1440)


def _tap(one: dict[str, Any]) -> Tap:
    lead_s = one.get("clock_offset_s", 0)
    return Tap(at_ms=_ms(one["at"]) - lead_s * 1000, terminal=one.get("terminal", ""), skew_s=lead_s)


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _ms_or_none(one: dict[str, Any], key: str) -> int | None:
    return _ms(one[key]) if one.get(key) else None


def _minute(text: str) -> int:
    return minute_of(_ms(text))


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _iso(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    text = (datetime(1970, 1, 1) + timedelta(milliseconds=at_ms, hours=9)).isoformat(timespec="seconds")  # noqa: DTZ001
    return f"{text}+09:00"
