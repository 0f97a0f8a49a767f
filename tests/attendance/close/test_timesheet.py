"""The cache of months equals the fold, whatever happens in whatever order."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub.attendance import profile_store, timesheet_store
from hub.attendance.request import LeaveBody, SwapBody
from hub.attendance.rules.profile import DEFAULT
from hub.db import Connection, Db
from hub.staff import store as staff
from hub.staff.terms import Hours, Terms
from tests.attendance.close.hall import FULL_TIME, HOUR_MS, Hall, hall, ms, token

MONTHS = ("2026-08", "2026-09", "2026-10", "2026-11")
DAYS = st.integers(0, 100).map(lambda n: date(2026, 8, 10) + timedelta(days=n))
TIMES = st.sampled_from(["02:30", "03:10", "08:21", "08:29", "12:10", "17:22", "20:40", "23:59"])
PEOPLE = st.integers(0, 2)
# Of the whole week depends what an hour of theirs is paid.
PART_TIME = Terms(since=date(2026, 4, 1), kind="part_time", week=(Hours(510, 870),) * 5 + (None,) * 2, hourly_yen=1200)
CARDS = st.integers(1, 4)


class Office(RuleBasedStateMachine):
    """A town hall in which everything may happen."""

    folder: Path
    runs = 0

    @initialize()
    def open(self) -> None:
        Office.runs += 1
        db = Db(self.folder / f"{Office.runs}.db")
        db.open()
        self.hall = Hall(db)
        terms = (FULL_TIME, PART_TIME, FULL_TIME)
        self.ids = [self.hall.person(f"000{n}", card=n, terms=one) for n, one in enumerate(terms, 1)]
        self.requests: list[int] = []
        self.now_ms = ms("2026-11-05 10:00")

    def teardown(self) -> None:
        if hasattr(self, "hall"):
            self.hall.db.close()

    @rule(card=CARDS, day=DAYS, time=TIMES, chosen=st.booleans())
    def tap(self, card: int, day: date, time: str, chosen: bool) -> None:
        self.hall.tap(card, f"{day} {time}", chosen=chosen)

    @rule(card=CARDS, mono_ms=st.integers(0, 50).map(lambda n: n * HOUR_MS), held=st.booleans())
    def tap_without_a_clock(self, card: int, mono_ms: int, held: bool) -> None:
        at_ms = ms("2026-09-30 15:00") + mono_ms if held else mono_ms
        self.hall.tap(card, at_ms, boot=2, mono_ms=mono_ms, clock="held" if held else "unset")

    @rule(mono_ms=st.integers(0, 50).map(lambda n: n * HOUR_MS), day=DAYS, time=TIMES)
    def hear_the_time(self, mono_ms: int, day: date, time: str) -> None:
        self.hall.reading(2, mono_ms, ms(f"{day} {time}"))

    @rule(person=PEOPLE, day=DAYS)
    def leave(self, person: int, day: date) -> None:
        self.requests.append(self.hall.request(self.ids[person], LeaveBody(day, day, "annual"), None))

    @rule(person=PEOPLE, day=DAYS, other=DAYS)
    def swap(self, person: int, day: date, other: date) -> None:
        self.requests.append(self.hall.request(self.ids[person], SwapBody(day, other), None))

    @rule(person=PEOPLE, day=DAYS)
    def order(self, person: int, day: date) -> None:
        # Two orders at the same time are refused, which is well.
        try:
            self.requests.append(self.hall.order(self.ids[person], f"{day} 17:30", f"{day} 20:30"))
        except AssertionError:
            return

    @rule(person=PEOPLE, day=DAYS, came=st.booleans())
    def correct(self, person: int, day: date, came: bool) -> None:
        number = self.hall.correct(self.ids[person], day, "08:25" if came else None, "17:40")
        self.requests.append(number)

    @rule(which=st.integers(0, 30), approve=st.booleans())
    def decide(self, which: int, approve: bool) -> None:
        if which < len(self.requests):
            try:
                self.hall.decide(self.requests[which], "approved" if approve else "revoked")
            except AssertionError:
                return

    @rule(person=PEOPLE, day=DAYS, yen=st.sampled_from([200_000, 260_000]), tracked=st.booleans())
    def employ_otherwise(self, person: int, day: date, yen: int, tracked: bool) -> None:
        terms = msgspec.structs.replace(FULL_TIME, since=day, monthly_base_yen=yen, tracked=tracked)
        self.hall.write(lambda conn: staff.set_terms(conn, self.ids[person], terms, 0, "clerk", corrects=True))

    @rule(person=PEOPLE, day=DAYS)
    def go(self, person: int, day: date) -> None:
        self.hall.write(lambda conn: staff.leave(conn, self.ids[person], day, 0))

    @rule(person=PEOPLE, number=st.sampled_from(["1", "2", "3"]))
    def number(self, person: int, number: str) -> None:
        self.hall.write(lambda conn: staff.set_number(conn, self.ids[person], f"{number}{person}", 0))

    @rule(person=PEOPLE, day=DAYS, hours=st.sampled_from([None, Hours(510, 750)]))
    def assign(self, person: int, day: date, hours: Hours | None) -> None:
        self.hall.write(lambda conn: staff.set_days(conn, self.ids[person], {day: hours}, 0, "clerk"))

    @rule(person=PEOPLE, card=CARDS, day=DAYS)
    def give_a_card(self, person: int, card: int, day: date) -> None:
        def give(conn: Connection) -> None:
            at_ms = ms(f"{day} 10:00")
            try:
                staff.issue_card(conn, self.ids[person], token(card), at_ms, at_ms, "clerk")
            except staff.CardHeld:
                return

        self.hall.write(give)

    @rule(which=st.integers(0, 5), day=DAYS)
    def lose_a_card(self, which: int, day: date) -> None:
        cards = self.hall.read(staff.cards)
        if which < len(cards):
            self.hall.write(lambda conn: staff.card_lost(conn, cards[which].id, ms(f"{day} 10:00"), "clerk"))

    @rule(month=st.sampled_from(MONTHS), line=st.sampled_from([None, 60]))
    def other_values(self, month: str, line: int | None) -> None:
        values = msgspec.structs.replace(DEFAULT, sixty_hours_min=line)
        self.hall.write(lambda conn: profile_store.add_version(conn, month, values, "", 0, "clerk"))

    @rule(day=DAYS, says=st.sampled_from(["holiday", "workday", ""]))
    def other_calendar(self, day: date, says: str) -> None:
        self.hall.write(lambda conn: profile_store.add_entry(conn, day, says, "", 0, "clerk"))

    @rule(days=st.integers(1, 5))
    def time_goes_by(self, days: int) -> None:
        self.now_ms += days * 24 * HOUR_MS

    @rule(month=st.sampled_from(MONTHS), person=PEOPLE)
    def keep_one(self, month: str, person: int) -> None:
        self.hall.write(lambda conn: timesheet_store.months(conn, [self.ids[person]], month, self.now_ms))

    @invariant()
    def the_cache_is_the_fold(self) -> None:
        if not hasattr(self, "hall"):
            return
        ids, now_ms = self.ids, self.now_ms
        for month in MONTHS:
            fold = self.hall.read(partial(timesheet_store.fold, staff_ids=ids, month=month, now_ms=now_ms))
            assert self.hall.read(partial(timesheet_store.months, staff_ids=ids, month=month, now_ms=now_ms)) == fold
            # All of it is kept before the next thing happens.
            timesheet_store.warm(self.hall.db, ids, month, now_ms)
            assert not self.hall.read(partial(timesheet_store.missing, staff_ids=ids, month=month, now_ms=now_ms))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[None]:
    """Where its databases lie."""
    Office.folder = tmp_path
    yield
    del Office.folder


Office.TestCase.settings = settings(
    max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestOffice = Office.TestCase


def test_what_comes_while_a_month_is_worked_out_is_not_lost(tmp_path: Path) -> None:
    """A change between the ticket and the keeping: what was worked out before it is not kept."""
    with hall(tmp_path / "hub.db") as one:
        taro = one.person("0001", card=1)
        one.work(1, date(2026, 10, 1))
        now_ms = ms("2026-11-02 09:00")
        one.write(lambda conn: timesheet_store._claim(conn, [taro], "2026-10", "ticket", now_ms))
        basis = one.read(lambda conn: timesheet_store._basis(conn, "2026-10", now_ms))
        made = one.read(lambda conn: timesheet_store._work_out(conn, [taro], "2026-10", basis))
        one.work(1, date(2026, 10, 2))
        one.write(lambda conn: timesheet_store._keep_claimed(conn, made, "2026-10", basis, "ticket"))
        assert one.read(lambda conn: timesheet_store.missing(conn, [taro], "2026-10", now_ms)) == [taro]
        # Somebody else's ticket took the mark away: the first one keeps nothing either.
        one.write(lambda conn: timesheet_store._claim(conn, [taro], "2026-10", "another", now_ms))
        one.write(lambda conn: timesheet_store._keep_claimed(conn, made, "2026-10", basis, "ticket"))
        assert one.read(lambda conn: timesheet_store.missing(conn, [taro], "2026-10", now_ms)) == [taro]
        timesheet_store.warm(one.db, [taro], "2026-10", now_ms)
        assert one.read(lambda conn: timesheet_store.missing(conn, [taro], "2026-10", now_ms)) == []


def test_a_reader_keeps_nothing_and_a_writer_does(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro, now_ms = one.person("0001", card=1), ms("2026-11-02 09:00")
        one.read(lambda conn: timesheet_store.months(conn, [taro], "2026-10", now_ms))
        assert one.read(lambda conn: timesheet_store.missing(conn, [taro], "2026-10", now_ms)) == [taro]
        one.write(lambda conn: timesheet_store.months(conn, [taro], "2026-10", now_ms))
        assert one.read(lambda conn: timesheet_store.missing(conn, [taro], "2026-10", now_ms)) == []


def test_a_month_that_is_not_over_is_made_anew_each_day(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = one.person("0001", card=1)
        one.month(1, "2026-10", holidays=(12,))
        open_days = []
        for now in ("2026-11-05 10:00", "2026-11-06 02:59", "2026-11-06 03:00", "2026-11-07 10:00"):
            (result,) = one.write(
                partial(timesheet_store.months, staff_ids=[taro], month="2026-11", now_ms=ms(now))
            ).values()
            open_days.append(sum(day.open for day in result.days))
        # The third is a holiday; each day is missed when it is over.
        assert open_days == [2, 2, 3, 4]
        assert one.read(partial(timesheet_store.missing, staff_ids=[taro], month="2026-11", now_ms=0)) == [taro]
        for now in ("2026-11-05 10:00", "2027-03-01 10:00"):
            one.write(partial(timesheet_store.months, staff_ids=[taro], month="2026-10", now_ms=ms(now)))
            assert not one.read(
                partial(timesheet_store.missing, staff_ids=[taro], month="2026-10", now_ms=ms("2027-01-01 00:00"))
            )
