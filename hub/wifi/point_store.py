"""SQL of the access points as the pages show them: how each is now, what it carried today, who is on it."""

from typing import Any, Literal

import msgspec

from hub.db import Connection
from hub.wifi.hourly import HOUR_MS
from wire.messages import WifiState

Condition = Literal["ok", "warning", "fault", "offline", "unheard"]

# A state comes every few minutes; an older one tells of another time.
_FRESH_MS = 30 * 60_000
_OPEN_SHOWN = 500
_read_state = msgspec.json.Decoder(WifiState)


class Point(msgspec.Struct, frozen=True):
    """One access point. `state` None: it has not told of its Wi-Fi. Of today: sessions begun, bytes both ways."""

    id: int
    name: str
    place: str
    online: bool
    heard_ms: int
    state: WifiState | None
    state_ms: int
    began: int
    bytes: int
    kit_ordered: int

    def is_fresh(self, now_ms: int) -> bool:
        """Whether what it said of itself holds still."""
        return self.online and self.state is not None and now_ms - self.state_ms < _FRESH_MS

    def condition(self, now_ms: int) -> Condition:
        """In one word."""
        if self.state is None:
            return "unheard"
        if not self.online:
            return "offline"
        if self.state.faults or any(not check.ok for check in self.state.checks):
            return "fault"
        return "ok" if self.is_fresh(now_ms) and not self.is_behind else "warning"

    @property
    def is_behind(self) -> bool:
        """Whether it goes by an older kit than it was ordered."""
        return self.state is not None and self.state.kit < self.kit_ordered

    @property
    def airtime_permille(self) -> int | None:
        """How busy its busiest channel is."""
        found = [one.airtime_permille for one in (self.state.networks if self.state else ())]
        return max((one for one in found if one is not None), default=None)


class Open(msgspec.Struct, frozen=True):
    """A session that has not ended, without anything that could lead to a person; `id` is the row's number."""

    id: int
    session: str
    network: str
    way: str
    began_ms: int
    last_ms: int
    ends_ms: int
    up_bytes: int
    down_bytes: int
    extensions: int
    slowed: bool


class Hour(msgspec.Struct, frozen=True):
    """What there was in an hour at one access point."""

    hour_ms: int
    began: int
    sessions: int
    up_bytes: int
    down_bytes: int
    most_sessions: int
    airtime_permille: int | None


_POINT = (
    "SELECT d.id, d.name, coalesce(i.place, ''), d.online, max(d.last_heard_ms, coalesce((SELECT max(l.last_ms) "
    "FROM lane l WHERE l.device_id = d.id), 0)), s.body, coalesce(s.at_ms, 0), coalesce(h.began, 0), "
    "coalesce(h.bytes, 0), coalesce(k.generation, 0) FROM device d LEFT JOIN item i ON i.device_id = d.id "
    "LEFT JOIN wifi_state s ON s.device_id = d.id LEFT JOIN kit k ON k.device_id = d.id "
    "LEFT JOIN (SELECT told_by, sum(began) AS began, sum(up_bytes + down_bytes) AS bytes FROM wifi_hour "
    "WHERE hour_ms >= ? GROUP BY told_by) h ON h.told_by = 'device:' || d.id "
    "WHERE (d.kind = 'access_point' OR s.device_id IS NOT NULL)"
)


def points(conn: Connection, day_ms: int) -> list[Point]:
    """All access points, by place and name; `day_ms` is when today began."""
    rows = conn.execute(f"{_POINT} ORDER BY coalesce(i.place, '') = '', i.place, d.name", (day_ms,))
    return [_point(row) for row in rows]


def point(conn: Connection, name: str, day_ms: int) -> Point | None:
    """One of them."""
    row = conn.execute(f"{_POINT} AND d.name = ?", (day_ms, name)).fetchone()
    return _point(row) if row else None


def _point(row: Any) -> Point:
    id_, name, place, online, heard_ms, body, *rest = row
    return Point(id_, name, place, bool(online), heard_ms, _read_state.decode(body) if body else None, *rest)


def guests_now(conn: Connection, now_ms: int) -> int:
    """How many sessions the access points said they had, those that are there now."""
    found = conn.execute(
        "SELECT coalesce(sum(json_extract(s.body, '$.sessions')), 0) FROM wifi_state s "
        "JOIN device d ON d.id = s.device_id WHERE d.online = 1 AND s.at_ms > ?",
        (now_ms - _FRESH_MS,),
    ).fetchone()
    return int(found[0])


def has_points(conn: Connection) -> bool:
    """Whether there is an access point that has told of its Wi-Fi."""
    return conn.execute("SELECT 1 FROM wifi_state LIMIT 1").fetchone() is not None


def troubled(conn: Connection) -> list[tuple[int, str, int, int]]:
    """Access points that last told of faults or failed checks: number, name, how many, and when that came."""
    found = []
    for device_id, name, body, received_ms in conn.execute(
        "SELECT s.device_id, d.name, s.body, s.received_ms FROM wifi_state s JOIN device d ON d.id = s.device_id "
        "ORDER BY d.name"
    ):
        state = _read_state.decode(body)
        if n := len(state.faults) + sum(not check.ok for check in state.checks):
            found.append((device_id, name, n, received_ms))
    return found


def open_sessions(conn: Connection, device_id: int) -> list[Open]:
    """Those that have not ended, the newest sign of life first."""
    rows = conn.execute(
        "SELECT id, session, network, way, began_ms, last_ms, ends_ms, up_bytes, down_bytes, extensions, slowed "
        "FROM wifi_session WHERE device_id = ? AND ended_ms IS NULL ORDER BY last_ms DESC, id DESC LIMIT ?",
        (device_id, _OPEN_SHOWN),
    )
    return [_open(row) for row in rows]


def _open(row: tuple[Any, ...]) -> Open:
    values = [*row[:-1], bool(row[-1])]
    return Open(*values)


def open_session(conn: Connection, device_id: int, session_id: int) -> str | None:
    """The name of a session that has not ended, for the order that ends it."""
    row = conn.execute(
        "SELECT session FROM wifi_session WHERE id = ? AND device_id = ? AND ended_ms IS NULL", (session_id, device_id)
    ).fetchone()
    return row[0] if row else None


def hours(conn: Connection, device_id: int, from_ms: int, until_ms: int) -> dict[int, Hour]:
    """What there was in the hours of a time, wherever the access point stood; hours without anything are left out."""
    rows = conn.execute(
        "SELECT hour_ms, sum(began), sum(sessions), sum(up_bytes), sum(down_bytes), max(most_sessions), "
        "max(most_airtime_permille) FROM wifi_hour WHERE told_by = ? AND hour_ms >= ? AND hour_ms < ? "
        "GROUP BY hour_ms ORDER BY hour_ms",
        (f"device:{device_id}", from_ms, until_ms),
    )
    return {row[0]: Hour(*row) for row in rows}


def day_hours(day_ms: int) -> list[int]:
    """When the hours of a day begin."""
    return [day_ms + hour * HOUR_MS for hour in range(24)]
