"""How a figure is written, and read again (rule).  Integers in and out.

1. `min` and `HHMM` and `h:mm` never lose a minute: 3630 is 3630, 6030, 60:30.
2. `h.hh` is hours with two places, half a hundredth up (away from nought): 3630 is 60.50, 10 is 0.17.  Read again it
   is the same minute.
3. A minus stands in front of everything: -30 is -0:30.
"""

import re
from typing import Literal, get_args

TimeUnit = Literal["min", "h.hh", "h:mm", "HHMM"]
TIME_UNITS: tuple[TimeUnit, ...] = get_args(TimeUnit)

_MINUTES = re.compile(r"-?\d{1,7}")
_DECIMAL = re.compile(r"(-?)(\d{1,5})(?:\.(\d{1,2}))?")
_COLON = re.compile(r"(-?)(\d{1,5}):([0-5]\d)")
_PLAIN = re.compile(r"(-?)(\d{1,5})([0-5]\d)")


class NotATime(ValueError):
    """A text that is no time in its unit."""


def written(minutes: int, unit: TimeUnit) -> str:
    """Minutes in a unit."""
    if unit == "min":
        return str(minutes)
    sign = "-" if minutes < 0 else ""
    if unit == "h.hh":
        return decimal(hundredths(minutes))
    hours, rest = divmod(abs(minutes), 60)
    return f"{sign}{hours}:{rest:02}" if unit == "h:mm" else f"{sign}{hours:02}{rest:02}"


def hundredths(minutes: int) -> int:
    """Hundredths of an hour, half up (away from nought)."""
    size = (abs(minutes) * 100 + 30) // 60
    return -size if minutes < 0 else size


def decimal(count: int) -> str:
    """Hundredths with a point."""
    whole, rest = divmod(abs(count), 100)
    return f"{'-' if count < 0 else ''}{whole}.{rest:02}"


def read(text: str, unit: TimeUnit) -> int:
    """Minutes of what stands in a unit. Raises NotATime."""
    text = text.strip()
    if unit == "min":
        if not _MINUTES.fullmatch(text):
            raise NotATime(text)
        return int(text)
    if unit == "h.hh":
        return _from_decimal(text)
    found = (_COLON if unit == "h:mm" else _PLAIN).fullmatch(text)
    if not found:
        raise NotATime(text)
    sign, hours, rest = found.groups()
    minutes = int(hours) * 60 + int(rest)
    return -minutes if sign else minutes


def _from_decimal(text: str) -> int:
    found = _DECIMAL.fullmatch(text)
    if not found:
        raise NotATime(text)
    sign, whole, rest = found.groups()
    count = int(whole) * 100 + int((rest or "").ljust(2, "0"))
    minutes = (count * 60 + 50) // 100
    return -minutes if sign else minutes
