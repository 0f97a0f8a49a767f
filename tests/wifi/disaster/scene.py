"""A town with a drill that is over, a run that goes on, a request that waits, and buttons that were pressed."""

from typing import Any

from hub import pages
from hub.db import Connection
from hub.orders import store as orders
from hub.signing import Signing
from hub.told import Told
from hub.wifi import disaster_store as store
from hub.wifi.disaster import Run
from wire.messages import DisasterReport, Result

MINUTE_MS, DAY_MS = 60_000, 86_400_000
POINTS = {"chuo-ap": "中央公民館", "kita-ap": "北小学校体育館", "toshokan-ap": "図書館", "yakuba-ap": "本庁舎1階ロビー"}
# The runs' numbers.
DRILL, GOES_ON, WAITS, PRESSED = 1, 2, 3, 4


def fill(conn: Connection, signing: Signing) -> None:
    """Everything."""
    now_ms = pages.now_ms()
    for number, (name, place) in enumerate(POINTS.items(), 1):
        conn.execute(
            "INSERT INTO device (name, kind, first_heard_ms, last_heard_ms, online, boot, connection, version) "
            "VALUES (?, 'access_point', ?, ?, 1, 'b', 1, '')",
            (name, now_ms - 500 * DAY_MS, now_ms),
        )
        conn.execute("INSERT INTO item (device_id, place, changed_ms) VALUES (?, ?, 0)", (number, place))
    _drill(conn, signing, now_ms - 370 * DAY_MS)
    _goes_on(conn, signing, now_ms - 5 * MINUTE_MS)
    store.ask(conn, _run("disaster-3", "避難所の追加開設", ("北小学校体育館",), "taro"), now_ms - MINUTE_MS)
    _buttons(conn, now_ms)


def _run(name: str, reason: str, places: tuple[str, ...] = (), who: str = "hanako", *, drill: bool = False) -> Run:
    minutes = 15 if drill else 1440
    return Run(0, name, drill, reason, minutes, places, 0, who, "", None, "", None, None, "")


def _confirmed(conn: Connection, signing: Signing, run: Run, at_ms: int) -> dict[int, str]:
    """Asked for and confirmed; the order of each access point."""
    number = store.ask(conn, run, at_ms - 2 * MINUTE_MS)
    found = store.run(conn, number)
    assert found is not None
    store.confirm(conn, signing, found, "saburo", at_ms)
    rows = conn.execute("SELECT device_id, order_id FROM disaster_point WHERE disaster_id = ?", (number,))
    return dict(rows.fetchall())


def _drill(conn: Connection, signing: Signing, at_ms: int) -> None:
    run = _run("drill-1", "総合防災訓練", drill=True)
    for device_id, order in _confirmed(conn, signing, run, at_ms).items():
        evidence = (
            f"order: {order}",
            "before: on 4 wpa3 Town_Free_Wi-Fi",
            "sessions_before: 4",
            "would_open: 00000JAPAN",
            "standing: ok",
            "after: on 4 wpa3 Town_Free_Wi-Fi",
            "sessions_after: 4",
        )
        tell(conn, device_id, DisasterReport("drill-1", "drilled", "order", at_ms + 15 * MINUTE_MS, evidence), at_ms)
        tell(conn, device_id, DisasterReport("drill-1", "ended", "time"), at_ms + 15 * MINUTE_MS)
    store.follow_time(conn, signing, at_ms + 16 * MINUTE_MS)


def _goes_on(conn: Connection, signing: Signing, at_ms: int) -> None:
    given = _confirmed(conn, signing, _run("disaster-2", "震度5強の地震、避難所を開設"), at_ms)
    for device_id in (1, 4):
        evidence = (
            f"order: {given[device_id]}",
            "before: on 12 wpa3 Town_Free_Wi-Fi",
            "sessions_before: 12",
            "after: on 12 wpa3 Town_Free_Wi-Fi",
            "after: on 0 open 00000JAPAN",
            "sessions_after: 12",
        )
        tell(conn, device_id, DisasterReport("disaster-2", "begun", "order", at_ms + DAY_MS, evidence), at_ms + 3000)
    tell(conn, 2, Result(given[2], "failed", "no_guests"), at_ms + 4000)


def _buttons(conn: Connection, now_ms: int) -> None:
    evidence = ("order: 0123456789abcdef0123456789abcdef", "held_ms: 5100", "before: on 2 wpa3 Town_Free_Wi-Fi")
    tell(conn, 3, DisasterReport("standing-01234567", "begun", "button", now_ms + DAY_MS, evidence), now_ms - 9000)
    for reason in ("short_press", "used_before"):
        refused = DisasterReport("standing", "refused", "button", 0, (f"reason: {reason}", "held_ms: 5200"))
        tell(conn, 2, refused, now_ms - 5000)


def tell(conn: Connection, device_id: int, body: Any, at_ms: int) -> None:
    """An access point reports."""
    told = [Told(device_id, "", 1, at_ms, at_ms, body)]
    (orders.take_results if isinstance(body, Result) else store.take)(conn, told)
