"""Node-RED as a peer: installed at bench time, run as people run it, with its own MQTT and SQLite nodes.

1. Its native SQLite binding is built against the headers beside this machine's Node.js, or fetched ready-made.
2. It stores the same events into a table like the hub's: bare, or with the unique key that it needs so that a message
   which the broker repeats is not counted twice (the hub's cursors do that without an index).
3. It tells nobody what is on disk: its MQTT node acknowledges a message when it arrives.
"""

import json
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from benchmarks.measured import Measured, NotHere, Place
from benchmarks.parts import SHARES, Memory, timed_publish
from benchmarks.publisher import messages_of
from tests.broker import Broker, free_port

PEERS = Path(__file__).parent / "peers"
_BINDING = PEERS / "node_modules/sqlite3/build/Release/node_sqlite3.node"
_DEVICES = 20
_SCHEMA = """CREATE TABLE event (id INTEGER PRIMARY KEY, device TEXT NOT NULL, spool TEXT NOT NULL,
  lane TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, boot TEXT NOT NULL, mono_ms INTEGER NOT NULL,
  at_ms INTEGER NOT NULL, clock TEXT NOT NULL, received_ms INTEGER NOT NULL, body TEXT NOT NULL)"""
_KEY = "CREATE UNIQUE INDEX event_name ON event (device, spool, lane, seq)"
_INSERT = (
    "INSERT OR IGNORE INTO event (device, spool, lane, seq, kind, boot, mono_ms, at_ms, clock, received_ms, body) "
)
_ONE = _INSERT + "VALUES ($device, $spool, $lane, $seq, $kind, $boot, $mono, $at, $clock, $now, $body)"
_MANY = (
    _INSERT + "SELECT $device, $records->>'$.spool', $records->>'$.lane', value->>0, value->>1, value->>2, "  # noqa: S608
    "value->>3, value->>4, value->>5, $now, value->6 FROM json_each($records, '$.records')"
)
_ONE_FUNCTION = """
const {spool, lane, records} = JSON.parse(msg.payload);
const [seq, kind, boot, mono, at, clock, body] = records[0];
msg.params = {$device: msg.topic.split("/")[2], $spool: spool, $lane: lane, $seq: seq,
  $kind: kind, $boot: boot, $mono: mono, $at: at,
  $clock: clock, $now: Date.now(), $body: JSON.stringify(body)};
return msg;
"""
_MANY_FUNCTION = """
msg.params = {$device: msg.topic.split("/")[2], $now: Date.now(), $records: msg.payload};
return msg;
"""


def install() -> Path:
    """The folder where Node-RED is ready to run. Raises NotHere."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise NotHere("no Node.js on this machine")
    if not (PEERS / "node_modules/node-red/red.js").exists():
        _run([npm, "ci", "--ignore-scripts", "--silent"], PEERS)
    if not _BINDING.exists():
        headers = Path(node).resolve().parent.parent
        if (headers / "include/node/node.h").exists():
            # npm's own node-gyp: prebuilt bindings and headers lie on hosts that need not be in reach.
            gyp = [npm, "exec", "--offline", "--", "node-gyp", "rebuild", f"--nodedir={headers}"]
            _run(gyp, PEERS / "node_modules/sqlite3")
        else:
            _run([npm, "rebuild", "sqlite3"], PEERS)
    if not _BINDING.exists():
        raise NotHere("its SQLite binding could not be built")
    return PEERS


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotHere(f"{' '.join(command[:2])} failed: {error}") from error
    if done.returncode:
        last = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise NotHere(f"{Path(command[0]).name} {' '.join(command[1:4])} failed: {last[-1] if last else 'no word why'}")


def version() -> str:
    """Which Node-RED the lock names."""
    lock = json.loads((PEERS / "package-lock.json").read_text())
    found: str = lock["packages"]["node_modules/node-red"]["version"]
    return found


def _flow(broker: Broker, database: Path, *, many: bool) -> str:
    nodes = [
        {"id": "tab", "type": "tab", "label": "intake"},
        {
            "id": "broker",
            "type": "mqtt-broker",
            "broker": "127.0.0.1",
            "port": str(broker.port),
            "usetls": True,
            "tls": "tls",
            "clientid": "node-red",
            "autoConnect": True,
            "protocolVersion": "5",
            "keepalive": "60",
            "cleansession": True,
        },
        {
            "id": "tls",
            "type": "tls-config",
            "cert": str(broker.pki.folder / "hub.pem"),
            "key": str(broker.pki.folder / "hub.key"),
            "ca": str(broker.pki.folder / "root.pem"),
            "verifyservercert": True,
        },
        {"id": "db", "type": "sqlitedb", "db": str(database), "mode": "RWC"},
        {
            "id": "in",
            "z": "tab",
            "type": "mqtt in",
            "topic": "machinaka/1/+/up",
            "qos": "1",
            "datatype": "utf8",
            "broker": "broker",
            "wires": [["fn"]],
        },
        {
            "id": "fn",
            "z": "tab",
            "type": "function",
            "func": _MANY_FUNCTION if many else _ONE_FUNCTION,
            "outputs": 1,
            "wires": [["sql"]],
        },
        {
            "id": "sql",
            "z": "tab",
            "type": "sqlite",
            "mydb": "db",
            "sqlquery": "prepared",
            "sql": _MANY if many else _ONE,
            "wires": [[]],
        },
    ]
    return json.dumps(nodes)


@contextmanager
def _running(place: Place, broker: Broker, database: Path, *, many: bool) -> Iterator[int]:
    """Node-RED, connected; its process id."""
    folder = place.fresh / "node-red"
    folder.mkdir()
    (folder / "settings.js").write_text(
        "module.exports = {httpAdminRoot: false, httpNodeRoot: false, uiHost: '127.0.0.1', "
        f"uiPort: {free_port()}, flowFile: 'flows.json', logging: {{console: {{level: 'info'}}}}}};\n"
    )
    (folder / "flows.json").write_text(_flow(broker, database, many=many))
    process = subprocess.Popen(
        ["node", str(PEERS / "node_modules/node-red/red.js"), "--userDir", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Connected to broker" in line:
                break
        else:
            raise NotHere(f"Node-RED does not run: {said[-1].strip() if said else 'no word why'}")
        # It must not wait for somebody to read what else it says.
        threading.Thread(target=_read_on, args=(process.stdout,), daemon=True).start()
        time.sleep(0.5)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _read_on(stream: IO[str]) -> None:
    with stream:
        stream.read()


def measure(place: Place, *, messages: int, records: int, once: bool) -> Measured:
    """So many messages of `records` events each, until all rows are there; `once`: with the key. Raises NotHere."""
    if not place.quick:
        install()
    elif not _BINDING.exists():
        raise NotHere("not installed (a whole run installs it)")
    made = messages_of(_DEVICES, messages, records, SHARES, plain=True)
    count = records * sum(map(len, made))
    database = place.fresh / "node-red.db"
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(_SCHEMA)
        if once:
            db.execute(_KEY)
    with (
        Broker(place.fresh) as broker,
        _running(place, broker, database, many=records > 1) as pid,
        Memory(pid) as memory,
    ):
        events_s = timed_publish(broker.port, made, database, lambda: "event", count)
    return {"events_s": events_s, "rss_mb": memory.peak_mb}
