"""What the tests of orders share: a hub's signature, and a device beside the test that takes orders."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.clock import Clock
from edge_agent.kiosk.screen import Screen
from edge_agent.orders.doings import Doings
from edge_agent.orders.seen import Seen
from edge_agent.orders.task import Orders
from edge_agent.settings import OrderSettings, Settings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from hub.signing import Signing
from tests.clock.hand_time import HandTime
from wire import codec
from wire.messages import Order, Result

WITHIN_S = 60.0
MINUTE_MS = 60_000
DEVICE = "terminal-1"


class Device:
    """A device's orders as the agent builds them, with the test's own time and ends."""

    def __init__(self, folder: Path, time: HandTime, **orders: Any) -> None:
        self.folder, self.time = folder, time
        self.settings = Settings(
            device=DEVICE, kind="terminal", state_dir=str(folder), orders=OrderSettings(**{"reboot": (), **orders})
        )
        self.clock = Clock(folder / "good-time", time)
        self.screen = Screen()
        self.spool = AsyncSpool(
            lambda: Spool(folder / "spool.db", max_bytes=64 << 20, ballast_bytes=1 << 10, stamp=self.clock.stamp)
        )
        self.ended = asyncio.Event()
        self.seen = Seen(folder / "orders.db", self.clock.now_ms)
        self.doings = Doings(self.settings, self.spool, self.clock, self.screen, self.ended.set)
        self.orders = Orders(self.settings, self.spool, self.clock, self.doings, self.seen)

    async def results(self) -> list[Result]:
        """What it told, in order."""
        records = await self.spool.recent("result", 10_000)
        return [codec.decode_body("result", record.body) for record in records]

    async def ends(self, order_id: str) -> list[Result]:
        """What it told of one order but that it was delivered."""
        return [one for one in await self.results() if one.order == order_id and one.state != "delivered"]

    async def end_of(self, order_id: str) -> Result:
        """How an order ended, as soon as it has."""
        await until(lambda: self.ends(order_id))
        return (await self.ends(order_id))[-1]


@contextlib.asynccontextmanager
async def running(folder: Path, time: HandTime, **orders: Any) -> AsyncIterator[Device]:
    """A device for the length of a `with`; it ends as a killed process does, without a word."""
    device = Device(folder, time, **orders)
    device.doings.lock.restore()
    task = asyncio.create_task(device.orders.run())
    try:
        yield device
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        device.screen.clear()
        device.seen.close()
        device.spool.close()


async def until(is_so: Callable[[], Any]) -> None:
    """Returns when a condition holds. Raises TimeoutError."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            found = is_so()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.01)


class Desk:
    """A hub's signature, and the key of it that a device has."""

    def __init__(self, folder: Path, time: HandTime) -> None:
        self.signing = Signing(folder / "hub")
        self.time = time

    def enrol(self, state_dir: Path) -> None:
        """Gives a device the public half."""
        folder = state_dir / "identity"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "orders.pub").write_text(self.signing.public + "\n")

    def order(self, name: str, *, device: str = DEVICE, good_ms: int = MINUTE_MS, **arguments: Any) -> Order:
        """An order that is good for a minute."""
        now_ms = self.time.realtime_ns() // 1_000_000
        return self.signing.order(device, secrets.token_hex(16), name, arguments, now_ms + good_ms)


def changed(order: Order, **fields: Any) -> Order:
    """An order somebody has altered on its way."""
    return msgspec.structs.replace(order, **fields)
