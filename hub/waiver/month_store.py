"""SQL of the waivers' month: what stands in the ledger for a month of use, requests to close, layouts of vouchers.

An entry of assessment or waiver is found by the beginning of its key (`assess:2026-11:…`, `hub/waiver/month.py`).
"""

from collections import Counter
from typing import Any, Literal

import msgspec

from hub.db import Connection
from hub.waiver.later import Place, Standing
from hub.waiver.ledger import WAIVED, Leg
from hub.waiver.month import AREA, KINDS
from hub.waiver.rules.fiscal import fiscal_year_of, last_payment_day
from hub.waiver.voucher import Sum
from hub.waiver.year import YearSum, last_month

Result = Literal["", "approved", "refused", "withdrawn"]


class Ask(msgspec.Struct, frozen=True):
    """That somebody asked to close a month, for which figures, and what became of it."""

    id: int
    month: str
    fingerprint: str
    note: str
    asked_by: str
    asked_ms: int
    result: Result
    ended_by: str
    ended_ms: int


class OwnLayout(msgspec.Struct, frozen=True):
    """A layout of vouchers that the town made: its text, by whom and when."""

    code: str
    body: str
    changed_by: str
    changed_ms: int


# ---- what stands


_STANDING = (
    "SELECT e.seq, e.key, (SELECT r.seq FROM ledger_entry r WHERE r.reverses = e.seq), "
    "l.account, l.yen, l.line_id, l.resident_id, l.ground, l.decision, l.budget_code, l.fiscal_year, l.of_month "
    "FROM ledger_entry e JOIN ledger_leg l ON l.entry_seq = e.seq WHERE e.key >= ? AND e.key < ? ORDER BY e.seq, l.n"
)


def standing(conn: Connection, of_month: str) -> tuple[list[Standing], Counter[Place]]:
    """What is entered for a month of use and not reversed; and how often each was entered, reversed or not."""
    found: dict[int, Standing] = {}
    times: Counter[Place] = Counter()
    for kind in KINDS:
        begin = f"{kind}:{of_month}:"
        legs: dict[int, list[Leg]] = {}
        told: dict[int, tuple[str, int]] = {}
        for seq, key, reversed_by, *leg in conn.execute(_STANDING, (begin, begin[:-1] + ";")):
            phone = key[len(begin) :].partition(":")[0]
            if seq not in told:
                times[of_month, kind, phone] += 1
                told[seq] = phone, _standing_as(conn, seq, reversed_by)
            legs.setdefault(seq, []).append(Leg(*leg))
        for seq, (phone, stands) in told.items():
            if stands:
                found[seq] = Standing(stands, kind, of_month, phone, tuple(legs[seq]))
    return list(found.values()), times


def _standing_as(conn: Connection, seq: int, reversed_by: int | None) -> int:
    """The number under which an entry stands: its own, that of its reversal's reversal …; 0 when it does not."""
    stands = True
    while reversed_by is not None:
        seq, stands = reversed_by, not stands
        row = conn.execute("SELECT seq FROM ledger_entry WHERE reverses = ?", (seq,)).fetchone()
        reversed_by = row[0] if row else None
    return seq if stands else 0


def waived_before(conn: Connection, month: str) -> dict[tuple[int, int], int]:
    """What is waived for months of use before this one in its fiscal year, by line and resident."""
    first = f"{fiscal_year_of(month)}-04"
    rows = conn.execute(
        "SELECT line_id, resident_id, sum(yen) FROM ledger_leg WHERE account = ? AND of_month >= ? AND of_month < ? "
        "AND line_id <> 0 GROUP BY line_id, resident_id",
        (WAIVED, first, month),
    )
    return {(line_id, resident_id): yen for line_id, resident_id, yen in rows if yen}


# ---- requests to close

_ASK = "SELECT id, month, fingerprint, note, asked_by, asked_ms, result, ended_by, ended_ms FROM waiver_close_ask"


def ask_of(conn: Connection, month: str) -> Ask | None:
    """The open request of a month."""
    found = _asks(conn, f"{_ASK} WHERE month = ? AND result = ''", month)
    return found[0] if found else None


def asks(conn: Connection, month: str) -> list[Ask]:
    """Every request of a month, the newest first."""
    return _asks(conn, f"{_ASK} WHERE month = ? ORDER BY id DESC", month)


def _asks(conn: Connection, query: str, *args: Any) -> list[Ask]:
    return [Ask(*row) for row in conn.execute(query, args)]


def add_ask(conn: Connection, month: str, fingerprint: str, note: str, by: str, now_ms: int) -> int:
    """A request; its number. Raises db.Refused while there is an open one."""
    cursor = conn.execute(
        "INSERT INTO waiver_close_ask (month, fingerprint, note, asked_by, asked_ms) VALUES (?, ?, ?, ?, ?)",
        (month, fingerprint, note, by, now_ms),
    )
    return int(cursor.lastrowid or 0)


def end_ask(conn: Connection, ask_id: int, result: Result, by: str, now_ms: int) -> None:
    """Ends a request. Raises db.Refused when who asked would approve or refuse."""
    conn.execute(
        "UPDATE waiver_close_ask SET result = ?, ended_by = ?, ended_ms = ? WHERE id = ?", (result, by, now_ms, ask_id)
    )


# ---- vouchers

# A reversal counts to the kind of what it takes back.
_SUMS = (
    "SELECT coalesce(r.kind, e.kind) AS of_kind, g.account, g.budget_code, g.fiscal_year, sum(g.yen), "
    "count(DISTINCT e.seq) FROM ledger_entry e JOIN ledger_leg g ON g.entry_seq = e.seq "
    "LEFT JOIN ledger_entry r ON r.seq = e.reverses WHERE e.area = ? AND e.month = ? GROUP BY 1, 2, 3, 4"
)


def voucher_sums(conn: Connection, month: str) -> list[Sum]:
    """What was booked in a month, by kind of entry, account, budget code and fiscal year."""
    return [Sum(*row) for row in conn.execute(_SUMS, (AREA, month))]


def year_sums(conn: Connection, year: int) -> list[YearSum]:
    """What was booked for a fiscal year's months of use, by 31 May after it; receipts by the day on which they came."""
    rows = conn.execute(
        "SELECT g.account, g.ground, g.budget_code, g.of_month, sum(g.yen) FROM ledger_entry e "
        "JOIN ledger_leg g ON g.entry_seq = e.seq WHERE e.area = ? AND e.month <= ? AND e.effective_day <= ? "
        "AND g.of_month >= ? AND g.of_month <= ? GROUP BY 1, 2, 3, 4",
        (AREA, last_month(year), last_payment_day(year).isoformat(), f"{year:04}-04", f"{year + 1:04}-03"),
    )
    return [YearSum(*row) for row in rows]


def layouts(conn: Connection) -> list[OwnLayout]:
    """The town's own, by code."""
    rows = conn.execute("SELECT code, body, changed_by, changed_ms FROM voucher_layout ORDER BY code")
    return [OwnLayout(*row) for row in rows]


def keep_layout(conn: Connection, code: str, body: str, by: str, now_ms: int) -> None:
    """Keeps a layout under its code."""
    conn.execute(
        "INSERT INTO voucher_layout (code, body, changed_by, changed_ms) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (code) DO UPDATE SET body = excluded.body, changed_by = excluded.changed_by, "
        "changed_ms = excluded.changed_ms",
        (code, body, by, now_ms),
    )


def drop_layout(conn: Connection, code: str) -> None:
    """Takes a layout away."""
    conn.execute("DELETE FROM voucher_layout WHERE code = ?", (code,))
