"""A year from the tap to the file for the payroll, through a real broker, beside an oracle that knows the truth."""

import asyncio
import csv
import io
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from hub.attendance import amount, close_store, closing, request_store, timesheet_store
from hub.attendance.close_store import Close
from hub.attendance.request import Body, CorrectionBody, LeaveBody, OrderBody, SubstituteBody, SwapBody
from hub.attendance.rules.given import Given, Tap
from hub.attendance.rules.kinds import PAY_CLASSES
from hub.attendance.rules.result import MonthResult
from hub.db import Connection
from hub.ingest import Ingest
from hub.payroll import export, gather, layout, store
from hub.people import Person
from hub.staff import store as staff
from tests.attendance.oracle.oracle import Reckoned, minute_of, reckon
from tests.attendance.year import generator
from tests.attendance.year.generator import DEPARTMENTS, DEPOT, TERMINALS, Sent, Someone, Year, ms, year
from tests.broker import Broker
from tests.certificates import pki
from tests.ingest.parts import Address, Device, Hub
from wire.messages import Batch, Lane

MONTHS = (*(f"2026-{n:02}" for n in range(4, 13)), "2027-01", "2027-02", "2027-03")
CLERK, BOSS = "yuki", Person(2, "chief", "", "approver", "", False, 0)
RECORDS = 120
LANES: tuple[Lane, ...] = ("urgent", "bulk")


class OwnTime(Hub):
    """A hub whose clock the test sets."""

    now_ms = ms(generator.FIRST)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        address = Address("127.0.0.1", self._port)
        self.ingest = Ingest(address, self.db, self.live, tls=lambda: pki().context("hub"), now_ms=lambda: self.now_ms)
        self._task = asyncio.create_task(self.ingest.run())
        self._ready.set()
        await asyncio.wait([self._task])


@contextmanager
def town(path: Path, port: int) -> Iterator[OwnTime]:
    """A hub for the length of a `with`."""
    hub = OwnTime(path, port)
    hub.start()
    try:
        yield hub
    finally:
        hub.stop()


class Terminals:
    """Six time clocks and what they have not told yet."""

    def __init__(self, made: Year, port: int, order: int) -> None:
        self._waiting = [made.sent(n) for n in range(TERMINALS)]
        self._devices = [Device(port, f"terminal-{n + 1}") for n in range(TERMINALS)]
        self._after: dict[tuple[int, Lane], int] = defaultdict(int)
        self._chance = random.Random(order)

    def tell(self, until: dict[int, int]) -> None:
        """Each tells what it has until its moment: in batches, now and then the same one twice, in any order."""
        parts: list[list[tuple[int, Batch]]] = []
        for number, until_ms in until.items():
            now = [one for one in self._waiting[number] if one.at_ms < until_ms]
            self._waiting[number] = [one for one in self._waiting[number] if one.at_ms >= until_ms]
            parts += [list(self._batches(number, lane, now)) for lane in LANES]
        while parts := [part for part in parts if part]:
            # Lanes go on by themselves; which of them is heard first is chance.
            number, batch = self._chance.choice(parts).pop(0)
            for _ in range(1 + (self._chance.random() < 0.2)):
                self._devices[number].deliver(batch)

    def _batches(self, number: int, lane: Lane, now: list[Sent]) -> Iterator[tuple[int, Batch]]:
        records = [one.record for one in now if one.lane == lane]
        for start in range(0, len(records), RECORDS):
            some = tuple(records[start : start + RECORDS])
            yield number, Batch(f"{number:016x}", lane, self._after[number, lane], some)
            self._after[number, lane] = some[-1].seq

    def __enter__(self) -> "Terminals":
        return self

    def __exit__(self, *_: object) -> None:
        for device in self._devices:
            device.drop()


def enter_people(conn: Connection, made: Year) -> dict[str, int]:
    """Everybody with their terms, shifts and cards; their ids by number."""
    for code in DEPARTMENTS:
        staff.add_department(conn, code, f"部{code}")
    ids = {}
    for who in made.people:
        id_ = ids[who.number] = staff.add_member(conn, who.number, who.terms[0].since, 0)
        for terms in who.terms:
            staff.set_terms(conn, id_, terms, 0, CLERK)
        if who.left is not None:
            staff.leave(conn, id_, who.left, 0)
        if who.assigned:
            staff.set_days(conn, id_, who.assigned, 0, CLERK)
        for held in who.cards:
            card = staff.issue_card(conn, id_, held.token, held.from_ms, held.from_ms, CLERK)
            if held.lost_ms is not None:
                assert staff.card_lost(conn, card, held.lost_ms, CLERK)
    return ids


def bodies(who: Someone) -> Iterator[tuple[int, Body, bool]]:
    """What somebody asks for: from which minute on it concerns them, and whether it is approved."""
    for order in who.orders:
        yield order.span.begin, OrderBody(at(order.span.begin), at(order.span.end)), True
    for order in who.refused:
        yield order.span.begin, OrderBody(at(order.span.begin), at(order.span.end)), False
    for leave in who.leaves:
        yield minute_of(ms(leave.day)), LeaveBody(leave.day, leave.day, "annual"), True
    for swap in who.swaps:
        yield minute_of(ms(min(swap.worked, swap.off))), SwapBody(swap.worked, swap.off), True
    for one in who.substitutes:
        yield minute_of(ms(min(one.worked, one.off))), SubstituteBody(one.worked, one.off), True
    for correction in who.corrections:
        in_at, out_at = (None if x is None else at(minute_of(x)) for x in (correction.in_ms, correction.out_ms))
        yield minute_of(ms(correction.day)), CorrectionBody(correction.day, in_at, out_at), True


def last_of(month: str) -> date:
    """The last day of a month."""
    following = date.fromisoformat(f"{month}-28") + timedelta(days=4)
    return following - timedelta(days=following.day)


def at(minute: int) -> datetime:
    """A minute in Japan, without a zone."""
    return datetime(1970, 1, 1) + timedelta(minutes=minute)  # noqa: DTZ001 (as requests have it)


def enter_requests(conn: Connection, made: Year, ids: dict[str, int], first_ms: int, until_ms: int) -> None:
    """What is asked for in these days, each decided by another person."""
    for who in made.people:
        for minute, body, approved in bodies(who):
            if first_ms <= (minute - 540) * 60_000 < until_ms:
                number = request_store.enter(conn, ids[who.number], body, "因", CLERK, until_ms)
                decision, note = ("approved", "") if approved else ("refused", "否")
                assert request_store.decide(conn, number, decision, BOSS, until_ms, note) is None  # type: ignore[arg-type]


def same(found: MonthResult, truth: Reckoned) -> None:
    """Minutes, hours and yen."""
    assert (found.minutes, found.hours, found.yen) == (truth.minutes, truth.hours, truth.yen)
    assert found.counts_to_60h_min == truth.counts_min


def check_file(conn: Connection, close: Close, truth: dict[str, Reckoned], now_ms: int) -> None:
    """The generic file: each person's figures, what was booked, and the sums under them."""
    form = layout.read(store.forms(conn)["generic"].text, "generic.toml")
    made = export.export(form, gather.table(conn, close.month, now_ms), store.letters(conn))
    rows = list(csv.DictReader(io.StringIO(made.content.decode("utf-8-sig"))))
    people = {row["職員番号"]: row for row in rows if row["対象年月"] not in ("合計", "件数", "SHA-256")}
    assert people.keys() >= truth.keys()
    for number, month in truth.items():
        row = people[number]
        for cls in PAY_CLASSES:
            assert int(row[f"{cls}(分)"]) == month.minutes.get(cls, 0)
            assert int(row[f"{cls}(時間数)"] or 0) == month.hours.get(cls, 0)
        assert int(row["支給額(円)"]) == month.yen
    sums = next(row for row in rows if row["対象年月"] == "合計")
    assert int(sums["支給額(円)"]) == sum(month.yen for month in truth.values())
    booked = sum(one.yen for one in close_store.adjustments(conn, close.month))
    assert int(sums["調整(円)"]) == booked
    assert int(sums["調整後の支給額(円)"]) == int(sums["支給額(円)"]) + booked
    for cls in PAY_CLASSES:
        assert int(sums[f"{cls}(分)"]) == sum(month.minutes.get(cls, 0) for month in truth.values())


class Office:
    """General affairs: month after month is closed, and what comes late is booked."""

    def __init__(self, hub: OwnTime, made: Year) -> None:
        self.hub, self.made = hub, made
        self.ids = hub.db.write_now(lambda conn: enter_people(conn, made))
        self.booked = 0
        self.hashes: list[tuple[str, int, str]] = []
        self._reckoned: dict[tuple[str, str, tuple[Tap, ...]], Reckoned] = {}

    def truth(self, month: str, known_ms: int, depot_ms: int) -> dict[str, Reckoned]:
        """What the oracle makes of what is known."""
        first, last = date.fromisoformat(f"{month}-01"), last_of(month)
        there = [
            who for who in self.made.people if who.terms[0].since <= last and (who.left is None or who.left >= first)
        ]
        return {who.number: self._reckon(who, self.made.given(who, month, known_ms, depot_ms)) for who in there}

    def _reckon(self, who: Someone, given: Given) -> Reckoned:
        """The oracle is slow: the same taps are not reckoned twice (all else of a person stays as it is)."""
        key = who.number, given.month, given.taps
        if key not in self._reckoned:
            self._reckoned[key] = reckon(given)
        return self._reckoned[key]

    def close(self, month: str, now_ms: int, depot_ms: int) -> None:
        """Closes a month, and looks at each figure of it and of its file."""
        found = self.hub.db.read(lambda conn: closing.look(conn, month, now_ms))
        assert found.can_close, (found.stops, found.open_days)
        made = self.hub.db.write_now(lambda conn: closing.close(conn, month, found.fingerprint, now_ms, CLERK))
        assert isinstance(made, Close), made
        truth = self.truth(month, now_ms, depot_ms)
        results = self.hub.db.read(lambda conn: close_store.results(conn, made))
        assert {self.ids[number] for number in truth} == results.keys()
        for number, one in truth.items():
            same(results[self.ids[number]], one)
        self.hub.db.read(lambda conn: check_file(conn, made, truth, now_ms))

    def enter(self, first_ms: int, until_ms: int) -> None:
        """What is asked for in these days."""
        self.hub.db.write_now(lambda conn: enter_requests(conn, self.made, self.ids, first_ms, until_ms))

    def book(self, month: str, now_ms: int, known_ms: int) -> None:
        """What came after the close: another version, and its difference booked in the open month."""
        found = self.hub.db.read(lambda conn: closing.look(conn, month, now_ms))
        assert found.can_book, found.stops
        before = self.hub.db.read(lambda conn: close_store.results(conn, found.latest))  # type: ignore[arg-type]
        made = self.hub.db.write_now(lambda conn: closing.book(conn, month, found.fingerprint, now_ms, CLERK))
        assert isinstance(made, Close), made
        assert made.version == 2
        after = self.hub.db.read(lambda conn: close_store.results(conn, made))
        for number, one in self.truth(month, known_ms, known_ms).items():
            same(after[self.ids[number]], one)
        booked = self.hub.db.read(lambda conn: close_store.adjustments_of(conn, month))
        for id_, result in after.items():
            sums = {one.cls: (one.minutes, one.hours, one.yen) for one in booked if one.staff_id == id_}
            assert sums == amount.difference(before[id_], result)
            assert result.yen - before[id_].yen == sum(yen for _, _, yen in sums.values())
        self.booked += sum(one.yen for one in booked)

    def whole_year(self, now_ms: int, known_ms: int) -> None:
        """At the end the cache, the fold and the oracle say the same of every month."""
        for month in MONTHS:
            truth = self.truth(month, known_ms, known_ms)
            ids = [self.ids[number] for number in truth]
            kept = self.hub.db.read(lambda conn, m=month, i=ids: timesheet_store.months(conn, i, m, now_ms))  # type: ignore[misc]
            fold = self.hub.db.read(lambda conn, m=month, i=ids: timesheet_store.fold(conn, i, m, now_ms))  # type: ignore[misc]
            assert kept == fold
            for number, one in truth.items():
                same(fold[self.ids[number]], one)


def run(folder: Path, port: int, people: int, order: int = 7) -> Office:
    """The year of so many people; `order` is by which chance things arrive."""
    made = year(people)
    with town(folder / "hub.db", port) as hub, Terminals(made, port, order) as terminals:
        office, entered_ms = Office(hub, made), 0
        for month in MONTHS:
            # The third of the next month, ten in the morning.
            now_ms = ms(last_of(month) + timedelta(days=3), 600)
            silent_ms = generator.depot_silent_from(month)
            hub.now_ms = now_ms
            office.enter(entered_ms, now_ms)
            entered_ms = now_ms
            terminals.tell(dict.fromkeys(range(DEPOT), now_ms) | {DEPOT: silent_ms or now_ms})
            office.close(month, now_ms, silent_ms or now_ms)
            if silent_ms is not None:
                hub.now_ms = now_ms + 4 * generator.DAY_MS
                terminals.tell({DEPOT: now_ms})
                office.book(month, hub.now_ms, now_ms)
        hub.now_ms = ms(generator.LAST) + 20 * generator.DAY_MS
        office.whole_year(hub.now_ms, entered_ms)
        months = hub.db.read(close_store.closed_months)
        closes = [one for month in months for one in hub.db.read(partial(close_store.versions, month=month))]
        office.hashes = [(one.month, one.version, one.hash) for one in closes]
    return office


def test_a_year_of_a_small_town_hall(broker: Broker, tmp_path: Path) -> None:
    assert run(tmp_path, broker.port, 12).booked > 0


@pytest.mark.soak
def test_a_year_of_sixty(broker: Broker, tmp_path: Path) -> None:
    assert run(tmp_path, broker.port, 60).booked > 0


@pytest.mark.soak
def test_another_order_of_arrival_gives_the_same_hashes(broker: Broker, tmp_path: Path) -> None:
    found = []
    for order in (7, 8):
        folder = tmp_path / str(order)
        folder.mkdir()
        found.append(run(folder, broker.port, 12, order).hashes)
    assert len(found[0]) > len(MONTHS)
    assert found[0] == found[1]
