"""The simulated fleet against a real Mosquitto and a real hub."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.broker import Broker, free_port
from tests.certificates import pki
from tests.hub_process import Hub


@pytest.fixture
def hub(tmp_path: Path, broker: Broker) -> Iterator[Hub]:
    """A running hub."""
    with Hub(tmp_path, broker.port) as running:
        yield running


def command(*arguments: str) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "hub", "simulate", "fleet", "--ca", str(pki().folder), *arguments]


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs it to its end."""
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=120, check=False)


def at(broker: Broker) -> tuple[str, str]:
    """Where the broker is, as arguments."""
    return "--broker", f"127.0.0.1:{broker.port}"


def stored(hub: Hub) -> list[tuple[int, int, int, int]]:
    """Of each lane: how many events, how many different seqs, the highest of them, and the cursor."""
    with closing(sqlite3.connect(hub.database)) as db:
        (table,) = db.execute("SELECT name FROM sqlite_master WHERE name GLOB 'event_2*'").fetchone()
        return db.execute(
            f"SELECT count(*), count(DISTINCT e.seq), max(e.seq), l.through FROM lane l JOIN {table} e "  # noqa: S608
            "ON e.lane_id = l.id GROUP BY l.id"
        ).fetchall()


def check_stored_once(hub: Hub, records: int) -> None:
    """Every record is there, once, and the cursors say so."""
    lanes = stored(hub)
    assert sum(count for count, *_ in lanes) == records
    assert all(len(set(figures)) == 1 for figures in lanes)


def test_all_that_was_acked_is_stored_once(hub: Hub, broker: Broker) -> None:
    done = simulate(*at(broker), "--devices", "7", "--records", "2345", "--batch", "20")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^acked +2,345 of 2,345 records in", done.stdout, re.M)
    assert re.search(r"^ack latency +p50 \d+\.\d ms, p99 \d+\.\d ms$", done.stdout, re.M)
    assert re.search(r"^not acked +0$", done.stdout, re.M)
    check_stored_once(hub, 2345)
    with closing(sqlite3.connect(hub.database)) as db:
        names = {name for (name,) in db.execute("SELECT name FROM device WHERE online = 0")}
        kinds = {kind for (kind,) in db.execute("SELECT kind FROM latest")}
        assert db.execute("SELECT count(*) FROM quarantine").fetchone() == (0,)
    assert names == {f"sim-{number}" for number in range(1, 8)}
    assert kinds == {"health", "usage", "punch"}


def test_a_rate_is_kept_and_the_kinds_are_those_asked_for(hub: Hub, broker: Broker) -> None:
    done = simulate(
        *at(broker), "--devices", "3", "--rate", "200", "--batch", "1", "--seconds", "2", "--kind", "punch=1"
    )
    assert done.returncode == 0, done.stderr
    lanes = stored(hub)
    made = sum(count for count, *_ in lanes)
    # A busy machine may end late, and then a little more was due; it never sends more than was due.
    assert 0 < made <= 200 * 2 + 200
    with closing(sqlite3.connect(hub.database)) as db:
        assert db.execute("SELECT count(*) FROM punch").fetchone() == (made,)


def test_a_broker_that_is_killed_meanwhile_loses_nothing(hub: Hub, broker: Broker) -> None:
    process = subprocess.Popen(
        command(*at(broker), "--devices", "20", "--rate", "2000", "--batch", "10", "--records", "8000"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "acked" in process.stderr.readline()
    # The hub stands still, so that the broker's death takes batches with it that nobody has.
    assert hub.process is not None
    hub.process.send_signal(signal.SIGSTOP)
    under_way = re.compile(r" ([\d,]+) under way")
    while (line := under_way.search(process.stderr.readline())) is None or line[1] == "0":
        pass
    broker.stop(signal.SIGKILL)
    hub.process.send_signal(signal.SIGCONT)
    broker.start()
    out, errors = process.communicate(timeout=90)
    assert process.returncode == 0, out + errors
    assert re.search(r"^not acked +0$", out, re.M), out
    assert re.search(r"sent again +[1-9][\d,]* batches; connected again [1-9]", out), out
    check_stored_once(hub, 8000)


def test_ctrl_c_ends_with_the_summary(hub: Hub, broker: Broker) -> None:
    process = subprocess.Popen(
        command(*at(broker), "--devices", "2", "--rate", "100", "--seconds", "600"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert re.match(r" +1 s +\d+ acked, ", process.stderr.readline())
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert out.startswith("acked ")
    assert "Traceback" not in errors


def test_without_a_hub_it_says_what_was_not_acked(broker: Broker) -> None:
    process = subprocess.Popen(
        command(*at(broker), "--devices", "2", "--records", "50", "--batch", "5"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=60)
    assert re.search(r"^not acked +[1-9]", out, re.M), out + errors


def test_a_broker_that_is_away_is_one_sentence() -> None:
    done = simulate("--broker", f"127.0.0.1:{free_port()}", "--devices", "3")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "nothing answers at 127.0.0.1" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--devices", "0"], "--devices: found '0', expected a number from 1 to 20,000"),
        (["--devices", "two"], "--devices: found 'two', expected"),
        (["--devices", "2.5"], "--devices: found '2.5', expected a whole number"),
        (["--devices", "2", "--batch", "501"], "--batch: found '501', expected a number from 1 to 500"),
        (["--devices", "2", "--rate", "-1"], "--rate: found '-1', expected"),
        (["--devices", "2", "--rate", "nan"], "--rate: found 'nan', expected"),
        (["--devices", "2", "--seconds", "0"], "--seconds: found '0', expected"),
        (["--devices", "2", "--broker", "here"], "--broker: found 'here', expected HOST:PORT"),
        (["--devices", "2", "--broker", "127.0.0.1:99999"], "--broker: found '127.0.0.1:99999', expected"),
        (["--devices", "2", "--kind", "health=8,tea=1"], "--kind: found 'tea=1', expected shares"),
        (["--devices", "2", "--kind", "punch=0"], "--kind: found 'punch=0', expected at least one share above 0"),
        (["--devices", "2", "--prefix", "A b"], "--prefix: found 'A b', expected a name"),
        (["--devices", "2", "--records", "5", "--seconds", "5"], "not allowed with"),
        ([], "--devices"),
    ],
)
def test_bad_arguments_are_one_sentence(arguments: list[str], said: str) -> None:
    done = simulate(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr


def test_more_connections_than_the_system_allows_is_one_sentence() -> None:
    done = subprocess.run(
        ["sh", "-c", 'ulimit -n 128; exec "$0" "$@"', *command("--devices", "500")],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "500 devices need as many open files, and this system allows 128" in done.stderr


def test_devices_say_they_are_gone_when_the_fleet_is_killed(hub: Hub, broker: Broker) -> None:
    process = subprocess.Popen(
        command(*at(broker), "--devices", "2", "--rate", "100", "--seconds", "600"), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    process.stderr.readline()
    process.kill()
    process.communicate()
    end = time.monotonic() + 30
    with closing(sqlite3.connect(hub.database)) as db:
        while time.monotonic() < end:
            online = db.execute("SELECT count(*), sum(online) FROM device").fetchone()
            if online == (2, 0):
                break
            time.sleep(0.1)
    assert online == (2, 0)
