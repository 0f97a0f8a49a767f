"""A device to be killed: `python -m tests.journey.device_child <settings>`.

It is the agent's own spool, clock and uplink.  Each line on its standard input is a number of records to keep: half of
them punches, half of them bulk.  It prints `<lane> <seq>` only after `append` has returned, and `done` after each line.
"""

import asyncio
import contextlib
import secrets
import sys
from pathlib import Path

import msgspec

from edge_agent import app, settings
from edge_agent.clock import Clock
from edge_agent.spool_thread import AsyncSpool
from edge_agent.uplink import Uplink
from wire.messages import Lane, Punch

# Kept at the same time, as by many tasks of an agent.
_TOGETHER = 20


class Content(msgspec.Struct):
    """A bulk record that the hub takes as it is."""

    n: int


async def _keep(spool: AsyncSpool, clock: Clock, lane: Lane, n: int) -> None:
    if lane == "urgent":
        seq = await spool.append("punch", Punch(secrets.token_hex(16), "clock_in"), clock.stamp())
    else:
        seq = await spool.append("note", Content(n), clock.stamp())
    print(lane, seq, flush=True)


async def _serve(spool: AsyncSpool, clock: Clock) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        for begin in range(0, int(line), _TOGETHER):
            numbers = range(begin, min(begin + _TOGETHER, int(line)))
            await asyncio.gather(*(_keep(spool, clock, "bulk" if n % 2 else "urgent", n) for n in numbers))
        print("done", 0, flush=True)


async def _run(file: Path) -> None:
    told = settings.load(file)
    clock = Clock(Path(told.state_dir) / "good-time")
    spool = app.open_spool(told, clock)
    uplink = asyncio.create_task(Uplink(told, spool, clock, version="test").run())
    await _serve(spool, clock)
    uplink.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await uplink
    spool.close()


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1])))
