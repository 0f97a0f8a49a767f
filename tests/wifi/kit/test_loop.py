"""The loop that tells access points: what it makes and destroys by itself, and that it goes on after faults."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import msgspec

from hub import pages
from hub.live import Live
from hub.settings import Settings
from hub.wifi import certificate, keys, kit_store, kit_task
from tests.wifi.kit.parts import POINT, Town, town

WITHIN_S = 60.0


class Loop:
    """The hub's loop over a town's database."""

    def __init__(self, hall: Town, settings: Settings) -> None:
        self.hall, self.settings, self.woken = hall, settings, 0

    def wake(self) -> None:
        """Something was put into the outbox."""
        self.woken += 1

    async def until(self, what: Callable[[], bool]) -> bool:
        """Whether it came about."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WITHIN_S):
                while not await asyncio.to_thread(what):  # noqa: ASYNC110 (no event for it)
                    await asyncio.sleep(0.05)
                return True
        return False


@contextlib.asynccontextmanager
async def running(hall: Town, settings: Settings | None = None) -> AsyncIterator[Loop]:
    """The loop for the length of a `with`."""
    one = Loop(hall, settings or hall.settings)
    task = asyncio.create_task(kit_task.run(one.settings, hall.db, Live(), hall.signing, one.wake))
    try:
        yield one
        assert not task.done()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def made(hall: Town) -> int:
    """How many kits there are."""
    return len(hall.rows("SELECT 1 FROM kit"))


async def test_it_makes_keys_and_a_certificate_tells_and_destroys_what_is_old(tmp_path: Path) -> None:
    with town(tmp_path) as hall:
        hall.now_ms = pages.now_ms()
        old = kit_task.today_of(hall.now_ms) - timedelta(days=3)
        keys.day_keys(hall.keys, old, 1)
        async with running(hall) as loop:
            assert await loop.until(lambda: made(hall) == 1)
            assert await loop.until(lambda: loop.woken > 0)
            assert keys.day_key(hall.keys, old) is None
            assert certificate.current(hall.keys, hall.settings.wifi.portal_host, pages.now_ms()) is not None
            # A change goes a moment later.
            hall.touch()
            hall.vouchers("K7M4Q29XRT")
            assert await loop.until(lambda: hall.made().generation > 1)
            assert len(hall.content().vouchers) == 1


async def test_without_access_points_nothing_is_made(tmp_path: Path) -> None:
    with town(tmp_path, "terminal-x") as hall:
        hall.write(lambda conn: conn.execute("UPDATE device SET kind = 'terminal'"))
        async with running(hall) as loop:
            hall.touch()
            assert not await asyncio.to_thread(lambda: hall.due)
            await asyncio.sleep(1.5)
            assert made(hall) == 0
            assert loop.woken == 0
            assert not hall.keys.exists()


async def test_a_fault_of_the_folders_is_shown_and_ends(tmp_path: Path) -> None:
    with town(tmp_path) as hall:
        hall.keys.mkdir(parents=True)
        (hall.keys / "voucher.key").write_bytes(b"short")
        async with running(hall) as loop:
            assert await loop.until(lambda: "voucher.key" in hall.error)
            assert made(hall) == 0
            (hall.keys / "voucher.key").unlink()
            assert await loop.until(lambda: made(hall) == 1)
            assert await loop.until(lambda: hall.error == "")


async def test_issuers_that_are_not_there_are_said(tmp_path: Path) -> None:
    with town(tmp_path) as hall:
        broker = msgspec.structs.replace(hall.settings.broker, ca_dir=str(tmp_path / "none"))
        async with running(hall, msgspec.structs.replace(hall.settings, broker=broker)) as loop:
            assert await loop.until(lambda: "expected an issuer of certificates" in hall.error)
            assert made(hall) == 0


def test_who_is_told_is_known_by_name(tmp_path: Path) -> None:
    with town(tmp_path) as hall:
        assert hall.publish() == (POINT,)
        assert [one.device for one in hall.db.read(kit_store.standings)] == [POINT]
