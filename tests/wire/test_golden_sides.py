"""Both sides read the golden files: a real hub's database takes them, a real spool writes their like."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.clock import Stamp
from edge_agent.spool import Entry, Spool
from hub.attendance import store as attendance
from hub.db import Connection, Db
from hub.fleet import store
from hub.fleet.known import Known
from hub.ingest_group import Group
from tests.wire.golden import ACKS, AT_MS, BATCHES, BODIES, BOOT, PRESENCES, SPOOL, payload, plain
from wire import codec, topics
from wire.messages import Ack, Batch, Health, Punch

RECEIVED_MS = AT_MS + 7_200_000
UP = topics.topic("terminal-1", "up")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """An empty hub's database."""
    made = Db(tmp_path / "hub.db")
    made.open()
    yield made
    made.close()


def take_in(db: Db, *messages: tuple[str, bytes]) -> list[Ack]:
    """What a hub answers to messages of one group, once they are stored."""
    group = Group(Known(db), RECEIVED_MS)
    for topic, data in messages:
        group.add(topic, data)
    db.write_now(group.close())
    assert all(topic == "machinaka/1/terminal-1/ack" for topic, _ in group.acks)
    return [codec.decode_ack(ack) for _, ack in group.acks]


def events(conn: Connection) -> list[tuple[Any, ...]]:
    """Every stored record with the names that its numbers stand for, as the wire has it."""
    return [
        row
        for month in store.months(conn)
        for row in conn.execute(
            "SELECT e.seq, k.name, b.boot, e.mono_ms, e.at_ms, e.clock, e.body "  # noqa: S608 (our own name)
            f"FROM event_{month} e JOIN kind k ON k.id = e.kind_id JOIN boot b ON b.id = e.boot_id ORDER BY e.id"
        )
    ]


def joining(name: str) -> tuple[str, bytes]:
    """A golden batch, preceded by nothing: an empty hub's cursor is 0, so it must join there."""
    batch = codec.decode_batch(payload(name)).batch
    return UP, codec.encode(Batch(batch.spool, batch.lane, 0, batch.records, batch.missing))


@pytest.mark.parametrize("name", sorted(BATCHES))
def test_the_hub_stores_each_golden_batch_as_it_came(db: Db, name: str) -> None:
    batch = BATCHES[name]
    assert take_in(db, joining(name)) == [Ack(SPOOL, batch.lane, batch.records[-1].seq)]
    stored = db.read(events)
    assert [row[:5] for row in stored] == [(r.seq, r.kind, r.boot, r.mono_ms, r.at_ms) for r in batch.records]
    for row, record in zip(stored, batch.records, strict=True):
        assert codec.decode_body(record.kind, row[6]) == codec.decode_body(record.kind, record.body)
    totals = db.read(store.totals)
    assert (totals.quarantined, totals.unreadable) == (0, 0)


@pytest.mark.parametrize("name", sorted(BATCHES))
def test_a_hub_that_lacks_what_came_before_takes_nothing(db: Db, name: str) -> None:
    batch = BATCHES[name]
    expected = batch.records[-1].seq if batch.after == 0 else 0
    assert take_in(db, (UP, payload(name))) == [Ack(SPOOL, batch.lane, expected)]


def test_the_hub_reads_what_the_golden_bodies_say(db: Db) -> None:
    for kind in BODIES:
        # Each with a spool of its own: they are of different moments.
        spool = f"{list(BODIES).index(kind):016x}"
        batch = codec.decode_batch(payload(f"batch-{kind}.json")).batch
        message = Batch(spool, batch.lane, 0, batch.records)
        take_in(db, (UP, codec.encode(message)))
    take_in(db, (topics.topic("terminal-1", "presence"), payload("presence.json")))

    row = db.read(lambda conn: store.device(conn, "terminal-1"))
    assert row is not None
    presence = PRESENCES["presence.json"]
    assert (row.online, row.version, row.kind, row.boot) == (True, presence.version, presence.device_kind, BOOT)
    assert row.health == BODIES["health"][1]
    assert isinstance(row.health, Health)
    assert row.open_alarms == ()
    taps = db.read(attendance.latest_taps)
    punches = [body for body in BODIES["punch"] if isinstance(body, Punch)]
    assert {(tap.card, tap.direction, tap.standing) for tap in taps} == {
        (punch.card, punch.direction, punch.standing) for punch in punches
    }
    assert db.read(lambda conn: store.dropped(conn, row.id)) == {"health": 1437, "usage": 24}
    assert [(alarm.name, alarm.ended_ms is None) for alarm in db.read(store.alarms)] == [("reader", False)]
    hours = db.read(lambda conn: store.usage_series(conn, row.id, AT_MS - 7_200_000, AT_MS + 7_200_000))
    assert {hour.interface for hour in hours} == {"wwan0", "wlan0", "eth0"}

    take_in(db, (topics.topic("terminal-1", "presence"), payload("last-will.json")))
    gone = db.read(lambda conn: store.device(conn, "terminal-1"))
    assert gone is not None
    assert not gone.online


# ---- the edge


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """An empty spool."""
    stamp = Stamp(BOOT, 1, AT_MS, "synced")
    made = Spool(tmp_path / "spool.db", max_bytes=8 << 20, ballast_bytes=4096, stamp=lambda: stamp)
    yield made
    made.close()


def keep(spool: Spool, batch: Batch) -> None:
    """Appends a batch's records as the agent would."""
    spool.append_many([Entry(r.kind, bytes(r.body), Stamp(r.boot, r.mono_ms, r.at_ms, r.clock)) for r in batch.records])


@pytest.mark.parametrize("name", sorted(set(BATCHES) - {"batch-missing.json"}))
def test_a_real_spool_writes_batches_of_the_golden_form(spool: Spool, name: str) -> None:
    batch = BATCHES[name]
    earlier = Entry("alarm" if batch.lane == "urgent" else "health", b"{}", Stamp(BOOT, 0, AT_MS, "unset"))
    spool.append_many([earlier] * batch.after)
    keep(spool, batch)
    outgoing = spool.batch(batch.lane, batch.after)
    assert outgoing is not None
    assert (outgoing.after, outgoing.through) == (batch.after, batch.records[-1].seq)
    written = plain(codec.decode_batch(outgoing.payload).batch)
    assert written == {**plain(batch), "spool": spool.spool_id}


def test_a_real_spool_tells_what_is_missing_in_the_golden_form(spool: Spool) -> None:
    """Four acked, four forgotten, and the hub comes back from a backup that has two."""
    batch = BATCHES["batch-missing.json"]
    spool.append_many([Entry("punch", b"{}", Stamp(BOOT, 0, AT_MS - 1, "synced"))] * 4)
    keep(spool, batch)
    spool.take_ack(Ack(spool.spool_id, "urgent", 4))
    spool.tidy(older_than_ms=AT_MS)
    spool.take_ack(Ack(spool.spool_id, "urgent", 2))
    outgoing = spool.batch("urgent", spool.cursor("urgent"))
    assert outgoing is not None
    written = plain(codec.decode_batch(outgoing.payload).batch)
    assert written == {**plain(batch), "spool": spool.spool_id}


def test_a_real_spool_obeys_the_golden_ack(spool: Spool) -> None:
    golden = codec.decode_ack(payload("ack.json"))
    assert golden == ACKS["ack.json"]
    keep(spool, BATCHES["batch-punch.json"])
    spool.append_many([Entry("punch", b"{}", Stamp(BOOT, 0, AT_MS, "synced"))] * 50)
    assert not spool.take_ack(golden), "an ack of another spool is not ours"
    assert spool.take_ack(Ack(spool.spool_id, golden.lane, golden.through))
    assert spool.cursor("urgent") == golden.through
    assert spool.cursor("bulk") == 0
