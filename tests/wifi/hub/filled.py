"""A month of a town's Wi-Fi for tests of pages and for pictures, told over the real wire.

yakuba-ap    in the town hall: busy at noon, open sessions, one of them slowed
toshokan-ap  in the library: its isolation check failed
kominkan-ap  in the community hall: away since this morning
"""

import math
import random
from collections.abc import Iterator
from pathlib import Path

from hub.db import Connection, Db
from hub.shown import day_of, moment
from hub.wifi import usage_store
from tests.pages.filled import BOOT, DAY_MS, HOUR_MS, MINUTE_MS, Teller
from wire.messages import Cause, Network, SelfCheck, Way, WifiSession, WifiState

PLACES = {"yakuba-ap": "役場 1階", "toshokan-ap": "図書館", "kominkan-ap": "公民館"}
_BUSY = {"yakuba-ap": 9, "toshokan-ap": 6, "kominkan-ap": 2}
_NETWORK = "Town_Free_Wi-Fi"
_DAYS = 34


def fill_wifi(port: int, database: Path, now_ms: int, known: dict[str, Teller] | None = None) -> list[Teller]:
    """Tells everything; the tellers that were made for it, still connected."""
    made = {name: Teller(port, name, "access_point", now_ms) for name in PLACES if name not in (known or {})}
    tellers = {**made, **(known or {})}
    for name in PLACES:
        tellers[name].tell("bulk", iter([(now_ms - _DAYS * DAY_MS, "wifi_state", WifiState("closed"))]))
    _put_places(database)
    for name in PLACES:
        gone_ms = now_ms - 5 * HOUR_MS if name == "kominkan-ap" else now_ms
        told = [one for one in _sessions(name, now_ms) if one[0] <= gone_ms]
        tellers[name].tell("bulk", iter(sorted([*told, *_states(name, gone_ms)], key=lambda one: one[0])))
    tellers["kominkan-ap"].present(online=False)
    _count_devices(database)
    return list(made.values())


def _put_places(database: Path) -> None:
    """The inventory says where they are, as a person would have entered it."""

    def put(conn: Connection) -> None:
        for name, place in PLACES.items():
            device_id = conn.execute("SELECT id FROM device WHERE name = ?", (name,)).fetchone()[0]
            conn.execute(
                "INSERT INTO item (kind, device_id, place, changed_ms) VALUES ('access_point', ?, ?, 0) "
                "ON CONFLICT (device_id) DO UPDATE SET place = excluded.place",
                (device_id, place),
            )

    db = Db(database)
    try:
        db.write_now(put)
    finally:
        db.close()


def _count_devices(database: Path) -> None:
    """At once, not after ten minutes."""
    db = Db(database)
    try:
        found = db.read(lambda conn: usage_store.uncounted(conn, 0))
        db.write_now(lambda conn: usage_store.count(conn, found))
    finally:
        db.close()


def _busy(name: str, at_ms: int) -> float:
    """About how many come in an hour: most at noon and in the afternoon, fewer on days off, none at night."""
    when = moment(at_ms)
    if not 8 <= when.hour <= 20:
        return 0
    weekend = 0.4 if when.weekday() >= 5 else 1.0
    return _BUSY[name] * weekend * (0.5 + math.sin((when.hour - 7) / 14 * math.pi))


def _sessions(name: str, now_ms: int) -> Iterator[tuple[int, str, WifiSession]]:
    draw = random.Random(name)
    hour_ms = now_ms - _DAYS * DAY_MS
    hour_ms -= hour_ms % HOUR_MS
    while hour_ms < now_ms:
        for _ in range(round(_busy(name, hour_ms) * draw.uniform(0.6, 1.4))):
            began_ms = hour_ms + draw.randrange(HOUR_MS)
            yield from _session(draw, began_ms, now_ms)
        hour_ms += HOUR_MS
    for minutes, way, slowed in ((12, "click", False), (34, "roam", False), (51, "voucher", True), (3, "email", False)):
        yield from _session(draw, now_ms - minutes * MINUTE_MS, now_ms, way=way, slowed=slowed, is_open=True)  # type: ignore[arg-type]


def _session(
    draw: random.Random, began_ms: int, now_ms: int, *, way: Way = "click", slowed: bool = False, is_open: bool = False
) -> Iterator[tuple[int, str, WifiSession]]:
    guest, day = f"{draw.randrange(60):032x}", day_of(began_ms)
    session, origin = f"{draw.getrandbits(128):032x}", f"{draw.getrandbits(128):032x}" if way == "roam" else ""
    minutes = max(2, round((now_ms - began_ms) / MINUTE_MS)) if is_open else draw.randrange(5, 65)
    down = draw.randrange(400_000, 4_000_000) * minutes * (6 if slowed else 1)
    for number, share in enumerate((0.0, 0.5, 1.0), 1):
        at_ms = began_ms + int(share * minutes * MINUTE_MS)
        if at_ms > now_ms:
            return
        cause: Cause = ("idle" if minutes < 60 else "time") if share == 1 and not is_open else ""
        body = WifiSession(
            session=session,
            boot=BOOT,
            number=number,
            began_ms=began_ms,
            last_ms=at_ms,
            up_bytes=int(down * share / 6),
            down_bytes=int(down * share),
            guest=guest,
            day=day,
            network=_NETWORK,
            way=way,
            cause=cause,
            extensions=1 if minutes > 40 else 0,
            slowed=slowed and share == 1,
            origin=origin,
            ends_ms=began_ms + (120 if minutes > 40 else 60) * MINUTE_MS,
        )
        yield at_ms, "wifi_session", body


def _states(name: str, until_ms: int) -> Iterator[tuple[int, str, WifiState]]:
    draw = random.Random(f"state {name}")
    at_ms = until_ms
    while at_ms > until_ms - _DAYS * DAY_MS:
        busy = _busy(name, at_ms)
        sessions = round(busy * draw.uniform(0.7, 1.2)) if at_ms < until_ms else 4
        airtime = min(980, int(40 + busy * 42 * draw.uniform(0.7, 1.3)))
        networks = (
            Network(_NETWORK, True, "owe", sessions + 1, 36, airtime),
            Network("Yakuba-Staff", True, "wpa3-enterprise", 2, 36, airtime),
        )
        checks = (
            SelfCheck("isolation", ok=name != "toshokan-ap", at_ms=at_ms - MINUTE_MS, detail="2 stations"),
            SelfCheck("office", ok=True, at_ms=at_ms - MINUTE_MS),
            SelfCheck("portal", ok=True, at_ms=at_ms - MINUTE_MS),
            SelfCheck("option_114", ok=True, at_ms=at_ms - MINUTE_MS),
        )
        faults = ("dnsmasq",) if name == "kominkan-ap" else ()
        mode = "normal" if busy else "closed"
        yield at_ms, "wifi_state", WifiState(mode, networks, sessions, 1, "cake", faults, checks, "2026-11-01", 0)  # type: ignore[arg-type]
        at_ms -= 20 * MINUTE_MS
