"""The files of a town: laid out once, right after each start, and a person's changes kept."""

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest

from edge_agent import settings as edge_settings
from provisioning import authority, layout, supervised
from provisioning.layout import KINDS, CannotLayOut, Town
from provisioning.ports import Ports
from tests.broker import wait_for_port
from wire import topics
from wire.settings_file import BadSetting

FIRST = Ports()


def _town(folder: Path, ports: Ports = FIRST) -> Town:
    layout.make_folder(folder)
    town = Town(folder, ports)
    layout.lay_out(town)
    return town


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


def test_the_agents_take_their_settings(tmp_path: Path) -> None:
    town = _town(tmp_path / "var", Ports(broker=1884, kiosk=8090, field=47001))
    for kind in KINDS:
        settings = edge_settings.load(town.agent_toml(kind))
        assert settings.kind == kind
        assert settings.device == layout.device_name(kind)
        assert topics.is_device(settings.device)
        assert settings.broker.port == 1884
        assert Path(settings.state_dir).is_dir()
        assert settings.kiosk.port == (8090 if kind == "terminal" else 0)
        assert settings.attendance.reader == ("udp:127.0.0.1:47001" if kind == "terminal" else "")


def test_the_folder_is_its_owner_s(tmp_path: Path) -> None:
    town = _town(tmp_path / "var")
    assert town.folder.stat().st_mode & 0o777 == 0o700


def test_a_second_run_keeps_what_a_person_changed_and_brings_new_ports(tmp_path: Path) -> None:
    town = _town(tmp_path / "var")
    terminal = town.agent_toml("terminal")
    text = terminal.read_text().replace("udp:127.0.0.1:47000", "usb").replace("= 10", "= 77")
    terminal.write_text(text + 'language = "en"\n')
    town.hub_toml.write_text(town.hub_toml.read_text().replace('"ja"', '"en"'))
    moved = Town(town.folder, Ports(broker=2000, hub=2001, kiosk=2002, field=2003))
    layout.lay_out(moved)
    settings = edge_settings.load(terminal)
    assert settings.attendance.reader == "usb"
    assert settings.health_every_s == 77
    assert (settings.kiosk.language, settings.kiosk.port, settings.broker.port) == ("en", 2002, 2000)
    hub = _toml(town.hub_toml)
    assert (hub["language"], hub["port"], hub["broker"]["port"]) == ("en", 2001, 2000)
    assert hub["public_url"] == "http://127.0.0.1:2001"
    # A real reader needs no simulated field.
    assert "field" not in town.supervisord_conf.read_text()


def test_a_file_that_needs_no_change_is_left_alone(tmp_path: Path) -> None:
    town = _town(tmp_path / "var")
    terminal = town.agent_toml("terminal")
    terminal.write_text(terminal.read_text() + "# a person's own words\n")
    layout.lay_out(town)
    assert terminal.read_text().endswith("# a person's own words\n")


def test_an_address_of_the_town_s_own_stays(tmp_path: Path) -> None:
    town = _town(tmp_path / "var")
    text = town.hub_toml.read_text().replace("http://127.0.0.1:8080", "https://town.example")
    town.hub_toml.write_text(text)
    layout.lay_out(Town(town.folder, Ports(hub=9999)))
    assert _toml(town.hub_toml)["public_url"] == "https://town.example"


def test_broken_settings_are_told(tmp_path: Path) -> None:
    town = _town(tmp_path / "var")
    town.hub_toml.write_text("port = = 1\n")
    with pytest.raises(BadSetting, match=r"hub\.toml: \(file\): found .*, expected a TOML file in UTF-8"):
        layout.lay_out(town)


@pytest.mark.parametrize("name", ["x" * 120, 'a"b', "a;b", "100%"])
def test_a_folder_that_cannot_be_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotLayOut):
        layout.make_folder(tmp_path / name)


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    with pytest.raises(CannotLayOut, match="var: cannot be made: File exists"):
        layout.make_folder(tmp_path / "var")


def test_odd_paths_reach_the_programs_whole(free_ports: Ports) -> None:
    # The path of pytest's own folder may be as long as a town's may be at most.
    with tempfile.TemporaryDirectory() as folder:
        _goes_by_an_odd_path(_town(Path(folder) / "a b 町", free_ports), free_ports)


def _goes_by_an_odd_path(town: Town, free_ports: Ports) -> None:
    assert authority.settle(town)
    assert not authority.settle(town)
    supervisord = supervised.Supervised(town)
    try:
        wait_for_port(free_ports.broker)
    finally:
        supervisord.stop([])
    assert not supervisord.alive


def test_leftovers_of_this_town_are_ended_and_nobody_else(tmp_path: Path) -> None:
    town = Town(tmp_path / "var", Ports())
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    mine = {**os.environ, layout.MARK: str(town.folder)}
    other = {**os.environ, layout.MARK: str(town.folder) + "2"}
    left = subprocess.Popen([sys.executable, "-c", stubborn], env=mine, stdout=subprocess.PIPE)
    apart = subprocess.Popen(["sleep", "60"], env=other)
    try:
        assert left.stdout is not None
        left.stdout.readline()
        assert supervised.sweep(town, patience_s=0.3) == 1
        assert left.poll() is not None
        assert apart.poll() is None
        assert supervised.sweep(town) == 0
    finally:
        for one in (left, apart):
            one.kill()
            one.wait()
        if left.stdout:
            left.stdout.close()
