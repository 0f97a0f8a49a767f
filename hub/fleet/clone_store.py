"""SQL: the runs of each device, and records that are kept apart until a person decides."""

from collections.abc import Iterable, Sequence

import msgspec

from hub.db import Connection, Into, insert
from hub.fleet.clone import Run

_RUNS = Into("run (device_id, runs)", 2, "ON CONFLICT (device_id) DO UPDATE SET runs = excluded.runs")
_CURSOR = Into(
    "clone_cursor (device_id, run, spool, lane, through)",
    5,
    "ON CONFLICT (device_id, run, spool, lane) DO UPDATE SET through = excluded.through",
)
RECORD = Into(
    "clone_record (device_id, run, spool, lane, seq, boot, mono_ms, at_ms, kind, received_ms, record)",
    11,
    "ON CONFLICT DO NOTHING",
)
_runs = msgspec.json.Decoder(tuple[Run, ...])

# Which of a device's kept records: those of one boot in one spool of one run.
_WHICH = "device_id = ? AND spool = ? AND run = ? AND boot = ?"

Cursor = tuple[int, str, str, str]


class Kept(msgspec.Struct, frozen=True):
    """Records that are kept apart: of one boot in one spool; times as the device's clock had them."""

    device: str
    spool: str
    run: str
    boot: str
    records: int
    taps: int
    first_ms: int
    last_ms: int
    received_ms: int


class Waiting(msgspec.Struct, frozen=True):
    """A kept record that is to be taken in."""

    id: int
    device: str
    spool: str
    run: str
    boot: str
    lane: str
    record: bytes


class Held(msgspec.Struct, frozen=True):
    """A device of which there were two, and since when it is on hold."""

    id: int
    device: str
    since_ms: int


def runs(conn: Connection, device_id: int) -> tuple[Run, ...]:
    """The runs of a device that were heard last."""
    row = conn.execute("SELECT runs FROM run WHERE device_id = ?", (device_id,)).fetchone()
    return _runs.decode(row[0]) if row else ()


def keep_runs(conn: Connection, changed: dict[int, tuple[Run, ...]]) -> None:
    """Notes what was heard."""
    flat: list[object] = []
    for device_id, its in changed.items():
        flat += (device_id, msgspec.json.encode(its).decode())
    insert(conn, _RUNS, flat)


def cursor(conn: Connection, which: Cursor) -> int | None:
    """Through which seq the records of a run are kept; None before the first."""
    row = conn.execute(
        "SELECT through FROM clone_cursor WHERE device_id = ? AND run = ? AND spool = ? AND lane = ?", which
    ).fetchone()
    return row[0] if row else None


def stood_at(conn: Connection, device_id: int, spool: str, lane: str, through: int) -> bool:
    """Whether the records of any run are kept through exactly this seq."""
    row = conn.execute(
        "SELECT 1 FROM clone_cursor WHERE device_id = ? AND spool = ? AND lane = ? AND through = ? LIMIT 1",
        (device_id, spool, lane, through),
    ).fetchone()
    return row is not None


def keep(conn: Connection, cursors: dict[Cursor, int], records: Sequence[object]) -> None:
    """Stores records apart, each once, and how far each run is."""
    flat: list[object] = []
    for which, through in cursors.items():
        flat += (*which, through)
    insert(conn, _CURSOR, flat)
    insert(conn, RECORD, records)


def held_ids(conn: Connection) -> frozenset[int]:
    """The devices that are on hold as copied."""
    return frozenset(id_ for (id_,) in conn.execute("SELECT device_id FROM hold WHERE reason = 'clone'"))


def held(conn: Connection) -> list[Held]:
    """The same, by name, for the page."""
    rows = conn.execute(
        "SELECT h.device_id, d.name, h.since_ms FROM hold h JOIN device d ON d.id = h.device_id "
        "WHERE h.reason = 'clone' ORDER BY d.name"
    )
    return [Held(*row) for row in rows]


def kept(conn: Connection) -> list[Kept]:
    """What is kept apart and not decided, by device and boot, the oldest first."""
    rows = conn.execute(
        "SELECT d.name, c.spool, c.run, c.boot, count(*), sum(c.kind = 'punch'), min(c.at_ms), max(c.at_ms), "
        "max(c.received_ms) FROM clone_record c JOIN device d ON d.id = c.device_id WHERE c.decided = 0 "
        "GROUP BY d.name, c.spool, c.run, c.boot ORDER BY d.name, min(c.id)"
    )
    return [Kept(*row) for row in rows]


def decide_to_take(conn: Connection, device: str, spool: str, run: str, boot: str) -> int:
    """Marks records as to be taken in; how many there were."""
    return conn.execute(
        f"UPDATE clone_record SET decided = 1 WHERE decided = 0 AND {_WHICH}",  # noqa: S608 (our own words)
        (_id(conn, device), spool, run, boot),
    ).rowcount


def throw_away(conn: Connection, device: str, spool: str, run: str, boot: str) -> int:
    """Deletes records; how many there were."""
    return conn.execute(
        f"DELETE FROM clone_record WHERE decided = 0 AND {_WHICH}",  # noqa: S608 (our own words)
        (_id(conn, device), spool, run, boot),
    ).rowcount


def to_take(conn: Connection, limit: int) -> list[Waiting]:
    """Records that a person decided to take in, those of one lane together and in ascending seq."""
    rows = conn.execute(
        "SELECT c.id, d.name, c.spool, c.run, c.boot, c.lane, c.record FROM clone_record c "
        "JOIN device d ON d.id = c.device_id WHERE c.decided = 1 "
        "ORDER BY c.device_id, c.spool, c.run, c.boot, c.lane, c.seq LIMIT ?",
        (limit,),
    )
    return [Waiting(*row) for row in rows]


def forget(conn: Connection, ids: Iterable[int]) -> None:
    """They have been taken in."""
    conn.executemany("DELETE FROM clone_record WHERE id = ?", [(id_,) for id_ in ids])


def _id(conn: Connection, device: str) -> int:
    row = conn.execute("SELECT id FROM device WHERE name = ?", (device,)).fetchone()
    return row[0] if row else 0
