"""Uses of benefits in the ledger's area `benefit`: a grant is a promise and stands in no book, a use is owed.

A use is Dr 扶助費 / Cr 未払金 with the benefit's budget code, in the fiscal year of its day; one that is taken back is
reversed.  What comes late goes to the first open month.
"""

from datetime import date

from hub import audit, shown
from hub.benefit import account_store
from hub.benefit.benefit import Kind
from hub.db import Connection
from hub.waiver import ledger, ledger_store
from hub.waiver.ledger import AlreadyReversed, Entry, Leg
from hub.waiver.rules.fiscal import fiscal_year

AREA = "benefit"
USE = "benefit_use"
_AT_ONCE = 500

_UNBOOKED = "FROM benefit_use WHERE ledger_seq IS NULL AND takes_back = '' AND resident_id <> 0"
# What takes a booked use back: at the device, or at the hub.
_DEVICE_BACKS = (
    "FROM benefit_use b LEFT JOIN benefit_use u ON u.device_id = b.device_id AND u.use = b.takes_back "
    "WHERE b.ledger_seq IS NULL AND b.takes_back <> '' AND (u.use IS NULL OR u.ledger_seq IS NOT NULL)"
)
_HUB_BACKS = (
    "FROM benefit_take_back b JOIN benefit_use u ON u.device_id = b.device_id AND u.use = b.use "
    "WHERE b.ledger_seq IS NULL AND u.ledger_seq IS NOT NULL"
)

_DUE = f"SELECT EXISTS (SELECT 1 {_UNBOOKED}) OR EXISTS (SELECT 1 {_DEVICE_BACKS}) OR EXISTS (SELECT 1 {_HUB_BACKS})"


def is_due(conn: Connection) -> bool:
    """Whether something is to be booked."""
    return bool(conn.execute(_DUE).fetchone()[0])


def book(conn: Connection, *, now_ms: int) -> None:
    """Books what is there, some hundreds at a time. Raises NotPosted."""
    _book_uses(conn, now_ms)
    _book_backs(conn, now_ms)


def entry(kind: Kind, device_id: int, use: str, resident_id: int, units: int, day: str, month: str) -> Entry:
    """The entry of one use of a benefit that has a price."""
    of = {"budget_code": kind.budget_code, "fiscal_year": fiscal_year(date.fromisoformat(day)), "of_month": day[:7]}
    yen = units * kind.unit_yen
    legs = (
        Leg(ledger.AID, yen, resident_id=resident_id, ground=kind.code, **of),  # type: ignore[arg-type]
        Leg(ledger.PAYABLE, -yen, ground=kind.code, **of),  # type: ignore[arg-type]
    )
    return Entry(f"benefit:use:{device_id}:{use}", USE, AREA, month, day, legs)


def _book_uses(conn: Connection, now_ms: int) -> None:
    rows = conn.execute(
        f"SELECT device_id, use, benefit, resident_id, units, at_ms {_UNBOOKED} ORDER BY arrived_ms LIMIT ?",
        (_AT_ONCE,),
    ).fetchall()
    kinds = account_store.kinds(conn)
    priced = [row for row in rows if kinds[row[2]].unit_yen]
    entries = []
    for device_id, use, benefit, resident_id, units, at_ms in priced:
        day = shown.day_of(at_ms)
        month = ledger_store.open_month(conn, AREA, day[:7])
        entries.append(entry(kinds[benefit], device_id, use, resident_id, units, day, month))
    posted = ledger_store.post(conn, entries, now_ms=now_ms, by=audit.SYSTEM) if entries else []
    seqs = {(row[0], row[1]): one.seq for row, one in zip(priced, posted, strict=True)}
    conn.executemany(
        "UPDATE benefit_use SET ledger_seq = ? WHERE device_id = ? AND use = ?",
        [(seqs.get((row[0], row[1]), 0), row[0], row[1]) for row in rows],
    )


def _book_backs(conn: Connection, now_ms: int) -> None:
    backs = conn.execute(
        f"SELECT b.device_id, b.use, coalesce(u.ledger_seq, 0), b.at_ms {_DEVICE_BACKS} LIMIT ?",
        (_AT_ONCE,),
    ).fetchall()
    conn.executemany(
        "UPDATE benefit_use SET ledger_seq = ? WHERE device_id = ? AND use = ?",
        [(_reverse(conn, seq, at_ms, "", audit.SYSTEM, now_ms), id_, use) for id_, use, seq, at_ms in backs],
    )
    backs = conn.execute(
        f"SELECT b.device_id, b.use, u.ledger_seq, b.entered_ms, b.reason, b.entered_by {_HUB_BACKS} LIMIT ?",
        (_AT_ONCE,),
    ).fetchall()
    conn.executemany(
        "UPDATE benefit_take_back SET ledger_seq = ? WHERE device_id = ? AND use = ?",
        [(_reverse(conn, seq, at_ms, why, who, now_ms), id_, use) for id_, use, seq, at_ms, why, who in backs],
    )


def _reverse(conn: Connection, seq: int, at_ms: int, why: str, who: str, now_ms: int) -> int:
    """The number of the reversal; 0 where there is nothing to reverse (any more)."""
    if not seq:
        return 0
    day = shown.day_of(at_ms)
    month = ledger_store.open_month(conn, AREA, day[:7])
    try:
        return ledger_store.reverse(conn, [seq], month=month, day=day, note=why, now_ms=now_ms, by=who)[0].seq
    except AlreadyReversed:
        # It was taken back at the device and at the hub.
        return 0
