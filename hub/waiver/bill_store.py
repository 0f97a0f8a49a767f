"""SQL of the carrier's bills: imported whole, withdrawn while the ledger has nothing of them, decided line by line.

1. A bill is looked at, then done: what is done is what was looked at (`digest`).
2. Its entries are those of `bill_entry.py`; whoever closes the month posts them (`entries`), the same ones once more
   post nothing.  What is decided on a difference later is posted at once, into a month that is open.
"""

import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from hub.db import Connection, Into, insert
from hub.waiver import bill_entry, ledger_store
from hub.waiver.bill import Bill, Decision, Expected, Item, Line, open_differences, other_charges
from hub.waiver.ledger import Entry

__all__ = ["Bill", "Decision", "Line", "other_charges"]

_BILL = (
    "SELECT id, carrier, month, number, first_day, last_day, due_day, ex_tax_yen, tax_yen, total_yen, file_name, "
    "file_hash, layout, entered_by, entered_ms, withdrawn_ms FROM bill"
)
_LINE = Into(
    "bill_line (bill_id, n, phone, iccid, line_id, items, used_bytes, ex_tax_yen, tax_yen, total_yen, verdict, "
    "expected_yen, difference_yen, expected)",
    14,
)
_items = msgspec.json.Decoder(tuple[Item, ...])
_expected = msgspec.json.Decoder(Expected)


class Cannot(Exception):
    """Something that is not done to a bill; `why` is a word (`bill_cannot_…`)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


# ---- bills


def of(conn: Connection, month: str) -> list[Bill]:
    """The bills of a month (YYYY-MM) that count, by carrier."""
    return _bills(conn, f"{_BILL} WHERE month = ? AND withdrawn_ms IS NULL ORDER BY carrier", month)


def every(conn: Connection, limit: int = 200) -> list[Bill]:
    """Bills, the latest months first, the withdrawn ones too."""
    return _bills(conn, f"{_BILL} ORDER BY month DESC, carrier, id DESC LIMIT ?", limit)


def bill(conn: Connection, bill_id: int) -> Bill | None:
    """One bill."""
    found = _bills(conn, f"{_BILL} WHERE id = ?", bill_id)
    return found[0] if found else None


def of_file(conn: Connection, file_hash: str) -> Bill | None:
    """The bill that counts and came in this very file."""
    found = _bills(conn, f"{_BILL} WHERE file_hash = ? AND withdrawn_ms IS NULL", file_hash)
    return found[0] if found else None


def _bills(conn: Connection, query: str, *args: Any) -> list[Bill]:
    return [Bill(*row) for row in conn.execute(query, args)]


def lines(conn: Connection, bill_id: int) -> list[Line]:
    """A bill's lines in their order, those that are missing last."""
    rows = conn.execute(
        "SELECT b.n, b.phone, b.iccid, b.line_id, b.items, b.used_bytes, b.ex_tax_yen, b.tax_yen, b.total_yen, "
        "b.verdict, b.expected_yen, b.difference_yen, b.expected, coalesce(l.budget_code, '') FROM bill_line b "
        "LEFT JOIN line l ON l.id = b.line_id WHERE b.bill_id = ? ORDER BY b.n",
        (bill_id,),
    )
    return [_line(*row) for row in rows]


def _line(*row: Any) -> Line:
    values = dict(zip(Line.__struct_fields__, row, strict=True))
    return Line(**values | {"items": _items.decode(row[4]), "expected": _expected.decode(row[12])})


def keep(conn: Connection, made: Bill, found: Sequence[Line], content: bytes = b"") -> int:
    """Keeps a bill with its lines and its file; its number. Raises Cannot (`month_taken`, `file_taken`)."""
    if any(one.carrier == made.carrier for one in of(conn, made.month)):
        raise Cannot("month_taken")
    if of_file(conn, made.file_hash) is not None:
        raise Cannot("file_taken")
    cursor = conn.execute(
        "INSERT INTO bill (carrier, month, number, first_day, last_day, due_day, ex_tax_yen, tax_yen, total_yen, "
        "file_name, file_hash, layout, entered_by, entered_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        msgspec.structs.astuple(made)[1:-1],
    )
    bill_id = int(cursor.lastrowid or 0)
    insert(conn, _LINE, [part for one in found for part in _row(bill_id, one)])
    if content:
        conn.execute("INSERT INTO bill_file (bill_id, content) VALUES (?, ?)", (bill_id, zlib.compress(content)))
    return bill_id


def has_file(conn: Connection, bill_id: int) -> bool:
    """Whether a bill's file is there."""
    return conn.execute("SELECT 1 FROM bill_file WHERE bill_id = ?", (bill_id,)).fetchone() is not None


def content_of(conn: Connection, bill_id: int) -> bytes | None:
    """A bill's file as it came."""
    row = conn.execute("SELECT content FROM bill_file WHERE bill_id = ?", (bill_id,)).fetchone()
    return zlib.decompress(row[0]) if row else None


def _row(bill_id: int, one: Line) -> tuple[Any, ...]:
    return (
        bill_id,
        one.n,
        one.phone,
        one.iccid,
        one.line_id,
        msgspec.json.encode(one.items).decode(),
        one.used_bytes,
        one.ex_tax_yen,
        one.tax_yen,
        one.total_yen,
        one.verdict,
        one.expected_yen,
        one.difference_yen,
        msgspec.json.encode(one.expected).decode(),
    )


def withdraw(conn: Connection, bill_id: int, now_ms: int) -> Bill:
    """Takes a bill back while the ledger has nothing of it. Raises Cannot (`posted`, `gone`)."""
    found = bill(conn, bill_id)
    if found is None or found.withdrawn_ms is not None:
        raise Cannot("gone")
    if is_posted(conn, found):
        raise Cannot("posted")
    conn.execute("UPDATE bill SET withdrawn_ms = ? WHERE id = ?", (now_ms, bill_id))
    return found


# ---- the ledger


def entries(conn: Connection, bill_id: int) -> list[Entry]:
    """A bill as entries, and what was decided on its differences; in the first open month from the bill's own on.

    Raises LookupError for a bill that is not there or was withdrawn.
    """
    found = bill(conn, bill_id)
    if found is None or found.withdrawn_ms is not None:
        raise LookupError(bill_id)
    month = ledger_store.open_month(conn, bill_entry.AREA, found.month)
    its_lines = lines(conn, bill_id)
    decided = decisions(conn, bill_id)
    return [*bill_entry.entries(found, its_lines, month), *bill_entry.differences(found, its_lines, decided, month)]


def is_posted(conn: Connection, found: Bill) -> bool:
    """Whether the ledger has something of a bill."""
    begin = bill_entry.key_of(found)
    row = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM ledger_entry WHERE key >= ? AND key < ?)", (begin, begin[:-1] + ";")
    ).fetchone()
    return bool(row[0])


# ---- differences


def decisions(conn: Connection, bill_id: int) -> list[Decision]:
    """What was decided on a bill's differences, in order."""
    rows = conn.execute(
        "SELECT n, decided, day, note, decided_by, decided_ms FROM bill_difference WHERE bill_id = ? ORDER BY id",
        (bill_id,),
    )
    return [Decision(*row) for row in rows]


def open_lines(conn: Connection, bill_id: int) -> list[Line]:
    """Lines whose difference waits for somebody's decision."""
    return open_differences(lines(conn, bill_id), decisions(conn, bill_id))


def decide(conn: Connection, bill_id: int, numbers: Iterable[int], decision: Decision) -> int:
    """Notes one decision on lines, each of which is open; how many. Posts it where the bill is in the ledger already.

    Raises Cannot (`gone`, `decided`), and `ledger.NotPosted` when the ledger refuses.
    """
    found = bill(conn, bill_id)
    if found is None or found.withdrawn_ms is not None:
        raise Cannot("gone")
    still = {one.n: one for one in open_lines(conn, bill_id)}
    chosen = sorted(set(numbers))
    if not chosen or any(n not in still for n in chosen):
        raise Cannot("decided")
    conn.executemany(
        "INSERT INTO bill_difference (bill_id, n, decided, day, note, decided_by, decided_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(bill_id, n, decision.decided, decision.day, decision.note, decision.by, decision.at_ms) for n in chosen],
    )
    if is_posted(conn, found):
        month = ledger_store.open_month(conn, bill_entry.AREA, found.month)
        of_lines = [msgspec.structs.replace(decision, n=n) for n in chosen]
        new = bill_entry.differences(found, [still[n] for n in chosen], of_lines, month)
        if new:
            ledger_store.post(conn, new, now_ms=decision.at_ms, by=decision.by)
    return len(chosen)


# ---- layouts

_FOLDER = Path(__file__).parent / "bill_layouts"


class Form(NamedTuple):
    """A layout's text; `own` when the town made it."""

    code: str
    body: str
    own: bool
    by: str = ""
    at_ms: int = 0


@cache
def shipped() -> dict[str, Form]:
    """The layouts that came with the hub, by code; they are never changed, the town keeps copies."""
    files = sorted(_FOLDER.glob("*.json"))
    return {file.stem: Form(file.stem, file.read_text(encoding="utf-8"), own=False) for file in files}


def forms(conn: Connection) -> dict[str, Form]:
    """All layouts by code: the town's own first."""
    rows = conn.execute("SELECT code, body, changed_by, changed_ms FROM bill_layout ORDER BY code")
    own = {code: Form(code, body, own=True, by=by, at_ms=at_ms) for code, body, by, at_ms in rows}
    return own | {code: one for code, one in shipped().items() if code not in own}


def keep_layout(conn: Connection, code: str, body: str, by: str, now_ms: int) -> None:
    """Keeps a layout under its code, new or changed."""
    conn.execute(
        "INSERT INTO bill_layout (code, body, changed_by, changed_ms) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (code) DO UPDATE SET body = excluded.body, changed_by = excluded.changed_by, "
        "changed_ms = excluded.changed_ms",
        (code, body, by, now_ms),
    )


def drop_layout(conn: Connection, code: str) -> bool:
    """Forgets a layout of the town's; whether there was one."""
    return conn.execute("DELETE FROM bill_layout WHERE code = ?", (code,)).rowcount > 0
