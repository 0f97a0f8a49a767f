"""A bill in the ledger: what is owed is what was billed, what was not expected waits, a decision ends the wait."""

import tempfile
from functools import cache as once
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.db import Connection, Db, Refused
from hub.waiver import bill_entry, bill_intake, bill_look, bill_store, ledger_check, ledger_store
from hub.waiver.bill import Decision
from hub.waiver.bill_look import Asked
from hub.waiver.bill_store import Cannot
from hub.waiver.ledger import EXPENSE, PAYABLE, SUSPENSE, Entry
from tests.waiver.bill.parts import CARRIER, MONTH, Row, csv_line, enter, layout, phone

ASKED = Asked(MONTH, CARRIER, "csv-line")
ROWS = [Row(phone(1)), Row(phone(2), base=1580), Row(phone(9))]


class Undone(Exception):
    """Raised to leave a database as it was."""


@once
def shared() -> tuple[Db, Any]:
    folder = tempfile.TemporaryDirectory()
    db = Db(Path(folder.name) / "hub.db")
    db.open()
    return db, folder


def keep(conn: Connection, content: bytes, asked: Asked = ASKED, now_ms: int = 5) -> int:
    """Brings a bill in as the page does."""
    found = bill_look.look(conn, bill_look.read(content, layout(asked.layout), asked), bill_look.hash_of(content))
    made = bill_look.as_bill(found, asked, "bill.csv", bill_look.hash_of(content), "hanako", now_ms)
    return bill_store.keep(conn, made, found.lines)


def decision(decided: Any, day: str = "2026-12-10") -> Decision:
    return Decision(0, decided, day, "確認", "hanako", 9)


def sums(entries: list[Entry]) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in entries:
        assert sum(leg.yen for leg in entry.legs) == 0
        for leg in entry.legs:
            found[leg.account] = found.get(leg.account, 0) + leg.yen
    return {account: yen for account, yen in found.items() if yen}


def test_what_is_billed_is_owed_and_what_differs_waits(db: Db) -> None:
    def write(conn: Connection) -> None:
        number = keep(conn, csv_line(ROWS))
        entries = bill_store.entries(conn, number)
        bill = bill_store.bill(conn, number)
        assert bill is not None
        assert sums(entries) == {EXPENSE: 1631 + 1631, SUSPENSE: 110 + 1631, PAYABLE: -bill.total_yen}
        assert {entry.month for entry in entries} == {MONTH}
        known = [leg for entry in entries for leg in entry.legs if leg.line_id]
        assert {leg.budget_code for leg in known} == {"02-01-11"}
        assert {(leg.fiscal_year, leg.of_month) for entry in entries for leg in entry.legs} == {(2026, MONTH)}
        # The missing third line owes nothing.
        assert [entry.key.rpartition(":")[2] for entry in entries] == ["2", "3", "4"]
        assert entries[0].key.startswith(f"bill:{CARRIER}:{MONTH}:{bill.file_hash[:12]}:")

    db.write_now(write)


def test_a_decision_ends_the_wait_and_is_posted_where_the_bill_is(db: Db) -> None:
    def write(conn: Connection) -> None:
        number = keep(conn, csv_line(ROWS))
        assert [line.n for line in bill_store.open_lines(conn, number)] == [3, 4, 5]
        assert bill_store.decide(conn, number, [3], decision("asked")) == 1
        # Whoever was asked may still answer.
        assert bill_store.decide(conn, number, [3], decision("credit")) == 1
        with pytest.raises(Cannot, match="decided"):
            bill_store.decide(conn, number, [3], decision("accepted"))
        before = bill_store.entries(conn, number)
        ledger_store.post(conn, before, now_ms=10, by="hanako")
        ledger_store.post(conn, bill_store.entries(conn, number), now_ms=11, by="hanako")
        assert ledger_store.balances(conn) == sums(before) == {EXPENSE: 3262, PAYABLE: -4893, SUSPENSE: 1631}
        with pytest.raises(Cannot, match="posted"):
            bill_store.withdraw(conn, number, 12)
        assert bill_store.decide(conn, number, [4, 5], decision("accepted", "2027-01-15")) == 2
        assert ledger_store.balances(conn) == {EXPENSE: 4893, PAYABLE: -4893, SUSPENSE: 0}
        assert sums(bill_store.entries(conn, number)) == {EXPENSE: 4893, PAYABLE: -4893}
        assert ledger_check.verify(conn) is None

    db.write_now(write)


def test_what_is_decided_after_the_close_goes_to_the_open_month(db: Db) -> None:
    def write(conn: Connection) -> None:
        number = keep(conn, csv_line(ROWS))
        ledger_store.post(conn, bill_store.entries(conn, number), now_ms=10, by="hanako")
        ledger_store.close(conn, "line", MONTH, now_ms=11, by="hanako", approved_by="boss")
        closed = ledger_store.content_hash(conn, "line", MONTH)
        bill_store.decide(conn, number, [3], decision("accepted", "2027-01-15"))
        [entry] = ledger_store.entries(conn, ledger_store.Which(kind="difference"))
        assert (entry.entry.month, entry.entry.effective_day) == ("2026-12", "2027-01-15")
        assert ledger_store.content_hash(conn, "line", MONTH) == closed

    db.write_now(write)


def test_decisions_stay(db: Db) -> None:
    def write(conn: Connection) -> None:
        number = keep(conn, csv_line(ROWS))
        bill_store.decide(conn, number, [3], decision("accepted"))

    db.write_now(write)
    with pytest.raises(Refused):
        db.write_now(lambda conn: conn.execute("DELETE FROM bill_difference"))
    with pytest.raises(Refused):
        db.write_now(lambda conn: conn.execute("UPDATE bill_difference SET decided = 'credit'"))


def test_the_same_month_or_file_comes_in_once(db: Db) -> None:
    def write(conn: Connection) -> None:
        content = csv_line(ROWS)
        number = keep(conn, content)
        with pytest.raises(Cannot, match="month_taken"):
            keep(conn, csv_line(ROWS[:1]))
        with pytest.raises(Cannot, match="file_taken"):
            keep(conn, content, ASKED._replace(carrier="別の会社"))
        bill_store.withdraw(conn, number, 8)
        with pytest.raises(Cannot, match="gone"):
            bill_store.withdraw(conn, number, 9)
        with pytest.raises(Cannot, match="gone"):
            bill_store.decide(conn, number, [3], decision("accepted"))
        with pytest.raises(LookupError):
            bill_store.entries(conn, number)
        assert bill_store.of(conn, MONTH) == []
        again = keep(conn, content)
        assert [one.id for one in bill_store.of(conn, MONTH)] == [again]

    db.write_now(write)


@pytest.mark.parametrize(
    ("first", "last", "due", "year"),
    [
        ("2026-03-01", "2026-03-31", "2026-05-01", 2025),
        ("2027-03-21", "2027-04-20", "2027-05-20", 2027),
        ("2027-03-21", "2027-04-20", "2027-03-31", 2026),
        ("2027-03-21", "2027-04-20", "", 2027),
    ],
)
def test_the_fiscal_year_is_that_of_the_use(first: str, last: str, due: str, year: int) -> None:
    """Case C15: a period over two years goes by its due date."""
    paper = bill_intake.read(csv_line([Row(phone(1))]), layout("csv-line"), MONTH, CARRIER)
    found = bill_look.Look(paper, [], [], "")
    bill = bill_look.as_bill(found, ASKED, "", "", "", 0)
    bill = msgspec.structs.replace(bill, first_day=first, last_day=last, due_day=due)
    assert bill_entry.fiscal_year_of(bill) == year


rows_of = st.lists(st.tuples(st.integers(-1480, 900), st.integers(0, 3000)), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(rows_of, st.integers(0, 7), st.randoms(use_true_random=False))
def test_whatever_is_billed_adds_up_in_the_ledger(drawn: list[tuple[int, int]], known: int, chance: Any) -> None:
    rows = [Row(phone(n), base=1480 + off, roaming=roaming) for n, (off, roaming) in enumerate(drawn, 1)]

    def write(conn: Connection) -> None:
        enter(conn, known)
        number = keep(conn, csv_line(rows))
        bill, lines = bill_store.bill(conn, number), bill_store.lines(conn, number)
        assert bill is not None
        assert sum(line.total_yen for line in lines) == bill.total_yen
        entries = bill_store.entries(conn, number)
        ledger_store.post(conn, chance.sample(entries, len(entries)), now_ms=1, by="hanako")
        waits = sum(line.difference_yen for line in lines if line.verdict != "MISSING_LINE")
        balances = {EXPENSE: 0, PAYABLE: 0, SUSPENSE: 0} | ledger_store.balances(conn)
        assert balances[PAYABLE] == -bill.total_yen
        assert balances[SUSPENSE] == waits
        assert balances[EXPENSE] == bill.total_yen - waits
        for line in bill_store.open_lines(conn, number):
            bill_store.decide(conn, number, [line.n], decision(chance.choice(["accepted", "credit"])))
        balances = {EXPENSE: 0, PAYABLE: 0, SUSPENSE: 0} | ledger_store.balances(conn)
        assert balances[SUSPENSE] == 0
        assert balances[EXPENSE] == -balances[PAYABLE]
        raise Undone

    with pytest.raises(Undone):
        shared()[0].write_now(write)
