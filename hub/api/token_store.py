"""SQL of tokens: kept as a hash, so that whoever reads the database cannot use them; and of answers given once."""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from typing import Any

import msgspec

from hub.api.scope import SCOPES, Scope
from hub.db import Connection

# The number finds the row, the rest (256 bits of chance) is compared in constant time.
_TOKEN = re.compile(r"machinaka_([1-9][0-9]{0,17})_([A-Za-z0-9_-]{43})")
_USED_EVERY_MS = 60_000
# So long an answer is remembered for whoever asks the same once more.
ANSWER_MS = 24 * 3_600_000


class Token(msgspec.Struct, frozen=True):
    """A token as it is kept: whose, what for, until when. `used_ms` is right to a minute."""

    id: int
    label: str
    person_id: int
    person: str
    scopes: tuple[Scope, ...]
    made_ms: int
    end_ms: int
    used_ms: int | None
    revoked_ms: int | None
    revoked_by: str

    def is_good(self, now_ms: int) -> bool:
        """Whether it opens anything."""
        return self.revoked_ms is None and now_ms < self.end_ms


class Answer(msgspec.Struct, frozen=True):
    """What was answered under a key, and to which question."""

    asked: str
    answer: str


_COLUMNS = (
    "SELECT t.id, t.label, t.person_id, p.name, t.scopes, t.made_ms, t.end_ms, t.used_ms, t.revoked_ms, t.revoked_by, "
    "t.token_hash FROM api_token t JOIN person p ON p.id = t.person_id "
)


def make(conn: Connection, label: str, person_id: int, scopes: Iterable[Scope], now_ms: int, end_ms: int) -> str:
    """A new token, which is nowhere else from now on."""
    number = conn.execute("SELECT coalesce(max(id), 0) + 1 FROM api_token").fetchone()[0]
    text = f"machinaka_{number}_{secrets.token_urlsafe(32)}"
    conn.execute(
        "INSERT INTO api_token (id, label, person_id, token_hash, scopes, made_ms, end_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (number, label, person_id, _hash(text), json.dumps(list(scopes)), now_ms, end_ms),
    )
    return text


def find(conn: Connection, text: str) -> Token | None:
    """The token of that text, good or not; None for one that was never given out."""
    found = _TOKEN.fullmatch(text)
    row = conn.execute(_COLUMNS + "WHERE t.id = ?", (int(found[1]),)).fetchone() if found else None
    if row is None or not hmac.compare_digest(row[-1], _hash(text)):
        return None
    return _token(row)


def everyone(conn: Connection) -> list[Token]:
    """All tokens, those in use first, then the newest."""
    rows = conn.execute(_COLUMNS + "ORDER BY t.revoked_ms IS NOT NULL, t.id DESC").fetchall()
    return [_token(row) for row in rows]


def one(conn: Connection, number: int) -> Token | None:
    """One token."""
    row = conn.execute(_COLUMNS + "WHERE t.id = ?", (number,)).fetchone()
    return _token(row) if row else None


def is_stale(token: Token, now_ms: int) -> bool:
    """Whether its use should be noted anew."""
    return token.used_ms is None or now_ms - token.used_ms > _USED_EVERY_MS


def used(conn: Connection, number: int, now_ms: int) -> None:
    """It was used."""
    conn.execute("UPDATE api_token SET used_ms = ? WHERE id = ?", (now_ms, number))


def revoke(conn: Connection, number: int, now_ms: int, who: str) -> bool:
    """It opens nothing any more; False when it did not before."""
    return (
        conn.execute(
            "UPDATE api_token SET revoked_ms = ?, revoked_by = ? WHERE id = ? AND revoked_ms IS NULL",
            (now_ms, who, number),
        ).rowcount
        > 0
    )


def answer(conn: Connection, token_id: int, key: str, now_ms: int) -> Answer | None:
    """What was answered under this key lately."""
    row = conn.execute(
        "SELECT asked, answer FROM api_answer WHERE token_id = ? AND key = ? AND at_ms > ?",
        (token_id, key, now_ms - ANSWER_MS),
    ).fetchone()
    return Answer(*row) if row else None


def keep_answer(conn: Connection, token_id: int, key: str, what: Answer, now_ms: int) -> None:
    """Remembers an answer, in the transaction of what it tells; forgets those that are too old."""
    conn.execute("DELETE FROM api_answer WHERE at_ms <= ?", (now_ms - ANSWER_MS,))
    conn.execute(
        "INSERT INTO api_answer (token_id, key, asked, answer, at_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT "
        "(token_id, key) DO UPDATE SET asked = excluded.asked, answer = excluded.answer, at_ms = excluded.at_ms",
        (token_id, key, what.asked, what.answer, now_ms),
    )


def _token(row: tuple[Any, ...]) -> Token:
    id_, label, person_id, person, scopes, made_ms, end_ms, used_ms, revoked_ms, revoked_by, _ = row
    known = scopes_in(json.loads(scopes))
    return Token(id_, label, person_id, person, known, made_ms, end_ms, used_ms, revoked_ms, revoked_by)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def scopes_in(words: Iterable[str]) -> tuple[Scope, ...]:
    """The scopes among words, in their order."""
    given = set(words)
    return tuple(scope for scope in SCOPES if scope in given)
