"""Applies one generation after the other until it is killed: `python -m tests.policy.applying_child STATE`.

Each generation writes its number into every value, so that something between two of them would show.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from tests.policy.device_parts import Office, running


def document(generation: int) -> dict[str, Any]:
    """A generation whose values all tell its number."""
    return {
        "contact": f"{generation}",
        "health_every_s": generation + 1,
        "terminal": {"debounce_s": generation % 3600, "volume": generation % 101},
    }


async def apply(state: Path) -> None:
    """Applies for ever, beginning behind what was seen last."""
    office = Office(state.parent)
    async with running(state) as one:
        generation = one.policy.followed[1]
        while True:
            generation += 1
            print(generation, flush=True)
            await one.follows(office.desired(generation, document(generation)))


if __name__ == "__main__":
    asyncio.run(apply(Path(sys.argv[1])))
