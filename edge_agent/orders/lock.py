"""Lock and unlock: the screen shows only whom to call, taps are refused aloud, and a restart changes nothing."""

import asyncio
from pathlib import Path

from edge_agent.clock import Clock, Stamp
from edge_agent.kiosk.screen import Screen, View
from edge_agent.orders import locked
from edge_agent.orders.locked import Locked
from edge_agent.orders.outcome import Begun, Doing, Given, Outcome, failed

# What an order may end or take the place of.
_BY_THE_HUB = ("locked", "lease")


class Lock:
    """Locks and unlocks. `screen` is None where there is no page."""

    def __init__(self, screen: Screen | None, state_dir: Path, clock: Clock) -> None:
        self._screen, self._state_dir, self._clock = screen, state_dir, clock

    @property
    def lock(self) -> Doing:
        """As the loop takes it."""
        return Doing(self._lock, self._settle_lock)

    @property
    def unlock(self) -> Doing:
        """As the loop takes it."""
        return Doing(self._unlock, self._settle_unlock)

    def restore(self) -> None:
        """Locks the screen again after a start."""
        found = locked.read(self._state_dir)
        if found is not None and self._screen is not None:
            show(self._screen, found)

    async def begin_lease_lock(self, contact: str) -> None:
        """Locks it because the hub was not heard for too long; one that is locked already stays as it is."""
        found = Locked("lease", contact, self._clock.stamp().at_ms)
        if await asyncio.to_thread(locked.read, self._state_dir) is None:
            await asyncio.to_thread(locked.write, self._state_dir, found)
            if self._screen is not None:
                show(self._screen, found)

    async def end_lease_lock(self) -> None:
        """The hub was heard: what was locked for that reason alone opens again."""
        found = await asyncio.to_thread(locked.read, self._state_dir)
        if found is not None and found.why == "lease":
            await asyncio.to_thread(locked.clear, self._state_dir)
            if self._screen is not None:
                self._screen.unlock()

    async def _lock(self, given: Given) -> Outcome:
        return await self._set(given.arguments.contact)

    async def _settle_lock(self, begun: Begun, now: Stamp) -> Outcome:
        """Locking twice is as once."""
        return await self._set(begun.arguments.contact)

    async def _set(self, contact: str) -> Outcome:
        if self._screen is None:
            return failed("no_screen")
        found = await asyncio.to_thread(locked.read, self._state_dir)
        if found is None or found.why in _BY_THE_HUB:
            found = Locked("locked", contact, self._clock.stamp().at_ms)
            try:
                await asyncio.to_thread(locked.write, self._state_dir, found)
            except OSError as error:
                show(self._screen, found)
                return failed("disk", error.strerror or "")
        show(self._screen, found)
        return Outcome("done")

    async def _unlock(self, given: Given) -> Outcome:
        return await self._clear()

    async def _settle_unlock(self, begun: Begun, now: Stamp) -> Outcome:
        """Unlocking twice is as once."""
        return await self._clear()

    async def _clear(self) -> Outcome:
        if self._screen is None:
            return failed("no_screen")
        found = await asyncio.to_thread(locked.read, self._state_dir)
        if found is not None and found.why not in _BY_THE_HUB:
            # What is being erased stays shut.
            return failed("not_whole")
        try:
            await asyncio.to_thread(locked.clear, self._state_dir)
        except OSError as error:
            return failed("disk", error.strerror or "")
        self._screen.unlock()
        return Outcome("done")


def show(screen: Screen, found: Locked) -> None:
    """What a locked device shows."""
    if found.why in _BY_THE_HUB:
        screen.lock(View("locked", name=found.contact, since_ms=found.since_ms))
    else:
        screen.lock(View("wiped", name=found.code, since_ms=found.since_ms))
