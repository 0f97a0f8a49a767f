"""Whether the hub is as quick with ten million events on its disk as with none."""

from contextlib import closing
from pathlib import Path

from benchmarks.measured import Benchmark, Claim, Measured, Place, Side
from benchmarks.parts import SHARES, run_fleet, town
from hub.db import Db
from hub.simulate_fleet import Plan

_DEVICES, _BATCH = 200, 500


def _rate(folder: Path, records: int) -> float:
    with town(folder) as (broker, _):
        return run_fleet(
            Plan("127.0.0.1", broker.port, _DEVICES, 0, _BATCH, SHARES, records=records, ca=str(broker.pki.folder))
        ).rate


def first(place: Place) -> Measured:
    """A hub that has nothing yet takes a million in."""
    return {"events_s": _rate(place.fresh, place.size(1_000_000, 20_000))}


def later(place: Place) -> Measured:
    """The same with ten million events there; they came in the same way, before the first round."""
    hub = place.kept / "grown"
    if not hub.exists():
        _rate(hub, place.size(10_000_000, 100_000))
    stored = _stored(hub / "hub" / "hub.db")
    return {"events_s": _rate(hub, place.size(1_000_000, 20_000)), "stored_before": stored}


def _stored(database: Path) -> int:
    with closing(Db(database)) as db:
        return db.read(lambda conn: int(conn.execute("SELECT sum(through) FROM lane").fetchone()[0]))


BENCHMARK = Benchmark(
    "Ten million events",
    "Append-only events and small tables beside them: the intake must not slow down as the file grows.",
    (Side("first million", first), Side("after ten million", later)),
    (
        Claim(
            "after ten million ÷ first million, events a second",
            lambda m: m["after ten million"]["events_s"] / m["first million"]["events_s"],
            "at least",
            0.85,
            ("first million", "after ten million"),
        ),
    ),
)
