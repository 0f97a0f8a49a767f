"""SQL of staff, their terms, departments, shifts and cards.

1. Terms are dated and never overwritten in passing: those of a day that has some already are replaced only by whoever
   says that this is a correction.
2. A card is in one pair of hands at a time.  Given to another person, it leaves the earlier hands at that moment;
   a lost card is in nobody's hands from when it was reported, until it is found.
3. Whatever changes what hours come to marks the months that were worked out (`stale.py`), in the same transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import msgspec

from hub.db import Connection
from hub.staff.stale import first_month, mark_days, mark_stale
from hub.staff.terms import CardState, Hours, Terms

# Names in one statement.
_AT_ONCE = 500
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


class Card(msgspec.Struct, frozen=True):
    """A card in somebody's hands, from a moment to before another (None: still), in milliseconds of UTC.

    `label` is the number printed on it.  A lost card has both an `until_ms`, when that was reported, and a place in
    the terminals' roster, to be refused.
    """

    id: int
    token: str
    staff_id: int
    label: str
    kind: str
    state: CardState
    from_ms: int
    until_ms: int | None


class TermsThere(Exception):
    """There are terms of that day already, and nobody said that this corrects them."""


class CardHeld(Exception):
    """The card was in other hands at that moment; `card` is that holding."""

    def __init__(self, card: Card) -> None:
        super().__init__(card.id)
        self.card = card


# ---- who works here


def members(conn: Connection, month: str | None = None, staff_ids: Sequence[int] | None = None) -> dict[int, Member]:
    """Everybody, those employed in a month (YYYY-MM), or those of these ids; in the order of their numbers."""
    which, args = "(? IS NULL OR (since < ? AND coalesce(left_day, '~') >= ?))", (month, _month_end(month), month)
    rows = _some(conn, "SELECT id, number, name, since, left_day, person_id FROM staff", "id", which, args, staff_ids)
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


def _some(
    conn: Connection, select: str, column: str, which: str, args: tuple[Any, ...], wanted: Sequence[int] | None
) -> list[tuple[Any, ...]]:
    """Rows of all, or of the wanted ids, so many at a time."""
    if wanted is None:
        return conn.execute(f"{select} WHERE {which}", args).fetchall()
    found: list[tuple[Any, ...]] = []
    ids = sorted(set(wanted))
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        places = ",".join("?" * len(some))
        found += conn.execute(f"{select} WHERE {which} AND {column} IN ({places})", (*args, *some))
    return found


def _terms(conn: Connection, staff_ids: Sequence[int] | None) -> dict[int, list[Terms]]:
    found: dict[int, list[Terms]] = defaultdict(list)
    select = (
        "SELECT t.staff_id, t.since, coalesce(d.code, ''), t.body FROM staff_terms t "
        "LEFT JOIN department d ON d.id = t.department_id"
    )
    rows = _some(conn, select, "t.staff_id", "1 = 1", (), staff_ids)
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
    for staff_id, day, begin, end in sorted(_some(conn, select, "staff_id", which, args, staff_ids)):
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


# ---- cards

_CARD = "id, token, staff_id, label, kind, state, from_ms, until_ms"


def cards(conn: Connection, staff_ids: Sequence[int] | None = None) -> list[Card]:
    """Every holding of every card, or those of these people; of a card in the order of time."""
    rows = _some(conn, f"SELECT {_CARD} FROM card", "staff_id", "1 = 1", (), staff_ids)  # noqa: S608 (our own names)
    return [Card(*row) for row in sorted(rows, key=lambda row: (row[6], row[0]))]


def card(conn: Connection, card_id: int) -> Card | None:
    """One holding, or None."""
    row = conn.execute(f"SELECT {_CARD} FROM card WHERE id = ?", (card_id,)).fetchone()  # noqa: S608
    return Card(*row) if row else None


def holdings(conn: Connection, token: str) -> list[Card]:
    """Who had a card, in the order of time."""
    rows = conn.execute(f"SELECT {_CARD} FROM card WHERE token = ? ORDER BY from_ms, id", (token,))  # noqa: S608
    return [Card(*row) for row in rows]


def issue_card(
    conn: Connection,
    staff_id: int,
    token: str,
    from_ms: int,
    now_ms: int,
    who: str,
    *,
    label: str = "",
    kind: str = "",
) -> int:
    """Gives a card to somebody from a moment on, out of whose hands it was in; the id of the holding.

    Raises CardHeld when the card was in somebody's hands after that moment already, or is this person's now.
    """
    earlier = holdings(conn, token)
    for one in earlier:
        mine_already = one.until_ms is None and one.staff_id == staff_id
        if mine_already or one.from_ms >= from_ms or (one.until_ms or 0) > from_ms:
            raise CardHeld(one)
    # Whatever became of it before: it is here now.
    conn.execute(
        "UPDATE card SET state = 'returned', until_ms = coalesce(until_ms, ?), changed_ms = ?, changed_by = ? "
        "WHERE token = ? AND state != 'returned'",
        (from_ms, now_ms, who, token),
    )
    cursor = conn.execute(
        "INSERT INTO card (token, staff_id, label, kind, state, from_ms, changed_ms, changed_by) "
        "VALUES (?, ?, ?, ?, 'issued', ?, ?, ?)",
        (token, staff_id, label, kind, from_ms, now_ms, who),
    )
    _mark_holders(conn, token)
    return int(cursor.lastrowid or 0)


def undo_issue(conn: Connection, card_id: int, now_ms: int, who: str) -> bool:
    """Takes back that a card was given to somebody, as if it never had been; whoever had it until then has it again.

    Whether it could be: only the newest holding, while the card is still in those hands.
    """
    found = card(conn, card_id)
    if found is None or found.until_ms is not None:
        return False
    _mark_holders(conn, found.token)
    conn.execute("DELETE FROM card WHERE id = ?", (card_id,))
    conn.execute(
        "UPDATE card SET state = 'issued', until_ms = NULL, changed_ms = ?, changed_by = ? WHERE id = "
        "(SELECT id FROM card WHERE token = ? ORDER BY from_ms DESC, id DESC LIMIT 1) AND until_ms = ?",
        (now_ms, who, found.token, found.from_ms),
    )
    return True


def card_lost(conn: Connection, card_id: int, now_ms: int, who: str) -> bool:
    """A card was reported lost: in nobody's hands from now on, and refused. Whether it was in somebody's."""
    return _set_state(conn, card_id, "lost", ("issued",), now_ms, now_ms, who)


def card_returned(conn: Connection, card_id: int, now_ms: int, who: str) -> bool:
    """A card came back, also a lost one. Whether it was out."""
    return _set_state(conn, card_id, "returned", ("issued", "lost"), now_ms, now_ms, who)


def card_found(conn: Connection, card_id: int, now_ms: int, who: str) -> bool:
    """A lost card was found: it is its holder's as if it never had been lost. Whether it was lost."""
    return _set_state(conn, card_id, "issued", ("lost",), None, now_ms, who)


def _set_state(
    conn: Connection,
    card_id: int,
    state: CardState,
    before: Sequence[CardState],
    until_ms: int | None,
    now_ms: int,
    who: str,
) -> bool:
    found = card(conn, card_id)
    if found is None or found.state not in before:
        return False
    if until_ms is not None:
        # What was reported lost ended then; no holding ends before it begins.
        until_ms = max(found.from_ms, until_ms if found.until_ms is None else found.until_ms)
    conn.execute(
        "UPDATE card SET state = ?, until_ms = ?, changed_ms = ?, changed_by = ? WHERE id = ?",
        (state, until_ms, now_ms, who, card_id),
    )
    _mark_holders(conn, found.token)
    return True


def set_label(conn: Connection, card_id: int, label: str, now_ms: int, who: str) -> None:
    """The number that is printed on a card."""
    conn.execute(
        "UPDATE card SET label = ?, changed_ms = ?, changed_by = ? WHERE id = ?", (label, now_ms, who, card_id)
    )


def _mark_holders(conn: Connection, token: str) -> None:
    """Taps that nobody could place may lie anywhere, so every month of whoever ever had the card is made anew."""
    for (staff_id,) in conn.execute("SELECT DISTINCT staff_id FROM card WHERE token = ?", (token,)).fetchall():
        mark_stale(conn, staff_id, _EVER)


# ---- cards that were tapped and belong to nobody


class Unknown(NamedTuple):
    """A card that was tapped and that nobody was ever given.

    How often; when first and last, in milliseconds of UTC (a tap without a good clock: when the hub got it); at which
    terminal last, and with which technology.
    """

    token: str
    taps: int
    first_ms: int
    last_ms: int
    terminal: str
    technology: str


# Goes from card to card along the index of punches: a town has few cards and millions of taps.
_STRANGERS = (
    "WITH RECURSIVE one (card) AS (SELECT min(card) FROM punch UNION ALL "
    "SELECT (SELECT min(p.card) FROM punch p WHERE p.card > one.card) FROM one WHERE one.card IS NOT NULL) "
    "SELECT card FROM one WHERE card IS NOT NULL AND NOT EXISTS (SELECT 1 FROM card c WHERE c.token = one.card)"
)
_WHEN = "CASE WHEN clock = 0 THEN at_ms ELSE received_ms END"


def unknown_cards(conn: Connection) -> list[Unknown]:
    """Those that were tapped last first."""
    found = [one for (token,) in conn.execute(_STRANGERS).fetchall() if (one := unknown_card(conn, token)) is not None]
    return sorted(found, key=lambda one: (-one.last_ms, one.token))


def strangers(conn: Connection) -> int:
    """How many there are."""
    return int(conn.execute(f"SELECT count(*) FROM ({_STRANGERS})").fetchone()[0])  # noqa: S608 (our own words)


def strangers_like(conn: Connection, prefix: str) -> list[str]:
    """Tokens of those that begin so (hexadecimal figures), at most two."""
    rows = conn.execute(
        "SELECT DISTINCT card FROM punch WHERE card >= ? AND card < ? "
        "AND NOT EXISTS (SELECT 1 FROM card c WHERE c.token = punch.card) LIMIT 2",
        (prefix, prefix + "~"),
    )
    return [str(token) for (token,) in rows]


def unknown_card(conn: Connection, token: str) -> Unknown | None:
    """One of them; None for a card that is somebody's, or was never tapped."""
    n, first_ms, last_ms, latest = conn.execute(
        f"SELECT count(*), min({_WHEN}), max({_WHEN}), max(id) FROM punch WHERE card = ?",  # noqa: S608 (our own words)
        (token,),
    ).fetchone()
    if not n or holdings(conn, token):
        return None
    terminal, technology = conn.execute(
        "SELECT d.name, p.technology FROM punch p JOIN device d ON d.id = p.device_id WHERE p.id = ?", (latest,)
    ).fetchone()
    return Unknown(token, n, first_ms, last_ms, terminal, technology)


def last_punch(conn: Connection) -> int:
    """The newest punch's number; 0 when there is none."""
    return int(conn.execute("SELECT coalesce(max(id), 0) FROM punch").fetchone()[0])


def newest_tapped(conn: Connection, after: int) -> str:
    """The token of the newest punch behind this number; empty when there is none."""
    row = conn.execute("SELECT card FROM punch WHERE id > ? ORDER BY id DESC LIMIT 1", (after,)).fetchone()
    return str(row[0]) if row else ""


# ---- imports that wait for their "do it"

_DRAFT_MS = 3_600_000


def keep_draft(conn: Connection, token: str, kind: str, who: str, name: str, content: bytes, now_ms: int) -> None:
    """Keeps a file for an hour; a person's earlier ones of its kind go."""
    conn.execute("DELETE FROM draft WHERE (who = ? AND kind = ?) OR made_ms < ?", (who, kind, now_ms - _DRAFT_MS))
    conn.execute("INSERT INTO draft VALUES (?, ?, ?, ?, ?, ?)", (token, kind, who, name, content, now_ms))


def draft(conn: Connection, token: str, kind: str, who: str, now_ms: int) -> tuple[str, bytes] | None:
    """Name and content of a person's own file, while it waits."""
    row: tuple[str, bytes] | None = conn.execute(
        "SELECT name, content FROM draft WHERE token = ? AND kind = ? AND who = ? AND made_ms >= ?",
        (token, kind, who, now_ms - _DRAFT_MS),
    ).fetchone()
    return row


def drop_draft(conn: Connection, token: str) -> None:
    """Forgets it."""
    conn.execute("DELETE FROM draft WHERE token = ?", (token,))
