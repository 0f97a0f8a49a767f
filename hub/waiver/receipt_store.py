"""SQL of receipts, of a resident's account, and of letters that remind."""

from typing import Any

import msgspec

from hub.db import Connection
from hub.waiver import ledger_store, receipt
from hub.waiver.ledger import Conflict
from hub.waiver.ledger_store import Posted
from hub.waiver.receipt import Due, Receipt
from hub.waiver.statement import Statement, Sum, statement


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt as it was entered; `undone_by` is the number of the entry that took it back."""

    id: int
    reference: str
    n: int
    resident_id: int
    number: str
    line_id: int
    phone: str
    of_month: str
    day: str
    yen: int
    way: str
    entered_by: str
    entered_ms: int
    seq: int
    undone_by: int | None

    @property
    def paid(self) -> Receipt:
        """The payment."""
        return Receipt(
            reference=self.reference,
            resident_id=self.resident_id,
            day=self.day,
            yen=self.yen,
            way=self.way,
            line_id=self.line_id,
            of_month=self.of_month,
        )


_SELECT = (
    "SELECT p.id, p.reference, p.n, p.resident_id, coalesce(r.number, ''), p.line_id, coalesce(l.phone, ''), "
    "p.of_month, p.day, p.yen, p.way, p.entered_by, p.entered_ms, p.entry_seq, "
    "(SELECT u.seq FROM ledger_entry u WHERE u.reverses = p.entry_seq) "
    "FROM receipt p LEFT JOIN resident r ON r.id = p.resident_id LEFT JOIN line l ON l.id = p.line_id"
)


def due(conn: Connection, resident_id: int) -> list[Due]:
    """What stands open of a resident."""
    found = ledger_store.outstanding(conn, resident_id)
    return [Due(one.line_id, one.of_month, one.yen, one.fiscal_year, one.budget_code) for one in found if one.yen > 0]


def enter(conn: Connection, paid: Receipt, *, now_ms: int, by: str) -> Posted:
    """Writes a payment down and posts it; the same once more is the same, unless it was taken back meanwhile.

    Raises ledger.NotPosted.
    """
    known = of_reference(conn, paid.reference)
    if known is not None and known.undone_by is None:
        if known.paid != paid:
            raise Conflict(f"receipt {paid.reference}: another payment has this reference; nothing was posted")
        return Posted(known.seq, receipt.key_of(paid.reference, known.n), new=False)
    n = known.n + 1 if known else 1
    month = ledger_store.open_month(conn, "line", paid.day[:7])
    entry = receipt.entry(paid, due(conn, paid.resident_id), month, n)
    (posted,) = ledger_store.post(conn, [entry], now_ms=now_ms, by=by)
    told = (paid.reference, n, posted.seq, paid.resident_id, paid.line_id, paid.of_month, paid.day, paid.yen, paid.way)
    conn.execute(
        "INSERT INTO receipt (reference, n, entry_seq, resident_id, line_id, of_month, day, yen, way, entered_by, "
        "entered_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*told, by, now_ms),
    )
    return posted


def undo(conn: Connection, kept: Kept, *, day: str, note: str, now_ms: int, by: str) -> Posted:
    """Takes a payment back by a reversal in the open month. Raises ledger.NotPosted."""
    month = ledger_store.open_month(conn, "line", day[:7])
    return ledger_store.reverse(conn, [kept.seq], month=month, day=day, note=note, now_ms=now_ms, by=by)[0]


def receipts(conn: Connection, *, before: int | None = None, resident_id: int = 0, limit: int = 50) -> list[Kept]:
    """Receipts, the newest first; those before `before` for the next page."""
    return _kept(
        conn,
        "WHERE (? IS NULL OR p.id < ?) AND ? IN (0, p.resident_id) ORDER BY p.id DESC LIMIT ?",
        (before, before, resident_id, limit),
    )


def one(conn: Connection, receipt_id: int) -> Kept | None:
    """One receipt."""
    found = _kept(conn, "WHERE p.id = ?", (receipt_id,))
    return found[0] if found else None


def of_reference(conn: Connection, reference: str) -> Kept | None:
    """The receipt of a reference, as it was entered last."""
    found = _kept(conn, "WHERE p.reference = ? ORDER BY p.n DESC LIMIT 1", (reference,))
    return found[0] if found else None


def by_reference(conn: Connection) -> dict[str, Kept]:
    """The receipt of each reference, as it was entered last."""
    return {kept.reference: kept for kept in _kept(conn, "ORDER BY p.n", ())}


def free_reference(conn: Connection, day: str) -> str:
    """A reference that is not taken, for a payment that came without one."""
    stem = f"N{day.replace('-', '')}-"
    (last,) = conn.execute(
        "SELECT max(CAST(substr(reference, ?) AS INTEGER)) FROM receipt WHERE reference GLOB ?",
        (len(stem) + 1, f"{stem}[0-9]*"),
    ).fetchone()
    return f"{stem}{(last or 0) + 1:03}"


def _kept(conn: Connection, which: str, args: tuple[Any, ...]) -> list[Kept]:
    rows = conn.execute(f"{_SELECT} {which}", args)
    names = Kept.__struct_fields__
    return [Kept(**dict(zip(names, row, strict=True))) for row in rows]


# ---- a resident's account


def account(conn: Connection, resident_id: int) -> Statement:
    """All that was assessed, waived and paid."""
    rows = conn.execute(
        "SELECT of_month, phone, account, ground, decision, sum(yen) FROM ledger_leg "
        "WHERE resident_id = ? AND resident_id <> 0 GROUP BY 1, 2, 3, 4, 5",
        (resident_id,),
    )
    return statement(Sum(*row) for row in rows)


# ---- letters that remind


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that was printed: `open` are phone number, month of use and yen."""

    id: int
    resident_id: int
    day: str
    pay_by_day: str
    yen: int
    open: tuple[tuple[str, str, int], ...]
    printed_by: str
    printed_ms: int


_open = msgspec.json.Decoder(tuple[tuple[str, str, int], ...])


def remind(conn: Connection, letter: Reminder) -> None:
    """Writes down that a letter was printed; its number is given anew."""
    conn.execute(
        "INSERT INTO reminder (resident_id, day, pay_by_day, yen, open, printed_by, printed_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            letter.resident_id,
            letter.day,
            letter.pay_by_day,
            letter.yen,
            msgspec.json.encode(letter.open).decode(),
            letter.printed_by,
            letter.printed_ms,
        ),
    )


def reminders(conn: Connection, resident_id: int = 0) -> list[Reminder]:
    """Letters, the newest first."""
    rows = conn.execute(
        "SELECT id, resident_id, day, pay_by_day, yen, open, printed_by, printed_ms FROM reminder "
        "WHERE ? IN (0, resident_id) ORDER BY id DESC",
        (resident_id,),
    )
    return [
        Reminder(
            id=id_,
            resident_id=about,
            day=day,
            pay_by_day=pay_by_day,
            yen=yen,
            open=_open.decode(open_),
            printed_by=printed_by,
            printed_ms=printed_ms,
        )
        for id_, about, day, pay_by_day, yen, open_, printed_by, printed_ms in rows
    ]


def last_reminded(conn: Connection) -> dict[int, str]:
    """The day of each resident's newest letter."""
    return dict(conn.execute("SELECT resident_id, max(day) FROM reminder GROUP BY resident_id").fetchall())
