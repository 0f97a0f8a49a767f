"""Loop: how the device is and what its interfaces carried, into the spool at a steady pace.

1. The first record of each kind is made at once: after a start, the hub sees at once how the device is.
2. A round that comes late is made once, not caught up.
3. A pace that was ordered anew counts from the last round on.
3. What the machine is made of is told after each start, and again when it changed.
"""

import asyncio
import contextlib
import importlib.metadata
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

from edge_agent.clock import Clock
from edge_agent.effective import Effective, Holder, of_settings
from edge_agent.fleet import inventory, usage
from edge_agent.fleet.probe import Probe, Vitals
from edge_agent.settings import Settings
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from wire.messages import Health, Inventory, Lane

log = logging.getLogger(__name__)

# The hub sends a new certificate until it hears from here that the device has it.
_INVENTORY_EVERY_S = 60


class ReaderState(Protocol):
    """How the card reader is, as attendance knows it."""

    @property
    def state(self) -> str:
        """`ready`, or what is wrong, in a few words."""
        ...

    @property
    def since_ms(self) -> int | None:
        """Since when, wall clock in UTC ms."""
        ...


async def run(
    settings: Settings,
    spool: AsyncSpool,
    clock: Clock,
    *,
    reader: ReaderState | None = None,
    probe: Probe | None = None,
    root: Path = Path("/"),
    holder: Holder | None = None,
    counts_usage: bool = True,
) -> None:
    """Appends `health`, `usage` and `inventory` records until cancelled; `root` is where /proc and /sys lie.

    Without `counts_usage` another task tells the usage (a lent tablet's own).
    """
    holder = holder or Holder(of_settings(settings))
    probe = probe or Probe(Path(settings.state_dir), settings.device, settings.supervisor_socket)
    version = await asyncio.to_thread(importlib.metadata.version, "machinaka")

    async def health() -> None:
        vitals = await asyncio.to_thread(probe.vitals)
        body = health_of(vitals, version, await spool.depth(), clock.max_error_ms(), reader)
        await spool.append("health", body, clock.stamp())

    async def counters() -> None:
        # Stamped before: the figures are at least that new.
        stamp = clock.stamp()
        await spool.append("usage", usage.usage_of(await asyncio.to_thread(probe.counters)), stamp)

    made_of = _MadeOf(root, Path(settings.state_dir) / "identity", version)

    async def parts() -> None:
        stamp = clock.stamp()
        if found := await asyncio.to_thread(made_of.news):
            await spool.append("inventory", found, stamp)
            made_of.told = found

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_every("health", holder, lambda now: now.health_every_s, health), name="health")
        if counts_usage:
            tasks.create_task(_every("usage", holder, lambda now: now.usage_every_s, counters), name="usage")
        tasks.create_task(_every("inventory", holder, lambda _: _INVENTORY_EVERY_S, parts), name="inventory")


class _MadeOf:
    """What the machine is made of, against what was told of it since the start."""

    def __init__(self, root: Path, identity: Path, version: str) -> None:
        self._root, self._identity, self._version = root, identity, version
        self.told: Inventory | None = None

    def news(self) -> Inventory | None:
        """What to tell, or None when it was told."""
        found = inventory.inventory(self._root, self._identity, self._version)
        return found if inventory.is_news(self.told, found) else None


def health_of(
    vitals: Vitals,
    version: str,
    depth: Mapping[Lane, int],
    clock_max_error_ms: int | None,
    reader: ReaderState | None,
) -> Health:
    """The health record of what the machine told and what the agent knows of itself."""
    return Health(
        cpu_permille=vitals.cpu_permille,
        memory_total=vitals.memory_total,
        memory_available=vitals.memory_available,
        disk_total=vitals.disk_total,
        disk_free=vitals.disk_free,
        uptime_s=vitals.uptime_s,
        version=version,
        agent_rss=vitals.agent_rss,
        temperature_milli_c=vitals.temperature_milli_c,
        throttled=vitals.throttled,
        load_milli=vitals.load_milli,
        spool_urgent=depth.get("urgent", 0),
        spool_bulk=depth.get("bulk", 0),
        clock_max_error_ms=clock_max_error_ms,
        processes=vitals.processes,
        reader=reader.state[:200] if reader else "",
        reader_since_ms=reader.since_ms if reader else None,
    )


async def _every(
    what: str, holder: Holder, period_s: Callable[[Effective], float], do: Callable[[], Awaitable[None]]
) -> None:
    """Rounds at a steady pace; a disk that takes nothing is told once, and the next round tries again."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()
    holder.watch(lambda _: changed.set())
    due = loop.time()
    failing = False
    while True:
        try:
            await do()
        except (SpoolFull, sqlite3.Error, OSError) as error:
            if not failing:
                log.warning("%s cannot be kept: %s", what, error)
            failing = True
        else:
            if failing:
                log.info("%s is kept again", what)
            failing = False
        begun = due
        while (due := max(begun + period_s(holder.now), loop.time())) > loop.time():
            changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await changed.wait()
