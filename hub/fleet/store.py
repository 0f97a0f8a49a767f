"""What the hub knows of its devices, as the pages read it.  (What writes it is `record_store.py`.)

All times are true times in ms (see `truetime.py`); each reading looks at small tables only, except a
chart of single samples, which reads the month's events from the mark of its first hour on.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from hub.db import Connection
from hub.fleet import late
from hub.fleet.rollup import Figures, figures
from hub.fleet.truetime import HOUR_MS, QUALITIES, Anchor, shown_ms, true_ms
from wire import codec
from wire.messages import ClockQuality, Health

# Up to this long, and this long ago, a chart shows single samples; else hours.
RAW_SPAN_MS = 6 * HOUR_MS
RAW_AGO_MS = 36 * HOUR_MS


class Seen(msgspec.Struct, frozen=True):
    """Losses in all when somebody looked at them, and who it was; what comes after is new."""

    missing: int = 0
    dropped: int = 0
    quarantined: int = 0
    at_ms: int = 0
    who: str = ""


class DeviceRow(msgspec.Struct, frozen=True):
    """One device, as it is now. `missing`, `dropped` and `quarantined` count what nobody has looked at yet."""

    id: int
    name: str
    kind: str
    online: bool
    first_heard_ms: int
    last_heard_ms: int
    version: str
    boot: str
    health: Health | None
    health_at_ms: int | None
    clock: ClockQuality | None
    spool_urgent: int
    spool_bulk: int
    quarantined: int
    missing: int
    dropped: int
    open_alarms: tuple[str, ...]
    seen: Seen = Seen()
    report_every_ms: int = 60_000


class HealthSeries(msgspec.Struct, frozen=True):
    """Lists of the same length; `hourly` tells that each entry is an hour (its start, means, deepest spool)."""

    at_ms: list[int]
    cpu_permille: list[int]
    memory_used_permille: list[int]
    disk_used_permille: list[int]
    temperature_milli_c: list[int | None]
    spool_depth: list[int]
    hourly: bool


class UsageHour(msgspec.Struct, frozen=True):
    """What one interface received and sent in the hour that begins at `hour_ms`."""

    interface: str
    link: str
    hour_ms: int
    rx_bytes: int
    tx_bytes: int


class Quarantined(msgspec.Struct, frozen=True):
    """What could not be read, as it came.  `seq` and `lane` are None for a whole message, `device` for a stranger's."""

    id: int
    device: str | None
    lane: str | None
    seq: int | None
    kind: str
    reason: str
    raw: bytes
    received_ms: int


class AlarmRow(msgspec.Struct, frozen=True):
    """An alarm; open while `ended_ms` is None."""

    id: int
    device: str
    name: str
    detail: str
    begun_ms: int
    ended_ms: int | None


class Totals(msgspec.Struct, frozen=True):
    """Counts over the whole fleet.  `unreadable` are messages, `quarantined` records and kept messages."""

    devices: int
    online: int
    events: int
    punches: int
    quarantined: int
    unreadable: int
    missing: int
    dropped: int
    open_alarms: int


def devices(conn: Connection) -> list[DeviceRow]:
    """Every device, by name."""
    return _rows(conn, "", ())


def device(conn: Connection, name: str) -> DeviceRow | None:
    """One device, or None."""
    found = conn.execute("SELECT id FROM device WHERE name = ?", (name,)).fetchone()
    return _rows(conn, "WHERE device_id = ?", found)[0] if found else None


def mark_seen(conn: Connection, row: DeviceRow, who: str, at_ms: int) -> None:
    """Somebody has looked at the losses of a device: they no longer count against it."""
    seen = row.seen
    conn.execute(
        "INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device_id) DO UPDATE SET missing = excluded.missing, "
        "dropped = excluded.dropped, quarantined = excluded.quarantined, at_ms = excluded.at_ms, who = excluded.who",
        (
            row.id,
            seen.missing + row.missing,
            seen.dropped + row.dropped,
            seen.quarantined + row.quarantined,
            at_ms,
            who,
        ),
    )


def mark_unseen(conn: Connection, device_id: int) -> None:
    """Takes that back: every loss counts again."""
    conn.execute("DELETE FROM seen WHERE device_id = ?", (device_id,))


def health_series(conn: Connection, device_id: int, from_ms: int, to_ms: int) -> HealthSeries:
    """Health from `from_ms` up to `to_ms`: single samples for the last hours, means of hours for longer."""
    newest = conn.execute("SELECT max(hour_ms) FROM mark").fetchone()[0] or 0
    if to_ms - from_ms <= RAW_SPAN_MS and from_ms >= newest - RAW_AGO_MS:
        return _health_raw(conn, device_id, from_ms, to_ms)
    return _health_hours(conn, device_id, from_ms, to_ms)


def usage_series(conn: Connection, device_id: int, from_ms: int, to_ms: int) -> list[UsageHour]:
    """Data used by the hour, for hours that begin from `from_ms` up to `to_ms`."""
    return [
        UsageHour(*row)
        for row in conn.execute(
            "SELECT interface, link, hour_ms, rx_bytes, tx_bytes FROM usage_hour "
            "WHERE device_id = ? AND hour_ms >= ? AND hour_ms < ? ORDER BY hour_ms, interface, link",
            (device_id, from_ms, to_ms),
        )
    ]


def quarantine(
    conn: Connection, limit: int = 50, device_id: int | None = None, before_id: int | None = None
) -> list[Quarantined]:
    """What could not be read, newest first."""
    return [
        Quarantined(*row)
        for row in conn.execute(
            "SELECT q.id, d.name, l.lane, q.seq, q.kind, q.reason, q.raw, q.received_ms FROM quarantine q "
            "LEFT JOIN device d ON d.id = q.device_id LEFT JOIN lane l ON l.id = q.lane_id "
            "WHERE (? IS NULL OR q.device_id = ?) AND (? IS NULL OR q.id < ?) ORDER BY q.id DESC LIMIT ?",
            (device_id, device_id, before_id, before_id, limit),
        )
    ]


def alarms(conn: Connection, device_id: int | None = None, limit: int = 50) -> list[AlarmRow]:
    """Open alarms first, then the newest."""
    return [
        AlarmRow(*row)
        for row in conn.execute(
            "SELECT a.id, d.name, a.name, a.detail, a.begun_ms, a.ended_ms FROM alarm a "
            "JOIN device d ON d.id = a.device_id WHERE (? IS NULL OR a.device_id = ?) "
            "ORDER BY a.ended_ms IS NOT NULL, a.id DESC LIMIT ?",
            (device_id, device_id, limit),
        )
    ]


def dropped(conn: Connection, device_id: int) -> dict[str, int]:
    """How many records of each kind a device gave up because its disk was full."""
    return dict(conn.execute("SELECT kind, n FROM dropped WHERE device_id = ? ORDER BY kind", (device_id,)))


def totals(conn: Connection) -> Totals:
    """Counts over the whole fleet."""
    known, online = conn.execute("SELECT count(*), coalesce(sum(online), 0) FROM device").fetchone()
    return Totals(
        known,
        online,
        _events(conn),
        _one(conn, "SELECT count(*) FROM punch"),
        _one(conn, "SELECT count(*) FROM quarantine"),
        _one(conn, "SELECT coalesce(sum(n), 0) FROM unreadable"),
        _one(conn, "SELECT coalesce(sum(missing), 0) FROM lane"),
        _one(conn, "SELECT coalesce(sum(n), 0) FROM dropped"),
        _one(conn, "SELECT count(*) FROM alarm WHERE ended_ms IS NULL"),
    )


def months(conn: Connection) -> list[str]:
    """The months that have events, as in the names of their tables, oldest first."""
    return [month for (month,) in conn.execute("SELECT DISTINCT month FROM mark ORDER BY month")]


def anchors(conn: Connection, boot_ids: Iterable[int]) -> dict[int, list[Anchor]]:
    """The clock readings of these boots."""
    wanted = list(boot_ids)
    found: dict[int, list[Anchor]] = defaultdict(list)
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        for boot_id, mono_ms, wall_ms in conn.execute(
            f"SELECT boot_id, mono_ms, wall_ms FROM anchor WHERE boot_id IN ({','.join('?' * len(some))})",  # noqa: S608
            some,
        ):
            found[boot_id].append(Anchor(mono_ms, wall_ms))
    return found


def silent_terminals(conn: Connection, since_ms: int) -> list[str]:
    """The terminals of which nothing was heard since then: records may still wait on them."""
    rows = conn.execute(
        "SELECT name FROM device d WHERE kind = 'terminal' AND last_heard_ms < ? AND NOT EXISTS "
        "(SELECT 1 FROM lane l WHERE l.device_id = d.id AND l.last_ms >= ?) ORDER BY name",
        (since_ms, since_ms),
    )
    return [name for (name,) in rows]


def _rows(conn: Connection, where: str, args: tuple[Any, ...]) -> list[DeviceRow]:
    lanes = _by_device(conn, f"SELECT device_id, sum(missing), max(last_ms) FROM lane {where}", args)  # noqa: S608
    bad = _by_device(conn, f"SELECT device_id, count(*) FROM quarantine {where}", args)  # noqa: S608
    lost = _by_device(conn, f"SELECT device_id, sum(n) FROM dropped {where}", args)  # noqa: S608
    seen = {id_: Seen(*rest) for id_, *rest in conn.execute(f"SELECT * FROM seen {where}", args)}  # noqa: S608
    open_alarms = _open_alarms(conn, where, args)
    clocks = _clocks(conn, where, args)
    health = _latest_health(conn, where, args)
    samples = recent_samples(conn, where, args)
    rows = []
    for id_, name, kind, online, first, last, version, boot in conn.execute(
        "SELECT id, name, kind, online, first_heard_ms, last_heard_ms, version, boot FROM device "  # noqa: S608
        f"{where.replace('device_id', 'id')} ORDER BY name",
        args,
    ):
        missing, lane_ms = lanes.get(id_, (0, 0))
        at_ms, body = health.get(id_, (None, None))
        looked_at = seen.get(id_, Seen())
        rows.append(
            DeviceRow(
                id=id_,
                name=name,
                kind=kind,
                online=bool(online),
                first_heard_ms=first,
                last_heard_ms=max(last, lane_ms),
                version=version or (body.version if body else ""),
                boot=boot,
                health=body,
                health_at_ms=at_ms,
                clock=clocks.get(id_),
                spool_urgent=body.spool_urgent if body else 0,
                spool_bulk=body.spool_bulk if body else 0,
                quarantined=bad.get(id_, (0,))[0] - looked_at.quarantined,
                missing=missing - looked_at.missing,
                dropped=lost.get(id_, (0,))[0] - looked_at.dropped,
                open_alarms=tuple(open_alarms[id_]),
                seen=looked_at,
                report_every_ms=late.report_every_ms(samples[id_], at_ms),
            )
        )
    return rows


def _by_device(conn: Connection, query: str, args: tuple[Any, ...]) -> dict[int, tuple[int, ...]]:
    return {row[0]: row[1:] for row in conn.execute(f"{query} GROUP BY device_id", args)}


def _open_alarms(conn: Connection, where: str, args: tuple[Any, ...]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    also = f"{where} AND" if where else "WHERE"
    for device_id, name in conn.execute(
        f"SELECT device_id, name FROM alarm {also} ended_ms IS NULL ORDER BY id",  # noqa: S608
        args,
    ):
        found[device_id].append(name)
    return found


def _clocks(conn: Connection, where: str, args: tuple[Any, ...]) -> dict[int, ClockQuality]:
    """The clock quality of the record that came last."""
    return {
        device_id: QUALITIES[clock]
        for device_id, clock, _ in conn.execute(
            f"SELECT device_id, clock, received_ms FROM latest {where} ORDER BY received_ms, at_ms, clock",  # noqa: S608
            args,
        )
    }


def _latest_health(conn: Connection, where: str, args: tuple[Any, ...]) -> dict[int, tuple[int, Health]]:
    also = f"{where} AND" if where else "WHERE"
    rows = conn.execute(
        f"SELECT device_id, boot_id, mono_ms, at_ms, clock, body FROM latest {also} kind = 'health'",  # noqa: S608
        args,
    ).fetchall()
    known = anchors(conn, {row[1] for row in rows if row[4]})
    return {
        device_id: (true_ms(at_ms, mono_ms, clock, known.get(boot_id, ())), codec.decode_body("health", body))
        for device_id, boot_id, mono_ms, at_ms, clock, body in rows
    }


def recent_samples(conn: Connection, where: str, args: tuple[Any, ...]) -> dict[int, list[tuple[int, int]]]:
    """Samples in each of the last three hours that anything was heard in, by device."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    newest = conn.execute("SELECT max(hour_ms) FROM mark").fetchone()[0] or 0
    for device_id, hour_ms, samples in conn.execute(
        "SELECT d.id, h.hour_ms, h.samples FROM device d CROSS JOIN health_hour h "  # noqa: S608
        f"ON h.device_id = d.id AND h.hour_ms >= ? {where.replace('device_id', 'd.id')}",
        (newest - 2 * HOUR_MS, *args),
    ):
        found[device_id].append((hour_ms, samples))
    return found


def _health_raw(conn: Connection, device_id: int, from_ms: int, to_ms: int) -> HealthSeries:
    rows: list[tuple[int, int, int, int, bytes]] = []
    for table, first_id in _tables_from(conn, from_ms):
        rows += conn.execute(
            f"SELECT boot_id, mono_ms, at_ms, clock, body FROM {table} WHERE id >= ? "  # noqa: S608 (own name)
            "AND kind_id = (SELECT id FROM kind WHERE name = 'health') "
            "AND lane_id IN (SELECT id FROM lane WHERE device_id = ?)",
            (first_id, device_id),
        )
    known = anchors(conn, {row[0] for row in rows if row[3]})
    samples = [
        (true_ms(at_ms, mono_ms, clock, known.get(boot_id, ())), body) for boot_id, mono_ms, at_ms, clock, body in rows
    ]
    within = sorted(sample for sample in samples if from_ms <= sample[0] < to_ms)
    return _series([(at_ms, figures(codec.decode_body("health", body))) for at_ms, body in within], hourly=False)


def _tables_from(conn: Connection, from_ms: int) -> list[tuple[str, int]]:
    """The event tables that hold what came since `from_ms`, each with the first id to look at."""
    mark = conn.execute(
        "SELECT month, first_id FROM mark WHERE hour_ms <= ? ORDER BY hour_ms DESC LIMIT 1", (from_ms,)
    ).fetchone()
    month, first_id = mark or ("", 1)
    return [(f"event_{name}", first_id if name == month else 1) for name in months(conn) if name >= month]


def _health_hours(conn: Connection, device_id: int, from_ms: int, to_ms: int) -> HealthSeries:
    return _series(
        [
            (
                hour_ms,
                Figures(cpu // n, memory // n, disk // n, temperature // warm if warm else None, depth),
            )
            for hour_ms, n, cpu, memory, disk, warm, temperature, depth in conn.execute(
                "SELECT hour_ms, samples, cpu_sum, memory_sum, disk_sum, temperature_samples, temperature_sum, "
                "spool_max FROM health_hour WHERE device_id = ? AND hour_ms >= ? AND hour_ms < ? ORDER BY hour_ms",
                (device_id, from_ms - from_ms % HOUR_MS, to_ms),
            )
        ],
        hourly=True,
    )


def _series(samples: list[tuple[int, Figures]], *, hourly: bool) -> HealthSeries:
    return HealthSeries(
        [shown_ms(at_ms) for at_ms, _ in samples],
        [sample.cpu_permille for _, sample in samples],
        [sample.memory_used_permille for _, sample in samples],
        [sample.disk_used_permille for _, sample in samples],
        [sample.temperature_milli_c for _, sample in samples],
        [sample.spool_depth for _, sample in samples],
        hourly,
    )


def _events(conn: Connection) -> int:
    """Nothing is ever deleted from a month's table, so its last id is its count."""
    return sum(
        _one(conn, f"SELECT coalesce(max(id), 0) FROM event_{month}")  # noqa: S608 (our own name)
        for month in months(conn)
    )


def _one(conn: Connection, query: str) -> int:
    value: int = conn.execute(query).fetchone()[0]
    return value
