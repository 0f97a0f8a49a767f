"""A device that is killed while it takes a paper goes by the old or the new, never by something between."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub.signing import Signing
from tests.papers.applying_child import INCARNATION, text
from tests.papers.parts import KIND, WITHIN_S, make_device, running
from wire.messages import PaperReport


def kill_while_it_applies(state: Path, after_s: float) -> int:
    """Starts it, waits until it applies, kills it; the generation that it had begun last."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.papers.applying_child", str(state)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child, child.stdout:
        first = child.stdout.readline()
        assert first, "it ended by itself"
        time.sleep(after_s)
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
    return int((rest or [first])[-1])


async def settle(state: Path) -> tuple[int, str]:
    """Starts it once more; which paper counts and what it says, once the hub has been told of it."""
    async with running(state) as one:
        held = one.papers.held()
        if not held:
            return 0, ""
        wanted = PaperReport(KIND, INCARNATION, held[0].generation)
        async with asyncio.timeout(WITHIN_S):
            while wanted not in await one.reports():  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)
        return held[0].generation, one.shown[0]


@pytest.mark.parametrize("rounds", [6, pytest.param(200, marks=pytest.mark.soak)])
def test_it_goes_by_the_old_or_the_new(tmp_path: Path, rounds: int) -> None:
    state = make_device(tmp_path / "state", Signing(tmp_path / "office"))
    chance, before = random.Random(20261125), 0
    for _ in range(rounds):
        begun = kill_while_it_applies(state, chance.uniform(0, 0.15))
        generation, said = asyncio.run(settle(state))
        assert generation in (begun - 1, begun)
        assert generation >= before
        assert not generation or said == text(generation)
        before = generation
    assert before > 0
