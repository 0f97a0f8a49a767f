"""Two thousand guests on one access point: what an accounting round takes, and how soon who agrees is let in.

Real are the sessions, their file, the spool and its fsync, on the disk that is measured. The kernel's counters come
from memory: what the kernel takes is `wifi_round`.
"""

import asyncio
import contextlib
import gc
import time

from benchmarks.measured import Benchmark, Claim, Measured, Medians, Place, Side, percentile
from edge_agent.clock import Clock
from edge_agent.effective import Effective, Holder
from edge_agent.settings import Settings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi.firewall import Counted, Limits
from edge_agent.wifi.guests import Agreed, Guests, Normal
from edge_agent.wifi.kit_task import KitHolder
from wire.messages import Ack

SESSIONS = 2000
_EVERY_S = 10
_AGREE = Agreed("2026-04", "ja")


class Memory:
    """Counters that rise for everybody at each look."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}
        self._looks = 0

    async def admit(self, address: str, mark: int, seconds: int, limits: Limits) -> None:
        """See Gate."""
        self._of[address] = mark

    async def prolong(self, mark: int, seconds: int) -> None:
        """See Gate."""

    async def limit(self, mark: int, limits: Limits) -> None:
        """See Gate."""

    async def remove(self, mark: int) -> Counted:
        """See Gate."""
        return Counted(0, 0)

    async def counters(self) -> dict[int, Counted]:
        """See Gate."""
        self._looks += 1
        return {mark: Counted(self._looks * 1000, self._looks * 9000) for mark in self._of.values()}

    async def admitted(self) -> dict[str, int]:
        """See Gate."""
        return dict(self._of)


def _address(number: int) -> str:
    return f"02:00:5e:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


class _Town:
    """One access point with that many guests."""

    def __init__(self, place: Place) -> None:
        self.open = True
        self.count = place.size(SESSIONS, 50)
        clock = Clock(place.fresh / "good-time")
        self.spool = AsyncSpool(
            lambda: Spool(place.fresh / "spool.db", max_bytes=256 << 20, ballast_bytes=512 << 10, stamp=clock.stamp)
        )
        settings = Settings(device="wifi-1", kind="access_point", state_dir=str(place.fresh))
        self.guests = Guests(
            settings,
            self.spool,
            clock,
            Holder(Effective()),
            Memory(),
            KitHolder(settings, self.spool, clock),
            lambda: Normal("normal" if self.open else "closed"),
        )

    async def fill(self) -> None:
        """Everybody agrees, some at a time."""
        await self.guests.restore()
        for first in range(0, self.count, 100):
            some = range(first, min(first + 100, self.count))
            await asyncio.gather(*(self.guests.agree(_address(number), _AGREE) for number in some))

    async def hub_takes_all(self) -> None:
        """So that the next tellings are not held back."""
        spool = await self.spool.spool_id()
        after = await self.spool.cursor("bulk")
        while (batch := await self.spool.batch("bulk", after)) is not None:
            after = batch.through
        await self.spool.take_ack(Ack(spool, "bulk", after))

    async def close(self) -> None:
        """Closes its files."""
        await self.guests.close()
        self.spool.close()


async def _rounds(place: Place) -> Measured:
    town = _Town(place)
    await town.fill()
    await town.guests.round()
    # As the agent does once it is loaded.
    gc.collect()
    gc.freeze()
    took_ms, cpu_ms = [], []
    for _ in range(place.size(30, 2)):
        await town.hub_takes_all()
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        await town.guests.round()
        took_ms.append((time.perf_counter() - wall_s) * 1000)
        cpu_ms.append((time.process_time() - cpu_s) * 1000)
    standing = town.guests.standing(_address(0))
    assert standing is not None
    # They were counted: a round that did nothing would be quick too.
    assert standing.bytes_left == Effective().quota_mb * 1_000_000 - 10_000 * (len(took_ms) + 1)
    await town.close()
    gc.unfreeze()
    return {
        "round_p50_ms": percentile(took_ms, 0.5),
        "round_max_ms": max(took_ms),
        "cpu_of_one_core_percent": percentile(cpu_ms, 0.5) / (_EVERY_S * 10),
    }


async def _telling_all(place: Place) -> Measured:
    """Every session ends and is told in one round: the worst that can come."""
    town = _Town(place)
    await town.fill()
    await town.guests.round()
    await town.hub_takes_all()
    # The house closes: everybody's session ends, and each is told.
    town.open = False
    wall_s = time.perf_counter()
    await town.guests.round()
    took_ms = (time.perf_counter() - wall_s) * 1000
    await town.close()
    return {"round_max_ms": took_ms}


async def _consents(place: Place) -> Measured:
    """Guests agree one after the other, with rounds going on all the time."""
    town = _Town(place)
    await town.fill()

    async def rounds() -> None:
        while True:
            await town.guests.round()
            await asyncio.sleep(0.5)

    work = asyncio.create_task(rounds())
    took_ms = []
    for number in range(town.count, town.count + place.size(200, 5)):
        wall_s = time.perf_counter()
        await town.guests.agree(_address(number), _AGREE)
        took_ms.append((time.perf_counter() - wall_s) * 1000)
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work
    await town.close()
    return {"agree_p50_ms": percentile(took_ms, 0.5), "agree_p99_ms": percentile(took_ms, 0.99)}


def _of(medians: Medians, side: str, figure: str) -> float:
    return medians[side][figure]


ROUND, TOLD, AGREE = "a round, everybody active", "a round that ends all", "agreeing beside rounds"

BENCHMARK = Benchmark(
    "Guests of an access point",
    f"{SESSIONS:,} open sessions, all of them with new bytes at each round; a round every {_EVERY_S} s. The kernel's "
    "own part is measured by itself.",
    (
        Side(ROUND, lambda place: asyncio.run(_rounds(place))),
        Side(TOLD, lambda place: asyncio.run(_telling_all(place))),
        Side(AGREE, lambda place: asyncio.run(_consents(place))),
    ),
    (
        Claim("an accounting round", lambda found: _of(found, ROUND, "round_p50_ms"), "at most", 250, (ROUND,), "ms"),
        Claim("of one core", lambda found: _of(found, ROUND, "cpu_of_one_core_percent"), "at most", 5, (ROUND,), "%"),
        Claim(
            "a round that ends everybody", lambda found: _of(found, TOLD, "round_max_ms"), "at most", 500, (TOLD,), "ms"
        ),
        Claim(
            "a consent, kept and let in (p99)",
            lambda found: _of(found, AGREE, "agree_p99_ms"),
            "at most",
            300,
            (AGREE,),
            "ms",
        ),
    ),
    rounds=3,
)
