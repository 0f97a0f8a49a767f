"""A million samples of lent tablets: how long their months take to fold, and to keep while they come.

Real are the database on the disk that is measured, its commits, and the keeper that the hub's ingest calls.
"""

import time
from collections.abc import Iterator

from benchmarks.measured import Benchmark, Claim, Measured, Medians, Place, Side
from hub.db import Connection, Db
from hub.tablet import usage_store
from hub.told import Told
from wire.messages import Interface, Usage

SAMPLES = 1_000_000
TABLETS = 300
_GROUP = 4000
_QUARTER_MS = 900_000
# 2026-10-01 in Japan.
_START_MS = 1_790_780_400_000
_PER_DAY = 96


def _records(tablets: int, each: int) -> Iterator[list[Told]]:
    """Every tablet's quarter hours, as groups of ingest have them: two interfaces a record, a boot a day."""
    group: list[Told] = []
    for n in range(each):
        boot, place = divmod(n, _PER_DAY)
        at_ms = _START_MS + n * _QUARTER_MS
        for tablet in range(1, tablets + 1):
            total = place * 1_000_003 + tablet
            usage = Usage(
                (
                    Interface("wwan0", total, total // 3, "mobile", f"89811{tablet:015d}"),
                    Interface("wlan0", total * 2, total, "wifi"),
                )
            )
            boot_id = boot * tablets + tablet
            where = (boot_id, tablet, place * _QUARTER_MS, 0)
            group.append(Told(tablet, f"tablet-{tablet}", n + 1, at_ms, at_ms, usage, str(boot_id), *where))
            if len(group) == _GROUP:
                yield group
                group = []
    if group:
        yield group


def _filled(place: Place) -> tuple[Db, int, float]:
    """A database with every sample, how many there are, and the seconds that keeping them took."""
    db = Db(place.fresh / "hub.db")
    db.open()
    tablets = place.size(TABLETS, 5)
    groups = list(_records(tablets, place.size(SAMPLES // 2 // TABLETS, 40)))
    began_s = time.perf_counter()
    for group in groups:
        db.write_now(lambda conn, group=group: usage_store.take(conn, group))  # type: ignore[misc]
    took_s = time.perf_counter() - began_s
    (samples,) = db.read(lambda conn: conn.execute("SELECT count(*) FROM usage_sample").fetchone())
    return db, samples, took_s


def _kept(place: Place) -> Measured:
    db, samples, took_s = _filled(place)
    db.close()
    return {"samples": samples, "million_ms": took_s * 1000 * SAMPLES / samples, "samples_s": samples / took_s}


def _folded(place: Place) -> Measured:
    db, samples, _ = _filled(place)
    kept = db.read(_months)
    db.write_now(lambda conn: conn.execute("DELETE FROM usage_month"))
    began_s = time.perf_counter()

    def fold(conn: Connection) -> None:
        for device_id in usage_store.devices(conn):
            usage_store.fold_device(conn, device_id)

    db.write_now(fold)
    took_s = time.perf_counter() - began_s
    # What was folded is what was kept while it came: a fold of something else would be quick too.
    assert db.read(_months) == kept
    db.close()
    return {"samples": samples, "million_ms": took_s * 1000 * SAMPLES / samples, "samples_s": samples / took_s}


def _months(conn: Connection) -> list[tuple[object, ...]]:
    return conn.execute(
        "SELECT device_id, month, sim, what, amount FROM usage_month WHERE amount <> 0 ORDER BY 1, 2, 3, 4"
    ).fetchall()


def _million(side: str) -> "Claim":
    def value(found: Medians) -> float:
        return found[side]["million_ms"] / 1000

    what = "seconds to fold a million samples into months" if side == "folded anew" else "seconds to keep a million"
    return Claim(what, value, "at most", 10 if side == "folded anew" else 60, (side,), " s")


BENCHMARK = Benchmark(
    title="A million samples of lent tablets",
    about="300 tablets, a record each quarter of an hour with two interfaces, a boot a day. *Folded anew* is "
    "`machinaka-hub usage-recompute`: samples read, months written, the cache made equal. *Kept as they come* is what "
    "ingest does beside storing the records: each sample stored and its months brought up to date, 4,000 records a "
    "commit.",
    sides=(Side("folded anew", _folded), Side("kept as they come", _kept)),
    claims=(_million("folded anew"), _million("kept as they come")),
    rounds=3,
)
