"""SQL of paid bills: what is still owed to a carrier for a bill, and the entry that it was paid.

Dr 未払金 (payable) / Cr 歳計現金 (treasury), a leg for each budget code and fiscal year (C.5); booked in the first open
month from the day of payment on.
"""

from hub import audit
from hub.db import Connection
from hub.waiver import bill_entry, bill_store, ledger, ledger_store
from hub.waiver.bill import Bill
from hub.waiver.ledger import PAYABLE, TREASURY, BadEntry, Entry, Leg
from hub.waiver.ledger_store import Posted

PAY = "pay"


def owed(conn: Connection, bill: Bill) -> int:
    """What the ledger says is owed for a bill, in yen: nothing before its month is closed, and once it is paid."""
    return sum(yen for _, _, yen in _owed(conn, bill))


def _owed(conn: Connection, bill: Bill) -> list[tuple[str, int, int]]:
    """By budget code and fiscal year: of the bill, of what was decided on its differences, less what was paid."""
    found: dict[tuple[str, int], int] = {}
    for kind in (bill_entry.BILL, bill_entry.DIFFERENCE, PAY):
        begin = bill_entry.key_of(bill, kind)
        rows = conn.execute(
            "SELECT l.budget_code, l.fiscal_year, -sum(l.yen) FROM ledger_entry e JOIN ledger_leg l "
            "ON l.entry_seq = e.seq WHERE e.key >= ? AND e.key < ? AND l.account = ? "
            "AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses = e.seq) GROUP BY 1, 2",
            (begin, begin[:-1] + ";", PAYABLE),
        )
        for code, year, yen in rows:
            found[code, year] = found.get((code, year), 0) + yen
    return [(code, year, yen) for (code, year), yen in sorted(found.items()) if yen]


def pay(conn: Connection, bill_id: int, day: str, by: str, now_ms: int) -> list[Posted]:
    """Enters that what is owed for a bill was paid on a day. Raises LookupError, NotPosted."""
    bill = bill_store.bill(conn, bill_id)
    if bill is None or bill.withdrawn_ms is not None:
        raise LookupError(bill_id)
    if not ledger.is_day(day):
        raise BadEntry("the day of payment: expected a day such as 2026-12-25")
    parts = _owed(conn, bill)
    if not parts:
        raise BadEntry(f"nothing is owed for the bill {bill.number} of {bill.carrier}")
    begin = bill_entry.key_of(bill, PAY)
    (n,) = conn.execute(
        "SELECT count(*) FROM ledger_entry WHERE key >= ? AND key < ?", (begin, begin[:-1] + ";")
    ).fetchone()
    legs = [
        Leg(account, yen if account == PAYABLE else -yen, budget_code=code, fiscal_year=year, of_month=bill.month)
        for code, year, yen in parts
        for account in (PAYABLE, TREASURY)
    ]
    entry = Entry(
        key=f"{begin}{n + 1}",
        kind=PAY,
        area=bill_entry.AREA,
        month=ledger_store.open_month(conn, bill_entry.AREA, day[:7]),
        effective_day=day,
        legs=tuple(legs),
        note=f"{bill.carrier} {bill.number}".strip(),
    )
    audit.note(conn, now_ms, by, "waiver_pay", f"{bill.carrier} {bill.month}", str(sum(yen for _, _, yen in parts)))
    return ledger_store.post(conn, [entry], now_ms=now_ms, by=by)
