"""A device that was cut off for long sends what it kept: the agent's own spool and uplink against a real hub."""

import asyncio
import contextlib
import time
from pathlib import Path

from benchmarks.measured import Benchmark, Claim, Measured, Place, Side
from benchmarks.parts import town
from edge_agent.clock import Clock
from edge_agent.settings import BrokerSettings, Settings
from edge_agent.spool import Entry, Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.uplink import Uplink
from hub.simulate_records import Voice
from tests.certificates import pki
from wire.messages import BATCHES_UNDER_WAY


def _keep(spool: Spool, records: int) -> None:
    """Puts records into the spool, as if they had gathered while the hub was away."""
    voice, clock = Voice(1, {"health": 1}), Clock(Path("unused"))
    kept = 0
    while kept < records:
        batch = voice.batch("bulk", kept, min(500, records - kept))
        spool.append_many([Entry(r.kind, bytes(r.body), clock.stamp()) for r in batch.records])
        kept += len(batch.records)


async def _drain(folder: Path, port: int, records: int, under_way: int) -> float:
    settings = Settings("terminal-1", "terminal", str(folder), BrokerSettings(port=port, bulk_every_s=1))
    clock = Clock(folder / "good-time")
    spool = AsyncSpool(lambda: Spool(folder / "spool.db", max_bytes=256 << 20, ballast_bytes=524288, stamp=clock.stamp))
    uplink = Uplink(settings, spool, clock, version="bench", under_way=under_way)
    began: list[float] = []
    uplink.watch(lambda state: began.append(time.monotonic()) if state.connected and not began else None)
    task = asyncio.create_task(uplink.run(), name="uplink")
    while await spool.cursor("bulk") < records:  # noqa: ASYNC110 (it is elsewhere)
        await asyncio.sleep(0.005)
    ended_s = time.monotonic()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await asyncio.to_thread(spool.close)
    return records / (ended_s - began[0])


def _measure(place: Place, under_way: int) -> Measured:
    records = place.size(50_000, 2_000)
    folder = place.fresh / "device"
    pki().identity("terminal-1", folder / "identity")
    spool = Spool(folder / "spool.db", max_bytes=256 << 20, ballast_bytes=524288, stamp=Clock(folder / "t").stamp)
    _keep(spool, records)
    spool.close()
    with town(place.fresh) as (broker, _):
        return {"records_s": asyncio.run(_drain(folder, broker.port, records, under_way))}


def one(place: Place) -> Measured:
    """It waits for each ack before it sends the next batch."""
    return _measure(place, 1)


def window(place: Place) -> Measured:
    """As agents do: four batches under way."""
    return _measure(place, BATCHES_UNDER_WAY)


BENCHMARK = Benchmark(
    "A device drains 50,000 kept records",
    "The agent's own spool and uplink; broker and hub on the same cores. Without TCP_NODELAY each batch takes 40 ms.",
    (Side("one batch under way", one), Side("four batches under way", window)),
    (
        Claim(
            "records a second, one batch under way",
            lambda m: m["one batch under way"]["records_s"],
            "at least",
            20_000,
            ("one batch under way",),
        ),
    ),
)
