"""Loop: lets roll-outs go on.

It looks when a device of one was heard, when somebody did something, and at the moment that the rule names; else it
asks for nothing.  It reads first and writes only when there is something to do: each writing waits for the disk.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

import msgspec

from hub.db import Connection, Db, Fault
from hub.live import Change, Live
from hub.rollout import progress, store
from hub.signing import Signing

log = logging.getLogger(__name__)

# The hub's clock may be set; so long at most is trusted to it while something runs.
_LOOK_EVERY_S = 30.0
# What many devices tell at once is looked at once.
_GATHER_S = 1.0


class Due(msgspec.Struct, frozen=True):
    """What a look has found: roll-outs that go on now, whose devices concern them, when to look again (ms)."""

    numbers: tuple[int, ...] = ()
    names: frozenset[str] = frozenset()
    look_ms: int | None = None


class Rollouts:
    """One a hub.  `run` as a task; `wake` from anywhere after somebody did something."""

    def __init__(self, db: Db, live: Live, signing: Signing, wake_down: Callable[[], None]) -> None:
        self._db, self._live, self._signing, self._wake_down = db, live, signing, wake_down
        live.watch(self._heard)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._names: frozenset[str] = frozenset()
        self._failing = False

    def wake(self, number: int) -> None:
        """Somebody did something with this roll-out: the pages are told, and it is looked at. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._done_with, number)

    def _done_with(self, number: int) -> None:
        self._live.tell(Change(rollouts=frozenset({number})))
        self._woken.set()

    def _heard(self, change: Change) -> None:
        if self._names and not self._names.isdisjoint(change.devices):
            self._woken.set()

    async def run(self) -> None:
        """Lets them go on for ever; the database may come and go."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            wait_s = await self._look(time.time_ns() // 1_000_000)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()
            await asyncio.sleep(_GATHER_S)

    async def _look(self, now_ms: int) -> float | None:
        """Does what is due; how long to wait until the next look (s; None: until somebody does something)."""
        try:
            found = await self._db.aread(lambda conn: due(conn, now_ms))
            self._names = found.names
            for number in found.numbers:
                await self._db.write(lambda conn, number=number: self._go_on(conn, number, now_ms))  # type: ignore[misc]
                self._wake_down()
            if found.numbers:
                self._live.tell(Change(rollouts=frozenset(found.numbers), at_ms=now_ms))
                found = await self._db.aread(lambda conn: due(conn, now_ms))
                self._names = found.names
        except Fault as fault:
            if not self._failing:
                log.warning("roll-outs cannot go on: %s", fault)
            self._failing = True
            return _LOOK_EVERY_S
        self._failing = False
        if found.numbers:
            return 0
        if not found.names:
            return None
        left_ms = _LOOK_EVERY_S * 1000 if found.look_ms is None else found.look_ms - now_ms
        return min(max(left_ms / 1000, 0), _LOOK_EVERY_S)

    def _go_on(self, conn: Connection, number: int, now_ms: int) -> None:
        progress.go_on(conn, self._signing, number, now_ms)


def due(conn: Connection, now_ms: int) -> Due:
    """Which roll-outs have something to do now, and when the others will at the latest."""
    numbers, names, looks = [], set(), []
    for number in store.active(conn):
        names |= store.names(conn, number)
        found = progress.steps(conn, number, now_ms)
        if found.steps:
            numbers.append(number)
        elif found.look_ms is not None:
            looks.append(found.look_ms)
    return Due(tuple(numbers), frozenset(names), min(looks, default=None))
