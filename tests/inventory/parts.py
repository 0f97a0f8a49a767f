"""Devices and things in a real database, as ingest and people put them there."""

from hub.db import Connection
from hub.inventory import store
from hub.told import Told
from tests.ingest.parts import NOW_MS
from wire.messages import Inventory


def device(conn: Connection, number: int, name: str, kind: str = "tablet", *, online: bool = True) -> int:
    """A device that has been heard."""
    conn.execute(
        "INSERT INTO device (id, name, kind, first_heard_ms, last_heard_ms, online) VALUES (?, ?, ?, 0, ?, ?)",
        (number, name, kind, NOW_MS, int(online)),
    )
    return number


def tells(conn: Connection, number: int, body: Inventory) -> None:
    """It tells what it is made of."""
    store.take(conn, [Told(number, f"device-{number}", 1, NOW_MS, NOW_MS, body)])


def thing(conn: Connection, device_id: int | None = None, **values: str) -> int:
    """Somebody enters a thing."""
    number = store.enter(conn, device_id, NOW_MS)
    store.change(conn, number, values, NOW_MS)
    store.join(conn, NOW_MS)
    return number


def lent(conn: Connection, item_id: int, number: str, since: str, until: str, name: str = "") -> None:
    """Somebody lends it."""
    values = {"loan_number": number, "loan_name": name, "loan_since": since, "loan_until": until}
    store.lend(conn, item_id, values, "hanako")
