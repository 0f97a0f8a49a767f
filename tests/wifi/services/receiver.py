"""The accounting receiver as a process of its own, to be killed: `python -m … <folder> <port>`."""

import asyncio
import sys
from pathlib import Path

from edge_agent.wifi.radius_task import Radius
from tests.wifi.services.parts import SECRET, Kept, day_key


async def main() -> None:
    """Receives until killed."""
    kept = Kept(Path(sys.argv[1]))
    receiver = Radius(kept.spool, kept.clock, day_key, lambda: SECRET, ports=(int(sys.argv[2]), 0))
    receiver.on_ready(lambda: print("ready", flush=True))
    await receiver.run()


if __name__ == "__main__":
    asyncio.run(main())
