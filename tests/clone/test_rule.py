"""The rule: no honest device is ever called a copy, whatever happens to it; two at once always are, soon."""

import random
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.fleet import clone
from hub.fleet.clone import RUNS_KEPT, Run, Stretch
from tests.ingest.parts import record
from wire.messages import Presence


class Honest:
    """One device, its agent's run, its disk and the hub that hears it; `do` is whatever may happen to them."""

    def __init__(self) -> None:
        self.number = self.at = self.on_disk = self.copied = 0
        self.delivered: list[Run] = []
        self.acked = 0
        self.runs: tuple[Run, ...] = ()
        self.before: list[tuple[Run, ...]] = [()]
        self.start(0)

    def start(self, _: int) -> None:
        """A reboot, a power cut, a crash, an update: the agent begins anew."""
        self.number += 1
        self.at = self.on_disk

    def connect(self, count: int) -> None:
        """A connection; on a full disk (0) its number does not outlast the run."""
        self.lose(1, kept=count > 0)
        self.delivered.append(Run(f"run {self.number}", self.at))
        self._hear(self.delivered[-1:])

    def lose(self, count: int, *, kept: bool = True) -> None:
        """Connections of which the hub never hears: it or the broker was away."""
        self.at += count
        if kept:
            self.on_disk = self.at

    def again(self, count: int) -> None:
        """The broker was not told that the last ones have arrived, and tells them again before anything new."""
        self.acked = max(self.acked, len(self.delivered) - count)
        self._hear(self.delivered[self.acked :])

    def restore(self, ago: int) -> None:
        """The hub's database is put back from a backup; what the broker still has to tell comes first."""
        self.runs = self.before[max(0, len(self.before) - 1 - ago)]
        self.again(ago // 2)

    def copy(self, _: int) -> None:
        """Somebody copies the disk."""
        self.copied = self.on_disk

    def put_back(self, _: int) -> None:
        """The disk is the copy from now on; the machine was off meanwhile."""
        self.on_disk = self.copied
        self.start(0)

    def _hear(self, told: list[Run]) -> None:
        for run in told:
            self.runs, cloned = clone.hear(self.runs, run)
            assert not cloned
            self.before.append(self.runs)


DOINGS: tuple[Callable[[Honest, int], None], ...] = (
    Honest.start,
    Honest.connect,
    Honest.connect,
    Honest.lose,
    Honest.again,
    Honest.restore,
    Honest.copy,
    Honest.put_back,
)


@settings(max_examples=500)
@given(st.lists(st.tuples(st.sampled_from(DOINGS), st.integers(0, 12)), max_size=80))
def test_an_honest_device_is_never_called_a_copy(steps: list[tuple[Callable[[Honest, int], None], int]]) -> None:
    device = Honest()
    for do, how_much in steps:
        do(device, how_much)
    assert len(device.runs) <= RUNS_KEPT


def test_disk_is_put_back_while_the_broker_tells_twice() -> None:
    runs = tuple[Run, ...]()
    for run in (Run("a", 7), Run("a", 8), Run("b", 3), Run("a", 8), Run("b", 3), Run("b", 4)):
        runs, cloned = clone.hear(runs, run)
        assert not cloned


@given(
    st.lists(st.integers(0, 1), min_size=3, max_size=40),
    st.tuples(st.integers(0, 50), st.integers(0, 50)),
    st.lists(st.integers(0, 20), max_size=5),
)
def test_two_that_take_turns_are_found_when_the_first_returns(
    turns: list[int], connections: tuple[int, int], earlier: list[int]
) -> None:
    runs = tuple[Run, ...]()
    for number in earlier:
        runs, _ = clone.hear(runs, Run(f"before {number}", number))
    at, told, expected = list(connections), list[int](), False
    for turn in turns:
        at[turn] += 1
        runs, cloned = clone.hear(runs, Run("ab"[turn], at[turn]))
        expected = turn in told and told[-1] != turn
        assert cloned == expected
        # After that only whose turn it is counts: see `hub/ingest_apart.py`.
        told = [turn] if cloned else [*told, turn]
        if cloned:
            assert runs == (Run("ab"[turn], at[turn]),)


@given(st.integers(0, 10_000))
def test_two_agents_that_push_each_other_off_return_within_a_minute(seed: int) -> None:
    """The back-off of `edge_agent/uplink.py`: 1 s doubled to 60, each between a half and all of it, anew after 10 s."""
    chance = random.Random(seed)
    now_s, since_s, pause_s = 0.0, [0.0, 0.0], [float(chance.choice([1, 2, 8, 60])) for _ in range(2)]
    runs, connection, on, second_came_s = tuple[Run, ...](), [0, 0], 0, 0.0
    runs, _ = clone.hear(runs, Run("a", 1))
    connection[0] = 1
    while True:
        off = 1 - on
        connection[off] += 1
        since_s[off] = now_s
        runs, cloned = clone.hear(runs, Run("ab"[off], connection[off]))
        if connection == [1, 1]:
            second_came_s = now_s
        if cloned:
            break
        # Whoever was on is off now, and waits.
        if now_s - since_s[on] > 10:
            pause_s[on] = 1
        now_s += pause_s[on] * chance.uniform(0.5, 1)
        pause_s[on] = min(pause_s[on] * 2, 60)
        on = off
    assert now_s - second_came_s <= 60


def test_an_agent_of_another_make_is_known_by_its_boot() -> None:
    first, second = Presence(True, "b1", 1), Presence(True, "b2", 1)
    runs, _ = clone.hear((), clone.run_of(first))
    assert clone.addressed(runs) == ""
    runs, _ = clone.hear(runs, clone.run_of(second))
    runs, cloned = clone.hear(runs, clone.run_of(Presence(True, "b1", 2)))
    assert cloned
    assert clone.addressed(()) == ""
    assert clone.addressed((clone.run_of(Presence(True, "b1", 2, run="r")),)) == "r"


# ---- one number, two records

seqs = st.lists(st.tuples(st.integers(1, 4), st.sampled_from("abc")), min_size=1, max_size=30)


@given(seqs, st.integers(0, 40), st.integers(1, 10))
def test_what_a_lane_says_again_is_no_stranger_and_another_boot_s_is(
    steps: list[tuple[int, str]], start: int, size: int
) -> None:
    """Whole life of a lane, batch by batch, each said twice; then the same numbers from elsewhere."""
    seq, records = start, []
    for gap, boot in steps:
        seq += gap
        records.append(record(seq, boot=boot))
    stretches: list[Stretch] = []
    for at in range(0, len(records), size):
        batch = records[at : at + size]
        last = stretches[-1].boot if stretches else ""
        if len({one.boot for one in batch}) > 1 and batch[0].boot == batch[-1].boot == last:
            return  # a boot that comes back within one batch: no device's
        stretches += clone.follow(last, batch)
        for again in (batch, records[: at + size]):
            assert clone.strangers(stretches, again, batch[-1].seq) == []
    elsewhere = [record(one.seq, boot="x") for one in records]
    assert clone.strangers(stretches, elsewhere, seq) == elsewhere
    assert clone.strangers(stretches, elsewhere, records[0].seq) == elsewhere[:1]
    assert clone.strangers(stretches, elsewhere, start) == []
    assert clone.strangers([], elsewhere, seq) == []


def test_kept_records_are_taken_in_under_a_name_of_their_own() -> None:
    names = {clone.spool_of(*each) for each in (("s", "r", "b"), ("s", "r", "c"), ("s", "q", "b"), ("t", "r", "b"))}
    assert len(names) == 4
    assert all(len(name) == 16 and int(name, 16) >= 0 for name in names)
    assert clone.spool_of("s", "r", "b") == clone.spool_of("s", "r", "b")
