"""The cursor rule against a model: a real spool, the hub's rule, and everything that may go wrong between.

The network loses, repeats and reorders, batches and acks alike.  The hub is restored from old backups, the device
forgets what was acked, gives up bulk records when its disk is short, and is started anew.  The model does not know
the rule: it only keeps a list of every record ever made, and asks at the end where each has gone.
"""

import copy
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from edge_agent.clock import Stamp
from edge_agent.spool import Entry, Spool
from hub.fleet import cursor
from wire import codec
from wire.codec import Oddity, Received
from wire.messages import LANES, Ack, Batch, Dropped, Lane, Record

NOW_MS = 1_790_000_000_000
LARGE = 12_000

lanes = st.sampled_from(LANES)


@dataclass
class Hub:
    """What a hub has on its disk: cursors, records as they were stored, and what it was told is gone."""

    cursors: dict[tuple[str, Lane], int] = field(default_factory=dict)
    stored: list[tuple[str, Lane, int, str]] = field(default_factory=list)
    missing: Counter[Lane] = field(default_factory=Counter)
    dropped: int = 0

    def take(self, data: bytes) -> bytes:
        """Stores what is new of a batch and answers."""
        received = codec.decode_batch(data)
        batch = received.batch
        key = (batch.spool, batch.lane)
        taken = cursor.take(self.cursors.get(key, 0), received)
        if taken is not None:
            self.cursors[key] = taken.through
            self.missing[batch.lane] += taken.missing
            for record in taken.records:
                self.stored.append((*key, record.seq, _mark(record)))
                if record.kind == "dropped":
                    told = codec.decode_body("dropped", record.body)
                    assert isinstance(told, Dropped)
                    self.dropped += sum(told.counts.values())
        return codec.encode(Ack(*key, self.cursors.get(key, 0)))


def _mark(record: Record) -> str:
    """What makes a record one of the model's; those that the spool makes itself have none."""
    body = msgspec.json.decode(record.body)
    return body.get("mark", "") if isinstance(body, dict) else ""


class Device:
    """A real spool in a folder, and where its uplink is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.at_ms = NOW_MS
        self.open()

    def open(self) -> None:
        """Starts the agent; a connection goes on from what is acked."""
        self.spool = Spool(self.folder / "spool.db", max_bytes=256 << 10, ballast_bytes=4096, stamp=self.stamp)
        self.rewind()

    def rewind(self) -> None:
        """Goes on from what is acked, whatever was under way."""
        self.following = {lane: self.spool.cursor(lane) for lane in LANES}

    def stamp(self) -> Stamp:
        """A moment later than the last."""
        self.at_ms += 1
        return Stamp("boot", self.at_ms - NOW_MS, self.at_ms, "synced")

    def send(self, lane: Lane) -> bytes | None:
        """The next batch of a lane, or None."""
        outgoing = self.spool.batch(lane, self.following[lane])
        if outgoing is None:
            return None
        self.following[lane] = outgoing.through
        return outgoing.payload

    def hear(self, data: bytes) -> None:
        """Takes an ack, and goes back when it is behind what was sent."""
        ack = codec.decode_ack(data)
        if self.spool.take_ack(ack):
            self.rewind()


class Promise(RuleBasedStateMachine):
    """Nothing confirmed is lost or counted twice."""

    shortage = True

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.device = Device(Path(self.folder.name))
        self.hub = Hub()
        self.backups: list[Hub] = [Hub()]
        self.up: list[bytes] = []
        self.down: list[bytes] = []
        self.restored = False
        # The model: every record ever made, by lane.
        self.made: dict[Lane, list[str]] = {lane: [] for lane in LANES}

    # ---- the device

    @rule(lane=lanes, count=st.integers(1, 5))
    def something_happens(self, lane: Lane, count: int) -> None:
        kind = "punch" if lane == "urgent" else "health"
        for _ in range(count):
            self._keep(lane, kind, "")

    @precondition(lambda self: self.shortage)
    @rule(count=st.integers(1, 9))
    def much_happens(self, count: int) -> None:
        """Large bulk records: at fifteen or so the spool gives up the oldest."""
        for _ in range(count):
            self._keep("bulk", "usage", "x" * LARGE)

    def _keep(self, lane: Lane, kind: str, filling: str) -> None:
        mark = f"{lane} {len(self.made[lane]) + 1}"
        body = msgspec.json.encode({"mark": mark, "filling": filling})
        self.device.spool.append_many([Entry(kind, body, self.device.stamp())])
        self.made[lane].append(mark)

    @rule(lane=lanes)
    def the_device_sends(self, lane: Lane) -> None:
        if (batch := self.device.send(lane)) is not None:
            self.up.append(batch)

    @rule(lane=lanes)
    def a_record_is_sent_at_once(self, lane: Lane) -> None:
        self.something_happens(lane, 1)
        self.the_device_sends(lane)

    @rule(lane=lanes)
    def a_record_is_sent_and_lost(self, lane: Lane) -> None:
        self.something_happens(lane, 1)
        self.device.send(lane)

    @rule()
    def the_device_connects_anew(self) -> None:
        self.device.rewind()

    @rule()
    def the_device_starts_anew(self) -> None:
        self.device.spool.close()
        self.device.open()

    @rule(ago_ms=st.integers(0, 20))
    def the_device_forgets_what_was_acked(self, ago_ms: int) -> None:
        self.device.spool.tidy(older_than_ms=self.device.at_ms - ago_ms)

    # ---- the network

    @precondition(lambda self: self.up)
    @rule(data=st.data())
    def a_batch_arrives(self, data: st.DataObject) -> None:
        self.down.append(self.hub.take(self.up.pop(data.draw(st.integers(0, len(self.up) - 1)))))

    @precondition(lambda self: self.down)
    @rule(data=st.data())
    def an_ack_arrives(self, data: st.DataObject) -> None:
        self.device.hear(self.down.pop(data.draw(st.integers(0, len(self.down) - 1))))

    @precondition(lambda self: self.up or self.down)
    @rule(data=st.data())
    def something_is_lost(self, data: st.DataObject) -> None:
        way = data.draw(st.sampled_from([way for way in (self.up, self.down) if way]))
        del way[data.draw(st.integers(0, len(way) - 1))]

    @precondition(lambda self: self.up or self.down)
    @rule(data=st.data())
    def something_comes_twice(self, data: st.DataObject) -> None:
        way = data.draw(st.sampled_from([way for way in (self.up, self.down) if way]))
        way.append(way[data.draw(st.integers(0, len(way) - 1))])

    @rule()
    def a_good_minute(self) -> None:
        """Everything goes through, in order: without it no long story would get anywhere."""
        for lane in LANES:
            if (batch := self.device.send(lane)) is not None:
                self.device.hear(self.hub.take(batch))

    # ---- the hub

    @rule()
    def the_hub_makes_a_backup(self) -> None:
        self.backups.append(copy.deepcopy(self.hub))

    @rule(data=st.data())
    def the_hub_is_restored(self, data: st.DataObject) -> None:
        self.hub = copy.deepcopy(data.draw(st.sampled_from(self.backups)))
        self.restored = True

    # ---- what must hold

    @invariant()
    def nothing_is_stored_twice_or_out_of_order(self) -> None:
        for lane in LANES:
            seqs = [seq for _, its, seq, _ in self.hub.stored if its == lane]
            assert seqs == sorted(set(seqs))

    def teardown(self) -> None:
        """At last the network is good.  Then every record is at the hub, or the hub says that it is not."""
        try:
            self._account()
        finally:
            self.device.spool.close()
            self.folder.cleanup()

    def _account(self) -> None:
        self._heal()
        for lane in LANES:
            marks = [mark for _, its, _, mark in self.hub.stored if its == lane and mark]
            assert len(marks) == len(set(marks)), "doubled"
            assert set(marks) <= set(self.made[lane])
            lost = len(self.made[lane]) - len(marks)
            self._explain(lane, lost)

    def _heal(self) -> None:
        """Life goes on: one more record in each lane, which is when a device notices that a hub was restored."""
        self.up.clear()
        self.down.clear()
        for lane in LANES:
            self.something_happens(lane, 1)
        self.device.rewind()
        for _ in range(100):
            sent = [self.device.send(lane) for lane in LANES]
            if not any(sent):
                break
            for batch in sent:
                if batch is not None:
                    self.device.hear(self.hub.take(batch))
        assert self.device.spool.depth() == dict.fromkeys(LANES, 0), "the device still waits"

    def _explain(self, lane: Lane, lost: int) -> None:
        if lane == "urgent" or not self.shortage:
            assert lost == self.hub.missing[lane]
        elif not self.restored:
            assert lost <= self.hub.missing[lane] + self.hub.dropped
        elif lost:
            # What told of the dropped ones may itself be among the missing: then it counts as one.
            assert self.hub.missing[lane] + self.hub.dropped


class PromiseWithRoom(Promise):
    """The same on a roomy disk, where the count of what is missing is exact in both lanes."""

    shortage = False


SETTINGS = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.parametrize("machine", [Promise, PromiseWithRoom])
def test_nothing_confirmed_is_lost_or_doubled(machine: type[Promise]) -> None:
    run_state_machine_as_test(machine, settings=SETTINGS)


@pytest.mark.soak
@pytest.mark.parametrize("machine", [Promise, PromiseWithRoom])
def test_nothing_confirmed_is_lost_or_doubled_in_long_stories(machine: type[Promise]) -> None:
    run_state_machine_as_test(machine, settings=settings(SETTINGS, max_examples=1_500, stateful_step_count=60))


# ---- the rule itself, against its definition


def _slowly(at: int, received: Received) -> tuple[list[int], int] | None:
    """What is new, one record after the other, and the cursor after it."""
    if received.batch.after > at:
        return None
    new = []
    for seq in sorted([r.seq for r in received.batch.records] + [o.seq for o in received.oddities]):
        if seq > at:
            new.append(seq)
            at = seq
    return new, at


@given(
    st.integers(0, 12),
    st.integers(0, 12),
    st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=6),
    st.integers(0, 20),
)
def test_the_rule_is_what_a_slow_reader_finds(at: int, after: int, steps: list[tuple[int, bool]], missing: int) -> None:
    records, oddities, seq = [], [], after
    for step, odd in steps:
        seq += step
        if odd:
            oddities.append(Oddity(seq, b"?", "odd"))
        else:
            records.append(Record(seq, "alarm", "b", 1, 1, "synced", msgspec.Raw(b"{}")))
    received = Received(Batch("0" * 16, "bulk", after, tuple(records), missing), tuple(oddities))
    taken, expected = cursor.take(at, received), _slowly(at, received)
    assert (taken is None) == (expected is None)
    if taken is None:
        return
    new = sorted([r.seq for r in taken.records] + [o.seq for o in taken.oddities])
    assert (new, taken.through) == expected
    first = min((seq for seq in (*(r.seq for r in records), *(o.seq for o in oddities))), default=None)
    if first is None or first <= at:
        assert taken.missing == 0
    else:
        assert taken.missing == min(missing, first - at - 1)
