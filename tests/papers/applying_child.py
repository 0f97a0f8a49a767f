"""Applies one paper after the other until it is killed: `python -m tests.papers.applying_child STATE`.

Each paper is its number, written very often, so that something between two of them would show.
"""

import asyncio
import sys
from pathlib import Path

from hub.signing import Signing
from tests.papers.parts import running, sealed_for

INCARNATION = "1" * 32


def text(generation: int) -> str:
    """What a paper says."""
    return f"{generation} " * 2000


async def apply(state: Path) -> None:
    """Applies for ever, beginning behind what counts."""
    signing = Signing(state.parent / "office")
    async with running(state) as one:
        generation = one.papers.held()[0].generation if one.papers.held() else 0
        while True:
            generation += 1
            print(generation, flush=True)
            await one.follows(sealed_for(state, signing, text(generation), INCARNATION, generation))


if __name__ == "__main__":
    asyncio.run(apply(Path(sys.argv[1])))
