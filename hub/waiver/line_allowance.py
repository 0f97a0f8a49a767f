"""SQL: what the line in each lent tablet carries in a month, for the tablet's own page and the officer's."""

from datetime import date

from hub import shown
from hub.db import Connection
from hub.waiver import tariff_store
from wire.shelf import Allowance

_USES = (
    "SELECT i.device_id, l.iccid, u.from_ms, u.from_day, (SELECT t.code FROM line_tariff t WHERE t.line_id = l.id "
    "AND t.from_month <= ? ORDER BY t.from_month DESC LIMIT 1) FROM line_use u JOIN item i ON i.id = u.item_id "
    "JOIN line l ON l.id = u.line_id WHERE i.device_id IS NOT NULL AND u.from_day <= ? "
    "AND (u.to_day = '' OR u.to_day >= ?) ORDER BY u.id"
)


def by_device(conn: Connection, now_ms: int) -> dict[int, Allowance]:
    """By the device's number, for tablets whose line is in use today; 0 bytes where the tariff has no limit."""
    today = shown.day_of(now_ms)
    rows = conn.execute(_USES, (today[:7], today, today)).fetchall()
    tariffs = tariff_store.tariffs_in(conn, today[:7]) if rows else {}
    found = {}
    for device_id, iccid, from_ms, from_day, code in rows:
        tariff = tariffs.get(code)
        included = (tariff.included_bytes or 0) if tariff else 0
        since_ms = from_ms or shown.day_start_ms(date.fromisoformat(from_day))
        found[device_id] = Allowance(iccid, included, since_ms)
    return found
