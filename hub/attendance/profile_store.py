"""SQL of the town's values and of its word over the calendar: dated versions, none changed or taken away.

1. On a month counts the version with the latest `from_month` on or before it; of several of the same month the one
   that was made last.
2. Of a day in the town's table the latest entry counts; an empty `says` leaves the day to law and profile again.
"""

import hashlib
from collections.abc import Iterable
from datetime import date

import msgspec

from hub.attendance.rules import calendar
from hub.attendance.rules.calendar import Says
from hub.attendance.rules.profile import DEFAULT, Profile
from hub.db import Connection


class Version(msgspec.Struct, frozen=True):
    """Values that count from a month on, why, and who wrote them."""

    id: int
    from_month: str
    profile: Profile
    note: str
    made_ms: int
    who: str


class HolidayEntry(msgspec.Struct, frozen=True):
    """What the town says of a day."""

    day: date
    says: Says
    name: str
    made_ms: int
    who: str


_decoder = msgspec.json.Decoder(Profile)


def profile(conn: Connection, month: str) -> Profile:
    """The values that count in a month; the shipped ones before the town wrote its own."""
    row = conn.execute(
        "SELECT body FROM profile_version WHERE from_month <= ? ORDER BY from_month DESC, id DESC LIMIT 1", (month,)
    ).fetchone()
    return _decoder.decode(row[0]) if row else DEFAULT


def versions(conn: Connection) -> list[Version]:
    """All that were ever written, newest first."""
    rows = conn.execute("SELECT id, from_month, body, note, made_ms, who FROM profile_version ORDER BY id DESC")
    return [
        Version(id_, month, _decoder.decode(body), note, made_ms, who) for id_, month, body, note, made_ms, who in rows
    ]


def add_version(conn: Connection, from_month: str, new: Profile, note: str, now_ms: int, who: str) -> int:
    """Values that count from a month on; their number."""
    cursor = conn.execute(
        "INSERT INTO profile_version (from_month, body, note, made_ms, who) VALUES (?, ?, ?, ?, ?)",
        (from_month, canonical(new).decode(), note, now_ms, who),
    )
    return int(cursor.lastrowid or 0)


def entries(conn: Connection) -> list[HolidayEntry]:
    """What the town says of days at the moment, by day."""
    rows = conn.execute(
        "SELECT day, says, name, made_ms, who FROM holiday_entry "
        "WHERE id IN (SELECT MAX(id) FROM holiday_entry GROUP BY day) AND says != '' ORDER BY day"
    )
    return [HolidayEntry(date.fromisoformat(day), says, name, made_ms, who) for day, says, name, made_ms, who in rows]


def add_entry(conn: Connection, day: date, says: str, name: str, now_ms: int, who: str) -> None:
    """The town's word on a day: `holiday`, `workday`, or empty for none any more."""
    conn.execute(
        "INSERT INTO holiday_entry (day, says, name, made_ms, who) VALUES (?, ?, ?, ?, ?)",
        (day.isoformat(), says, name, now_ms, who),
    )


def holiday_names(conn: Connection, first: date, last: date, values: Profile) -> dict[date, str]:
    """The holidays of these days with their names."""
    said = {entry.day: (entry.says, entry.name) for entry in entries(conn)}
    return calendar.holiday_names(first, last, values.closed_days, said)


def holidays(conn: Connection, first: date, last: date, values: Profile) -> frozenset[date]:
    """The holidays of these days."""
    return frozenset(holiday_names(conn, first, last, values))


def canonical(values: Profile) -> bytes:
    """One way to write a profile: what is stored and hashed."""
    return msgspec.json.encode(values, order="sorted")


def profile_hash(values: Profile) -> str:
    """The SHA-256 of a profile, in hex."""
    return hashlib.sha256(b"machinaka profile 1\n" + canonical(values)).hexdigest()


def holiday_hash(days: Iterable[date]) -> str:
    """The SHA-256 of a set of holidays, in hex."""
    text = "\n".join(sorted(day.isoformat() for day in days))
    return hashlib.sha256(f"machinaka holidays 1\n{text}\n".encode()).hexdigest()
