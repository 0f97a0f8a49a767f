"""Health and usage go into a real spool at once and then at their pace."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge_agent.clock import Clock
from edge_agent.fleet import task
from edge_agent.settings import Settings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from wire import codec
from wire.messages import Health, Inventory, Usage


@dataclass(frozen=True)
class Reader:
    """What attendance says of its reader."""

    state: str = "ready"
    since_ms: int | None = 7


def test_records_of_both_kinds(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "good-time")
    settings = Settings(
        device="terminal-1", kind="terminal", state_dir=str(tmp_path), health_every_s=1, usage_every_s=3600
    )

    async def journey() -> tuple[list[Health], list[Usage], list[Inventory]]:
        spool = AsyncSpool(
            lambda: Spool(tmp_path / "spool.db", max_bytes=2**24, ballast_bytes=2**16, stamp=clock.stamp)
        )
        appended = asyncio.Semaphore(0)
        spool.on_append(lambda _lane: appended.release())
        running = asyncio.create_task(task.run(settings, spool, clock, reader=Reader()))
        # The first of each at once; then health alone goes on.
        async with asyncio.timeout(30):
            for _ in range(5):
                await appended.acquire()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        health = [codec.decode_body(r.kind, r.body) for r in await spool.recent("health", 9)]
        usage = [codec.decode_body(r.kind, r.body) for r in await spool.recent("usage", 9)]
        made_of = [codec.decode_body(r.kind, r.body) for r in await spool.recent("inventory", 9)]
        spool.close()
        return health, usage, made_of

    health, usage, made_of = asyncio.run(journey())
    assert [one.version for one in made_of] == [health[0].version]
    assert made_of[0].system
    assert len(usage) == 1
    assert len(health) == 3
    assert health[0].version
    assert health[0].memory_total > 0
    assert (health[0].reader, health[0].reader_since_ms) == ("ready", 7)
    assert health[-1].spool_bulk >= 3
    assert all(one.name != "lo" for one in usage[0].interfaces)
    assert msgspec.json.decode(codec.encode_body(health[0]))
