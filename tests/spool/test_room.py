"""Room in the spool: what is forgotten first, counted by steps, and told once."""

import random
import sqlite3
from pathlib import Path

import pytest

from edge_agent.clock import Stamp
from edge_agent.spool import Entry, Spool
from tests.spool.test_spool import BODY, STAMP, ack, open_spool, seqs
from wire import codec
from wire.messages import ClockQuality, Dropped

_DAY_MS = 86_400_000


def _stamp(at_ms: int, clock: ClockQuality = "synced") -> Stamp:
    return Stamp("b00t", 1000, at_ms, clock)


def _kinds(spool: Spool) -> list[str]:
    return [kind for (kind,) in spool._db.execute("SELECT kind FROM record WHERE lane = 1 ORDER BY seq")]


def test_the_bulk_lane_is_counted_by_steps_as_a_full_count_would(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=1 << 20)
    chance = random.Random(7)
    for _ in range(400):
        body = b'"' + b"h" * chance.randrange(2000) + b'"'
        kind = chance.choice(["health", "usage", "clock", "punch"])
        spool.append(kind, body, _stamp(STAMP.at_ms - chance.randrange(5 * _DAY_MS)))
        if chance.random() < 0.02:
            ack(spool, "bulk", chance.randrange(spool._lane("bulk")[1]))
            spool.tidy(older_than_ms=STAMP.at_ms - _DAY_MS)
    counted = spool._room._bulk_bytes
    spool._room.recount()
    assert counted == spool._room._bulk_bytes > 0


def test_taps_of_1970_are_kept_as_long_as_their_neighbours(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    old, now = STAMP.at_ms - 30 * _DAY_MS, STAMP.at_ms
    stamps = [_stamp(old), _stamp(5000, "unset"), _stamp(old + 1), _stamp(9000, "unset"), _stamp(now), _stamp(old + 2)]
    for stamp in stamps:
        spool.append("punch", BODY, stamp)
    ack(spool, "urgent", 6)
    # The fourth lies between an old record and a new one: nobody knows, so it stays.
    assert spool.tidy(older_than_ms=now - 14 * _DAY_MS) == 3
    assert seqs(spool, "urgent", 0) == [4, 5, 6]


def test_what_is_not_acked_is_never_tidied(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for _ in range(5):
        spool.append("punch", BODY, _stamp(1))
    ack(spool, "urgent", 2)
    assert spool.tidy(older_than_ms=STAMP.at_ms) == 2
    assert seqs(spool, "urgent", 0) == [3, 4, 5]


def test_clock_readings_are_dropped_last(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=1 << 20)
    spool.append("clock", BODY, STAMP)
    for _ in range(3000):
        spool.append("usage", b'"' + b"u" * 600 + b'"', STAMP)
    assert _kinds(spool)[0] == "clock"
    assert set(_kinds(spool)) == {"clock", "usage"}
    assert spool._lane("bulk")[1] == 3002


def test_what_was_dropped_is_told_once_or_not_at_all(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    told = Dropped({"usage": 7}, "bulk", 1, 7)
    spool._db.execute("INSERT INTO untold VALUES ('usage', 10, 1, 10)")
    # A process that ends between keeping the record and crossing it off the list: both are one transaction.
    spool._db.execute("CREATE TRIGGER cut BEFORE UPDATE ON untold BEGIN SELECT RAISE(ABORT, 'cut off'); END")
    with pytest.raises(sqlite3.IntegrityError, match="cut off"):
        spool._keep([Entry("dropped", codec.encode_body(told), STAMP)], told)
    assert _kinds(spool) == []
    spool._db.execute("DROP TRIGGER cut")
    spool._keep([Entry("dropped", codec.encode_body(told), STAMP)], told)
    assert _kinds(spool) == ["dropped"]
    assert spool._db.execute("SELECT kind, count FROM untold").fetchall() == [("usage", 3)]
