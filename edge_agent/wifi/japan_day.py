"""Rule: the day in Japan (UTC+9, no summer time), whatever the device's own zone is: keys of guests change with it."""

from datetime import UTC, date, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JAPAN = timedelta(hours=9)
_DAY = timedelta(days=1)


def day_of(at_ms: int) -> str:
    """The day of an instant in UTC ms: `2026-11-25`."""
    return _date(at_ms).isoformat()


def day_before(at_ms: int) -> str:
    """The day before that of an instant."""
    return (_date(at_ms) - _DAY).isoformat()


def _date(at_ms: int) -> date:
    return (_EPOCH + timedelta(milliseconds=at_ms) + _JAPAN).date()
