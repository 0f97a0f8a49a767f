"""SQL: what is to go to devices, kept until it is done with; a broker's queue is no memory.

1. Whoever decides that something must go puts it here in the transaction of that decision.
2. It goes when the device is online, and again at each new connection, until it is taken out or too late.
3. A device on hold (cloned, stolen, revoked) gets nothing but what is marked `despite_hold`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from hub.db import Connection, Into, insert

What = Literal["desired", "order", "certificate", "roster", "kit", "roam", "paper"]
Reason = Literal["clone", "stolen", "revoked"]

FOR_EVER_MS = 2**63 - 1
# A message that was sent and of which nothing has been heard goes again after so long, on the same connection too.
AGAIN_MS = 60_000


_MANY = Into(
    "outbox (device_id, what, ref, message, not_after_ms, despite_hold, made_ms)",
    7,
    "ON CONFLICT (device_id, what, ref) DO UPDATE SET message = excluded.message, "
    "not_after_ms = excluded.not_after_ms, despite_hold = excluded.despite_hold, made_ms = excluded.made_ms, "
    "sent_to = '', sent_ms = NULL",
)


class Outgoing(msgspec.Struct, frozen=True):
    """A message that is due: to whom, what, and over which connection it will go."""

    id: int
    device: str
    message: bytes
    connection: str


class Sent(msgspec.Struct, frozen=True):
    """Whether a message has been given to the broker for the device, and when."""

    made_ms: int
    sent_ms: int | None


def put(
    conn: Connection,
    device_id: int,
    what: What,
    ref: str,
    message: bytes,
    now_ms: int,
    *,
    not_after_ms: int = FOR_EVER_MS,
    despite_hold: bool = False,
) -> None:
    """A message to go. One of the same `what` and `ref` takes the place of the one before."""
    conn.execute(
        "INSERT INTO outbox (device_id, what, ref, message, not_after_ms, despite_hold, made_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device_id, what, ref) DO UPDATE SET message = excluded.message, "
        "not_after_ms = excluded.not_after_ms, despite_hold = excluded.despite_hold, made_ms = excluded.made_ms, "
        "sent_to = '', sent_ms = NULL",
        (device_id, what, ref, message, not_after_ms, int(despite_hold), now_ms),
    )


def put_many(
    conn: Connection,
    what: What,
    ref: str,
    messages: Mapping[int, bytes],
    now_ms: int,
    *,
    not_after_ms: int = FOR_EVER_MS,
) -> None:
    """A message to each of many devices, in few statements."""
    flat: list[Any] = []
    for device_id, message in messages.items():
        flat += (device_id, what, ref, message, not_after_ms, 0, now_ms)
    insert(conn, _MANY, flat)


def drop_over(conn: Connection, what: What, now_ms: int) -> None:
    """Takes the messages of a kind out whose time is over."""
    conn.execute("DELETE FROM outbox WHERE what = ? AND not_after_ms <= ?", (what, now_ms))


def drop_many(conn: Connection, device_ids: Sequence[int], what: What) -> None:
    """Takes the messages of a kind out, of many devices."""
    conn.executemany(
        "DELETE FROM outbox WHERE device_id = ? AND what = ?", [(device_id, what) for device_id in device_ids]
    )


def drop(conn: Connection, device_id: int, what: What | None = None, ref: str | None = None) -> int:
    """Takes messages out: all of a device, all of a kind, or the one of that `ref`; how many there were."""
    return conn.execute(
        "DELETE FROM outbox WHERE device_id = ? AND (? IS NULL OR what = ?) AND (? IS NULL OR ref = ?)",
        (device_id, what, what, ref, ref),
    ).rowcount


def sent(conn: Connection, device_id: int, what: What, ref: str = "") -> Sent | None:
    """How far a message is; None when it is not here (any more)."""
    row = conn.execute(
        "SELECT made_ms, sent_ms FROM outbox WHERE device_id = ? AND what = ? AND ref = ?", (device_id, what, ref)
    ).fetchone()
    return Sent(*row) if row else None


def due(conn: Connection, now_ms: int, limit: int) -> list[Outgoing]:
    """What should go now, oldest first."""
    rows = conn.execute(
        "SELECT o.id, d.name, o.message, d.boot || '/' || d.connection FROM outbox o "
        "JOIN device d ON d.id = o.device_id LEFT JOIN hold h ON h.device_id = o.device_id "
        "WHERE d.online = 1 AND o.not_after_ms > ? AND (h.device_id IS NULL OR o.despite_hold = 1) "
        "AND (o.sent_to <> d.boot || '/' || d.connection OR o.sent_ms < ?) ORDER BY o.id LIMIT ?",
        (now_ms, now_ms - AGAIN_MS, limit),
    )
    return [Outgoing(*row) for row in rows]


def despite_hold(conn: Connection, device_id: int, now_ms: int) -> tuple[bytes, ...]:
    """What a device on hold is told all the same, wherever it shows itself."""
    rows = conn.execute(
        "SELECT message FROM outbox WHERE device_id = ? AND despite_hold = 1 AND not_after_ms > ? ORDER BY id",
        (device_id, now_ms),
    )
    return tuple(bytes(message) for (message,) in rows)


def mark_sent(conn: Connection, gone: Iterable[Outgoing], now_ms: int) -> None:
    """Notes that messages were given to the broker."""
    conn.executemany(
        "UPDATE outbox SET sent_to = ?, sent_ms = ? WHERE id = ?", [(one.connection, now_ms, one.id) for one in gone]
    )


def hold(conn: Connection, device_id: int, reason: Reason, now_ms: int, who: str) -> None:
    """Nothing goes to this device any more but what is marked `despite_hold`. A stronger reason stays."""
    conn.execute(
        "INSERT INTO hold (device_id, reason, since_ms, who) VALUES (?, ?, ?, ?) ON CONFLICT (device_id) DO UPDATE "
        "SET reason = excluded.reason, since_ms = excluded.since_ms, who = excluded.who WHERE hold.reason <> 'stolen'",
        (device_id, reason, now_ms, who),
    )


def release(conn: Connection, device_id: int) -> None:
    """Things go to this device again."""
    conn.execute("DELETE FROM hold WHERE device_id = ?", (device_id,))


def held(conn: Connection, device_ids: Sequence[int] | None = None) -> dict[int, Reason]:
    """Which devices are on hold, and why."""
    rows = conn.execute("SELECT device_id, reason FROM hold")
    return {id_: reason for id_, reason in rows if device_ids is None or id_ in device_ids}
