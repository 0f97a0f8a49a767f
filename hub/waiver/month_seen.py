"""SQL of what a month's figures are made from, as one hash: whether a closed month has to be worked out again.

1. All that bears on the month goes into the hash, cut to its days, and nothing else: a tablet that comes back in
   November, or a waiver that begins then, changes no hash of August.
2. Where the hash is what it was when the month was last worked out, its figures are what they were.
3. Which rules of ours work it out is part of it (`_ENGINE`), so that other rules look at every month again.
"""

import hashlib
from typing import Any

from hub.db import Connection
from hub.shown import day_start_ms
from hub.waiver import month_store
from hub.waiver.rules.months import first_day, last_day, later

# Goes up when our rules give other figures for the same facts.
_ENGINE = "1"

# Cut to the month's days: `:first` and `:last`, and the same in milliseconds.
_LINES = (
    "SELECT l.id, l.phone, l.carrier, max(l.from_day, :first), "
    "CASE WHEN l.to_day = '' OR l.to_day >= :last THEN '' ELSE l.to_day END, l.iccid, "
    "(SELECT t.code || ' ' || ifnull(t.list_price_yen, '') FROM line_tariff t WHERE t.line_id = l.id "
    "AND t.from_month <= :month ORDER BY t.from_month DESC LIMIT 1) "
    "FROM line l WHERE l.from_day <= :last AND (l.to_day = '' OR l.to_day >= :first) ORDER BY l.id"
)
_USES = (
    "SELECT id, line_id, resident_id, item_id, max(from_day, :first), "
    "CASE WHEN to_day = '' OR to_day >= :last THEN '' ELSE to_day END, max(from_ms, :first_ms), "
    "CASE WHEN to_ms = 0 OR to_ms >= :end_ms THEN 0 ELSE to_ms END "
    "FROM line_use WHERE from_day <= :last AND (to_day = '' OR to_day >= :first) ORDER BY id"
)
_TARIFFS = "SELECT code, from_month, to_month, body FROM tariff WHERE from_month <= :month ORDER BY code, from_month"
_RULES = (
    "SELECT code, from_month, to_month, clause, body FROM waiver_rule WHERE from_month <= :month "
    "ORDER BY code, from_month"
)
_DECIDED = (
    "SELECT a.id, a.asks, a.of_id, a.resident_id, a.line_id, a.rule, a.applied_day, a.accepted_day, a.from_day, "
    "d.number, d.day, d.until_day, d.decided_ms FROM waiver_application a "
    "JOIN waiver_decision d ON d.application_id = a.id WHERE d.result = 'granted' AND "
    "(CASE WHEN a.from_day <> '' THEN a.from_day <= :last ELSE a.applied_day <= :last END "
    "OR (a.accepted_day <> '' AND a.accepted_day <= :last)) ORDER BY a.id"
)
_BILLS = (
    "SELECT b.id, count(*), sum(l.line_id), sum(l.used_bytes) FROM bill b JOIN bill_line l ON l.bill_id = b.id "
    "WHERE b.month = :month AND b.withdrawn_ms IS NULL GROUP BY b.id ORDER BY b.id"
)
_USAGE = "SELECT device_id, sim, what, amount FROM usage_month WHERE month = :month ORDER BY device_id, sim, what"
_FACTS = (_LINES, _USES, _TARIFFS, _RULES, _DECIDED, _BILLS, _USAGE)


def facts_hash(conn: Connection, month: str) -> str:
    """What stands for all that the month's figures are made from, as it is now."""
    first, last = first_day(month), last_day(month)
    values: dict[str, Any] = {
        "month": month,
        "first": first.isoformat(),
        "last": last.isoformat(),
        "first_ms": day_start_ms(first),
        "end_ms": day_start_ms(first_day(later(month, 1))),
    }
    hashed = hashlib.sha256(f"{_ENGINE} {month}".encode())
    for query in _FACTS:
        hashed.update(repr(conn.execute(query, values).fetchall()).encode())
    if conn.execute("SELECT 1 FROM waiver_rule WHERE body LIKE '%cap_fiscal_year%' LIMIT 1").fetchone():
        hashed.update(repr(sorted(month_store.waived_before(conn, month).items())).encode())
    return hashed.hexdigest()


def seen(conn: Connection) -> dict[str, str]:
    """The hashes of closed months as they were last worked out."""
    return dict(conn.execute("SELECT month, facts FROM waiver_month_seen").fetchall())


def keep(conn: Connection, month: str, facts: str, now_ms: int) -> None:
    """Remembers that a month was worked out from these facts, and stands so in the ledger."""
    conn.execute(
        "INSERT INTO waiver_month_seen (month, facts, seen_ms) VALUES (?, ?, ?) "
        "ON CONFLICT (month) DO UPDATE SET facts = excluded.facts, seen_ms = excluded.seen_ms",
        (month, facts, now_ms),
    )
