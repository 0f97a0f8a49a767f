"""Rows that only ever come: the database itself keeps two people apart, and a month is gathered from what holds."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.db import Connection, Db, Refused
from hub.waiver import application_store, gather, register_store, tariff_store
from hub.waiver.application import Application, Decision
from hub.waiver.register import LineTariff, Use
from hub.waiver.rules.assess import assess
from hub.waiver.rules.profile import Tariff, WaiverRule
from hub.waiver.tariff_store import RuleVersion, TariffVersion

NOW = 1_790_000_000_000


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """A hub's database with one line, two residents, a tariff and a rule."""
    found = Db(tmp_path / "hub.db")
    found.open()
    found.write_now(_fill)
    yield found
    found.close()


def _fill(conn: Connection) -> None:
    for number in ("1001", "1002"):
        register_store.add_resident(conn, number, {}, NOW)
    register_store.add_line(conn, {"phone": "09011112222", "carrier": "A", "from_day": "2026-04-01"}, NOW)
    register_store.set_tariff(conn, 1, LineTariff("2026-04", "small", None))
    tariff_store.put_tariff(conn, TariffVersion("small", "2026-04", "", Tariff(base_yen=1480), "fin", NOW))
    tariff_store.put_tariff(conn, TariffVersion("small", "2026-12", "2027-01", Tariff(base_yen=1600), "fin", NOW))
    rule = WaiverRule(start="by_day", end="by_day")
    tariff_store.put_rule(conn, RuleVersion("full", "2026-04", "", "full", "第4条", rule, "fin", NOW))


def _apply(conn: Connection, resident: int, applied: str = "2026-04-01", rule: str = "full") -> int:
    one = Application(
        0, f"{resident}-{applied}", "grant", None, resident, None, rule, applied, applied, "", "", "clerk", NOW
    )
    return application_store.enter(conn, one)


def _decision(who: str, result: str = "granted", number: str = "N1") -> Decision:
    return Decision(result, number, "2026-04-02", "第4条", "", "", who, NOW)  # type: ignore[arg-type]


def _use(conn: Connection, resident: int, first: str, last: str = "") -> None:
    register_store.hand_over(conn, Use(0, 1, resident, None, None, first, last, 0, 0), NOW)


def test_who_entered_does_not_decide_even_behind_the_pages(db: Db) -> None:
    number = db.write_now(lambda conn: _apply(conn, 1))
    with pytest.raises(Refused, match="does not decide"):
        db.write_now(lambda conn: application_store.decide(conn, number, _decision("clerk")))
    db.write_now(lambda conn: application_store.decide(conn, number, _decision("boss")))
    (one,) = db.read(application_store.applications)
    assert one.decision == _decision("boss")


def test_an_application_is_decided_once_and_taken_back_by_who_entered_it(db: Db) -> None:
    first, second = db.write_now(lambda conn: (_apply(conn, 1), _apply(conn, 2)))
    db.write_now(lambda conn: application_store.decide(conn, first, _decision("clerk", "withdrawn", "")))
    with pytest.raises(Refused):
        db.write_now(lambda conn: application_store.decide(conn, first, _decision("boss")))
    db.write_now(lambda conn: application_store.decide(conn, second, _decision("boss")))
    with pytest.raises(Refused, match="stays as it was taken"):
        db.write_now(lambda conn: application_store.decide(conn, _apply(conn, 1, "2026-05-01"), _decision("boss")))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE waiver_application SET rule = 'other'",
        "DELETE FROM waiver_application",
        "UPDATE waiver_decision SET until_day = '2030-01-01'",
        "DELETE FROM waiver_decision",
        "INSERT OR REPLACE INTO waiver_decision VALUES (1, 'refused', 'N9', '2026-04-02', '', '', '', 'boss', 1)",
        "INSERT OR REPLACE INTO waiver_decision VALUES (2, 'refused', 'N1', '2026-04-02', '', '', '', 'boss', 1)",
        (
            "INSERT OR REPLACE INTO waiver_application (id, number, asks, resident_id, rule, applied_day, entered_by, "
            "entered_ms) VALUES (1, 'x', 'grant', 2, 'full', '2026-04-01', 'boss', 1)"
        ),
        (
            "INSERT OR REPLACE INTO waiver_application (number, asks, resident_id, rule, applied_day, entered_by, "
            "entered_ms) SELECT number, 'grant', 2, 'full', '2026-04-01', 'boss', 1 FROM waiver_application"
        ),
    ],
)
def test_what_was_asked_and_decided_stays(db: Db, statement: str) -> None:
    number = db.write_now(lambda conn: _apply(conn, 1))
    db.write_now(lambda conn: application_store.decide(conn, number, _decision("boss")))
    with pytest.raises(Refused, match="stays as it was"):
        db.write_now(lambda conn: conn.execute(statement))


def test_a_month_has_each_resident_on_their_days_with_what_was_granted_to_them(db: Db) -> None:
    def write(conn: Connection) -> None:
        _use(conn, 1, "2026-05-01", "2026-11-10")
        _use(conn, 2, "2026-11-16")
        application_store.decide(conn, _apply(conn, 1), _decision("boss"))

    db.write_now(write)
    found = db.read(lambda conn: gather.month(conn, "2026-11"))
    lines, of = gather.use_lines(found, {1: 5}, None, {(1, 1): 700})
    assert [(one.id, one.first, one.last, len(one.grants)) for one in lines] == [
        ("09011112222/1", date(2026, 11, 1), date(2026, 11, 10), 1),
        ("09011112222", date(2026, 11, 16), date(2026, 11, 30), 0),
    ]
    assert {name: (who.line_id, who.resident_id) for name, who in of.items()} == {
        "09011112222/1": (1, 1),
        "09011112222": (1, 2),
    }
    assert [one.used_bytes for one in lines] == [0, 5]
    assert [one.waived_this_fiscal_year_yen for one in lines] == [700, 0]
    result = assess("2026-11", found.tariffs, found.rules, lines)
    by_id = {one.id: one for one in result.lines}
    assert by_id["09011112222/1"].resident == 0
    assert by_id["09011112222"].waived == 0
    # The carrier bills the contract: the whole month.
    (contract,) = gather.contract_lines(found)
    assert (contract.first, contract.last) == (date(2026, 11, 1), date(2026, 11, 30))


@pytest.mark.parametrize(
    ("month", "yen"), [("2026-03", None), ("2026-04", 1480), ("2026-11", 1480), ("2026-12", 1600), ("2027-02", None)]
)
def test_a_tariff_is_the_one_of_the_month_of_use(db: Db, month: str, yen: int | None) -> None:
    """A version that has ended is not followed by the older one that it took the place of."""
    found = db.read(lambda conn: tariff_store.tariffs_in(conn, month))
    assert found.get("small", Tariff(base_yen=0)).base_yen == (yen or 0)


def test_what_cannot_be_assessed_is_told(db: Db) -> None:
    def write(conn: Connection) -> None:
        register_store.add_line(conn, {"phone": "09033334444", "carrier": "A", "from_day": "2026-04-01"}, NOW)
        _use(conn, 1, "2026-05-01")
        application_store.decide(conn, _apply(conn, 1, rule="gone"), _decision("boss"))

    db.write_now(write)
    found = db.read(lambda conn: gather.month(conn, "2026-11"))
    assert [(one.phone, one.why, one.code) for one in found.problems] == [
        ("09011112222", "rule_unknown", "gone"),
        ("09033334444", "no_tariff", ""),
    ]
    assert found.assessable == ()
    # What the carrier bills does not hang on a waiver.
    assert [one.id for one in gather.contract_lines(found)] == ["09011112222"]
    later = db.read(lambda conn: gather.month(conn, "2027-02"))
    assert ("09011112222", "tariff_unknown", "small") in [(one.phone, one.why, one.code) for one in later.problems]


def test_a_line_whose_contract_is_over_is_in_no_month(db: Db) -> None:
    db.write_now(lambda conn: conn.execute("UPDATE line SET to_day = '2026-10-15'"))
    months = {month: db.read(lambda conn, m=month: gather.month(conn, m)).lines for month in ("2026-10", "2026-11")}  # type: ignore[misc]
    assert not months["2026-11"]
    assert months["2026-10"][0].last == date(2026, 10, 15)


@given(st.lists(st.tuples(st.sampled_from((1, 2)), st.integers(1, 30), st.integers(1, 30)), max_size=5))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_day_of_a_month_is_whose_the_register_says(db: Db, spans: list[tuple[int, int, int]]) -> None:
    """Against a plain picture of the days: whoever has the line on a day is charged for it, and nobody else."""
    picture: dict[int, int] = {}
    free = []
    for resident, a, b in spans:
        days = set(range(min(a, b), max(a, b) + 1))
        if not days & set(picture):
            free.append((resident, min(days), max(days)))
            picture |= dict.fromkeys(days, resident)

    def write(conn: Connection) -> gather.Gathered:
        conn.execute("DELETE FROM line_use")
        for resident, first, last in free:
            _use(conn, resident, f"2026-11-{first:02}", f"2026-11-{last:02}")
        return gather.month(conn, "2026-11")

    lines, of = gather.use_lines(db.write_now(write))
    found: dict[int, int] = {}
    for one in lines:
        assert one.first is not None
        assert one.last is not None
        if of[one.id].resident_id:
            found |= dict.fromkeys(range(one.first.day, one.last.day + 1), of[one.id].resident_id)
    assert found == picture
    # Whatever happens, the line stands on the carrier's invoice.
    assert lines[-1].id == "09011112222"
