"""What is ordered reaches tasks that run: no restart, and no waiting for a pace that counts no more."""

import asyncio
import contextlib
from pathlib import Path

from edge_agent.attendance.readers.heard import CardHeard
from edge_agent.attendance.task import Attendance
from edge_agent.clock import Clock
from edge_agent.effective import Effective, Holder, of_settings
from edge_agent.fleet import task as fleet
from edge_agent.kiosk.screen import Screen
from edge_agent.settings import BrokerSettings, ReaderSettings, Settings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.uplink import Uplink
from tests.attendance.desk import HandReader
from tests.clock.hand_time import HandTime
from wire import codec
from wire.messages import Standing

ORDERED = Effective(health_every_s=1, usage_every_s=3600, bulk_every_s=5, debounce_s=600, clock_out_from="00:00")


def spool_of(folder: Path, clock: Clock) -> AsyncSpool:
    """A real spool."""
    return AsyncSpool(lambda: Spool(folder / "spool.db", max_bytes=2**24, ballast_bytes=2**16, stamp=clock.stamp))


async def test_a_quicker_pace_does_not_wait_for_the_end_of_the_old_one(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "good-time")
    settings = Settings(
        device="terminal-1", kind="terminal", state_dir=str(tmp_path), health_every_s=3600, usage_every_s=3600
    )
    holder, spool = Holder(of_settings(settings)), spool_of(tmp_path, clock)
    running = asyncio.create_task(fleet.run(settings, spool, clock, holder=holder))
    try:
        async with asyncio.timeout(60):
            while not await spool.recent("health", 9):  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)
            holder.put(ORDERED)
            while len(await spool.recent("health", 9)) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert len(await spool.recent("usage", 9)) == 1
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        spool.close()


async def test_the_time_clock_goes_by_what_is_ordered_now(tmp_path: Path) -> None:
    time = HandTime()
    clock = Clock(tmp_path / "good-time", time)
    settings = Settings(
        device="terminal-1",
        kind="terminal",
        state_dir=str(tmp_path),
        attendance=ReaderSettings(reader="by hand", debounce_s=0, clock_out_from="23:59"),
    )
    holder, spool, reader, screen = Holder(of_settings(settings)), spool_of(tmp_path, clock), HandReader(), Screen()
    running = asyncio.create_task(Attendance(settings, reader, spool, clock, screen, holder).run())

    async def tap(number: int) -> tuple[str, Standing]:
        before = len(await spool.recent("punch", 99))
        time.pass_ms(2000)
        reader.hear(CardHeard("felica", bytes([number] * 8), time.boottime_ns()))
        async with asyncio.timeout(60):
            while len(found := await spool.recent("punch", 99)) == before:  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)
        body = codec.decode_body("punch", found[-1].body)
        return body.direction, body.standing

    try:
        assert await tap(1) == ("clock_in", "accepted")
        holder.put(ORDERED)
        assert await tap(2) == ("clock_out", "accepted")
        assert await tap(2) == ("clock_out", "repeat")
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        spool.close()


async def test_the_uplink_says_how_far_it_is_and_waits_as_long_as_is_ordered(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "good-time")
    settings = Settings(
        device="terminal-1", kind="terminal", state_dir=str(tmp_path), broker=BrokerSettings(bulk_every_s=60)
    )
    holder, spool = Holder(of_settings(settings)), spool_of(tmp_path, clock)
    uplink = Uplink(settings, spool, clock, version="1", holder=holder)
    uplink.say_followed(lambda: ("a" * 32, 5, 4))
    presence = uplink._next_presence()
    assert (presence.incarnation, presence.seen, presence.applied) == ("a" * 32, 5, 4)
    assert uplink._wait_s("bulk", 1e6) == 60
    holder.put(ORDERED)
    assert uplink._wait_s("bulk", 1e6) == 5
    spool.close()
