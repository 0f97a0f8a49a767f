"""A broker is not the hub: as long as nobody answers, people read that their punches wait."""

import asyncio
import signal
from pathlib import Path

from edge_agent.clock import Clock
from edge_agent.settings import BrokerSettings, Settings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.uplink import Uplink, UplinkState
from tests.agent.agent_process import until
from tests.broker import Broker
from tests.certificates import pki
from tests.clock.hand_time import HandTime
from tests.uplink.tiny_hub import TinyHub
from wire.messages import Punch


def test_the_hub_is_away_until_it_answers(tmp_path: Path, broker: Broker) -> None:
    settings = Settings(
        device="terminal-1", kind="terminal", state_dir=str(tmp_path), broker=BrokerSettings(port=broker.port)
    )
    pki().identity("terminal-1", tmp_path / "identity")
    clock = Clock(tmp_path / "good-time", HandTime())
    states: list[UplinkState] = []

    async def journey() -> None:
        spool = AsyncSpool(lambda: Spool(tmp_path / "spool.db", max_bytes=1 << 22, ballast_bytes=0, stamp=clock.stamp))
        uplink = Uplink(settings, spool, clock, version="0")
        uplink.watch(states.append)
        running = asyncio.create_task(uplink.run())

        async def seen(connected: bool, answered: bool, after: int = 0) -> int:
            wanted = UplinkState(connected=connected, answered=answered)
            await asyncio.to_thread(until, lambda: wanted in states[after:], f"{wanted} in {states}")
            return len(states)

        await spool.append("punch", Punch("a" * 32, "clock_in"), clock.stamp())
        away = await seen(connected=True, answered=False)
        # The broker comes back, and the hub behind it does not: nothing is better than before.
        broker.stop(signal.SIGKILL)
        await seen(connected=False, answered=False, after=away)
        broker.start()
        await seen(connected=True, answered=False, after=away)
        assert all(state.hub_away for state in states[away:])
        hub = TinyHub(broker.port)
        hub.start()
        await spool.append("punch", Punch("a" * 32, "clock_out"), clock.stamp())
        await seen(connected=True, answered=True, after=away)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        spool.close()
        hub.stop()

    asyncio.run(journey())
