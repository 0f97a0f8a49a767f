"""2,000 devices that were cut off come back at once, each with 500 records that it kept."""

from benchmarks.measured import Benchmark, Claim, Measured, Place, Side
from benchmarks.parts import SHARES, Memory, run_fleet, town
from hub.simulate_fleet import Plan


def return_at_once(place: Place) -> Measured:
    """All connect, then all send at the same moment; everything must be acked."""
    devices = place.size(2_000, 100)
    with town(place.fresh) as (broker, hub):
        assert hub.process is not None
        plan = Plan("127.0.0.1", broker.port, devices, 0, 500, SHARES, records=devices * 500, ca=str(broker.pki.folder))
        with Memory(hub.process.pid) as memory:
            tally = run_fleet(plan)
    return {
        "acked": tally.acked,
        "not_acked": tally.made - tally.acked,
        "seconds": tally.duration_s,
        "rss_mb": memory.peak_mb,
    }


BENCHMARK = Benchmark(
    "2,000 devices come back at once",
    "Each has 500 records in its spool. The hub's memory is bounded however many there are.",
    (Side("hub", return_at_once),),
    (
        Claim("records not acked", lambda m: m["hub"]["not_acked"], "at most", 0, ("hub",)),
        Claim("the hub's peak memory", lambda m: m["hub"]["rss_mb"], "at most", 300, ("hub",), "MB"),
    ),
)
