"""The spool: every record lies here, on this disk, until the hub says that it has it.

1. `append` returns only when the record is durable (SQLite, WAL, synchronous=FULL).
2. A seq counts from 1 in each lane and is never given twice, whatever is deleted.
3. Acked records stay for days, marked, and are offered again when the hub's cursor turns out to be behind.
4. When room is short: acked records go first, then health is thinned, then bulk goes oldest first and is counted
   in a `dropped` record. An urgent record that does not fit even then is refused aloud (SpoolFull).
5. SQLite cannot delete on a full disk, so a ballast file is given up for the moment that it takes.
6. A value that goes with a record (`beside`: what was counted so far) is written in its transaction: both or none.

One thread owns a Spool; `edge_agent.spool_thread` gives it to an event loop.
"""

import contextlib
import logging
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_agent import spool_file, spool_room
from edge_agent.clock import Stamp
from wire import codec
from wire.messages import (
    BATCH_BYTES,
    BATCH_PLAIN_BYTES,
    BODY_BYTES,
    LANES,
    RECORDS_PER_BATCH,
    Ack,
    Batch,
    ClockQuality,
    Dropped,
    Lane,
    Record,
)

log = logging.getLogger(__name__)


_Row = tuple[int, str, str, int, int, ClockQuality, bytes]


class SpoolFull(Exception):
    """An urgent record does not fit even after everything that may go has gone."""


class Entry(NamedTuple):
    """What is to be kept: kind, body as JSON, and when it happened."""

    kind: str
    body: bytes
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A batch ready for the wire: `payload` holds `count` records past `after`, the last of them `through`."""

    lane: Lane
    after: int
    through: int
    count: int
    payload: bytes


class Spool:
    """Records of one device on its disk. Not thread-safe: one thread owns it."""

    def __init__(self, path: Path, *, max_bytes: int, ballast_bytes: int, stamp: Callable[[], Stamp]) -> None:
        self._path = path
        self._stamp = stamp
        ballast = path.with_suffix(".ballast")
        self._file = spool_file.open_file(path, max_bytes=max_bytes, ballast=ballast)
        self._db = self._file.db
        self.was_broken = self._file.was_broken
        # Marks for which the disk had no room: kept in memory until it has.
        self._unsaved: dict[int, int] = {}
        self._room = spool_room.Room(self._db, ballast, ballast_bytes=ballast_bytes, bulk_bytes=max_bytes * 7 // 10)

    @property
    def spool_id(self) -> str:
        """16 hex digits, random, new with each spool file."""
        row = self._db.execute("SELECT spool FROM identity").fetchone()
        return str(row[0])

    # ---- in

    def append(self, kind: str, body: bytes, stamp: Stamp) -> int:
        """Keeps one record and returns its seq once it is on disk. Raises SpoolFull, ValueError (too long)."""
        return self.append_many([Entry(kind, body, stamp)])[0]

    def append_many(self, entries: Sequence[Entry], beside: Mapping[str, bytes] | None = None) -> list[int]:
        """Keeps all or none, in one transaction, with the values beside them; the seqs in the same order.

        Raises as `append` does.
        """
        for entry in entries:
            if len(entry.body) > BODY_BYTES:
                raise ValueError(f"{entry.kind}: a body of {len(entry.body)} bytes; at most {BODY_BYTES}")
        return self._keep(entries, beside=beside or {})

    def _keep(
        self, entries: Sequence[Entry], told: Dropped | None = None, beside: Mapping[str, bytes] | None = None
    ) -> list[int]:
        """Keeps all or none; with them goes what they tell off the list of what was dropped. Raises SpoolFull."""
        self._room.bound_growth()
        incoming = sum(len(e.body) + spool_room.ROW_BYTES for e in entries if codec.lane_of(e.kind) == "bulk")
        if incoming and self._room.bulk_is_over(incoming):
            self._room.shrink_bulk(self._stamp())
        while True:
            try:
                return self._insert(entries, told, beside or {})
            except sqlite3.OperationalError as error:
                if not spool_file.is_full(error):
                    raise
                self._save_marks()
                if not self._room.make(self._stamp()):
                    raise SpoolFull(str(error)) from error

    def _insert(self, entries: Iterable[Entry], told: Dropped | None, beside: Mapping[str, bytes]) -> list[int]:
        seqs: list[int] = []
        with spool_file.transaction(self._db):
            following = dict(self._db.execute("SELECT lane, next_seq FROM lane").fetchall())
            rows = []
            for kind, body, stamp in entries:
                lane = LANES.index(codec.lane_of(kind))
                seqs.append(following[lane])
                rows.append((lane, following[lane], kind, *stamp, body))
                following[lane] += 1
            self._db.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            self._db.executemany(
                "UPDATE lane SET next_seq = ? WHERE lane = ?",
                [(seq, lane) for lane, seq in following.items()],
            )
            self._db.executemany("INSERT OR REPLACE INTO beside VALUES (?, ?)", list(beside.items()))
            if told is not None:
                self._room.take_told(told)
        self._room.added(rows)
        return seqs

    def beside(self, prefix: str) -> dict[str, bytes]:
        """The values whose names begin so, as the last record that they went with left them."""
        rows = self._db.execute(
            "SELECT name, value FROM beside WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name", (prefix,)
        )
        return {name: bytes(value) for name, value in rows}

    def can_write(self) -> bool:
        """Whether the disk takes a write now; changes nothing."""
        try:
            with spool_file.transaction(self._db):
                self._db.execute("UPDATE lane SET next_seq = next_seq")
        except sqlite3.OperationalError:
            return False
        return True

    # ---- out

    def cursor(self, lane: Lane) -> int:
        """The seq through which the hub has said that it has this lane."""
        return self._lane(lane)[0]

    def depth(self) -> dict[Lane, int]:
        """How many records of each lane the hub does not have yet."""
        rows = self._db.execute(
            "SELECT lane, (SELECT count(*) FROM record r WHERE r.lane = l.lane AND r.seq > l.acked) FROM lane l"
        ).fetchall()
        return {LANES[lane]: count for lane, count in rows}

    def waiting(self, lane: Lane) -> int:
        """How many records of one lane the hub does not have yet; reads no other lane's pages."""
        row = self._db.execute(
            "SELECT count(*) FROM record WHERE lane = ?1 AND seq > (SELECT acked FROM lane WHERE lane = ?1)",
            (LANES.index(lane),),
        ).fetchone()
        return int(row[0])

    def batch(self, lane: Lane, after: int) -> Outgoing | None:
        """The next records past `after`, as many as one batch may carry, or None when there are none."""
        if lane == "bulk":
            self._tell_dropped()
        rows = self._db.execute(
            "SELECT seq, kind, boot, mono_ms, at_ms, clock, body FROM record WHERE lane = ? AND seq > ? "
            "ORDER BY seq LIMIT ?",
            (LANES.index(lane), after, RECORDS_PER_BATCH),
        ).fetchall()
        rows = _fitting(rows)
        while rows:
            outgoing = self._encode(lane, after, rows)
            if len(outgoing.payload) <= BATCH_BYTES:
                return outgoing
            rows = rows[: len(rows) // 2]
        return None

    def _encode(self, lane: Lane, after: int, rows: list[_Row]) -> Outgoing:
        records = tuple(_record(row) for row in rows)
        missing = self._purged_between(lane, after, records[0].seq)
        payload = codec.encode(Batch(self.spool_id, lane, after, records, missing))
        return Outgoing(lane, after, records[-1].seq, len(records), payload)

    def _purged_between(self, lane: Lane, after: int, before: int) -> int:
        """How many acked records past `after` and before seq `before` are no longer kept."""
        rows = self._db.execute(
            "SELECT first_seq, last_seq, count FROM purged WHERE lane = ? AND last_seq > ? AND first_seq < ?",
            (LANES.index(lane), after, before),
        ).fetchall()
        return sum(min(count, last - max(first - 1, after)) for first, last, count in rows)

    def _tell_dropped(self) -> None:
        """Puts what had to be dropped since it was last told into one record."""
        told = self._room.dropped()
        if told is not None:
            # No room even for that: it stays on the list.
            with contextlib.suppress(SpoolFull):
                self._keep([Entry("dropped", codec.encode_body(told), self._stamp())], told)

    # ---- acks

    def take_ack(self, ack: Ack) -> bool:
        """Moves the mark to where the hub is, forward or back. False when the ack is about another spool."""
        if ack.spool != self.spool_id:
            return False
        acked, next_seq = self._lane(ack.lane)
        if ack.through >= next_seq:
            self._room.press(self._become_new)
        elif ack.through != acked:
            self._unsaved[LANES.index(ack.lane)] = ack.through
            self._save_marks()
        return True

    def _save_marks(self) -> None:
        """Puts the marks on disk; those for which a full one has no room wait for the next chance."""
        if self._unsaved:
            self._room.press(self._write_marks)

    def _write_marks(self) -> None:
        with spool_file.transaction(self._db):
            self._db.executemany(
                "UPDATE lane SET acked = ? WHERE lane = ?", [(seq, lane) for lane, seq in self._unsaved.items()]
            )
        self._unsaved.clear()

    def _become_new(self) -> None:
        """The hub knows more of this spool than we do: this file is an old copy, and its next seqs are taken.

        A new name makes every seq new; what the hub had already acked before the copy is not offered again.
        """
        log.warning("the hub knows records of this spool that are not here: the spool takes a new name")
        with spool_file.transaction(self._db):
            self._db.execute("DELETE FROM record WHERE seq <= (SELECT acked FROM lane WHERE lane.lane = record.lane)")
            self._db.execute("DELETE FROM purged")
            self._db.execute("UPDATE lane SET acked = 0")
            self._db.execute("UPDATE identity SET spool = ?", (secrets.token_hex(8),))
        self._unsaved.clear()
        self._room.recount()

    def _lane(self, lane: Lane) -> tuple[int, int]:
        number = LANES.index(lane)
        row = self._db.execute("SELECT acked, next_seq FROM lane WHERE lane = ?", (number,)).fetchone()
        return self._unsaved.get(number, int(row[0])), int(row[1])

    # ---- reading back and keeping house

    def recent(self, kind: str, limit: int) -> list[Record]:
        """The newest records of a kind, oldest first, acked or not."""
        rows = self._db.execute(
            "SELECT seq, kind, boot, mono_ms, at_ms, clock, body FROM record WHERE lane = ? AND kind = ? "
            "ORDER BY seq DESC LIMIT ?",
            (LANES.index(codec.lane_of(kind)), kind, limit),
        ).fetchall()
        return [_record(row) for row in reversed(rows)]

    def tidy(self, *, older_than_ms: int) -> int:
        """Forgets acked records from before a moment; how many. Call it when the clock can be trusted."""
        return self._room.purge_acked(older_than_ms=older_than_ms)

    def close(self) -> None:
        """Leaves the file tidy, so that the next start needs no check."""
        self._save_marks()
        self._file.close()
        self._room.leave_ballast()


def _fitting(
    rows: list[_Row],
) -> list[_Row]:
    """The first rows whose plain JSON stays below the wire's limit; at least one."""
    size = 0
    for index, row in enumerate(rows):
        size += len(row[6]) + spool_room.ROW_BYTES
        if size > BATCH_PLAIN_BYTES and index:
            return rows[:index]
    return rows


def _record(row: _Row) -> Record:
    return Record(row[0], row[1], row[2], row[3], row[4], row[5], msgspec.Raw(row[6]))
