"""SQL of the reports: what stands in the ledger by line and by ground, reversals, differences of bills, loans."""

from typing import Any, NamedTuple

from hub.db import Connection
from hub.waiver.ledger import CASH, FEE, RECEIVABLE, WAIVED
from hub.waiver.month import AREA
from hub.waiver.year import last_month


class LineMonth(NamedTuple):
    """A line's month of use: all that was entered about it so far, in yen."""

    phone: str
    resident: str
    of_month: str
    fee: int
    waived: int
    grounds: tuple[str, ...]
    decisions: tuple[str, ...]
    paid: int
    open: int


class OfGround(NamedTuple):
    """What was waived on a ground: on how many lines and decisions, the fee of these months, the yen."""

    ground: str
    lines: int
    decisions: int
    waived: int
    late: int


class Reversal(NamedTuple):
    """An entry that was taken back, and by which one."""

    seq: int
    reversed_seq: int
    kind: str
    month: str
    of_month: str
    phone: str
    resident: str
    yen: int
    by: str
    approved_by: str


class Difference(NamedTuple):
    """A line of a bill that was not as expected, and what was decided on it last."""

    carrier: str
    month: str
    phone: str
    verdict: str
    billed: int
    expected: int | None
    difference: int
    decided: str
    by: str
    note: str


class Lent(NamedTuple):
    """A line and a thing in somebody's hands."""

    resident: str
    phone: str
    asset: str
    serial: str
    model: str
    loan: str
    first: str
    last: str


_LEGS = (
    "SELECT g.phone, g.resident, g.of_month, g.account, g.ground, g.decision, sum(g.yen) "
    "FROM ledger_leg g JOIN ledger_entry e ON e.seq = g.entry_seq "
    "WHERE g.of_month >= ? AND g.of_month <= ? AND e.month <= ? AND e.area = ? AND g.resident_id <> 0 "
    "GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 3, 2"
)


def line_months(conn: Connection, first: str, last: str, through: str = "9999-12") -> list[LineMonth]:
    """Every line's month of use from `first` to `last`, with what was booked through the month `through`."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for phone, resident, of_month, account, ground, decision, yen in conn.execute(_LEGS, (first, last, through, AREA)):
        one = found.setdefault((phone, of_month, resident), {"yen": {}, "grounds": [], "decisions": []})
        one["yen"][account] = one["yen"].get(account, 0) + yen
        if account == WAIVED and yen:
            one["grounds"] += [ground] if ground not in one["grounds"] else []
            one["decisions"] += [decision] if decision and decision not in one["decisions"] else []
    return [
        LineMonth(
            phone,
            resident,
            of_month,
            -one["yen"].get(FEE, 0),
            one["yen"].get(WAIVED, 0),
            tuple(one["grounds"]),
            tuple(one["decisions"]),
            one["yen"].get(CASH, 0),
            one["yen"].get(RECEIVABLE, 0),
        )
        for (phone, of_month, resident), one in found.items()
    ]


_OF_GROUND = (
    "SELECT ground, count(DISTINCT CASE WHEN yen <> 0 THEN phone END), "
    "count(DISTINCT CASE WHEN yen <> 0 AND decision <> '' THEN decision END), sum(yen), "
    "sum(CASE WHEN of_month < month THEN yen ELSE 0 END) FROM ("
    "SELECT g.ground, g.phone, g.decision, g.of_month, e.month, sum(g.yen) AS yen FROM ledger_leg g "
    "JOIN ledger_entry e ON e.seq = g.entry_seq WHERE e.area = ? AND g.account = ? AND "
)


def grounds_of_month(conn: Connection, month: str) -> list[OfGround]:
    """What was waived by the entries of a month, by ground; `late`: of it, for earlier months of use."""
    query = f"{_OF_GROUND} e.month = ? GROUP BY 1, 2, 3, 4, 5) GROUP BY 1 ORDER BY 1"
    return [OfGround(*row) for row in conn.execute(query, (AREA, WAIVED, month))]


def grounds_of_year(conn: Connection, year: int) -> list[OfGround]:
    """What was waived for a fiscal year's months of use by 31 May after it, by ground."""
    query = (
        f"{_OF_GROUND} g.of_month >= ? AND g.of_month <= ? AND e.month <= ? "
        "GROUP BY 1, 2, 3, 4, 5) GROUP BY 1 ORDER BY 1"
    )
    args = (AREA, WAIVED, f"{year:04}-04", f"{year + 1:04}-03", last_month(year))
    return [OfGround(*row) for row in conn.execute(query, args)]


def reversals(conn: Connection, first: str, last: str) -> list[Reversal]:
    """What was taken back by entries that are booked from month to month, in order."""
    rows = conn.execute(
        "SELECT e.seq, e.reverses, o.kind, e.month, max(g.of_month), max(g.phone), max(g.resident), "
        "sum(CASE WHEN g.yen > 0 THEN g.yen ELSE 0 END), e.entered_by, e.approved_by FROM ledger_entry e "
        "JOIN ledger_entry o ON o.seq = e.reverses JOIN ledger_leg g ON g.entry_seq = e.seq "
        "WHERE e.area = ? AND e.month >= ? AND e.month <= ? GROUP BY e.seq ORDER BY e.seq",
        (AREA, first, last),
    )
    return [Reversal(*row) for row in rows]


def differences(conn: Connection, first: str, last: str) -> list[Difference]:
    """Lines of bills of these months that were not as expected."""
    rows = conn.execute(
        "SELECT b.carrier, b.month, l.phone, l.verdict, l.total_yen, l.expected_yen, l.difference_yen, "
        "ifnull(d.decided, ''), ifnull(d.decided_by, ''), ifnull(d.note, '') FROM bill b "
        "JOIN bill_line l ON l.bill_id = b.id LEFT JOIN bill_difference d ON d.id = "
        "(SELECT max(id) FROM bill_difference WHERE bill_id = l.bill_id AND n = l.n) "
        "WHERE b.withdrawn_ms IS NULL AND l.verdict <> 'OK' AND b.month >= ? AND b.month <= ? "
        "ORDER BY b.month, b.carrier, l.n",
        (first, last),
    )
    return [Difference(*row) for row in rows]


def lent(conn: Connection, first_day: str, last_day: str) -> list[Lent]:
    """Who had which line and thing on these days, by resident."""
    rows = conn.execute(
        "SELECT r.number, l.phone, ifnull(i.asset, ''), ifnull(i.serial, ''), ifnull(i.model, ''), "
        "ifnull(o.number, ''), u.from_day, u.to_day FROM line_use u JOIN resident r ON r.id = u.resident_id "
        "JOIN line l ON l.id = u.line_id LEFT JOIN item i ON i.id = u.item_id LEFT JOIN loan o ON o.id = u.loan_id "
        "WHERE u.from_day <= ? AND (u.to_day = '' OR u.to_day >= ?) ORDER BY r.number, u.from_day, l.phone",
        (last_day, first_day),
    )
    return [Lent(*row) for row in rows]


def months_with_entries(conn: Connection) -> list[str]:
    """The months in which anything is booked, the latest first."""
    rows = conn.execute("SELECT DISTINCT month FROM ledger_entry WHERE area = ? ORDER BY month DESC LIMIT 60", (AREA,))
    return [month for (month,) in rows]
