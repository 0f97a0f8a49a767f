"""What verify finds: a byte that was flipped anywhere in the file, whatever was changed past the triggers (I8)."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.db import Db
from hub.waiver import ledger_check, ledger_store, ledger_sums
from hub.waiver.ledger_check import Checked
from tests.waiver.ledger.parts import NOW_MS, assess, bill, enter_registers, waive

MONTHS = ("2026-08", "2026-09", "2026-10")
TABLES = ("ledger_entry", "ledger_leg", "ledger_close")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of three months, two of them closed, with a reversal; all of it in the one file."""
    path = tmp_path_factory.mktemp("kept") / "hub.db"
    db = Db(path)
    db.open()
    db.write_now(enter_registers)
    for month in MONTHS:
        entries = [make(line, month) for line in range(1, 7) for make in (bill, assess)]
        entries += [waive(line, month, 815) for line in (1, 2)]
        db.write_now(lambda conn, e=entries: ledger_store.post(conn, e, now_ms=NOW_MS, by="hanako"))  # type: ignore[misc]
    for month in MONTHS[:2]:
        db.write_now(
            lambda conn, m=month: ledger_store.close(conn, "line", m, now_ms=NOW_MS, by="hanako", approved_by="jiro")  # type: ignore[misc]
        )
    db.write_now(
        lambda conn: ledger_store.reverse(
            conn, [2], month="2026-10", day="2026-10-30", note="誤り", now_ms=NOW_MS, by="hanako"
        )
    )
    whole = db.read(ledger_check.check)
    assert whole.whole, whole
    db.close()
    with sqlite3.connect(path) as conn:
        conn.execute("PRAGMA journal_mode = DELETE")
    conn.close()
    return path


def checked(path: Path) -> Checked | str:
    """What is found; or the sentence of the database, which cannot even be opened."""
    db = Db(path)
    try:
        return db.read(ledger_check.check)
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        db.close()


def dump(path: Path) -> object:
    """The ledger as it can be read, by its tables and by the numbers of its entries."""
    conn = sqlite3.connect(path)
    try:
        return [conn.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES]  # noqa: S608
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        conn.close()


def pages_of_the_ledger(path: Path) -> list[tuple[int, int]]:
    """Where in the file the tables lie: offset and size of their pages."""
    conn = sqlite3.connect(path)
    try:
        rows = conn.execute(
            "SELECT pgoffset, pgsize FROM dbstat WHERE name IN (?, ?, ?) AND pgsize > 0", TABLES
        ).fetchall()
    except sqlite3.OperationalError:
        pytest.skip("this SQLite tells not where its pages lie (no dbstat)")
    finally:
        conn.close()
    return rows


def test_i8_each_byte_that_is_flipped_is_found(kept: Path, tmp_path: Path) -> None:
    """Sampled over the pages of the ledger: what reads otherwise than before is named, or the file is malformed."""
    before, content = dump(kept), kept.read_bytes()
    chance = random.Random(7)
    spans = pages_of_the_ledger(kept)
    places = [offset + chance.randrange(size) for offset, size in chance.choices(spans, k=260)]
    places += [offset + chance.randrange(12) for offset, _ in spans]
    seen = {"named": 0, "malformed": 0, "nothing there": 0}
    path = tmp_path / "flipped.db"
    for place in places:
        bit = 1 << chance.randrange(8)
        path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
        found = checked(path)
        if isinstance(found, str) or (found.malformed and not found.bad):
            seen["malformed"] += 1
        elif found.bad:
            seen["named"] += 1
            assert 1 <= found.bad.seq <= 44
        else:
            # Space between the rows: the ledger reads as it did.
            assert dump(path) == before, (place, bit)
            seen["nothing there"] += 1
    assert seen["named"] > 100, seen


DOUBLED = """INSERT INTO ledger_leg SELECT 7, n + 2, account, yen, line_id, phone, resident_id, resident, ground,
decision, budget_code, fiscal_year, of_month FROM ledger_leg WHERE entry_seq = 7"""
CHANGES: list[tuple[str, int, str]] = [
    ("UPDATE ledger_leg SET yen = yen + 1 WHERE entry_seq = 5 AND n = 1", 5, "edited"),
    ("UPDATE ledger_leg SET yen = -yen WHERE entry_seq = 5", 5, "edited"),
    ("DELETE FROM ledger_leg WHERE entry_seq = 7 AND n = 2", 7, "edited"),
    ("DELETE FROM ledger_leg WHERE entry_seq = 7", 7, "edited"),
    (DOUBLED, 7, "edited"),
    ("UPDATE ledger_leg SET n = 9 WHERE entry_seq = 7 AND n = 2", 7, "legs"),
    ("UPDATE ledger_leg SET phone = '0' WHERE entry_seq = 3", 3, "edited"),
    ("UPDATE ledger_leg SET yen = 1631.5 WHERE entry_seq = 3 AND n = 1", 3, "edited"),
    ("UPDATE ledger_leg SET account = x'00' WHERE entry_seq = 3 AND n = 1", 3, "edited"),
    ("UPDATE ledger_entry SET entered_by = 'jiro' WHERE seq = 9", 9, "edited"),
    ("UPDATE ledger_entry SET booked_ms = booked_ms + 1 WHERE seq = 9", 9, "edited"),
    ("UPDATE ledger_entry SET posting_hash = zeroblob(32) WHERE seq = 9", 9, "edited"),
    ("UPDATE ledger_entry SET content_hash = zeroblob(32) WHERE seq = 9", 9, "edited"),
    ("UPDATE ledger_entry SET hash = zeroblob(32) WHERE seq = 9", 9, "edited"),
    ("UPDATE ledger_entry SET prev = zeroblob(32) WHERE seq = 9", 9, "unlinked"),
    ("UPDATE ledger_entry SET note = x'ff' WHERE seq = 9", 9, "edited"),
    ("UPDATE ledger_entry SET note = CAST(x'ff' AS TEXT) WHERE seq = 9", 9, "unreadable"),
    ("DELETE FROM ledger_entry WHERE seq = 11", 11, "missing"),
    ("DELETE FROM ledger_entry WHERE seq = 43", 43, "left_over"),
    ("DELETE FROM ledger_leg WHERE entry_seq = 43; DELETE FROM ledger_entry WHERE seq = 43", 0, ""),
    ("DELETE FROM ledger_leg WHERE entry_seq > 20; DELETE FROM ledger_entry WHERE seq > 20", 42, "closing"),
    ("UPDATE ledger_close SET content_hash = 'x' WHERE month = '2026-08'", 42, "closing"),
    ("UPDATE ledger_close SET chain_hash = 'x' WHERE month = '2026-08'", 42, "closing"),
    ("UPDATE ledger_close SET through_seq = 20", 20, "closing"),
    ("UPDATE ledger_close SET month = '2026-07' WHERE month = '2026-08'", 42, "closing"),
    ("DELETE FROM ledger_close WHERE month = '2026-09'", 43, "closing"),
    ("DELETE FROM audit WHERE did = 'ledger_close'", 42, "untold"),
]


@pytest.mark.parametrize(("change", "seq", "why"), CHANGES)
def test_what_was_changed_past_the_triggers_is_named(
    kept: Path, tmp_path: Path, change: str, seq: int, why: str
) -> None:
    path = tmp_path / "hub.db"
    shutil.copyfile(kept, path)
    tamper(path, change)
    found = checked(path)
    assert isinstance(found, Checked)
    if not why:
        # Cut from the end of an open month, the chain does not tell of it: the sums do, as long as they are not cut
        # too, and a hash that is kept elsewhere.
        assert (found.bad, found.sums_differ, found.whole) == (None, True, False)
        return
    assert found.bad is not None
    assert (found.bad.seq, found.bad.why) == (seq, why)
    assert f"broken at entry {seq}" in ledger_check.told(found)[-1]


def tamper(path: Path, change: str) -> None:
    """Changes the file as somebody who knows SQLite, and leaves the triggers as they were."""
    conn = sqlite3.connect(path)
    conn.execute("PRAGMA synchronous = OFF")
    saved = conn.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in saved:
        conn.execute(f"DROP TRIGGER {name}")
    conn.executescript(change)
    for _, sql in saved:
        conn.execute(sql)
    conn.commit()
    conn.close()


def test_a_chain_that_was_written_anew_is_found_by_a_hash_kept_elsewhere(kept: Path, tmp_path: Path) -> None:
    """Whoever writes everything anew has a whole chain: the printed hash of a closed month is another."""
    db = Db(tmp_path / "hub.db")
    db.open()
    db.write_now(enter_registers)
    db.write_now(lambda conn: ledger_store.post(conn, [assess(1, "2026-08", 1)], now_ms=NOW_MS, by="hanako"))
    db.write_now(
        lambda conn: ledger_store.close(conn, "line", "2026-08", now_ms=NOW_MS, by="hanako", approved_by="jiro")
    )
    assert db.read(ledger_check.check).whole
    then = Db(kept)
    printed = {f"{one.area} {one.month}": one.chain_hash for one in then.read(ledger_store.closings)}
    for path, expected in ((db, "other"), (then, None)):
        found = path.read(lambda conn: ledger_check.check(conn, printed))
        assert (found.bad.why if found.bad else None) == expected
    found = then.read(lambda conn: ledger_check.check(conn, {"line 2026-10": "0" * 64}))
    assert found.bad is not None
    assert (found.bad.why, found.bad.about) == ("closing", "line 2026-10")
    db.close()
    then.close()


def test_triggers_that_are_gone_and_an_index_that_lies_are_told(kept: Path, tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    shutil.copyfile(kept, path)
    with sqlite3.connect(path) as conn:
        conn.execute("DROP TRIGGER ledger_leg_stays")
    conn.close()
    found = checked(path)
    assert isinstance(found, Checked)
    assert (found.bad, found.unguarded, found.whole) == (None, ("ledger_leg_stays",), False)
    assert "lacks ledger_leg_stays" in "\n".join(ledger_check.told(found))
    shutil.copyfile(kept, path)
    flip_index(path, "ledger_leg_line")
    found = checked(path)
    assert isinstance(found, Checked)
    assert found.malformed
    assert not found.whole
    assert "damaged" in "\n".join(ledger_check.told(found))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_sum SET yen = yen + 1 WHERE month = '2026-09' AND account = 'fee'",
        "DELETE FROM ledger_sum WHERE account = 'waived'",
        "UPDATE ledger_open SET yen = 0 WHERE resident_id = 4",
        "INSERT INTO ledger_open VALUES (9, 9, '2026-09', 0, 0, '')",
    ],
)
def test_i7_sums_that_are_not_the_fold_are_told_and_made_anew(kept: Path, tmp_path: Path, change: str) -> None:
    path = tmp_path / "hub.db"
    shutil.copyfile(kept, path)
    tamper(path, change)
    found = checked(path)
    assert isinstance(found, Checked)
    assert (found.bad, found.sums_differ, found.whole) == (None, True, False)
    assert "ledger rebuild" in "\n".join(ledger_check.told(found))
    db = Db(path)
    db.write_now(ledger_sums.rebuild)
    db.close()
    again = checked(path)
    assert isinstance(again, Checked)
    assert again.whole


def flip_index(path: Path, name: str) -> None:
    """Changes the last byte of an index's page: a cell of it."""
    conn = sqlite3.connect(path)
    offset, size = conn.execute("SELECT pgoffset, pgsize FROM dbstat WHERE name = ? LIMIT 1", (name,)).fetchone()
    conn.close()
    content = bytearray(path.read_bytes())
    content[offset + size - 1] ^= 1
    path.write_bytes(content)


def test_the_test_can_fail(kept: Path, tmp_path: Path) -> None:
    """The oracle sees what verify is asked about."""
    path = tmp_path / "hub.db"
    shutil.copyfile(kept, path)
    look: Callable[[], object] = lambda: dump(path)  # noqa: E731
    before = look()
    tamper(path, "UPDATE ledger_leg SET yen = yen + 1 WHERE entry_seq = 5 AND n = 1")
    assert look() != before
