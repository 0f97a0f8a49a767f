"""A month is closed once, as it is; what comes later is a difference in the open month."""

import random
from datetime import date
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub import audit
from hub.attendance import amount, close_check, close_store, closing, gather, profile_store, timesheet_store
from hub.attendance.close_store import Close
from hub.attendance.closing import Outlook, Refused
from hub.attendance.request import LeaveBody
from hub.attendance.rules.profile import DEFAULT
from hub.db import Db
from hub.db import Refused as Denied
from hub.staff import store as staff
from tests.attendance.close.hall import FULL_TIME, Hall, hall, ms

NOW_MS = ms("2026-11-04 09:00")
DAYS = st.sampled_from(["2026-09-10", "2026-10-06", "2026-10-07"])


def look(one: Hall, month: str = "2026-10", now_ms: int = NOW_MS) -> Outlook:
    """The month as it is."""
    return one.read(partial(closing.look, month=month, now_ms=now_ms))


def close(one: Hall, month: str = "2026-10", now_ms: int = NOW_MS) -> Close | Refused:
    """Closes what was looked at."""
    found = look(one, month, now_ms)
    return one.write(partial(closing.close, month=month, fingerprint=found.fingerprint, now_ms=now_ms, who="clerk"))


def book(one: Hall, month: str = "2026-10", now_ms: int = NOW_MS) -> Close | Refused:
    """Books what was looked at."""
    found = look(one, month, now_ms)
    return one.write(partial(closing.book, month=month, fingerprint=found.fingerprint, now_ms=now_ms, who="clerk"))


def october(one: Hall, but: tuple[int, ...] = ()) -> int:
    """Somebody who worked in October, with two hours of overtime."""
    taro = one.person("0001", card=1)
    one.month(1, "2026-10", but=but, holidays=(12,))
    one.tap(1, "2026-10-05 19:40")
    one.order(taro, "2026-10-05 17:30", "2026-10-05 19:30")
    return taro


def test_a_month_closes_as_a_snapshot_with_its_hash(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = october(one)
        made = close(one)
        assert isinstance(made, Close)
        assert (made.version, made.month, made.who) == (1, "2026-10", "clerk")
        assert one.read(partial(close_store.latest, month="2026-10")) == made
        assert one.read(partial(close_store.is_closed, month="2026-10"))
        assert not one.read(partial(close_store.is_closed, month="2026-11"))
        assert one.read(close_store.booked_month) == "2026-11"
        (kept,) = one.read(partial(close_store.results, close=made)).values()
        (fold,) = one.read(partial(timesheet_store.fold, staff_ids=[taro], month="2026-10", now_ms=NOW_MS)).values()
        assert (
            (kept.minutes, kept.hours, kept.yen)
            == (fold.minutes, fold.hours, fold.yen)
            == ({"W125": 120}, {"W125": 2}, 4032)
        )
        assert [day.in_ms for day in kept.days] == [day.in_ms for day in fold.days]
        entry = one.read(audit.entries)[0]
        assert (entry.did, entry.what, entry.detail) == ("month_close", "2026-10", f"1 {made.hash}")
        found = look(one)
        assert (found.latest, found.changed, found.can_close, found.can_book) == (made, [], False, False)
        # There is no second close, and no way back.
        assert close(one) == "closed"
        assert book(one) == "same"
        for change in (
            "UPDATE month_close SET hash = ''",
            "UPDATE month_close_staff SET hash = ''",
            "DELETE FROM month_close",
            "DELETE FROM month_close_staff",
        ):
            with pytest.raises(Denied):
                one.write(lambda conn, change=change: conn.execute(change))  # type: ignore[misc]


def test_terminals_that_were_not_heard_since_the_month_ended_are_told(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        october(one)
        assert look(one).silent == ["terminal-1", "terminal-2", "terminal-3"]
        assert look(one, "2026-11").silent == []
        end_ms = ms("2026-11-01 03:00")
        one.write(lambda conn: conn.execute("UPDATE device SET last_heard_ms = ? WHERE id = 1", (end_ms,)))
        one.write(lambda conn: conn.execute("UPDATE device SET last_heard_ms = ? WHERE id = 2", (end_ms - 1,)))
        one.write(lambda conn: conn.execute("UPDATE lane SET last_ms = ? WHERE id = 3", (end_ms,)))
        one.write(lambda conn: conn.execute("UPDATE device SET kind = 'tablet' WHERE id = 3"))
        # It stops nothing: a terminal may have been broken for good.
        assert (look(one).silent, look(one).stops) == (["terminal-2"], ())
        assert isinstance(close(one), Close)
        assert look(one).silent == []


def test_a_closed_day_that_has_not_changed_still_names_its_sources(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = october(one)
        made = close(one)
        assert isinstance(made, Close)
        kept = one.read(partial(close_store.results, close=made))[taro]
        one.correct(taro, date(2026, 10, 6), None, "18:30")
        now = one.read(partial(timesheet_store.months, staff_ids=[taro], month="2026-10", now_ms=NOW_MS))[taro]
        found = {day.day.day: day for day in close_store.with_sources(kept, now).days}
        assert {ref for piece in found[5].pieces for ref in piece.refs} >= {"request:1"}
        assert found[5].taps
        # What was closed is shown where it has changed, and the facts do not stand behind it any more.
        assert (found[6].out_ms, found[6].taps) == (ms("2026-10-06 17:22"), ())
        assert close_store.with_sources(kept, None) == kept


def test_what_is_open_stops_the_close(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = october(one, but=(8, 9))
        one.tap(1, "2026-10-08 08:20")
        found = look(one)
        assert found.stops == ("open_days",)
        assert [(day.day.day, day.why) for day in found.open_days] == [(8, "MISSING_OUT"), (9, "unexplained")]
        assert close(one) == "open_days"
        leave = one.request(taro, LeaveBody(date(2026, 10, 9), date(2026, 10, 9), "annual"), None)
        one.correct(taro, date(2026, 10, 8), None, "17:15")
        assert look(one).stops == ("open_days", "waiting")
        one.decide(leave, "approved")
        assert look(one).stops == ()
        # Somebody else's request of another month does not matter.
        one.request(taro, LeaveBody(date(2026, 11, 9), date(2026, 11, 9), "annual"), None)
        assert isinstance(close(one), Close)


def test_months_are_closed_when_they_are_over_and_one_after_the_other(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        assert look(one).stops == ("nobody",)
        one.person("0001", card=1)
        for month, holidays in (("2026-08", (11,)), ("2026-09", (21, 22, 23)), ("2026-10", (12,))):
            one.month(1, month, holidays=holidays)
        assert close(one, "2026-10", ms("2026-11-01 02:59")) == "not_over"
        assert isinstance(close(one, "2026-08"), Close)
        assert close(one, "2026-10") == "gap"
        assert close(one, "2026-07") == "before"
        assert isinstance(close(one, "2026-09"), Close)
        assert isinstance(close(one, "2026-10", ms("2026-11-01 03:00")), Close)
        assert one.read(close_store.closed_months) == ["2026-10", "2026-09", "2026-08"]


def test_what_changed_since_it_was_looked_at_is_looked_at_again(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = october(one)
        seen = look(one).fingerprint
        one.order(taro, "2026-10-06 07:30", "2026-10-06 08:30")
        assert seen != look(one).fingerprint
        assert (
            one.write(partial(closing.close, month="2026-10", fingerprint=seen, now_ms=NOW_MS, who="clerk")) == "moved"
        )
        assert one.read(partial(close_store.latest, month="2026-10")) is None


def test_later_facts_are_a_difference_in_the_open_month(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = october(one)
        hana = one.person("0002", card=2)
        one.month(2, "2026-10", holidays=(12,))
        first = close(one)
        assert isinstance(first, Close)
        # The tap was on a terminal that came back on line only now.
        number = one.order(hana, "2026-10-06 17:30", "2026-10-06 20:30")
        one.tap(2, "2026-10-06 20:35", received_ms=NOW_MS + 1)
        found = look(one)
        assert [(one_.member.number, one_.differences) for one_ in found.changed] == [
            ("0002", {"W125": amount.Amount(180, 3, 6048)})
        ]
        assert found.can_book
        (past,) = one.read(partial(closing.past, now_ms=NOW_MS))
        assert (past.close, past.unknown) == (first, 1)
        timesheet_store.warm(one.db, [taro, hana], "2026-10", NOW_MS)
        (past,) = one.read(partial(closing.past, now_ms=NOW_MS))
        assert (past.changed, past.unknown) == (1, 0)
        second = book(one)
        assert isinstance(second, Close)
        assert (second.version, second.hash != first.hash) == (2, True)
        (booked,) = one.read(partial(close_store.adjustments, booked="2026-11"))
        assert (booked.staff_id, booked.target_month, booked.cls, booked.minutes, booked.hours, booked.yen) == (
            hana,
            "2026-10",
            "W125",
            180,
            3,
            6048,
        )
        # Nothing new: nothing is booked.
        assert book(one) == "same"
        assert len(one.read(partial(close_store.adjustments, booked="2026-11"))) == 1
        # November closes; what is taken back of October now goes to December.
        one.month(1, "2026-11", holidays=(3, 23))
        one.month(2, "2026-11", holidays=(3, 23))
        later = ms("2026-12-02 09:00")
        assert isinstance(close(one, "2026-11", later), Close)
        one.decide(number, "revoked")
        assert isinstance(book(one, "2026-10", later), Close)
        (booked,) = one.read(partial(close_store.adjustments, booked="2026-12"))
        assert (booked.target_month, booked.minutes, booked.yen) == ("2026-10", -180, -6048)
        assert len(one.read(partial(close_store.adjustments, booked="2026-11"))) == 1


def test_an_open_day_stops_the_next_version_too(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = october(one)
        assert isinstance(close(one), Close)
        hana = one.person("0002", card=2)
        found = look(one)
        assert ([one_.member.id for one_ in found.changed], found.can_book) == ([hana], False)
        assert book(one) == "open_days"
        one.month(2, "2026-10", holidays=(12,))
        assert isinstance(book(one), Close)
        # She came to no class, so nothing is booked.
        assert one.read(partial(close_store.adjustments, booked="2026-11")) == []
        # And he has left before October after all.
        one.write(lambda conn: staff.leave(conn, taro, date(2026, 9, 30), 0))
        assert isinstance(book(one), Close)
        (booked,) = one.read(partial(close_store.adjustments, booked="2026-11"))
        assert (booked.staff_id, booked.minutes, booked.yen) == (taro, -120, -4032)


def test_other_values_change_what_was_closed(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        october(one)
        assert isinstance(close(one), Close)
        cheaper = {**DEFAULT.rates, "W125": 100}
        values = type(DEFAULT)(rates=cheaper)
        one.write(lambda conn: profile_store.add_version(conn, "2026-10", values, "", 0, "clerk"))
        (changed,) = look(one).changed
        assert changed.differences == {"W125": amount.Amount(0, 0, 2 * (1613 - 2016))}


@pytest.mark.parametrize("rounding", ["half_hour", "none"])
def test_the_classes_together_are_the_months_yen(tmp_path: Path, rounding: Literal["half_hour", "none"]) -> None:
    """With two units in the month, and minutes that give half yen."""
    with hall(tmp_path / "hub.db") as one:
        taro = one.person("0001", card=1)
        one.month(1, "2026-10", holidays=(12,))
        raised = msgspec.structs.replace(FULL_TIME, since=date(2026, 10, 16), monthly_base_yen=263_500)
        one.write(lambda conn: staff.set_terms(conn, taro, raised, 0, "clerk"))
        values = type(DEFAULT)(monthly_rounding=rounding)
        one.write(lambda conn: profile_store.add_version(conn, "2026-10", values, "", 0, "clerk"))
        for day, until in (("2026-10-05", "19:29"), ("2026-10-06", "22:47"), ("2026-10-20", "23:13")):
            one.tap(1, f"{day} 23:40")
            one.order(taro, f"{day} 17:30", f"{day} {until}")
        (result,) = one.read(partial(timesheet_store.months, staff_ids=[taro], month="2026-10", now_ms=NOW_MS)).values()
        found = amount.amounts(result)
        assert len(result.units) == 2
        assert {cls: each.minutes for cls, each in found.items()} == result.minutes
        assert amount.altogether(found).yen == result.yen
        assert amount.difference(None, result) == found
        assert amount.difference(result, None) == {cls: amount.NOTHING.less(each) for cls, each in found.items()}
        assert amount.difference(result, result) == {}


def _fill(one: Hall, order: list[int]) -> None:
    """The same facts in an order of their own, and some of them twice."""
    ids = {n: one.person(f"000{n}", card=n) for n in (1, 2, 3)}
    rows = [
        (n, f"2026-10-{day:02} {time}", terminal)
        for n in (1, 2, 3)
        for day, terminal in ((5, 1), (6, 2), (7, 3))
        for time in ("08:21:10", "08:21:13", "19:45:00")
    ]
    for at in order:
        card, time, terminal = rows[at % len(rows)]
        one.tap(card, time, terminal=terminal, boot=terminal)
    for n in sorted(ids, key=order.index):
        one.order(ids[n], "2026-10-05 17:30", "2026-10-05 19:30")
        one.request(ids[n], LeaveBody(date(2026, 10, 1), date(2026, 10, 2), "annual"), "approved")
        one.request(ids[n], LeaveBody(date(2026, 10, 8), date(2026, 10, 30), "annual"), "approved")


def test_the_same_facts_give_the_same_hash_on_two_machines(tmp_path: Path) -> None:
    order = list(range(27))
    hashes: list[str] = []
    for name in ("a", "b", "c"):
        with hall(tmp_path / f"{name}.db") as one:
            if name == "c":
                # Rows of this one have other numbers.
                one.person("0009", card=9)
                one.write(lambda conn: conn.execute("DELETE FROM card"))
                one.write(lambda conn: conn.execute("DELETE FROM staff_terms"))
                one.write(lambda conn: conn.execute("DELETE FROM staff"))
                one.tap(99, "2026-10-01 08:20")
            _fill(one, order + (random.Random(4).sample(order, 9) if name == "b" else []))
            made = close(one, "2026-10", NOW_MS + len(hashes))
            assert isinstance(made, Close)
            hashes.append(made.hash)
        random.Random(name).shuffle(order)
    assert hashes == [hashes[0]] * 3


def test_the_bytes_are_frozen(tmp_path: Path) -> None:
    """When this fails, our rules give other figures for the same facts: raise `ENGINE`, or put the rules back."""
    with hall(tmp_path / "hub.db") as one:
        _fill(one, list(range(27)))
        made = close(one)
        assert isinstance(made, Close)
        assert (close_store.ENGINE, made.hash) == (
            "1",
            "cb4b8ff51edd9fb14f31cb7b9b9f2bc3258ecf7a5bddaaaed25375fefbd9cc4f",
        )


class Later(RuleBasedStateMachine):
    """Months are closed, and facts come later; whatever happens, what was paid in all is what the facts say."""

    folder: Path
    runs = 0

    @initialize()
    def open(self) -> None:
        Later.runs += 1
        db = Db(self.folder / f"{Later.runs}.db")
        db.open()
        self.hall = Hall(db)
        self.now_ms = ms("2026-11-04 09:00")
        self.ids = [self.hall.person(f"000{n}", card=n) for n in (1, 2)]
        self.orders: list[int] = []
        for n in (1, 2):
            self.hall.month(n, "2026-09", holidays=(21, 22, 23))
            self.hall.month(n, "2026-10", holidays=(12,))
            # They stay late, with or without an order.
            for day in ("2026-09-10", "2026-10-06", "2026-10-07"):
                self.hall.tap(n, f"{day} 21:47")

    def teardown(self) -> None:
        if hasattr(self, "hall"):
            self.hall.db.close()

    @rule(
        who=st.integers(0, 1), day=st.sampled_from(["2026-09-10", "2026-10-06", "2026-10-07"]), hour=st.integers(18, 21)
    )
    def order(self, who: int, day: str, hour: int) -> None:
        try:
            self.orders.append(self.hall.order(self.ids[who], f"{day} {hour}:00", f"{day} {hour}:40", self.now_ms))
        except AssertionError:
            # Two at one time are refused.
            return

    @rule(which=st.integers(0, 20))
    def take_back(self, which: int) -> None:
        if which < len(self.orders):
            self.hall.decide(self.orders.pop(which), "revoked", self.now_ms)

    @rule(who=st.integers(0, 1), day=st.sampled_from(["2026-09-10", "2026-10-06"]), minute=st.integers(0, 59))
    def tap_late(self, who: int, day: str, minute: int) -> None:
        self.hall.tap(who + 1, f"{day} 22:{minute:02}", received_ms=self.now_ms)

    @rule(yen=st.sampled_from([240_000, 250_000, 310_000]))
    def raise_(self, yen: int) -> None:
        terms = msgspec.structs.replace(FULL_TIME, monthly_base_yen=yen)
        self.hall.write(lambda conn: staff.set_terms(conn, self.ids[0], terms, self.now_ms, "clerk", corrects=True))

    @rule(month=st.sampled_from(["2026-09", "2026-10"]))
    def close(self, month: str) -> None:
        done = close(self.hall, month, self.now_ms)
        assert isinstance(done, Close) or done in ("closed", "gap", "before")

    @rule(month=st.sampled_from(["2026-09", "2026-10"]))
    def book(self, month: str) -> None:
        done = book(self.hall, month, self.now_ms)
        assert isinstance(done, Close) or done in ("open", "same")
        if done != "open":
            assert book(self.hall, month, self.now_ms) == "same"

    @invariant()
    def all_versions_together_are_the_latest(self) -> None:
        if not hasattr(self, "hall"):
            return
        told = self.hall.read(close_check.told)
        for month in told:
            assert not self.hall.read(
                partial(close_check.check, month=month, told=told[month], now_ms=self.now_ms)
            ).faults
            versions = self.hall.read(partial(close_store.versions, month=month))
            first = self.hall.read(partial(close_store.results, close=versions[-1]))
            last = self.hall.read(partial(close_store.results, close=versions[0]))
            for id_ in self.ids:
                paid = amount.amounts(first.get(id_))
                for one in self.hall.read(partial(close_store.adjustments_of, target=month)):
                    assert one.booked_month > month
                    if one.staff_id == id_:
                        more = amount.Amount(one.minutes, one.hours, one.yen)
                        paid = amount.total([paid, {one.cls: more}])
                left = {cls: one for cls, one in paid.items() if one != amount.NOTHING}
                assert left == amount.amounts(last.get(id_))
                assert amount.altogether(left).yen == last[id_].yen


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    """Where its databases lie."""
    Later.folder = tmp_path


Later.TestCase.settings = settings(
    max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLater = Later.TestCase


def test_a_tap_that_came_after_the_close_is_told_so(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = october(one)
        made = close(one)
        assert isinstance(made, Close)
        one.tap(1, "2026-10-06 17:40", received_ms=made.closed_ms)
        one.tap(1, "2026-10-06 17:50", received_ms=made.closed_ms + 1)
        one.tap(1, "2026-11-02 17:50", received_ms=made.closed_ms + 2)
        # The night of the last day is October's.
        one.tap(1, "2026-11-01 02:50", received_ms=made.closed_ms + 2)
        given = one.read(partial(gather.givens, staff_ids=[taro], month="2026-10", until=None))[taro]
        assert [tap.at_ms for tap in given.taps if tap.late] == [ms("2026-10-06 17:50"), ms("2026-11-01 02:50")]
