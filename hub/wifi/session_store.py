"""SQL of sessions: what access points told, folded into one row each, and into the hours in which bytes flowed.

1. `take` is called in the transaction of the group (or of the RADIUS request) that brought the tellings; a few
   statements for thousands of them, and none that a row repeats.
2. What was known is read, folded with what came (`session.py`), and written back; so any order and any repeat of the
   same tellings leaves the same rows.
3. The hours hold differences: of the shares that follow from the points before and after (`hourly.py`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub.db import Among, Connection, Into, among, insert
from hub.told import Told as Heard
from hub.wifi import place_store, roam
from hub.wifi.hourly import NOTHING, Flow, greater, hour_of, shares
from hub.wifi.session import Told, alone, bounded, merged, of_record

_Key = tuple[str, str, str]
_Points = dict[int, Flow]

_COLUMNS = (
    "told_by, boot, session, number, began_ms, last_ms, up_bytes, down_bytes, ended_ms, cause, guest, day, network, "
    "way, extensions, slowed, origin, ends_ms, device_id, place, end_number"
)
_SESSION = Into(
    f"wifi_session (id, {_COLUMNS}, arrived_ms)",
    23,
    "ON CONFLICT (told_by, boot, session) DO UPDATE SET number = excluded.number, began_ms = excluded.began_ms, "
    "last_ms = excluded.last_ms, up_bytes = excluded.up_bytes, down_bytes = excluded.down_bytes, "
    "ended_ms = excluded.ended_ms, cause = excluded.cause, guest = excluded.guest, day = excluded.day, "
    "network = excluded.network, way = excluded.way, extensions = excluded.extensions, slowed = excluded.slowed, "
    "origin = excluded.origin, ends_ms = excluded.ends_ms, end_number = excluded.end_number, "
    "arrived_ms = excluded.arrived_ms",
)
# The same of a session `s`, in the order of `Told`.
TOLD = (
    "s.told_by, s.boot, s.session, s.number, s.began_ms, s.last_ms, s.up_bytes, s.down_bytes, s.ended_ms, "
    "s.cause, s.guest, s.day, s.network, s.way, s.extensions, s.slowed, s.origin, s.ends_ms, s.device_id, s.place, "
    "s.end_number"
)
_SLOWED = 15
_KEPT = Among(
    f"SELECT s.id, {TOLD} FROM",
    3,
    "JOIN wifi_session s ON s.told_by = k.column1 AND s.boot = k.column2 AND s.session = k.column3",
)
_POINT = Into(
    "wifi_session_hour (session_id, hour_ms, up_bytes, down_bytes)",
    4,
    "ON CONFLICT (session_id, hour_ms) DO UPDATE SET up_bytes = excluded.up_bytes, down_bytes = excluded.down_bytes",
)
_POINTS = Among(
    "SELECT h.session_id, h.hour_ms, h.up_bytes, h.down_bytes FROM",
    1,
    "JOIN wifi_session_hour h ON h.session_id = k.column1",
)
_HOUR = Into(
    "wifi_hour (told_by, place, hour_ms, began, sessions, up_bytes, down_bytes)",
    7,
    "ON CONFLICT (told_by, place, hour_ms) DO UPDATE SET began = began + excluded.began, "
    "sessions = sessions + excluded.sessions, up_bytes = up_bytes + excluded.up_bytes, "
    "down_bytes = down_bytes + excluded.down_bytes",
)
_ROAM = Into("wifi_roam (origin)", 1, "ON CONFLICT (origin) DO UPDATE SET times = times + 1")


def take_records(conn: Connection, heard: Sequence[Heard]) -> None:
    """Sessions that access points of ours told of (`wire.messages.WifiSession`)."""
    places = place_store.places(conn, sorted({one.device_id for one in heard}))
    told = [of_record(one.body, one.device_id, places.get(one.device_id, ""), one.received_ms) for one in heard]
    take(conn, told, max(one.received_ms for one in heard))


def take(conn: Connection, told: Sequence[Told], arrived_ms: int) -> None:
    """Takes in what was told of sessions, ours or another maker's; in any order, and however often."""
    now, new_points = _gathered(told)
    flat = [part for key in now for part in key]
    ids, before = _kept(conn, flat)
    for key, kept in before.items():
        now[key] = merged(kept, now[key])
    _number(conn, ids, now)
    points = _points_of(conn, [ids[key] for key in before])
    hours = _Hours()
    changed_points: list[Any] = []
    for key, one in now.items():
        kept_points = points.get(ids[key], {})
        all_points = _joined(kept_points, new_points[key])
        hours.change(before.get(key), kept_points, one, all_points)
        for hour_ms in new_points[key]:
            if kept_points.get(hour_ms) != all_points[hour_ms]:
                changed_points += (ids[key], hour_ms, *all_points[hour_ms])
    insert(conn, _SESSION, [part for key, one in now.items() for part in (ids[key], *_row(one), arrived_ms)])
    insert(conn, _POINT, changed_points)
    insert(conn, _HOUR, hours.rows())
    news = {one.agreed_in: None for key, one in now.items() if roam.is_news(before.get(key), one)}
    insert(conn, _ROAM, list(news))


class _Hours:
    """By how much hours change, an access point and place each."""

    def __init__(self) -> None:
        self._up: Counter[tuple[str, str, int]] = Counter()
        self._down: Counter[tuple[str, str, int]] = Counter()
        self._began: Counter[tuple[str, str, int]] = Counter()
        self._sessions: Counter[tuple[str, str, int]] = Counter()

    def change(self, before: Told | None, old: Mapping[int, Flow], after: Told, new: Mapping[int, Flow]) -> None:
        """One session, with its points as they were and as they are."""
        by, place = after.told_by, after.place
        if before is None:
            self._began[by, place, hour_of(after.began_ms)] += 1
        elif hour_of(before.began_ms) != hour_of(after.began_ms):
            self._began[by, place, hour_of(before.began_ms)] -= 1
            self._began[by, place, hour_of(after.began_ms)] += 1
        if old == new:
            return
        was = shares(old)
        for hour_ms, flow in shares(new).items():
            less = was.get(hour_ms, NOTHING)
            if flow != less or hour_ms not in old:
                hour = (by, place, hour_ms)
                self._up[hour] += flow.up_bytes - less.up_bytes
                self._down[hour] += flow.down_bytes - less.down_bytes
                self._sessions[hour] += hour_ms not in old

    def rows(self) -> list[Any]:
        """What is to be added, row after row."""
        flat: list[Any] = []
        for hour in {**self._up, **self._began}:
            change = (self._began[hour], self._sessions[hour], self._up[hour], self._down[hour])
            if any(change):
                flat += (*hour, *change)
        return flat


def _gathered(told: Sequence[Told]) -> tuple[dict[_Key, Told], dict[_Key, _Points]]:
    """Each session as far as it was told here, and its points."""
    now: dict[_Key, Told] = {}
    points: defaultdict[_Key, _Points] = defaultdict(dict)
    for one in map(bounded, told):
        key = one.key
        kept = now.get(key)
        now[key] = alone(one) if kept is None else merged(kept, one)
        hour_ms, flow = hour_of(one.last_ms), Flow(one.up_bytes, one.down_bytes)
        point = points[key].get(hour_ms)
        points[key][hour_ms] = flow if point is None else greater(point, flow)
    return now, points


def _joined(one: Mapping[int, Flow], other: Mapping[int, Flow]) -> _Points:
    return {**one, **{hour: greater(one.get(hour, NOTHING), flow) for hour, flow in other.items()}}


def _kept(conn: Connection, flat: Sequence[str]) -> tuple[dict[_Key, int], dict[_Key, Told]]:
    ids: dict[_Key, int] = {}
    kept: dict[_Key, Told] = {}
    for id_, *columns in among(conn, _KEPT, flat):
        one = told_of(columns)
        ids[one.key], kept[one.key] = id_, one
    return ids, kept


def _number(conn: Connection, ids: dict[_Key, int], now: Iterable[_Key]) -> None:
    """Numbers for those that are new: the hub is the only one that writes, so none is given twice."""
    next_id = conn.execute("SELECT coalesce(max(id), 0) + 1 FROM wifi_session").fetchone()[0]
    for key in now:
        if key not in ids:
            ids[key] = next_id
            next_id += 1


def _points_of(conn: Connection, ids: Sequence[int]) -> dict[int, _Points]:
    found: defaultdict[int, _Points] = defaultdict(dict)
    for session_id, hour_ms, up_bytes, down_bytes in among(conn, _POINTS, ids):
        found[session_id][hour_ms] = Flow(up_bytes, down_bytes)
    return found


def told_of(columns: Sequence[Any]) -> Told:
    """A row (`TOLD`) as what was told."""
    values = list(columns)
    values[_SLOWED] = bool(values[_SLOWED])
    return Told(*values)


def _row(one: Told) -> tuple[Any, ...]:
    return (
        one.told_by,
        one.boot,
        one.session,
        one.number,
        one.began_ms,
        one.last_ms,
        one.up_bytes,
        one.down_bytes,
        one.ended_ms,
        one.cause,
        one.guest,
        one.day,
        one.network,
        one.way,
        one.extensions,
        int(one.slowed),
        one.origin,
        one.ends_ms,
        one.device_id,
        one.place,
        one.end_number,
    )
