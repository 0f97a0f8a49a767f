"""Applies one roster after the other until it is killed: `python -m tests.roster.applying_child STATE`.

Each roster writes its number into every name, so that something between two of them would show.
"""

import asyncio
import sys
from pathlib import Path

from hub.signing import Signing
from tests.roster.parts import running, sealed_for
from wire.roster import RosterCard, RosterContent

INCARNATION = "1" * 32
CARDS = 200


def content(generation: int) -> RosterContent:
    """A roster whose names, tokens and key all tell its number."""
    cards = (RosterCard(f"{generation:016x}{number:016x}", "issued", f"{generation}") for number in range(CARDS))
    return RosterContent(generation.to_bytes(32), tuple(cards))


async def apply(state: Path) -> None:
    """Applies for ever, beginning behind what counts."""
    signing = Signing(state.parent / "office")
    async with running(state) as one:
        generation = one.keeper.followed[1]
        while True:
            generation += 1
            print(generation, flush=True)
            await one.follows(sealed_for(state, signing, content(generation), INCARNATION, generation))


if __name__ == "__main__":
    asyncio.run(apply(Path(sys.argv[1])))
