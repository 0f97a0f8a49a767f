"""Takes out what is overdue: when the hub starts, before a page is served (a backup that was put back shows nothing
overdue either), and once a day.

1. Devices are counted by place and day while there are pseudonyms to count.
2. Some rows a transaction, so that records are taken in meanwhile.
3. Then keys go by age, and the write-ahead log is emptied: what was deleted is in neither file.
4. Then it is counted anew, and a proof is written: what was deleted, of before when, and how much is left over (0).
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hub import audit, shown
from hub.db import Connection, Db, Fault
from hub.wifi import keys, purge_store, retention, usage_store
from hub.wifi.purge_store import STEPS, Span, Step
from hub.wifi.retention import Cut, Proof

log = logging.getLogger(__name__)

_ROWS, _EVENTS = 2_000, 20_000
_LOOK_EVERY_S = 600
# A reader holds the log for milliseconds.
_EMPTY_TRIES, _EMPTY_PAUSE_S = 50, 0.1


def purge(db: Db, folder: Path, now_ms: int, *, always: bool = True) -> Proof | None:
    """Takes out everything that is overdue now; the proof. Not `always`: none when there was nothing to take out.

    `folder` holds the keys of the Wi-Fi. Not on the event loop. Raises Fault, OSError.
    """
    keep_days = db.read(purge_store.setting).keep_days
    cut = retention.cut(now_ms, keep_days)
    _count_devices(db)
    counts: dict[str, int] = {step.what: _take_all(db, step, cut) for step in STEPS}
    counts["raw"] = sum(_take_raw(db, span, cut) for span in db.read(lambda conn: purge_store.spans(conn, cut)))
    today = shown.moment(now_ms).date()
    counts["day_keys"] = keys.destroy_day_keys(folder, keys.last_kept(today))
    counts["sealing_keys"] = keys.destroy_sealing_keys(folder, retention.first_month_kept(cut.before_ms))
    if not always and not any(counts.values()):
        return None
    if not _empty_log(db):
        log.warning("the write-ahead log could not be emptied: somebody reads; it is tried again with the next run")
    return db.write_now(partial(_prove, now_ms=now_ms, cut=cut, counts=counts))


def _count_devices(db: Db) -> None:
    """How many devices there were in a place on a day cannot be counted any more once their pseudonyms have gone."""
    found = db.read(lambda conn: usage_store.uncounted(conn, 0))
    if found:
        db.write_now(lambda conn: usage_store.count(conn, found))


def _take_all(db: Db, step: Step, cut: Cut) -> int:
    taken = 0
    while n := db.write_now(lambda conn: purge_store.take(conn, step, cut, _ROWS)):
        taken += n
    return taken


def _take_raw(db: Db, span: Span, cut: Cut) -> int:
    taken, left = 0, span
    while True:
        rest, n = db.write_now(partial(purge_store.take_raw, span=left, cut=cut, limit=_EVENTS))
        taken += n
        if rest is None:
            return taken
        left = rest


def _empty_log(db: Db) -> bool:
    for _ in range(_EMPTY_TRIES):
        if db.empty_log():
            return True
        time.sleep(_EMPTY_PAUSE_S)
    return False


def _prove(conn: Connection, now_ms: int, cut: Cut, counts: dict[str, int]) -> Proof:
    left_over = sum(purge_store.due(conn, cut).values())
    ordered: dict[str, int] = {what: counts[what] for what in retention.WHAT}
    proof = purge_store.prove(conn, now_ms, cut.before_ms, ordered, left_over)
    # Held fast by the audit log's chain and its anchors: a cut tail shows there.
    audit.note(conn, now_ms, audit.SYSTEM, "wifi_purge", str(proof.id), proof.hash)
    return proof


# ---- the loop


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def first(db: Db, folder: Path, now_ms: Callable[[], int] = _now_ms) -> None:
    """At the start: a disk that is full must not keep the hub from its other work, and is told."""
    try:
        await asyncio.to_thread(purge, db, folder, now_ms(), always=False)
    except (Fault, OSError) as fault:
        log.warning("what is overdue of the Wi-Fi is not deleted: %s", fault)


async def run(db: Db, folder: Path, now_ms: Callable[[], int] = _now_ms) -> None:
    """Once a day until cancelled; a fault is told once. A town without a Wi-Fi has no proofs of its emptiness."""
    failing, done = False, ""
    while True:
        today = shown.day_of(now_ms())
        try:
            if done != today:
                last_ms, has_any = await db.aread(
                    lambda conn: (purge_store.last_run_ms(conn), purge_store.has_any(conn))
                )
                was_run = last_ms is not None and shown.day_of(last_ms) == today
                await asyncio.to_thread(purge, db, folder, now_ms(), always=has_any and not was_run)
                done = today
        except (Fault, OSError) as fault:
            if not failing:
                log.warning("what is overdue of the Wi-Fi is not deleted: %s", fault)
            failing = True
        else:
            if failing:
                log.info("what is overdue of the Wi-Fi is deleted again")
            failing = False
        await asyncio.sleep(_LOOK_EVERY_S)
