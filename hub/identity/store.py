"""SQL of certificates: the register of what was issued, and what devices ask for.

1. A certificate is in the register in the transaction that issues it; what is not in it was never issued.
2. Withdrawn is a mark here first; the broker's list is made from it (`authority.py`).
3. A renewal asked for over MQTT is kept in the intake's own transaction and answered in one of its own, so a hub
   that ends in between loses nothing and answers nothing twice: a key gets one certificate, ever.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from hub.db import Connection
from hub.told import Told
from wire.x509 import Withdrawn

How = Literal["code", "serial", "approved", "renewal", "late"]
Reason = Literal["stolen", "lost", "clone", "superseded", "retired", "other"]


class Certified(msgspec.Struct, frozen=True):
    """One certificate of the register."""

    serial: str
    device_id: int
    device: str
    kind: str
    key_name: str
    how: str
    issued_ms: int
    end_ms: int
    chain: str
    revoked_ms: int | None
    reason: str


class Asked(msgspec.Struct, frozen=True):
    """A renewal that is to be answered."""

    device_id: int
    device: str
    request: str


_COLUMNS = (
    "SELECT c.serial, c.device_id, d.name, d.kind, c.key_name, c.how, c.issued_ms, c.end_ms, c.chain, c.revoked_ms, "
    "c.reason FROM certificate c JOIN device d ON d.id = c.device_id "
)


def device_id(conn: Connection, name: str) -> int | None:
    """The number of a device."""
    row = conn.execute("SELECT id FROM device WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def make_device(conn: Connection, name: str, kind: str, now_ms: int) -> int:
    """The device of that name, made when there was none: it has just been heard, as it enrolled."""
    conn.execute(
        "INSERT INTO device (name, kind, first_heard_ms, last_heard_ms) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET kind = excluded.kind",
        (name, kind, now_ms, now_ms),
    )
    found = device_id(conn, name)
    assert found is not None  # noqa: S101 (it was just made)
    return found


def keep(
    conn: Connection, device: int, serial: str, key_name: str, how: How, now_ms: int, end_ms: int, chain: str
) -> None:
    """Enters a certificate into the register. Raises Refused (hub.db) for a key that has had one."""
    conn.execute(
        "INSERT INTO certificate (serial, device_id, key_name, how, issued_ms, end_ms, chain) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (serial, device, key_name, how, now_ms, end_ms, chain),
    )


def by_serial(conn: Connection, serial: str) -> Certified | None:
    """The certificate of that serial number."""
    row = conn.execute(_COLUMNS + "WHERE c.serial = ?", (serial,)).fetchone()
    return Certified(*row) if row else None


def by_key(conn: Connection, key_name: str) -> Certified | None:
    """The certificate that a key has had."""
    row = conn.execute(_COLUMNS + "WHERE c.key_name = ?", (key_name,)).fetchone()
    return Certified(*row) if row else None


def of_device(conn: Connection, device: int) -> list[Certified]:
    """Every certificate of a device, newest first."""
    rows = conn.execute(_COLUMNS + "WHERE c.device_id = ? ORDER BY c.issued_ms DESC, c.serial", (device,))
    return [Certified(*row) for row in rows]


def is_good(conn: Connection, device: int, now_ms: int, *, grace_ms: int = 0) -> bool:
    """Whether the register knows the device by a certificate that is not withdrawn and has not ended (so long ago)."""
    row = conn.execute(
        "SELECT 1 FROM certificate WHERE device_id = ? AND revoked_ms IS NULL AND end_ms > ? LIMIT 1",
        (device, now_ms - grace_ms),
    ).fetchone()
    return row is not None


def ends(conn: Connection) -> dict[int, int]:
    """When the identity of each device ends: its newest certificate that is not withdrawn (UTC ms)."""
    return dict(
        conn.execute("SELECT device_id, max(end_ms) FROM certificate WHERE revoked_ms IS NULL GROUP BY device_id")
    )


def revoke(conn: Connection, device: int, reason: Reason, now_ms: int, *, besides: str = "") -> int:
    """Withdraws every certificate of a device that has not ended, but for the serial `besides`; how many."""
    return conn.execute(
        "UPDATE certificate SET revoked_ms = ?, reason = ? "
        "WHERE device_id = ? AND revoked_ms IS NULL AND end_ms > ? AND serial <> ?",
        (now_ms, reason, device, now_ms, besides),
    ).rowcount


def withdrawn(conn: Connection) -> list[Withdrawn]:
    """What the list of the withdrawn is made of."""
    rows = conn.execute("SELECT serial, revoked_ms FROM certificate WHERE revoked_ms IS NOT NULL ORDER BY serial")
    return [Withdrawn(int(serial, 16), datetime.fromtimestamp(at_ms // 1000, UTC)) for serial, at_ms in rows]


def newest(conn: Connection) -> list[Certified]:
    """The newest certificate of each device, the one that ends first at the top."""
    rows = conn.execute(
        _COLUMNS + "WHERE c.serial = "  # noqa: S608 (our own names)
        "(SELECT serial FROM certificate n WHERE n.device_id = c.device_id ORDER BY issued_ms DESC, serial LIMIT 1) "
        "ORDER BY c.revoked_ms IS NOT NULL, c.end_ms, d.name"
    )
    return [Certified(*row) for row in rows]


# ---- renewals over MQTT


def take_renewals(conn: Connection, told: Sequence[Told]) -> None:
    """Requests for the next certificate (`wire.messages.Renewal`): kept until `hub/identity/task.py` answers them."""
    conn.executemany(
        "INSERT INTO renewal (device_id, request, received_ms) VALUES (?, ?, ?) ON CONFLICT (device_id) DO UPDATE "
        "SET request = excluded.request, received_ms = excluded.received_ms",
        [(one.device_id, one.body.request, one.received_ms) for one in told if one.device_id],
    )


def asked(conn: Connection, limit: int) -> list[Asked]:
    """Renewals that wait for their answer, oldest first."""
    rows = conn.execute(
        "SELECT r.device_id, d.name, r.request FROM renewal r JOIN device d ON d.id = r.device_id "
        "ORDER BY r.received_ms, r.device_id LIMIT ?",
        (limit,),
    )
    return [Asked(*row) for row in rows]


def answered(conn: Connection, one: Asked) -> bool:
    """Takes a request out, if it is still this one; whether it was."""
    return (
        conn.execute("DELETE FROM renewal WHERE device_id = ? AND request = ?", (one.device_id, one.request)).rowcount
        == 1
    )


def take_ends(conn: Connection, told: Sequence[Told]) -> None:
    """Devices told when their identity ends (`wire.messages.Inventory`): what they have need not be sent again."""
    conn.executemany(
        "DELETE FROM outbox WHERE device_id = ? AND what = 'certificate' AND not_after_ms <= ?",
        [(one.device_id, one.body.certificate_end_ms) for one in told if one.body.certificate_end_ms is not None],
    )
