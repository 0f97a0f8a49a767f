"""Access: which orders were begun and how they ended, on this disk before the first step of any (SQLite).

1. `begin` returns when it is durable; from then on the order is never begun again, whatever happens.
2. An end that the spool has not yet taken is told at the next chance (`untold`).
3. What has been over for a day is forgotten, and nothing else is: the hub does not send it any more.
4. A file that cannot be read is put aside, and the moment is kept: older orders are not carried out after it.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from edge_agent.clock import Stamp
from edge_agent.orders.book import Entry
from wire.messages import Order

T = TypeVar("T")

_MARGIN_MS = 86_400_000
_TABLES = """
CREATE TABLE IF NOT EXISTS seen (
  id TEXT PRIMARY KEY, nonce TEXT NOT NULL UNIQUE, name TEXT NOT NULL, arguments BLOB NOT NULL,
  not_after_ms INTEGER NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL, told INTEGER NOT NULL,
  boot TEXT NOT NULL, mono_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lost (at_ms INTEGER NOT NULL);
"""

# The world's faults: a full disk, a broken one.
Broken = sqlite3.Error


class Unfinished(NamedTuple):
    """An order that was begun and has not ended."""

    id: str
    name: str
    arguments: bytes
    boot: str
    mono_ms: int


class Seen:
    """The memory of one device. For any thread, one at a time."""

    def __init__(self, path: Path, now_ms: Callable[[], int]) -> None:
        self._path, self._now_ms = path, now_ms
        self._lock = threading.Lock()
        # Opened when it is first needed: a disk that takes nothing must not keep a terminal from starting.
        self._db: sqlite3.Connection | None = None

    def entry(self, order: Order) -> tuple[Entry | None, bool]:
        """What is known of an order, and whether its nonce belongs to another."""
        rows = self._do(
            lambda db: db.execute(
                "SELECT id, state, detail FROM seen WHERE id = ? OR nonce = ?", (order.id, order.nonce)
            ).fetchall()
        )
        own = next((Entry(*row) for row in rows if row[0] == order.id), None)
        return own, any(row[0] != order.id for row in rows)

    def figures(self) -> tuple[int, int]:
        """How many orders are remembered, and when the memory was last lost (0: never)."""
        return self._do(
            lambda db: (
                int(db.execute("SELECT COUNT(*) FROM seen").fetchone()[0]),
                int(db.execute("SELECT COALESCE(MAX(at_ms), 0) FROM lost").fetchone()[0]),
            )
        )

    def begin(self, order: Order, arguments: bytes, stamp: Stamp) -> bool:
        """Notes that an order is begun; False when it was before. Raises Broken."""
        return self._insert(order, arguments, stamp, "begun", "")

    def answer(self, order: Order, stamp: Stamp, state: str, detail: str) -> bool:
        """Notes an order that ends without being begun. Raises Broken."""
        return self._insert(order, b"{}", stamp, state, detail)

    def _insert(self, order: Order, arguments: bytes, stamp: Stamp, state: str, detail: str) -> bool:
        values = (order.id, order.nonce, order.name, arguments, order.not_after_ms, state, detail)
        return self._do(
            lambda db: (
                db.execute(
                    "INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT DO NOTHING",
                    (*values, stamp.boot, stamp.mono_ms),
                ).rowcount
                == 1
            )
        )

    def finish(self, order_id: str, state: str, detail: str) -> None:
        """Notes how an order ended. Raises Broken."""
        self._do(
            lambda db: db.execute(
                "UPDATE seen SET state = ?, detail = ?, told = 0 WHERE id = ? AND state = 'begun'",
                (state, detail, order_id),
            )
        )

    def tell(self, order_id: str) -> None:
        """Notes that the spool has an order's end. Raises Broken."""
        self._do(lambda db: db.execute("UPDATE seen SET told = 1 WHERE id = ?", (order_id,)))

    def untold(self) -> list[Entry]:
        """Ends that the spool does not have yet."""
        found = self._do(
            lambda db: db.execute("SELECT id, state, detail FROM seen WHERE told = 0 AND state <> 'begun'").fetchall()
        )
        return [Entry(*row) for row in found]

    def unfinished(self) -> list[Unfinished]:
        """Orders that were begun and have not ended."""
        found = self._do(
            lambda db: db.execute(
                "SELECT id, name, arguments, boot, mono_ms FROM seen WHERE state = 'begun'"
            ).fetchall()
        )
        return [Unfinished(*row) for row in found]

    def forget(self, now_ms: int) -> int:
        """Forgets what has been over for long; how many. Call it when the clock can be trusted."""
        return self._do(
            lambda db: (
                db.execute(
                    "DELETE FROM seen WHERE not_after_ms < ? AND told = 1 AND state <> 'begun'", (now_ms - _MARGIN_MS,)
                ).rowcount
            )
        )

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _do(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            if self._db is None:
                self._db = self._opened()
            return fn(self._db)

    def _opened(self) -> sqlite3.Connection:
        """The file, or a new one in the place of one that cannot be read. Raises Broken."""
        path = self._path
        try:
            return _open(path)
        except sqlite3.OperationalError:
            # Full, locked or forbidden: that passes, and the file is as good as it was.
            raise
        except sqlite3.DatabaseError:
            for each in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
                with contextlib.suppress(FileNotFoundError):
                    each.replace(each.with_name(each.name + ".broken"))
            db = _open(path)
            db.execute("INSERT INTO lost VALUES (?)", (self._now_ms(),))
            return db


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA cache_size = -64")
        db.executescript(_TABLES)
        db.execute("SELECT COUNT(*) FROM seen").fetchone()
    except sqlite3.Error:
        db.close()
        raise
    path.chmod(0o600)
    return db
