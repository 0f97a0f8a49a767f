"""A backlog while the hub's database takes nothing: the memory stays bounded, the broker waits, and all arrives."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from hub.ingest_group import BYTES, RECORDS
from tests.broker import Broker
from tests.ingest.parts import Device, Hub, run_of, running_hub, soon
from wire.messages import BATCH_PLAIN_BYTES, RECORDS_PER_BATCH

DEVICES, BATCHES = 20, 10
# What the broker gives to the hub at once (`max_inflight_messages`).
IN_FLIGHT = 100
# Longer than the database waits for a lock, so that writes fail as well.
LOCKED_S = 7.0


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Somebody else writes into the hub's database, and takes long."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        yield
        conn.execute("ROLLBACK")


def _spool(number: int) -> str:
    return f"{number:016x}"


def _flood(devices: list[Device]) -> None:
    """Devices that were away for long send what they have, all at once."""
    for batch in range(BATCHES):
        for number, device in enumerate(devices):
            device.send(run_of(batch * RECORDS_PER_BATCH, RECORDS_PER_BATCH, spool=_spool(number)))


def _check_bounds(hub: Hub) -> bool:
    """Whether the hub has stopped reading; what it holds is within its limits in any case."""
    group, connection = hub.ingest._group, hub.ingest._connection
    if group is not None:
        assert group.records < RECORDS + RECORDS_PER_BATCH
        assert group.bytes < BYTES + BATCH_PLAIN_BYTES
    assert len(hub.ingest._packet_ids) <= IN_FLIGHT
    return connection is not None and connection._stopped


def test_a_backlog_waits_at_the_broker_while_the_database_is_locked(broker: Broker, tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    with running_hub(path, broker.port) as hub:
        flood = [Device(broker.port, f"tablet-{number}") for number in range(DEVICES)]
        with _locked(path):
            end, stopped = time.monotonic() + LOCKED_S, 0
            _flood(flood)
            while time.monotonic() < end:
                stopped += _check_bounds(hub)
                time.sleep(0.01)
        assert stopped
        assert soon(lambda: hub.count("SELECT coalesce(sum(through), 0) FROM lane") == DEVICES * BATCHES * 500)
        for number in range(DEVICES):
            assert hub.seqs(spool=_spool(number)) == list(range(1, BATCHES * RECORDS_PER_BATCH + 1))
        for device in flood:
            device.drop()
