"""Loop: counts how long the hub was away, locks the device when its lease is over, opens it when the hub is heard."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from edge_agent.clock import Clock
from edge_agent.effective import Holder
from edge_agent.policy.keep import write_whole
from edge_agent.policy.lease import Away, counted, is_over
from edge_agent.settings import Settings

log = logging.getLogger(__name__)

_EVERY_S = 60.0
# The count is on disk at least so often: what a power cut takes from it does not matter in days.
_SAVE_EVERY_MS = 900_000


class Locking(Protocol):
    """What locks the device."""

    async def begin_lease_lock(self, contact: str) -> None:
        """Locks it, unless it is locked already. Raises OSError."""
        ...

    async def end_lease_lock(self) -> None:
        """Opens it, when the lease alone had locked it. Raises OSError."""
        ...


class LeaseKeeper:
    """One agent's lease. `heard_s` tells when the hub was heard last, by the monotonic clock."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        holder: Holder,
        lock: Locking,
        heard_s: Callable[[], float | None],
        *,
        every_s: float = _EVERY_S,
    ) -> None:
        self._path = Path(settings.state_dir) / "policy" / "away.json"
        self._clock, self._holder, self._lock, self._heard_s, self._every_s = clock, holder, lock, heard_s, every_s
        self._last_heard_s: float | None = None
        self._saved_ms = -_SAVE_EVERY_MS

    async def run(self) -> None:
        """Counts until cancelled. The first time after a moment, in which the hub may be heard."""
        away, fails = await asyncio.to_thread(_read, self._path), False
        while True:
            await asyncio.sleep(self._every_s)
            try:
                away = await self._count(away)
            except OSError as error:
                if not fails:
                    log.warning("the lease cannot be kept: %s", error)
                fails = True
            else:
                fails = False

    async def _count(self, last: Away) -> Away:
        heard_s = self._heard_s()
        heard, self._last_heard_s = heard_s != self._last_heard_s, heard_s
        away = counted(last, self._clock.stamp(), heard=heard)
        begins_anew = heard and last.away_ms > _SAVE_EVERY_MS
        if begins_anew or not 0 <= away.mono_ms - self._saved_ms < _SAVE_EVERY_MS:
            await asyncio.to_thread(write_whole, self._path, msgspec.json.encode(away))
            self._saved_ms = away.mono_ms
        now = self._holder.now
        if is_over(away, now.lease_days):
            await self._lock.begin_lease_lock(now.contact)
        else:
            await self._lock.end_lease_lock()
        return away


def _read(path: Path) -> Away:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Away)
    except (OSError, msgspec.MsgspecError):
        return Away()
