"""The spool's file: its tables, its pragmas, and what is done when it turns out to be broken."""

import contextlib
import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from wire.messages import LANES

log = logging.getLogger(__name__)

PAGE_BYTES = 4096
LOG_BYTES = 1 << 20
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_SCHEMA = """
CREATE TABLE identity (spool TEXT NOT NULL);
CREATE TABLE lane (lane INTEGER PRIMARY KEY, next_seq INTEGER NOT NULL, acked INTEGER NOT NULL);
CREATE TABLE record (
  lane INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, boot TEXT NOT NULL,
  mono_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL, clock TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (lane, seq)
) WITHOUT ROWID;
-- Acked records that are no longer kept, as runs: `count` of them really existed in the run.
CREATE TABLE purged (
  lane INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (lane, first_seq)
) WITHOUT ROWID;
-- What was given up for want of room and not told yet.
CREATE TABLE untold (
  kind TEXT PRIMARY KEY, count INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL
);
"""
# Values that belong to records and are written with them, whole or not at all: what was counted so far.
_BESIDE = "CREATE TABLE beside (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"


@dataclass
class SpoolFile:
    """An open spool file; `was_broken` when an unreadable one had to be set aside for it."""

    db: sqlite3.Connection
    clean_mark: Path
    was_broken: bool

    def close(self) -> None:
        """Closes it and leaves the mark that says so, if the disk has room for that."""
        self.db.close()
        with contextlib.suppress(OSError):
            self.clean_mark.touch()


def is_full(error: sqlite3.OperationalError) -> bool:
    """Whether the error says that there is no room (a full file system also shows as an I/O error)."""
    return error.sqlite_errorcode & 0xFF in _FULL


def open_file(path: Path, *, max_bytes: int, ballast: Path) -> SpoolFile:
    """Opens or makes the file; where the disk is full even for that, the ballast is given up.

    A broken file is set aside under another name, never deleted. Raises sqlite3.OperationalError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _open(path, max_bytes=max_bytes)
    except sqlite3.OperationalError as error:
        if not is_full(error) or not ballast.exists():
            raise
        ballast.unlink()
        return _open(path, max_bytes=max_bytes)


def _open(path: Path, *, max_bytes: int) -> SpoolFile:
    clean = path.with_suffix(".clean")
    check = path.exists() and not clean.exists()
    clean.unlink(missing_ok=True)
    try:
        return SpoolFile(_connect(path, max_bytes=max_bytes, check=check), clean, was_broken=False)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        aside = _set_aside(path)
        log.error("the spool was broken (%s) and is set aside as %s; a new one begins", error, aside.name)  # noqa: TRY400
        return SpoolFile(_connect(path, max_bytes=max_bytes, check=False), clean, was_broken=True)


class LaneFigures(NamedTuple):
    """What a lane holds: records not acked yet, all records, and the seq through which the hub has them."""

    name: str
    waiting: int
    kept: int
    acked: int


def read_figures(path: Path) -> tuple[str, list[LaneFigures]]:
    """The spool's name and its lanes, read beside a running agent. Raises sqlite3.Error."""
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        spool = str(db.execute("SELECT spool FROM identity").fetchone()[0])
        rows = db.execute(
            "SELECT lane, count(CASE WHEN seq > acked THEN 1 END), count(seq), acked "
            "FROM lane LEFT JOIN record USING (lane) GROUP BY lane, acked ORDER BY lane"
        ).fetchall()
    return spool, [LaneFigures(LANES[lane], waiting, kept, acked) for lane, waiting, kept, acked in rows]


def _connect(path: Path, *, max_bytes: int, check: bool) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    try:
        path.chmod(0o600)
        db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA wal_autocheckpoint = 128")
        # The log keeps its space once it has it: what is written on a full disk is written there.
        db.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
        db.execute("PRAGMA cache_size = -1024")
        db.execute(f"PRAGMA max_page_count = {max(64, max_bytes // PAGE_BYTES)}")
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'record'").fetchone():
            _create(db)
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'beside'").fetchone():
            # Also in a file that an earlier program made.
            db.execute(_BESIDE)
        _examine(db, thorough=check)
    except BaseException:
        db.close()
        raise
    return db


def _examine(db: sqlite3.Connection, *, thorough: bool) -> None:
    """Raises DatabaseError when the file cannot be trusted; thorough after a start that was not clean."""
    if thorough and db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("quick_check found a fault")
    if db.execute("SELECT count(*) FROM lane").fetchone()[0] != len(LANES):
        raise sqlite3.DatabaseError("lanes are missing")


def _create(db: sqlite3.Connection) -> None:
    with transaction(db):
        for statement in _SCHEMA.split(";"):
            if statement.strip():
                db.execute(statement)
        db.execute("INSERT INTO identity VALUES (?)", (secrets.token_hex(8),))
        db.executemany("INSERT INTO lane VALUES (?, 1, 0)", [(index,) for index in range(len(LANES))])


def _set_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; on disk when the block has ended."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # A failed COMMIT on a full disk may have rolled back already.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def free_bytes(folder: Path) -> int:
    """What the file system has left for us."""
    figures = os.statvfs(folder)
    return figures.f_bavail * figures.f_frsize
