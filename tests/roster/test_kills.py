"""A terminal that is killed while it takes a roster goes by the old or the new, never by something between."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge_agent.attendance import town_roster
from hub.signing import Signing
from tests.roster.applying_child import INCARNATION, content
from tests.roster.parts import make_terminal, running
from wire.messages import RosterReport


def kill_while_it_applies(state: Path, after_s: float) -> int:
    """Starts it, waits until it applies, kills it; the generation that it had begun last."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.roster.applying_child", str(state)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child, child.stdout:
        first = child.stdout.readline()
        assert first, "it ended by itself"
        time.sleep(after_s)
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
    return int((rest or [first])[-1])


async def settle(state: Path) -> RosterReport:
    """Starts it once more; what the hub has then been told last."""
    async with running(state) as one:
        async with asyncio.timeout(60):
            while not (found := [told for told in await one.reports() if _place(told) == one.keeper.followed]):  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)
        return found[-1]


def _place(told: RosterReport) -> tuple[str, int]:
    return told.incarnation, told.generation


@pytest.mark.parametrize("rounds", [6, pytest.param(300, marks=pytest.mark.soak)])
def test_it_goes_by_the_old_or_the_new(tmp_path: Path, rounds: int) -> None:
    state = make_terminal(tmp_path / "state", Signing(tmp_path / "office"))
    chance = random.Random(20261124)
    before, between = 0, 0
    for _ in range(rounds):
        begun = kill_while_it_applies(state, chance.uniform(0, 0.15))
        kept = town_roster.load(state)
        assert kept.generation in (begun - 1, begun)
        assert kept.generation >= before
        if kept.generation:
            assert kept.content == content(kept.generation)
            between += kept.reported is None
            report = asyncio.run(settle(state))
            assert report == RosterReport(INCARNATION, kept.generation, cards=len(content(1).cards))
        before = kept.generation
    assert before > 0
    # Some were killed between the disk and the report: the hub was told all the same.
    assert between > 0 or rounds < 100
