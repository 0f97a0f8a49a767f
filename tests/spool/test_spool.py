"""The spool keeps its promise: seqs, acks forward and back, room, kills, broken files."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.clock import Stamp
from edge_agent.spool import Entry, Spool, SpoolFull
from wire import codec
from wire.messages import LANES, Ack, Dropped, Lane

STAMP = Stamp("b00t", 1000, 1_790_000_000_000, "synced")
BODY = b'{"n":1}'


def open_spool(folder: Path, *, max_bytes: int = 8 << 20, ballast_bytes: int = 65536) -> Spool:
    """A spool in a folder, small enough to fill."""
    return Spool(folder / "spool.db", max_bytes=max_bytes, ballast_bytes=ballast_bytes, stamp=lambda: STAMP)


def seqs(spool: Spool, lane: Lane, after: int) -> list[int]:
    """The seqs of the next batch."""
    outgoing = spool.batch(lane, after)
    return [] if outgoing is None else [r.seq for r in codec.decode_batch(outgoing.payload).batch.records]


def missing(spool: Spool, lane: Lane, after: int) -> int:
    """What the next batch says is missing."""
    outgoing = spool.batch(lane, after)
    assert outgoing is not None
    return codec.decode_batch(outgoing.payload).batch.missing


def ack(spool: Spool, lane: Lane, through: int) -> None:
    """The hub says that it has the lane through a seq."""
    assert spool.take_ack(Ack(spool.spool_id, lane, through))


def punch_until_full(spool: Spool) -> int:
    """How many punches were taken before one was refused."""
    for punches in range(20_000):
        try:
            spool.append("punch", b'{"x":"' + b"p" * 400 + b'"}', STAMP)
        except SpoolFull:
            return punches
    raise AssertionError("20,000 punches fitted")


def test_lanes_count_for_themselves_and_a_batch_joins(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    assert [spool.append("punch", BODY, STAMP) for _ in range(3)] == [1, 2, 3]
    assert spool.append("health", BODY, STAMP) == 1
    outgoing = spool.batch("urgent", 1)
    assert outgoing is not None
    assert (outgoing.after, outgoing.through, outgoing.count) == (1, 3, 2)
    batch = codec.decode_batch(outgoing.payload).batch
    assert (batch.spool, batch.lane, batch.after, batch.missing) == (spool.spool_id, "urgent", 1, 0)
    assert bytes(batch.records[0].body) == BODY
    assert spool.depth() == {"urgent": 3, "bulk": 1}


def test_a_batch_keeps_within_records_and_bytes(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=64 << 20)
    noise = [msgspec.json.encode(os.urandom(6000).hex()) for _ in range(30)]
    spool.append_many([Entry("punch", BODY, STAMP)] * 600)
    spool.append_many([Entry("usage", body, STAMP) for body in noise])
    first = spool.batch("urgent", 0)
    assert first is not None
    assert first.count == 500
    large = spool.batch("bulk", 0)
    assert large is not None
    assert len(large.payload) <= 60 * 1024
    assert large.count >= 1


def test_a_seq_is_never_given_twice(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for _ in range(5):
        spool.append("punch", BODY, STAMP)
    ack(spool, "urgent", 5)
    assert spool.tidy(older_than_ms=STAMP.at_ms + 1) == 5
    spool.close()
    again = open_spool(tmp_path)
    assert again.append("punch", BODY, STAMP) == 6
    assert again.depth()["urgent"] == 1


def test_an_ack_that_goes_back_offers_again_and_tells_what_is_missing(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for number in range(10):
        spool.append("punch", BODY, STAMP._replace(at_ms=STAMP.at_ms + number))
    ack(spool, "urgent", 8)
    assert spool.tidy(older_than_ms=STAMP.at_ms + 4) == 4  # 1 to 4 are gone
    ack(spool, "urgent", 2)
    assert spool.depth()["urgent"] == 6
    assert seqs(spool, "urgent", 2) == [5, 6, 7, 8, 9, 10]
    assert missing(spool, "urgent", 2) == 2
    assert missing(spool, "urgent", 5) == 0


def test_an_ack_of_another_spool_changes_nothing(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.append("punch", BODY, STAMP)
    assert not spool.take_ack(Ack("0" * 16, "urgent", 1))
    assert spool.depth()["urgent"] == 1


def test_a_spool_that_is_an_old_copy_takes_a_new_name(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for _ in range(4):
        spool.append("punch", BODY, STAMP)
    ack(spool, "urgent", 2)
    name = spool.spool_id
    ack(spool, "urgent", 40)
    assert spool.spool_id != name
    assert seqs(spool, "urgent", 0) == [3, 4]
    assert spool.cursor("urgent") == 0


def test_a_body_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at most 16384"):
        open_spool(tmp_path).append("punch", b'"' + b"x" * 20_000 + b'"', STAMP)


def test_full_spool_drops_bulk_first_counts_it_and_refuses_punches_last(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=1 << 20)
    health = b'{"x":"' + b"h" * 1000 + b'"}'
    for _ in range(1500):
        spool.append("health", health, STAMP)
    punches = punch_until_full(spool)
    assert punches > 1000
    assert spool.depth()["urgent"] == punches
    # Whatever was given up is told exactly; what is left and what was dropped is all there was.
    ack(spool, "urgent", punches)
    spool.append("usage", BODY, STAMP)
    told, kept, after = 0, 0, 0
    while (outgoing := spool.batch("bulk", after)) is not None:
        for record in codec.decode_batch(outgoing.payload).batch.records:
            kept += record.kind == "health"
            if record.kind == "dropped":
                told += codec.decode_body("dropped", record.body).counts["health"]
        after = outgoing.through
    assert told + kept == 1500
    assert told > 0


def test_acked_records_make_room_for_punches(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=1 << 20)
    for number in range(1, 20_001):
        spool.append_many([Entry("punch", b'{"x":"' + b"p" * 400 + b'"}', STAMP)])
        if number % 100 == 0:
            ack(spool, "urgent", number)
    assert spool.depth()["urgent"] == 0


def test_health_is_thinned_before_anything_is_dropped(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=1 << 20)
    two_days_ago = STAMP.at_ms - 2 * 86_400_000
    body = b'{"x":"' + b"h" * 1000 + b'"}'
    usage = [spool.append("usage", b'{"x":"' + b"u" * 1000 + b'"}', STAMP) for _ in range(20)]
    for minute in range(640):
        spool.append("health", body, Stamp("b00t", minute * 60_000, two_days_ago + minute * 60_000, "synced"))
    left = {r.seq: r for r in spool.recent("health", 1000)}
    assert len(spool.recent("usage", 100)) == len(usage)
    assert {r.mono_ms // 600_000 for r in left.values()} == set(range(64))


def test_a_broken_file_is_set_aside_and_a_fresh_spool_begins(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    name = spool.spool_id
    spool.close()
    (tmp_path / "spool.db").write_bytes(b"not a database at all" * 1000)
    fresh = open_spool(tmp_path)
    assert fresh.was_broken
    assert fresh.spool_id != name
    assert list(tmp_path.glob("spool.db.broken-*"))
    assert fresh.append("punch", BODY, STAMP) == 1


_CHILD = """
import sys
from pathlib import Path
from edge_agent.clock import Stamp
from edge_agent.spool import Spool
stamp = Stamp("b", 1, 1, "unset")
spool = Spool(Path(sys.argv[1]), max_bytes=8 << 20, ballast_bytes=65536, stamp=lambda: stamp)
while True:
    print(spool.append("punch", b"{}", stamp), flush=True)
"""


def test_killed_at_any_moment_every_confirmed_record_is_there(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    confirmed = 0
    for round_ in range(5):
        child = subprocess.Popen([sys.executable, "-c", _CHILD, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert int(child.stdout.readline()) > confirmed
        threading.Timer(0.05 + 0.03 * round_, child.send_signal, [signal.SIGKILL]).start()
        lines = [line for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        child.wait()
        child.stdout.close()
        confirmed = int(lines[-1])
        db = sqlite3.connect(path)
        assert db.execute("SELECT count(*), max(seq) FROM record").fetchone()[0] >= confirmed
        db.close()


def _mounted(folder: Path) -> Callable[[], None]:
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.decode().strip()}")

    def unmount() -> None:
        subprocess.run(["umount", "-l", str(folder)], check=True)

    return unmount


def test_a_full_disk_refuses_punches_aloud_and_recovers(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    unmount = _mounted(folder)
    try:
        spool = Spool(folder / "spool.db", max_bytes=256 << 20, ballast_bytes=512 << 10, stamp=lambda: STAMP)
        health = b'{"x":"' + b"h" * 500 + b'"}'
        for _ in range(6000):
            spool.append("health", health, STAMP)
        punches = punch_until_full(spool)
        assert punches > 2000
        assert spool.depth()["urgent"] == punches
        ack(spool, "urgent", punches)
        for _ in range(200):
            spool.append("punch", BODY, STAMP)
        dropped = spool.batch("bulk", 0)
        assert dropped is not None
        records = codec.decode_batch(dropped.payload).batch.records
        body = codec.decode_body("dropped", records[-1].body)
        assert isinstance(body, Dropped)
        left = len(spool.recent("health", 10_000))
        assert body.counts["health"] + left == 6000
        spool.close()
    finally:
        unmount()


class Oracle:
    """What the hub should hear, kept as plain sets."""

    def __init__(self) -> None:
        self.given: list[int] = []
        self.acked = 0
        self.purged: set[int] = set()

    def offered(self) -> list[int]:
        """Seqs past the hub's cursor that are still kept."""
        return [s for s in self.given if s > self.acked and s not in self.purged]

    def missing(self) -> int:
        """Purged ones between the cursor and the first that is offered."""
        offered = self.offered()
        return sum(1 for s in self.purged if offered and self.acked < s < offered[0])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(1, 30)),
            st.tuples(st.just("ack"), st.integers(0, 120)),
            st.tuples(st.just("purge"), st.integers(0, 120)),
        ),
        max_size=30,
    )
)
def test_cursor_and_missing_agree_with_plain_sets(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    spool = open_spool(tmp_path_factory.mktemp("spool"))
    oracle = Oracle()
    for what, number in steps:
        if what == "append":
            for _ in range(number):
                # A seq's own number is its time, so that purging by time is purging by seq.
                seq = spool.append("punch", BODY, STAMP._replace(at_ms=len(oracle.given) + 1))
                oracle.given.append(seq)
        elif what == "ack":
            oracle.acked = min(number, len(oracle.given))
            ack(spool, "urgent", oracle.acked)
        else:
            spool.tidy(older_than_ms=number)
            oracle.purged |= {s for s in oracle.given if s < number and s <= oracle.acked}
    assert spool.depth()["urgent"] == len(oracle.offered())
    assert seqs(spool, "urgent", oracle.acked) == oracle.offered()[:500]
    if oracle.offered():
        assert missing(spool, "urgent", oracle.acked) == oracle.missing()
    assert LANES == ("urgent", "bulk")
    spool.close()


def test_what_was_dropped_is_told_though_its_first_telling_is_dropped_too(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=256 << 10)
    large = b'{"x":"' + b"u" * 12_000 + b'"}'
    made = 0
    for _ in range(3):
        for _ in range(40):
            spool.append("usage", large, STAMP)
            made += 1
        spool.batch("bulk", 0)  # puts a `dropped` record into the lane; the batch is lost on its way
    told, left, after = 0, 0, 0
    while (outgoing := spool.batch("bulk", after)) is not None:
        for record in codec.decode_batch(outgoing.payload).batch.records:
            if record.kind == "dropped":
                told += codec.decode_body("dropped", record.body).counts["usage"]
            else:
                left += 1
        after = outgoing.through
    assert told + left == made
