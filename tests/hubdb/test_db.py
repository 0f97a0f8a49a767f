"""One writer, snapshots for readers, migrations, backups."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import migrations
from hub.db import Connection, Db, Fault, Into, Refused, insert


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """A database with one table of pairs."""
    opened = Db(tmp_path / "deep" / "hub.db")
    opened.open()
    opened.write_now(lambda conn: conn.execute("CREATE TABLE pair (a INTEGER PRIMARY KEY, b INTEGER)"))
    yield opened
    opened.close()


def _count(conn: Connection) -> int:
    count: int = conn.execute("SELECT count(*) FROM pair").fetchone()[0]
    return count


def test_it_is_safe_against_a_power_cut(db: Db) -> None:
    assert db.write_now(lambda conn: conn.execute("PRAGMA journal_mode").fetchone()) == ("wal",)
    assert db.write_now(lambda conn: conn.execute("PRAGMA synchronous").fetchone()) == (2,)


def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        db = Db(tmp_path / "hub.db")
        db.open()
        names = db.read(lambda conn: [n for (n,) in conn.execute("SELECT name FROM _sqlite_migrations")])
        assert names.count("m001_records") == 1
        db.close()


def test_a_write_is_whole_or_not_at_all(db: Db) -> None:
    def half(conn: Connection) -> None:
        conn.execute("INSERT INTO pair VALUES (1, 1)")
        conn.execute("INSERT INTO pair VALUES (1, 2)")

    with pytest.raises(Refused):
        db.write_now(half)
    assert db.read(_count) == 0
    with pytest.raises(Fault):
        db.write_now(lambda conn: conn.execute("INSERT INTO nowhere VALUES (1)"))
    db.write_now(lambda conn: conn.execute("INSERT INTO pair VALUES (1, 1)"))
    assert db.read(_count) == 1


def test_readers_cannot_write_and_see_one_snapshot(db: Db) -> None:
    with pytest.raises(Fault):
        db.read(lambda conn: conn.execute("INSERT INTO pair VALUES (1, 1)"))

    def twice(conn: Connection) -> tuple[int, int]:
        before = _count(conn)
        db.write_now(lambda writing: writing.execute("INSERT INTO pair VALUES (7, 7)"))
        return before, _count(conn)

    assert db.read(twice) == (0, 0)
    assert db.read(_count) == 1


def test_many_threads_and_the_event_loop(db: Db) -> None:
    async def work() -> int:
        await asyncio.gather(
            *(db.write(lambda conn, i=i: conn.execute("INSERT INTO pair VALUES (?, 0)", (i,))) for i in range(50))  # type: ignore[misc]
        )
        return await db.aread(_count)

    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.append(db.read(_count))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert asyncio.run(work()) == 50
    for thread in threads:
        thread.join()
    assert len(seen) == 8


@pytest.mark.parametrize("rows", [0, 1, 3, 4, 63, 255, 256, 257, 1000])
def test_inserts_of_any_number_of_rows(db: Db, rows: int) -> None:
    into = Into("pair (a, b)", 2, "ON CONFLICT (a) DO UPDATE SET b = pair.b + excluded.b")
    flat = [value for i in range(rows) for value in (i, i * i)]
    for _ in range(2):
        db.write_now(lambda conn: insert(conn, into, flat))
    assert db.read(lambda conn: conn.execute("SELECT a, b FROM pair ORDER BY a").fetchall()) == [
        (i, 2 * i * i) for i in range(rows)
    ]


def test_a_backup_while_writing_is_whole(db: Db, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            n += 2
            db.write_now(lambda conn, n=n: conn.execute("INSERT INTO pair VALUES (?, 0), (?, 0)", (n, n + 1)))  # type: ignore[misc]

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for name in ("one.db", "one.db", "two.db"):
            db.backup(tmp_path / name)
            with sqlite3.connect(tmp_path / name) as copy:
                assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert _count(copy) % 2 == 0
            copy.close()
    finally:
        stop.set()
        thread.join()
    assert not list(tmp_path.glob("*.unfinished"))
    migrations.apply(tmp_path / "two.db")
