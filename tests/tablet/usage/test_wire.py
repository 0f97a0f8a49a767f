"""From the wire to the months: a real broker, a hub that takes in, a tablet that counts; and the command that folds."""

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.broker import Broker
from tests.hub_process import Hub
from tests.ingest.parts import Device, batch, record, soon
from tests.tablet.usage.parts import EVENING_MS, HOUR_MS, SIM, mobile, wifi
from wire import codec, topics
from wire.messages import ClockReading, Interface, Presence, Record, Usage

BOOT = "11111111-2222-4333-8444-555555555555"


def _hello(device: Device, kind: str) -> None:
    presence = Presence(online=True, boot=BOOT, connection=1, version="1", device_kind=kind)
    device.send(codec.encode(presence), topics.topic(device.name, "presence"))


def _usage(seq: int, *interfaces: Interface, at_ms: int = EVENING_MS) -> Record:
    return record(seq, Usage(interfaces), "usage", at_ms=at_ms)


def test_a_tablet_is_metered_and_a_terminal_is_not(tmp_path: Path, broker: Broker) -> None:
    hub = Hub(tmp_path, broker.port)
    hub.start()
    try:
        hub.wait_until_it_hears()
        for name, kind in (("tablet-1", "tablet"), ("terminal-1", "terminal")):
            device = Device(broker.port, name)
            _hello(device, kind)
            sent = batch(
                0,
                _usage(1, mobile(1000), wifi(50)),
                _usage(2, mobile(3500), wifi(90), at_ms=EVENING_MS + HOUR_MS // 2),
            )
            device.deliver(sent)
            # The very same once more: a lost acknowledgement.
            device.send(sent)
            device.drop()
        found = soon(lambda: _months(hub))
        assert found == [("tablet-1", "2026-11", SIM, "sim", 2500), ("tablet-1", "2026-11", "", "wifi", 40)]
    finally:
        hub.stop()
    broken = _run(hub, "UPDATE usage_month SET amount = amount + 1 WHERE what = 'sim'")
    assert broken.returncode == 1, broken.stderr
    assert broken.stdout == "devices folded: 1; sums that were not the fold's: 1\n"
    assert _run(hub, "SELECT 1").returncode == 0
    assert {row[3]: row[4] for row in _months(hub)} == {"sim": 2500, "wifi": 40}


def test_figures_before_the_clock_was_set_go_where_they_belong(tmp_path: Path, broker: Broker) -> None:
    hub = Hub(tmp_path, broker.port)
    hub.start()
    try:
        hub.wait_until_it_hears()
        device = Device(broker.port, "tablet-1")
        _hello(device, "tablet")
        early = [
            record(n, Usage((mobile(n * 1000),)), "usage", at_ms=n, mono_ms=n * 1000, clock="unset") for n in (1, 2)
        ]
        device.deliver(batch(0, *early))
        reading = ClockReading(wall_ms=EVENING_MS, mono_ms=4000, was="unset")
        device.deliver(batch(2, record(3, reading, "clock", mono_ms=4000, at_ms=EVENING_MS)))
        device.drop()
        assert soon(lambda: [row for row in _months(hub) if row[1] == "2026-11"]) == [
            ("tablet-1", "2026-11", SIM, "sim", 1000)
        ]
    finally:
        hub.stop()


def test_the_command_says_what_it_needs(tmp_path: Path) -> None:
    hub = Hub(tmp_path, 1)
    done = subprocess.run(
        [sys.executable, "-m", "hub", "usage-recompute", "--settings", str(hub.settings)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.endswith("no database; the hub has not run with these settings\n")


def _months(hub: Hub) -> list[tuple[object, ...]]:
    return _sql(
        hub,
        "SELECT d.name, u.month, u.sim, u.what, u.amount FROM usage_month u JOIN device d ON d.id = u.device_id "
        "WHERE u.what IN ('sim', 'wifi') AND u.amount <> 0 ORDER BY 1, 4",
    )


def _sql(hub: Hub, statement: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(hub.database, timeout=30)) as conn, conn:
        return conn.execute(statement).fetchall()


def _run(hub: Hub, statement: str) -> subprocess.CompletedProcess[str]:
    _sql(hub, statement)
    return subprocess.run(
        [sys.executable, "-m", "hub", "usage-recompute", "--settings", str(hub.settings)],
        capture_output=True,
        text=True,
        check=False,
    )
