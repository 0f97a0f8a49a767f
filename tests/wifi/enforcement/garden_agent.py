"""The garden of an access point alone, for a process inside a namespace: `python -m … NAME…`; says when it stands."""

import asyncio
import sys

from msgspec.structs import replace

from edge_agent.wifi import garden
from edge_agent.wifi.firewall import Firewall
from tests.wifi.enforcement.parts import PLAN


async def main(*names: str) -> None:
    """Runs until it is ended."""
    firewall = Firewall()
    await firewall.apply(replace(PLAN, garden=True))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await garden.keep(lambda: firewall.plan, lambda: names, lambda: "https://portal.town.example/")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
