"""Minutes and days in Japan (rule): UTC+9 all year, counted from 1970-01-01T00:00 there."""

from datetime import date

MS_A_MINUTE = 60_000
DAY_MIN = 1440
_OFFSET_MS = 9 * 3_600_000
_FIRST = date(1970, 1, 1).toordinal()


def minute_of(at_ms: int) -> int:
    """The minute in which a time lies; its seconds are dropped, at either end of a day alike."""
    return (at_ms + _OFFSET_MS) // MS_A_MINUTE


def number_of(day: date) -> int:
    """A day as a number; its first minute is this times 1440."""
    return day.toordinal() - _FIRST


def date_of(number: int) -> date:
    """The day with this number."""
    return date.fromordinal(number + _FIRST)


def week_of(number: int) -> int:
    """The week, from Sunday to Saturday, as a number."""
    return (number + 4) // 7
