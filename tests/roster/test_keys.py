"""`machinaka-hub card-key`: keys are made once, brought by standard input, named; what is wrong is one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from hub.db import Db
from hub.staff import roster_keys, roster_store
from hub.staff.roster import Kind
from wire import settings_file
from wire.roster import proof_key

IDM = "012e4cd8a9b3c4f1"


class Desk:
    """Somebody at the hub's machine."""

    def __init__(self, folder: Path, *, has_run: bool = True) -> None:
        self.folder = folder / "hub"
        self.settings = folder / "hub.toml"
        settings_file.write(self.settings, {"state_dir": str(self.folder)}, about="A hub under test.")
        self.db = Db(self.folder / "hub.db")
        if has_run:
            self.db.open()
            self.db.close()

    def do(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Runs the command."""
        return subprocess.run(
            [sys.executable, "-m", "hub", "card-key", *words, "--settings", str(self.settings)],
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )

    def fails(self, sentence: str, *words: str, typed: str = "") -> None:
        """It ends with 2 and this one sentence."""
        done = self.do(*words, typed=typed)
        assert (done.returncode, done.stdout) == (2, "")
        assert sentence in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.fixture
def at_hub(tmp_path: Path) -> Desk:
    """A hub that has run."""
    return Desk(tmp_path)


def test_a_key_is_made_once_and_a_kind_is_named(at_hub: Desk) -> None:
    at_hub.fails("there is no key yet", "kind", "職員証", "--mac", "yes")
    at_hub.fails("there is no key yet", "of", IDM)
    assert at_hub.do("make").returncode == 0
    key = (at_hub.folder / "felica.key").read_bytes()
    assert ((at_hub.folder / "felica.key").stat().st_mode & 0o777, len(key)) == (0o600, 32)
    at_hub.fails("is there already", "make")
    at_hub.fails("is there already", "set", typed="00" * 32)
    assert (at_hub.folder / "felica.key").read_bytes() == key
    assert at_hub.do("kind", "職員証", "--mac", "yes").returncode == 0
    assert at_hub.do("kind", "来客", "--mac", "no").returncode == 0
    db = Db(at_hub.folder / "hub.db")
    assert db.read(roster_store.kinds) == [Kind("来客", "felica", mac=False), Kind("職員証", "felica", mac=True)]
    log = db.read(lambda conn: conn.execute("SELECT did, what FROM audit ORDER BY id").fetchall())
    db.close()
    assert log == [("card_key", "felica.key"), ("card_key", "職員証 mac"), ("card_key", "来客 number")]
    assert at_hub.do("of", IDM).stdout.strip() == proof_key(key, bytes.fromhex(IDM)).hex()
    shown = at_hub.do("show").stdout
    assert "職員証: felica, must prove itself" in shown
    assert key.hex() not in shown
    assert roster_keys.read(at_hub.folder).cards.hex() not in shown


def test_a_key_is_brought_by_standard_input(at_hub: Desk) -> None:
    for typed in ("", "zz", "00" * 31, "00" * 33):
        at_hub.fails("expected 64 hex digits", "set", typed=typed)
    assert at_hub.do("set", typed="ab" * 32 + "\n").returncode == 0
    assert roster_keys.read(at_hub.folder).felica == b"\xab" * 32


@pytest.mark.parametrize("idm", ["", "zz", "01", IDM + "00"])
def test_what_is_no_number_of_a_card(at_hub: Desk, idm: str) -> None:
    at_hub.do("make")
    at_hub.fails("expected 16 hex digits", "of", idm)


@pytest.mark.parametrize("name", ["", " ", "x" * 41, "a\nb"])
def test_what_is_no_name_of_a_kind(at_hub: Desk, name: str) -> None:
    at_hub.fails("expected 1 to 40 letters", "kind", name, "--mac", "no")


def test_a_broken_key_is_told_and_left_alone(at_hub: Desk) -> None:
    (at_hub.folder / "cards.key").write_bytes(b"x")
    at_hub.fails("cards.key: found 1 bytes", "show")
    assert (at_hub.folder / "cards.key").read_bytes() == b"x"


def test_a_hub_that_has_not_run_has_none(tmp_path: Path) -> None:
    Desk(tmp_path, has_run=False).fails("no database; the hub has not run", "show")


def test_another_card_key_is_accepted_by_hand(at_hub: Desk) -> None:
    before = roster_keys.read(at_hub.folder)
    (at_hub.folder / "cards.key").unlink()
    assert at_hub.do("accept").returncode == 0
    now = roster_keys.read(at_hub.folder)
    assert now.check != before.check
    db = Db(at_hub.folder / "hub.db")
    assert db.read(lambda conn: conn.execute("SELECT key_check, touched FROM roster_state").fetchone()) == (
        now.check,
        1,
    )
    db.close()
