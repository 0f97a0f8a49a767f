"""Anything that people may do, in any order, against a model that is a plain list (I1, I4, I5, I6, I7, I9, I10)."""

from collections import defaultdict
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub.db import Db
from hub.waiver import ledger, ledger_check, ledger_store, receipt_store
from hub.waiver.ledger import (
    CASH,
    FEE,
    OVERPAID,
    RECEIVABLE,
    WAIVED,
    AlreadyReversed,
    Conflict,
    Entry,
    MonthClosed,
    NotPosted,
)
from hub.waiver.receipt import Receipt
from tests.waiver.ledger.parts import LINES, NOW_MS, assess, bill, enter_registers, waive

MONTHS = ("2026-09", "2026-10", "2026-11")
LINE = st.integers(1, 3)
MONTH = st.sampled_from(MONTHS)
YEN = st.sampled_from([1, 815, 1631, 2731])


class Model:
    """What the ledger has to come to."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.closed = ""
        self.receipts: dict[str, tuple[Receipt, int]] = {}

    def seq(self, key: str) -> int:
        """The number of a key, 0 for none."""
        return next((n for n, one in enumerate(self.entries, 1) if one.key == key), 0)

    def reversed_by(self, seq: int) -> int:
        """The number of what takes an entry back, 0 for none."""
        return next((n for n, one in enumerate(self.entries, 1) if one.reverses == seq), 0)

    def expected(self, entries: list[Entry]) -> type[NotPosted] | None:
        """What posting these comes to."""
        known = {one.key: one for one in self.entries}
        fresh: list[Entry] = []
        for one in entries:
            if known.get(one.key, one) != one:
                return Conflict
            if one.key not in known:
                fresh.append(one)
            known[one.key] = one
        return MonthClosed if any(one.month <= self.closed for one in fresh) else None

    def take(self, entries: list[Entry]) -> None:
        """What was posted."""
        for one in entries:
            if not self.seq(one.key):
                self.entries.append(one)

    def balances(self) -> dict[str, int]:
        """By account."""
        found: dict[str, int] = defaultdict(int)
        for one in self.entries:
            for leg in one.legs:
                found[leg.account] += leg.yen
        return dict(sorted(found.items()))

    def of(self, account: str, line: int, month: str) -> int:
        """An account's balance for a line and month of use."""
        return sum(
            leg.yen
            for one in self.entries
            for leg in one.legs
            if (leg.account, leg.line_id, leg.of_month) == (account, line, month)
        )


class Books(RuleBasedStateMachine):
    """A ledger in a real file, and the model beside it."""

    folder: Path
    runs = 0

    @initialize()
    def open(self) -> None:
        Books.runs += 1
        self.db = Db(self.folder / f"{Books.runs}.db")
        self.db.open()
        self.db.write_now(enter_registers)
        self.model = Model()

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.db.close()

    @rule(some=st.lists(st.tuples(st.sampled_from([bill, assess, waive]), LINE, MONTH, YEN, st.booleans()), max_size=4))
    def post(self, some: list[tuple[object, int, str, int, bool]]) -> None:
        # Repeats and other contents under a key come by themselves: there are few lines and months.
        entries = []
        for make, line, month, yen, later in some:
            booked = ledger.month_after(self.model.closed) if later and self.model.closed else month
            entries.append(make(line, month, yen, booked=booked))  # type: ignore[operator]
        expected = self.model.expected(entries)
        write = partial(ledger_store.post, entries=entries, now_ms=NOW_MS, by="hanako")
        if expected:
            with pytest.raises(expected):
                self.db.write_now(write)
            return
        posted = self.db.write_now(write)
        before = len(self.model.entries)
        self.model.take(entries)
        assert [one.seq for one in posted] == [self.model.seq(one.key) for one in entries]
        assert sum(one.new for one in posted) == len(self.model.entries) - before

    @rule(which=st.integers(1, 12))
    def reverse(self, which: int) -> None:
        if which > len(self.model.entries):
            return
        target = self.model.entries[which - 1]
        month = self.db.read(partial(ledger_store.open_month, area="line", wanted="2026-11"))
        write = partial(
            ledger_store.reverse, seqs=[which], month=month, day="2026-11-30", note="x", now_ms=NOW_MS, by="hanako"
        )
        if self.model.reversed_by(which):
            with pytest.raises(AlreadyReversed):
                self.db.write_now(write)
            return
        self.db.write_now(write)
        self.model.take(
            [
                Entry(
                    f"reversal:{target.key}",
                    "reversal",
                    "line",
                    month,
                    "2026-11-30",
                    tuple(msgspec.structs.replace(leg, yen=-leg.yen) for leg in target.legs),
                    "x",
                    None,
                    which,
                )
            ]
        )

    @rule(n=st.integers(1, 4), resident=LINE, yen=YEN, month=st.sampled_from(["", *MONTHS]))
    def pay(self, n: int, resident: int, yen: int, month: str) -> None:
        paid = Receipt(reference=f"N{n}", resident_id=resident, day="2026-11-20", yen=yen, way="slip", of_month=month)
        known, seq = self.model.receipts.get(paid.reference, (paid, 0))
        write = partial(receipt_store.enter, paid=paid, now_ms=NOW_MS, by="hanako")
        if seq and not self.model.reversed_by(seq):
            if known != paid:
                with pytest.raises(Conflict):
                    self.db.write_now(write)
            else:
                assert not self.db.write_now(write).new
            return
        posted = self.db.write_now(write)
        assert posted.new
        assert posted.seq == len(self.model.entries) + 1
        booked = self.db.read(partial(ledger_store.entry, seq=posted.seq))
        assert booked is not None
        assert booked.debit_yen == yen
        # To nothing more than was open, the oldest first; the rest is paid too much.
        left = yen
        for of_month in sorted(MONTHS):
            due = max(0, self.model.of(RECEIVABLE, resident, of_month)) if month in ("", of_month) else 0
            part = min(left, due)
            assert part == -sum(
                leg.yen for leg in booked.entry.legs if leg.account == RECEIVABLE and leg.of_month == of_month
            )
            left -= part
        assert left == -sum(leg.yen for leg in booked.entry.legs if leg.account == OVERPAID)
        self.model.entries.append(booked.entry)
        self.model.receipts[paid.reference] = paid, posted.seq

    @rule(n=st.integers(1, 4))
    def take_back(self, n: int) -> None:
        kept = self.db.read(partial(receipt_store.of_reference, reference=f"N{n}"))
        if kept is None:
            return
        write = partial(receipt_store.undo, kept=kept, day="2026-11-21", note="x", now_ms=NOW_MS, by="hanako")
        if self.model.reversed_by(kept.seq):
            with pytest.raises(AlreadyReversed):
                self.db.write_now(write)
            return
        posted = self.db.write_now(write)
        booked = self.db.read(partial(ledger_store.entry, seq=posted.seq))
        assert booked is not None
        self.model.entries.append(booked.entry)

    @rule()
    def close(self) -> None:
        wanted = ledger.month_after(self.model.closed) if self.model.closed else "2026-09"
        if wanted > "2026-11":
            return
        self.db.write_now(
            partial(ledger_store.close, area="line", month=wanted, now_ms=NOW_MS, by="hanako", approved_by="jiro")
        )
        self.model.closed = wanted

    @invariant()
    def it_comes_to_what_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        # The chain, the closings, and the sums that are kept beside the legs (I7).
        assert self.db.read(ledger_check.check).whole
        balances = self.db.read(ledger_store.balances)
        assert balances == self.model.balances()
        assert sum(balances.values()) == 0
        written = self.db.read(partial(ledger_store.after, seq=0, limit=1000))
        assert [one.entry for one in written] == self.model.entries
        opened = {(one.line_id, one.of_month): one.yen for one in self.db.read(ledger_store.outstanding) if one.line_id}
        for month in MONTHS:
            found = {one.line_id: one for one in self.db.read(partial(self._line_months, month=month))}
            for line in range(1, LINES + 1):
                fee, waived, cash, open_ = (
                    self.model.of(name, line, month) for name in (FEE, WAIVED, CASH, RECEIVABLE)
                )
                # I9: assessed = waived + received + outstanding.
                assert -fee == waived + cash + open_
                assert opened.get((line, month), 0) == open_
                if line in found:
                    assert [found[line].of(name) for name in (FEE, WAIVED, CASH, RECEIVABLE)] == [
                        fee,
                        waived,
                        cash,
                        open_,
                    ]
                    # What stands is what it comes to: reversing all of it leaves nothing.
                    legs = [leg for seq in found[line].standing for leg in self.model.entries[seq - 1].legs]
                    here = [leg for leg in legs if (leg.line_id, leg.of_month) == (line, month)]
                    assert -sum(leg.yen for leg in here if leg.account == FEE) == -fee
                else:
                    assert fee == waived == cash == open_ == 0
        for resident in (1, 2, 3):
            account = self.db.read(partial(receipt_store.account, resident_id=resident))
            for row in account.rows:
                assert row.assessed == row.waived + row.received + row.open
            assert account.overpaid == -sum(
                leg.yen
                for one in self.model.entries
                for leg in one.legs
                if (leg.account, leg.resident_id) == (OVERPAID, resident)
            )

    @staticmethod
    def _line_months(conn: object, month: str) -> list[ledger_store.LineMonth]:
        return ledger_store.of_line_months(conn, "line", month)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    """Where its databases lie."""
    Books.folder = tmp_path


Books.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestBooks = Books.TestCase
