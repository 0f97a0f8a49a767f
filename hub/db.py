"""The hub's database: one SQLite file, one writer on a thread of its own, readers on theirs.

1. Everything written goes through `write`: one function, one transaction, one fsync.
2. Readers see whole transactions only and hold up nobody (write-ahead log).
3. Only this file and `migrations.py` know which database it is; SQL lies in the `store.py` files.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from hub import migrations

Connection = sqlite3.Connection
T = TypeVar("T")

# The world's faults, which pass: disk full, input/output error, file locked by somebody else.
Fault = sqlite3.OperationalError
# All of its errors: the file is none of ours, or broken.
Broken = sqlite3.DatabaseError
# What the database refuses: a value, a constraint.
Refused = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, OverflowError)

# Rows in one statement.  The interpreter's lock is let go once a statement, not once a row, so that the
# event loop and the writer do not wait for each other at each row (measured: 300,000 against 12,000 rows/s
# beside a busy thread).  Few sizes, so that the statements stay prepared.
_CHUNKS = (1024, 256, 64, 16, 4, 1)


class Into(NamedTuple):
    """An insert of many rows: `table (columns)`, how many columns, and what follows the values."""

    target: str
    width: int
    then: str = ""


def insert(conn: Connection, into: Into, flat: Sequence[Any]) -> None:
    """Inserts rows that lie one after the other in `flat`.  A key must not come twice when `then` updates."""
    start, width = 0, into.width
    left = len(flat) // width
    for size in _CHUNKS:
        while left >= size:
            end = start + size * width
            conn.execute(_statement(into, size), flat[start:end])
            start, left = end, left - size


_statements: dict[tuple[Into, int], str] = {}


def _statement(into: Into, rows: int) -> str:
    text = _statements.get((into, rows))
    if text is None:
        row = f"({','.join('?' * into.width)})"
        text = f"INSERT INTO {into.target} VALUES {','.join([row] * rows)} {into.then}"  # noqa: S608 (our own names)
        _statements[into, rows] = text
    return text


class Among(NamedTuple):
    """A select of the rows of many keys: what stands before the keys (`k.column1`, …), how many columns one has, and
    what follows."""

    before: str
    width: int
    then: str


def among(conn: Connection, select: Among, flat: Sequence[Any]) -> list[Any]:
    """The rows of keys that lie one after the other in `flat`, in few statements."""
    start, width, found = 0, select.width, list[Any]()
    left = len(flat) // width
    for size in _CHUNKS:
        while left >= size:
            end = start + size * width
            found += conn.execute(_selection(select, size), flat[start:end])
            start, left = end, left - size
    return found


_selections: dict[tuple[Among, int], str] = {}


def _selection(select: Among, rows: int) -> str:
    text = _selections.get((select, rows))
    if text is None:
        row = f"({','.join('?' * select.width)})"
        text = f"{select.before} (VALUES {','.join([row] * rows)}) AS k {select.then}"
        _selections[select, rows] = text
    return text


def may_write(conn: Connection) -> bool:
    """Whether what is done on this connection may change something: a reader's may not."""
    return not conn.execute("PRAGMA query_only").fetchone()[0]


def malformed(conn: Connection, table: str) -> str:
    """What the database itself finds wrong with a table or one of its indexes, in its words; empty for nothing."""
    try:
        (found,) = conn.execute("SELECT * FROM pragma_integrity_check(?) LIMIT 1", (table,)).fetchone()
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == "ok" else str(found)


def triggers(conn: Connection) -> set[str]:
    """The names of the triggers that are there."""
    return {name for (name,) in conn.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")}


class Db:
    """One database.  `write` and `aread` on the event loop; `read` and `write_now` in any other thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = ThreadPoolExecutor(1, "db-writer")
        self._readers = ThreadPoolExecutor(4, "db-reader")
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: list[Connection] = []
        self._writing: Connection | None = None

    def open(self) -> None:
        """Makes the file or brings it up to date. Call once, before anything else."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        migrations.apply(self.path)

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Runs `fn` in one transaction on the writer's thread; on disk when it returns. Raises Fault, Refused."""
        return await asyncio.wrap_future(self.submit(fn))

    def submit(self, fn: Callable[[Connection], T]) -> Future[T]:
        """The same, not waited for: transactions run in the order in which they were handed over."""
        return self._writer.submit(self._write, fn)

    def write_now(self, fn: Callable[[Connection], T]) -> T:
        """The same for callers without an event loop."""
        return self.submit(fn).result()

    def read(self, fn: Callable[[Connection], T]) -> T:
        """Runs `fn` on this thread's read-only connection, in one snapshot."""
        conn = self._reading()
        conn.execute("BEGIN")
        try:
            return fn(conn)
        finally:
            conn.execute("ROLLBACK")

    async def aread(self, fn: Callable[[Connection], T]) -> T:
        """The same off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read, fn)

    def backup(self, path: Path) -> None:
        """Writes a consistent copy while the hub runs; the copy appears under its name only when whole.

        In one step: in several, each commit of another process begins it anew, and it never ends.
        """
        unfinished = path.with_name(path.name + ".unfinished")
        unfinished.unlink(missing_ok=True)
        source = self._connect(read_only=True)
        try:
            with contextlib.closing(sqlite3.connect(unfinished)) as copy:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
        finally:
            source.close()
        unfinished.replace(path)

    def empty_log(self) -> bool:
        """Moves all of the write-ahead log into the file, and cuts the log to nothing: what was deleted is then in
        neither. False while somebody reads. Not from the writer's own thread. Raises Fault."""
        return self._writer.submit(self._empty_log).result()

    def _empty_log(self) -> bool:
        busy: int = self._writer_connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not busy

    def close(self) -> None:
        """Waits for what is being written, then closes everything."""
        self._writer.shutdown()
        self._readers.shutdown()
        with self._lock:
            connections, self._open = self._open, []
        for conn in connections:
            conn.close()

    def _write(self, fn: Callable[[Connection], T]) -> T:
        conn = self._writer_connection()
        with _transaction(conn):
            return fn(conn)

    def _writer_connection(self) -> Connection:
        conn = self._writing
        if conn is None:
            conn = self._writing = self._connect(read_only=False)
            self._remember(conn)
        return conn

    def _reading(self) -> Connection:
        conn: Connection | None = getattr(self._local, "conn", None)
        if conn is None:
            conn = self._local.conn = self._connect(read_only=True)
            self._remember(conn)
        return conn

    def _remember(self, conn: Connection) -> None:
        with self._lock:
            self._open.append(conn)

    def _connect(self, *, read_only: bool) -> Connection:
        # Closed by another thread than it was used in, hence check_same_thread.
        conn = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=5,
        )
        for pragma in _READER if read_only else _WRITER:
            conn.execute(f"PRAGMA {pragma}")
        return conn


# A negative cache size is in KiB.  Many threads read, so each keeps little.
_READER = ("query_only = 1", "cache_size = -512")
# What is deleted or written over is overwritten in the file as well: nothing personal stays in pages that are free.
_WRITER = (
    "synchronous = FULL",
    "cache_size = -16000",
    "foreign_keys = 0",
    "journal_size_limit = 67108864",
    "secure_delete = ON",
)


@contextlib.contextmanager
def _transaction(conn: Connection) -> Iterator[None]:
    conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        conn.execute("COMMIT")
    except BaseException:
        # On a full disk SQLite has often rolled back by itself; then there is nothing left to undo.
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise
