"""An agent that is killed while it applies ends in the old or the new, never between."""

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge_agent.policy.keep import Keep
from tests.policy.applying_child import document
from tests.policy.device_parts import Office, running


def kill_while_it_applies(state: Path, after_s: float) -> int:
    """Starts it, waits until it applies, kills it; the generation that it had begun last."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.policy.applying_child", str(state)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child, child.stdout:
        first = child.stdout.readline()
        assert first, "it ended by itself"
        time.sleep(after_s)
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
    return int((rest or [first])[-1])


async def settle(state: Path) -> int:
    """Starts it once more and lets it come to rest; the generation of which every value is."""
    async with running(state) as one:
        seen = one.policy.followed[1]
        report = await one.told(lambda report: report.seen == seen)
        assert report.result == "applied"
        assert report.drift == ()
        generation = report.applied
        now = one.holder.now
        expected = document(generation)
        assert (now.contact, now.health_every_s) == (expected["contact"], expected["health_every_s"])
        assert (now.debounce_s, now.volume) == (expected["terminal"]["debounce_s"], expected["terminal"]["volume"])
        actual = one.actual()
        assert {key: actual[key] for key in ("contact", "health_every_s")} == {
            key: expected[key] for key in ("contact", "health_every_s")
        }
        assert actual["terminal"]["debounce_s"] == expected["terminal"]["debounce_s"]
    return generation


@pytest.mark.parametrize("rounds", [20, pytest.param(400, marks=pytest.mark.soak)])
def test_it_ends_in_the_old_or_the_new_never_between(tmp_path: Path, rounds: int) -> None:
    state = tmp_path / "state"
    Office(tmp_path).enrol(state)
    chance = random.Random(20261124)
    interrupted, before = 0, 0
    for _ in range(rounds):
        begun = kill_while_it_applies(state, chance.uniform(0, 0.08))
        kept = Keep(state / "policy").load()
        interrupted += kept.trying is not None
        assert begun - 1 <= kept.seen.generation <= begun
        generation = asyncio.run(settle(state))
        assert generation in (begun - 1, begun)
        assert generation >= before
        before = generation
    # The kills did hit what they are meant for.
    assert interrupted > 0
    with contextlib.suppress(FileNotFoundError):
        assert not (state / "policy" / "state.link").exists()
