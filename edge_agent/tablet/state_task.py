"""Loop: how the tablet is - battery, modems, way out, content - told to the hub when that changes, and each hour.

What flickers (a signal by some per cent) is no change; who looks at the hub wants the state, not its trembling.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from msgspec import structs

from edge_agent.clock import Clock
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from edge_agent.tablet import battery
from edge_agent.tablet.bus import Heard
from wire.tablet import Modem, TabletState

log = logging.getLogger(__name__)

_LOOK_S = 60.0
_AGAIN_MS = 3_600_000
_SIGNAL_STEP, _BATTERY_STEP = 20, 5


class Content(Protocol):
    """What the tablet's library says of its files."""

    @property
    def content_bytes(self) -> int:
        """What they take on the disk."""
        ...

    @property
    def missing(self) -> int:
        """How many files of the shelf are not there."""
        ...


class StateTask:
    """One tablet's state. `hear` asks the bus, `text_size` the resident's choice."""

    def __init__(
        self,
        spool: AsyncSpool,
        clock: Clock,
        hear: Callable[[], Awaitable[Heard]],
        content: Content | None,
        text_size: Callable[[], str],
        *,
        sys: Path = Path("/sys"),
    ) -> None:
        self._spool, self._clock, self._hear = spool, clock, hear
        self._content, self._text_size, self._sys = content, text_size, sys
        self._told: TabletState | None = None
        self._told_mono_ms = 0

    async def run(self) -> None:
        """Looks each minute until cancelled."""
        fails = False
        while True:
            try:
                await self.look()
            except (SpoolFull, sqlite3.Error, OSError) as error:
                if not fails:
                    log.warning("the tablet's state cannot be kept: %s", error)
                fails = True
            else:
                fails = False
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Tells the state, when it is news or an hour has gone by. Raises SpoolFull, OSError."""
        stamp, found = self._clock.stamp(), await self._state(await self._hear())
        late = stamp.mono_ms - self._told_mono_ms >= _AGAIN_MS
        if self._told is None or late or is_news(self._told, found):
            await self._spool.append("tablet_state", found, stamp)
            self._told, self._told_mono_ms = found, stamp.mono_ms

    async def _state(self, heard: Heard) -> TabletState:
        power, content = await asyncio.to_thread(battery.read, self._sys), self._content
        return TabletState(
            battery_percent=power.percent,
            charging=power.charging,
            modems=heard.modems,
            online_by=heard.online_by,
            content_bytes=content.content_bytes if content else 0,
            content_missing=content.missing if content else 0,
            text_size=self._text_size(),
        )


def is_news(told: TabletState, found: TabletState) -> bool:
    """Whether something changed that somebody at the hub would want to know."""
    return (
        _coarse(told) != _coarse(found)
        or _apart(told.battery_percent, found.battery_percent, _BATTERY_STEP)
        or any(
            _apart(before.signal_percent, after.signal_percent, _SIGNAL_STEP)
            for before, after in zip(told.modems, found.modems, strict=False)
        )
    )


def _coarse(state: TabletState) -> TabletState:
    modems: tuple[Modem, ...] = tuple(structs.replace(one, signal_percent=None) for one in state.modems)
    return structs.replace(state, battery_percent=None, content_bytes=0, modems=modems)


def _apart(before: int | None, after: int | None, step: int) -> bool:
    if before is None or after is None:
        return before != after
    return abs(before - after) >= step
