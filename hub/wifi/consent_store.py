"""SQL of consents: which version of the terms guests agreed to, in which language and how.

1. A consent is one row, however often and in whatever order it was told of; a telling that says it was confirmed adds
   when.
2. What could lead to a person is kept as it came, sealed; it is opened only to be mailed (`confirm_mail.py`), or for a
   lawful inquiry.  Of several (a guest may ask for another code) the one that was told last counts.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from hub.db import Connection, Into, insert
from hub.told import Told
from hub.wifi.session import plausible_ms

_CONSENT = Into(
    "wifi_consent (device_id, session, terms, language, way, voucher, contact, contact_key, contact_ms, at_ms, "
    "confirmed_ms)",
    11,
    "ON CONFLICT (device_id, session) DO UPDATE SET at_ms = min(at_ms, excluded.at_ms), "
    "voucher = CASE WHEN voucher = '' THEN excluded.voucher ELSE voucher END, "
    "contact = CASE WHEN excluded.contact_ms > contact_ms THEN excluded.contact ELSE contact END, "
    "contact_key = CASE WHEN excluded.contact_ms > contact_ms THEN excluded.contact_key ELSE contact_key END, "
    "mailed_ms = CASE WHEN excluded.contact_ms > contact_ms THEN NULL ELSE mailed_ms END, "
    "contact_ms = max(contact_ms, excluded.contact_ms), "
    "confirmed_ms = min(coalesce(confirmed_ms, excluded.confirmed_ms), coalesce(excluded.confirmed_ms, confirmed_ms))",
)


class Due(msgspec.Struct, frozen=True):
    """A consent whose guest is to be mailed a code; `contact` is sealed."""

    id: int
    device_id: int
    session: str
    contact: str
    contact_key: str
    contact_ms: int


def take(conn: Connection, told: Sequence[Told]) -> None:
    """Consents that access points told of (`wire.messages.Consent`)."""
    # A row must not come twice in one statement: what one group tells of a session is put together before.
    kept: dict[tuple[int, str], _Row] = {}
    for one in told:
        key, row = (one.device_id, one.body.session), _row(one)
        kept[key] = _joined(kept[key], row) if key in kept else row
    insert(conn, _CONSENT, [part for row in kept.values() for part in row])


class _Row(NamedTuple):
    """In the order of the columns."""

    device_id: int
    session: str
    terms: str
    language: str
    way: str
    voucher: str
    contact: str | None
    contact_key: str
    contact_ms: int
    at_ms: int
    confirmed_ms: int | None


def _joined(one: _Row, other: _Row) -> _Row:
    """As the statement joins them."""
    contact = other if other.contact_ms > one.contact_ms else one
    confirmed = [at_ms for at_ms in (one.confirmed_ms, other.confirmed_ms) if at_ms is not None]
    return one._replace(
        voucher=one.voucher or other.voucher,
        contact=contact.contact,
        contact_key=contact.contact_key,
        contact_ms=contact.contact_ms,
        at_ms=min(one.at_ms, other.at_ms),
        confirmed_ms=min(confirmed, default=None),
    )


def _row(one: Told) -> _Row:
    body, at_ms = one.body, plausible_ms(one.at_ms, one.received_ms)
    return _Row(
        one.device_id,
        body.session,
        body.terms,
        body.language,
        body.way,
        body.voucher,
        body.contact or None,
        body.contact_key,
        at_ms if body.contact else 0,
        at_ms,
        at_ms if body.confirmed else None,
    )


def due(conn: Connection, after_ms: int, limit: int, without: Sequence[int] = ()) -> list[Due]:
    """Whose codes are to be mailed: those whose address came after that time, and that wait for it still; none of some
    access points."""
    rows = conn.execute(
        "SELECT id, device_id, session, contact, contact_key, contact_ms FROM wifi_consent "  # noqa: S608 (marks)
        "WHERE contact IS NOT NULL AND mailed_ms IS NULL AND confirmed_ms IS NULL AND contact_ms > ? "
        f"AND device_id NOT IN ({','.join('?' * len(without))}) ORDER BY contact_ms LIMIT ?",
        (after_ms, *without, limit),
    )
    return [Due(*row) for row in rows]


def mark_mailed(conn: Connection, gone: Iterable[Due], now_ms: int) -> None:
    """Their letters are on their way (`now_ms` 0: nobody can be written to, and it is not tried again)."""
    conn.executemany(
        "UPDATE wifi_consent SET mailed_ms = ? WHERE id = ? AND contact_ms = ?",
        [(now_ms, one.id, one.contact_ms) for one in gone],
    )
