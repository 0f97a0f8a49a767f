"""The hourly unit, the month's rounding, and yen (rule).  Whole numbers only; half is always rounded up.

給与法19条 and the towns' ordinances: unit = salary × 12 / (38:45 × 52 − 7:45 × holidays on Monday to Friday in the
fiscal year).  昭和63年3月14日基発150号: minutes are kept by day and rounded once a month and class,
thirty and above up to an hour.
"""

from collections.abc import Mapping
from datetime import date

from hub.attendance.rules.kinds import PAY_CLASSES, PayClass
from hub.attendance.rules.profile import Profile
from hub.attendance.rules.result import UnitResult
from hub.staff.terms import Terms


def half_up(above: int, below: int) -> int:
    """above / below, to the nearest whole number, half upwards; for numbers that are not negative."""
    return (2 * above + below) // (2 * below)


def unit_yen(terms: Terms, weekday_holidays: int, profile: Profile) -> int:
    """The hourly unit of these terms in a fiscal year with so many holidays on Monday to Friday; yen."""
    if terms.unit_yen is not None:
        return terms.unit_yen
    if terms.monthly_base_yen is None:
        return terms.hourly_yen or 0
    year_min = profile.week_min * 52
    if profile.unit_formula == "prefectural":
        # 規則: a year's hours are less by a full day for each holiday, so the same salary has another unit each April.
        year_min -= profile.full_day_min * weekday_holidays
    return half_up(terms.monthly_base_yen * 12 * 60, max(year_min, 1))


def yen_per_hour(unit: int, profile: Profile) -> dict[PayClass, int]:
    """Yen an hour of each class: the unit at the class's rate, fifty sen and above go up."""
    return {pay: half_up(unit * profile.rates.get(pay, 0), 100) for pay in PAY_CLASSES}


def unit_result(since: date, unit: int, minutes: Mapping[PayClass, int], profile: Profile) -> UnitResult:
    """The figures of all minutes at one unit: rounded once a class, never by day."""
    per_hour = yen_per_hour(unit, profile)
    counted = {pay: minutes[pay] for pay in PAY_CLASSES if minutes.get(pay)}
    if profile.monthly_rounding == "none":
        hours: dict[PayClass, int] = {}
        yen = sum(half_up(minute * per_hour[pay], 60) for pay, minute in counted.items())
    else:
        # 基発150号: below thirty minutes is dropped, thirty and above is an hour.
        hours = {pay: (minute + 30) // 60 for pay, minute in counted.items()}
        yen = sum(hour * per_hour[pay] for pay, hour in hours.items())
    return UnitResult(since=since, unit_yen=unit, yen_per_hour=per_hour, minutes=counted, hours=hours, yen=yen)
