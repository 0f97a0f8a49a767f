"""How long an access point with two thousand sessions reads all their counters, and how soon a guest is let through.

The kernel is the real one, in network namespaces; each session has classes of its own speed. The counters have bytes.
"""

import asyncio
import resource
import socket
import time
from collections.abc import Awaitable, Callable

from benchmarks.measured import Benchmark, Claim, Measured, NotHere, Place, Side, percentile
from edge_agent.wifi.firewall import Firewall, Limits
from edge_agent.wifi.ruleset import Plan
from tests.wifi.enforcement.parts import PLAN
from tests.wifi.netns import WAN4, Town, mac, missing

# How often an access point reads its counters, unless it is told otherwise (`account_every_s`).
_EVERY_S = 10


def _in_town(place: Place, measure: Callable[[Town, Firewall], Awaitable[Measured]], sessions: int) -> Measured:
    if why := missing():
        raise NotHere(why)
    with Town(place.fresh) as town, town.inside("ap"):
        return asyncio.run(_with_sessions(town, measure, sessions, PLAN))


async def _with_sessions(
    town: Town, measure: Callable[[Town, Firewall], Awaitable[Measured]], sessions: int, plan: Plan
) -> Measured:
    firewall = Firewall()
    await firewall.apply(plan)
    limits = Limits(8000, 4000)
    addresses = [f"02:00:00:01:{number >> 8:02x}:{number & 255:02x}" for number in range(sessions)]
    await asyncio.gather(*(firewall.admit(one, 1000 + n, 3600, limits) for n, one in enumerate(addresses)))
    return await measure(town, firewall)


def counters(place: Place) -> Measured:
    """All counters of all sessions, read again and again."""

    async def measure(_: Town, firewall: Firewall) -> Measured:
        took_ms = []
        rounds = place.size(40, 3)
        before = _processor_s()
        for _number in range(rounds):
            began_s = time.monotonic()
            found = await firewall.counters()
            took_ms.append((time.monotonic() - began_s) * 1000)
            assert len(found) == place.size(2000, 50)
        used_s = (_processor_s() - before) / rounds
        return {
            "median_ms": percentile(took_ms, 0.5),
            "p95_ms": percentile(took_ms, 0.95),
            "processor_ms": used_s * 1000,
            "core_percent": used_s / _EVERY_S * 100,
        }

    return _in_town(place, measure, place.size(2000, 50))


def let_through(place: Place) -> Measured:
    """From the call that admits a guest, with a speed of its own, to the answer to the guest's next packet."""

    async def measure(town: Town, firewall: Firewall) -> Measured:
        took_ms = []
        for number in range(place.size(40, 3)):
            began_s = time.monotonic()
            await firewall.admit(mac("c1"), 1 + number, 600, Limits(8000, 4000))
            await asyncio.to_thread(_connect, town)
            took_ms.append((time.monotonic() - began_s) * 1000)
            await firewall.remove(1 + number)
        return {"median_ms": percentile(took_ms, 0.5), "p95_ms": percentile(took_ms, 0.95)}

    return _in_town(place, measure, place.size(2000, 50))


def _connect(town: Town) -> None:
    with town.inside("c1"), socket.socket() as guest:
        guest.settimeout(5)
        guest.connect((WAN4, 80))


def _processor_s() -> float:
    """Of this process and all programs that it ran."""
    both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


BENCHMARK = Benchmark(
    title="A round of accounting on an access point",
    about="2,000 sessions in the kernel, each with its own speed: all counters are read at once; one guest comes.",
    sides=(Side("all counters", counters), Side("a guest is let through", let_through)),
    claims=(
        Claim("a round, p95", lambda found: found["all counters"]["p95_ms"], "at most", 250, ("all counters",), "ms"),
        Claim(
            "of one core, read every 10 s",
            lambda found: found["all counters"]["core_percent"],
            "at most",
            5,
            ("all counters",),
            "%",
        ),
        Claim(
            "admitted to the first packet's answer, p95",
            lambda found: found["a guest is let through"]["p95_ms"],
            "at most",
            300,
            ("a guest is let through",),
            "ms",
        ),
    ),
    rounds=3,
)
