"""`machinaka-hub verify-close` finds whatever was changed behind the hub's back; a kill leaves all or nothing."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from hub.attendance import close_check, close_store, closing
from hub.attendance.close_store import Close
from hub.db import Connection, Db
from tests.attendance.close.hall import Hall, hall, ms
from tests.attendance.close.test_closing import book, close, october
from wire import settings_file

NOW_MS = ms("2026-11-04 09:00")


def verify(folder: Path, *more: str) -> tuple[int, str]:
    """Exit code and what was said."""
    done = subprocess.run(
        [sys.executable, "-m", "hub", "verify-close", "--settings", str(folder / "hub.toml"), *more],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a hub's settings lie."""
    settings_file.write(tmp_path / "hub.toml", {"state_dir": str(tmp_path)}, about="A hub under test.")
    return tmp_path


@pytest.fixture
def closed(folder: Path) -> Iterator[tuple[Path, Hall]]:
    """A hall with a month in two versions, and another in one."""
    with hall(folder / "hub.db") as one:
        taro = october(one)
        assert isinstance(close(one), Close)
        one.order(taro, "2026-10-05 07:30", "2026-10-05 08:30")
        one.correct(taro, date(2026, 10, 5), "07:25", None)
        assert isinstance(book(one), Close)
        yield folder, one


def test_what_was_closed_is_whole(closed: tuple[Path, Hall]) -> None:
    folder, one = closed
    last = one.read(partial(close_store.latest, month="2026-10"))
    assert last
    code, said = verify(folder)
    assert (code, said.count("\n")) == (0, 1)
    assert f"2026-10: version 2 is whole, people: 1, hash {last.hash}; the facts still say the same." in said
    # Somebody who was forgotten.
    one.person("0002", card=2)
    code, said = verify(folder, "2026-10")
    assert (code, "people whose facts say otherwise by now (the difference is not booked yet): 1." in said) == (0, True)


def test_the_command_says_what_is_broken(closed: tuple[Path, Hall]) -> None:
    folder, one = closed
    one.write(lambda conn: conn.execute("DROP TRIGGER adjustment_stays"))
    one.write(lambda conn: conn.execute("UPDATE adjustment SET yen = yen + 1"))
    assert verify(folder) == (
        1,
        "2026-10: BROKEN: version 2: what was booked in another month is not the difference.\n",
    )


def test_what_cannot_be_looked_at_is_said_in_a_sentence(folder: Path) -> None:
    assert verify(folder) == (
        2,
        f"machinaka-hub verify-close: {folder / 'hub.db'}: no database; the hub has not run with these settings\n",
    )
    with hall(folder / "hub.db"):
        assert verify(folder) == (0, "No month is closed yet.\n")
    assert verify(folder, "2026-10") == (2, "machinaka-hub verify-close: 2026-10: this month is not closed\n")
    assert verify(folder, "2026-13") == (
        2,
        "machinaka-hub verify-close: 2026-13: no month; expected one as 2026-10\n",
    )


TAMPERED = {
    "UPDATE month_close_staff SET body = (SELECT body FROM month_close_staff WHERE close_id = 1) WHERE close_id = 2": (
        "version 2: the month of staff number 0001 is not what was closed"
    ),
    "UPDATE month_close_staff SET body = x'789c030000000001' WHERE close_id = 1": "cannot be read",
    "UPDATE month_close_staff SET body = 'words' WHERE close_id = 1": "cannot be read",
    "UPDATE month_close SET hash = 'f' || substr(hash, 2) WHERE version = 1": "does not come out",
    "UPDATE month_close SET profile_hash = '' WHERE version = 2": "version 2: the hash of the month does not come out",
    "UPDATE month_close SET engine = '2' WHERE version = 2": "version 2: the hash of the month does not come out",
    "DELETE FROM month_close WHERE version = 2": "version 2 of the audit log is not there as it was closed",
    "DELETE FROM month_close WHERE version = 1": "version 1 is missing",
    "DELETE FROM month_close": "version 1 of the audit log is not there as it was closed",
    "DELETE FROM audit WHERE did = 'month_close'": "version 1 is not in the audit log",
    "UPDATE adjustment SET yen = yen + 1": "what was booked in another month is not the difference",
    "DELETE FROM adjustment": "what was booked in another month is not the difference",
    "INSERT INTO adjustment SELECT 99, close_id, staff_id, booked_month, target_month, 'H135', 60, 1, 2178 "
    "FROM adjustment LIMIT 1": "what was booked in another month is not the difference",
    "DELETE FROM month_close_staff WHERE close_id = 2": "version 2: the hash of the month does not come out",
}


@pytest.mark.parametrize("statement", TAMPERED, ids=range(len(TAMPERED)))
def test_tampering_is_found(closed: tuple[Path, Hall], statement: str) -> None:
    folder, one = closed
    one.db.close()
    conn = sqlite3.connect(folder / "hub.db")
    triggers = conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in triggers:
        conn.execute(f"DROP TRIGGER {name}")
    conn.execute(statement)
    conn.commit()
    conn.close()
    db = Db(folder / "hub.db")
    told = db.read(close_check.told)
    checked = db.read(partial(close_check.check, month="2026-10", told=told["2026-10"], now_ms=NOW_MS))
    db.close()
    assert any(TAMPERED[statement] in fault for fault in checked.faults), checked.faults


CLOSER = """
import sys
from functools import partial
from pathlib import Path
from hub.attendance import closing
from hub.db import Db
db = Db(Path(sys.argv[1]))
now_ms = int(sys.argv[2])
found = db.read(partial(closing.look, month="2026-10", now_ms=now_ms))
print("ready", flush=True)
sys.stdin.readline()
db.write_now(partial(closing.close, month="2026-10", fingerprint=found.fingerprint, now_ms=now_ms, who="clerk"))
print("done", flush=True)
"""


def _written(conn: Connection) -> tuple[int, int, int]:
    row: tuple[int, int, int] = conn.execute(
        "SELECT (SELECT count(*) FROM month_close), (SELECT count(*) FROM month_close_staff), "
        "(SELECT count(*) FROM audit WHERE did = 'month_close')"
    ).fetchone()
    return row


def test_a_kill_in_the_middle_leaves_all_or_nothing(folder: Path) -> None:
    """Killed at moments all over the close; whatever is left is whole, and the close can be made."""
    with hall(folder / "hub.db") as one:
        for number in range(40):
            one.person(f"{number:04}", card=number + 1)
            one.month(number + 1, "2026-10", holidays=(12,))
    for wait_ms in (0, 2, 8, 16, 32, 64, 128):
        database = folder / f"{wait_ms}" / "hub.db"
        database.parent.mkdir()
        with hall(folder / "hub.db") as one:
            one.db.backup(database)
        child = subprocess.Popen(
            [sys.executable, "-c", CLOSER, str(database), str(NOW_MS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
            env=dict(os.environ),
        )
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        child.stdin.write(b"go\n")
        child.stdin.flush()
        time.sleep(wait_ms / 1000)
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=30)
        with hall(database) as one:
            rows = one.read(_written)
            assert rows in ((0, 0, 0), (1, 40, 1))
            if not rows[0]:
                found = one.read(partial(closing.look, month="2026-10", now_ms=NOW_MS))
                assert isinstance(
                    one.write(
                        partial(
                            closing.close,
                            month="2026-10",
                            fingerprint=found.fingerprint,
                            now_ms=NOW_MS,
                            who="clerk",
                        )
                    ),
                    Close,
                )
            hashed = one.read(partial(close_store.latest, month="2026-10"))
            assert hashed
            assert re.fullmatch("[0-9a-f]{64}", hashed.hash)
