"""A device to be killed: `python -m tests.orders.counting_child <settings> <file>`.

It is the agent's own spool, clock, uplink and orders. Its ping writes the order's id into the file, on disk, so that
what was done can be counted afterwards.
"""

import asyncio
import os
import sys
from importlib import metadata
from pathlib import Path

from edge_agent import app, settings
from edge_agent.clock import Clock
from edge_agent.orders.doings import Doings
from edge_agent.orders.outcome import Doing, Given, Outcome, interrupted
from edge_agent.orders.seen import Seen
from edge_agent.orders.task import Orders
from edge_agent.uplink import Uplink
from wire.messages import Order


def _counting(file: Path) -> Doing:
    async def do(given: Given) -> Outcome:
        with file.open("a") as counted:
            counted.write(f"{given.id}\n")
            counted.flush()
            os.fsync(counted.fileno())
        # A doing takes a while: long enough to be killed in it.
        await asyncio.sleep(0.05)
        return Outcome("done")

    return Doing(do, interrupted)


async def _run(file: Path, counted: Path) -> None:
    told = settings.load(file)
    clock = Clock(Path(told.state_dir) / "good-time")
    spool = app.open_spool(told, clock)
    uplink = Uplink(told, spool, clock, version=metadata.version("machinaka"))
    doings = Doings(told, spool, clock, None, lambda: None, str(file))
    doings.by_name["ping"] = _counting(counted)
    orders = Orders(told, spool, clock, doings, Seen(Path(told.state_dir) / "orders.db", clock.now_ms))
    uplink.on_down(Order, orders.take)
    await asyncio.gather(uplink.run(), orders.run())


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1]), Path(sys.argv[2])))
