"""`machinaka-hub` as a person types it: settings, a port in use, the first link, backups."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from hub import settings as hub_settings
from tests.hub_process import Hub
from wire.settings_file import BadSetting


def run(*arguments: str) -> tuple[int, str, str]:
    """A command's code and what it wrote."""
    done = subprocess.run(
        [sys.executable, "-m", "hub", *arguments], check=False, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("text", "key", "found", "allowed"),
    [
        ("state_dir = 3", "state_dir", "3", "text"),
        ("", "state_dir", "nothing", "text"),
        ('state_dir = "x"\nport = 0', "port", "0", "from 1 to 65535"),
        ('state_dir = "x"\ncolour = "red"', "colour", "an unknown setting", "one of state_dir"),
        ('state_dir = "x"\nlanguage = "fr"', "language", "'fr'", '"ja" or "en"'),
        ('state_dir = "x"\nsession_hours = 9000', "session_hours", "9000", "24"),
        ('state_dir = "x"\n[broker]\nport = "a"', "broker.port", "'a'", "whole number"),
        ('state_dir = "x"\nhost = "0.0.0.0"', "host", "'0.0.0.0'", "https://"),
        ('state_dir = "x"\nhost = "hub.example"', "host", "'hub.example'", "https://"),
        ('state_dir = "x"\npublic_url = "http://hub.example"', "host", "'127.0.0.1'", "https://"),
        ('state_dir = "x"\npublic_url = "hub.example"', "public_url", "'hub.example'", "https://"),
        ('state_dir = "x"\npublic_url = "https://"', "public_url", "'https://'", "https://"),
        ("state_dir = ", "(file)", "Invalid value", "TOML"),
    ],
)
def test_a_wrong_setting_names_file_key_found_and_allowed(
    tmp_path: Path, text: str, key: str, found: str, allowed: str
) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(text)
    with pytest.raises(BadSetting) as error:
        hub_settings.load(path)
    assert (error.value.file, error.value.key) == (str(path), key)
    assert found in error.value.found
    assert allowed in error.value.allowed
    assert str(error.value).count("\n") == 0


@pytest.mark.parametrize(
    ("text", "url", "secure"),
    [
        ("", "http://127.0.0.1:8080", False),
        ('host = "::1"', "http://[::1]:8080", False),
        ('host = "localhost"', "http://localhost:8080", False),
        ('host = "0.0.0.0"\npublic_url = "https://hub.example/"', "https://hub.example", True),
    ],
)
def test_plain_http_is_for_this_machine_only(tmp_path: Path, text: str, url: str, secure: bool) -> None:
    path = tmp_path / "hub.toml"
    path.write_text('state_dir = "x"\n' + text)
    settings = hub_settings.load(path)
    assert (settings.url, settings.secure) == (url, secure)


def test_a_command_with_wrong_settings_ends_with_one_sentence_and_2(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text('state_dir = "x"\nport = 99999')
    for command in (["serve"], ["admin-link"], ["backup", "--to", str(tmp_path / "copy.db")]):
        code, out, err = run(*command, "--settings", str(path))
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "port" in err
        assert str(path) in err
    code, _, err = run("serve", "--settings", str(tmp_path / "none.toml"))
    assert (code, err.count("\n")) == (2, 1)
    assert "none.toml: (file): found No such file or directory, expected a readable settings file" in err
    assert run()[0] == 2
    assert run("--version")[0] == 0


def test_a_folder_that_cannot_be_the_hubs_is_told(tmp_path: Path) -> None:
    hub = Hub(tmp_path, 1)
    (tmp_path / "hub").write_text("a file where the folder should be")
    code, _, err = run("serve", "--settings", str(hub.settings))
    assert (code, err.count("\n")) == (2, 1)
    assert "state_dir" in err
    (tmp_path / "hub").unlink()
    (tmp_path / "hub").mkdir()
    hub.database.write_bytes(b"this is no database" * 1000)
    code, _, err = run("admin-link", "--settings", str(hub.settings))
    assert (code, err.count("\n")) == (2, 1)
    assert "not a database" in err


def test_a_port_in_use_is_told_before_anything_is_begun(tmp_path: Path) -> None:
    hub = Hub(tmp_path, 1)
    with socket.create_server(("127.0.0.1", hub.port)):
        code, _, err = run("serve", "--settings", str(hub.settings))
    assert (code, err) == (1, f"machinaka-hub: 127.0.0.1:{hub.port}: Address already in use\n")
    assert not hub.database.exists()


def test_the_first_link_is_printed_and_the_files_are_for_the_hub_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        hub = Hub(tmp_path, 1)
        link = hub.command("admin-link")
        assert link.startswith(f"{hub.url}/welcome?token=")
        with hub:
            assert hub.command("admin-link") != link
            modes = {path.name: path.stat().st_mode & 0o077 for path in hub.database.parent.iterdir()}
            assert {"hub.db", "session.key"} <= set(modes)
            assert set(modes.values()) == {0}
            assert hub.stop() == 0
        with sqlite3.connect(hub.database) as conn:
            conn.execute("INSERT INTO person VALUES (1, 'hanako', '', 'administrator', 'x', 0, 0)")
        conn.close()
        assert hub.command("admin-link") == f"There is an administrator already; sign in at {hub.url}/sign-in"
    finally:
        os.umask(before)


def test_a_backup_ends_while_the_hub_writes_and_can_be_opened(tmp_path: Path) -> None:
    hub = Hub(tmp_path, 1)
    hub.command("admin-link")
    script = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)\n"
        "c.execute('CREATE TABLE big (x)'); c.execute('BEGIN')\n"
        "c.executemany('INSERT INTO big VALUES (zeroblob(4000))', [()] * 12000); c.execute('COMMIT')\n"
        "print('ready', flush=True)\n"
        # Others get a turn, as they do beside a hub.
        "import time\n"
        "while True: c.execute('INSERT INTO big VALUES (1)'); time.sleep(0.001)"
    )
    writer = subprocess.Popen([sys.executable, "-c", script, str(hub.database)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    try:
        assert writer.stdout.readline() == b"ready\n"
        copy = tmp_path / "copy.db"
        assert hub.command("backup", "--to", str(copy)) == f"{copy}: {copy.stat().st_size} bytes"
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()
    assert copy.stat().st_mode & 0o077 == 0
    with sqlite3.connect(copy) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert conn.execute("SELECT count(*) FROM big").fetchone()[0] >= 12_000
    conn.close()


def test_a_backup_that_cannot_be_is_told(tmp_path: Path) -> None:
    hub = Hub(tmp_path, 1)
    arguments = ("backup", "--settings", str(hub.settings), "--to", str(tmp_path / "no" / "copy.db"))
    code, _, err = run(*arguments)
    assert (code, err) == (
        2,
        f"machinaka-hub: {hub.database}: no database; the hub has not run with these settings\n",
    )
    assert not hub.database.exists()
    hub.command("admin-link")
    code, _, err = run(*arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert "unable to open" in err


def test_a_hub_that_is_told_to_stop_ends_in_good_order(tmp_path: Path) -> None:
    with Hub(tmp_path, 1) as hub:
        assert hub.stop(signal.SIGTERM) == 0
    assert "Traceback" not in hub.log.read_text()
