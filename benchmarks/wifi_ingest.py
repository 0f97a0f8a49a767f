"""What the fold of Wi-Fi sessions costs: records a second through a group, from the wire's bytes to the disk.

Each group has 4,000 records of 20 access points; of ten tellings one begins a session, eight go on and one ends it.
Beside it the same tellings are folded one by one, as a program does that asks and updates for each record. It does far
less (no raw bodies, no cursors, a third of the columns, hours that are wrong when something comes late), so it is no
goal but a ground line. A thousand access points with a hundred guests each, who are told of every ten minutes, are 167
records a second.
"""

import gc
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from benchmarks.measured import Benchmark, Claim, Measured, Place, Side
from hub.db import Db
from hub.fleet.known import Known
from hub.ingest_group import Group
from wire import codec, topics
from wire.messages import Batch, Record, WifiSession

_POINTS, _TELLINGS, _A_BATCH, _A_GROUP = 20, 10, 200, 20
_NOW_MS = 1_790_000_000_000
_BOOT = "3f1c9a52-7d0e-4b6a-9c58-2e81f0a4d7b3"


def _bodies(point: int, sessions: int) -> Iterator[WifiSession]:
    """All that one access point tells, session by session mixed."""
    for telling in range(_TELLINGS):
        for n in range(sessions):
            number = point * 1_000_000 + n
            began_ms = _NOW_MS - 6 * 3_600_000 + n * 1_000
            yield WifiSession(
                session=f"{number:032x}",
                boot=_BOOT,
                number=telling + 1,
                began_ms=began_ms,
                last_ms=began_ms + telling * 400_000,
                up_bytes=telling * 1_000_000,
                down_bytes=telling * 9_000_000,
                guest=f"{number:032x}",
                day="2026-09-21",
                network="Town_Free_Wi-Fi",
                cause="idle" if telling == _TELLINGS - 1 else "",
                ends_ms=began_ms + 3_600_000,
            )


def _messages(sessions: int) -> list[list[tuple[str, bytes]]]:
    """The messages of each group: topic and payload."""
    by_point = []
    for point in range(_POINTS):
        topic = topics.topic(f"ap-{point}", "up")
        bodies = list(_bodies(point, sessions))
        sent = []
        for start in range(0, len(bodies), _A_BATCH):
            records = tuple(
                Record(
                    start + n + 1,
                    "wifi_session",
                    _BOOT,
                    n,
                    body.last_ms,
                    "synced",
                    msgspec.Raw(codec.encode_body(body)),
                )
                for n, body in enumerate(bodies[start : start + _A_BATCH])
            )
            sent.append((topic, codec.encode(Batch("0" * 16, "bulk", start, records))))
        by_point.append(sent)
    return [list(some) for some in zip(*by_point, strict=True)]


def the_hub(place: Place) -> Measured:
    """Groups as the ingest makes them, each in one transaction with its fsync."""
    messages = _messages(place.size(1_000, 100))
    db = Db(place.fresh / "hub.db")
    db.open()
    try:
        known = Known(db)
        gc.collect()
        began_s, records = time.monotonic(), 0
        for some in messages:
            group = Group(known, _NOW_MS)
            for topic, payload in some:
                group.add(topic, payload)
            records += group.records
            db.write_now(group.close())
        took_s = time.monotonic() - began_s
        _check(db.path)
        return {"records_s": records / took_s}
    finally:
        db.close()


def _check(path: Path) -> None:
    """What was measured is right: the hours sum to the sessions."""
    with closing(sqlite3.connect(path)) as conn:
        sessions = conn.execute("SELECT count(*), sum(up_bytes), sum(down_bytes) FROM wifi_session").fetchone()
        hours = conn.execute("SELECT sum(began), sum(up_bytes), sum(down_bytes) FROM wifi_hour").fetchone()
        if sessions != hours:
            raise AssertionError(f"sessions {sessions}, hours {hours}")


_FIND = "SELECT id, up_bytes, down_bytes FROM session WHERE told_by = ? AND boot = ? AND session = ?"
_ADD = (
    "INSERT INTO session (told_by, boot, session, began_ms, last_ms, up_bytes, down_bytes) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_CHANGE = (
    "UPDATE session SET last_ms = max(last_ms, ?), up_bytes = max(up_bytes, ?), down_bytes = max(down_bytes, ?) "
    "WHERE id = ?"
)
_HOUR = (
    "INSERT INTO hour (told_by, hour_ms, up_bytes, down_bytes) VALUES (?, ?, ?, ?) ON CONFLICT (told_by, hour_ms) "
    "DO UPDATE SET up_bytes = up_bytes + excluded.up_bytes, down_bytes = down_bytes + excluded.down_bytes"
)


def one_by_one(place: Place) -> Measured:
    """The same bodies read, asked for and written record by record, in transactions as large."""
    messages = _messages(place.size(1_000, 100))
    with closing(sqlite3.connect(place.fresh / "plain.db", isolation_level=None)) as conn:
        conn.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE session (id INTEGER PRIMARY KEY, "
            "told_by TEXT, boot TEXT, session TEXT, began_ms INTEGER, last_ms INTEGER, up_bytes INTEGER, "
            "down_bytes INTEGER, UNIQUE (told_by, boot, session)); CREATE TABLE hour (told_by TEXT, hour_ms INTEGER, "
            "up_bytes INTEGER, down_bytes INTEGER, PRIMARY KEY (told_by, hour_ms)) WITHOUT ROWID;"
        )
        began_s, records = time.monotonic(), 0
        for some in messages:
            conn.execute("BEGIN IMMEDIATE")
            for topic, payload in some:
                for record in codec.decode_batch(payload).batch.records:
                    _one(conn, topic, codec.decode_body("wifi_session", record.body))
                    records += 1
            conn.execute("COMMIT")
        return {"records_s": records / (time.monotonic() - began_s)}


def _one(conn: sqlite3.Connection, by: str, body: WifiSession) -> None:
    row = conn.execute(_FIND, (by, body.boot, body.session)).fetchone()
    up_bytes, down_bytes = body.up_bytes, body.down_bytes
    if row is None:
        conn.execute(_ADD, (by, body.boot, body.session, body.began_ms, body.last_ms, up_bytes, down_bytes))
    else:
        conn.execute(_CHANGE, (body.last_ms, up_bytes, down_bytes, row[0]))
        up_bytes, down_bytes = max(0, up_bytes - row[1]), max(0, down_bytes - row[2])
    conn.execute(_HOUR, (by, body.last_ms - body.last_ms % 3_600_000, up_bytes, down_bytes))


BENCHMARK = Benchmark(
    title="Wi-Fi sessions, taken in",
    about="200,000 tellings of 20,000 sessions at 20 access points, in groups of 4,000: kept as they came, folded, and "
    "put into their hours in the same transaction.",
    sides=(Side("hub", the_hub), Side("one by one", one_by_one)),
    claims=(
        Claim("hub, records a second", lambda m: m["hub"]["records_s"], "at least", 10_000, ("hub",)),
        Claim(
            "hub ÷ one by one (fewer columns, no raw body kept, not right when late), records a second",
            lambda m: m["hub"]["records_s"] / m["one by one"]["records_s"],
            "at least",
            0.15,
            ("hub", "one by one"),
        ),
    ),
)
