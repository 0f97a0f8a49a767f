"""SQL of what the Wi-Fi was used for: hours by place, devices by day.

Devices of a day are counted while their pseudonyms are there, and the count stays when those have gone.
"""

from collections.abc import Sequence
from datetime import date

from hub.db import Connection, Into, insert
from hub.shown import day_start_ms
from hub.wifi.month import Hour, days_of, neighbour

_DAY_MS = 86_400_000
_DEVICES = Into(
    "wifi_day_devices (place, day, devices)",
    3,
    "ON CONFLICT (place, day) DO UPDATE SET devices = max(devices, excluded.devices)",
)


def span_ms(month: str) -> tuple[int, int]:
    """When a month begins in Japan, and when the next one does. Raises ValueError."""
    first, after = (date.fromisoformat(f"{one}-01") for one in (month, neighbour(month, 1)))
    return day_start_ms(first), day_start_ms(after)


def hours(conn: Connection, month: str, place: str | None = None) -> list[Hour]:
    """The hours of a month, in one place or everywhere."""
    begin_ms, end_ms = span_ms(month)
    rows = conn.execute(
        "SELECT told_by, place, hour_ms, began, sessions, up_bytes + down_bytes, most_sessions, most_airtime_permille "
        "FROM wifi_hour WHERE hour_ms >= ? AND hour_ms < ? AND (? IS NULL OR place = ?) ORDER BY hour_ms, place",
        (begin_ms, end_ms, place, place),
    )
    return [Hour(*row) for row in rows]


def devices(conn: Connection, month: str) -> dict[tuple[str, str], int]:
    """How many devices were seen in (place, day)."""
    days = days_of(month)
    rows = conn.execute(
        "SELECT place, day, devices FROM wifi_day_devices WHERE day >= ? AND day <= ?", (days[0], days[-1])
    )
    return {(place, day): n for place, day, n in rows}


def places(conn: Connection) -> list[str]:
    """Every place in which anything was ever counted."""
    return [place for (place,) in conn.execute("SELECT DISTINCT place FROM wifi_hour ORDER BY place = '', place")]


def first_month(conn: Connection) -> int | None:
    """When the first hour was counted."""
    row = conn.execute("SELECT min(hour_ms) FROM wifi_hour").fetchone()
    return None if row is None else row[0]


# ---- devices of a day


def uncounted(conn: Connection, from_ms: int) -> list[tuple[str, str, int]]:
    """Places and days whose devices are more than was counted, of sessions that began since then. For a reader."""
    rows = conn.execute(
        "SELECT s.place, s.day, count(DISTINCT s.guest) AS n, coalesce(c.devices, 0) AS known FROM wifi_session s "
        "LEFT JOIN wifi_day_devices c ON c.place = s.place AND c.day = s.day "
        "WHERE s.began_ms >= ? AND s.guest IS NOT NULL AND s.day <> '' GROUP BY s.place, s.day HAVING n > known",
        (from_ms,),
    )
    return [(place, day, n) for place, day, n, _ in rows]


def count(conn: Connection, found: Sequence[tuple[str, str, int]]) -> None:
    """Keeps the counts; one that is known to be larger stays."""
    insert(conn, _DEVICES, [part for row in found for part in row])
