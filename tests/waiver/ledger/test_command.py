"""`machinaka-hub ledger verify` and `export`, as an auditor runs them; beancount re-adds what we export."""

import csv
import io
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core import data

from hub.db import Db
from hub.waiver import ledger_export, ledger_store, receipt_store
from hub.waiver.receipt import Receipt
from tests.waiver.ledger.parts import NOW_MS, assess, bill, enter_registers, waive
from tests.waiver.ledger.test_verify import tamper

MONTHS = ("2026-09", "2026-10")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """The settings of a hub with a ledger."""
    (tmp_path / "hub").mkdir()
    db = Db(tmp_path / "hub" / "hub.db")
    db.open()
    db.write_now(enter_registers)
    for month in MONTHS:
        entries = [make(line, month) for line in range(1, 7) for make in (bill, assess)]
        entries += [waive(line, month, 815) for line in (1, 2)]
        db.write_now(partial(ledger_store.post, entries=entries, now_ms=NOW_MS, by="花子"))
    paid = Receipt(reference='=N"1\\', resident_id=1, day="2026-11-02", yen=5000)
    db.write_now(partial(receipt_store.enter, paid=paid, now_ms=NOW_MS, by="hanako"))
    db.write_now(
        partial(ledger_store.close, area="line", month="2026-09", now_ms=NOW_MS, by="hanako", approved_by="jiro")
    )
    db.close()
    file = tmp_path / "hub.toml"
    file.write_text(f'state_dir = "{tmp_path / "hub"}"\n')
    return file


def ledger(settings: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs the command."""
    return subprocess.run(
        [sys.executable, "-m", "hub", "ledger", *words, "--settings", str(settings)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=Path(__file__).parents[3],
    )


def test_verify_says_what_it_found(settings: Path) -> None:
    done = ledger(settings, "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert "The ledger is whole: 29 entries" in done.stdout
    assert done.stdout.startswith("line 2026-09: content ")
    chain = done.stdout.split("chain ")[1][:64]
    assert ledger(settings, "verify", "--hash", f"line:2026-09={chain}").returncode == 0
    other = ledger(settings, "verify", "--hash", f"line:2026-09={'0' * 64}")
    assert other.returncode == 1
    assert "is not the one whose hash was kept elsewhere" in other.stdout
    tamper(settings.parent / "hub" / "hub.db", "DELETE FROM ledger_open")
    assert ledger(settings, "verify").returncode == 1
    assert ledger(settings, "rebuild").returncode == 0
    assert ledger(settings, "verify").returncode == 0
    tamper(settings.parent / "hub" / "hub.db", "UPDATE ledger_leg SET yen = yen + 1 WHERE entry_seq = 5")
    done = ledger(settings, "verify")
    assert done.returncode == 1
    assert "The ledger is broken at entry 5: what it says is not what was written." in done.stdout


def test_what_is_wrong_with_the_command_is_one_sentence(settings: Path, tmp_path: Path) -> None:
    done = ledger(settings, "verify", "--hash", "2026-09")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("machinaka-hub ledger: verify: 2026-09: expected area:month=hash")
    (tmp_path / "other.toml").write_text(f'state_dir = "{tmp_path / "none"}"\n')
    for word in ("verify", "export", "rebuild"):
        done = ledger(tmp_path / "other.toml", word)
        assert (done.returncode, done.stdout) == (2, "")
        assert "no database" in done.stderr
        assert done.stderr.count("\n") == 1


def balances(entries: list[Any]) -> dict[str, int]:
    """What beancount adds up."""
    found: dict[str, int] = {}
    for one in entries:
        if isinstance(one, data.Transaction):
            for posting in one.postings:
                assert posting.units is not None
                assert posting.units.number is not None
                found[posting.account] = found.get(posting.account, 0) + int(posting.units.number)
    return found


def test_beancount_finds_the_same(settings: Path, tmp_path: Path) -> None:
    done = ledger(settings, "export")
    assert (done.returncode, done.stderr) == (0, "")
    file = tmp_path / "out.beancount"
    file.write_text(done.stdout, encoding="utf-8")
    entries, errors, _ = loader.load_file(str(file))
    assert not errors
    db = Db(settings.parent / "hub" / "hub.db")
    ours = db.read(ledger_store.balances)
    db.close()
    assert balances(entries) == {ledger_export._NAMES[name]: yen for name, yen in ours.items()}
    assert sum(isinstance(one, data.Transaction) for one in entries) == 29
    # A yen more in one place, and it says so: the checker is one.
    file.write_text(done.stdout.replace(" 1631 JPY", " 1632 JPY", 1), encoding="utf-8")
    assert loader.load_file(str(file))[1]
    # In two places, so that the entry still comes to nothing: then the balances tell.
    twice = done.stdout.replace(" 1631 JPY", " 1632 JPY", 1).replace(" -1631 JPY", " -1632 JPY", 1)
    file.write_text(twice, encoding="utf-8")
    assert any("Balance" in type(one).__name__ or "Balance" in str(one) for one in loader.load_file(str(file))[1])


def test_the_table_has_a_row_a_leg_and_no_formula(settings: Path) -> None:
    done = ledger(settings, "export", "--form", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
    assert len(rows) == 28 * 2 + 6
    assert sum(int(row["yen"]) for row in rows) == 0
    assert {row["entered_by"] for row in rows} == {"花子", "hanako"}
    assert rows[0]["booked"] == "2026-11-25T00:00:00.000+00:00"
    texts = [cell for row in rows for name, cell in row.items() if name != "yen"]
    assert not any(cell[:1] in ("=", "+", "-", "@") for cell in texts)
