"""SQL of roaming: the town's other access points are told whom they need not ask again (`roam.py`).

1. Which agreements have news is marked by `session_store.take`, and which access points came by `take_presences`, each
   in the transaction of what happened; `roam_task.py` tells it within a second.
2. A message is put together and signed by a reader (`plan`) and put into the outbox in one short transaction
   (`publish`).  A mark that was set again meanwhile stays.
3. It is worth something for moments only: what has not gone after `_LIFE_MS` is taken out.  An access point that comes
   later is told of everything that is open.
4. Told are access points that are connected and not on hold, never of what only they told of themselves.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from hub.db import Among, Connection, Into, among, insert
from hub.fleet import outbox
from hub.signing import Signing
from hub.told import Told as Heard
from hub.wifi import roam
from hub.wifi.roam import Agreement
from hub.wifi.session import Told
from hub.wifi.session_store import TOLD, told_of
from wire import codec
from wire.messages import BATCH_BYTES, Grant

# Shorter than the pause after which the outbox sends the same again: an access point gives no answer to wait for.
_LIFE_MS = 45_000
# So many messages of 200 grants go to one access point at once; of more open sessions those that end last.
_MESSAGES = 10

_TERMS = (
    "LEFT JOIN wifi_consent c ON c.device_id = s.device_id AND c.session = s.session WHERE s.device_id IS NOT NULL "
    "AND s.guest IS NOT NULL"
)
_AGREED_IN = Among(
    f"SELECT {TOLD}, coalesce(c.terms, '') FROM",
    1,
    f"JOIN wifi_session s ON s.session = k.column1 AND s.origin = '' {_TERMS}",
)
_WENT_ON = Among(
    f"SELECT {TOLD}, coalesce(c.terms, '') FROM",
    1,
    f"JOIN wifi_session s ON s.origin = k.column1 AND s.origin <> '' {_TERMS}",
)

_CAME = Into("wifi_roam_device (device_id)", 1, "ON CONFLICT (device_id) DO UPDATE SET times = times + 1")


class Plan(msgspec.Struct, frozen=True):
    """What is to go (a message for each of the devices, in rounds), and the marks that it answers to."""

    rounds: tuple[dict[int, bytes], ...] = ()
    origins: tuple[tuple[str, int], ...] = ()
    devices: tuple[tuple[int, int], ...] = ()
    made_ms: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.origins or self.devices)


def take_presences(conn: Connection, heard: Sequence[Heard]) -> None:
    """Access points that came (`wire.messages.Presence`) are to be told of everything that is open."""
    insert(conn, _CAME, sorted({one.device_id for one in heard if one.body.device_kind == "access_point"}))


def plan(conn: Connection, signing: Signing, now_ms: int) -> Plan:
    """What access points are to be told now."""
    origins = conn.execute("SELECT origin, times FROM wifi_roam ORDER BY origin").fetchall()
    devices = conn.execute("SELECT device_id, times FROM wifi_roam_device ORDER BY device_id").fetchall()
    if not origins and not devices:
        return Plan()
    news = _agreements(conn, [origin for origin, _ in origins], now_ms)
    everything = _agreements(conn, _open(conn, now_ms), now_ms) if devices else []
    new = {device_id for device_id, _ in devices}
    rounds: list[dict[int, bytes]] = [{} for _ in range(_MESSAGES)]
    for device_id, name in _receivers(conn):
        grants = roam.grants_for(device_id, everything if device_id in new else news)
        for place, message in enumerate(_messages(signing, name, grants[: roam.GRANTS * _MESSAGES], now_ms)):
            if place < _MESSAGES:
                rounds[place][device_id] = message
    return Plan(tuple(one for one in rounds if one), tuple(origins), tuple(devices), now_ms)


def publish(conn: Connection, done: Plan) -> bool:
    """Puts it into the outbox; whether there is something to send."""
    outbox.drop_over(conn, "roam", done.made_ms)
    for place, messages in enumerate(done.rounds):
        ref = f"{done.made_ms}.{place}"
        outbox.put_many(conn, "roam", ref, messages, done.made_ms, not_after_ms=done.made_ms + _LIFE_MS)
    conn.executemany("DELETE FROM wifi_roam WHERE origin = ? AND times = ?", done.origins)
    conn.executemany("DELETE FROM wifi_roam_device WHERE device_id = ? AND times = ?", done.devices)
    return bool(done.rounds)


def _receivers(conn: Connection) -> list[tuple[int, str]]:
    return conn.execute(
        "SELECT d.id, d.name FROM device d LEFT JOIN hold h ON h.device_id = d.id WHERE d.kind = 'access_point' "
        "AND d.online = 1 AND h.device_id IS NULL ORDER BY d.name"
    ).fetchall()


def _open(conn: Connection, now_ms: int) -> list[str]:
    rows = conn.execute(
        "SELECT coalesce(nullif(origin, ''), session) AS agreed_in, max(ends_ms) AS ends FROM wifi_session "
        "WHERE ended_ms IS NULL AND ends_ms > ? AND device_id IS NOT NULL GROUP BY agreed_in "
        "ORDER BY ends DESC LIMIT ?",
        (now_ms, roam.GRANTS * _MESSAGES),
    )
    return [origin for origin, _ in rows]


def _agreements(conn: Connection, origins: Sequence[str], now_ms: int) -> list[Agreement]:
    rows: list[Any] = [*among(conn, _AGREED_IN, origins), *among(conn, _WENT_ON, origins)]
    sessions: list[tuple[Told, str]] = [(told_of(columns), terms) for *columns, terms in rows]
    return roam.agreements(sessions, now_ms)


def _messages(signing: Signing, device: str, grants: Sequence[Grant], now_ms: int) -> Iterator[bytes]:
    """So many as it takes: at most 200 grants each, and no more than a broker lets through."""
    if not grants:
        return
    message = codec.encode(signing.roam(device, grants, now_ms)) if len(grants) <= roam.GRANTS else b""
    if message and len(message) <= BATCH_BYTES:
        yield message
        return
    half = roam.GRANTS if not message else len(grants) // 2
    yield from _messages(signing, device, grants[:half], now_ms)
    yield from _messages(signing, device, grants[half:], now_ms)
