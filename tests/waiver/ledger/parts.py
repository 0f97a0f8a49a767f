"""What the tests of the ledger share: registers, and a month of fees, waivers and bills of a line."""

from hub.db import Connection
from hub.waiver.ledger import EXPENSE, FEE, PAYABLE, RECEIVABLE, WAIVED, Entry, Leg

LINES = 6
NOW_MS = 1_795_564_800_000  # 2026-11-25 00:00 UTC


def enter_registers(conn: Connection, ids: tuple[int, ...] = tuple(range(1, LINES + 1))) -> None:
    """Six residents with a line each; `ids` are the database's own numbers for them, which differ between machines."""
    for n, id_ in enumerate(ids, 1):
        conn.execute(
            "INSERT INTO line (id, phone, budget_code, from_day, changed_ms) VALUES (?, ?, '13-2', '2020-04-01', 0)",
            (id_, f"0901234000{n}"),
        )
        conn.execute("INSERT INTO resident (id, number, changed_ms) VALUES (?, ?, 0)", (id_, f"R000{n}"))


def fiscal_year(month: str) -> int:
    """From April to March."""
    return int(month[:4]) - (int(month[5:]) < 4)


def bill(line: int, month: str, yen: int = 1631, *, booked: str = "") -> Entry:
    """What the carrier asks for a line."""
    about = {"line_id": line, "budget_code": "13-2", "fiscal_year": fiscal_year(month), "of_month": month}
    return _entry("bill", line, month, booked, Leg(EXPENSE, yen, **about), Leg(PAYABLE, -yen, **about))  # type: ignore[arg-type]


def assess(line: int, month: str, yen: int = 1631, *, resident: int = 0, booked: str = "") -> Entry:
    """What a resident is asked for a line."""
    about = _about(line, month, resident)
    return _entry("assess", line, month, booked, Leg(RECEIVABLE, yen, **about), Leg(FEE, -yen, **about))  # type: ignore[arg-type]


def waive(line: int, month: str, yen: int = 1631, *, resident: int = 0, booked: str = "") -> Entry:
    """What is waived of it."""
    about = _about(line, month, resident)
    waived = Leg(WAIVED, yen, ground="disabled", decision="町指令第7号", **about)  # type: ignore[arg-type]
    return _entry("waive", line, month, booked, waived, Leg(RECEIVABLE, -yen, **about))  # type: ignore[arg-type]


def _about(line: int, month: str, resident: int) -> dict[str, object]:
    return {
        "line_id": line,
        "resident_id": resident or line,
        "budget_code": "8-1",
        "fiscal_year": fiscal_year(month),
        "of_month": month,
    }


def _entry(kind: str, line: int, month: str, booked: str, *legs: Leg) -> Entry:
    return Entry(f"{kind}:{month}:{line}", kind, "line", booked or month, f"{month}-28", legs)
