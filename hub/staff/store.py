"""SQL of staff, their terms, departments and shifts; cards, strangers and drafts come in from their own stores.

1. Terms are dated and never overwritten in passing: those of a day that has some already are replaced only by whoever
   says that this is a correction.
2. Whatever changes what hours come to marks the months that were worked out (`stale.py`), in the same transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import msgspec

from hub.db import Connection
from hub.staff.card_store import (
    Card,
    CardHeld,
    card,
    card_found,
    card_lost,
    card_returned,
    cards,
    holdings,
    issue_card,
    set_label,
    undo_issue,
)
from hub.staff.draft_store import draft, drop_draft, keep_draft
from hub.staff.rows import some_rows
from hub.staff.stale import first_month, mark_days, mark_stale
from hub.staff.stranger_store import (
    Unknown,
    last_punch,
    newest_tapped,
    strangers,
    strangers_like,
    unknown_card,
    unknown_cards,
)
from hub.staff.terms import Hours, Terms

__all__ = [
    "Card",
    "CardHeld",
    "Department",
    "Member",
    "TermsThere",
    "Unknown",
    "add_department",
    "add_member",
    "assigned",
    "by_number",
    "card",
    "card_found",
    "card_lost",
    "card_returned",
    "cards",
    "change_department",
    "clear_days",
    "departments",
    "draft",
    "drop_draft",
    "holdings",
    "issue_card",
    "keep_draft",
    "keep_names",
    "last_punch",
    "leave",
    "link_person",
    "linked",
    "member",
    "member_of_person",
    "members",
    "names",
    "names_kept",
    "newest_tapped",
    "rejoin",
    "set_days",
    "set_label",
    "set_name",
    "set_number",
    "set_terms",
    "shown_name",
    "strangers",
    "strangers_like",
    "undo_issue",
    "unknown_card",
    "unknown_cards",
]

_EVER = ""


class Member(msgspec.Struct, frozen=True):
    """Somebody who works or worked here: from `since` through `left`, both included.

    `number` is text, leading zeros kept; `name` is empty unless names are kept; `person_id` is who signs in as them.
    `terms` are in the order of their days; their `department` is a department's code.
    """

    id: int
    number: str
    name: str
    since: date
    left: date | None
    person_id: int | None
    terms: tuple[Terms, ...]

    def terms_on(self, day: date) -> Terms | None:
        """The terms that count on a day."""
        return next((terms for terms in reversed(self.terms) if terms.since <= day), None)

    def employed_on(self, day: date) -> bool:
        """Whether the person works here on a day."""
        return self.since <= day and (self.left is None or day <= self.left)


class Department(msgspec.Struct, frozen=True):
    """Part of the town hall; a closed one takes nobody in."""

    id: int
    code: str
    name: str
    closed: bool


class TermsThere(Exception):
    """There are terms of that day already, and nobody said that this corrects them."""


# ---- who works here


def members(conn: Connection, month: str | None = None, staff_ids: Sequence[int] | None = None) -> dict[int, Member]:
    """Everybody, those employed in a month (YYYY-MM), or those of these ids; in the order of their numbers."""
    which, args = "(? IS NULL OR (since < ? AND coalesce(left_day, '~') >= ?))", (month, _month_end(month), month)
    rows = some_rows(
        conn, "SELECT id, number, name, since, left_day, person_id FROM staff", "id", which, args, staff_ids
    )
    of = _terms(conn, [row[0] for row in rows] if staff_ids is not None else None)
    return {
        id_: Member(id_, number, name, date.fromisoformat(since), _day(left), person_id, tuple(of.get(id_, ())))
        for id_, number, name, since, left, person_id in sorted(rows, key=lambda row: row[1])
    }


def _month_end(month: str | None) -> str:
    """Sorts behind every day of the month."""
    return f"{month or ''}-99"


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _terms(conn: Connection, staff_ids: Sequence[int] | None) -> dict[int, list[Terms]]:
    found: dict[int, list[Terms]] = defaultdict(list)
    select = (
        "SELECT t.staff_id, t.since, coalesce(d.code, ''), t.body FROM staff_terms t "
        "LEFT JOIN department d ON d.id = t.department_id"
    )
    rows = some_rows(conn, select, "t.staff_id", "1 = 1", (), staff_ids)
    for staff_id, since, code, body in sorted(rows, key=lambda row: (row[0], row[1])):
        terms = _decode(body)
        found[staff_id].append(msgspec.structs.replace(terms, since=date.fromisoformat(since), department=code))
    return found


_decode = msgspec.json.Decoder(Terms).decode
_encode = msgspec.json.Encoder().encode


def member(conn: Connection, staff_id: int) -> Member | None:
    """One of them, or None."""
    return members(conn, None, (staff_id,)).get(staff_id)


def member_of_person(conn: Connection, person_id: int) -> Member | None:
    """As whom a person who signed in works here, if they do."""
    row = conn.execute("SELECT id FROM staff WHERE person_id = ?", (person_id,)).fetchone()
    return member(conn, row[0]) if row else None


def by_number(conn: Connection, number: str) -> Member | None:
    """Who has this staff number."""
    row = conn.execute("SELECT id FROM staff WHERE number = ?", (number,)).fetchone()
    return member(conn, row[0]) if row else None


def shown_name(member: Member) -> str:
    """What somebody is called on pages: the name, or the number where names are not kept."""
    return member.name or member.number


def add_member(conn: Connection, number: str, since: date, now_ms: int, name: str = "") -> int:
    """Somebody begins to work here; their id. Raises db.Refused for a number that is taken."""
    cursor = conn.execute(
        "INSERT INTO staff (number, name, since, changed_ms) VALUES (?, ?, ?, ?)",
        (number, name, since.isoformat(), now_ms),
    )
    return int(cursor.lastrowid or 0)


def set_number(conn: Connection, staff_id: int, number: str, now_ms: int) -> None:
    """Corrects a staff number. Raises db.Refused for one that is taken."""
    conn.execute("UPDATE staff SET number = ?, changed_ms = ? WHERE id = ?", (number, now_ms, staff_id))
    mark_stale(conn, staff_id, _EVER)


def set_terms(conn: Connection, staff_id: int, terms: Terms, now_ms: int, who: str, *, corrects: bool = False) -> None:
    """Terms from their day on; `department` is a code that is known, or empty. Raises TermsThere, LookupError."""
    department_id = None
    if terms.department:
        row = conn.execute("SELECT id FROM department WHERE code = ?", (terms.department,)).fetchone()
        if row is None:
            raise LookupError(terms.department)
        department_id = row[0]
    since = terms.since.isoformat()
    there = conn.execute("SELECT 1 FROM staff_terms WHERE staff_id = ? AND since = ?", (staff_id, since)).fetchone()
    if there and not corrects:
        raise TermsThere(since)
    conn.execute(
        "INSERT INTO staff_terms (staff_id, since, department_id, body, entered_ms, entered_by) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (staff_id, since) DO UPDATE SET department_id = excluded.department_id, "
        "body = excluded.body, entered_ms = excluded.entered_ms, entered_by = excluded.entered_by",
        (staff_id, since, department_id, _encode(terms).decode(), now_ms, who),
    )
    mark_stale(conn, staff_id, first_month(terms.since))


def leave(conn: Connection, staff_id: int, day: date, now_ms: int) -> None:
    """The last day on which somebody works here."""
    found = member(conn, staff_id)
    conn.execute("UPDATE staff SET left_day = ?, changed_ms = ? WHERE id = ?", (day.isoformat(), now_ms, staff_id))
    mark_stale(conn, staff_id, first_month(min(day, found.left) if found and found.left else day))


def rejoin(conn: Connection, staff_id: int, day: date, now_ms: int, who: str) -> None:
    """Somebody who left is here again from a day on; between the two they do not count (not tracked, no hours).

    Raises ValueError when they have not left, or not before that day.
    """
    found = member(conn, staff_id)
    if found is None or found.left is None or day <= found.left:
        raise ValueError(day)
    conn.execute("UPDATE staff SET left_day = NULL, changed_ms = ? WHERE id = ?", (now_ms, staff_id))
    gap, before = found.left + timedelta(days=1), found.terms_on(found.left)
    if day > gap and before is not None:
        away = msgspec.structs.replace(before, since=gap, week=(None,) * 7, shifts=False, tracked=False)
        set_terms(conn, staff_id, away, now_ms, who, corrects=True)
        conn.execute(
            "DELETE FROM staff_terms WHERE staff_id = ? AND since > ? AND since < ?",
            (staff_id, gap.isoformat(), day.isoformat()),
        )
        if all(terms.since != day for terms in found.terms):
            set_terms(conn, staff_id, msgspec.structs.replace(before, since=day), now_ms, who)
    mark_stale(conn, staff_id, first_month(found.left))


def link_person(conn: Connection, staff_id: int, person_id: int | None, now_ms: int) -> None:
    """Says who signs in as somebody, or that nobody does. Raises db.Refused for a person who is somebody else."""
    conn.execute("UPDATE staff SET person_id = ?, changed_ms = ? WHERE id = ?", (person_id, now_ms, staff_id))


def linked(conn: Connection) -> dict[int, int]:
    """Who works here as whom: person to staff."""
    return dict(conn.execute("SELECT person_id, id FROM staff WHERE person_id IS NOT NULL"))


# ---- names


def names_kept(conn: Connection) -> bool:
    """Whether names of staff are kept here; not, unless somebody chose so."""
    row = conn.execute("SELECT names_kept FROM staff_setting WHERE id = 1").fetchone()
    return bool(row and row[0])


def names(conn: Connection) -> int:
    """How many names there are."""
    return int(conn.execute("SELECT count(*) FROM staff WHERE name != ''").fetchone()[0])


def keep_names(conn: Connection, *, kept: bool) -> int:
    """Chooses that.  When they are kept no more, those that are there are deleted; how many."""
    conn.execute(
        "INSERT INTO staff_setting VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET names_kept = excluded.names_kept",
        (int(kept),),
    )
    if kept:
        return 0
    # Files that wait for their "do it" may hold names too.
    conn.execute("DELETE FROM draft WHERE kind = 'staff'")
    return conn.execute("UPDATE staff SET name = '' WHERE name != ''").rowcount


def set_name(conn: Connection, staff_id: int, name: str, now_ms: int) -> None:
    """Somebody's name. Raises ValueError where names are not kept."""
    if name and not names_kept(conn):
        raise ValueError("names are not kept here")
    conn.execute("UPDATE staff SET name = ?, changed_ms = ? WHERE id = ?", (name, now_ms, staff_id))


# ---- departments


def departments(conn: Connection) -> list[Department]:
    """All, by code."""
    rows = conn.execute("SELECT id, code, name, closed FROM department ORDER BY code")
    return [Department(id_, code, name, bool(closed)) for id_, code, name, closed in rows]


def add_department(conn: Connection, code: str, name: str) -> int:
    """A new department; its id. Raises db.Refused for a code that is taken."""
    cursor = conn.execute("INSERT INTO department (code, name) VALUES (?, ?)", (code, name))
    return int(cursor.lastrowid or 0)


def change_department(conn: Connection, department_id: int, name: str, *, closed: bool) -> None:
    """Another name, or no department any more; its code stays."""
    conn.execute("UPDATE department SET name = ?, closed = ? WHERE id = ?", (name, int(closed), department_id))


# ---- shifts


def assigned(
    conn: Connection, staff_ids: Sequence[int], first: date, last: date
) -> dict[int, tuple[tuple[date, Hours | None], ...]]:
    """Assigned hours from `first` through `last` of those who have any; None: a weekly day off."""
    select = "SELECT staff_id, day, begin_min, end_min FROM staff_day"
    which, args = "day >= ? AND day <= ?", (first.isoformat(), last.isoformat())
    found: dict[int, list[tuple[date, Hours | None]]] = defaultdict(list)
    for staff_id, day, begin, end in sorted(some_rows(conn, select, "staff_id", which, args, staff_ids)):
        found[staff_id].append((date.fromisoformat(day), None if begin is None else Hours(begin, end)))
    return {staff_id: tuple(days) for staff_id, days in found.items()}


def set_days(conn: Connection, staff_id: int, days: Mapping[date, Hours | None], now_ms: int, who: str) -> None:
    """Assigns the hours of days; what they had before is replaced."""
    conn.executemany(
        "INSERT INTO staff_day VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (staff_id, day) DO UPDATE SET "
        "begin_min = excluded.begin_min, end_min = excluded.end_min, entered_ms = excluded.entered_ms, "
        "entered_by = excluded.entered_by",
        [
            (staff_id, day.isoformat(), hours and hours.begin, hours and hours.end, now_ms, who)
            for day, hours in days.items()
        ],
    )
    if days:
        mark_days(conn, staff_id, min(days), max(days))


def clear_days(conn: Connection, staff_id: int, days: Iterable[date]) -> None:
    """Assigns nothing on these days any more."""
    gone = sorted(days)
    conn.executemany(
        "DELETE FROM staff_day WHERE staff_id = ? AND day = ?", [(staff_id, day.isoformat()) for day in gone]
    )
    if gone:
        mark_days(conn, staff_id, gone[0], gone[-1])
