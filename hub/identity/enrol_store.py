"""SQL of enrolment: codes, devices expected by their serial number, and requests that wait for a person."""

import msgspec

from hub.db import Connection

CODE_MS = 30 * 60_000


class Code(msgspec.Struct, frozen=True):
    """A code as it is kept: for whom, until when, and what it was used for."""

    device: str
    kind: str
    hardware: str
    who: str
    made_ms: int
    end_ms: int
    used_ms: int | None
    used_key: str


class Expected(msgspec.Struct, frozen=True):
    """A device that is known by its serial number; `at_once`: it gets its certificate without a person."""

    hardware: str
    device: str
    kind: str
    at_once: bool
    who: str
    made_ms: int


class Pending(msgspec.Struct, frozen=True):
    """A request that a person looks at; `state` is waiting, approved, refused or done."""

    key_name: str
    hardware: str
    device: str
    kind: str
    source: str
    first_ms: int
    last_ms: int
    state: str
    who: str


_CODE = "SELECT device, kind, hardware, who, made_ms, end_ms, used_ms, used_key FROM enrolment_code "
_EXPECTED = "SELECT hardware, device, kind, at_once, who, made_ms FROM expected_device "
_PENDING = "SELECT key_name, hardware, device, kind, source, first_ms, last_ms, state, who FROM enrolment_request "


# ---- codes


def put_code(conn: Connection, code_hash: str, device: str, kind: str, hardware: str, who: str, now_ms: int) -> int:
    """Keeps a new code; until when it is good. An unused one for the same device is good no more."""
    conn.execute("DELETE FROM enrolment_code WHERE device = ? AND used_ms IS NULL", (device,))
    conn.execute("DELETE FROM enrolment_code WHERE end_ms < ?", (now_ms - 86_400_000,))
    end_ms = now_ms + CODE_MS
    conn.execute(
        "INSERT INTO enrolment_code (code_hash, device, kind, hardware, who, made_ms, end_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (code_hash, device, kind, hardware, who, now_ms, end_ms),
    )
    return end_ms


def code(conn: Connection, code_hash: str, now_ms: int) -> Code | None:
    """The code of that hash, while it is good."""
    row = conn.execute(_CODE + "WHERE code_hash = ? AND end_ms > ? AND made_ms <= ?", (code_hash, now_ms, now_ms))
    found = row.fetchone()
    return Code(*found) if found else None


def use_code(conn: Connection, code_hash: str, key_name: str, now_ms: int) -> bool:
    """Uses a code up; whether it was ours to use. This statement alone decides a race."""
    return (
        conn.execute(
            "UPDATE enrolment_code SET used_ms = ?, used_key = ? "
            "WHERE code_hash = ? AND used_ms IS NULL AND end_ms > ?",
            (now_ms, key_name, code_hash, now_ms),
        ).rowcount
        == 1
    )


def open_codes(conn: Connection, now_ms: int) -> list[Code]:
    """Codes that can still be used, newest first."""
    rows = conn.execute(_CODE + "WHERE used_ms IS NULL AND end_ms > ? ORDER BY made_ms DESC", (now_ms,))
    return [Code(*row) for row in rows]


def drop_code(conn: Connection, device: str) -> bool:
    """Takes a device's unused code back; whether there was one."""
    return conn.execute("DELETE FROM enrolment_code WHERE device = ? AND used_ms IS NULL", (device,)).rowcount > 0


# ---- devices known by their serial number


def expect(conn: Connection, one: Expected) -> bool:
    """Puts a device on the list; False when its serial number or its name is on it already."""
    return (
        conn.execute(
            "INSERT INTO expected_device (hardware, device, kind, at_once, who, made_ms) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (one.hardware, one.device, one.kind, int(one.at_once), one.who, one.made_ms),
        ).rowcount
        == 1
    )


def forget(conn: Connection, hardware: str) -> Expected | None:
    """Takes a device off the list; what was there."""
    found = expected(conn, hardware)
    conn.execute("DELETE FROM expected_device WHERE hardware = ?", (hardware,))
    return found


def expected(conn: Connection, hardware: str) -> Expected | None:
    """The device of that serial number."""
    row = conn.execute(_EXPECTED + "WHERE hardware = ?", (hardware,)).fetchone()
    return _expected(row) if row else None


def everyone_expected(conn: Connection) -> list[Expected]:
    """The whole list, by name."""
    return [_expected(row) for row in conn.execute(_EXPECTED + "ORDER BY device")]


def _expected(row: tuple[str, str, str, int, str, int]) -> Expected:
    hardware, device, kind, at_once, who, made_ms = row
    return Expected(hardware, device, kind, bool(at_once), who, made_ms)


# ---- requests that wait


def ask(conn: Connection, one: Pending) -> Pending:
    """Keeps a request, or notes that it came again; as it stands."""
    conn.execute(
        "INSERT INTO enrolment_request (key_name, hardware, device, kind, source, first_ms, last_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key_name) DO UPDATE SET last_ms = excluded.last_ms",
        (one.key_name, one.hardware, one.device, one.kind, one.source, one.first_ms, one.last_ms),
    )
    # A device that was set up anew asks with a new key: its older question is nobody's any more.
    conn.execute(
        "DELETE FROM enrolment_request WHERE hardware = ? AND key_name <> ? AND state IN ('waiting', 'approved')",
        (one.hardware, one.key_name),
    )
    found = pending(conn, one.key_name)
    assert found is not None  # noqa: S101 (it was just kept)
    return found


def pending(conn: Connection, key_name: str) -> Pending | None:
    """The request of that key."""
    row = conn.execute(_PENDING + "WHERE key_name = ?", (key_name,)).fetchone()
    return Pending(*row) if row else None


def waiting(conn: Connection) -> list[Pending]:
    """Requests that a person should look at, oldest first."""
    return [Pending(*row) for row in conn.execute(_PENDING + "WHERE state = 'waiting' ORDER BY first_ms")]


def decide(conn: Connection, key_name: str, state: str, who: str, now_ms: int) -> bool:
    """Approves or refuses a waiting request; False when it waits no more."""
    return (
        conn.execute(
            "UPDATE enrolment_request SET state = ?, who = ?, decided_ms = ? WHERE key_name = ? AND state = 'waiting'",
            (state, who, now_ms, key_name),
        ).rowcount
        == 1
    )


def done(conn: Connection, key_name: str) -> None:
    """An approved request has its certificate."""
    conn.execute("UPDATE enrolment_request SET state = 'done' WHERE key_name = ?", (key_name,))
