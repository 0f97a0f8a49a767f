"""One event a message: what each message costs when nothing can be gathered before it is sent."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import metadata, util

from benchmarks import node_red
from benchmarks.measured import Benchmark, Claim, Measured, NotHere, Place, Side
from benchmarks.parts import SHARES, Memory, event_table, timed_publish, town
from benchmarks.publisher import messages_of
from tests.broker import Broker

_DEVICES = 50
# What runs in a process of its own; says when it listens, ends with its standard input.
_BRIDGE = """
import sys
from mq_bridge import Route
port, database, pki = sys.argv[1:]
route = Route.from_config({
    "input": {"mqtt": {"url": f"mqtts://127.0.0.1:{port}", "topic": "machinaka/1/+/up", "qos": 1,
                       "client_id": "bridge", "queue_capacity": 1000, "max_inflight": 1000,
                       "tls": {"required": True, "ca_file": f"{pki}/root.pem",
                               "cert_file": f"{pki}/hub.pem", "key_file": f"{pki}/hub.key"}}},
    "output": {"sqlx": {"url": f"sqlite://{database}", "table": "event"}},
    "batch_size": 512,
})
route.start()
print("ready", flush=True)
sys.stdin.read()
route.stop()
"""


def machinaka(place: Place) -> Measured:
    """The hub: a group of messages is committed, then acked to the devices and to the broker."""
    made = messages_of(_DEVICES, place.size(100_000, 2_000), 1, SHARES)
    with town(place.fresh) as (broker, hub):
        assert hub.process is not None
        with Memory(hub.process.pid) as memory:
            events_s = timed_publish(
                broker.port, made, hub.database, lambda: event_table(hub.database), sum(map(len, made))
            )
    return {"events_s": events_s, "rss_mb": memory.peak_mb}


def bridge(place: Place) -> Measured:
    """mq-bridge (Rust) stores each whole message in one column; acknowledges to the broker after its commit."""
    if util.find_spec("mq_bridge") is None:
        raise NotHere("mq-bridge is not installed (provisioning/setup.sh bench)")
    made = messages_of(_DEVICES, place.size(100_000, 2_000), 1, SHARES)
    database = place.fresh / "bridge.db"
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, payload BLOB NOT NULL)")
    with (
        Broker(place.fresh) as broker,
        subprocess.Popen(
            [sys.executable, "-c", _BRIDGE, str(broker.port), str(database), str(broker.pki.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise NotHere(f"mq-bridge {metadata.version('mq-bridge')} does not start")
            with Memory(process.pid) as memory:
                events_s = timed_publish(broker.port, made, database, lambda: "event", sum(map(len, made)))
        finally:
            process.kill()
    return {"events_s": events_s, "rss_mb": memory.peak_mb}


def peer(place: Place) -> Measured:
    """Node-RED, write-ahead log, one INSERT a message into a bare table; it acknowledges on arrival."""
    return node_red.measure(place, messages=place.size(20_000, 400), records=1, once=False)


BENCHMARK = Benchmark(
    "One event a message",
    "The same messages from the same sender; the time ends when the last row can be read.",
    (Side("hub", machinaka), Side("mq-bridge", bridge), Side("Node-RED", peer)),
    (
        Claim(
            "hub ÷ Node-RED, events a second",
            lambda m: m["hub"]["events_s"] / m["Node-RED"]["events_s"],
            "at least",
            8,
            ("hub", "Node-RED"),
        ),
        Claim(
            "hub ÷ mq-bridge, events a second",
            lambda m: m["hub"]["events_s"] / m["mq-bridge"]["events_s"],
            "at least",
            1,
            ("hub", "mq-bridge"),
        ),
    ),
)
