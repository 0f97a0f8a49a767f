"""What benefits came to in a fiscal year, by kind and month: granted, used and taken back, in units and yen."""

from datetime import date, timedelta

import msgspec

from hub import shown
from hub.benefit import account_store, use_store
from hub.benefit.benefit import Kind
from hub.db import Connection


class Row(msgspec.Struct, frozen=True):
    """One kind and month; `yen` is what the ledger has of it, reversals taken off."""

    month: str
    kind: Kind
    granted: int
    used: int
    backs: int
    residents: int
    yen: int


def rows(conn: Connection, year: int) -> list[Row]:
    """The months of a fiscal year in which something happened, oldest first."""
    first, last = date(year, 4, 1), date(year + 1, 3, 31)
    begin_ms, end_ms = shown.day_start_ms(first), shown.day_start_ms(last + timedelta(days=1))
    kinds = account_store.kinds(conn)
    granted = _granted(conn, first.isoformat(), last.isoformat())
    yen = _yen(conn, year)
    uses: dict[tuple[str, str], list[use_store.UseRow]] = {}
    for use in use_store.uses_between(conn, begin_ms, end_ms):
        uses.setdefault((shown.day_of(use.at_ms)[:7], use.benefit), []).append(use)
    return [
        _row(month, kinds[code], granted.get((month, code), 0), uses.get((month, code), []), yen.get((month, code), 0))
        for month, code in sorted({*granted, *uses, *yen})
        if code in kinds
    ]


def _row(month: str, kind: Kind, granted: int, uses: list[use_store.UseRow], yen: int) -> Row:
    kept = [use for use in uses if not use.back]
    backs = sum(use.units for use in uses if use.back)
    return Row(month, kind, granted, sum(use.units for use in kept), backs, len({use.resident_id for use in kept}), yen)


def _granted(conn: Connection, first: str, last: str) -> dict[tuple[str, str], int]:
    found = conn.execute(
        "SELECT substr(day, 1, 7), benefit, sum(units) FROM benefit_grant WHERE result = 'approved' "
        "AND day BETWEEN ? AND ? GROUP BY 1, 2",
        (first, last),
    )
    return {(month, code): units for month, code, units in found}


def _yen(conn: Connection, year: int) -> dict[tuple[str, str], int]:
    """What was booked as aid, by month of use and benefit; a leg's ground is the benefit's code."""
    found = conn.execute(
        "SELECT g.of_month, g.ground, sum(g.yen) FROM ledger_leg g JOIN ledger_entry e ON e.seq = g.entry_seq "
        "WHERE e.area = 'benefit' AND g.account = 'aid' AND g.fiscal_year = ? GROUP BY 1, 2",
        (year,),
    )
    return {(month, code): yen for month, code, yen in found}
