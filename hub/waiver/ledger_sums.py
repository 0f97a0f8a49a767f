"""SQL of sums that are kept beside the ledger, so that pages need not add ten years up: a cache that equals the fold.

1. Changed in the transaction that posts, by what was posted; `differ` says whether they are still what the legs come
   to, `rebuild` makes them anew from the legs.
2. Two: each account by area, booked month and fiscal year; what stands open by resident, line and month of use.
"""

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from hub.db import Connection, Into, insert
from hub.waiver.ledger import RECEIVABLE, Entry


class Open(msgspec.Struct, frozen=True, gc=False):
    """What a resident still owes for one line and month of use; below 0: paid too much.

    Fiscal year and budget code are those that it was assessed under (of one line and month there is one of each).
    """

    resident_id: int
    line_id: int
    of_month: str
    yen: int
    fiscal_year: int = 0
    budget_code: str = ""


_SUM = Into(
    "ledger_sum (area, month, account, fiscal_year, yen)",
    5,
    "ON CONFLICT (area, month, account, fiscal_year) DO UPDATE SET yen = yen + excluded.yen",
)
_OPEN = Into(
    "ledger_open (resident_id, line_id, of_month, yen, fiscal_year, budget_code)",
    6,
    "ON CONFLICT (resident_id, line_id, of_month) DO UPDATE SET yen = yen + excluded.yen, "
    "fiscal_year = max(fiscal_year, excluded.fiscal_year), budget_code = max(budget_code, excluded.budget_code)",
)
_SUMS = (
    "SELECT e.area, e.month, g.account, g.fiscal_year, sum(g.yen) AS yen FROM ledger_leg g "
    "JOIN ledger_entry e ON e.seq = g.entry_seq GROUP BY 1, 2, 3, 4"
)
_OPENS = (
    "SELECT resident_id, line_id, of_month, sum(yen) AS yen, max(fiscal_year), max(budget_code) FROM ledger_leg "
    "WHERE account = 'receivable' GROUP BY 1, 2, 3"
)


def add(conn: Connection, entries: Iterable[Entry]) -> None:
    """What was posted."""
    sums: dict[tuple[str, str, str, int], int] = defaultdict(int)
    opens: dict[tuple[int, int, str], tuple[int, int, str]] = {}
    for entry in entries:
        for leg in entry.legs:
            sums[entry.area, entry.month, leg.account, leg.fiscal_year] += leg.yen
            if leg.account == RECEIVABLE:
                key = leg.resident_id, leg.line_id, leg.of_month
                yen, year, code = opens.get(key, (0, 0, ""))
                opens[key] = yen + leg.yen, max(year, leg.fiscal_year), max(code, leg.budget_code)
    insert(conn, _SUM, [value for key, yen in sums.items() for value in (*key, yen)])
    insert(conn, _OPEN, [value for key, values in opens.items() for value in (*key, *values)])


def balances(conn: Connection, area: str, through: str, fiscal_year: int) -> dict[str, int]:
    """Each account's balance; an empty area, a fiscal year of 0: of all."""
    rows = conn.execute(
        "SELECT account, sum(yen) FROM ledger_sum WHERE ? IN ('', area) AND month <= ? AND ? IN (0, fiscal_year) "
        "GROUP BY 1 ORDER BY 1",
        (area, through, fiscal_year),
    )
    return dict(rows.fetchall())


def outstanding(conn: Connection, resident_id: int | None) -> list[Open]:
    """What stands open, by resident, month of use and line; of one resident or of all."""
    which = "" if resident_id is None else "AND resident_id = ?"
    rows = conn.execute(
        "SELECT resident_id, line_id, of_month, yen, fiscal_year, budget_code FROM ledger_open "  # noqa: S608 (our own)
        f"WHERE yen <> 0 {which} ORDER BY resident_id, of_month, line_id",
        () if resident_id is None else (resident_id,),
    )
    return [Open(*row) for row in rows]


def differ(conn: Connection) -> bool:
    """Whether a sum is not what the legs come to."""
    kept_sums = "SELECT area, month, account, fiscal_year, yen FROM ledger_sum"
    kept_opens = "SELECT resident_id, line_id, of_month, yen, fiscal_year, budget_code FROM ledger_open"
    return any(
        conn.execute(f"SELECT 1 FROM ({one} EXCEPT {other}) LIMIT 1").fetchone()  # noqa: S608 (our own words)
        for pair in ((kept_sums, _SUMS), (kept_opens, _OPENS))
        for one, other in (pair, pair[::-1])
    )


def rebuild(conn: Connection) -> None:
    """Makes the sums anew from the legs."""
    conn.execute("DELETE FROM ledger_sum")
    conn.execute("DELETE FROM ledger_open")
    conn.execute(f"INSERT INTO ledger_sum {_SUMS}")
    conn.execute(f"INSERT INTO ledger_open {_OPENS}")
