"""When the town hall is open, so that nobody is told at night what can wait (rule).

Closed are: days of the week without hours; national holidays (国民の祝日に関する法律, with the days off in lieu, as
`jpholiday` counts them); the turn of the year, 29 December to 3 January, as ordinances under article 4-2 of the Local
Autonomy Act (地方自治法) commonly have it.
"""

from datetime import datetime, timedelta, timezone
from typing import Annotated

import jpholiday
import msgspec

JST = timezone(timedelta(hours=9), "JST")
DAY_MINUTES = 24 * 60

Minute = Annotated[int, msgspec.Meta(ge=0, le=DAY_MINUTES)]
# From and to, in minutes of the day; None: closed.
Day = tuple[Minute, Minute] | None
_OFFICE: Day = (8 * 60 + 30, 17 * 60 + 15)


class Hours(msgspec.Struct, frozen=True):
    """A week from Monday, and which days are off besides. `always`: the quiet is not kept at all."""

    week: tuple[Day, Day, Day, Day, Day, Day, Day] = (_OFFICE, _OFFICE, _OFFICE, _OFFICE, _OFFICE, None, None)
    holidays_off: bool = True
    new_year_off: bool = True
    always: bool = False


def is_open(hours: Hours, at_ms: int) -> bool:
    """Whether somebody is there at that moment (a time in Japan)."""
    if hours.always:
        return True
    when = datetime.fromtimestamp(at_ms / 1000, JST)
    day = _day(hours, when)
    return day is not None and day[0] <= when.hour * 60 + when.minute < day[1]


def next_opening_ms(hours: Hours, at_ms: int) -> int | None:
    """The next moment from `at_ms` on at which it is open; None when it is not within a month."""
    if is_open(hours, at_ms):
        return at_ms
    when = datetime.fromtimestamp(at_ms / 1000, JST)
    for ahead in range(32):
        midnight = (when + timedelta(days=ahead)).replace(hour=0, minute=0, second=0, microsecond=0)
        day = _day(hours, midnight)
        if day is not None and day[0] < day[1]:
            opens_ms = int((midnight + timedelta(minutes=day[0])).timestamp() * 1000)
            if opens_ms > at_ms:
                return opens_ms
    return None


def _day(hours: Hours, when: datetime) -> Day:
    if hours.new_year_off and (when.month, when.day) in {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}:
        return None
    if hours.holidays_off and jpholiday.is_holiday(when.date()):
        return None
    return hours.week[when.weekday()]
