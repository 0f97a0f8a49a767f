"""How near the hub's intake comes to the least that any program would have to do: putting the same rows on disk."""

import sqlite3
import time
from contextlib import closing

from benchmarks import node_red
from benchmarks.measured import Benchmark, Claim, Measured, Place, Side
from benchmarks.parts import SHARES, Memory, event_table, timed_publish, town
from benchmarks.publisher import messages_of
from hub import migrations
from hub.simulate_records import Voice

_ROWS_A_COMMIT = 2_000
_DEVICES = 100
_BATCH = 100


def _rows(records: int) -> list[tuple[int | bytes, ...]]:
    """The event rows that the hub would make of the same records."""
    rows: list[tuple[int | bytes, ...]] = []
    kinds = {"health": 1, "usage": 2, "punch": 3}
    for number in range(1, _DEVICES + 1):
        voice, following = Voice(number, SHARES), {"urgent": 0, "bulk": 0}
        for _ in range(records // _DEVICES // _BATCH):
            lane = voice.next_lane()
            batch = voice.batch(lane, following[lane], _BATCH)
            following[lane] = batch.records[-1].seq
            rows += [
                (number, r.seq, kinds[r.kind], number, r.mono_ms, r.at_ms, 0, r.at_ms, bytes(r.body))
                for r in batch.records
            ]
    return rows


def plain(place: Place) -> Measured:
    """`executemany` of the same rows into the same table, 2,000 a commit, durable."""
    rows = _rows(place.size(500_000, 20_000))
    statement = (
        "INSERT INTO event_202611 (lane_id, seq, kind_id, boot_id, mono_ms, at_ms, clock, received_ms, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    with closing(sqlite3.connect(place.fresh / "plain.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(migrations.event_table("202611"))
        began_s = time.monotonic()
        for start in range(0, len(rows), _ROWS_A_COMMIT):
            db.execute("BEGIN IMMEDIATE")
            db.executemany(statement, rows[start : start + _ROWS_A_COMMIT])
            db.execute("COMMIT")
        return {"events_s": len(rows) / (time.monotonic() - began_s)}


def machinaka(place: Place) -> Measured:
    """Broker, one hub process and the sender on the same cores; the sender gets the hub's acks as devices do."""
    made = messages_of(_DEVICES, place.size(5_000, 200), _BATCH, SHARES)
    rows = _BATCH * sum(map(len, made))
    with town(place.fresh) as (broker, hub):
        assert hub.process is not None
        with Memory(hub.process.pid) as memory:
            events_s = timed_publish(broker.port, made, hub.database, lambda: event_table(hub.database), rows)
    return {"events_s": events_s, "rss_mb": memory.peak_mb}


def peer(place: Place) -> Measured:
    """Node-RED's own nodes, write-ahead log, json_each on messages of 100 events; a repeat is not counted twice."""
    return node_red.measure(place, messages=place.size(2_000, 50), records=_BATCH, once=True)


def bare_peer(place: Place) -> Measured:
    """The same into a table without a key: what the broker repeats is there twice."""
    return node_red.measure(place, messages=place.size(2_000, 50), records=_BATCH, once=False)


BENCHMARK = Benchmark(
    "Durable intake, batches of 100",
    "The hub (decoding, cursors, latest states, roll-ups, punches, answers) beside plain `executemany` of the same "
    "rows, and beside Node-RED, which only stores them: it acknowledges a message before it is on disk, and keeps "
    "neither states nor sums. With a unique key it counts what is sent twice once, as the hub does.",
    (
        Side("plain executemany", plain),
        Side("hub", machinaka),
        Side("Node-RED", peer),
        Side("Node-RED, no key", bare_peer),
    ),
    (
        Claim(
            "hub ÷ plain executemany, events a second",
            lambda m: m["hub"]["events_s"] / m["plain executemany"]["events_s"],
            "at least",
            0.55,
            ("hub", "plain executemany"),
        ),
        Claim(
            "hub ÷ Node-RED, events a second",
            lambda m: m["hub"]["events_s"] / m["Node-RED"]["events_s"],
            "at least",
            3,
            ("hub", "Node-RED"),
        ),
        Claim(
            "hub ÷ Node-RED that may count twice, events a second",
            lambda m: m["hub"]["events_s"] / m["Node-RED, no key"]["events_s"],
            "at least",
            3,
            ("hub", "Node-RED, no key"),
        ),
        Claim(
            "hub ÷ Node-RED, peak memory",
            lambda m: m["hub"]["rss_mb"] / m["Node-RED"]["rss_mb"],
            "at most",
            0.5,
            ("hub", "Node-RED"),
        ),
    ),
)
