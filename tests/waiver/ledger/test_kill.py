"""A power cut while entries are written: each transaction is there whole or not at all (I14)."""

import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from hub.db import Connection, Db
from hub.waiver import ledger_check, ledger_store
from tests.waiver.ledger.parts import NOW_MS, assess, enter_registers, waive

# Posts month after month, six lines each, and closes each; says which month it began, then which is done.
WRITER = """
import sys
from functools import partial
from pathlib import Path
from hub.db import Db
from hub.waiver import ledger_store
from tests.waiver.ledger.parts import NOW_MS, assess, waive

db = Db(Path(sys.argv[1]))
for year in range(2000, 2099):
    for number in range(1, 13):
        month = f"{year}-{number:02}"
        entries = [make(line, month) for line in range(1, 7) for make in (assess, waive)]
        print("begun", month, flush=True)
        db.write_now(partial(ledger_store.post, entries=entries, now_ms=NOW_MS, by="hanako"))
        print("posted", month, flush=True)
        db.write_now(
            partial(ledger_store.close, area="line", month=month, now_ms=NOW_MS, by="hanako", approved_by="jiro")
        )
        print("closed", month, flush=True)
"""


def killed(path: Path, wait_s: float) -> list[tuple[str, str]]:
    """Lets it write, cuts it off after a while, and returns what it had said."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        env=dict(os.environ),
    )
    assert child.stdout is not None
    first = child.stdout.readline()
    time.sleep(wait_s)
    child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate(timeout=60)
    said = [line.split() for line in (first + rest).decode().splitlines() if line.count(" ") == 1]
    return [(word, month) for word, month in said if len(month) == 7]


def per_month(conn: Connection) -> dict[str, int]:
    """How many entries each month has."""
    return dict(conn.execute("SELECT month, count(*) FROM ledger_entry GROUP BY month").fetchall())


def cut_off(folder: Path, chance: random.Random, times: int) -> None:
    """So many power cuts, one after the other, on one ledger each."""
    for number in range(times):
        path = folder / f"{number}.db"
        db = Db(path)
        db.open()
        db.write_now(enter_registers)
        db.close()
        said = killed(path, chance.uniform(0, 0.25))
        db = Db(path)
        try:
            months = db.read(per_month)
            # Whole or not at all, and nothing that was said to be done is missing.
            assert set(months.values()) <= {12}, months
            assert {month for word, month in said if word == "posted"} <= set(months)
            closed = {one.month for one in db.read(ledger_store.closings)}
            assert {month for word, month in said if word == "closed"} <= closed <= set(months)
            assert db.read(ledger_check.verify) is None
            # It goes on where it was, and what was half done is done once.
            last = max(months, default="2000-01")
            entries = [make(line, last) for line in range(1, 7) for make in (assess, waive)]
            db.write_now(partial(ledger_store.post, entries=entries, now_ms=NOW_MS, by="hanako"))
            assert db.read(per_month) == months or not months
            assert db.read(ledger_check.verify) is None
        finally:
            db.close()


def test_i14_a_cut_leaves_whole_entries(tmp_path: Path) -> None:
    cut_off(tmp_path, random.Random(5), 6)


@pytest.mark.soak
def test_i14_a_cut_leaves_whole_entries_two_hundred_times(tmp_path: Path) -> None:
    cut_off(tmp_path, random.Random(6), 200)
