"""SQL: who is told, and the messages on their way to them.

1. A message is put here in the transaction that decides it, so it is neither forgotten nor made twice.
2. It goes at least once: it is taken out only after the way has taken it, so after a crash the same one may go again.
3. A way that takes nothing is tried again after growing pauses, for a day; then the message is given up, and shown.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from hub.alerts.address import Way
from hub.db import Connection
from hub.words import Language

_MINUTE_MS = 60_000
GIVE_UP_MS = 24 * 60 * _MINUTE_MS
_LONGEST_MS = 60 * _MINUTE_MS
_KEEP_MS = 90 * 24 * 60 * _MINUTE_MS


class Target(msgspec.Struct, frozen=True):
    """Somebody who is told, by one way. `place`: only of what is there; empty for all."""

    id: int
    ref: str
    name: str
    way: Way
    shown: str
    language: Language
    urgent_only: bool
    place: str
    created_ms: int
    last_ok_ms: int | None = None
    last_failed_ms: int | None = None
    last_error: str = ""


class Message(msgspec.Struct, frozen=True):
    """A message to one target; on its way while neither sent nor given up."""

    id: int
    target_id: int
    ref: str
    target: str
    title: str
    body: str
    made_ms: int
    attempts: int
    next_ms: int
    sent_ms: int | None = None
    given_up_ms: int | None = None
    error: str = ""

    @property
    def state(self) -> Literal["sent", "given_up", "waiting"]:
        """How far it is."""
        return "sent" if self.sent_ms else "given_up" if self.given_up_ms else "waiting"


class Draft(msgspec.Struct, frozen=True):
    """A message that has been written and goes to a target."""

    target_id: int
    title: str
    body: str
    urgent: bool


def targets(conn: Connection) -> list[Target]:
    """Everyone who is told."""
    rows = conn.execute(
        "SELECT id, ref, name, way, shown, language, urgent_only, place, created_ms, last_ok_ms, last_failed_ms, "
        "last_error FROM alert_target ORDER BY id"
    )
    return [Target(*row) for row in rows]


def add_target(conn: Connection, target: Target) -> int:
    """One more (its `id` is given here)."""
    cursor = conn.execute(
        "INSERT INTO alert_target (ref, name, way, shown, language, urgent_only, place, created_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            target.ref,
            target.name,
            target.way,
            target.shown,
            target.language,
            int(target.urgent_only),
            target.place,
            target.created_ms,
        ),
    )
    return int(cursor.lastrowid or 0)


def remove_target(conn: Connection, target_id: int) -> None:
    """Tells them no more; what was on its way to them is gone with them."""
    conn.execute("DELETE FROM alert_message WHERE target_id = ?", (target_id,))
    conn.execute("DELETE FROM alert_target WHERE id = ?", (target_id,))


def put(conn: Connection, drafts: Iterable[Draft], now_ms: int) -> None:
    """Messages to go now."""
    conn.executemany(
        "INSERT INTO alert_message (target_id, title, body, urgent, made_ms, next_ms) VALUES (?, ?, ?, ?, ?, ?)",
        [(one.target_id, one.title, one.body, int(one.urgent), now_ms, now_ms) for one in drafts],
    )


_MESSAGE = (
    "SELECT m.id, m.target_id, t.ref, t.name, m.title, m.body, m.made_ms, m.attempts, m.next_ms, m.sent_ms, "
    "m.given_up_ms, m.error FROM alert_message m JOIN alert_target t ON t.id = m.target_id "
)


def due(conn: Connection, now_ms: int, limit: int) -> list[Message]:
    """What should go now, urgent ones first."""
    rows = conn.execute(
        f"{_MESSAGE} WHERE m.sent_ms IS NULL AND m.given_up_ms IS NULL AND m.next_ms <= ? "
        "ORDER BY m.urgent DESC, m.id LIMIT ?",
        (now_ms, limit),
    )
    return [Message(*row) for row in rows]


def latest(conn: Connection, limit: int) -> list[Message]:
    """The newest messages, whatever became of them."""
    return [Message(*row) for row in conn.execute(f"{_MESSAGE} ORDER BY m.id DESC LIMIT ?", (limit,))]


def failing(conn: Connection) -> tuple[int, int]:
    """How many messages wait because they failed before, and how many were given up in the last week's worth."""
    waiting, given_up = conn.execute(
        "SELECT coalesce(sum(given_up_ms IS NULL), 0), coalesce(sum(given_up_ms IS NOT NULL), 0) FROM alert_message "
        "WHERE sent_ms IS NULL AND attempts > 0"
    ).fetchone()
    return waiting, given_up


def note_sent(conn: Connection, message: Message, now_ms: int) -> None:
    """The way has taken it."""
    conn.execute("UPDATE alert_message SET sent_ms = ?, attempts = attempts + 1 WHERE id = ?", (now_ms, message.id))
    note_result(conn, message.target_id, "", now_ms)


def note_failed(conn: Connection, message: Message, error: str, now_ms: int) -> None:
    """The way has not taken it: again after a pause, or not at all when it is a day old."""
    given_up = now_ms if now_ms - message.made_ms >= GIVE_UP_MS else None
    conn.execute(
        "UPDATE alert_message SET attempts = attempts + 1, next_ms = ?, given_up_ms = ?, error = ? WHERE id = ?",
        (now_ms + pause_ms(message.attempts + 1), given_up, error, message.id),
    )
    note_result(conn, message.target_id, error, now_ms)


def note_result(conn: Connection, target_id: int, error: str, now_ms: int) -> None:
    """What came of the last message to a target, a test or not."""
    if error:
        conn.execute(
            "UPDATE alert_target SET last_failed_ms = ?, last_error = ? WHERE id = ?", (now_ms, error, target_id)
        )
    else:
        conn.execute("UPDATE alert_target SET last_ok_ms = ?, last_error = '' WHERE id = ?", (now_ms, target_id))


def pause_ms(attempts: int) -> int:
    """How long to wait after so many attempts: a minute, twice as long each time, an hour at most."""
    return min(_MINUTE_MS << min(attempts - 1, 10), _LONGEST_MS)


def forget_old(conn: Connection, now_ms: int) -> None:
    """Messages are kept for a quarter of a year."""
    conn.execute("DELETE FROM alert_message WHERE made_ms < ?", (now_ms - _KEEP_MS,))
