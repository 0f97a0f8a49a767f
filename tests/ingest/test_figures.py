"""Usage and health by the hour, and true time: rules against a slow oracle, and through the intake."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.attendance import store as attendance
from hub.db import Db
from hub.fleet import store
from hub.fleet.known import Known
from hub.fleet.truetime import HOUR_MS, Anchor, true_ms
from hub.ingest_group import Group
from tests.ingest.parts import BOOT, HEALTH, NOW_MS, SPOOL, batch, punch, record
from wire import codec, topics
from wire.messages import ClockReading, Health, Interface, Record, Usage

UP = topics.topic("terminal-1", "up")
HOUR = NOW_MS - NOW_MS % HOUR_MS


class Intake:
    """Groups into a database, without a broker."""

    def __init__(self, path: Path, received_ms: int = NOW_MS + 1000) -> None:
        self.db = Db(path)
        self.db.open()
        self.known = Known(self.db)
        self.received_ms = received_ms

    def take(self, *records: Record, after: int | None = None) -> None:
        """One batch, one group."""
        group = Group(self.known, self.received_ms)
        group.add(UP, codec.encode(batch(records[0].seq - 1 if after is None else after, *records)))
        self.db.write_now(group.close())

    def usage(self) -> list[store.UsageHour]:
        """All hours of the only device."""
        return self.db.read(lambda conn: store.usage_series(conn, 1, 0, 2**62))


counters = st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(0, 5), st.integers(0, 1))


@settings(max_examples=40, deadline=None)
@given(readings=st.lists(counters, max_size=30), cuts=st.sets(st.integers(0, 30)), forgets=st.booleans())
def test_usage_is_the_sum_of_differences_within_a_boot(
    tmp_path_factory: pytest.TempPathFactory,
    readings: list[tuple[int, int, int, int]],
    cuts: set[int],
    forgets: bool,
) -> None:
    """Each reading is (boot, rx, tx, interface); batches are cut anywhere, and the memory lost in between."""
    intake = Intake(tmp_path_factory.mktemp("usage") / "hub.db")
    records = [
        record(seq, Usage((Interface(f"if{name}", rx, tx, "wifi"),)), "usage", boot=f"boot {boot}")
        for seq, (boot, rx, tx, name) in enumerate(readings, 1)
    ]
    edges = [0, *sorted(cut for cut in cuts if 0 < cut < len(records)), len(records)]
    for begin, end in itertools.pairwise(edges):
        if end > begin:
            intake.take(*records[begin:end])
            if forgets:
                intake.known.forget()
    expected: dict[str, list[int]] = {}
    for i, (boot, rx, tx, name) in enumerate(readings):
        before = [(r, t) for b, r, t, n in readings[:i] if (b, n) == (boot, name)]
        last_rx, last_tx = before[-1] if before else (0, 0)
        if rx < last_rx or tx < last_tx:
            last_rx = last_tx = 0
        total = expected.setdefault(f"if{name}", [0, 0])
        total[0] += rx - last_rx
        total[1] += tx - last_tx
    assert {u.interface: [u.rx_bytes, u.tx_bytes] for u in intake.usage()} == expected
    intake.db.close()


def test_a_repeated_batch_counts_no_usage_twice(tmp_path: Path) -> None:
    intake = Intake(tmp_path / "hub.db")
    readings = [record(seq, Usage((Interface("eth0", 10 * seq, seq),)), "usage") for seq in (1, 2, 3)]
    intake.take(*readings)
    intake.take(*readings)
    intake.take(*readings[1:], after=0)
    assert [(u.hour_ms, u.rx_bytes, u.tx_bytes) for u in intake.usage()] == [(HOUR, 30, 3)]
    intake.db.close()


def test_the_first_reading_ever_of_a_device_long_up_is_where_counting_begins(tmp_path: Path) -> None:
    intake = Intake(tmp_path / "hub.db")

    def reading(seq: int, rx: int, **more: object) -> Record:
        return record(seq, Usage((Interface("eth0", rx, 0),)), "usage", **more)  # type: ignore[arg-type]

    intake.take(reading(1, 10**12, mono_ms=30 * 24 * HOUR_MS))
    assert sum(u.rx_bytes for u in intake.usage()) == 0
    intake.take(reading(2, 10**12 + 5, mono_ms=30 * 24 * HOUR_MS))
    assert sum(u.rx_bytes for u in intake.usage()) == 5
    # Known by now: what a later boot had used before its first reading counts.
    intake.take(reading(3, 100, mono_ms=2 * HOUR_MS, boot="next"))
    assert sum(u.rx_bytes for u in intake.usage()) == 105
    intake.db.close()


def test_health_by_the_hour_and_single_samples(tmp_path: Path) -> None:
    intake = Intake(tmp_path / "hub.db", HOUR + HOUR_MS)
    for seq, (cpu, at_ms) in enumerate(((100, HOUR), (300, HOUR + 1), (9999, HOUR - 1)), 1):
        body = Health(cpu, 1000, 500, 0, 0, 1, temperature_milli_c=40_000 if seq == 1 else None, spool_bulk=seq)
        intake.take(record(seq, body, at_ms=at_ms))
    hours = intake.db.read(lambda conn: store.health_series(conn, 1, HOUR - HOUR_MS, HOUR + 90 * HOUR_MS))
    assert hours.hourly
    assert hours.at_ms == [HOUR - HOUR_MS, HOUR]
    assert hours.cpu_permille == [1000, 200]
    assert hours.memory_used_permille == [500, 500]
    assert hours.disk_used_permille == [0, 0]
    assert hours.temperature_milli_c == [None, 40_000]
    assert hours.spool_depth == [3, 2]
    raw = intake.db.read(lambda conn: store.health_series(conn, 1, HOUR, HOUR + 2 * HOUR_MS))
    assert not raw.hourly
    assert (raw.at_ms, raw.cpu_permille) == ([HOUR, HOUR + 1], [100, 300])
    intake.db.close()


def test_single_samples_are_found_across_marks_and_months(tmp_path: Path) -> None:
    end_of_month = 1_793_491_200_000  # 2026-11-01
    intake = Intake(tmp_path / "hub.db")
    for seq, received_ms in enumerate(range(end_of_month - 3 * HOUR_MS, end_of_month + 2 * HOUR_MS, HOUR_MS // 2), 1):
        intake.received_ms = received_ms
        intake.take(record(seq, HEALTH, at_ms=received_ms))
    assert intake.db.read(store.months) == ["202610", "202611"]
    begin = end_of_month - HOUR_MS
    raw = intake.db.read(lambda conn: store.health_series(conn, 1, begin, end_of_month + 2 * HOUR_MS))
    assert raw.at_ms == list(range(begin, end_of_month + 2 * HOUR_MS, HOUR_MS // 2))
    assert intake.db.read(store.totals).events == 10
    intake.db.close()


@given(
    at_ms=st.integers(-(2**63) + 1, 2**63 - 1),
    mono_ms=st.integers(-(2**63) + 1, 2**63 - 1),
    clock=st.sampled_from([0, 1, 2]),
    anchors=st.lists(st.builds(Anchor, st.integers(0, 2**40), st.integers(0, 2**42)), max_size=4),
)
def test_a_true_time_can_always_be_shown(at_ms: int, mono_ms: int, clock: int, anchors: list[Anchor]) -> None:
    assert 0 <= true_ms(at_ms, mono_ms, clock, anchors) <= 4_102_444_800_000


def test_the_nearest_clock_reading_of_the_boot_places_a_record() -> None:
    anchors = [Anchor(1_000, NOW_MS), Anchor(100_000, NOW_MS + 99_500)]
    assert true_ms(5, 2_000, 2, anchors) == NOW_MS + 1_000
    assert true_ms(5, 99_000, 1, anchors) == NOW_MS + 98_500
    assert true_ms(5, 99_000, 0, anchors) == 5
    assert true_ms(5, 99_000, 2, []) == 5


def test_taps_from_before_the_clock_was_set_get_their_true_time_and_keep_the_raw_one(tmp_path: Path) -> None:
    intake = Intake(tmp_path / "hub.db")
    intake.take(punch(1, mono_ms=10_000, at_ms=10_000, clock="unset"))
    intake.take(punch(2, mono_ms=1, at_ms=77, clock="unset", boot="another"))
    (other, tap) = intake.db.read(attendance.latest_taps)
    assert (tap.at_ms, tap.true_ms, tap.clock) == (10_000, 10_000, "unset")
    # The same batch brings figures from before, which are counted in their true hour.
    intake.take(
        record(3, HEALTH, mono_ms=20_000, at_ms=20_000, clock="unset"),
        record(4, ClockReading(NOW_MS, 60_000), "clock", mono_ms=60_000),
        record(5, b'{"wall_ms":5,"mono_ms":1}', "clock"),
    )
    (other, tap) = intake.db.read(attendance.latest_taps)
    assert (tap.at_ms, tap.true_ms) == (10_000, NOW_MS - 50_000)
    assert (other.at_ms, other.true_ms) == (77, 77)
    hours = intake.db.read(lambda conn: store.health_series(conn, 1, 0, 2**42))
    assert hours.at_ms == [(NOW_MS - 40_000) // HOUR_MS * HOUR_MS]
    assert [kept.seq for kept in intake.db.read(store.quarantine)] == [5]
    # A hub that has forgotten looks the reading up.
    intake.known.forget()
    row = intake.db.read(lambda conn: store.device(conn, "terminal-1"))
    assert row is not None
    assert (row.health_at_ms, row.boot, BOOT != "another", SPOOL != "") == (NOW_MS - 40_000, "", True, True)
    intake.db.close()
