"""`machinaka-hub audit` and the checker that needs no hub, as an auditor types them."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from hub import audit, chain
from hub.db import Db
from tests.hub_process import Hub


def run(*arguments: str, module: str = "hub") -> tuple[int, str, str]:
    """A command's code and what it wrote."""
    command = [sys.executable, *(["-m", module] if module else []), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A hub's folder with four entries."""
    made = Hub(tmp_path, 1)
    db = Db(made.database)
    db.open()
    for number in range(4):
        db.write_now(lambda conn, number=number: audit.note(conn, number, "hanako", "sign_in", "花"))  # type: ignore[misc]
    db.close()
    return made


def cut(hub: Hub) -> None:
    """Takes the last entry away."""
    conn = sqlite3.connect(hub.database)
    conn.execute("DROP TRIGGER audit_is_not_cut")
    conn.execute("DELETE FROM audit WHERE id = 4")
    conn.commit()
    conn.close()


def test_an_anchor_kept_elsewhere_finds_a_cut_tail(hub: Hub, tmp_path: Path) -> None:
    settings = ("--settings", str(hub.settings))
    code, out, _ = run("audit", "verify", *settings)
    assert (code, out) == (
        0,
        "The audit log is whole: 4 entries; no anchor was looked at, so a cut tail would not show.\n",
    )
    code, line, _ = run("audit", "anchor", *settings)
    assert (code, line.count("\n")) == (0, 1)
    kept = tmp_path / "safe"
    kept.mkdir()
    (kept / "printed.json").write_text(line)
    assert run("audit", "verify", *settings, "--anchors", str(kept))[1].endswith("4 entries; anchors that agree: 1.\n")
    cut(hub)
    assert run("audit", "verify", *settings)[0] == 0
    code, out, err = run("audit", "verify", *settings, "--anchors", str(kept))
    assert (code, err) == (1, "")
    assert out == "The audit log is broken at entry 4: it and all after it are missing, and entry 4 was anchored.\n"


def test_the_hubs_own_anchors_are_looked_at_by_themselves(hub: Hub) -> None:
    with hub:
        pass
    files = list((hub.database.parent / "anchors").iterdir())
    assert len(files) == 1
    assert files[0].stat().st_mode & 0o077 == 0
    assert "anchors that agree: 1" in run("audit", "verify", "--settings", str(hub.settings))[1]
    cut(hub)
    code, out, _ = run("audit", "verify", "--settings", str(hub.settings))
    assert code == 1
    assert "broken at entry 4" in out


def test_an_export_is_checked_without_the_hub(hub: Hub, tmp_path: Path) -> None:
    settings = ("--settings", str(hub.settings))
    exported, anchor = tmp_path / "log.jsonl", tmp_path / "anchor.json"
    exported.write_text(run("audit", "export", *settings)[1])
    anchor.write_text(run("audit", "anchor", *settings)[1])
    # The one file alone, in a folder of its own, without any of ours beside it.
    checker = tmp_path / "elsewhere" / "chain.py"
    checker.parent.mkdir()
    checker.write_bytes(Path(chain.__file__).read_bytes())
    alone = ("-I", str(checker), str(exported), "--anchors", str(anchor))
    assert run(*alone, module="")[:2] == (0, "The audit log is whole: 4 entries; anchors that agree: 1.\n")
    assert run("audit", "verify", "--export", str(exported), "--anchors", str(anchor))[0] == 0
    key = chain.read_anchors(anchor)[0].key
    assert run(*alone, "--key", key, module="")[0] == 0
    code, _, err = run(*alone, "--key", "other", module="")
    assert (code, err.count("\n")) == (2, 1)
    lines = exported.read_text().splitlines(keepends=True)
    exported.write_text("".join([*lines[:1], lines[1].replace("hanako", "taro"), *lines[2:]]))
    code, out, _ = run(*alone, module="")
    assert (code, out) == (1, "The audit log is broken at entry 2: what it says is not what was written.\n")
    exported.write_text("".join(lines[:3]))
    assert run(*alone, module="")[0] == 1
    assert run("audit", "verify", "--export", str(exported))[0] == 0
    exported.write_text("nonsense\n")
    for code, _, err in (run(*alone, module=""), run("audit", "verify", "--export", str(exported))):
        assert (code, err.count("\n")) == (2, 1)
        assert "line 1 is no entry" in err


def test_what_cannot_be_checked_is_told_in_a_sentence(hub: Hub, tmp_path: Path) -> None:
    settings = ("--settings", str(hub.settings))
    (tmp_path / "empty").mkdir()
    empty = Hub(tmp_path / "empty", 1)
    for arguments, said in (
        (("verify",), "--settings FILE or --export FILE"),
        (("verify", *settings, "--anchors", str(tmp_path / "none")), "no such file or folder"),
        (("verify", "--settings", str(empty.settings)), "no database"),
        (("export", "--settings", str(empty.settings)), "no database"),
        (("anchor", "--settings", str(empty.settings)), "no database"),
        (("verify", "--export", str(tmp_path / "none")), "No such file"),
    ):
        code, out, err = run("audit", *arguments)
        assert (code, out, err.count("\n")) == (2, "", 1), arguments
        assert said in err
    anchor = tmp_path / "anchor.json"
    anchor.write_text(run("audit", "anchor", *settings)[1].replace('"seq":4', '"seq":5'))
    code, _, err = run("audit", "verify", *settings, "--anchors", str(anchor))
    assert (code, err.count("\n")) == (2, 1)
    assert "has not signed" in err
    empty.database.parent.mkdir()
    empty.database.write_bytes(b"this is no database" * 1000)
    assert run("audit", "verify", "--settings", str(empty.settings))[0] == 2
    db = Db(empty.database)
    empty.database.unlink()
    db.open()
    db.close()
    assert "nothing has been written" in run("audit", "anchor", "--settings", str(empty.settings))[2]
