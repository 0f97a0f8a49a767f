"""Reboot: asks the system for it. Done only when the kernel's boot id is another one."""

import asyncio
from collections.abc import Sequence

from edge_agent.clock import Stamp
from edge_agent.orders.outcome import Begun, Doing, Given, Outcome, failed

# A system that has not gone down by then does not.
PATIENCE_S = 180


class Reboot:
    """Reboots by a command; without one it is refused."""

    def __init__(self, command: Sequence[str], patience_s: float = PATIENCE_S) -> None:
        self._command, self._patience_s = command, patience_s

    @property
    def doing(self) -> Doing:
        """As the loop takes it."""
        return Doing(self._do, self._settle, limit_s=self._patience_s + 30)

    async def _do(self, given: Given) -> Outcome:
        if not self._command:
            return failed("no_reboot_here")
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            return failed("no_reboot_here", error.strerror or "")
        code = await process.wait()
        if code:
            return failed("no_reboot_here", f"{self._command[0]} ended with {code}")
        await asyncio.sleep(self._patience_s)
        return failed("still_up")

    async def _settle(self, begun: Begun, now: Stamp) -> Outcome:
        """Another boot: done. The same one: it may still be on its way down."""
        if now.boot != begun.boot:
            return Outcome("done")
        await asyncio.sleep(max(0.0, self._patience_s - (now.mono_ms - begun.mono_ms) / 1000))
        return failed("still_up")
