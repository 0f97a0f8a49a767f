"""SQL of consents: which version of the terms guests agreed to, in which language and how.

1. A consent is one row, however often and in whatever order it was told of; a telling that says it was confirmed adds
   when.
2. What could lead to a person is kept as it came, sealed; it is opened only to be mailed (`confirm_mail.py`).
"""

from collections.abc import Sequence
from typing import Any

from hub.db import Connection, Into, insert
from hub.told import Told
from hub.wifi.session import plausible_ms

_CONSENT = Into(
    "wifi_consent (device_id, session, terms, language, way, voucher, contact, contact_key, at_ms, confirmed_ms)",
    10,
    "ON CONFLICT (device_id, session) DO UPDATE SET at_ms = min(at_ms, excluded.at_ms), "
    "contact_key = CASE WHEN contact IS NULL THEN excluded.contact_key ELSE contact_key END, "
    "contact = coalesce(contact, excluded.contact), "
    "confirmed_ms = min(coalesce(confirmed_ms, excluded.confirmed_ms), coalesce(excluded.confirmed_ms, confirmed_ms))",
)


def take(conn: Connection, told: Sequence[Told]) -> None:
    """Consents that access points told of (`wire.messages.Consent`)."""
    # Each way of telling by itself: a row must not come twice in one statement.
    for confirmed in (False, True):
        some = {(one.device_id, one.body.session): one for one in told if one.body.confirmed is confirmed}
        insert(conn, _CONSENT, [part for one in some.values() for part in _row(one)])


def _row(one: Told) -> tuple[Any, ...]:
    body, at_ms = one.body, plausible_ms(one.at_ms, one.received_ms)
    return (
        one.device_id,
        body.session,
        body.terms,
        body.language,
        body.way,
        body.voucher,
        body.contact or None,
        body.contact_key,
        at_ms,
        at_ms if body.confirmed else None,
    )
