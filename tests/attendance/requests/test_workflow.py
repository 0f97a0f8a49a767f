"""What may become of a request: against a plain model, in any order of what people do."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub import audit
from hub.attendance import request_store as store
from hub.attendance.request import (
    STATES,
    Body,
    CorrectionBody,
    Decision,
    GapBody,
    LeaveBody,
    OrderBody,
    SubstituteBody,
    SwapBody,
    minute_of,
)
from hub.attendance.request_store import Which
from hub.attendance.rules.given import Correction, Leave, Order, Span, Substitute, Swap
from hub.db import Broken, Connection, Db
from hub.people import Person
from hub.staff import store as staff
from hub.staff.terms import Hours
from tests.attendance.requests.parts import add_person, add_staff, at, without_trace

DAY = at("2026-11-02T17:30")
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
NAMES = ("taro", "jiro", "boss", "chief")

# Few people, places and requests, so that what is done often meets what was done before.
entering = st.tuples(st.just("enter"), st.integers(0, 1), st.sampled_from(NAMES), st.integers(0, 2))
deciding = st.tuples(
    st.sampled_from(("approved", *get_args(Decision))),
    st.integers(0, 2),
    st.sampled_from(NAMES),
    st.sampled_from(("why", "")),
)
acts = st.lists(deciding, min_size=5, max_size=30).flatmap(
    lambda later: st.lists(entering, min_size=3, max_size=3).map(lambda first: [*first, *later])
)
mixed = st.lists(entering | deciding, max_size=30)


@dataclass
class Model:
    """What a request is, in the plainest form: whose, who entered it, which half hour, and how it stands."""

    staff: int
    by: str
    slot: int
    state: str = "waiting"


@dataclass
class Town:
    """taro and jiro work here and sign in; so does chief, the administrator; boss approves and is no staff."""

    people: dict[str, Person] = field(default_factory=dict)
    staff: list[int] = field(default_factory=list)


def _town(conn: Connection) -> Town:
    town = Town({name: add_person(conn, name, "administrator") for name in NAMES})
    town.staff = [add_staff(conn, "0001", town.people["taro"].id), add_staff(conn, "0002", town.people["chief"].id)]
    return town


def _may(model: list[Model], one: Model, decision: str, who: str, note: str) -> bool:
    """The same once more, written otherwise."""
    if decision in ("withdrawn", "entered_again"):
        wanted = {"withdrawn": "waiting", "entered_again": "withdrawn"}[decision]
        if who != one.by or one.state != wanted:
            return False
        against = {"waiting", "approved"}
    else:
        if who in (one.by, {0: "taro", 1: "chief"}[one.staff]):
            return False
        if decision == "approved":
            if one.state != "waiting":
                return False
            against = {"approved"}
        else:
            return bool(note) and one.state == {"refused": "waiting", "revoked": "approved"}[decision]
    if decision == "withdrawn":
        return True
    return not any(
        other is not one and other.staff == one.staff and other.state in against and abs(other.slot - one.slot) <= 1
        for other in model
    )


@given(acts | mixed)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nobody_decides_on_their_own_time_or_entry_in_any_order(
    db: Db, done: list[tuple[str, int, str, int | str]]
) -> None:
    def play(conn: Connection) -> None:
        town, model, numbers = _town(conn), list[Model](), list[int]()
        for act, which, who, detail in done:
            if act == "enter":
                slot = int(detail)
                begin = DAY + slot * timedelta(minutes=30)
                # An hour: neighbours overlap.
                body = OrderBody(begin, begin + timedelta(hours=1))
                numbers.append(store.enter(conn, town.staff[which], body, "snow", who, 10))
                model.append(Model(which, who, slot))
            elif which < len(model):
                decision: Decision = act  # type: ignore[assignment]
                may = _may(model, model[which], act, who, str(detail))
                refusal = store.decide(conn, numbers[which], decision, town.people[who], 20, str(detail))
                assert (refusal is None) == may, (act, who, model[which], refusal)
                if may:
                    model[which].state = "waiting" if act == "entered_again" else act
            _agrees(conn, town, model, numbers)

    without_trace(db, play)


def _agrees(conn: Connection, town: Town, model: list[Model], numbers: list[int]) -> None:
    for state in STATES:
        found = [one.id for one in store.find(conn, Which(state=state))]
        assert found == [n for n, one in zip(numbers, model, strict=True) if one.state == state]
        if state == "waiting":
            assert store.waiting_since(conn, 11)[0] == len(found)
    counted = store.approved(conn, None, FIRST, LAST)
    for which, staff_id in enumerate(town.staff):
        wanted = {
            f"request:{n}"
            for n, one in zip(numbers, model, strict=True)
            if one.state == "approved" and one.staff == which
        }
        orders = counted[staff_id].orders if staff_id in counted else ()
        assert {one.ref for one in orders} == wanted
        spans = sorted(one.span for one in orders)
        assert all(one.end <= other.begin for one, other in pairwise(spans))
    for number in numbers:
        one = store.request(conn, number)
        assert one is not None
        owner = {town.staff[0]: "taro", town.staff[1]: "chief"}[one.staff_id]
        assert all(
            step.who not in (one.entered_by, owner)
            for step in one.decided
            if step.decision in ("approved", "refused", "revoked")
        )


def test_what_overlaps_is_not_approved_twice_nor_entered_again(db: Db) -> None:
    """Two that wait can both be there (one was withdrawn meanwhile); only one of them comes to count."""

    def work(conn: Connection) -> None:
        boss, taro = add_person(conn, "boss", "approver"), add_person(conn, "taro", "staff")
        staff_id = add_staff(conn, "0001", taro.id)
        body, hour = OrderBody(DAY, DAY + timedelta(hours=1)), timedelta(hours=1)
        one = store.enter(conn, staff_id, body, "snow", "taro", 1)
        assert store.decide(conn, one, "withdrawn", taro, 2) is None
        two = store.enter(conn, staff_id, body, "snow", "taro", 3)
        assert store.decide(conn, one, "entered_again", taro, 4) == "clash"
        three = store.enter(conn, staff_id, body, "snow", "taro", 5)
        after = store.enter(conn, staff_id, OrderBody(DAY + hour, DAY + 2 * hour), "snow", "taro", 5)
        assert store.decide(conn, two, "approved", boss, 6) is None
        assert store.decide(conn, three, "approved", boss, 7) == "clash"
        assert store.decide(conn, after, "approved", boss, 7) is None
        assert store.decide(conn, two, "revoked", boss, 8, "wrong") is None
        assert store.decide(conn, three, "approved", boss, 9) is None

    without_trace(db, work)


def test_who_works_here_as_whom_is_looked_at_when_it_is_decided(db: Db) -> None:
    """A link made after the request was entered counts: the person cannot approve what is theirs by now."""

    def work(conn: Connection) -> None:
        clerk, boss = add_person(conn, "clerk", "clerk"), add_person(conn, "boss", "approver")
        staff_id = add_staff(conn, "0007")
        number = store.enter(conn, staff_id, OrderBody(DAY, DAY + timedelta(hours=1)), "snow", clerk.name, 1)
        staff.link_person(conn, staff_id, boss.id, 2)
        assert store.decide(conn, number, "approved", boss, 3) == "own_time"
        staff.link_person(conn, staff_id, None, 4)
        assert store.decide(conn, number, "approved", boss, 5) is None
        assert [entry.did for entry in audit.entries(conn)][:2] == ["request_approve", "request_enter"]
        assert "0007" in audit.entries(conn)[0].what

    without_trace(db, work)


@pytest.mark.parametrize("table", ["request", "request_decision"])
def test_an_entry_is_never_changed(db: Db, table: str) -> None:
    def work(conn: Connection) -> None:
        boss, staff_id = add_person(conn, "boss", "approver"), add_staff(conn, "0001")
        number = store.enter(conn, staff_id, GapBody(DAY.date()), "x", "taro", 1)
        assert store.decide(conn, number, "refused", boss, 2, "no") is None
        column = {"request": "reason", "request_decision": "note"}[table]
        with pytest.raises(Broken, match="never changed"):
            conn.execute(f"UPDATE {table} SET {column} = 'other'")  # noqa: S608

    without_trace(db, work)


def test_what_is_approved_comes_as_the_rules_take_it(db: Db) -> None:
    """Bodies of every kind, through the database, into the types of the rules; only days that are asked for."""
    friday, saturday, monday = date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 23)
    bodies: list[Body] = [
        OrderBody(at("2026-11-20T17:30"), at("2026-11-21T02:10")),
        LeaveBody(date(2026, 11, 19), friday, "annual"),
        LeaveBody(date(2026, 11, 18), date(2026, 11, 18), "absent", "hours", Hours(540, 600)),
        CorrectionBody(friday, None, at("2026-11-21T02:05")),
        SwapBody(saturday, friday, Hours(510, 750), Hours(780, 1020)),
        SubstituteBody(monday, date(2026, 11, 25)),
        GapBody(friday),
    ]

    def work(conn: Connection) -> None:
        boss, staff_id, other = add_person(conn, "boss", "approver"), add_staff(conn, "0001"), add_staff(conn, "0002")
        numbers = [store.enter(conn, staff_id, body, "", "taro", 1) for body in bodies]
        assert store.approved(conn, [staff_id], FIRST, LAST) == {}
        assert [store.decide(conn, number, "approved", boss, 2) for number in numbers] == [None] * len(bodies)
        refs = [f"request:{number}" for number in numbers]
        found = store.approved(conn, [staff_id, other], FIRST, LAST)
        assert list(found) == [staff_id]
        begin = minute_of(at("2026-11-20T17:30"))
        assert found[staff_id].orders == (Order(span=Span(begin, begin + 520), ref=refs[0]),)
        nine = minute_of(at("2026-11-18T09:00"))
        assert found[staff_id].leaves == (
            Leave(day=date(2026, 11, 19), kind="annual", ref=refs[1]),
            Leave(day=friday, kind="annual", ref=refs[1]),
            Leave(day=date(2026, 11, 18), kind="absent", span=Span(nine, nine + 60), paid=False, ref=refs[2]),
        )
        # 02:05 in Japan is 17:05 UTC of the day before.
        out_ms = int(datetime.fromisoformat("2026-11-20T17:05:00+00:00").timestamp() * 1000)
        assert found[staff_id].corrections == (Correction(day=friday, out_ms=out_ms, ref=refs[3]),)
        assert found[staff_id].swaps == (
            Swap(worked=saturday, off=friday, worked_hours=Hours(510, 750), off_hours=Hours(780, 1020), ref=refs[4]),
        )
        assert found[staff_id].substitutes == (Substitute(worked=monday, off=date(2026, 11, 25), ref=refs[5]),)
        assert store.approved(conn, None, date(2026, 11, 26), LAST) == {}
        assert len(store.approved(conn, None, saturday, saturday)[staff_id].orders) == 1
        assert store.decide(conn, numbers[0], "revoked", boss, 3, "mistake") is None
        assert store.approved(conn, None, FIRST, LAST)[staff_id].orders == ()

    without_trace(db, work)


def test_a_change_marks_the_months_that_it_concerns(db: Db) -> None:
    def work(conn: Connection) -> None:
        boss, staff_id = add_person(conn, "boss", "approver"), add_staff(conn, "0001")
        columns = [row[1] for row in conn.execute("PRAGMA table_info(timesheet)")]
        for month in ("2026-09", "2026-10", "2026-11", "2027-01"):
            values = {"staff_id": staff_id, "month": month}
            conn.execute(
                f"INSERT INTO timesheet ({','.join(columns)}) VALUES ({','.join('?' * len(columns))})",  # noqa: S608
                [values.get(column, 0) for column in columns],
            )
        number = store.enter(conn, staff_id, OrderBody(DAY, DAY + timedelta(hours=1)), "snow", "taro", 1)
        marked = "SELECT month FROM timesheet_stale ORDER BY month"
        assert conn.execute(marked).fetchall() == []
        assert store.decide(conn, number, "approved", boss, 2) is None
        assert {"2026-10", "2026-11"} <= {month for (month,) in conn.execute(marked)}
        assert "2027-01" not in {month for (month,) in conn.execute(marked)}

    without_trace(db, work)
