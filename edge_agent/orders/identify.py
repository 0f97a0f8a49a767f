"""Identify: the screen flashes and beeps, a light of the board blinks, so that one finds the device in a room."""

import asyncio
import contextlib
from pathlib import Path

from edge_agent.kiosk.screen import Screen, View
from edge_agent.orders import light
from edge_agent.orders.outcome import Doing, Given, Outcome, failed, interrupted


class Identify:
    """Shows itself. `screen` is None where there is no page."""

    def __init__(self, screen: Screen | None, device: str, leds: Path = Path("/sys/class/leds")) -> None:
        self._screen, self._device, self._leds = screen, device, leds
        self._blinking: asyncio.Task[None] | None = None

    @property
    def doing(self) -> Doing:
        """As the loop takes it."""
        return Doing(self._do, interrupted)

    async def _do(self, given: Given) -> Outcome:
        seconds = given.arguments.seconds
        on = []
        if self._screen is not None and self._screen.onlookers:
            self._screen.show(View("identify", name=self._device), stays_s=seconds)
            on.append("screen")
        found = await asyncio.to_thread(light.find, self._leds)
        if found is not None:
            on.append("light")
            self._blinking = asyncio.create_task(_blink(found, seconds), name="light")
        return Outcome("done", f"shown: {', '.join(on)}") if on else failed("nothing_to_show")


async def _blink(found: Path, seconds: float) -> None:
    with contextlib.suppress(OSError):
        await light.blink(found, seconds)
