"""Values of a case of attendance (rule): what every case has (`hub/case_fields.py`), and hours of a day."""

import re

from hub.case_fields import BadCase, day, month, time, whole
from hub.case_fields import Fields as AnyFields
from hub.staff.terms import Hours

__all__ = ["DAY_MIN", "BadCase", "Fields", "clock", "day", "hours", "month", "time", "whole"]

_CLOCK = re.compile(r"([0-3]?\d|4[0-8]):([0-5]\d)(?::00)?", re.ASCII)
DAY_MIN = 1440


class Fields(AnyFields):
    """The values of one object, hours of a day among them."""

    def hours(self, name: str) -> Hours | None:
        """Hours of a day; None without them."""
        value = self.values.get(name)
        return None if value is None else hours(value, self.place(name))


def clock(value: object, where: str) -> int:
    """A clock time HH:MM as minutes since midnight; past 24:00 is the next day."""
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else 2 * DAY_MIN + 1
    if minutes > 2 * DAY_MIN:
        raise BadCase(where, "a clock time such as 17:15", value)
    return minutes


def hours(value: object, where: str) -> Hours:
    """Hours of a day: "08:30-17:15", ["08:30", "17:15"], or an object with from and to, or begin and end."""
    ends = _ends(value)
    if ends is None:
        raise BadCase(where, 'hours such as "08:30-17:15"', value)
    begin, end = clock(ends[0], where), clock(ends[1], where)
    if end <= begin:
        end += DAY_MIN
    if begin > DAY_MIN or end > 2 * DAY_MIN or end - begin > DAY_MIN:
        raise BadCase(where, "hours that begin on their day and are not longer than 24", str(value))
    return Hours(begin, end)


def _ends(value: object) -> tuple[object, object] | None:
    if isinstance(value, str):
        begin, dash, end = (part.strip() for part in value.replace("–", "-").replace("～", "-").partition("-"))
        return (begin, end) if dash else None
    if isinstance(value, list):
        return (value[0], value[1]) if len(value) == 2 else None
    if isinstance(value, dict):
        for begin, end in (("from", "to"), ("begin", "end"), ("start", "end")):
            if begin in value and end in value:
                return value[begin], value[end]
    return None
