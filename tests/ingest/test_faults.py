"""What goes wrong in the world: kills, a full disk, an old backup, a record that the database refuses."""

import logging
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from hub.attendance import store as attendance
from hub.db import Db
from hub.fleet import store
from tests.broker import Broker
from tests.ingest.parts import SPOOL, Device, Hub, batch, punch, run_of, running_hub, soon
from wire.messages import Ack


def _has_lanes(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as conn:
        return bool(conn.execute("SELECT count(*) FROM sqlite_master WHERE name = 'lane'").fetchone()[0])


def test_a_hub_killed_at_any_moment_loses_and_doubles_nothing(broker: Broker, tmp_path: Path) -> None:
    chosen = random.Random(3)
    path = tmp_path / "hub.db"
    device = Device(broker.port)
    confirmed = 0
    for _ in range(6):
        child = subprocess.Popen([sys.executable, "-m", "tests.ingest.hub_child", str(broker.port), str(path)])
        # The first one has to make its tables before anything can be said of them.
        assert soon(lambda: path.exists() and _has_lanes(path))
        end = time.monotonic() + chosen.uniform(0.8, 1.6)
        while time.monotonic() < end:
            device.send(run_of(confirmed, 100))
            while (ack := device.ack(0.2)) is not None:
                confirmed = max(confirmed, ack.through)
        child.send_signal(signal.SIGKILL)
        child.wait()
        with sqlite3.connect(path) as conn:
            (through,) = conn.execute("SELECT coalesce(max(through), 0) FROM lane").fetchone()
        conn.close()
        assert through >= confirmed
    with running_hub(path, broker.port) as hub:
        device.deliver(run_of(confirmed, 100))
        assert confirmed > 100
        assert hub.seqs() == list(range(1, confirmed + 101))
    device.drop()


def test_a_broker_that_goes_and_comes_back(broker: Broker, hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "hub.ingest")
    first = Device(broker.port)
    first.deliver(run_of(0, 5))
    first.drop()
    broker.stop(signal.SIGKILL)
    assert soon(lambda: not hub.ingest.connected)
    time.sleep(0.5)
    broker.start()
    assert soon(lambda: hub.ingest.connected)
    # Nobody heard whether the device left with the broker.
    assert soon(lambda: hub.db.read(store.totals).online == 0)
    second = Device(broker.port)
    second.deliver(run_of(5, 5))
    assert hub.seqs() == list(range(1, 11))
    assert hub.db.read(store.totals).online == 1
    said = [entry.message for entry in caplog.records if entry.name == "hub.ingest"]
    assert len([line for line in said if "away" in line]) == 1
    assert len([line for line in said if "back" in line]) == 1
    second.drop()


def test_a_full_disk_is_told_once_and_heals(hub: Hub, device: Device, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "hub.ingest")
    device.deliver(run_of(0, 5))

    def limit(pages: int) -> None:
        hub.db.write_now(lambda conn: conn.execute(f"PRAGMA max_page_count = {pages}").fetchone())

    limit(1)  # as many as there are
    after = 5
    while after < 5_000:
        device.send(run_of(after, 500))
        if device.ack(0.5) is None:
            break
        after += 500
    assert after < 5_000, "the disk never became full"
    stored = hub.seqs()
    assert stored == list(range(1, after + 1))
    limit(1_000_000)
    device.deliver(run_of(after, 500))
    assert hub.seqs() == list(range(1, after + 501))
    said = [entry.message for entry in caplog.records if entry.name == "hub.ingest"]
    assert len([line for line in said if "takes nothing" in line]) == 1
    assert soon(lambda: "takes records again" in caplog.text)


def test_a_hub_restored_from_a_backup_gets_again_what_it_lost(broker: Broker, tmp_path: Path) -> None:
    path, copy = tmp_path / "hub.db", tmp_path / "copy.db"
    device = Device(broker.port)
    with running_hub(path, broker.port) as hub:
        device.deliver(run_of(0, 10))
        device.deliver(batch(0, punch(1), lane="urgent"))
        hub.db.backup(copy)
        device.deliver(run_of(10, 10))
        device.deliver(batch(1, punch(2), lane="urgent"))
    for leftover in (path, path.with_name("hub.db-wal"), path.with_name("hub.db-shm")):
        leftover.unlink(missing_ok=True)
    copy.rename(path)
    with running_hub(path, broker.port) as hub:
        # It says by itself where it is.
        assert {device.ack(), device.ack()} == {
            Ack(SPOOL, "bulk", 10, begins=True),
            Ack(SPOOL, "urgent", 1, begins=True),
        }
        device.send(run_of(20, 5))
        assert device.ack() == Ack(SPOOL, "bulk", 10)
        # The device goes back to the cursor; it still has 13 and later.
        device.send(batch(10, *run_of(12, 13).records, missing=2))
        assert device.ack() == Ack(SPOOL, "bulk", 25)
        device.deliver(batch(0, punch(1), punch(2), lane="urgent"))
        assert hub.seqs() == [*range(1, 11), *range(13, 26)]
        assert hub.seqs("urgent") == [1, 2]
        assert len(hub.db.read(attendance.latest_taps)) == 2
        assert hub.db.read(store.totals).missing == 2
    device.drop()


def test_a_message_that_the_database_refuses_is_found_and_kept_aside(hub: Hub, device: Device, broker: Broker) -> None:
    """No such message is known; a trigger stands for the mistake that lets one through."""
    hub.db.write_now(
        lambda conn: conn.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON punch WHEN NEW.seq = 13 BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    )
    other = Device(broker.port, "terminal-2")
    other.deliver(run_of(0, 5, spool="a" * 16))
    device.send(batch(12, punch(13), lane="urgent", spool="b" * 16))
    device.deliver(batch(0, punch(13), punch(14), lane="urgent"))
    other.deliver(run_of(5, 5, spool="a" * 16))
    (later, kept) = hub.db.read(store.quarantine)
    assert (kept.device, kept.lane, kept.seq, later.seq) == ("terminal-1", "urgent", 13, 14)
    assert "refused" in kept.reason
    assert b'"punch"' in kept.raw
    assert hub.db.read(store.totals).unreadable == 0
    assert hub.seqs(spool="a" * 16) == list(range(1, 11))
    # Its lane is not held up by it.
    device.deliver(batch(14, punch(15), lane="urgent"))
    assert hub.seqs("urgent") == [15]
    device.deliver(run_of(0, 5))
    other.drop()


def test_a_number_that_somebody_else_gave_heals(hub: Hub, device: Device, broker: Broker) -> None:
    """Enrolment may write devices while the hub takes in."""
    device.deliver(run_of(0, 1))
    highest = hub.count("SELECT max(id) FROM device")
    hub.db.write_now(
        lambda conn: conn.execute(
            "INSERT INTO device (id, name, first_heard_ms, last_heard_ms) VALUES (?, 'enrolled', 0, 0)",
            (highest + 1,),
        )
    )
    other = Device(broker.port, "terminal-2")
    other.deliver(run_of(0, 5, spool="a" * 16))
    assert hub.seqs(spool="a" * 16) == [1, 2, 3, 4, 5]
    assert [row.name for row in hub.db.read(store.devices)] == ["enrolled", "terminal-1", "terminal-2"]
    assert hub.db.read(store.totals).unreadable == 0
    other.drop()


def test_what_waits_at_the_broker_for_a_hub_that_is_away_comes_when_it_is_back(broker: Broker, tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    with running_hub(path, broker.port):
        pass
    device = Device(broker.port)
    for after in range(0, 50, 10):
        device.send(run_of(after, 10))
    with running_hub(path, broker.port):
        assert soon(lambda: device.ack() == Ack(SPOOL, "bulk", 50))
    reader = Db(path)
    assert reader.read(store.totals).events == 50
    reader.close()
    device.drop()
