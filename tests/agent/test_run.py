"""`machinaka-agent run` and `spool` as processes: they begin, meet the world's faults, and end with all on disk."""

import asyncio
import os
import shutil
import signal
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.x509 import load_pem_x509_certificate

from edge_agent import app
from edge_agent import settings as agent_settings
from edge_agent.clock import Clock
from edge_agent.spool import Spool, SpoolFull
from tests.agent.agent_process import Child, command, until, write_settings
from tests.broker import Broker, free_port
from tests.certificates import Pki
from tests.clock.hand_time import HandTime
from wire import codec
from wire.messages import Ack, Alarm
from wire.x509 import Withdrawn

_STAMP = HandTime().stamp()


def _settings(folder: Path, **changes: object) -> Path:
    """An access point's: it has no reader, and so nothing but the loops that every device has."""
    plain: dict[str, object] = {"kind": "access_point", "health_every_s": 1, "broker": {"port": free_port()}}
    return write_settings(folder / "agent.toml", **(plain | changes))


def _spool(folder: Path, max_bytes: int = 256 << 20) -> Spool:
    clock = Clock(folder / "state" / "good-time")
    return Spool(folder / "state" / "spool.db", max_bytes=max_bytes, ballast_bytes=4096, stamp=clock.stamp)


def _kept(folder: Path, kind: str) -> int:
    path = folder / "state" / "spool.db"
    if not path.exists():
        return 0
    db = sqlite3.connect(path, timeout=60)
    try:
        return int(db.execute("SELECT count(*) FROM record WHERE kind = ?", (kind,)).fetchone()[0])
    except sqlite3.DatabaseError:
        return 0  # broken, or its tables are being made
    finally:
        db.close()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to_with_everything_on_disk(tmp_path: Path, sig: signal.Signals) -> None:
    settings = _settings(tmp_path)
    with Child("run", "--settings", str(settings)) as agent:
        until(lambda: _kept(tmp_path, "health") >= 2, "two rounds of health")
        seen = _kept(tmp_path, "health")
        assert agent.end(sig) == 0, agent.said
    assert "Traceback" not in agent.said
    # Closed tidily: no log is left beside the file, and the next start needs no check.
    files = {path.name for path in (tmp_path / "state").iterdir()}
    assert {"spool.db", "spool.clean"} <= files
    assert not {"spool.db-wal", "spool.db-shm"} & files
    spool = _spool(tmp_path)
    assert len(spool.recent("health", 100)) >= seen
    spool.close()


def test_a_killed_agent_loses_nothing_and_starts_again(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    with Child("run", "--settings", str(settings)) as agent:
        until(lambda: _kept(tmp_path, "health") >= 1, "a round of health")
        agent.end(signal.SIGKILL)
    seen = _kept(tmp_path, "health")
    with Child("run", "--settings", str(settings)) as agent:
        until(lambda: _kept(tmp_path, "health") > seen, "another round of health")
        assert agent.end() == 0


def test_a_broken_spool_is_set_aside_and_told(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    (tmp_path / "state").mkdir(exist_ok=True)
    (tmp_path / "state" / "spool.db").write_bytes(b"no database, but longer than a header" * 200)
    with Child("run", "--settings", str(settings)) as agent:
        until(lambda: _kept(tmp_path, "alarm") == 1, "the alarm")
        assert agent.end() == 0
    assert agent.said.count("the spool was broken") == 1
    spool = _spool(tmp_path)
    [alarm] = spool.recent("alarm", 9)
    assert codec.decode_body("alarm", alarm.body) == Alarm("spool_broken", "begun")
    spool.close()
    [aside] = (tmp_path / "state").glob("spool.db.broken-*")
    assert aside.read_bytes().startswith(b"no database")


def test_a_file_in_the_way_is_one_sentence(tmp_path: Path) -> None:
    settings = write_settings(tmp_path / "agent.toml", attendance={"reader": "udp:127.0.0.1:9"})
    key = tmp_path / "state" / "card.key"
    key.mkdir(parents=True)
    done = command("run", "--settings", str(settings))
    assert (done.returncode, done.stderr) == (1, f"machinaka-agent: {key}: Is a directory\n")


def test_a_spool_that_breaks_while_it_is_used_ends_the_agent_and_the_next_one_goes_on(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    path = tmp_path / "state" / "spool.db"
    with Child("run", "--settings", str(settings)) as agent:
        until(lambda: _kept(tmp_path, "health") >= 1, "a round of health")
        # Somebody writes over the file and its log: the next statement finds no database.
        for suffix in ("-wal", "-shm", ""):
            os.truncate(f"{path}{suffix}", 0)
        until(lambda: agent.process.poll() is not None or "cannot be kept" in agent.said, "the fault is noticed")
        agent.end()
    with Child("run", "--settings", str(settings)) as agent:
        until(lambda: _kept(tmp_path, "health") >= 1, "a round of health in a new file")
        assert agent.end() == 0


# ---- a disk that takes no more


def test_a_full_spool_does_not_end_the_agent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = agent_settings.load(_settings(tmp_path, spool={"max_mb": 1, "ballast_kb": 4}))
    spool = _spool(tmp_path, 1 << 20)
    for size in (100, 1):
        with pytest.raises(SpoolFull):
            _append_forever(spool, "x" * size)
    spool_id, newest = spool.spool_id, spool.recent("alarm", 1)[0].seq
    spool.close()
    time = HandTime()

    async def journey() -> None:
        running = asyncio.create_task(app.run(settings, clock=Clock(tmp_path / "state" / "good-time", time)))
        await asyncio.to_thread(until, lambda: "cannot be kept" in caplog.text, "the full disk is told")
        assert not running.done(), running.result()
        running.cancel()
        await running

    asyncio.run(journey())
    # The hub takes what waits, and the next start keeps what there is to tell.
    spool = _spool(tmp_path, 1 << 20)
    spool.take_ack(Ack(spool_id, "urgent", newest))
    spool.close()
    caplog.clear()

    async def afterwards() -> None:
        running = asyncio.create_task(app.run(settings, clock=Clock(tmp_path / "state" / "good-time", time)))
        await asyncio.to_thread(until, lambda: _kept(tmp_path, "clock") > 0, "the clock's reading is kept")
        running.cancel()
        await running

    asyncio.run(afterwards())


def _append_forever(spool: Spool, detail: str) -> None:
    body = codec.encode_body(Alarm("x", "begun", detail))
    while True:
        spool.append("alarm", body, _STAMP)


# ---- a broker that refuses


def test_a_broker_that_refuses_is_said_once_when_it_begins_and_once_when_it_ends(tmp_path: Path) -> None:
    town = Pki(tmp_path / "pki")
    broker = Broker(tmp_path, of=town)
    settings = _settings(tmp_path, broker={"port": broker.port})
    identity = tmp_path / "state" / "identity"
    shutil.rmtree(identity)
    serial = load_pem_x509_certificate((town.identity("terminal-1", identity) / "certificate.pem").read_bytes())
    town.withdrawn.append(Withdrawn(serial.serial_number, datetime.now(UTC)))
    town.write_crl()
    broker.start()
    try:
        with Child("run", "--settings", str(settings)) as agent:
            agent.until_it_says(f"broker 127.0.0.1:{broker.port}: ")
            log = tmp_path / "mosquitto.log"
            until(
                lambda: log.read_text(errors="replace").count("certificate verify failed") >= 3,
                "it tries again and again",
            )
            broker.stop()
            town.withdrawn.clear()
            town.write_crl()
            broker.start()
            agent.until_it_says("connected again")
            assert agent.end() == 0
        assert agent.said.count(f"broker 127.0.0.1:{broker.port}") == 2, agent.said
    finally:
        broker.stop()


def test_a_broker_that_goes_and_comes_is_said_once_each_time(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        settings = _settings(tmp_path, broker={"port": broker.port})
        with Child("run", "--settings", str(settings)) as agent:
            log = tmp_path / "mosquitto.log"
            until(lambda: "as terminal-1 " in log.read_text(), "it connects")
            for times in (1, 2):
                broker.stop(signal.SIGKILL)
                agent.until_it_says("WARNING edge_agent.uplink: broker", times=2 * times - 1)
                broker.start()
                agent.until_it_says("connected again", times)
            assert agent.end() == 0
        assert agent.said.count(f"broker 127.0.0.1:{broker.port}") == 4, agent.said


# ---- what waits on this disk


def test_the_spool_is_shown_before_beside_and_after_a_running_agent(tmp_path: Path) -> None:
    settings = _settings(tmp_path, health_every_s=3600, usage_every_s=3600)
    path = tmp_path / "state" / "spool.db"
    none = command("spool", "--settings", str(settings))
    assert (none.returncode, none.stderr) == (2, f"machinaka-agent: {path}: no spool yet\n")
    spool = _spool(tmp_path)
    for _ in range(3):
        spool.append("alarm", codec.encode_body(Alarm("filler", "begun")), _STAMP)
    spool.take_ack(Ack(spool.spool_id, "urgent", 2))
    spool_id = spool.spool_id
    spool.close()
    urgent = "urgent: 1 waiting, 3 kept, the hub has everything through 2"
    expected = [f"spool {spool_id}", urgent, "bulk: 0 waiting, 0 kept, the hub has everything through 0"]
    shown = command("spool", "--settings", str(settings))
    assert (shown.returncode, shown.stdout.splitlines(), shown.stderr) == (0, expected, "")
    with Child("run", "--settings", str(settings)):
        until(lambda: _kept(tmp_path, "usage") == 1, "it runs")
        beside = command("spool", "--settings", str(settings))
        assert (beside.returncode, beside.stdout.splitlines()[:2]) == (0, expected[:2])


def test_a_spool_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    path = tmp_path / "state" / "spool.db"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"no database" * 1000)
    done = command("spool", "--settings", str(settings))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"machinaka-agent: {path}: this spool cannot be read (file is not a database)\n"


def test_it_says_which_version_it_is() -> None:
    done = command("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
