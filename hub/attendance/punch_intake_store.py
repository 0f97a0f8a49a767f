"""SQL of punches of other clocks: what is there, and what comes in."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from hub.attendance import close_store
from hub.attendance.punch_intake import Found, Held, Known, Somebody
from hub.db import Connection
from hub.shown import moment
from hub.staff import store as staff
from hub.staff.stale import mark_days


class _There:
    """Whether a punch (person, moment, direction) is there already."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def __contains__(self, key: object) -> bool:
        query = "SELECT 1 FROM other_punch WHERE (staff_id, at_ms, direction) = (?, ?, ?)"
        return self._conn.execute(query, key).fetchone() is not None  # type: ignore[arg-type]  # a tuple of three


def known(conn: Connection, now_ms: int) -> Known:
    """What the rows of a file are held against."""
    members = staff.members(conn)
    cards: dict[str, list[Held]] = defaultdict(list)
    for card in staff.cards(conn):
        if card.label:
            cards[card.label].append(Held(card.staff_id, card.from_ms, card.until_ms))
    return Known(
        people={one.number: Somebody(one.id, one.number, one.since, one.left) for one in members.values()},
        cards=cards,
        there=_There(conn),
        closed=frozenset(close_store.closed_months(conn)),
        now_ms=now_ms,
    )


def take_in(conn: Connection, punches: Sequence[Found], source: str, now_ms: int, who: str) -> None:
    """Keeps punches and marks the months that they concern."""
    conn.executemany(
        "INSERT INTO other_punch (staff_id, at_ms, direction, source, row, received_ms, entered_by) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(one.staff_id, one.at_ms, one.direction, source, one.row, now_ms, who) for one in punches],
    )
    days: dict[int, list[date]] = defaultdict(list)
    for one in punches:
        days[one.staff_id].append(moment(one.at_ms).date())
    for staff_id, of_one in days.items():
        mark_days(conn, staff_id, min(of_one), max(of_one))


def count(conn: Connection) -> int:
    """How many there are."""
    return int(conn.execute("SELECT count(*) FROM other_punch").fetchone()[0])
