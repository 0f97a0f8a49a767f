"""The figures of a device's charts: one list of times, the figures beside them, gaps where nothing came.

The same hours of last week come as figures of their own, moved by a week.
"""

from typing import Literal, get_args

import msgspec

from hub.db import Connection
from hub.fleet import store
from hub.fleet.truetime import HOUR_MS

Span = Literal["3h", "24h", "7d", "30d"]
SPANS: tuple[Span, ...] = get_args(Span)
_LENGTH_MS: dict[Span, int] = {"3h": 3 * HOUR_MS, "24h": 24 * HOUR_MS, "7d": 168 * HOUR_MS, "30d": 720 * HOUR_MS}
_WEEK_MS = 168 * HOUR_MS
# Samples come every minute at most a little late; hours come every hour.
_GAP_MS = 3 * 60_000 + 30_000


class Health(msgspec.Struct, frozen=True):
    """Times in seconds; percent and degrees in tenths, None for a gap."""

    at_s: list[int]
    cpu: list[int | None]
    memory: list[int | None]
    disk: list[int | None]
    temperature: list[int | None]
    waiting: list[int | None]


class Usage(msgspec.Struct, frozen=True):
    """Bytes by the hour of one interface."""

    interface: str
    link: str
    at_s: list[int]
    received: list[int]
    sent: list[int]


class Series(msgspec.Struct, frozen=True):
    """All charts of one device."""

    from_s: int
    to_s: int
    health: Health
    last_week: Health
    usage: list[Usage]


def used_permille(total: int, free: int) -> int:
    """The used part in tenths of a percent."""
    return (total - free) * 1000 // total if total > free else 0


def series(conn: Connection, device_id: int, span: Span, now_ms: int) -> Series:
    """The figures of the last `span`."""
    from_ms = now_ms - _LENGTH_MS[span]
    return Series(
        from_ms // 1000,
        now_ms // 1000,
        _health(store.health_series(conn, device_id, from_ms, now_ms + 1), 0),
        _health(store.health_series(conn, device_id, from_ms - _WEEK_MS, now_ms - _WEEK_MS), _WEEK_MS),
        _usage(store.usage_series(conn, device_id, from_ms - from_ms % HOUR_MS, now_ms + 1)),
    )


def _health(found: store.HealthSeries, moved_ms: int) -> Health:
    columns: tuple[list[int], ...] = ([], [], [], [], [], [])
    health = Health(*columns)  # type: ignore[arg-type]
    gap_ms = 2 * HOUR_MS if found.hourly else _GAP_MS
    last_ms: int | None = None
    for index, at_ms in enumerate(found.at_ms):
        if last_ms is not None and at_ms - last_ms > gap_ms:
            _add(health, (last_ms + at_ms) // 2 + moved_ms, (None,) * 5)
        temperature = found.temperature_milli_c[index]
        figures = (
            found.cpu_permille[index],
            found.memory_used_permille[index],
            found.disk_used_permille[index],
            None if temperature is None else temperature // 100,
            found.spool_depth[index],
        )
        _add(health, at_ms + moved_ms, figures)
        last_ms = at_ms
    return health


def _add(health: Health, at_ms: int, figures: tuple[int | None, ...]) -> None:
    health.at_s.append(at_ms // 1000)
    columns = (health.cpu, health.memory, health.disk, health.temperature, health.waiting)
    for column, figure in zip(columns, figures, strict=True):
        column.append(figure)


def _usage(hours: list[store.UsageHour]) -> list[Usage]:
    by_interface: dict[tuple[str, str], Usage] = {}
    for hour in hours:
        key = (hour.interface, hour.link)
        usage = by_interface.setdefault(key, Usage(hour.interface, hour.link, [], [], []))
        usage.at_s.append(hour.hour_ms // 1000)
        usage.received.append(hour.rx_bytes)
        usage.sent.append(hour.tx_bytes)
    return [usage for usage in by_interface.values() if any(usage.received) or any(usage.sent)]
