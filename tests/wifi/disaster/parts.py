"""What the tests of the disaster switch share: an access point's modes, with the test's own time, air and kit."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from edge_agent.clock import Clock
from edge_agent.effective import Effective, Holder
from edge_agent.orders.doings import Doings
from edge_agent.orders.seen import Seen
from edge_agent.orders.task import Orders
from edge_agent.settings import Settings, WifiSettings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi.disaster import DISASTER_NETWORK, Mode
from edge_agent.wifi.disaster_doing import DisasterDoing
from edge_agent.wifi.mode_task import Air, Modes
from edge_agent.wifi.standing import Standing
from edge_agent.wifi.wifi_end_doing import WifiEnd
from tests.clock.hand_time import HandTime
from wire import codec
from wire.messages import DisasterReport, Network, Order, Result

WITHIN_S = 60.0
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DEVICE = "ap-1"
TOWN = "Town_Free_Wi-Fi"


class RadioByHand:
    """The air of one access point, which follows its mode as hostapd would, and counts how often it was touched."""

    def __init__(self) -> None:
        self.networks: tuple[Network, ...] = ()
        self.changes: list[str] = []
        self.sessions: set[str] = set()

    def follow(self, mode: Mode) -> None:
        """From now on as the mode says."""
        networks = []
        if mode.on_air in ("normal", "disaster"):
            networks.append(Network(TOWN, on_air=True, security="wpa3", stations=3))
        if mode.on_air == "disaster":
            networks.append(Network(DISASTER_NETWORK, on_air=True, security="open"))
        if tuple(networks) != self.networks:
            self.networks = tuple(networks)
            self.changes.append(mode.on_air)

    async def look(self) -> Air:
        """What is seen."""
        return Air(self.networks, len(self.sessions))

    @property
    def names(self) -> set[str]:
        """Which networks are on the air."""
        return {one.name for one in self.networks}


async def rehearsed(mode: Mode) -> Sequence[str]:
    """A rehearsal that finds everything in order."""
    return [f"files: ok {mode.network_name}"]


class Point:
    """An access point as far as its mode goes: orders, modes and standing order, joined as in the agent."""

    def __init__(self, folder: Path, time: HandTime, policy: Effective | None = None, **wifi: Any) -> None:
        self.folder, self.time = folder, time
        self.settings = Settings(
            device=DEVICE,
            kind="access_point",
            state_dir=str(folder),
            wifi=WifiSettings(**{"guests": "br-guests", **wifi}),
        )
        self.clock = Clock(folder / "good-time", time)
        self.spool = AsyncSpool(
            lambda: Spool(folder / "spool.db", max_bytes=64 << 20, ballast_bytes=1 << 10, stamp=self.clock.stamp)
        )
        self.holder = Holder(policy or Effective(network_name=TOWN))
        self.radio = RadioByHand()
        self.modes = Modes(
            self.settings,
            self.spool,
            self.clock,
            self.holder,
            look=self.radio.look,
            rehearse=rehearsed,
            every_s=0.02,
        )
        self.modes.watch(self.radio.follow)
        self.radio.follow(self.modes.now)
        self.seen = Seen(folder / "orders.db", self.clock.now_ms)
        self.kit_order: Order | None = None
        self.standing = Standing(self.settings, self.clock, self.seen, self.modes, lambda: self.kit_order)
        doings = {"disaster": DisasterDoing(self.modes).doing, "wifi_end": WifiEnd([self._end_session]).doing}
        self.doings = Doings(self.settings, self.spool, self.clock, None, lambda: None, wifi=doings)
        self.orders = Orders(self.settings, self.spool, self.clock, self.doings, self.seen)

    async def _end_session(self, session: str) -> bool:
        there = session in self.radio.sessions
        self.radio.sessions.discard(session)
        return there

    async def reports(self) -> list[DisasterReport]:
        """What it told, in order."""
        records = await self.spool.recent("disaster_report", 10_000)
        return [codec.decode_body("disaster_report", record.body) for record in records]

    async def told(self, state: str, run: str = "") -> DisasterReport:
        """The first report of a state (and a run), as soon as it is there."""

        async def found() -> list[DisasterReport]:
            return [one for one in await self.reports() if one.state == state and run in ("", one.run)]

        await until(found)
        return (await found())[0]

    async def end_of(self, order_id: str) -> Result:
        """How an order ended, as soon as it has."""

        async def found() -> list[Result]:
            records = await self.spool.recent("result", 10_000)
            results = [codec.decode_body("result", record.body) for record in records]
            return [one for one in results if one.order == order_id and one.state != "delivered"]

        await until(found)
        return (await found())[-1]

    def close(self) -> None:
        """As a killed process leaves it."""
        self.seen.close()
        self.spool.close()


@contextlib.asynccontextmanager
async def running(folder: Path, time: HandTime, policy: Effective | None = None, **wifi: Any) -> AsyncIterator[Point]:
    """An access point for the length of a `with`; it ends without a word, as a killed process does."""
    point = Point(folder, time, policy, **wifi)
    tasks = [asyncio.create_task(point.modes.run()), asyncio.create_task(point.orders.run())]
    try:
        yield point
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        point.close()


async def until(is_so: Callable[[], Any]) -> None:
    """Returns when a condition holds. Raises TimeoutError."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            found = is_so()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.02)
