"""Acceptance scenario 6: a session has its speed, others have theirs; another speed counts without reconnecting."""

import asyncio
import json
import time
from pathlib import Path

from edge_agent.wifi.commands import run
from edge_agent.wifi.firewall import Firewall, Limits
from tests.wifi.enforcement.parts import PLAN
from tests.wifi.netns import BRIDGE, UPLINK, WAN4, WAN6, Town, mac, needs_netns

pytestmark = needs_netns
# A busy machine sends less than it may; it never sends more.
_LEAST = 0.5
_MOST = 1.06


async def test_a_session_has_the_speed_of_its_policy_both_ways_and_another_is_not_held_up(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        assert firewall.shaping in ("htb", "fq_codel", "cake")
        await firewall.admit(mac("c1"), 11, 600, Limits(down_kbit=8000, up_kbit=4000))
        await firewall.admit(mac("c2"), 12, 600)
        down = await asyncio.to_thread(_mbit, town, "c1", WAN4, "-R")
        assert 8 * _LEAST <= down <= 8 * _MOST
        up = await asyncio.to_thread(_mbit, town, "c1", WAN6)
        assert 4 * _LEAST <= up <= 4 * _MOST
        other = await asyncio.to_thread(_mbit, town, "c2", WAN4, "-R")
        assert other > 30


async def test_over_its_quota_a_session_goes_on_slowly_on_the_same_connection(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        await firewall.admit(mac("c1"), 11, 600)
        running = town.popen("c1", "curl", "-sS", "-o", "/dev/null", f"http://{WAN4}/endless")
        assert await _kbit(firewall, 11) > 20_000
        for wanted in (2000, 6000, 1000):
            await firewall.limit(11, Limits(wanted, wanted))
            await _comes_to(firewall, wanted)
        await firewall.limit(11, None)
        assert await _kbit(firewall, 11) > 6000
        assert running.poll() is None, "it was slowed, not cut"


async def test_classes_are_made_when_they_are_needed_and_gone_with_their_session(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        await firewall.admit(mac("c1"), 11, 600)
        assert await _classes() == 0
        await firewall.limit(11, Limits(1000, 0))
        assert await _classes() == 2
        again = Firewall()
        await again.apply(PLAN)
        await again.limit(11, Limits(2000, 500))
        assert await _classes() == 2, "an agent that starts again takes over what there is"
        await again.remove(11)
        assert await _classes() == 0


async def test_two_thousand_sessions_at_once_are_few_processes(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        limits = Limits(8000, 4000)
        at = [f"02:00:00:01:{n >> 8:02x}:{n & 255:02x}" for n in range(2000)]
        await asyncio.gather(*(firewall.admit(a, n + 1, 600, limits) for n, a in enumerate(at)))
        assert len(await firewall.admitted()) == 2000
        assert await _classes() == 4000
        await asyncio.gather(*(firewall.limit(n + 1, Limits(500, 500)) for n in range(2000)))
        await asyncio.gather(*(firewall.remove(n + 1) for n in range(2000)))
        assert await firewall.counters() == {}
        assert await _classes() == 0
        assert town


def _mbit(town: Town, client: str, address: str, *words: str) -> float:
    told = town.must(client, "iperf3", "-c", address, "-t", "3", "-O", "1", "-J", *words)
    bits: float = json.loads(told)["end"]["sum_received"]["bits_per_second"]
    return bits / 1e6


async def _kbit(firewall: Firewall, mark: int) -> float:
    began_s, began = time.monotonic(), (await firewall.counters())[mark].down_bytes
    await asyncio.sleep(2)
    ended = (await firewall.counters())[mark].down_bytes
    return (ended - began) * 8 / 1000 / (time.monotonic() - began_s)


async def _comes_to(firewall: Firewall, kbit: int) -> None:
    async with asyncio.timeout(60):
        while not kbit * _LEAST <= await _kbit(firewall, 11) <= kbit * 1.25:
            pass


async def _classes() -> int:
    told = [await run("tc", "class", "show", "dev", device) for device in (BRIDGE, UPLINK)]
    return sum(text.count("class htb") for text in told)
