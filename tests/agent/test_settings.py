"""What a person got wrong in the agent's files ends with code 2 and one sentence: file, key, found, allowed."""

import socket
from pathlib import Path

import pytest

from edge_agent import settings as agent_settings
from tests.agent.agent_process import Child, command, until, write_settings
from wire.settings_file import BadSetting

_GOOD = 'device = "terminal-1"\nkind = "terminal"\nstate_dir = "/var/lib/machinaka"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('colour = "red"', "colour: found an unknown setting, expected one of device, kind, state_dir, broker, spool"),
        ('[broker]\nhots = "a"', "broker.hots: found an unknown setting, expected one of host, port, keepalive_s"),
        ('[broker]\nport = "1883"', "broker.port: found '1883', expected a whole number from 1 to 65535"),
        ("[broker]\nport = 0", "broker.port: found 0, expected a whole number from 1 to 65535"),
        ("[broker]\nport = 1.5", "broker.port: found 1.5, expected a whole number from 1 to 65535"),
        ("health_every_s = true", "health_every_s: found True, expected a whole number of at least 1"),
        ("kiosk = 8081", "kiosk: found 8081, expected a section with host, port, language"),
        ('[kiosk]\nlanguage = "fr"', 'kiosk.language: found \'fr\', expected "ja" or "en"'),
        ('[kiosk]\nhost = "0.0.0.0"', 'kiosk.host: found \'0.0.0.0\', expected "127.0.0.1" or "::1"'),
        (
            f'[kiosk]\ncontact = "{"a" * 31}"',
            f"kiosk.contact: found '{'a' * 31}', expected a text in quotes of at most 30",
        ),
        ("[kiosk]\nport = 8081", "attendance.reader: found nothing, expected a reader, because kiosk.port asks for"),
        ('[attendance]\nclock_out_from = "24:00"', "attendance.clock_out_from: found '24:00', expected a time of day"),
        (
            '[attendance]\nclock_out_from = "12:00\\n"',
            "attendance.clock_out_from: found '12:00\\n', expected a time of",
        ),
        (
            "[attendance]\ndebounce_s = 3601",
            "attendance.debounce_s: found 3601, expected a whole number from 0 to 3600",
        ),
    ],
)
def test_a_wrong_setting_names_what_is_allowed(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(_GOOD + text, encoding="utf-8")
    with pytest.raises(BadSetting) as refused:
        agent_settings.load(path)
    assert str(refused.value).startswith(f"{path}: {sentence}")


@pytest.mark.parametrize(
    ("good", "wrong", "sentence"),
    [
        ('"terminal-1"', '"Terminal 1"', "device: found 'Terminal 1', expected a name of a-z, 0-9 and - (at most 63)"),
        ('"terminal-1"', "1", "device: found 1, expected a text in quotes"),
        ('device = "terminal-1"', "", "device: found nothing, expected a text in quotes"),
        ('"terminal"', '"fridge"', 'kind: found \'fridge\', expected "terminal" or "tablet" or "access_point"'),
        ('"/var/lib/machinaka"', '""', "state_dir: found '', expected a folder's whole path, from / on"),
        ('"/var/lib/machinaka"', '"var"', "state_dir: found 'var', expected a folder's whole path, from / on"),
    ],
)
def test_what_every_agent_needs(tmp_path: Path, good: str, wrong: str, sentence: str) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(_GOOD.replace(good, wrong), encoding="utf-8")
    with pytest.raises(BadSetting) as refused:
        agent_settings.load(path)
    assert str(refused.value) == f"{path}: {sentence}"


def test_defaults(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(_GOOD, encoding="utf-8")
    settings = agent_settings.load(path)
    assert (settings.attendance.debounce_s, settings.attendance.clock_out_from) == (120, "12:00")
    assert (settings.kiosk.host, settings.kiosk.port, settings.broker.bulk_every_s) == ("127.0.0.1", 0, 60)


# ---- as a process


def _refused(path: Path, sentence: str, **environment: str) -> None:
    done = command("run", "--settings", str(path), **environment)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith(f"machinaka-agent: {path}: {sentence}"), done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith("\n")


def test_an_unknown_key(tmp_path: Path) -> None:
    _refused(write_settings(tmp_path / "agent.toml", colour="red"), "colour: found an unknown setting, expected one of")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    sentence = "(file): found No such file or directory, expected a readable settings file"
    _refused(tmp_path / "agent.toml", sentence)


@pytest.mark.parametrize("text", [b"device = ", b"\xff\xfe", b"device = 'a'\ndevice = 'b'"])
def test_a_file_that_is_no_toml(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "agent.toml"
    path.write_bytes(text)
    _refused(path, "(file): found ")


@pytest.mark.parametrize("reader", ["sonar", "udp:", "serial:", "wedge:"])
def test_a_reader_that_nobody_makes(tmp_path: Path, reader: str) -> None:
    path = write_settings(tmp_path / "agent.toml", attendance={"reader": reader})
    _refused(path, f"attendance.reader: found '{reader}', expected udp:HOST:PORT, usb, ")


def test_a_reader_whose_part_is_not_installed(tmp_path: Path) -> None:
    # Found before the real one: as on a machine without it.
    (tmp_path / "evdev.py").write_text("raise ImportError('not installed here')\n")
    path = write_settings(tmp_path / "agent.toml", attendance={"reader": "wedge:/dev/input/event0"})
    _refused(
        path,
        "attendance.reader: found 'wedge:/dev/input/event0', expected the optional part `machinaka[wedge]` to be",
        PYTHONPATH=str(tmp_path),
    )


def test_a_state_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "state"
    path = write_settings(tmp_path / "agent.toml", state_dir=str(folder))
    _refused(path, f"state_dir: found '{folder}' (Not a directory), expected a folder that the agent may write to")


def test_a_state_folder_that_takes_no_spool(tmp_path: Path) -> None:
    path = write_settings(tmp_path / "agent.toml")
    (tmp_path / "state" / "spool.db").mkdir(parents=True)
    _refused(path, f"state_dir: found '{tmp_path / 'state'}' (unable to open database file), expected a folder that")


def test_a_page_whose_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = write_settings(tmp_path / "agent.toml", attendance={"reader": "udp:127.0.0.1:9"}, kiosk={"port": port})
        _refused(path, f"kiosk.port: found {port} (Address already in use), expected a port that nobody else has")


def test_a_key_that_is_none(tmp_path: Path) -> None:
    path = write_settings(tmp_path / "agent.toml", attendance={"reader": "udp:127.0.0.1:9"})
    key = tmp_path / "state" / "card.key"
    key.parent.mkdir()
    key.write_bytes(b"half a key")
    done = command("run", "--settings", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"machinaka-agent: {key}: (file): found 10 bytes, expected the terminal's key of 32 bytes\n"


def test_words_that_are_no_command() -> None:
    done = command("dance")
    assert done.returncode == 2
    assert "invalid choice: 'dance'" in done.stderr


def test_a_state_folder_that_another_agent_uses(tmp_path: Path) -> None:
    path = write_settings(tmp_path / "agent.toml")
    with Child("run", "--settings", str(path)) as first:
        until((tmp_path / "state" / "spool.db").exists, "the first agent runs")
        done = command("run", "--settings", str(path))
        assert done.returncode == 2
        assert f"state_dir: found '{tmp_path / 'state'}', which another agent uses, expected a folder" in done.stderr
        assert first.process.poll() is None
    # However the first one ended, the next may have it.
    with Child("run", "--settings", str(path)) as again:
        again.until_it_says("broker 127.0.0.1:")
