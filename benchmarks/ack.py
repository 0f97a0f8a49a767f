"""How long a device waits for the hub's own ack, after the commit, at a steady rate."""

from benchmarks.measured import Benchmark, Claim, Measured, Place, Side
from benchmarks.parts import SHARES, run_fleet, town
from hub.simulate_fleet import Plan


def _latency(place: Place, *, rate: float, batch: int, devices: int) -> Measured:
    with town(place.fresh) as (broker, _):
        plan = Plan(
            "127.0.0.1", broker.port, devices, rate, batch, SHARES, seconds=place.size(8, 1), ca=str(broker.pki.folder)
        )
        tally = run_fleet(plan)
    return {"events_s": tally.rate, "p50_ms": tally.latency_ms(0.5), "p99_ms": tally.latency_ms(0.99)}


def one_by_one(place: Place) -> Measured:
    """500 devices, 5,000 messages a second of one event each."""
    return _latency(place, rate=5_000, batch=1, devices=500)


def batches(place: Place) -> Measured:
    """2,000 devices, 2,000 messages a second of 10 events each."""
    return _latency(place, rate=20_000, batch=10, devices=2_000)


BENCHMARK = Benchmark(
    "Publish to ack",
    "From the moment at which a batch is due to the hub's ack at the device, broker and devices on the same cores.",
    (Side("5,000 messages/s", one_by_one), Side("2,000 messages/s of 10", batches)),
    (
        Claim(
            "99th percentile at 5,000 messages a second",
            lambda m: m["5,000 messages/s"]["p99_ms"],
            "at most",
            15,
            ("5,000 messages/s",),
            "ms",
        ),
    ),
)
