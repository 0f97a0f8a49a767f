"""SQL of how access points are: the latest that each said of itself, and the most of an hour.

Of two states the one with the later event time counts, whichever came first.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from hub.db import Connection, Into, insert
from hub.told import Told
from hub.wifi.hourly import hour_of
from hub.wifi.place_store import places
from hub.wifi.session import plausible_ms
from wire.messages import WifiState

_STATE = Into(
    "wifi_state (device_id, body, at_ms, received_ms)",
    4,
    "ON CONFLICT (device_id) DO UPDATE SET body = excluded.body, at_ms = excluded.at_ms, "
    "received_ms = excluded.received_ms WHERE excluded.at_ms >= at_ms",
)
_HOUR = Into(
    "wifi_hour (told_by, place, hour_ms, most_sessions, most_airtime_permille)",
    5,
    "ON CONFLICT (told_by, place, hour_ms) DO UPDATE SET most_sessions = max(most_sessions, excluded.most_sessions), "
    "most_airtime_permille = max(coalesce(most_airtime_permille, excluded.most_airtime_permille), "
    "coalesce(excluded.most_airtime_permille, most_airtime_permille))",
)


def take(conn: Connection, told: Sequence[Told]) -> None:
    """How access points are (`wire.messages.WifiState`)."""
    latest: dict[int, tuple[int, Told]] = {}
    most: dict[tuple[int, int], tuple[int, int | None]] = {}
    for one in told:
        at_ms = plausible_ms(one.at_ms, one.received_ms)
        if one.device_id not in latest or at_ms >= latest[one.device_id][0]:
            latest[one.device_id] = (at_ms, one)
        hour = (one.device_id, hour_of(at_ms))
        most[hour] = _greater(most.get(hour, (0, None)), _most_of(one.body))
    where = places(conn, sorted(latest))
    insert(conn, _STATE, [part for at_ms, one in latest.values() for part in _row(one, at_ms)])
    flat: list[Any] = []
    for (device_id, hour_ms), figures in most.items():
        flat += (f"device:{device_id}", where.get(device_id, ""), hour_ms, *figures)
    insert(conn, _HOUR, flat)


def _row(one: Told, at_ms: int) -> tuple[Any, ...]:
    return one.device_id, msgspec.json.encode(one.body).decode(), at_ms, one.received_ms


def _most_of(body: WifiState) -> tuple[int, int | None]:
    airtimes = [network.airtime_permille for network in body.networks if network.airtime_permille is not None]
    return body.sessions, max(airtimes, default=None)


def _greater(one: tuple[int, int | None], other: tuple[int, int | None]) -> tuple[int, int | None]:
    airtimes = [airtime for airtime in (one[1], other[1]) if airtime is not None]
    return max(one[0], other[0]), max(airtimes, default=None)
