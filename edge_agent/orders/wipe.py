"""Wipe: locks the device and erases what it knows of people and what it may do; it must then be enrolled anew.

1. It is locked first, on disk: nobody taps on a device that is being erased, also after a power cut.
2. Unsent records are sent first, for so long as the settings allow, unless the order says `at_once`.
3. Erased is everything in its folder but what is still needed to tell of it. The key goes last, overwritten, when
   the hub has acked the result or a limit has passed.
4. It may be begun again after a power cut: erasing twice is as once.
5. The confirmation code stands on the screen and in the result: whoever holds the device can tell that it is this one.

A memory card may keep old copies of what was overwritten: who must be sure revokes the certificate as well.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from edge_agent.clock import Clock, Stamp
from edge_agent.kiosk.screen import Screen
from edge_agent.orders import locked
from edge_agent.orders.lock import show
from edge_agent.orders.locked import Locked
from edge_agent.orders.outcome import Begun, Doing, Given, Outcome
from edge_agent.spool_thread import AsyncSpool

# What is needed until the hub has been told. The spool goes at the next start.
_KEPT = ("identity", "spool.", "orders.db", "locked.", "connection", "good-time")
_LOOK_EVERY_S = 0.1
# How long the key stays for telling; a stolen device, which may be cut off at any moment, does not keep it for long.
_ACK_S, _ACK_AT_ONCE_S = 60, 10


class Wipe:
    """Erases. `end` ends the agent in good order; it comes back as a device that nobody knows.

    `keep` are files of others in its folder: the settings.
    """

    def __init__(
        self,
        screen: Screen | None,
        state_dir: Path,
        spool: AsyncSpool,
        clock: Clock,
        end: Callable[[], None],
        *,
        send_s: float,
        keep: frozenset[Path] = frozenset(),
    ) -> None:
        self._screen, self._state_dir, self._spool, self._clock = screen, state_dir, spool, clock
        self._end, self._send_s, self._keep = end, send_s, keep

    @property
    def doing(self) -> Doing:
        """As the loop takes it."""
        return Doing(self._do, self._settle, limit_s=self._send_s + 120)

    async def _do(self, given: Given) -> Outcome:
        return await self._wipe(at_once=given.arguments.at_once)

    async def _settle(self, begun: Begun, now: Stamp) -> Outcome:
        return await self._wipe(at_once=begun.arguments.at_once)

    async def resume(self) -> None:
        """Goes on where a power cut came between the result and the end of the key."""
        found = await asyncio.to_thread(locked.read, self._state_dir)
        if found is not None and found.why == "wiping" and found.code:
            await self._forget(found, _ACK_AT_ONCE_S)

    async def _wipe(self, *, at_once: bool) -> Outcome:
        found = await asyncio.to_thread(locked.read, self._state_dir)
        if found is None or found.why in ("locked", "lease"):
            found = Locked("wiping", since_ms=self._clock.stamp().at_ms, code="")
            await self._write(found)
        if self._screen is not None:
            show(self._screen, found)
        if not at_once:
            await self._until_sent(self._send_s)
        left = await asyncio.to_thread(erase, self._state_dir, self._keep)
        erased = Locked("wiping", "", found.since_ms, found.code or f"{secrets.randbelow(10**8):08}")
        await self._write(erased)
        if self._screen is not None:
            show(self._screen, erased)

        async def then() -> None:
            await self._forget(erased, _ACK_AT_ONCE_S if at_once else _ACK_S)

        if left:
            return Outcome("failed", f"not_whole: {', '.join(left)[:200]}", then)
        return Outcome("done", f"wiped: {erased.code}", then)

    async def _forget(self, found: Locked, within_s: float) -> None:
        """The end of the key, once the hub knows, or after a while."""
        await self._until_sent(within_s, urgent_only=True)
        await asyncio.to_thread(forget_identity, self._state_dir)
        await self._write(Locked("wiped", "", found.since_ms, found.code))
        self._end()

    async def _write(self, found: Locked) -> None:
        # A disk that takes nothing must not keep a stolen device from being erased.
        with contextlib.suppress(OSError):
            await asyncio.to_thread(locked.write, self._state_dir, found)

    async def _until_sent(self, within_s: float, *, urgent_only: bool = False) -> None:
        loop = asyncio.get_running_loop()
        end_s = loop.time() + within_s
        while loop.time() < end_s:
            depth = await self._spool.depth()
            if not depth.get("urgent") and (urgent_only or not depth.get("bulk")):
                return
            await asyncio.sleep(_LOOK_EVERY_S)


def erase(state_dir: Path, keep: frozenset[Path] = frozenset()) -> list[str]:
    """Erases everything but what is still needed and `keep`; the names of what could not be."""
    left = []
    for path in state_dir.iterdir():
        if path.name.startswith(_KEPT) or path in keep:
            continue
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                _overwrite(path)
                path.unlink()
        except FileNotFoundError:
            continue  # somebody else was quicker
        except OSError:
            left.append(path.name)
    locked.sync_folder(state_dir)
    return left


def forget_identity(state_dir: Path) -> None:
    """Overwrites and removes the key, and all that belongs to it."""
    folder = state_dir / "identity"
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        with contextlib.suppress(OSError):
            _overwrite(path)
            path.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    locked.sync_folder(state_dir)


def _overwrite(path: Path) -> None:
    """Zeros over a file's bytes, on disk."""
    if path.is_symlink() or not path.is_file():
        return
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        file.write(b"\0" * size)
        file.flush()
        os.fsync(file.fileno())
