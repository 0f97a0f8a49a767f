"""Access: the tablet's own samples, on its own disk, so that its page tells what was used while the hub is away.

1. The spool forgets what the hub has; this book keeps the present month and the one before.
2. Of a boot the first sample stays, those at midnight and at shutdown, and the last of each quarter of an hour: what
   lies between them adds nothing to a sum.
3. A sample that was taken before the clock was set gets its time as soon as it is known.

Blocking: not on the event loop.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from edge_agent.clock import Stamp
from edge_agent.tablet.usage_view import Link, Sample, month_of
from wire.messages import Usage

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sample (
    id INTEGER PRIMARY KEY,
    boot TEXT NOT NULL, mono_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL, clock TEXT NOT NULL,
    iface TEXT NOT NULL, link TEXT NOT NULL, sim TEXT NOT NULL, bits INTEGER NOT NULL,
    rx_bytes INTEGER NOT NULL, tx_bytes INTEGER NOT NULL, occasion TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS sample_iface ON sample (iface, link, id);
"""
_QUARTER_MS = 900_000
# Two months, and some days for a month's end that is looked at late.
_KEPT_MS = 70 * 86_400_000
_NEWEST = """
SELECT id, boot, at_ms, sim, occasion, rx_bytes, tx_bytes FROM sample WHERE iface = ? AND link = ?
ORDER BY id DESC LIMIT 2
"""


class UsageBook:
    """The book of one tablet. May be called from any thread."""

    def __init__(self, folder: Path) -> None:
        """Opens it; one that cannot be read gives way to an empty one. Raises OSError, sqlite3.Error."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / "usage.db"
        self._lock = threading.Lock()
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            self._path.replace(self._path.with_suffix(".broken"))
            for suffix in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    self._path.with_name(self._path.name + suffix).unlink()
            self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.executescript(_SCHEMA)
        except sqlite3.Error:
            db.close()
            raise
        return db

    def put(self, usage: Usage, stamp: Stamp) -> None:
        """Keeps a sample; on disk when it returns. Raises sqlite3.Error."""
        with self._lock, _transaction(self._db) as db:
            self._set_times(stamp)
            for one in usage.interfaces:
                if one.link not in ("mobile", "wifi"):
                    continue
                key = (one.name, one.link)
                self._thin(db, key, one.sim, one.rx_bytes, one.tx_bytes, stamp)
                db.execute(
                    "INSERT INTO sample (boot, mono_ms, at_ms, clock, iface, link, sim, bits, rx_bytes, tx_bytes,"
                    " occasion) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(stamp.boot, stamp.mono_ms, stamp.at_ms, stamp.clock),
                        *(*key, one.sim, one.bits, one.rx_bytes, one.tx_bytes, usage.occasion),
                    ),
                )
            if stamp.clock != "unset":
                db.execute("DELETE FROM sample WHERE at_ms < ? AND boot <> ?", (stamp.at_ms - _KEPT_MS, stamp.boot))

    def samples(self) -> list[Sample]:
        """All of them, in the order in which they were taken. Raises sqlite3.Error."""
        with self._lock:
            rows = self._db.execute(
                "SELECT boot, at_ms, iface, link, rx_bytes, tx_bytes, sim, bits, at_ms - mono_ms FROM sample"
                " ORDER BY id"
            ).fetchall()
        return [Sample(*row) for row in rows]

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    def _set_times(self, now: Stamp) -> None:
        """What was taken in this boot before the clock was set lies so long before now."""
        if now.clock != "unset":
            self._db.execute(
                "UPDATE sample SET at_ms = mono_ms + ?, clock = ? WHERE boot = ? AND clock = 'unset'",
                (now.at_ms - now.mono_ms, now.clock, now.boot),
            )

    @staticmethod
    def _thin(
        db: sqlite3.Connection, key: tuple[str, Link], sim: str, rx_bytes: int, tx_bytes: int, now: Stamp
    ) -> None:
        """Takes out the newest one, where the new one says it as well. The one before it must be of the same boot."""
        rows = db.execute(_NEWEST, key).fetchall()
        if len(rows) < 2:
            return
        (last, boot, at_ms, last_sim, occasion, rx, tx), (_, boot_before, before_ms, sim_before, _, *before) = rows
        same = boot == boot_before == now.boot and last_sim == sim_before == sim
        rising = before[0] <= rx <= rx_bytes and before[1] <= tx <= tx_bytes
        month = month_of(before_ms) == month_of(at_ms) == month_of(now.at_ms)
        quarter = at_ms // _QUARTER_MS == now.at_ms // _QUARTER_MS
        if same and rising and month and quarter and occasion == "round":
            db.execute("DELETE FROM sample WHERE id = ?", (last,))


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
