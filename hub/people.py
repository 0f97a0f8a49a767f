"""People, their sessions and invitations (SQL).  Tokens are kept as hashes: reading the file lets nobody in."""

import hashlib
import re
import secrets

import msgspec

from hub.access import Role
from hub.db import Connection

_HOUR_MS = 3_600_000
INVITATION_HOURS = 72
# A sign-in name.
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
_MINUTE_MS = 60_000
# How long a session lives in which nobody does anything (OWASP ASVS 5, 7.3.1; pages that ask by themselves do not
# count): half an hour for whoever can change the fleet; two hours at a counter, where a clerk reads between visitors.
_IDLE_MS = {"administrator": 30 * _MINUTE_MS, "it": 30 * _MINUTE_MS}
_IDLE_ELSE_MS = 2 * _HOUR_MS
# Enough to install an authenticator on a phone.
_HALF_MS = 15 * _MINUTE_MS
_SEEN_EVERY_MS = 60_000


class Person(msgspec.Struct, frozen=True):
    """Somebody who may sign in; without a password, somebody who was invited."""

    id: int
    name: str
    shown: str
    role: Role
    password: str
    disabled: bool
    created_ms: int
    has_code: bool = False


class Session(msgspec.Struct, frozen=True):
    """Whose it is, when they last proved who they are, and whether `seen` should be written anew."""

    person: Person
    proved_ms: int
    stale: bool


_COLUMNS = (
    "p.id, p.name, p.shown, p.role, p.password, p.disabled, p.created_ms, "
    "EXISTS (SELECT 1 FROM factor f WHERE f.person_id = p.id)"
)
_Row = tuple[int, str, str, Role, str, int, int, int]


def _person(row: _Row | None) -> Person | None:
    return Person(*row[:5], bool(row[5]), row[6], bool(row[7])) if row else None


def hash_of(token: str) -> str:
    """What is kept of a token (256 bits of chance: a plain hash is enough)."""
    return hashlib.sha256(token.encode()).hexdigest()


def by_name(conn: Connection, name: str) -> Person | None:
    """The person with this sign-in name."""
    return _person(conn.execute(f"SELECT {_COLUMNS} FROM person p WHERE name = ?", (name,)).fetchone())  # noqa: S608


def by_id(conn: Connection, person_id: int) -> Person | None:
    """The person with this number."""
    return _person(conn.execute(f"SELECT {_COLUMNS} FROM person p WHERE id = ?", (person_id,)).fetchone())  # noqa: S608


def everyone(conn: Connection) -> list[Person]:
    """All, by name."""
    rows = conn.execute(f"SELECT {_COLUMNS} FROM person p ORDER BY name").fetchall()  # noqa: S608
    return [person for row in rows if (person := _person(row))]


def has_administrator(conn: Connection, but: int = 0) -> bool:
    """Whether an administrator can sign in; one other than the person `but`."""
    found = conn.execute(
        "SELECT 1 FROM person WHERE role = 'administrator' AND disabled = 0 AND password != '' AND id != ? LIMIT 1",
        (but,),
    ).fetchone()
    return found is not None


def add(conn: Connection, name: str, shown: str, role: Role, now_ms: int) -> int:
    """A new person, without a password yet; their number. Raises db.Refused for a name that is taken."""
    cursor = conn.execute(
        "INSERT INTO person (name, shown, role, created_ms) VALUES (?, ?, ?, ?)", (name, shown, role, now_ms)
    )
    return int(cursor.lastrowid or 0)


def set_password(conn: Connection, person_id: int, hashed: str) -> None:
    """A new password; all sessions and invitations of the person end."""
    conn.execute("UPDATE person SET password = ? WHERE id = ?", (hashed, person_id))
    conn.execute("DELETE FROM invitation WHERE person_id = ?", (person_id,))
    end_sessions(conn, person_id)


def set_disabled(conn: Connection, person_id: int, *, disabled: bool) -> None:
    """Lets a person in no more, or again; their sessions end."""
    conn.execute("UPDATE person SET disabled = ? WHERE id = ?", (int(disabled), person_id))
    end_sessions(conn, person_id)


def set_role(conn: Connection, person_id: int, role: Role) -> None:
    """Another role; the person's sessions end, so that none goes on with the old one."""
    conn.execute("UPDATE person SET role = ? WHERE id = ?", (role, person_id))
    end_sessions(conn, person_id)


# ---- invitations


def invite(conn: Connection, person_id: int | None, now_ms: int, hours: int = INVITATION_HOURS) -> str:
    """A token that lets somebody choose a password, once; earlier ones of the same person end."""
    token = secrets.token_urlsafe(32)
    conn.execute("DELETE FROM invitation WHERE person_id IS ? OR expires_ms < ?", (person_id, now_ms))
    conn.execute("INSERT INTO invitation VALUES (?, ?, ?)", (hash_of(token), person_id, now_ms + hours * _HOUR_MS))
    return token


def invited(conn: Connection, token: str, now_ms: int) -> tuple[bool, Person | None]:
    """Whether a token is good, and for whom (nobody yet: the first administrator)."""
    row = conn.execute(
        "SELECT person_id FROM invitation WHERE token_hash = ? AND expires_ms > ?", (hash_of(token), now_ms)
    ).fetchone()
    if row is None:
        return False, None
    if row[0] is None:
        return not has_administrator(conn), None
    person = by_id(conn, row[0])
    return person is not None and not person.disabled, person


def use_invitation(conn: Connection, token: str) -> None:
    """The token is good no more."""
    conn.execute("DELETE FROM invitation WHERE token_hash = ?", (hash_of(token),))


# ---- sessions


def begin_session(conn: Connection, person_id: int, now_ms: int, hours: int) -> str:
    """A new session of somebody who has just proved who they are; its token."""
    token = secrets.token_urlsafe(32)
    conn.execute("DELETE FROM session WHERE expires_ms < ?", (now_ms,))
    conn.execute(
        "INSERT INTO session (token_hash, person_id, created_ms, seen_ms, expires_ms, proved_ms) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (hash_of(token), person_id, now_ms, now_ms, now_ms + hours * _HOUR_MS, now_ms),
    )
    return token


def in_session(conn: Connection, token: str, now_ms: int) -> Session | None:
    """The session of a token. It ends at its hour, unused, and with its person; `seen` is written once a minute."""
    row = conn.execute(
        f"SELECT {_COLUMNS}, s.proved_ms, s.seen_ms FROM session s JOIN person p ON p.id = s.person_id "  # noqa: S608
        "WHERE s.token_hash = ? AND s.expires_ms > ? AND p.disabled = 0",
        (hash_of(token), now_ms),
    ).fetchone()
    person = _person(row[:8]) if row else None
    if person is None or row[9] <= now_ms - _IDLE_MS.get(person.role, _IDLE_ELSE_MS):
        return None
    return Session(person, row[8], now_ms - row[9] > _SEEN_EVERY_MS)


def proved(conn: Connection, token: str, now_ms: int) -> None:
    """Whoever uses the session has just proved again who they are."""
    conn.execute("UPDATE session SET proved_ms = ? WHERE token_hash = ?", (now_ms, hash_of(token)))


def begin_half(conn: Connection, person_id: int, now_ms: int) -> str:
    """For somebody who gave the right password and still owes a code; its token."""
    token = secrets.token_urlsafe(32)
    conn.execute("DELETE FROM half_session WHERE expires_ms < ?", (now_ms,))
    conn.execute("INSERT INTO half_session VALUES (?, ?, ?)", (hash_of(token), person_id, now_ms + _HALF_MS))
    return token


def in_half(conn: Connection, token: str, now_ms: int) -> Person | None:
    """Who owes a code, if it is not too late."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM half_session h JOIN person p ON p.id = h.person_id "  # noqa: S608
        "WHERE h.token_hash = ? AND h.expires_ms > ? AND p.disabled = 0",
        (hash_of(token), now_ms),
    ).fetchone()
    return _person(row)


def seen(conn: Connection, token: str, now_ms: int) -> None:
    """The session was used."""
    conn.execute("UPDATE session SET seen_ms = ? WHERE token_hash = ?", (now_ms, hash_of(token)))


def end_session(conn: Connection, token: str) -> None:
    """Signs out here, wholly or half in."""
    conn.execute("DELETE FROM session WHERE token_hash = ?", (hash_of(token),))
    conn.execute("DELETE FROM half_session WHERE token_hash = ?", (hash_of(token),))


def end_sessions(conn: Connection, person_id: int) -> int:
    """Signs out everywhere; how many sessions ended."""
    conn.execute("DELETE FROM half_session WHERE person_id = ?", (person_id,))
    return conn.execute("DELETE FROM session WHERE person_id = ?", (person_id,)).rowcount
