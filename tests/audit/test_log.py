"""The log in the database: append-only, joined, whole after whatever was done to it by the rules."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub import anchors, audit, chain, migrations
from hub.chain import Broken
from hub.db import Connection, Db, Refused
from hub.signing import Signing


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """An empty database."""
    made = Db(tmp_path / "hub.db")
    made.open()
    yield made
    made.close()


def fill(db: Db, entries: int) -> None:
    """Writes some."""

    def write(conn: Connection) -> None:
        for number in range(entries):
            audit.note(conn, number, "hanako", "sign_in", f"row-{number}", "詳細")

    db.write_now(write)


def found(db: Db, folder: Path, signing: Signing) -> tuple[int, Broken | None, int]:
    """What a check says."""
    return db.read(lambda conn: anchors.check(conn, folder, signing.public))


def behind_its_back(db: Db, change: Callable[[sqlite3.Connection], object]) -> None:
    """As somebody does who may write the file: the triggers are taken away first."""
    other = sqlite3.connect(db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for (name,) in other.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
    ).fetchall():
        other.execute(f"DROP TRIGGER {name}")
    change(other)
    other.execute("COMMIT")
    other.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET who = 'taro' WHERE id = 2",
        "UPDATE audit SET id = 9 WHERE id = 3",
        "DELETE FROM audit WHERE id = 3",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE id = 2",
        "INSERT OR REPLACE INTO audit SELECT id, at_ms, 'taro', did, what, detail, prev, hash FROM audit WHERE id = 3",
        "INSERT INTO audit SELECT id + 2, at_ms, who, did, what, detail, prev, hash FROM audit WHERE id = 3",
        "INSERT INTO audit SELECT id + 1, at_ms, who, did, what, detail, prev, hash FROM audit WHERE id = 3",
        "INSERT INTO audit SELECT NULL, at_ms, who, did, what, detail, hash, hash FROM audit WHERE id = 3",
        "INSERT INTO audit SELECT id + 1, at_ms, who, did, what, detail, hash, 'short' FROM audit WHERE id = 3",
        "UPDATE OR REPLACE audit SET id = 2 WHERE id = 3",
    ],
)
def test_what_is_none_of_appending_is_refused(db: Db, tmp_path: Path, statement: str) -> None:
    fill(db, 3)
    with pytest.raises(Refused):
        db.write_now(lambda conn: conn.execute(statement))
    assert found(db, tmp_path / "anchors", Signing(tmp_path)) == (3, None, 0)
    fill(db, 1)


def test_an_entry_stands_or_falls_with_what_it_tells_of(db: Db, tmp_path: Path) -> None:
    def fail(conn: Connection) -> None:
        audit.note(conn, 1, "hanako", "stolen", "tablet-1")
        raise ValueError

    fill(db, 2)
    with pytest.raises(ValueError):
        db.write_now(fail)
    fill(db, 2)
    assert found(db, tmp_path / "anchors", Signing(tmp_path)) == (4, None, 0)
    assert [entry.did for entry in db.read(audit.entries)] == ["sign_in"] * 4


def test_every_kind_of_tampering_is_found(db: Db, tmp_path: Path) -> None:
    fill(db, 20)
    signing, folder = Signing(tmp_path), tmp_path / "anchors"
    anchor = db.read(lambda conn: anchors.make(conn, signing, 1))
    assert anchor is not None
    assert anchors.keep(folder, anchor)
    assert found(db, folder, signing) == (20, None, 1)
    copy = tmp_path / "copy.db"
    db.backup(copy)

    def rehash(conn: sqlite3.Connection) -> None:
        conn.execute("UPDATE audit SET who = 'taro' WHERE id = 5")
        head = chain.START
        for link in list(audit.links(conn)):
            hashed = chain.digest(link.seq, head, link.body)
            conn.execute("UPDATE audit SET prev = ?, hash = ? WHERE id = ?", (head, hashed, link.seq))
            head = hashed

    for change, broken in (
        (lambda conn: conn.execute("UPDATE audit SET detail = '' WHERE id = 7"), Broken(7, "edited", 7)),
        (lambda conn: conn.execute("UPDATE audit SET at_ms = 1 WHERE id = 7"), Broken(7, "edited", 7)),
        (lambda conn: conn.execute("UPDATE audit SET hash = zeroblob(32) WHERE id = 7"), Broken(7, "edited", 7)),
        (lambda conn: conn.execute("UPDATE audit SET prev = zeroblob(32) WHERE id = 7"), Broken(7, "unlinked", 7)),
        (lambda conn: conn.execute("DELETE FROM audit WHERE id = 7"), Broken(7, "missing", 8)),
        (lambda conn: conn.execute("DELETE FROM audit WHERE id = 1"), Broken(1, "missing", 2)),
        (lambda conn: conn.execute("DELETE FROM audit WHERE id > 15"), Broken(16, "cut", 20)),
        (lambda conn: conn.execute("DELETE FROM audit"), Broken(1, "cut", 20)),
        (rehash, Broken(20, "other", 0)),
    ):
        path = tmp_path / "tampered.db"
        path.write_bytes(copy.read_bytes())
        tampered = Db(path)
        behind_its_back(tampered, change)
        assert found(tampered, folder, signing)[1] == broken
        if broken.why in ("cut", "other"):
            assert found(tampered, tmp_path / "none", signing)[1] is None
        tampered.close()


def test_twenty_thousand_entries_are_checked(db: Db, tmp_path: Path) -> None:
    fill(db, 20_000)
    assert found(db, tmp_path / "anchors", Signing(tmp_path)) == (20_000, None, 0)


def test_writers_in_several_processes_make_one_chain(db: Db, tmp_path: Path) -> None:
    others = [Db(db.path) for _ in range(4)]

    def write(one: Db) -> None:
        for _ in range(25):
            one.write_now(lambda conn: audit.note(conn, 1, "hanako", "sign_in"))

    threads = [threading.Thread(target=write, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in others:
        one.close()
    assert found(db, tmp_path / "anchors", Signing(tmp_path)) == (100, None, 0)


def test_what_was_written_before_is_taken_into_the_chain(tmp_path: Path) -> None:
    from sqlite_utils import Database

    path = tmp_path / "old.db"
    database = Database(path)
    migrations.migrations.apply(database, stop_before="m013_audit_chain")
    for number in range(5):
        # Numbers with gaps, as nothing forbade them.
        values = [number * 2 + 1, number, "hanako", "sign_in", "", "花"]
        database.execute("INSERT INTO audit (id, at_ms, who, did, what, detail) VALUES (?, ?, ?, ?, ?, ?)", values)
    database.conn.commit()
    database.close()
    db = Db(path)
    db.open()
    fill(db, 1)
    assert found(db, tmp_path / "anchors", Signing(tmp_path)) == (6, None, 0)
    assert [entry.at_ms for entry in db.read(audit.entries)] == [0, 4, 3, 2, 1, 0]
    db.close()


def test_one_anchor_a_day_is_kept_and_never_changed(db: Db, tmp_path: Path) -> None:
    import asyncio

    signing, folder, day_ms = Signing(tmp_path), tmp_path / "anchors", 86_400_000

    def at(now_ms: int) -> None:
        asyncio.run(anchors.keep_todays(db, signing, folder, now_ms))

    at(0)
    assert not folder.exists()
    fill(db, 2)
    at(0)
    fill(db, 2)
    at(3_600_000)
    at(day_ms)
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == ["1970-01-01.json", "1970-01-02.json"]
    assert [anchor.seq for anchor in chain.read_anchors(folder)] == [2, 4]
    newest = anchors.newest(folder)
    assert newest is not None
    assert not anchors.keep(folder, signing.anchor(9, bytes(32), day_ms))
    assert anchors.newest(folder) == newest
    assert found(db, folder, signing) == (4, None, 2)
