"""The uplink against a real Mosquitto and the smallest hub."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from edge_agent.clock import Clock
from edge_agent.settings import BrokerSettings, Settings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.uplink import Uplink
from tests.broker import Broker, free_port
from tests.certificates import pki
from tests.uplink.tiny_hub import TinyHub
from wire.messages import Alarm, ProcessState

DEVICE = "terminal-1"


class Device:
    """A spool and its uplink in this process."""

    def __init__(self, folder: Path, port: int) -> None:
        self.settings = Settings(
            DEVICE, "terminal", str(folder), BrokerSettings(port=port, bulk_every_s=1, keepalive_s=5)
        )
        pki().identity(DEVICE, folder / "identity")
        self.clock = Clock(folder / "good-time")
        self.spool = AsyncSpool(
            lambda: Spool(folder / "spool.db", max_bytes=64 << 20, ballast_bytes=65536, stamp=self.clock.stamp)
        )
        self.uplink = Uplink(self.settings, self.spool, self.clock, version="test")

    async def punch(self, count: int = 1) -> None:
        """Keeps urgent records."""
        await asyncio.gather(
            *(self.spool.append("alarm", Alarm("x", "begun"), self.clock.stamp()) for _ in range(count))
        )

    async def bulk(self, count: int) -> None:
        """Keeps bulk records."""
        await asyncio.gather(
            *(self.spool.append("note", ProcessState("x", "y"), self.clock.stamp()) for _ in range(count))
        )


@contextlib.asynccontextmanager
async def running(device: Device) -> AsyncIterator[Device]:
    """The uplink runs inside the block, and stops cleanly after."""
    task = asyncio.create_task(device.uplink.run())
    try:
        yield device
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await asyncio.to_thread(device.spool.close)


async def until(condition: Callable[[], bool], within_s: float = 20) -> None:
    """Waits for something to become true."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 (what is waited for is elsewhere)
            await asyncio.sleep(0.02)


async def drained(device: Device, within_s: float = 20) -> None:
    """Waits until the hub has everything."""
    async with asyncio.timeout(within_s):
        while any((await device.spool.depth()).values()):  # noqa: ASYNC110 (it is elsewhere)
            await asyncio.sleep(0.02)


async def test_records_arrive_once_in_order_and_presence_tells(tmp_path: Path, broker: Broker) -> None:
    hub = TinyHub(broker.port)
    hub.start()
    async with running(Device(tmp_path, broker.port)) as device:
        await device.punch(3)
        await device.bulk(1200)
        await drained(device)
        assert hub.seqs(DEVICE, "urgent") == [1, 2, 3]
        assert hub.seqs(DEVICE, "bulk") == list(range(1, 1201))
        assert not device.uplink.state.hub_away
    await until(lambda: len(hub.presences) == 2)
    (first, last) = (presence for _, presence in hub.presences)
    assert (first.online, first.connection, first.device_kind) == (True, 1, "terminal")
    assert (last.online, last.connection, last.boot) == (False, 1, first.boot)
    hub.stop()


async def test_a_hub_that_begins_is_told_again_who_is_there(tmp_path: Path, broker: Broker) -> None:
    hub = TinyHub(broker.port)
    hub.start()
    async with running(Device(tmp_path, broker.port)) as device:
        await device.punch(1)
        await drained(device)
        # Its own answers are no reason to say it again.
        assert hub.presences.count(hub.presences[-1]) == 1
        hub.begin()
        await until(lambda: hub.presences.count(hub.presences[-1]) >= 2)
    hub.stop()


async def test_what_was_kept_while_all_was_away_arrives_after(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    port = free_port()
    async with running(Device(tmp_path, port)) as device:
        await device.punch(5)
        await until(lambda: len(caplog.records) == 1)
        assert device.uplink.state.hub_away
        await asyncio.sleep(2.5)  # several refusals, one line
        with Broker(tmp_path, port) as broker:
            hub = TinyHub(broker.port)
            hub.start()
            await drained(device)
            assert hub.seqs(DEVICE, "urgent") == [1, 2, 3, 4, 5]
            hub.stop()
    said = [record.getMessage() for record in caplog.records if record.name == "edge_agent.uplink"]
    assert len([line for line in said if "Connection refused" in line]) == 1
    assert len([line for line in said if "connected again" in line]) == 1


async def test_a_killed_broker_loses_nothing(tmp_path: Path, broker: Broker) -> None:
    hub = TinyHub(broker.port)
    hub.start()
    async with running(Device(tmp_path, broker.port)) as device:
        for _ in range(3):
            await device.punch(200)
            broker.stop(signal.SIGKILL)
            await device.punch(200)
            broker.start()
        await drained(device, 60)
        assert hub.seqs(DEVICE, "urgent") == list(range(1, 1201))
        assert [p.connection for _, p in hub.presences if p.online] == sorted(
            {p.connection for _, p in hub.presences if p.online}
        )
    hub.stop()


async def test_a_hub_that_goes_back_is_offered_again(tmp_path: Path, broker: Broker) -> None:
    hub = TinyHub(broker.port)
    hub.start()
    async with running(Device(tmp_path, broker.port)) as device:
        await device.punch(700)
        await drained(device)
        key = hub.key(DEVICE, "urgent")
        hub.cursors[key] = 100
        hub.records[key] = hub.records[key][:100]
        await device.punch(1)
        await until(lambda: hub.cursors[key] == 701)
        await drained(device)
        assert hub.seqs(DEVICE, "urgent") == list(range(1, 702))
        assert hub.missing == 0
    hub.stop()


async def test_a_hub_that_went_back_is_found_out_though_nobody_taps(tmp_path: Path, broker: Broker) -> None:
    hub = TinyHub(broker.port)
    hub.start()
    async with running(Device(tmp_path, broker.port)) as device:
        await device.punch(30)
        await drained(device)
        key = hub.key(DEVICE, "urgent")
        hub.cursors[key] = 10
        hub.records[key] = hub.records[key][:10]
        device.uplink._lanes["urgent"].told_s = -1e9  # ten minutes later
        await until(lambda: hub.cursors[key] == 30)
        await drained(device)
        assert hub.seqs(DEVICE, "urgent") == list(range(1, 31))
    async with running(Device(tmp_path, broker.port)) as device:
        hub.cursors[key] = 20
        hub.records[key] = hub.records[key][:20]
        # At once, after a reconnect.
        await until(lambda: hub.cursors[key] == 30)
        await drained(device)
        assert hub.seqs(DEVICE, "urgent") == list(range(1, 31))
    hub.stop()


async def test_at_most_four_batches_are_under_way(tmp_path: Path, broker: Broker) -> None:
    hub = TinyHub(broker.port)
    hub.deaf = True
    hub.start()
    async with running(Device(tmp_path, broker.port)) as device:
        await device.bulk(4000)
        await until(lambda: device.uplink.state.connected)
        await until(lambda: device.uplink.state.hub_away)  # no answer for five seconds
        assert len(device.uplink._lanes["bulk"].under_way) == 4
        hub.deaf = False
        device.uplink._lanes["bulk"].resend_s = 0
        await drained(device)
        assert hub.seqs(DEVICE, "bulk") == list(range(1, 4001))
    hub.stop()


async def test_it_ends_when_it_is_told_to_in_the_moment_in_which_it_is_woken(tmp_path: Path, broker: Broker) -> None:
    hub = TinyHub(broker.port)
    hub.start()
    device = Device(tmp_path, broker.port)
    # How far the waking has got when the end comes is up to the event loop: each step is tried.
    for steps in range(4):
        task = asyncio.create_task(device.uplink.run())
        await until(lambda: device.uplink.state.connected)
        await asyncio.sleep(0.1)
        await device.punch(1)
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=20)
        assert task.cancelled(), steps
    await asyncio.to_thread(device.spool.close)
    hub.stop()
