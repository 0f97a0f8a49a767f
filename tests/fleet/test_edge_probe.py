"""Figures of this machine, of a /sys laid out by hand, and of a supervisord of our own."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from edge_agent.fleet import processes
from edge_agent.fleet.probe import Probe
from edge_agent.fleet.usage import Facts


def _lay(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_this_machine(tmp_path: Path) -> None:
    vitals = Probe(tmp_path).vitals()
    assert 0 <= vitals.cpu_permille <= 1000
    assert vitals.memory_total == psutil.virtual_memory().total
    assert 0 < vitals.memory_available <= vitals.memory_total
    disk = os.statvfs(tmp_path)
    assert vitals.disk_total == disk.f_blocks * disk.f_frsize
    assert 0 <= vitals.disk_free <= vitals.disk_total
    assert abs(vitals.uptime_s - time.clock_gettime(time.CLOCK_BOOTTIME)) < 60
    assert vitals.agent_rss > 1_000_000
    assert vitals.load_milli is not None
    assert vitals.processes == ()


def test_work_shows_in_the_processor_figure(tmp_path: Path) -> None:
    probe = Probe(tmp_path)
    probe.vitals()
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        time.sleep(1)
        assert probe.vitals().cpu_permille > 500
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def test_the_processor_s_own_zone_is_read(tmp_path: Path) -> None:
    zones = "class/thermal/thermal_zone"
    _lay(
        tmp_path,
        {
            f"{zones}0/type": "acpitz\n",
            f"{zones}0/temp": "27800\n",
            f"{zones}1/type": "cpu-thermal\n",
            f"{zones}1/temp": "51540\n",
        },
    )
    assert Probe(tmp_path, sys=tmp_path).vitals().temperature_milli_c == 51540


def test_a_machine_without_sensors_has_no_figures(tmp_path: Path) -> None:
    vitals = Probe(tmp_path, sys=tmp_path).vitals()
    assert vitals.temperature_milli_c is None
    assert vitals.throttled is None


@pytest.mark.parametrize(("alarm", "throttled"), [("0\n", 0), ("1\n", 1)])
def test_under_voltage_of_a_raspberry_pi(tmp_path: Path, alarm: str, throttled: int) -> None:
    _lay(
        tmp_path,
        {
            "class/hwmon/hwmon0/name": "cpu_thermal\n",
            "class/hwmon/hwmon1/name": "rpi_volt\n",
            "class/hwmon/hwmon1/in0_lcrit_alarm": alarm,
        },
    )
    assert Probe(tmp_path, sys=tmp_path).vitals().throttled == throttled


def test_what_sys_knows_of_an_interface(tmp_path: Path) -> None:
    name = next(name for name in psutil.net_io_counters(pernic=True) if name != "lo")
    folder = f"class/net/{name}"
    _lay(tmp_path, {f"{folder}/type": "1\n", f"{folder}/uevent": "DEVTYPE=wwan\nINTERFACE=x\nIFINDEX=2\n"})
    (tmp_path / folder / "device").mkdir()
    (tmp_path / folder / "device" / "driver").symlink_to("../../../bus/usb/drivers/cdc_mbim")
    (tmp_path / folder / "phy80211").mkdir()
    facts = {one.name: one.facts for one in Probe(tmp_path, sys=tmp_path).counters()}[name]
    assert facts == Facts(type=1, devtype="wwan", driver="cdc_mbim", wireless=True, physical=True)


def test_counters_are_the_kernel_s(tmp_path: Path) -> None:
    before = {one.name: one for one in Probe(tmp_path).counters()}
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    received = {name.strip(): int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    assert set(before) == set(received)
    assert all(before[name].rx_bytes <= received[name] for name in before)


def test_a_figure_that_fails_is_absent_and_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    disk = tmp_path / "disk"
    probe = Probe(disk)
    with caplog.at_level(logging.INFO):
        assert probe.vitals().disk_total == 0
        assert probe.vitals().disk_total == 0
        disk.mkdir()
        assert probe.vitals().disk_total > 0
    assert [record.message.split(":")[1] for record in caplog.records] == [
        " disk cannot be read",
        " disk can be read again",
    ]


SUPERVISORD = """
[supervisord]
nodaemon=true
silent=true
logfile={root}/log
pidfile={root}/pid
{user}
[unix_http_server]
file={root}/s
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:one]
command=sleep 1000
process_name=agent
[group:terminal-1]
programs=one
[program:other]
command=sh -c "exit 3"
startretries=0
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[str]:
    """The socket of a running supervisord with one process that runs and one that does not."""
    config = tmp_path / "conf"
    config.write_text(SUPERVISORD.format(root=tmp_path, user="user=root" if os.geteuid() == 0 else ""))
    process = subprocess.Popen([sys.executable, "-m", "supervisor.supervisord", "-c", str(config)])
    try:
        yield str(tmp_path / "s")
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(path: str, device: str, wanted: dict[str, str]) -> None:
    end = time.monotonic() + 20
    found: object = None
    while time.monotonic() < end:
        try:
            found = {one.name: one.state for one in processes.states(path, device)}
        except processes.NoAnswer as error:
            found = error
        if found == wanted:
            return
        time.sleep(0.1)
    raise AssertionError(f"found {found}, wanted {wanted}")


def test_processes_of_the_device_s_group_or_all(supervisor: str) -> None:
    _wait_for(supervisor, "terminal-1", {"agent": "running"})
    _wait_for(supervisor, "tablet-1", {"agent": "running", "other": "fatal"})


def test_no_supervisor_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(processes.NoAnswer):
        processes.states(str(tmp_path / "none"), "")
