"""The write side: everything that one group of messages adds, as flat rows, stored in one transaction.

1. Rows are gathered on the event loop and stored on the writer's thread; nothing is looked up here row by row.
2. A key comes at most once in each list of upserts, so any SQL database takes the same statements.
3. Ids of devices, lanes, boots and kinds are given by the one process that takes in; should another have
   given the same, the transaction fails as a whole and is gone through again with what the database says.
"""

from typing import Any, NamedTuple

from hub import migrations
from hub.db import Connection, Into, insert

_EVENT_COLUMNS = "(lane_id, seq, kind_id, boot_id, mono_ms, at_ms, clock, received_ms, body)"

_KIND = Into("kind (id, name)", 2)
_BOOT = Into("boot (id, device_id, boot)", 3)
_ANCHOR = Into("anchor (boot_id, mono_ms, wall_ms)", 3)
_QUARANTINE = Into("quarantine (device_id, lane_id, seq, kind, reason, raw, received_ms)", 7)
_NEW_DEVICE = Into("device (id, name, kind, first_heard_ms, last_heard_ms, online, boot, connection, version)", 9)
_DEVICE = Into(
    _NEW_DEVICE.target,
    _NEW_DEVICE.width,
    "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, last_heard_ms = excluded.last_heard_ms, "
    "online = excluded.online, boot = excluded.boot, connection = excluded.connection, version = excluded.version",
)
_NEW_LANE = Into("lane (id, device_id, spool, lane, through, missing, last_ms)", 7)
_LANE = Into(
    _NEW_LANE.target,
    _NEW_LANE.width,
    "ON CONFLICT (id) DO UPDATE SET through = excluded.through, missing = excluded.missing, last_ms = excluded.last_ms",
)
_STRETCH = Into("lane_boot (lane_id, first_seq, boot_id)", 3)
_LATEST = Into(
    "latest (device_id, kind, boot_id, mono_ms, at_ms, clock, received_ms, body)",
    8,
    "ON CONFLICT (device_id, kind) DO UPDATE SET boot_id = excluded.boot_id, mono_ms = excluded.mono_ms, "
    "at_ms = excluded.at_ms, clock = excluded.clock, received_ms = excluded.received_ms, body = excluded.body",
)
_HEALTH_HOUR = Into(
    "health_hour (device_id, hour_ms, samples, cpu_sum, memory_sum, disk_sum, temperature_samples, "
    "temperature_sum, spool_max)",
    9,
    "ON CONFLICT (device_id, hour_ms) DO UPDATE SET samples = health_hour.samples + excluded.samples, "
    "cpu_sum = health_hour.cpu_sum + excluded.cpu_sum, "
    "memory_sum = health_hour.memory_sum + excluded.memory_sum, "
    "disk_sum = health_hour.disk_sum + excluded.disk_sum, "
    "temperature_samples = health_hour.temperature_samples + excluded.temperature_samples, "
    "temperature_sum = health_hour.temperature_sum + excluded.temperature_sum, "
    "spool_max = CASE WHEN excluded.spool_max > health_hour.spool_max THEN excluded.spool_max "
    "ELSE health_hour.spool_max END",
)
_USAGE_HOUR = Into(
    "usage_hour (device_id, hour_ms, interface, link, rx_bytes, tx_bytes)",
    6,
    "ON CONFLICT (device_id, hour_ms, interface, link) DO UPDATE SET "
    "rx_bytes = usage_hour.rx_bytes + excluded.rx_bytes, tx_bytes = usage_hour.tx_bytes + excluded.tx_bytes",
)
_USAGE_COUNTER = Into(
    "usage_counter (boot_id, interface, rx_bytes, tx_bytes)",
    4,
    "ON CONFLICT (boot_id, interface) DO UPDATE SET rx_bytes = excluded.rx_bytes, tx_bytes = excluded.tx_bytes",
)
_DROPPED = Into(
    "dropped (device_id, kind, n)",
    3,
    "ON CONFLICT (device_id, kind) DO UPDATE SET n = dropped.n + excluded.n",
)
_UNREADABLE = Into(
    "unreadable (device_id, n)", 2, "ON CONFLICT (device_id) DO UPDATE SET n = unreadable.n + excluded.n"
)

# Counters of older boots than this many are forgotten: no spool holds readings that old out of order.
BOOTS_COUNTED = 8


class AlarmChange(NamedTuple):
    """An alarm that began or ended."""

    device_id: int
    name: str
    detail: str
    begun: bool
    at_ms: int


class Rows:
    """What one group adds; each list holds rows one after the other."""

    def __init__(self) -> None:
        self.month = ""
        self.mark_hour_ms: int | None = None
        self.kinds: list[Any] = []
        self.boots: list[Any] = []
        self.new_devices: list[Any] = []
        self.devices: list[Any] = []
        self.new_lanes: list[Any] = []
        self.lanes: list[Any] = []
        self.stretches: list[Any] = []
        self.events: list[Any] = []
        self.latest: list[Any] = []
        self.health_hours: list[Any] = []
        self.usage_hours: list[Any] = []
        self.counters: list[Any] = []
        self.anchors: list[Any] = []
        self.quarantine: list[Any] = []
        self.dropped: list[Any] = []
        self.unreadable: list[Any] = []
        self.alarms: list[AlarmChange] = []


def keep(conn: Connection, rows: Rows) -> None:
    """Stores a group."""
    if rows.mark_hour_ms is not None:
        _mark(conn, rows.month, rows.mark_hour_ms)
    insert(conn, _KIND, rows.kinds)
    insert(conn, _NEW_DEVICE, rows.new_devices)
    insert(conn, _DEVICE, rows.devices)
    insert(conn, _BOOT, rows.boots)
    insert(conn, _NEW_LANE, rows.new_lanes)
    insert(conn, _LANE, rows.lanes)
    insert(conn, _STRETCH, rows.stretches)
    insert(conn, Into(f"event_{rows.month} {_EVENT_COLUMNS}", 9), rows.events)
    insert(conn, _LATEST, rows.latest)
    insert(conn, _HEALTH_HOUR, rows.health_hours)
    insert(conn, _USAGE_HOUR, rows.usage_hours)
    insert(conn, _USAGE_COUNTER, rows.counters)
    insert(conn, _ANCHOR, rows.anchors)
    insert(conn, _QUARANTINE, rows.quarantine)
    insert(conn, _DROPPED, rows.dropped)
    insert(conn, _UNREADABLE, rows.unreadable)
    for device_id in dict.fromkeys(rows.boots[1::3]):
        _forget_old_counters(conn, device_id)
    for change in rows.alarms:
        _change_alarm(conn, change)


def everyone_offline(conn: Connection) -> list[str]:
    """For when the broker may have told of leavings that nobody heard; the names of those it concerns."""
    names = [name for (name,) in conn.execute("SELECT name FROM device WHERE online = 1")]
    conn.execute("UPDATE device SET online = 0 WHERE online = 1")
    return names


def cursors(conn: Connection, since_ms: int) -> list[tuple[str, str, str, int]]:
    """Device, spool, lane and cursor of every lane that was heard since a moment.

    Not where copies of a device were answered further than that: each of them had cursors of its own.
    """
    return conn.execute(
        "SELECT d.name, l.spool, l.lane, l.through FROM lane l JOIN device d ON d.id = l.device_id "
        "WHERE l.last_ms >= ? AND NOT EXISTS (SELECT 1 FROM clone_cursor c WHERE c.device_id = d.id "
        "AND c.spool = l.spool AND c.lane = l.lane AND c.through > l.through) ORDER BY l.id",
        (since_ms,),
    ).fetchall()


def _mark(conn: Connection, month: str, hour_ms: int) -> None:
    """The first event of an hour: where a chart of that hour begins to read."""
    conn.execute(migrations.event_table(month))
    conn.execute(
        f"INSERT INTO mark (month, hour_ms, first_id) SELECT ?, ?, coalesce(max(id), 0) + 1 FROM event_{month} "  # noqa: S608
        "WHERE true ON CONFLICT (month, hour_ms) DO NOTHING",
        (month, hour_ms),
    )


def _forget_old_counters(conn: Connection, device_id: int) -> None:
    conn.execute(
        "DELETE FROM usage_counter WHERE boot_id IN (SELECT id FROM boot WHERE device_id = ? AND id <= "
        "(SELECT id FROM boot WHERE device_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?))",
        (device_id, device_id, BOOTS_COUNTED),
    )


def _change_alarm(conn: Connection, change: AlarmChange) -> None:
    which = (change.device_id, change.name)
    if change.begun:
        conn.execute(
            "INSERT INTO alarm (device_id, name, detail, begun_ms) SELECT ?, ?, ?, ? WHERE NOT EXISTS "
            "(SELECT 1 FROM alarm WHERE device_id = ? AND name = ? AND ended_ms IS NULL)",
            (*which, change.detail, change.at_ms, *which),
        )
    else:
        conn.execute(
            "UPDATE alarm SET ended_ms = ? WHERE device_id = ? AND name = ? AND ended_ms IS NULL",
            (change.at_ms, *which),
        )
