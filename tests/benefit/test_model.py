"""Devices that are away, any order of uses, purses, kills and days: what the hub says can be taken unheard covers what
was taken, and each use counts once.

The hub is a real database; the devices decide by their own rule, and lose what a killed process loses.
"""

import tempfile
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from edge_agent.benefit import allowance as device_rule
from edge_agent.benefit.allowance import Count, May
from edge_agent.clock import Stamp
from hub.benefit import account_store, allowance, booking, purse_store, store, use_store
from hub.benefit.account_store import AllowanceRow
from hub.db import Connection
from hub.papers import store as papers
from hub.told import Told
from hub.waiver import ledger_store
from tests.benefit.parts import DAY_MS, HANA, NOW_MS, TAXI, add_resident, grant, takes_benefits
from tests.papers.parts import Office
from wire import purse
from wire.purse import PurseContent
from wire.tablet import BenefitUse, PaperReport

NAMES = ("terminal-1", "terminal-2", "terminal-3")
DEVICES = st.sampled_from(NAMES)


@dataclass
class Terminal:
    """A device: its disk (purse, counts, records that the hub has not acked), and papers on their way to it."""

    id: int
    purse: PurseContent | None = None
    at: tuple[str, int] = ("", 0)
    counts: dict[str, Count] = field(default_factory=dict)
    records: deque[tuple[int, BenefitUse | PaperReport]] = field(default_factory=deque)
    coming: list[tuple[str, int, PurseContent]] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)


class Benefits(RuleBasedStateMachine):
    """A hub and three terminals with one resident's taxi vouchers."""

    used = Bundle("used")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.office = Office(Path(self.folder.name), "tablet-9")
        self.terminals = {name: Terminal(self.office.add(name, "terminal")) for name in NAMES}
        self.serial, self.granted = 0, 0

        def begin(conn: Connection) -> int:
            for one in self.terminals.values():
                takes_benefits(conn, self.office.signing, one.id, NOW_MS)
            resident_id = add_resident(conn, "J-0001")
            store.set_kind(conn, TAXI, NOW_MS)
            store.give_card(conn, HANA, resident_id, NOW_MS)
            return resident_id

        self.resident_id = self.office.db.write_now(begin)

    def teardown(self) -> None:
        """Everything arrives: each use counted once, and nothing was ever over what the hub had said."""
        for name in NAMES:
            self.hear(name, 1000)
        taken = {use: units for one in self.terminals.values() for use, units in one.taken.items()}
        rows = self.office.db.read(lambda conn: use_store.uses(conn, self.resident_id))
        assert sum(one.units for one in rows if one.back != "device") == sum(taken.values())
        self.office.db.write_now(lambda conn: booking.book(conn, now_ms=self.office.now_ms))
        booked = self.office.db.read(lambda conn: ledger_store.balances(conn, area="benefit"))
        assert booked.get("aid", 0) == 600 * sum(one.units for one in rows if not one.back)
        self.office.db.close()
        self.folder.cleanup()

    # ---- at the hub

    @initialize(units=st.integers(1, 6))
    def begin(self, units: int) -> None:
        self.grant(units)

    @rule(units=st.integers(1, 4))
    def grant(self, units: int) -> None:
        self.granted += units
        self.office.db.write_now(lambda conn: grant(conn, self.resident_id, units, self.office.now_ms))

    @rule()
    def end_first_grant(self) -> None:
        def write(conn: Connection) -> None:
            found = next((one for one in store.grants(conn, self.resident_id) if not one.ended_day), None)
            if found is not None:
                store.end_grant(conn, found, "2026-11-23", self.office.now_ms)

        self.office.db.write_now(write)

    @rule(name=DEVICES)
    def publish(self, name: str) -> None:
        """What the hub's loops do: allowances follow the day, purses are made; whether they arrive is another thing."""
        self.office.now_ms += 1000
        now_ms, folder = self.office.now_ms, Path(self.folder.name)

        def write(conn: Connection) -> dict[int, tuple[str, int, bytes]]:
            account_store.give(conn, now_ms)
            found = papers.plan(conn, purse.KIND, purse_store.contents(conn, folder, now_ms), now_ms)
            told = papers.publish(conn, self.office.signing, found, now_ms)
            rows = conn.execute("SELECT device_id, incarnation, generation FROM paper WHERE kind = 'purse'")
            contents = purse_store.contents(conn, folder, now_ms)
            return {id_: (inc, gen, contents[id_]) for id_, inc, gen in rows if self._name(id_) in told}

        for id_, (inc, generation, plain) in self.office.db.write_now(write).items():
            content = msgspec.json.decode(plain, type=PurseContent)
            self.terminals[self._name(id_)].coming.append((inc, generation, content))

    @rule(name=DEVICES, on=st.booleans())
    def serves(self, name: str, on: bool) -> None:
        def write(conn: Connection) -> None:
            takes_benefits(conn, self.office.signing, self.terminals[name].id, self.office.now_ms, on=on)

        self.office.db.write_now(write)

    @rule(days=st.integers(1, 4))
    def days_pass(self, days: int) -> None:
        self.office.now_ms += days * DAY_MS

    @rule(name=DEVICES, count=st.integers(1, 4))
    def hear(self, name: str, count: int) -> None:
        """Some records arrive, the first of them twice: the ack was lost."""
        terminal = self.terminals[name]
        arrived = [terminal.records.popleft() for _ in range(min(count, len(terminal.records)))]
        self._take_in(name, arrived)
        self._take_in(name, arrived[:1] * 2)

    def _take_in(self, name: str, arrived: list[tuple[int, BenefitUse | PaperReport]]) -> None:
        told = [Told(self.terminals[name].id, name, 1, at, self.office.now_ms, body) for at, body in arrived]
        kinds = {
            PaperReport: use_store.take_reports,
            BenefitUse: use_store.take_uses,
        }

        def write(conn: Connection) -> None:
            # A group is handed over kind by kind, whatever came first (`hub/ingest_keepers.py`).
            for kind, take in kinds.items():
                take(conn, [one for one in told if isinstance(one.body, kind)])

        self.office.db.write_now(write)

    @rule(use=used, why=st.just("by mistake"))
    def take_back_at_the_hub(self, use: tuple[str, str], why: str) -> None:
        def write(conn: Connection) -> None:
            found = use_store.use(conn, (self.terminals[use[0]].id, use[1]))
            if found is not None:
                use_store.take_back(conn, found, why, "kazue", self.office.now_ms)

        self.office.db.write_now(write)

    @rule()
    def book(self) -> None:
        self.office.db.write_now(lambda conn: booking.book(conn, now_ms=self.office.now_ms))

    # ---- at the devices

    @rule(name=DEVICES, which=st.integers(0, 3))
    def purse_arrives(self, name: str, which: int) -> None:
        """Any of those that are on their way; an older one is refused."""
        terminal = self.terminals[name]
        if not terminal.coming:
            return
        inc, generation, content = terminal.coming.pop(which % len(terminal.coming))
        if (inc, generation) > terminal.at:
            terminal.at, terminal.purse = (inc, generation), content
            terminal.records.append((self.office.now_ms, PaperReport(purse.KIND, inc, generation)))

    @rule(target=used, name=DEVICES, units=st.integers(1, 3))
    def use_units(self, name: str, units: int) -> tuple[str, str]:
        """Both on its disk, or neither when it is killed before."""
        terminal, now_ms = self.terminals[name], self.office.now_ms
        self.serial += 1
        use = f"{self.serial:032x}"
        if terminal.purse is None:
            return name, use
        stamp = Stamp("b", 0, now_ms, "synced")
        may = device_rule.decide(terminal.purse, terminal.counts, HANA, "taxi", units, stamp)
        if isinstance(may, May):
            of, used = may.allowance, may.used + units
            terminal.counts[of.id] = Count(used, use, units)
            terminal.records.append((now_ms, BenefitUse(use, of.id, units, used, HANA, until_ms=of.until_ms)))
            terminal.taken[use] = units
        return name, use

    @rule(name=DEVICES)
    def take_back_at_the_device(self, name: str) -> None:
        terminal = self.terminals[name]
        of = device_rule.of_card(terminal.purse, HANA, "taxi") if terminal.purse else None
        count = terminal.counts.get(of.id) if of else None
        if of is None or count is None or not count.use:
            return
        self.serial += 1
        body = BenefitUse(f"{self.serial:032x}", of.id, count.units, count.used - count.units, HANA, count.use)
        terminal.counts[of.id] = Count(body.used)
        terminal.records.append((self.office.now_ms, body))
        with suppress(KeyError):
            del terminal.taken[count.use]

    # ---- what always holds

    @invariant()
    def the_bound_covers_what_is_not_heard_of(self) -> None:
        rows = self.office.db.read(lambda conn: account_store.allowances(conn, [self.resident_id]))
        bounds = {one.id: one for one in rows}
        for terminal in self.terminals.values():
            for id_, count in terminal.counts.items():
                assert count.used <= max(bounds[id_].bound, bounds[id_].used)
            for one in terminal.purse.allowances if terminal.purse else ():
                row = bounds[one.id]
                could = max(one.limit, device_rule.used_so_far(one, terminal.counts.get(one.id)))
                assert could <= max(row.bound, row.used), "a device may take more than the hub reckons with"
        self._total(rows)

    def _total(self, rows: list[AllowanceRow]) -> None:
        """What was taken, heard of or not, is inside what the hub knows and what it says can be taken unheard."""
        taken = sum(sum(one.taken.values()) for one in self.terminals.values())
        exposure = sum(one.exposure for one in rows)
        assert taken <= sum(one.used for one in rows) + exposure

        def read(conn: Connection) -> int:
            accounts = account_store.accounts(conn, [self.resident_id])
            one = accounts.get((self.resident_id, "taxi"))
            # What no grant covers already, and what may yet come over what is left.
            ever = sum(one.left.values()) if one else 0
            over = sum(one.over.values()) if one else 0
            return over + allowance.over_at_worst(ever, [row.exposure for row in rows])

        backs = self._back_at_hub()
        assert taken - backs <= self.granted + self.office.db.read(read)

    def _back_at_hub(self) -> int:
        rows = self.office.db.read(lambda conn: use_store.uses(conn, self.resident_id))
        return sum(one.units for one in rows if one.back not in ("", "device"))

    def _name(self, id_: int) -> str:
        return next((name for name, one in self.terminals.items() if one.id == id_), "")


def test_what_can_be_taken_unheard_is_known_and_each_use_counts_once() -> None:
    run_state_machine_as_test(
        Benefits,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
