"""Records that belong together are kept together or not at all, whoever else appends at the same time."""

import asyncio
import os
from pathlib import Path

from edge_agent.spool import Spool, SpoolFull
from edge_agent.spool_thread import AsyncSpool
from tests.clock.hand_time import HandTime
from wire.messages import Alarm, Consent, Dropped


def _spool(folder: Path, max_bytes: int) -> AsyncSpool:
    time = HandTime()
    return AsyncSpool(lambda: Spool(folder / "spool.db", max_bytes=max_bytes, ballast_bytes=1 << 10, stamp=time.stamp))


async def test_many_are_kept_in_order_and_their_lanes_are_told(tmp_path: Path) -> None:
    spool = _spool(tmp_path, 1 << 20)
    heard: list[str] = []
    spool.on_append(heard.append)
    stamp = HandTime().stamp()
    one, other = await asyncio.gather(
        spool.append_many(
            [("consent", Consent("a" * 32, "1", "ja")), ("dropped", Dropped({"usage": 1}, "bulk", 1, 1))], stamp
        ),
        spool.append_many([("consent", Consent("b" * 32, "1", "ja")), ("alarm", Alarm("x", "begun"))], stamp),
    )
    assert (one, other) == ([1, 1], [2, 3])
    assert sorted(heard) == ["bulk", "urgent", "urgent"]
    assert [record.seq for record in await spool.recent("consent", 10)] == [1, 2]
    spool.close()


async def test_on_a_full_disk_a_group_is_refused_whole(tmp_path: Path) -> None:
    spool = _spool(tmp_path, 1 << 18)
    stamp = HandTime().stamp()
    groups = 0
    while True:
        bodies = [("alarm", Alarm("x" * 100, "begun", os.urandom(90).hex())) for _ in range(5)]
        found = await asyncio.gather(
            spool.append_many(bodies, stamp), spool.append_many(bodies, stamp), return_exceptions=True
        )
        groups += sum(isinstance(each, list) for each in found)
        if any(isinstance(each, SpoolFull) for each in found):
            break
    assert groups
    assert len(await spool.recent("alarm", 100_000)) == 5 * groups
    spool.close()
