"""SQL of applications and decisions (rows that are only added), and of the checks of July."""

from collections.abc import Iterable
from typing import Any

import msgspec

from hub.db import Connection
from hub.waiver.application import Application, Decision

_SELECT = (
    "SELECT a.id, a.number, a.asks, a.of_id, a.resident_id, a.line_id, a.rule, a.applied_day, a.accepted_day, "
    "a.from_day, a.reason, a.entered_by, a.entered_ms, d.result, d.number, d.day, d.clause, d.reason, d.until_day, "
    "d.decided_by, d.decided_ms FROM waiver_application a LEFT JOIN waiver_decision d ON d.application_id = a.id"
)
_WIDTH = 13


class Check(msgspec.Struct, frozen=True, gc=False):
    """Whether a ground still held in a year: `result` is empty while nobody has looked, else `holds` or `ended`."""

    application_id: int
    year: int
    result: str
    checked_by: str
    checked_ms: int
    note: str


def applications(conn: Connection) -> list[Application]:
    """Everything that was ever applied for, oldest first."""
    return _found(conn.execute(f"{_SELECT} ORDER BY a.id"))


def of_resident(conn: Connection, resident_id: int) -> list[Application]:
    """What somebody applied for."""
    return _found(conn.execute(f"{_SELECT} WHERE a.resident_id = ? ORDER BY a.id", (resident_id,)))


def of_grant(conn: Connection, application_id: int) -> list[Application]:
    """The grant that an application is about, and everything about it."""
    row = conn.execute("SELECT coalesce(of_id, id) FROM waiver_application WHERE id = ?", (application_id,)).fetchone()
    if row is None:
        return []
    return _found(conn.execute(f"{_SELECT} WHERE a.id = ? OR a.of_id = ? ORDER BY a.id", (row[0], row[0])))


def _found(rows: Iterable[tuple[Any, ...]]) -> list[Application]:
    return [Application(*(*row[:_WIDTH], Decision(*row[_WIDTH:]) if row[_WIDTH] else None)) for row in rows]


def waiting(conn: Connection, who: str) -> int:
    """How many applications wait for somebody other than who entered them, and may be this person."""
    row = conn.execute(
        "SELECT count(*) FROM waiver_application a LEFT JOIN waiver_decision d ON d.application_id = a.id "
        "WHERE d.application_id IS NULL AND a.entered_by <> ?",
        (who,),
    ).fetchone()
    return int(row[0])


def last_number(conn: Connection) -> str:
    """The number of the newest application; empty for none."""
    row = conn.execute("SELECT number FROM waiver_application ORDER BY id DESC LIMIT 1").fetchone()
    return row[0] if row else ""


def last_decision_number(conn: Connection) -> str:
    """The number of the newest decision that has one; empty for none."""
    row = conn.execute(
        "SELECT number FROM waiver_decision WHERE number <> '' ORDER BY decided_ms DESC, application_id DESC LIMIT 1"
    ).fetchone()
    return row[0] if row else ""


def enter(conn: Connection, one: Application) -> int:
    """Enters an application; its id. Raises db.Refused for a number that is there."""
    cursor = conn.execute(
        "INSERT INTO waiver_application (number, asks, of_id, resident_id, line_id, rule, applied_day, accepted_day, "
        "from_day, reason, entered_by, entered_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            one.number,
            one.asks,
            one.of_id,
            one.resident_id,
            one.line_id,
            one.rule,
            one.applied_day,
            one.accepted_day,
            one.from_day,
            one.reason,
            one.entered_by,
            one.entered_ms,
        ),
    )
    return int(cursor.lastrowid or 0)


def decide(conn: Connection, application_id: int, one: Decision) -> None:
    """Keeps a decision. Raises db.Refused when there is one, when its number is there, and for who entered it."""
    conn.execute(
        "INSERT INTO waiver_decision (application_id, result, number, day, clause, reason, until_day, decided_by, "
        "decided_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            application_id,
            one.result,
            one.number,
            one.day,
            one.clause,
            one.reason,
            one.until_day,
            one.decided_by,
            one.decided_ms,
        ),
    )


# ---- checks of July


def checks(conn: Connection, year: int) -> dict[int, Check]:
    """What was looked at in a year, by grant."""
    return {
        row[0]: Check(*row)
        for row in conn.execute(
            "SELECT application_id, year, result, checked_by, checked_ms, note FROM eligibility_check WHERE year = ?",
            (year,),
        )
    }


def check(conn: Connection, one: Check) -> None:
    """Keeps what was found; another look in the same year takes its place."""
    conn.execute(
        "INSERT INTO eligibility_check (application_id, year, result, checked_by, checked_ms, note) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (application_id, year) DO UPDATE SET result = excluded.result, "
        "checked_by = excluded.checked_by, checked_ms = excluded.checked_ms, note = excluded.note",
        (one.application_id, one.year, one.result, one.checked_by, one.checked_ms, one.note),
    )


def of_decision(conn: Connection, number: str) -> int | None:
    """The application that a decision of this number was taken on."""
    row = conn.execute(
        "SELECT application_id FROM waiver_decision WHERE number = ? AND number <> ''", (number,)
    ).fetchone()
    return int(row[0]) if row else None
