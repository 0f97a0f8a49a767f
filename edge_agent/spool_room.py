"""Room in the spool: what goes first when it is short, and the ballast that makes deleting possible at all."""

import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from edge_agent import spool_file
from edge_agent.clock import Stamp
from wire import codec
from wire.messages import INT64_MAX, LANES, Dropped

log = logging.getLogger(__name__)


# What a row takes beside its body: the other columns and the page's own lists.
ROW_BYTES = 128
_URGENT, _BULK = LANES.index("urgent"), LANES.index("bulk")
_ROWS_AT_ONCE = 200
_DAY_MS = 86_400_000
_THIN_MS = 600_000
_PURGED_RUNS = 4000
_ROOMY_PAGES = 32
# What the write-ahead log may need (its checkpoint comes at 128 pages): the file stops growing before this is touched.
_HEADROOM_BYTES = 768 * 1024


class Room:
    """Keeps the spool inside its bounds. Belongs to the thread that owns the spool."""

    def __init__(self, db: sqlite3.Connection, ballast: Path, *, ballast_bytes: int, bulk_bytes: int) -> None:
        self._db = db
        self._ballast = ballast
        self._folder = ballast.parent
        self._ballast_bytes = ballast_bytes
        self._bulk_cap = bulk_bytes
        self._bulk_bytes = 0
        self._short = False
        self._grown = False
        self._max_pages = self._pragma("max_page_count")
        self.recount()
        self._fill_ballast()

    def recount(self) -> None:
        """Reads anew how much the bulk lane takes."""
        self._bulk_bytes = self._db.execute(
            "SELECT coalesce(sum(length(body) + ?), 0) FROM record WHERE lane = ?", (ROW_BYTES, _BULK)
        ).fetchone()[0]

    def _pragma(self, text: str) -> int:
        return int(self._db.execute(f"PRAGMA {text}").fetchone()[0])

    def bound_growth(self) -> None:
        """Stops the file growing while the file system has only the log's room left, and lets it grow after."""
        free = spool_file.free_bytes(self._folder)
        if not self._grown and free < _HEADROOM_BYTES:
            self._grown = True
            self._pragma(f"max_page_count = {self._pragma('page_count')}")
        elif self._grown and free > 2 * _HEADROOM_BYTES:
            self._grown = False
            self._pragma(f"max_page_count = {self._max_pages}")

    def added(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Counts what was kept; the body is a row's last column."""
        self._bulk_bytes += sum(ROW_BYTES + len(r[-1]) for r in rows if r[0] == _BULK)

    def _removed(self, lane: int, lengths: Iterable[int]) -> None:
        """Counts what has gone: a full count would read the whole lane at each step."""
        if lane == _BULK:
            self._bulk_bytes -= sum(ROW_BYTES + length for length in lengths)

    def bulk_is_over(self, incoming: int) -> bool:
        """Whether the bulk lane would take more than its share."""
        return self._bulk_bytes + incoming > self._bulk_cap

    def shrink_bulk(self, now: Stamp) -> None:
        """Frees part of the bulk lane's share; urgent records are not touched."""
        # The file system may be full as well: without ballast even this could fail, and then `make` is next.
        with contextlib.suppress(sqlite3.OperationalError):
            _ = self._purge_acked(_BULK) or self._thin(now) or self._drop_bulk()

    def make(self, now: Stamp) -> bool:
        """Frees some room by whatever may go first. False when nothing may go any more."""
        if not self._short:
            self._short = True
            log.warning("the spool is short of room: the oldest that may go goes")
        self._ballast.unlink(missing_ok=True)
        freed = self.press(lambda: self._purge_any_acked() or self._thin(now) or self._drop_bulk())
        self._write_back()
        self._fill_ballast()
        return bool(freed)

    def press(self, write: Callable[[], int | None]) -> int | None:
        """Does a write that a full disk may refuse; None when it did.

        It is tried once more after the log was written back: the log then begins anew in the room that it has.
        """
        for last in (False, True):
            try:
                return write()
            except sqlite3.OperationalError as error:
                if not spool_file.is_full(error):
                    raise
            if not last:
                self._write_back()
        return None

    def purge_acked(self, *, older_than_ms: int) -> int:
        """Forgets all acked records from before a moment, in steps; how many went. Ends a shortage."""
        total = 0
        for lane in (_URGENT, _BULK):
            through = self._old_through(lane, older_than_ms)
            while gone := self.press(lambda lane=lane, through=through: self._purge_acked(lane, through)):  # type: ignore[misc]
                total += gone
        self.recover()
        return total

    def _old_through(self, lane: int, older_than_ms: int) -> int:
        """The last seq that is surely from before a moment; 0 when there is none.

        A record that says 1970 is as old as its neighbours: what its own clock said proves nothing.
        """
        fresh = self._db.execute(
            "SELECT seq FROM record WHERE lane = ? AND clock <> 'unset' AND at_ms >= ? ORDER BY seq LIMIT 1",
            (lane, older_than_ms),
        ).fetchone()
        old = self._db.execute(
            "SELECT max(seq) FROM record WHERE lane = ? AND seq < ? AND clock <> 'unset'",
            (lane, fresh[0] if fresh else INT64_MAX),
        ).fetchone()
        return int(old[0] or 0)

    def recover(self) -> None:
        """Ends a shortage once there is room again; call it after acks."""
        if not self._short:
            return
        while self._pragma("freelist_count") < _ROOMY_PAGES and self.press(self._purge_any_acked):
            pass
        if self._pragma("freelist_count") >= _ROOMY_PAGES and self._fill_ballast():
            self._short = False
            log.warning("the spool has room again")

    # ---- the steps, each one transaction

    def _purge_acked(self, lane: int, through: int = INT64_MAX) -> int:
        with spool_file.transaction(self._db):
            rows = self._db.execute(
                "SELECT seq, length(body) FROM record WHERE lane = ? AND seq <= ? "
                "AND seq <= (SELECT acked FROM lane WHERE lane = ?) ORDER BY seq LIMIT ?",
                (lane, through, lane, _ROWS_AT_ONCE),
            ).fetchall()
            if rows:
                seqs = [seq for seq, _ in rows]
                self._remove(lane, seqs)
                self._note_purged(lane, seqs)
        self._removed(lane, (length for _, length in rows))
        return len(rows)

    def _purge_any_acked(self) -> int:
        return self._purge_acked(_BULK) or self._purge_acked(_URGENT)

    def _thin(self, now: Stamp) -> int:
        """Health that is older than a day: one sample in ten minutes is kept."""
        with spool_file.transaction(self._db):
            rows = self._db.execute(
                "SELECT kind, seq, body FROM record r WHERE lane = ?1 AND kind = 'health' "
                "AND seq > (SELECT acked FROM lane WHERE lane = ?1) AND at_ms < ?2 AND EXISTS ("
                "  SELECT 1 FROM record o WHERE o.lane = ?1 AND o.seq < r.seq AND o.seq > r.seq - 64"
                "  AND o.seq > (SELECT acked FROM lane WHERE lane = ?1)"
                "  AND o.kind = 'health' AND o.boot = r.boot AND o.mono_ms / ?3 = r.mono_ms / ?3)"
                " ORDER BY seq LIMIT ?4",
                (_BULK, now.at_ms - _DAY_MS, _THIN_MS, _ROWS_AT_ONCE),
            ).fetchall()
            self._give_up(rows)
        self._removed(_BULK, (len(body) for _, _, body in rows))
        return len(rows)

    def _drop_bulk(self) -> int:
        """The oldest go; clock readings last of all, for taps from before the clock was set live by them."""
        with spool_file.transaction(self._db):
            rows = self._oldest_bulk("AND kind <> 'clock'") or self._oldest_bulk("")
            self._give_up(rows)
        self._removed(_BULK, (len(body) for _, _, body in rows))
        return len(rows)

    def _oldest_bulk(self, which: str) -> list[tuple[str, int, bytes]]:
        return self._db.execute(
            "SELECT kind, seq, body FROM record WHERE lane = ? AND seq > (SELECT acked FROM lane WHERE lane = ?) "  # noqa: S608
            f"{which} ORDER BY seq LIMIT ?",
            (_BULK, _BULK, _ROWS_AT_ONCE),
        ).fetchall()

    def _give_up(self, rows: list[tuple[str, int, bytes]]) -> None:
        """Deletes unacked bulk records and counts them as not told yet. Inside a transaction."""
        self._remove(_BULK, [seq for _, seq, _ in rows])
        self._db.executemany(
            "INSERT INTO untold VALUES (?, ?, ?, ?) ON CONFLICT (kind) DO UPDATE SET "
            "count = count + excluded.count, first_seq = min(first_seq, excluded.first_seq), "
            "last_seq = max(last_seq, excluded.last_seq)",
            [untold for row in rows for untold in _untold(*row)],
        )

    def _remove(self, lane: int, seqs: list[int]) -> None:
        self._db.executemany("DELETE FROM record WHERE lane = ? AND seq = ?", [(lane, s) for s in seqs])

    def _note_purged(self, lane: int, seqs: list[int]) -> None:
        """Adds runs of consecutive seqs; a run that continues the newest one extends it."""
        last = self._db.execute(
            "SELECT first_seq, last_seq, count FROM purged WHERE lane = ? ORDER BY first_seq DESC LIMIT 1",
            (lane,),
        ).fetchone()
        for first, end in _runs(seqs):
            # An acked record that was offered again and acked again counts once: its run is there already.
            if last and first == last[1] + 1:
                last = (last[0], end, last[2] + end - first + 1)
            else:
                last = (first, end, end - first + 1)
            self._db.execute("INSERT OR REPLACE INTO purged VALUES (?, ?, ?, ?)", (lane, *last))
        self._merge_oldest(lane)

    def _merge_oldest(self, lane: int) -> None:
        """Bounds the list: the two oldest runs become one with their sum."""
        rows = self._db.execute(
            "SELECT first_seq, last_seq, count FROM purged WHERE lane = ? ORDER BY first_seq", (lane,)
        ).fetchall()
        surplus = len(rows) - _PURGED_RUNS
        if surplus <= 0:
            return
        merged = rows[: surplus + 1]
        self._db.execute("DELETE FROM purged WHERE lane = ? AND first_seq <= ?", (lane, merged[-1][0]))
        self._db.execute(
            "INSERT INTO purged VALUES (?, ?, ?, ?)",
            (lane, merged[0][0], merged[-1][1], sum(count for _, _, count in merged)),
        )

    # ---- what was dropped

    def dropped(self) -> Dropped | None:
        """What was given up and not told yet, as the body of a record."""
        rows = self._db.execute("SELECT kind, count, first_seq, last_seq FROM untold").fetchall()
        if not rows:
            return None
        return Dropped(
            {kind: count for kind, count, _, _ in rows},
            "bulk",
            min(row[2] for row in rows),
            max(row[3] for row in rows),
        )

    def take_told(self, told: Dropped) -> None:
        """Takes what a record tells off the list. Inside the transaction that keeps the record: told once."""
        self._db.executemany(
            "UPDATE untold SET count = count - ? WHERE kind = ?", [(n, k) for k, n in told.counts.items()]
        )
        self._db.execute("DELETE FROM untold WHERE count <= 0")

    # ---- the ballast

    def _write_back(self) -> None:
        """Moves the log's pages into the file, so that the log begins anew; not where the file has to grow for it."""
        try:
            self._db.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        except sqlite3.OperationalError as error:
            if not spool_file.is_full(error):
                raise

    def leave_ballast(self) -> None:
        """After the file is closed: what its log leaves free is kept for the next start, which needs as much."""
        if not self._has_ballast():
            self._allocate(min(self._ballast_bytes, spool_file.free_bytes(self._folder)))

    def _fill_ballast(self) -> bool:
        """Takes the ballast's bytes for real; False when the disk has not that much left."""
        if self._has_ballast():
            return True
        if spool_file.free_bytes(self._folder) < self._ballast_bytes + _HEADROOM_BYTES:
            return False
        return self._allocate(self._ballast_bytes)

    def _has_ballast(self) -> bool:
        return self._ballast.exists() and self._ballast.stat().st_size == self._ballast_bytes

    def _allocate(self, size_bytes: int) -> bool:
        try:
            with self._ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(size_bytes, 1))
        except OSError:
            self._ballast.unlink(missing_ok=True)
            return False
        return True


def _untold(kind: str, seq: int, body: bytes) -> list[tuple[str, int, int, int]]:
    """What is to be told of a record that is given up: (kind, count, first seq, last seq).

    One that was to tell of others gives its counts back, or those would go without a word.
    """
    if kind == "dropped":
        with contextlib.suppress(codec.Unreadable):
            told: Dropped = codec.decode_body(kind, body)
            return [(each, count, told.first_seq, told.last_seq) for each, count in told.counts.items()]
    return [(kind, 1, seq, seq)]


def _runs(seqs: list[int]) -> list[tuple[int, int]]:
    """Ascending seqs as runs of consecutive ones."""
    runs: list[tuple[int, int]] = []
    for seq in seqs:
        if runs and runs[-1][1] + 1 == seq:
            runs[-1] = (runs[-1][0], seq)
        else:
            runs.append((seq, seq))
    return runs
