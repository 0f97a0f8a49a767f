"""The ledger in its database: repeats, reversals, closed months, two people (I3, I4, I5, I6, I12, I13, D02, D03)."""

from typing import Any

import msgspec
import pytest

from hub import audit
from hub.db import Connection, Db, Refused
from hub.waiver import ledger, ledger_check, ledger_store
from hub.waiver.ledger import (
    CASH,
    FEE,
    RECEIVABLE,
    WAIVED,
    AlreadyReversed,
    BadEntry,
    Conflict,
    Entry,
    Leg,
    MonthClosed,
    NotPosted,
    SamePerson,
    Unbalanced,
)
from hub.waiver.ledger_store import Posted, Which
from tests.waiver.ledger.parts import NOW_MS, assess, bill, waive


def post(db: Db, *entries: Entry, by: str = "hanako", approved_by: str = "") -> list[Posted]:
    """Posts in one transaction."""
    return db.write_now(lambda conn: ledger_store.post(conn, entries, now_ms=NOW_MS, by=by, approved_by=approved_by))


def reverse(db: Db, *seqs: int, month: str = "2026-11") -> list[Posted]:
    """Takes entries back."""
    return db.write_now(
        lambda conn: ledger_store.reverse(
            conn, seqs, month=month, day=f"{month}-28", note="誤り", now_ms=NOW_MS, by="hanako"
        )
    )


def close(db: Db, month: str, by: str = "hanako", approved_by: str = "jiro") -> ledger_store.Closing:
    """Closes a month of lines."""
    return db.write_now(
        lambda conn: ledger_store.close(conn, "line", month, now_ms=NOW_MS, by=by, approved_by=approved_by)
    )


def count(db: Db) -> int:
    """How many entries there are."""
    n: int = db.read(lambda conn: conn.execute("SELECT count(*) FROM ledger_entry").fetchone()[0])
    return n


def test_d02_the_same_once_more_is_the_same_and_another_is_refused(db: Db) -> None:
    first = post(db, assess(1, "2026-11"), waive(1, "2026-11"))
    assert first == [Posted(1, "assess:2026-11:1", True), Posted(2, "waive:2026-11:1", True)]
    again = post(db, waive(1, "2026-11"), assess(2, "2026-11"), assess(1, "2026-11"))
    assert [(one.seq, one.new) for one in again] == [(2, False), (3, True), (1, False)]
    with pytest.raises(Conflict, match="another content"):
        post(db, assess(3, "2026-11"), assess(1, "2026-11", 1632))
    # Nothing of it was posted, not even what could have been.
    assert count(db) == 3
    # In one call too.
    assert [one.new for one in post(db, assess(4, "2026-11"), assess(4, "2026-11"))] == [True, False]
    with pytest.raises(Conflict):
        post(db, assess(5, "2026-11"), assess(5, "2026-11", 1))


def test_d03_an_entry_is_reversed_once_and_a_reversal_too(db: Db) -> None:
    post(db, assess(1, "2026-11"))
    assert [one.seq for one in reverse(db, 1)] == [2]
    with pytest.raises(AlreadyReversed, match="entry 1 is reversed already"):
        reverse(db, 1)
    assert [one.seq for one in reverse(db, 2)] == [3]
    assert db.read(ledger_store.balances) == {"fee": -1631, "receivable": 1631}
    (again,) = db.read(lambda conn: ledger_store.of_line_months(conn, "line", "2026-11"))
    assert again.standing == (3,)
    with pytest.raises(AlreadyReversed):
        reverse(db, 3, 3)
    with pytest.raises(BadEntry, match="no entry 9"):
        reverse(db, 9)
    assert count(db) == 3


def test_i5_a_reversal_is_the_exact_opposite(db: Db) -> None:
    post(db, assess(1, "2026-11"))
    almost = Entry(
        "x", "reversal", "line", "2026-11", "2026-11-28", ledger.opposite(assess(1, "2026-11", 1630).legs), reverses=1
    )
    with pytest.raises(BadEntry, match="exact opposite"):
        post(db, almost)
    other_area = msgspec.structs.replace(almost, area="benefit", legs=ledger.opposite(assess(1, "2026-11").legs))
    with pytest.raises(BadEntry, match="no entry 1 in its area"):
        post(db, other_area)
    right = msgspec.structs.replace(other_area, area="line")
    with pytest.raises(AlreadyReversed):
        post(db, right, msgspec.structs.replace(right, key="y"))
    assert [one.new for one in post(db, right)] == [True]
    assert [one.new for one in post(db, right)] == [False]


def test_i6_a_closed_month_takes_nothing_and_later_facts_go_on(db: Db) -> None:
    post(db, assess(1, "2026-10"), assess(2, "2026-10"))
    made = close(db, "2026-10")
    assert made.through_seq == 2
    assert db.read(lambda conn: ledger_store.is_closed(conn, "line", "2026-10"))
    assert db.read(lambda conn: ledger_store.is_closed(conn, "line", "2026-09"))
    assert not db.read(lambda conn: ledger_store.is_closed(conn, "benefit", "2026-10"))
    with pytest.raises(MonthClosed, match="2026-10 is closed"):
        post(db, assess(3, "2026-10"))
    with pytest.raises(MonthClosed):
        reverse(db, 1, month="2026-10")
    # What is there already is no new entry, whatever was closed since.
    assert not post(db, assess(1, "2026-10"))[0].new
    month = db.read(lambda conn: ledger_store.open_month(conn, "line", "2026-10"))
    assert month == "2026-11"
    reverse(db, 1, month=month)
    right = msgspec.structs.replace(assess(1, "2026-10", 1000, booked=month), key="late:1", corrects=1)
    post(db, right)
    assert db.read(lambda conn: ledger_store.corrected_by(conn, 1)) == [4]
    # The closed month is what it was.
    assert db.read(lambda conn: ledger_store.content_hash(conn, "line", "2026-10")) == made.content_hash
    (line, _) = db.read(lambda conn: ledger_store.of_line_months(conn, "line", "2026-10"))
    assert (line.of(FEE), line.standing) == (-1000, (4,))
    (then, _) = db.read(lambda conn: ledger_store.of_line_months(conn, "line", "2026-10", "2026-10"))
    assert then.of(FEE) == -1631
    (booked,) = db.read(lambda conn: ledger_store.booked_line_months(conn, "line", "2026-11"))
    assert (booked.of_month, booked.of(FEE), booked.of(RECEIVABLE)) == ("2026-10", 631, -631)
    assert db.read(ledger_check.verify) is None


def test_months_are_closed_in_order_and_once(db: Db) -> None:
    post(db, assess(1, "2026-10"), assess(1, "2026-11"))
    with pytest.raises(NotPosted, match="cannot be closed before 2026-10"):
        close(db, "2026-11")
    close(db, "2026-10")
    with pytest.raises(MonthClosed):
        close(db, "2026-10")
    with pytest.raises(MonthClosed):
        close(db, "2026-09")
    close(db, "2026-11")
    # A month in which nothing was posted can be closed, and one can be left out.
    close(db, "2027-02")
    assert [one.month for one in db.read(ledger_store.closings)] == ["2027-02", "2026-11", "2026-10"]
    assert db.read(lambda conn: ledger_store.open_month(conn, "line", "2026-01")) == "2027-03"
    assert db.read(lambda conn: ledger_store.open_month(conn, "line", "2028-01")) == "2028-01"
    assert db.read(ledger_check.verify) is None
    entries = db.read(lambda conn: audit.told(conn, "ledger_close"))
    assert [what for what, _ in entries] == ["line 2026-10", "line 2026-11", "line 2027-02"]


def test_i12_nobody_approves_what_is_their_own(db: Db) -> None:
    with pytest.raises(SamePerson, match="another person"):
        post(db, assess(1, "2026-11"), by="hanako", approved_by="hanako")
    with pytest.raises(BadEntry, match="nobody"):
        post(db, assess(1, "2026-11"), by="")
    post(db, assess(1, "2026-11"), approved_by="jiro")
    for approver in ("", "hanako"):
        with pytest.raises(SamePerson):
            close(db, "2026-11", approved_by=approver)
    # Behind our back the database says the same.
    with pytest.raises(Refused, match="does not approve"):
        db.write_now(lambda conn: insert_entry(conn, seq=2, approved_by="x"))
    for approver in ("", "x"):
        with pytest.raises(Refused, match="does not approve"):
            db.write_now(lambda conn, approver=approver: insert_close(conn, approver))  # type: ignore[misc]


def insert_entry(conn: Connection, **given: Any) -> None:
    """An entry past the code."""
    row = {
        "seq": 1,
        "key": "k",
        "content_hash": b"",
        "posting_hash": b"",
        "kind": "bill",
        "area": "line",
        "month": "2026-11",
        "effective_day": "2026-11-01",
        "booked_ms": 0,
        "entered_by": "x",
        "approved_by": "",
        "prev": b"",
        "hash": b"",
        **given,
    }
    marks = ", ".join(f":{name}" for name in row)
    conn.execute(f"INSERT INTO ledger_entry ({', '.join(row)}) VALUES ({marks})", row)  # noqa: S608


def insert_close(conn: Connection, approved_by: str) -> None:
    """A closing past the code."""
    conn.execute("INSERT INTO ledger_close VALUES ('line', '2026-11', 0, 'x', 'x', 0, 'x', ?)", (approved_by,))


def test_i3_the_database_itself_lets_nothing_be_changed(db: Db) -> None:
    post(db, assess(1, "2026-11"))
    close(db, "2026-11")
    for table in ("ledger_entry", "ledger_leg", "ledger_close"):
        for column in db.read(lambda conn, table=table: columns(conn, table)):  # type: ignore[misc]
            with pytest.raises(Refused, match=r"never changed|stays closed"):
                db.write_now(lambda conn, t=table, c=column: conn.execute(f"UPDATE {t} SET {c} = {c}"))  # type: ignore[misc] # noqa: S608
        with pytest.raises(Refused, match=r"never deleted|stays closed"):
            db.write_now(lambda conn, t=table: conn.execute(f"DELETE FROM {t}"))  # type: ignore[misc] # noqa: S608
        with pytest.raises(Refused, match=r"never changed|stays closed|takes no entry"):
            db.write_now(lambda conn, t=table: conn.execute(f"INSERT OR REPLACE INTO {t} SELECT * FROM {t}"))  # type: ignore[misc] # noqa: S608
    with pytest.raises(Refused, match="takes no entry"):
        db.write_now(lambda conn: insert_entry(conn, seq=2, key="late"))
    with pytest.raises(Refused, match="one follows the other"):
        db.write_now(lambda conn: insert_entry(conn, seq=3, key="a gap", month="2026-12"))
    with pytest.raises(Refused, match="each key once"):
        db.write_now(lambda conn: insert_entry(conn, seq=2, key="assess:2026-11:1", month="2026-12"))


def columns(conn: Connection, table: str) -> list[str]:
    """The columns of a table."""
    return [row[1] for row in conn.execute(f"PRAGMA table_info({table})")]


def test_i13_the_day_it_is_about_and_the_day_it_was_booked_are_both_kept(db: Db) -> None:
    post(db, msgspec.structs.replace(assess(1, "2026-10", booked="2026-11"), effective_day="2026-10-31"))
    found = db.read(lambda conn: ledger_store.entry(conn, 1))
    assert found is not None
    assert (found.entry.effective_day, found.entry.month, found.written.booked_ms) == ("2026-10-31", "2026-11", NOW_MS)


def test_what_cannot_be_is_refused_whole(db: Db) -> None:
    with pytest.raises(Unbalanced):
        post(db, assess(1, "2026-11"), msgspec.structs.replace(bill(1, "2026-11"), legs=(Leg(FEE, 1), Leg(CASH, 1))))
    with pytest.raises(BadEntry, match="line 99 is not in the register"):
        post(db, assess(1, "2026-11"), assess(99, "2026-11", resident=1))
    with pytest.raises(BadEntry, match="resident 99 is not in the register"):
        post(db, assess(1, "2026-11"), assess(2, "2026-11", resident=99))
    with pytest.raises(BadEntry, match="no entry 7"):
        post(db, assess(1, "2026-11"), msgspec.structs.replace(assess(2, "2026-11"), corrects=7))
    assert count(db) == 0


def test_entries_are_found_by_what_they_are_about(db: Db) -> None:
    post(db, *(f(line, "2026-11") for line in (1, 2, 3) for f in (bill, assess, waive)))

    def seqs(**which: Any) -> list[int]:
        return [one.seq for one in db.read(lambda conn: ledger_store.entries(conn, Which(**which)))]

    assert seqs() == [9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert seqs(line_id=2) == [6, 5, 4]
    assert seqs(resident_id=2) == [6, 5]
    assert seqs(kind="assess") == [8, 5, 2]
    assert seqs(account=WAIVED, before=9) == [6, 3]
    assert seqs(line_id=0) == seqs(resident_id=77) == seqs(month="2026-10") == seqs(area="benefit") == []
    assert [one.seq for one in db.read(lambda conn: ledger_store.entries(conn, Which(), 2))] == [9, 8]


def test_totals_are_what_vouchers_are_made_of(db: Db) -> None:
    post(db, *(f(line, "2026-11") for line in (1, 2, 3) for f in (bill, assess)), waive(1, "2026-11", 815))
    found = db.read(lambda conn: ledger_store.totals(conn, "line", "2026-11"))
    assert [(one.account, one.ground, one.budget_code, one.fiscal_year, one.yen) for one in found] == [
        ("expense", "", "13-2", 2026, 4893),
        ("fee", "", "8-1", 2026, -4893),
        ("payable", "", "13-2", 2026, -4893),
        ("receivable", "", "8-1", 2026, 4078),
        ("waived", "disabled", "8-1", 2026, 815),
    ]
    assert sum(one.yen for one in found) == 0
    assert db.read(lambda conn: ledger_store.balances(conn, area="benefit")) == {}
    assert db.read(lambda conn: ledger_store.balances(conn, fiscal_year=2025)) == {}
