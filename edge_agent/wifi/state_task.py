"""Loop: how the access point is, to the hub: what is on the air, how many guests, what is wrong, what it tried itself.

Told every minute when something has changed, and every few minutes anyway, so that silence means something. When a
check was made is no change.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from edge_agent.clock import Clock
from edge_agent.settings import Settings
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi import airtime, commands
from edge_agent.wifi.airtime import Survey
from wire.messages import Network, WifiState

_LOOK_EVERY_S = 60.0

Gather = Callable[[], Awaitable[WifiState]]


class StateTeller:
    """Tells the hub. `gather` makes the state of now; `run` as a task."""

    def __init__(
        self, settings: Settings, spool: AsyncSpool, clock: Clock, gather: Gather, *, every_s: float = _LOOK_EVERY_S
    ) -> None:
        self._wifi, self._spool, self._clock = settings.wifi, spool, clock
        self._gather, self._every_s = gather, every_s
        self._told: WifiState | None = None
        self._told_ms = 0
        self._survey: Survey | None = None
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something has changed that the hub should know at once."""
        self._woken.set()

    async def run(self) -> None:
        """Looks every minute, and when woken, until cancelled."""
        while True:
            self._woken.clear()
            await self.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._woken.wait()

    async def look(self) -> bool:
        """One look; whether there was something to tell."""
        state = await self._gather()
        state = msgspec.structs.replace(state, networks=await self._with_airtime(state.networks))
        now = self._clock.stamp()
        due = now.mono_ms - self._told_ms >= self._wifi.tell_every_s * 1000
        if self._told is not None and not due and _plain(state) == _plain(self._told):
            return False
        # Without room it is offered again at the next look.
        with contextlib.suppress(SpoolFull):
            await self._spool.append("wifi_state", state, now)
            self._told, self._told_ms = state, now.mono_ms
        return True

    async def _with_airtime(self, networks: Sequence[Network]) -> tuple[Network, ...]:
        busy = await self._airtime()
        return tuple(msgspec.structs.replace(one, airtime_permille=busy) if one.on_air else one for one in networks)

    async def _airtime(self) -> int | None:
        if self._wifi.driver != "nl80211":
            return None
        text = ""
        with contextlib.suppress(commands.Failed):
            text = await commands.run("iw", "dev", self._wifi.radio, "survey", "dump")
        before, self._survey = self._survey, airtime.survey(text)
        return airtime.permille(before, self._survey)


def _plain(state: WifiState) -> WifiState:
    """Without what changes at each look: airtime in steps of a tenth, checks without their time."""
    networks = tuple(
        msgspec.structs.replace(one, airtime_permille=None if (air := one.airtime_permille) is None else air // 100)
        for one in state.networks
    )
    checks = tuple(msgspec.structs.replace(one, at_ms=0) for one in state.checks)
    return msgspec.structs.replace(state, networks=networks, checks=checks)
