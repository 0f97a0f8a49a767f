"""Access: open sessions, known guests and used vouchers on the access point's own disk (`wifi.db`, SQLite).

1. No device's address is ever in it, only pseudonyms.
2. A round writes once: one transaction, durable when it returns (WAL, synchronous=FULL). What changes at each round
   (the counters) lies apart from what does not, so that a memory card is written little.
3. A file that cannot be read is begun anew: what the hub was told it still has.

One thread owns a SessionStore; AsyncStore gives it to an event loop, and shares one commit among all that waits.
"""

import asyncio
import contextlib
import logging
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from edge_agent.wifi.roaming import Known
from edge_agent.wifi.session import Session, Usage
from edge_agent.wifi.voucher_use import Use

log = logging.getLogger(__name__)

T = TypeVar("T")

FILE = "wifi.db"
_MOST_BYTES = 64 << 20
_PAGE_BYTES = 4096
_SCHEMA = """
CREATE TABLE session (mark INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE usage (
  mark INTEGER PRIMARY KEY, up_bytes INTEGER NOT NULL, down_bytes INTEGER NOT NULL,
  seen_up INTEGER NOT NULL, seen_down INTEGER NOT NULL, last_mono_ms INTEGER NOT NULL
);
CREATE TABLE known (guest TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE voucher_use (
  voucher TEXT NOT NULL, place INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (voucher, place)
) WITHOUT ROWID;
"""
_NO_USAGE = Usage()


class NotKept(Exception):
    """The disk does not take it; nothing of it is kept."""


class Change(msgspec.Struct, frozen=True):
    """What is to be kept at once: all of it or nothing. Sessions in `counted` have no more than their counters anew."""

    sessions: Sequence[Session] = ()
    counted: Sequence[Session] = ()
    gone: Sequence[int] = ()
    known: Sequence[Known] = ()
    forgotten: Sequence[str] = ()
    uses: Sequence[Use] = ()
    unused: Sequence[str] = ()


class Kept(NamedTuple):
    """All that the disk holds."""

    sessions: list[Session]
    known: list[Known]
    uses: list[Use]


_session = msgspec.json.Decoder(Session)
_known = msgspec.json.Decoder(Known)
_use = msgspec.json.Decoder(Use)
_encode = msgspec.json.Encoder().encode


class SessionStore:
    """The file. Not thread-safe: one thread owns it."""

    def __init__(self, path: Path) -> None:
        """Opens or makes it. Raises NotKept where the disk does not take even that."""
        try:
            try:
                self._db = _connect(path)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                log.error("the file of the Wi-Fi's sessions was broken and is begun anew")  # noqa: TRY400 (no more to say)
                _remove(path)
                self._db = _connect(path)
        except (OSError, sqlite3.OperationalError) as error:
            raise NotKept(str(error)) from error

    def load(self) -> Kept:
        """All of it; what was written by another make of this program and cannot be read is left out."""
        usage = {row[0]: Usage(*row[1:]) for row in self._db.execute("SELECT * FROM usage")}
        sessions = [
            msgspec.structs.replace(one, usage=usage.get(one.mark, _NO_USAGE))
            for one in _read(_session, self._db.execute("SELECT body FROM session"))
        ]
        known = _read(_known, self._db.execute("SELECT body FROM known"))
        uses = _read(_use, self._db.execute("SELECT body FROM voucher_use ORDER BY place"))
        return Kept(sessions, known, uses)

    def write(self, changes: Sequence[Change]) -> None:
        """On disk when it returns, one after the other in one transaction. Raises NotKept."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for change in changes:
                    self._put(change)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.DatabaseError as error:
            raise NotKept(str(error)) from error

    def _put(self, change: Change) -> None:
        many = self._db.executemany
        bodies = [(one.mark, _encode(msgspec.structs.replace(one, usage=_NO_USAGE))) for one in change.sessions]
        many("INSERT OR REPLACE INTO session VALUES (?, ?)", bodies)
        usages = [(one.mark, *msgspec.structs.astuple(one.usage)) for one in (*change.sessions, *change.counted)]
        many("INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?, ?, ?)", usages)
        marks = [(mark,) for mark in change.gone]
        many("DELETE FROM session WHERE mark = ?", marks)
        many("DELETE FROM usage WHERE mark = ?", marks)
        many("INSERT OR REPLACE INTO known VALUES (?, ?)", [(one.guest, _encode(one)) for one in change.known])
        many("DELETE FROM known WHERE guest = ?", [(guest,) for guest in change.forgotten])
        many(
            "INSERT OR REPLACE INTO voucher_use VALUES (?, ?, ?)",
            [(one.voucher, one.place, _encode(one)) for one in change.uses],
        )
        many("DELETE FROM voucher_use WHERE voucher = ?", [(voucher,) for voucher in change.unused])

    def close(self) -> None:
        """Closes the file."""
        self._db.close()


def _connect(path: Path) -> sqlite3.Connection:
    # Nobody else writes here: whoever holds it (somebody who looks into it) is not waited for long.
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.2)
    try:
        path.chmod(0o600)
        db.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA wal_autocheckpoint = 256")
        db.execute("PRAGMA cache_size = -1024")
        # What is deleted is not left lying in the file.
        db.execute("PRAGMA secure_delete = ON")
        db.execute(f"PRAGMA max_page_count = {_MOST_BYTES // _PAGE_BYTES}")
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'voucher_use'").fetchone():
            db.executescript(f"BEGIN;{_SCHEMA}COMMIT;")
        _examine(db)
    except BaseException:
        db.close()
        raise
    return db


def _examine(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("quick_check found a fault")


def _read(decoder: msgspec.json.Decoder[T], rows: Iterable[tuple[bytes]]) -> list[T]:
    found = []
    for (body,) in rows:
        try:
            found.append(decoder.decode(body))
        except msgspec.MsgspecError:
            log.warning("something of the Wi-Fi's sessions cannot be read and is left out")
    return found


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()


class AsyncStore:
    """A SessionStore on its own thread. `load` comes first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="wifi store")
        self._waiting: list[tuple[Change, Future[None]]] = []
        self._lock = threading.Lock()
        self._store: SessionStore | None = None

    async def load(self) -> Kept:
        """All that the disk holds. Raises NotKept."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._load)

    def _load(self) -> Kept:
        if self._store is None:
            self._store = SessionStore(self._path)
        return self._store.load()

    async def write(self, change: Change) -> None:
        """Durable when it returns. Raises NotKept."""
        kept: Future[None] = Future()
        with self._lock:
            self._waiting.append((change, kept))
            first = len(self._waiting) == 1
        if first:
            self._thread.submit(self._drain)
        await asyncio.shield(asyncio.wrap_future(kept))

    def _drain(self) -> None:
        with self._lock:
            group, self._waiting = self._waiting, []
        try:
            self._opened().write([change for change, _ in group])
        except BaseException as error:  # noqa: BLE001 (it belongs to those who wait)
            for _, kept in group:
                kept.set_exception(error)
        else:
            for _, kept in group:
                kept.set_result(None)

    def _opened(self) -> SessionStore:
        if self._store is None:
            raise NotKept("the file is not open")
        return self._store

    def close(self) -> None:
        """Waits for what is under way and closes the file."""
        if self._store is not None:
            self._thread.submit(self._store.close).result()
        self._thread.shutdown()
