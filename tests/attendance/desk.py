"""A terminal without its machine: a reader and a clock by hand, a real spool on a real disk, a real screen.

Where a view has to go by itself, the event loop's own time runs faster (`hurried`): eight seconds are over in less than
one.
"""

import asyncio
import contextlib
import queue
import selectors
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from edge_agent.attendance import card, roster
from edge_agent.attendance.readers.heard import CardHeard, Heard
from edge_agent.attendance.task import Attendance
from edge_agent.clock import Clock
from edge_agent.kiosk.screen import Screen, View
from edge_agent.settings import ReaderSettings, Settings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from tests.clock.hand_time import HandTime
from wire import codec
from wire.messages import Alarm, Punch

T = TypeVar("T")

HANAKO, TARO, NOBODY = bytes.fromhex("012e4cd8a9b3c401"), bytes.fromhex("0101060112233445"), b"nobody"
NAMES = {HANAKO: "山田花子", TARO: "佐藤太郎"}
_FASTER = 20
_WITHIN_S = 60


class _HurriedSelector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / _FASTER)


class HurriedLoop(asyncio.SelectorEventLoop):
    """A loop on which twenty seconds go by in one."""

    def __init__(self) -> None:
        super().__init__(_HurriedSelector())

    def time(self) -> float:
        """The loop's clock."""
        return super().time() * _FASTER


def within() -> asyncio.Timeout:
    """A minute of real time, on either kind of loop."""
    faster = _FASTER if isinstance(asyncio.get_running_loop(), HurriedLoop) else 1
    return asyncio.timeout(_WITHIN_S * faster)


def hurried(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine on a HurriedLoop."""
    with asyncio.Runner(loop_factory=HurriedLoop) as runner:
        return runner.run(work)


class HandReader:
    """A Reader that hears what it is told to; `stumble` makes it break its promise and raise."""

    def __init__(self) -> None:
        self._heard: queue.SimpleQueue[Heard | Exception | None] = queue.SimpleQueue()

    def listen(self, tell: Callable[[Heard], None], stop: threading.Event) -> None:
        """See Reader."""
        while not stop.is_set():
            with contextlib.suppress(queue.Empty):
                heard = self._heard.get(timeout=0.02)
                if isinstance(heard, Exception):
                    raise heard
                if heard is None:
                    return
                tell(heard)

    def hear(self, heard: Heard | Exception | None) -> None:
        """Something comes into the field; an exception is raised, None ends the reader."""
        self._heard.put(heard)


class Desk:
    """A running Attendance, and every view that its screen has shown."""

    def __init__(self, folder: Path, time: HandTime, spool: AsyncSpool, clock: Clock) -> None:
        self.time, self.spool, self.clock = time, spool, clock
        self.reader, self.screen = HandReader(), Screen()
        settings = Settings(
            device="terminal-1",
            kind="terminal",
            state_dir=str(folder),
            attendance=ReaderSettings(reader="by hand"),
        )
        self.attendance = Attendance(settings, self.reader, spool, clock, self.screen)
        self.views: list[View] = []
        self.running = asyncio.create_task(self.attendance.run())

    async def collect(self) -> None:
        """Keeps each view."""
        with self.screen.onlooker() as views:
            while True:
                self.views.append(await views.get())

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Returns when a condition holds; a minute of real time at most."""
        async with within():
            while not is_so():  # noqa: ASYNC110 (any condition at all)
                await asyncio.sleep(0.05)

    async def until_shown(self, state: str, after: int = 0) -> View:
        """The first view of a state among those past the first `after`."""
        await self.until(lambda: any(view.state == state for view in self.views[after:]))
        return next(view for view in self.views[after:] if view.state == state)

    async def tap(self, number: bytes, state: str) -> View:
        """A card is heard now; the view that it brings up."""
        before = len(self.views)
        self.reader.hear(CardHeard("felica", number, self.time.boottime_ns()))
        return await self.until_shown(state, before)

    async def hear(self, heard: Heard, state: str) -> View:
        """Something else is heard; the view that it brings up."""
        before = len(self.views)
        self.reader.hear(heard)
        return await self.until_shown(state, before)

    async def answer(self, direction: Any, state: str) -> View:
        """The question on the screen is answered; the view that this brings up."""
        before = len(self.views)
        assert self.screen.answer_question(self.screen.view.number, direction)
        return await self.until_shown(state, before)

    async def punches(self) -> list[tuple[int, Punch]]:
        """What is on the disk, as (seq, punch)."""
        records = await self.spool.recent("punch", 100_000)
        return [(record.seq, codec.decode_body("punch", record.body)) for record in records]

    async def alarms(self) -> list[Alarm]:
        """The alarms on the disk."""
        return [codec.decode_body("alarm", record.body) for record in await self.spool.recent("alarm", 100)]


@contextlib.asynccontextmanager
async def desk(
    folder: Path, time: HandTime | None = None, *, named: bool = True, max_bytes: int = 1 << 22
) -> AsyncIterator[Desk]:
    """A Desk that runs; with `named` Hanako and Taro are in its roster."""
    time = time or HandTime()
    clock = Clock(folder / "good-time", time)
    if named:
        key = roster.card_key(folder)
        roster.write_names(folder / "roster.toml", {card.token(key, number): name for number, name in NAMES.items()})
    spool = AsyncSpool(
        lambda: Spool(folder / "spool.db", max_bytes=max_bytes, ballast_bytes=1 << 12, stamp=clock.stamp)
    )
    one = Desk(folder, time, spool, clock)
    tasks = [asyncio.create_task(one.collect()), one.running]
    try:
        await one.until(lambda: bool(one.views))
        yield one
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        spool.close()
