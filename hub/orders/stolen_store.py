"""SQL: devices that were reported stolen or lost, until they are found."""

import msgspec

from hub.db import Connection


class Stolen(msgspec.Struct, frozen=True):
    """One of them: the wipe that was ordered, since when (UTC ms), who said so, and when it was shut out."""

    device_id: int
    device: str
    online: bool
    order_id: str
    since_ms: int
    who: str
    shut_out_ms: int | None


_SELECT = (
    "SELECT s.device_id, d.name, d.online, s.order_id, s.since_ms, s.who, s.shut_out_ms FROM stolen s "
    "JOIN device d ON d.id = s.device_id "
)


def mark(conn: Connection, device_id: int, order_id: str, now_ms: int, who: str) -> None:
    """Enters a device, or enters it anew."""
    conn.execute(
        "INSERT INTO stolen (device_id, order_id, since_ms, who) VALUES (?, ?, ?, ?) ON CONFLICT (device_id) DO UPDATE "
        "SET order_id = excluded.order_id, since_ms = excluded.since_ms, who = excluded.who, shut_out_ms = NULL",
        (device_id, order_id, now_ms, who),
    )


def one(conn: Connection, device_id: int) -> Stolen | None:
    """What is known of a device's theft."""
    row = conn.execute(_SELECT + "WHERE s.device_id = ?", (device_id,)).fetchone()
    return _row(row) if row else None


def still_in(conn: Connection) -> list[Stolen]:
    """Those that have not been shut out yet."""
    rows = conn.execute(_SELECT + "WHERE s.shut_out_ms IS NULL ORDER BY s.device_id").fetchall()
    return [_row(row) for row in rows]


def shut_out(conn: Connection, device_id: int, now_ms: int) -> None:
    """Notes that the broker does not let it in any more."""
    conn.execute("UPDATE stolen SET shut_out_ms = ? WHERE device_id = ?", (now_ms, device_id))


def forget(conn: Connection, device_id: int) -> bool:
    """Takes a device out, because it was found; whether it was in."""
    return conn.execute("DELETE FROM stolen WHERE device_id = ?", (device_id,)).rowcount == 1


def _row(row: tuple[int, str, int, str, int, str, int | None]) -> Stolen:
    device_id, device, online, *rest = row
    return Stolen(device_id, device, bool(online), *rest)  # type: ignore[arg-type]
