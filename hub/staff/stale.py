"""SQL: marks worked-out months of somebody whose facts have changed, in the transaction of the change.

Only months that were worked out are marked; the others are made anew anyway.
"""

from datetime import date, timedelta

from hub.db import Connection

# A month reaches at most a week and two days over its ends (the week of its last day, the rest after it).
_REACH = timedelta(days=10)


def mark_stale(conn: Connection, staff_id: int, from_month: str) -> None:
    """Marks every worked-out month (YYYY-MM) of a person from this one on."""
    conn.execute(
        "INSERT INTO timesheet_stale (staff_id, month) SELECT staff_id, month FROM timesheet "
        "WHERE staff_id = ? AND month >= ? ON CONFLICT DO NOTHING",
        (staff_id, from_month),
    )


def first_month(day: date) -> str:
    """The first month that a fact of this day may count in."""
    return (day - _REACH if day - date.min > _REACH else day).isoformat()[:7]


def month_at(day: date) -> str:
    """The last month that a fact of this day alone may count in."""
    return (day + _REACH if date.max - day > _REACH else day).isoformat()[:7]


def mark_days(conn: Connection, staff_id: int, first: date, last: date) -> None:
    """Marks what facts of these days alone concern."""
    conn.execute(
        "INSERT INTO timesheet_stale (staff_id, month) SELECT staff_id, month FROM timesheet "
        "WHERE staff_id = ? AND month >= ? AND month <= ? ON CONFLICT DO NOTHING",
        (staff_id, first_month(first), month_at(last)),
    )
