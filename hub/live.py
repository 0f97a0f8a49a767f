"""Tells the open pages what has changed, after each commit.

1. Telling never waits: a listener that is slow gets what it missed as one change.
2. So a listener costs one value, however many changes there are.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import msgspec

LISTENERS = 500


class Change(msgspec.Struct, frozen=True):
    """Which devices have new figures, whether there are new taps, and when it was committed.

    `down`: something may be due to go to a device, because one came or answered.
    `alerts`: an alert began, changed or ended, or something was told.
    `rollouts`: roll-outs that have gone on, by their numbers.
    """

    devices: frozenset[str] = frozenset()
    taps: bool = False
    at_ms: int = 0
    down: bool = False
    alerts: bool = False
    rollouts: frozenset[int] = frozenset()

    def and_then(self, later: "Change") -> "Change":
        """Both as one."""
        return Change(
            self.devices | later.devices,
            self.taps or later.taps,
            max(self.at_ms, later.at_ms),
            self.down or later.down,
            self.alerts or later.alerts,
            self.rollouts | later.rollouts,
        )


class TooManyListeners(Exception):
    """More pages are open than the hub tells."""


class Live:
    """The hub's one source of changes.  Belongs to the event loop."""

    def __init__(self, limit: int = LISTENERS) -> None:
        self._limit = limit
        self._listeners: set[Changes] = set()
        self._watchers: list[Callable[[Change], None]] = []
        # How many changes were told.
        self.told = 0

    def watch(self, watcher: Callable[[Change], None]) -> None:
        """`watcher` is called with each change, for as long as the hub runs; it must not wait."""
        self._watchers.append(watcher)

    def tell(self, change: Change) -> None:
        """Tells every listener. Never waits."""
        self.told += 1
        for watcher in self._watchers:
            watcher(change)
        for listener in self._listeners:
            listener.put(change)

    @contextmanager
    def listen(self, pause_s: float = 0) -> Iterator["Changes"]:
        """Changes from now on; `pause_s` gathers what comes within it into one. Raises TooManyListeners."""
        if len(self._listeners) >= self._limit:
            raise TooManyListeners(f"{self._limit} pages are open already")
        changes = Changes(pause_s)
        self._listeners.add(changes)
        try:
            yield changes
        finally:
            self._listeners.discard(changes)

    @property
    def listeners(self) -> int:
        """How many are listening."""
        return len(self._listeners)


class Changes:
    """What one listener has not seen yet: `async for change in changes`, or `await changes.next(15)`."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._ready = asyncio.Event()
        self._change = Change()

    def put(self, change: Change) -> None:
        """Adds a change to what waits."""
        self._change = self._change.and_then(change)
        self._ready.set()

    async def next(self, within_s: float | None = None) -> Change | None:
        """The next change, or None when there was none in that time."""
        try:
            async with asyncio.timeout(within_s):
                await self._ready.wait()
        except TimeoutError:
            return None
        await asyncio.sleep(self._pause_s)
        change, self._change = self._change, Change()
        self._ready.clear()
        return change

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        change = await self.next()
        assert change is not None  # noqa: S101 (it waited without a limit)
        return change
