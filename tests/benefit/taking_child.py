"""A device to be killed: `python -m tests.benefit.taking_child <state folder>`.

It takes one unit after another, now and then takes one back, and prints each use only after it was told as taken.
"""

import asyncio
import sys
from pathlib import Path

from edge_agent.benefit.benefits import Benefits, Taken
from tests.benefit.device import content, open_spool
from tests.benefit.parts import HANA


async def _run(folder: Path) -> None:
    spool, clock = open_spool(folder)
    benefits = Benefits(spool, clock)
    benefits.use(content(limit=1_000_000))
    await benefits.load()
    print("ready", flush=True)
    for n in range(1_000_000):
        found = await benefits.take(HANA, "taxi", 1 + n % 3)
        assert isinstance(found, Taken), found
        print("taken", found.use, found.units, flush=True)
        if n % 4 == 3:
            back = await benefits.take_back(HANA, found)
            assert isinstance(back, Taken), back
            print("back", found.use, back.units, flush=True)


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1])))
