"""Who is known: devices, their lanes, boots and counters, remembered between groups of messages.

1. The database is the truth.  What is not remembered is looked up once; what is not there either is made.
2. What was made or changed since the last commit is only here, so nothing is forgotten while a group is
   under way: `forget` is for after a failed commit, or between two groups when this has grown too large.
"""

import contextlib
from collections.abc import Iterable
from typing import Any

from hub.db import Connection, Db, Fault
from hub.fleet import clone_store
from hub.fleet.clone import BOOTS_KEPT, Run, Stretch
from hub.fleet.clone_store import Cursor
from hub.fleet.truetime import Anchor
from hub.fleet.usage import Counter
from wire import topics
from wire.codec import Unreadable

# Things remembered before all is forgotten: a fleet of ten thousand fits, an attack does not fill the memory.
LIMIT = 200_000
_LOOK_EVERY_S = 0.5
# More kinds than this is no protocol's growth.
KINDS = 500


class Boot:
    """One boot of a device: its newest clock reading and the counters read last."""

    __slots__ = ("anchor", "counters", "id")

    def __init__(self, id_: int, anchor: Anchor | None, counters: dict[str, Counter]) -> None:
        self.id = id_
        self.anchor = anchor
        self.counters = counters


class Lane:
    """One lane of a spool, its cursor, and which boots its records are of."""

    __slots__ = ("boot", "id", "is_new", "lane", "missing", "refused_at", "spool", "stretches", "through")

    def __init__(self, id_: int, spool: str, lane: str, through: int, missing: int) -> None:
        self.id = id_
        self.spool = spool
        self.lane = lane
        self.through = through
        self.missing = missing
        self.is_new = False
        self.stretches: list[Stretch] = []
        self.boot = ""
        # When it was last told of a batch that does not join: (cursor, monotonic seconds).
        self.refused_at = (-1, 0.0)


class Device:
    """One device, or (id 0) whoever writes under a name that none can have."""

    def __init__(self, row: tuple[Any, ...], unreadable_kept: int = 0, *, has_counted: bool = False) -> None:
        self.id, self.name, self.kind, self.first_heard_ms, online, self.boot, self.connection, self.version = row
        self.online = bool(online)
        self.ack_topic = topics.topic(self.name, "ack") if self.id else ""
        self.lanes: dict[tuple[str, str], Lane] = {}
        self.boots: dict[str, Boot] = {}
        self.runs: tuple[Run, ...] = ()
        # Where each run of a device on hold as copied is: see `ingest_apart.py`.
        self.apart: dict[Cursor, int] = {}
        self.unreadable_kept = unreadable_kept
        self.has_counted = has_counted
        self.is_new = False


class Known:
    """Remembers, looks up and makes.  Belongs to the event loop."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self.forget()

    def forget(self) -> None:
        """Drops everything; it is looked up again when it is needed. Only while no group is under way."""
        self._devices: dict[str, Device] = {}
        self.kind_ids: dict[str, int] = {}
        self._next: dict[str, int] = {}
        self.size = 0
        self.marked_hour_ms = -1
        # Devices on hold as copied. Those of this process that are not committed yet are `_holding`.
        self.held: frozenset[int] = frozenset()
        self._holding: set[int] = set()
        self._looked_s = -_LOOK_EVERY_S

    def look_at_holds(self, now_s: float) -> None:
        """Reads which devices are on hold, now and then: people and other parts of the hub hold and release."""
        if now_s - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = now_s
            # A fault shows at the next thing that is looked up, where it is dealt with; meanwhile what was known holds.
            with contextlib.suppress(Fault):
                self.held = self._db.read(clone_store.held_ids) | self._holding

    def look_again(self) -> None:
        """The next group reads them anew."""
        self._looked_s = -_LOOK_EVERY_S

    def hold(self, device: Device) -> None:
        """There are two of this device: from now on nothing of it counts."""
        self._holding.add(device.id)
        self.held |= {device.id}

    def committed(self, held: Iterable[int]) -> None:
        """These holds are in the database now, where they can be released."""
        self._holding.difference_update(held)

    @property
    def overfull(self) -> bool:
        """Whether it should be forgotten at the next chance."""
        return self.size > LIMIT

    def device(self, name: str, now_ms: int) -> Device:
        """The device of that name; '' is nobody's."""
        device = self._devices.get(name)
        if device is None:
            device = self._db.read(lambda conn: _find_device(conn, name))
            if device is None:
                id_ = self._take_id("device") if name else 0
                device = Device((id_, name, "", now_ms, 0, "", 0, ""))
                device.is_new = bool(name)
            self._devices[name] = device
            self.size += 1
        return device

    def lane(self, device: Device, spool: str, lane: str) -> Lane:
        """A lane with its cursor; a new one begins at 0."""
        known = device.lanes.get((spool, lane))
        if known is None:
            row = self._db.read(lambda conn: _find_lane(conn, device.id, spool, lane))
            known = Lane(row[0] if row else self._take_id("lane"), spool, lane, *(row[1:] if row else (0, 0)))
            known.is_new = row is None
            if row:
                known.stretches = self._db.read(lambda conn: _find_stretches(conn, known.id))
                known.boot = known.stretches[-1].boot if known.stretches else ""
            device.lanes[spool, lane] = known
            self.size += 1
        return known

    def boot(self, device: Device, boot: str, new: list[Any]) -> Boot:
        """A boot of a device; one not heard of before is made and its row added to `new`."""
        known = device.boots.get(boot)
        if known is None:
            known = self._db.read(lambda conn: _find_boot(conn, device.id, boot))
            if known is None:
                known = Boot(self._take_id("boot"), None, {})
                new += (known.id, device.id, boot)
            device.boots[boot] = known
            self.size += 1 + len(known.counters)
        return known

    def kind(self, name: str, new: list[Any]) -> int:
        """The number of a kind; a new one's row is added to `new`. Raises Unreadable when there are too many."""
        if not self.kind_ids:
            self.kind_ids.update(self._db.read(lambda conn: conn.execute("SELECT name, id FROM kind").fetchall()))
        number = self.kind_ids.get(name)
        if number is None:
            if len(self.kind_ids) >= KINDS:
                raise Unreadable("more kinds than can be")
            number = self.kind_ids[name] = self._take_id("kind")
            new += (number, name)
        return number

    def apart(self, device: Device, which: Cursor) -> int | None:
        """Where a run of a device on hold is; None before its first record there."""
        if which not in device.apart:
            found = self._db.read(lambda conn: clone_store.cursor(conn, which))
            if found is None:
                return None
            device.apart[which] = found
            self.size += 1
        return device.apart[which]

    def apart_at(self, device: Device, lane: Lane, through: int) -> int | None:
        """`through`, if a run of the device was answered exactly so far while it was on hold."""
        stood = self._db.read(lambda conn: clone_store.stood_at(conn, device.id, lane.spool, lane.lane, through))
        return through if stood else None

    def _take_id(self, table: str) -> int:
        if table not in self._next:
            self._next[table] = self._db.read(lambda conn: _highest_id(conn, table)) + 1
        id_ = self._next[table]
        self._next[table] += 1
        return id_


def _highest_id(conn: Connection, table: str) -> int:
    highest: int = conn.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]  # noqa: S608 (own name)
    return highest


def _find_device(conn: Connection, name: str) -> Device | None:
    row = conn.execute(
        "SELECT id, name, kind, first_heard_ms, online, boot, connection, version FROM device WHERE name = ?",
        (name,),
    ).fetchone()
    if row is None and name:
        return None
    row = row or (0, "", "", 0, 0, "", 0, "")
    kept = conn.execute(
        "SELECT count(*) FROM quarantine WHERE device_id = ? AND lane_id IS NULL", (row[0],)
    ).fetchone()[0]
    counted = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM usage_counter c JOIN boot b ON b.id = c.boot_id WHERE b.device_id = ?)",
        (row[0],),
    ).fetchone()[0]
    device = Device(row, kept, has_counted=bool(counted))
    device.runs = clone_store.runs(conn, device.id)
    return device


def _find_lane(conn: Connection, device_id: int, spool: str, lane: str) -> tuple[int, int, int] | None:
    row: tuple[int, int, int] | None = conn.execute(
        "SELECT id, through, missing FROM lane WHERE device_id = ? AND spool = ? AND lane = ?",
        (device_id, spool, lane),
    ).fetchone()
    return row


def _find_stretches(conn: Connection, lane_id: int) -> list[Stretch]:
    rows = conn.execute(
        "SELECT l.first_seq, b.boot FROM lane_boot l JOIN boot b ON b.id = l.boot_id WHERE l.lane_id = ? "
        "ORDER BY l.first_seq DESC LIMIT ?",
        (lane_id, BOOTS_KEPT),
    )
    return [Stretch(*row) for row in rows][::-1]


def _find_boot(conn: Connection, device_id: int, boot: str) -> Boot | None:
    row = conn.execute("SELECT id FROM boot WHERE device_id = ? AND boot = ?", (device_id, boot)).fetchone()
    if row is None:
        return None
    anchor = conn.execute(
        "SELECT mono_ms, wall_ms FROM anchor WHERE boot_id = ? ORDER BY id DESC LIMIT 1", row
    ).fetchone()
    counters = conn.execute("SELECT interface, rx_bytes, tx_bytes FROM usage_counter WHERE boot_id = ?", row)
    return Boot(row[0], Anchor(*anchor) if anchor else None, {name: (rx, tx) for name, rx, tx in counters})
