"""SQL of lawful inquiries, and of the sessions that an extract is made of."""

from typing import Any, NamedTuple

from hub.db import Connection
from hub.wifi.inquiry import Inquiry

_COLUMNS = (
    "id, authority, reference, basis, place, from_ms, until_ms, asked_ms, asked_by, decided, decided_ms, decided_by, "
    "why, guests, contacts, rows, digest, handed_ms, handed_by"
)
_NAMES = _COLUMNS.split(", ")
# The longest that a voucher can last: what began before that has ended.
_LONGEST_MS = 32 * 86_400_000


class Session(NamedTuple):
    """A session as far as an extract may tell of it; `agreed_in` is the one whose consent it goes on from."""

    network: str
    began_ms: int
    last_ms: int
    is_open: bool
    up_bytes: int
    down_bytes: int
    guest: str | None
    agreed_in: str


class Sealed(NamedTuple):
    """A contact as it is kept, and the name of its key."""

    contact: str
    key: str


def enter(conn: Connection, one: Inquiry) -> int:
    """Its number."""
    cursor = conn.execute(
        "INSERT INTO inquiry (authority, reference, basis, place, from_ms, until_ms, asked_ms, asked_by, guests, "
        "contacts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            one.authority,
            one.reference,
            one.basis,
            one.place,
            one.from_ms,
            one.until_ms,
            one.asked_ms,
            one.asked_by,
            int(one.guests),
            int(one.contacts),
        ),
    )
    return int(cursor.fetchone()[0])


def everything(conn: Connection, limit: int, before: int | None = None) -> list[Inquiry]:
    """Inquiries, newest first."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM inquiry WHERE (? IS NULL OR id < ?) ORDER BY id DESC LIMIT ?",  # noqa: S608
        (before, before, limit),
    )
    return [_inquiry(row) for row in rows]


def one(conn: Connection, number: int) -> Inquiry | None:
    """One."""
    row = conn.execute(f"SELECT {_COLUMNS} FROM inquiry WHERE id = ?", (number,)).fetchone()  # noqa: S608
    return _inquiry(row) if row else None


def decide(conn: Connection, number: int, decided: str, why: str, who: str, now_ms: int) -> None:
    """It is decided."""
    conn.execute(
        "UPDATE inquiry SET decided = ?, why = ?, decided_by = ?, decided_ms = ? WHERE id = ? AND decided = ''",
        (decided, why, who, now_ms, number),
    )


def hand_out(conn: Connection, number: int, rows: int, digest: str, who: str, now_ms: int) -> bool:
    """Its extract was made; False when it was made before."""
    return (
        conn.execute(
            "UPDATE inquiry SET rows = ?, digest = ?, handed_by = ?, handed_ms = ? WHERE id = ? AND handed_ms IS NULL",
            (rows, digest, who, now_ms, number),
        ).rowcount
        > 0
    )


def sessions(conn: Connection, place: str, from_ms: int, until_ms: int) -> list[Session]:
    """The sessions at a place that overlap a time, in the order in which they began."""
    rows = conn.execute(
        "SELECT network, began_ms, last_ms, ended_ms IS NULL, up_bytes, down_bytes, guest, "
        "coalesce(nullif(origin, ''), session) FROM wifi_session "
        "WHERE place = ? AND began_ms > ? AND began_ms < ? AND last_ms >= ? ORDER BY began_ms, id",
        (place, from_ms - _LONGEST_MS, until_ms, from_ms),
    )
    return [Session(*row) for row in rows]


def contacts(conn: Connection, from_ms: int, until_ms: int) -> dict[str, Sealed]:
    """The contacts of consents that sessions of a time can go on from, by the session in which guests agreed."""
    rows = conn.execute(
        "SELECT session, contact, contact_key FROM wifi_consent WHERE at_ms > ? AND at_ms <= ? AND contact IS NOT NULL",
        (from_ms - _LONGEST_MS, until_ms),
    )
    return {session: Sealed(contact, key) for session, contact, key in rows}


def places(conn: Connection) -> list[str]:
    """The places that there are access points in, ours and others'."""
    rows = conn.execute(
        "SELECT i.place FROM item i JOIN device d ON d.id = i.device_id WHERE d.kind = 'access_point' "
        "AND i.place != '' "
        "UNION SELECT place FROM radius_client WHERE place != '' ORDER BY 1"
    )
    return [place for (place,) in rows]


def _inquiry(row: tuple[Any, ...]) -> Inquiry:
    values: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
    return Inquiry(**{**values, "guests": bool(values["guests"]), "contacts": bool(values["contacts"])})
