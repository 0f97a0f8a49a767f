"""Pay classes and what belongs to them (rule).  One class a minute; the rate is a hundredth of the hourly unit.

Sources: 給与法16条から19条 and 人事院規則9-97, which the towns' ordinances copy; the rates themselves are dated
values of the town's profile (`profile.py`).
"""

from typing import Literal, get_args

PayClass = Literal[
    "W125",
    "W150",
    "H135",
    "H160",
    "HOL135",
    "HOL160",
    "X150",
    "X175",
    "SHIFT25",
    "X50",
    "PT100",
    "PT125N",
    "N25",
]
PAY_CLASSES: tuple[PayClass, ...] = get_args(PayClass)

# Overtime on a day with regular hours: by day, at night (22:00 to 05:00).  給与法16条1項1号.
WORKDAY: tuple[PayClass, PayClass] = ("W125", "W150")
# Overtime on a weekly day off, or on a holiday outside the regular hours.  給与法16条1項2号.
DAY_OFF: tuple[PayClass, PayClass] = ("H135", "H160")
# Regular hours worked on a holiday that no other day stands in for (休日勤務手当).  給与法17条.
HOLIDAY: tuple[PayClass, PayClass] = ("HOL135", "HOL160")
# Overtime past sixty hours in the month.  給与法16条3項.
PAST_SIXTY: tuple[PayClass, PayClass] = ("X150", "X175")
# Part-time: beyond their own hours, up to a full day and a full week.  会計年度任用職員; 給与法16条2項.
PART_TIME: tuple[PayClass, PayClass] = ("PT100", "PT125N")

DayKind = Literal["work", "weekly_day_off", "holiday"]
Status = Literal["complete", "incomplete", "corrected", "unexplained", "off", "leave"]

# What the case files and the closing know.
Flag = Literal[
    "CLOCK_SKEW",
    "GAP_GE_30",
    "INTERVAL_LT_11H",
    "MISSING_IN",
    "MISSING_OUT",
    "RAPID_REPEAT",
    "UNTRUSTED_CLOCK",
]
# What a clerk wants to see besides, and what changes nothing.
Note = Literal["REVERSED", "LATE_UPLOAD", "TWO_PLACES", "NO_ORDER", "EARLY_CARD"]
