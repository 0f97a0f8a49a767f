"""`machinaka-hub waiver-close` from the console; a closing that is killed is whole or was never begun."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hub.db import Db
from hub.waiver import ledger_store
from tests.waiver.month import model
from tests.waiver.month.hall import Hall, hall
from wire import settings_file

_WITHIN_S = 600


def command(folder: Path, *more: str) -> tuple[int, str]:
    """Exit code and what was said."""
    done = subprocess.run(
        [sys.executable, "-m", "hub", "waiver-close", "--settings", str(folder / "hub.toml"), *more],
        capture_output=True,
        text=True,
        check=False,
        timeout=_WITHIN_S,
    )
    return done.returncode, done.stdout + done.stderr


def folder_of(tmp_path: Path, lines: int, *, bills: bool = True) -> Path:
    """A hub's folder, with a month that can be closed."""
    folder = tmp_path / "hub"
    folder.mkdir()
    settings_file.write(folder / "hub.toml", {"state_dir": str(folder)}, about="A hub under test.")
    made: Hall = hall(folder, lines, [model.FIRST])
    if bills:
        made.bills(model.FIRST)
    made.db.empty_log()
    made.db.close()
    return folder


def test_a_month_is_closed_by_two_who_are_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 5)
    both = ("--asked-by", "hanako", "--approved-by", "taro")
    for arguments, sentence in (
        (("--asked-by", "hanako", "--approved-by", "hanako", model.FIRST), "expected another person"),
        ((*both, "2026-13"), "expected one as 2026-10"),
        ((*both, "2099-01"), "not over yet"),
        ((*both, "2026-02"), "no line was in use"),
    ):
        code, said = command(folder, *arguments)
        assert (code, sentence in said) == (2, True), said
    db = Db(folder / "hub.db")
    assert db.read(lambda conn: conn.execute("SELECT count(*) FROM waiver_close_ask").fetchone()) == (0,)
    code, said = command(folder, *both, model.FIRST)
    (closing,) = db.read(ledger_store.closings)
    db.close()
    assert code == 0, said
    assert closing.content_hash in said
    assert "closed already" in command(folder, *both, model.FIRST)[1]


def test_without_a_bill_a_reason_is_asked_for(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 5, bills=False)
    both = ("--asked-by", "hanako", "--approved-by", "taro")
    code, said = command(folder, *both, model.FIRST)
    assert (code, "--although" in said) == (2, True)
    assert command(folder, *both, "--although", "請求が遅れている", model.FIRST)[0] == 0


def test_killed_closings_are_whole_or_were_never_begun(tmp_path: Path) -> None:
    _kill(tmp_path, 40, 2)


@pytest.mark.soak
def test_two_hundred_killed_closings_are_whole_or_were_never_begun(tmp_path: Path) -> None:
    _kill(tmp_path, 200, 3)


def _kill(tmp_path: Path, count: int, seed: int) -> None:
    folder = folder_of(tmp_path, 150)
    done = subprocess.run(
        [sys.executable, "-m", "tests.waiver.month.killed", str(folder), str(count), str(seed)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_WITHIN_S,
    )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    whole, *killed, again = told
    assert (len(killed), whole["asked"], len(whole["hashes"]), whole["seen"]) == (count, 1, 1, 1)
    assert whole["entries"] > 250
    same = {key: value for key, value in whole.items() if key != "killed"}
    nothing = {"hashes": [], "entries": 0, "asked": 0, "bad": None, "seen": 0}
    for one in killed:
        state = {key: value for key, value in one.items() if key != "killed"}
        assert state in (same, nothing), one
    # Most were cut off on the way, or this says little.
    assert sum(not one["hashes"] for one in killed) > count // 3
    assert {key: value for key, value in again.items() if key != "killed"} == same
