"""Loop: what the interfaces carried, at least every quarter of an hour, at midnight in Japan, and before going off.

1. Every sample goes into the spool for the hub and into the book for the tablet's own page, one without the other.
2. A round that comes late is made once, not caught up. A pace that was ordered anew counts from the last round on.
3. At 00:00 in Japan, where the clock is set: so no byte has to be split between two months.
4. When the agent ends, so that nothing between the last round and a reboot is lost; that is on disk before it is gone.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

from edge_agent.clock import Clock, Stamp
from edge_agent.effective import Holder
from edge_agent.fleet.usage import Counters
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from edge_agent.tablet.bus import Bus, Heard, Way
from edge_agent.tablet.counters import Occasion, usage_of
from edge_agent.tablet.route import default_interface
from edge_agent.tablet.usage_book import UsageBook
from edge_agent.tablet.usage_view import Sample
from wire.messages import Usage

log = logging.getLogger(__name__)

_DAY_MS = 86_400_000
_JAPAN_MS = 9 * 3_600_000
# A clock may be set meanwhile: midnight is looked for anew at least so often.
_LOOK_S = 30.0


class Sampler:
    """One tablet's samples. `counters` reads the kernel's figures; both it and `bus` may block."""

    def __init__(
        self,
        spool: AsyncSpool,
        clock: Clock,
        holder: Holder,
        book: UsageBook,
        counters: Callable[[], tuple[Counters, ...]],
        bus: Bus,
        *,
        every_s: int = 900,
        proc: Path = Path("/proc"),
    ) -> None:
        self._spool, self._clock, self._holder, self._book = spool, clock, holder, book
        self._counters, self._bus, self._every_s, self._proc = counters, bus, every_s, proc
        self._failing: set[str] = set()
        # What the bus told at the last sample; None before the first.
        self.heard: Heard | None = None

    async def run(self) -> None:
        """Samples until cancelled, and once more then."""
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        self._holder.watch(lambda _: changed.set())
        try:
            await self.sample("round")
            taken_s, midnight_ms = loop.time(), next_midnight(self._clock.now_ms())
            while True:
                changed.clear()
                now, at_s = self._clock.stamp(), loop.time()
                if now.clock != "unset" and now.at_ms >= midnight_ms:
                    await self.sample("midnight")
                    taken_s = at_s
                elif at_s - taken_s >= self._period_s():
                    await self.sample("round")
                    taken_s = at_s
                midnight_ms = next_midnight(now.at_ms)
                wait_s = min(_LOOK_S, taken_s + self._period_s() - at_s, (midnight_ms - now.at_ms) / 1000)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(0.01, wait_s)):
                        await changed.wait()
        finally:
            await asyncio.shield(self.sample("shutdown"))

    def _period_s(self) -> int:
        return min(self._every_s, self._holder.now.usage_every_s)

    async def sample(self, occasion: Occasion) -> None:
        """One sample; a disk that takes nothing is told once."""
        usage, stamp = await self._read(occasion)
        await self._kept("spool", self._to_spool(usage, stamp))
        await self._kept("book", asyncio.to_thread(self._book.put, usage, stamp))

    async def samples(self) -> list[Sample]:
        """Those in the book, and what the counters say at this moment. Raises sqlite3.Error."""
        usage, stamp = await self._read("round")
        kept = await asyncio.to_thread(self._book.samples)
        boot_ms = stamp.at_ms - stamp.mono_ms
        return [
            *kept,
            *(
                Sample(
                    stamp.boot, stamp.at_ms, one.name, one.link, one.rx_bytes, one.tx_bytes, one.sim, one.bits, boot_ms
                )
                for one in usage.interfaces
                if one.link == "mobile" or one.link == "wifi"  # noqa: PLR1714 (so the type is known)
            ),
        ]

    async def hear(self) -> Heard:
        """What the bus tells now, or the kernel, where it is the way out and nobody says."""
        heard = await asyncio.to_thread(self._bus.look)
        if heard.online_by == "unknown":
            heard = heard._replace(online_by=await asyncio.to_thread(self._way))
        self.heard = heard
        return heard

    def _way(self) -> Way:
        """The link of the default route's interface."""
        name = default_interface(self._proc)
        links = {one.name: one.link for one in usage_of(self._counters(), (), "round").interfaces}
        way = links.get(name)
        if way == "wifi" or way == "mobile" or way == "wired":  # noqa: PLR1714 (so the type is known)
            return way
        return "unknown" if name else "none"

    async def _read(self, occasion: Occasion) -> tuple[Usage, Stamp]:
        """What there is now. Stamped before: the figures are at least that new."""
        stamp = self._clock.stamp()
        # Before the machine goes off nobody waits for a modem: what was heard last is true enough.
        heard = self.heard if occasion == "shutdown" and self.heard is not None else await self.hear()
        return usage_of(await asyncio.to_thread(self._counters), heard.modems, occasion), stamp

    async def _to_spool(self, usage: Usage, stamp: Stamp) -> None:
        await self._spool.append("usage", usage, stamp)

    async def _kept(self, where: str, keeping: Awaitable[None]) -> None:
        try:
            await keeping
        except (SpoolFull, sqlite3.Error, OSError) as error:
            if where not in self._failing:
                log.warning("usage cannot be kept in the %s: %s", where, error)
            self._failing.add(where)
        else:
            if where in self._failing:
                log.info("usage is kept in the %s again", where)
            self._failing.discard(where)


def next_midnight(at_ms: int) -> int:
    """The next 00:00 in Japan after a moment, in UTC ms."""
    return (at_ms + _JAPAN_MS) // _DAY_MS * _DAY_MS + _DAY_MS - _JAPAN_MS
