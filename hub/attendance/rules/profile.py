"""The town's values for attendance and pay: dated, versioned, never constants in the rules (rule).

Minutes of the day are whole minutes since 00:00 in Japan; rates are hundredths of the hourly unit.  The default follows
the usual ordinance of a town in Hokkaido; what a town has otherwise it writes in its own version of the profile.
"""

from typing import Annotated, Literal

import msgspec

from hub.attendance.rules.kinds import PayClass
from hub.staff.terms import Hours, MinuteOfDay

Minutes = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=1000)]
MonthDay = Annotated[str, msgspec.Meta(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z", max_length=5)]


RATES: dict[PayClass, int] = {
    "W125": 125,
    "W150": 150,
    "H135": 135,
    "H160": 160,
    "HOL135": 135,
    "HOL160": 160,
    "X150": 150,
    "X175": 175,
    "SHIFT25": 25,
    "X50": 50,
    "PT100": 100,
    "PT125N": 125,
    "N25": 25,
}


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of the town's values. `None` switches a thing off."""

    day: Hours = Hours(510, 1035)
    lunch: Hours | None = Hours(720, 780)
    evening_break: Hours | None = Hours(1035, 1050)
    # Whether lunch is taken off on a weekly day off as well, where nobody has assigned a break.
    day_off_lunch: bool = False
    night: Hours = Hours(1320, 1740)
    day_line: MinuteOfDay = 180
    clock_out_from: MinuteOfDay = 870
    debounce_ms: Minutes = 5000
    repeat_s: Minutes = 60
    gap_alert_min: Minutes | None = 30
    rest_target_min: Minutes | None = 660
    clock_alert_s: Minutes | None = 60
    unit_formula: Literal["prefectural", "national"] = "prefectural"
    week_min: Minutes = 2325
    full_day_min: Minutes = 465
    sixty_hours_min: Minutes | None = 3600
    count_weekly_holidays_to_60h: bool = True
    monthly_rounding: Literal["half_hour", "none"] = "half_hour"
    rates: dict[PayClass, Percent] = msgspec.field(default_factory=RATES.copy)
    # Days of each year that are holidays besides the national ones (休日: 29 December to 3 January).
    closed_days: tuple[MonthDay, ...] = ("12-29", "12-30", "12-31", "01-01", "01-02", "01-03")
    swap_weeks_before: Minutes = 4
    swap_weeks_after: Minutes = 8
    ordinary_month_min: Minutes = 2700
    ordinary_year_min: Minutes = 21_600
    directed_month_min: Minutes = 6000
    directed_mean_min: Minutes = 4800
    directed_year_min: Minutes = 43_200
    directed_months_over: Minutes = 6
    # A working day without a punch and without leave holds up the closing.
    unexplained_blocks: bool = True


DEFAULT = Profile()
