"""A fiscal year of a made-up town, from usage and bills to twelve closed months, against the slow oracle."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.db import Connection
from hub.waiver import ledger_store, month_store, register_store
from hub.waiver.ledger import EXPENSE, FEE, PAYABLE, RECEIVABLE, WAIVED
from hub.waiver.ledger_store import Closing
from hub.waiver.year import fold
from tests.waiver.month import filled, model, oracle
from tests.waiver.month.hall import Hall, hall

MONTHS = model.months_from(model.FIRST, 12)
LINES = 300


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """Twelve months of three hundred lines, closed one after the other."""
    made = hall(tmp_path_factory.mktemp("year"), LINES, MONTHS)
    for month in MONTHS:
        made.bills(month)
        closed = made.close(month)
        assert isinstance(closed, Closing), closed
    yield made
    made.db.close()


def test_the_year_comes_to_the_oracles_yen(year: Hall) -> None:
    phones = {one.id: one.phone for one in year.db.read(register_store.lines)}
    numbers = year.db.read(register_store.resident_numbers)
    for month in MONTHS:
        wanted: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        for name, one in oracle.month(year.town, month).items():
            if one.resident:
                sums = wanted[name.partition("/")[0], one.resident]
                sums[0] += one.total
                sums[1] += one.waived
        found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        for line_id, resident_id, account, yen in year.db.read(lambda conn, month=month: _legs(conn, month)):  # type: ignore[misc]
            found[phones[line_id], numbers[resident_id]][account == WAIVED] += -yen if account == FEE else yen
        assert dict(found) == dict(wanted), month


def _legs(conn: Connection, month: str) -> list[tuple[int, int, str, int]]:
    return conn.execute(
        "SELECT line_id, resident_id, account, yen FROM ledger_leg WHERE of_month = ? AND account IN ('fee', 'waived')",
        (month,),
    ).fetchall()


def test_the_bills_are_owed_whole_and_all_comes_to_nothing(year: Hall) -> None:
    billed = sum(
        ex_tax + tax
        for month in MONTHS
        for carrier in model.CARRIERS
        for _, ex_tax, tax, _ in oracle.contract(year.town, month, carrier)
    )
    found = year.db.read(ledger_store.balances)
    assert (found[EXPENSE], found[PAYABLE]) == (billed, -billed)
    assert sum(found.values()) == 0
    assert -found[FEE] == found[WAIVED] + found[RECEIVABLE]


def test_the_fiscal_year_is_what_its_months_were(year: Hall) -> None:
    found = fold(2026, year.db.read(lambda conn: month_store.year_sums(conn, 2026)))
    every = [one for month in MONTHS for one in oracle.month(year.town, month).values() if one.resident]
    grounds: dict[str, int] = defaultdict(int)
    for one in every:
        grounds[one.ground] += one.waived
    assert found.assessed_yen == sum(one.total for one in every)
    assert found.open_yen == sum(one.share for one in every)
    assert {one.ground: one.yen for one in found.grounds} == {name: yen for name, yen in grounds.items() if yen}
    assert [one.month for one in found.months] == MONTHS
    assert (found.received_yen, found.settled_day) == (0, "2027-05-31")
    assert sum(yen for _, yen in found.budgets) == found.expense_yen == found.payable_yen


def test_no_month_is_otherwise_by_now(year: Hall) -> None:
    for month in MONTHS:
        assert year.look(month).corrections == []


def test_the_same_town_told_in_another_order_closes_to_the_same_hashes(tmp_path: Path, year: Hall) -> None:
    months = MONTHS[:4]
    other = hall(tmp_path, LINES, [], order=7)
    told = filled.usage(other.town, MONTHS)
    # Usage comes after the bills, and twice.
    for month in reversed(months):
        other.bills(month)
    for _ in range(2):
        other.db.write_now(lambda conn: filled.hear(conn, told))
    closed = [other.close(month) for month in months]
    other.db.close()
    there = {one.month: one for one in year.db.read(ledger_store.closings)}
    assert [one.content_hash for one in closed if isinstance(one, Closing)] == [
        there[month].content_hash for month in months
    ]
