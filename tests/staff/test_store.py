"""Staff, terms, shifts and cards in a real database."""

import contextlib
import itertools
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.db import Connection, Db, Refused
from hub.staff import stale, store
from hub.staff.terms import Hours, Terms
from tests.staff.parts import punch

NOW_MS = 1_790_000_000_000
A, B = "a" * 32, "b" * 32
DAY = date(2026, 4, 1)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """An empty hub."""
    opened = Db(tmp_path / "hub.db")
    opened.open()
    yield opened
    opened.close()


class _Undo(Exception):
    """Raised to take a whole transaction back."""


def _worked_out(conn: Connection, staff_id: int, *months: str) -> None:
    conn.executemany(
        "INSERT INTO timesheet (staff_id, month, inputs, body, made_ms) VALUES (?, ?, '', x'', 0)",
        [(staff_id, month) for month in months],
    )


def _stale(conn: Connection, staff_id: int) -> list[str]:
    """What was marked since the last look."""
    rows = conn.execute("SELECT month FROM timesheet_stale WHERE staff_id = ? ORDER BY month", (staff_id,)).fetchall()
    conn.execute("DELETE FROM timesheet_stale")
    return [month for (month,) in rows]


def test_who_is_employed_in_a_month(db: Db) -> None:
    def fill(conn: Connection) -> None:
        store.add_member(conn, "0012", date(2026, 4, 15), NOW_MS)
        old = store.add_member(conn, "0003", date(2020, 4, 1), NOW_MS)
        store.leave(conn, old, date(2026, 4, 1), NOW_MS)
        store.add_member(conn, "12", date(2026, 5, 1), NOW_MS)

    db.write_now(fill)

    def numbers(month: str | None, ids: list[int] | None = None) -> list[str]:
        return [one.number for one in db.read(lambda conn: store.members(conn, month, ids)).values()]

    assert numbers(None) == ["0003", "0012", "12"]
    assert numbers("2026-03") == ["0003"]
    assert numbers("2026-04") == ["0003", "0012"]
    assert numbers("2026-05") == ["0012", "12"]
    assert numbers("2026-05", [2, 3]) == ["12"]
    assert numbers(None, []) == []
    assert numbers(None, list(range(1, 1300))) == ["0003", "0012", "12"]


def test_a_number_is_text_and_nobody_elses(db: Db) -> None:
    db.write_now(lambda conn: store.add_member(conn, "0007", DAY, NOW_MS))
    db.write_now(lambda conn: store.add_member(conn, "7", DAY, NOW_MS))
    with pytest.raises(Refused):
        db.write_now(lambda conn: store.add_member(conn, "0007", DAY, NOW_MS))
    with pytest.raises(Refused):
        db.write_now(lambda conn: store.set_number(conn, 2, "0007", NOW_MS))
    db.write_now(lambda conn: store.set_number(conn, 2, "0008", NOW_MS))
    assert db.read(lambda conn: store.by_number(conn, "0008")) == db.read(lambda conn: store.member(conn, 2))
    assert db.read(lambda conn: store.by_number(conn, "8")) is None


def test_terms_of_a_day_are_replaced_only_as_a_correction(db: Db) -> None:
    first, second = Terms(since=DAY, monthly_base_yen=250_000), Terms(since=DAY, monthly_base_yen=260_000)

    def fill(conn: Connection) -> None:
        store.add_member(conn, "1", DAY, NOW_MS)
        store.set_terms(conn, 1, first, NOW_MS, "hanako")

    db.write_now(fill)
    with pytest.raises(store.TermsThere):
        db.write_now(lambda conn: store.set_terms(conn, 1, second, NOW_MS, "hanako"))
    assert db.read(store.members)[1].terms == (first,)
    db.write_now(lambda conn: store.set_terms(conn, 1, second, NOW_MS, "hanako", corrects=True))
    assert db.read(store.members)[1].terms == (second,)
    with pytest.raises(LookupError):
        db.write_now(lambda conn: store.set_terms(conn, 1, Terms(since=DAY, department="x"), NOW_MS, "h"))


def test_terms_carry_the_code_of_their_department(db: Db) -> None:
    def fill(conn: Connection) -> None:
        number = store.add_department(conn, "010", "総務課")
        store.change_department(conn, number, "総務企画課", closed=True)
        store.add_member(conn, "1", DAY, NOW_MS)
        store.set_terms(conn, 1, Terms(since=DAY, department="010"), NOW_MS, "hanako")

    db.write_now(fill)
    assert db.read(store.departments) == [store.Department(1, "010", "総務企画課", closed=True)]
    found = db.read(lambda conn: store.member(conn, 1))
    assert found is not None
    assert found.terms[0].department == "010"
    with pytest.raises(Refused):
        db.write_now(lambda conn: store.add_department(conn, "010", "税務課"))


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), max_size=12))
def test_the_terms_of_a_day_are_the_latest_not_after_it(entered: list[tuple[int, int]]) -> None:
    """Whatever the order in which they were entered."""
    kept = {
        DAY + timedelta(days=after): Terms(since=DAY + timedelta(days=after), unit_yen=yen) for after, yen in entered
    }
    member = store.Member(1, "1", "", DAY, None, None, tuple(kept[day] for day in sorted(kept)))
    for after in range(-1, 45):
        day = DAY + timedelta(days=after)
        before = [since for since in kept if since <= day]
        assert member.terms_on(day) == (kept[max(before)] if before else None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), max_size=12))
def test_terms_come_back_as_they_were_entered(db: Db, entered: list[tuple[int, int]]) -> None:
    def check(conn: Connection) -> None:
        number = store.add_member(conn, "1", DAY, NOW_MS)
        for after, yen in entered:
            terms = Terms(since=DAY + timedelta(days=after), unit_yen=yen, week=(Hours(510, 1035), *(None,) * 6))
            store.set_terms(conn, number, terms, NOW_MS, "hanako", corrects=True)
        found = store.member(conn, number)
        assert found is not None
        assert [(terms.since, terms.unit_yen) for terms in found.terms] == sorted(
            {DAY + timedelta(days=after): yen for after, yen in entered}.items()
        )
        raise _Undo

    with pytest.raises(_Undo):
        db.write_now(check)


def test_what_changes_hours_marks_the_months_that_were_worked_out(db: Db) -> None:
    def check(conn: Connection) -> None:
        store.add_department(conn, "1", "x")
        for number in ("1", "2"):
            store.add_member(conn, number, DAY, NOW_MS)
        for staff_id in (1, 2):
            _worked_out(conn, staff_id, "2026-04", "2026-05", "2026-06", "2026-07")
        store.set_terms(conn, 1, Terms(since=date(2026, 6, 20)), NOW_MS, "h")
        assert _stale(conn, 1) == ["2026-06", "2026-07"]
        # The week of its first day reaches into the month before.
        store.set_terms(conn, 1, Terms(since=date(2026, 6, 1)), NOW_MS, "h")
        assert _stale(conn, 1) == ["2026-05", "2026-06", "2026-07"]
        store.set_days(conn, 1, {date(2026, 5, 15): None}, NOW_MS, "h")
        assert _stale(conn, 1) == ["2026-05"]
        store.clear_days(conn, 1, [date(2026, 5, 31)])
        assert _stale(conn, 1) == ["2026-05", "2026-06"]
        store.leave(conn, 1, date(2026, 6, 30), NOW_MS)
        assert _stale(conn, 1) == ["2026-06", "2026-07"]
        store.issue_card(conn, 1, A, 5, NOW_MS, "h")
        assert _stale(conn, 1) == ["2026-04", "2026-05", "2026-06", "2026-07"]
        store.issue_card(conn, 2, A, 9, NOW_MS, "h")
        rows = conn.execute("SELECT count(*) FROM timesheet_stale").fetchone()
        assert rows == (8,)
        conn.execute("DELETE FROM timesheet_stale")
        store.card_lost(conn, 2, NOW_MS, "h")
        assert _stale(conn, 2) == ["2026-04", "2026-05", "2026-06", "2026-07"]
        store.set_name(conn, 1, "", NOW_MS)
        store.set_label(conn, 1, "17", NOW_MS, "h")
        store.set_days(conn, 1, {}, NOW_MS, "h")
        store.clear_days(conn, 1, [])
        assert _stale(conn, 1) == []
        # Somebody whose months nobody has looked at has nothing to mark.
        conn.execute("DELETE FROM timesheet")
        stale.mark_stale(conn, 1, "")
        assert _stale(conn, 1) == []

    db.write_now(check)


def test_the_ends_of_the_calendar() -> None:
    assert stale.first_month(date.min) == "0001-01"
    assert stale.month_at(date.max) == "9999-12"


def test_names_are_not_kept_until_somebody_says_so(db: Db) -> None:
    db.write_now(lambda conn: store.add_member(conn, "1", DAY, NOW_MS))
    assert not db.read(store.names_kept)
    with pytest.raises(ValueError):
        db.write_now(lambda conn: store.set_name(conn, 1, "山田 花子", NOW_MS))

    def keep(conn: Connection) -> int:
        store.keep_names(conn, kept=True)
        store.set_name(conn, 1, "山田 花子", NOW_MS)
        store.keep_draft(conn, "t", "staff", "hanako", "staff.csv", "氏名".encode(), NOW_MS)
        return store.names(conn)

    assert db.write_now(keep) == 1
    assert [store.shown_name(one) for one in db.read(store.members).values()] == ["山田 花子"]
    assert db.write_now(lambda conn: store.keep_names(conn, kept=False)) == 1
    assert [store.shown_name(one) for one in db.read(store.members).values()] == ["1"]
    assert db.read(lambda conn: store.draft(conn, "t", "staff", "hanako", NOW_MS)) is None
    # Nothing of them is left in the file, whatever page it lay on.
    assert db.read(lambda conn: conn.execute("SELECT count(*) FROM staff WHERE name != ''").fetchone()) == (0,)


def test_somebody_comes_back_after_a_while(db: Db) -> None:
    terms = Terms(since=DAY, monthly_base_yen=250_000)

    def fill(conn: Connection) -> None:
        store.add_member(conn, "1", DAY, NOW_MS)
        store.set_terms(conn, 1, terms, NOW_MS, "h")
        store.set_terms(conn, 1, Terms(since=date(2026, 8, 1)), NOW_MS, "h")
        store.leave(conn, 1, date(2026, 6, 30), NOW_MS)

    db.write_now(fill)
    with pytest.raises(ValueError):
        db.write_now(lambda conn: store.rejoin(conn, 1, date(2026, 6, 30), NOW_MS, "h"))
    db.write_now(lambda conn: store.rejoin(conn, 1, date(2026, 10, 1), NOW_MS, "h"))
    found = db.read(lambda conn: store.member(conn, 1))
    assert found is not None
    assert found.left is None
    assert [one.since for one in found.terms] == [DAY, date(2026, 7, 1), date(2026, 10, 1)]
    away, again = found.terms_on(date(2026, 9, 30)), found.terms_on(date(2026, 10, 1))
    assert away is not None
    assert again is not None
    assert (away.tracked, away.week) == (False, (None,) * 7)
    assert (again.tracked, again.monthly_base_yen) == (True, 250_000)
    with pytest.raises(ValueError):
        db.write_now(lambda conn: store.rejoin(conn, 1, date(2026, 10, 1), NOW_MS, "h"))


def test_who_leaves_and_comes_the_next_day_never_was_away(db: Db) -> None:
    def check(conn: Connection) -> None:
        store.add_member(conn, "1", DAY, NOW_MS)
        store.set_terms(conn, 1, Terms(since=DAY), NOW_MS, "h")
        store.leave(conn, 1, date(2026, 6, 30), NOW_MS)
        store.rejoin(conn, 1, date(2026, 7, 1), NOW_MS, "h")
        found = store.member(conn, 1)
        assert found is not None
        assert found.terms == (Terms(since=DAY),)
        assert found.employed_on(date(2026, 7, 1))
        assert not found.employed_on(DAY - timedelta(days=1))

    db.write_now(check)


def test_one_person_signs_in_as_one_member(db: Db) -> None:
    def fill(conn: Connection) -> None:
        store.add_member(conn, "1", DAY, NOW_MS)
        store.add_member(conn, "2", DAY, NOW_MS)
        store.link_person(conn, 1, 7, NOW_MS)

    db.write_now(fill)
    found = db.read(lambda conn: store.member_of_person(conn, 7))
    assert found is not None
    assert found.number == "1"
    assert db.read(lambda conn: store.member_of_person(conn, 8)) is None
    assert db.read(store.linked) == {7: 1}
    with pytest.raises(Refused):
        db.write_now(lambda conn: store.link_person(conn, 2, 7, NOW_MS))
    db.write_now(lambda conn: store.link_person(conn, 1, None, NOW_MS))
    assert db.read(store.linked) == {}


def test_assigned_hours_are_replaced_day_by_day(db: Db) -> None:
    night, early = Hours(1320, 1860), Hours(420, 945)

    def fill(conn: Connection) -> None:
        store.add_member(conn, "1", DAY, NOW_MS)
        store.set_days(conn, 1, {DAY: night, date(2026, 4, 2): None, date(2026, 4, 3): early}, NOW_MS, "h")
        store.set_days(conn, 1, {DAY: early}, NOW_MS, "h")
        store.clear_days(conn, 1, [date(2026, 4, 3)])

    db.write_now(fill)
    found = db.read(lambda conn: store.assigned(conn, [1, 2], DAY, date(2026, 4, 30)))
    assert found == {1: ((DAY, early), (date(2026, 4, 2), None))}
    assert db.read(lambda conn: store.assigned(conn, [1], date(2026, 4, 3), date(2026, 4, 30))) == {}


# ---- cards


def _hands(conn: Connection, token: str) -> list[tuple[int, str, int, int | None]]:
    return [(one.staff_id, one.state, one.from_ms, one.until_ms) for one in store.holdings(conn, token)]


def test_a_card_goes_from_hand_to_hand(db: Db) -> None:
    def check(conn: Connection) -> None:
        store.issue_card(conn, 1, A, 100, NOW_MS, "h", label="17", kind="felica")
        store.issue_card(conn, 2, A, 200, NOW_MS, "h")
        assert _hands(conn, A) == [(1, "returned", 100, 200), (2, "issued", 200, None)]
        assert store.card_lost(conn, 2, 300, "h")
        assert not store.card_lost(conn, 2, 400, "h")
        assert _hands(conn, A)[1] == (2, "lost", 200, 300)
        assert store.card_found(conn, 2, 500, "h")
        assert _hands(conn, A)[1] == (2, "issued", 200, None)
        store.card_lost(conn, 2, 600, "h")
        store.issue_card(conn, 1, A, 700, NOW_MS, "h")
        # It was found, and is somebody else's: it cannot be found a second time.
        assert not store.card_found(conn, 2, 800, "h")
        assert _hands(conn, A)[1:] == [(2, "returned", 200, 600), (1, "issued", 700, None)]
        assert store.card_returned(conn, 3, 900, "h")
        assert not store.card_returned(conn, 3, 950, "h")
        assert not store.card_returned(conn, 99, 950, "h")
        assert _hands(conn, A)[2] == (1, "returned", 700, 900)
        assert [one.label for one in store.cards(conn, [1])] == ["17", ""]

    db.write_now(check)


def test_a_card_cannot_be_given_into_a_time_when_others_had_it(db: Db) -> None:
    def fill(conn: Connection) -> None:
        store.issue_card(conn, 1, A, 100, NOW_MS, "h")
        store.card_returned(conn, 1, 200, "h")
        store.issue_card(conn, 2, A, 300, NOW_MS, "h")

    db.write_now(fill)
    for staff_id, from_ms in ((3, 100), (3, 150), (3, 250), (3, 300), (2, 400)):
        with pytest.raises(store.CardHeld):
            db.write_now(lambda conn, s=staff_id, f=from_ms: store.issue_card(conn, s, A, f, NOW_MS, "h"))  # type: ignore[misc]
    db.write_now(lambda conn: store.issue_card(conn, 3, A, 301, NOW_MS, "h"))


_ACT = st.tuples(
    st.sampled_from(["issue", "lost", "found", "returned"]),
    st.integers(1, 3),
    st.sampled_from([A, B]),
    st.integers(0, 9),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.lists(_ACT, max_size=14))
def test_a_card_is_in_one_pair_of_hands_at_a_time(db: Db, acts: list[tuple[str, int, str, int]]) -> None:
    def check(conn: Connection) -> None:
        for now_ms, (act, number, token, back) in enumerate(acts, 100):
            _act(conn, act, number, token, now_ms - back * 3, now_ms)
            for each in (A, B):
                _check_hands(store.holdings(conn, each))
        raise _Undo

    with pytest.raises(_Undo):
        db.write_now(check)


def _act(conn: Connection, act: str, number: int, token: str, from_ms: int, now_ms: int) -> None:
    if act == "issue":
        with contextlib.suppress(store.CardHeld):
            store.issue_card(conn, number, token, from_ms, now_ms, "h")
    else:
        {"lost": store.card_lost, "found": store.card_found, "returned": store.card_returned}[act](
            conn, number, now_ms, "h"
        )


def _check_hands(holdings: list[store.Card]) -> None:
    for earlier, later in itertools.pairwise(holdings):
        assert earlier.until_ms is not None
        assert earlier.from_ms <= earlier.until_ms <= later.from_ms
        assert earlier.state == "returned"
    for last in holdings[-1:]:
        assert (last.state == "issued") == (last.until_ms is None)


# ---- cards that are nobody's


def test_cards_that_were_tapped_and_are_nobodys(db: Db) -> None:
    def fill(conn: Connection) -> None:
        punch(conn, A, 1000, "genkan")
        punch(conn, A, 3000, "toshokan", technology="felica")
        punch(conn, B, 2000, "genkan")
        punch(conn, "c" * 32, 500, "genkan")
        # A clock that was never set: when the hub got it is all that is known.
        punch(conn, "d" * 32, 7, "genkan", clock=2, received_ms=9000)
        store.add_member(conn, "1", DAY, NOW_MS)
        store.issue_card(conn, 1, B, 1, NOW_MS, "h")

    db.write_now(fill)
    assert db.read(store.unknown_cards) == [
        store.Unknown("d" * 32, 1, 9000, 9000, "genkan", ""),
        store.Unknown(A, 2, 1000, 3000, "toshokan", "felica"),
        store.Unknown("c" * 32, 1, 500, 500, "genkan", ""),
    ]
    assert db.read(store.strangers) == 3
    assert db.read(lambda conn: store.strangers_like(conn, "aaaa")) == [A]
    assert db.read(lambda conn: store.strangers_like(conn, "bbbb")) == []
    assert db.read(lambda conn: store.unknown_card(conn, B)) is None
    assert db.read(lambda conn: store.unknown_card(conn, "e" * 32)) is None
    last = db.read(store.last_punch)
    assert db.read(lambda conn: store.newest_tapped(conn, last)) == ""
    assert db.read(lambda conn: store.newest_tapped(conn, last - 1)) == "d" * 32


def test_a_hub_without_punches(db: Db) -> None:
    assert db.read(store.unknown_cards) == []
    assert db.read(store.last_punch) == 0


def test_a_file_waits_for_its_owner_for_an_hour(db: Db) -> None:
    db.write_now(lambda conn: store.keep_draft(conn, "t", "cards", "hanako", "c.csv", b"x", NOW_MS))
    assert db.read(lambda conn: store.draft(conn, "t", "cards", "hanako", NOW_MS)) == ("c.csv", b"x")
    for kind, who, later in (("staff", "hanako", 0), ("cards", "taro", 0), ("cards", "hanako", 3_600_001)):
        found = db.read(lambda conn, k=kind, w=who, ms=NOW_MS + later: store.draft(conn, "t", k, w, ms))  # type: ignore[misc]
        assert found is None
    db.write_now(lambda conn: store.drop_draft(conn, "t"))
    assert db.read(lambda conn: store.draft(conn, "t", "cards", "hanako", NOW_MS)) is None
