"""A fiscal year of a made-up town, from usage and bills to twelve closed months, against the slow oracle."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.db import Connection
from hub.waiver import ledger_store, month_store, register_store, tariff_store
from hub.waiver.ledger import EXPENSE, FEE, PAYABLE, RECEIVABLE, SUSPENSE, WAIVED
from hub.waiver.ledger_store import Closing
from hub.waiver.rules.profile import WaiverRule
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
        other.bills(month, early=True)
    for _ in range(2):
        other.db.write_now(lambda conn: filled.hear(conn, told))
    assert other.close(months[0]) == "stale"
    assert sum(other.judge_again(month) for month in months) > 0
    closed = [other.close(month) for month in months]
    other.db.close()
    there = {one.month: one for one in year.db.read(ledger_store.closings)}
    assert [one.content_hash for one in closed if isinstance(one, Closing)] == [
        there[month].content_hash for month in months
    ]


def test_what_was_billed_too_much_waits_in_suspense_and_no_resident_pays_it(tmp_path: Path) -> None:
    made = hall(tmp_path, 6, MONTHS[:1])
    phone = made.town[0].phone
    carrier = made.town[0].carrier
    for name in model.CARRIERS:
        extra = {phone: 100} if name == carrier else {}
        made.db.write_now(lambda conn, name=name, extra=extra: filled.bill(conn, made.town, MONTHS[0], name, extra))  # type: ignore[misc]
    assert isinstance(made.close(MONTHS[0]), Closing)
    found = made.db.read(ledger_store.balances)
    wanted = oracle.month(made.town, MONTHS[0])
    made.db.close()
    assert found[SUSPENSE] > 0
    assert found[EXPENSE] + found[SUSPENSE] == -found[PAYABLE]
    assert -found[FEE] == sum(one.total for one in wanted.values() if one.resident)


def test_a_bill_that_comes_after_the_closing_is_booked_in_the_open_month(tmp_path: Path) -> None:
    made = hall(tmp_path, 6, MONTHS[:2])
    first, second = MONTHS[:2]
    closed = made.close(first, "請求が遅れている")
    assert isinstance(closed, Closing)
    made.bills(first)
    made.bills(second)
    assert isinstance(made.close(second), Closing)
    bills = [
        one.entry for one in made.db.read(lambda conn: ledger_store.entries(conn, ledger_store.Which(kind="bill"), 100))
    ]
    there = made.db.read(ledger_store.closings)
    # Data that only the bill tells of changes what the residents owe for the closed month, in the open one.
    late = made.look(first).corrections
    made.db.close()
    assert len(bills) == 12
    assert {one.month for one in bills} == {second}
    assert {one.legs[0].fiscal_year for one in bills} == {2026}
    assert {one.month: one.content_hash for one in there}[first] == closed.content_hash
    assert late == []


def test_a_cap_of_the_year_is_looked_at_again_when_an_earlier_month_gave_less(tmp_path: Path) -> None:
    made = hall(tmp_path, 0, [])
    line = model.Line("08000000001", "", model.CARRIERS[0], "s3", "02", (), dict.fromkeys(MONTHS, 0))
    waiver = model.Waiver("capped", "2026-04-02", "町決第1号")
    town = [line._replace(uses=(model.Use("R1", "2026-04-01", "", waiver),))]
    made = Hall(made.db, town)

    def capped(conn: Connection) -> None:
        rule = WaiverRule(cap_fiscal_year_yen=2000)
        tariff_store.put_rule(
            conn, tariff_store.RuleVersion("capped", model.FIRST, "", "capped", "要綱第9条", rule, "hanako", 1)
        )
        filled.registers(conn, town)

    made.db.write_now(capped)
    for month in MONTHS[:3]:
        made.bills(month)
        assert isinstance(made.close(month), Closing)
    assert waived_by_month(made) == {"2026-04": 1631, "2026-05": 369}
    made.db.write_now(lambda conn: filled.change(conn, town[0], "2026-05-01"))
    for month in MONTHS[3:6]:
        made.bills(month)
        assert isinstance(made.close(month), Closing)
    # April is taken back; so May may have all of its own, and June what is left.
    found = waived_by_month(made)
    late = [made.look(month).corrections for month in MONTHS[:6]]
    made.db.close()
    assert found == {"2026-05": 1631, "2026-06": 369}
    assert late == [[]] * 6


def waived_by_month(made: Hall) -> dict[str, int]:
    """What is waived by month of use."""
    rows = made.db.read(
        lambda conn: conn.execute(
            "SELECT of_month, sum(yen) FROM ledger_leg WHERE account = 'waived' GROUP BY 1 ORDER BY 1"
        ).fetchall()
    )
    return {month: yen for month, yen in rows if yen}
