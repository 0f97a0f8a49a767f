"""When a tablet counts: at its pace, at midnight in Japan, and before it goes off; and what each sample says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge_agent.clock import Clock
from edge_agent.effective import Effective, Holder
from edge_agent.fleet.usage import Counters, Facts
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.tablet.bus import Bus
from edge_agent.tablet.sampler import Sampler, next_midnight
from edge_agent.tablet.usage_book import UsageBook
from edge_agent.tablet.usage_view import Used, used
from tests.agent.agent_process import until
from tests.clock.hand_time import HandTime
from tests.tablet.home.parts import TabletProcess
from wire import codec
from wire.messages import Record, Usage

# 2026-11-30 23:59:30 in Japan.
LATE_MS = 1_796_050_770_000
MIDNIGHT_MS = LATE_MS + 30_000
WIFI = Facts(type=1, wireless=True, physical=True)
CARD = Facts(type=65534, devtype="wwan", physical=True)


class Bench:
    """A sampler with real disks; time and counters by hand."""

    def __init__(self, folder: Path) -> None:
        self.time = HandTime(wall_ms=LATE_MS)
        self.clock = Clock(folder / "good-time", self.time)
        self.rx = {"wwan0": 1000, "wlan0": 500}
        self.holder = Holder(Effective(usage_every_s=900))
        self.spool = AsyncSpool(
            lambda: Spool(folder / "spool.db", max_bytes=1 << 22, ballast_bytes=0, stamp=self.clock.stamp)
        )
        self.book = UsageBook(folder / "tablet")
        self.sampler = Sampler(
            self.spool,
            self.clock,
            self.holder,
            self.book,
            self._counters,
            Bus(f"unix:path={folder}/no-bus"),
            proc=folder,
        )
        self._round = 900

    def _counters(self) -> tuple[Counters, ...]:
        facts = {"wwan0": CARD, "wlan0": WIFI}
        return tuple(Counters(name, rx, 0, facts[name]) for name, rx in self.rx.items())

    def wake(self) -> None:
        """Something was ordered: the loop looks at the clock."""
        self._round -= 1
        self.holder.put(Effective(usage_every_s=self._round))

    async def told(self) -> list[tuple[Record, Usage]]:
        """What the hub would get."""
        return [(one, codec.decode_body("usage", one.body)) for one in await self.spool.recent("usage", 100)]

    async def until(self, is_so: Callable[[list[tuple[Record, Usage]]], bool]) -> list[tuple[Record, Usage]]:
        """What was told, once it is so."""
        async with asyncio.timeout(60):
            while not is_so(found := await self.told()):  # noqa: ASYNC110 (a disk tells nobody)
                await asyncio.sleep(0.02)
        return found


@asynccontextmanager
async def _running(folder: Path) -> AsyncIterator[Bench]:
    bench = Bench(folder)
    task = asyncio.create_task(bench.sampler.run())
    try:
        await bench.until(lambda told: len(told) == 1 and len(bench.book.samples()) == 2)
        yield bench
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        bench.book.close()
        bench.spool.close()


async def test_midnight_has_a_sample_of_its_own_and_no_month_is_estimated(tmp_path: Path) -> None:
    async with _running(tmp_path) as bench:
        bench.time.pass_ms(29_999)
        bench.wake()
        await asyncio.sleep(0.1)
        assert len(await bench.told()) == 1
        bench.rx["wwan0"] += 300
        bench.time.pass_ms(1)
        bench.wake()
        (record, usage) = (await bench.until(lambda told: len(told) == 2))[1]
        assert (usage.occasion, record.at_ms) == ("midnight", MIDNIGHT_MS)
        # Once, not again and again until the next one.
        bench.wake()
        await asyncio.sleep(0.1)
        assert len(await bench.told()) == 2
        bench.rx["wwan0"] += 50
        bench.time.pass_ms(60_000)
        samples = await bench.sampler.samples()
        assert used(samples, "2026-11") == Used(300, 0)
        assert used(samples, "2026-12") == Used(50, 0)


async def test_before_it_goes_off_the_rest_is_on_disk(tmp_path: Path) -> None:
    async with _running(tmp_path) as bench:
        bench.rx["wwan0"] += 77
        bench.rx["wlan0"] += 8
    again = Bench(tmp_path)
    told = await again.told()
    assert [usage.occasion for _, usage in told] == ["round", "shutdown"]
    assert used(again.book.samples(), "2026-11") == Used(77, 8)
    again.book.close()
    again.spool.close()


async def test_a_pace_that_was_ordered_counts_at_once(tmp_path: Path) -> None:
    async with _running(tmp_path) as bench:
        bench.holder.put(Effective(usage_every_s=1))
        told = await bench.until(lambda told: len(told) >= 3)
        assert {usage.occasion for _, usage in told} == {"round"}


async def test_while_the_clock_is_not_set_there_is_no_midnight_and_times_are_mended_later(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.time.set_wall(1_000_000, synced=False)
    await bench.sampler.sample("round")
    bench.rx["wwan0"] += 40
    bench.time.pass_ms(1_200_000)
    bench.time.set_wall(MIDNIGHT_MS + 3_600_000, synced=True)
    await bench.sampler.sample("round")
    assert used(bench.book.samples(), "2026-12") == Used(40, 0)
    bench.book.close()
    bench.spool.close()


async def test_a_book_that_takes_nothing_is_told_once_and_the_hub_hears_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path)
    bench.book.close()
    await bench.sampler.sample("round")
    await bench.sampler.sample("round")
    assert len(await bench.told()) == 2
    assert caplog.text.count("usage cannot be kept in the book") == 1
    bench.spool.close()


def test_a_book_that_cannot_be_read_gives_way_to_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "usage.db").write_bytes(b"nonsense " * 1000)
    book = UsageBook(tmp_path)
    assert book.samples() == []
    book.close()
    assert (tmp_path / "usage.broken").exists()
    assert oct((tmp_path / "usage.db").stat().st_mode & 0o777) == "0o600"


@pytest.mark.parametrize(
    ("at_ms", "after_ms"), [(MIDNIGHT_MS - 1, 1), (MIDNIGHT_MS, 86_400_000), (MIDNIGHT_MS + 1, 86_399_999)]
)
def test_the_next_midnight_is_japans(at_ms: int, after_ms: int) -> None:
    assert next_midnight(at_ms) - at_ms == after_ms


def test_a_real_agent_tells_its_usage_once_and_says_when_it_goes(tmp_path: Path) -> None:
    """The usage record is the tablet's alone: `fleet` tells none beside it. SIGTERM leaves a last one."""
    with TabletProcess(tmp_path) as tablet:
        tablet.start()
        until(lambda: tablet.kept("usage") == 1 and tablet.kept("tablet_state") == 1, "it counts")
        assert tablet.stop() == 0
        occasions = [codec.decode_body("usage", one.body).occasion for one in tablet.records("usage")]
        assert occasions == ["round", "shutdown"]
        (state,) = tablet.records("tablet_state")
        assert codec.decode_body("tablet_state", state.body).text_size == "normal"
