"""Loop: the button on the access point that begins the disaster network without the hub.

1. `/dev/input/…`: a key of that device held for five seconds; its events are read as the kernel writes them.
   `file:/run/…`: a file that is there for five seconds, for boards whose button another program watches.
2. A press too short, without a standing order, with a used or a false one: refused, and told with what was seen.
3. A device that is not there, or goes away, is waited for: said once, and once more when it is back.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

from edge_agent.orders import light
from edge_agent.wifi.disaster_doing import STANDING
from edge_agent.wifi.mode_task import Modes
from edge_agent.wifi.press import EVENT, Held, keys_in, moved, passed

log = logging.getLogger(__name__)

_FILE = "file:"
_LOOK_EVERY_S = 0.1
_AGAIN_EVERY_S = 2.0
# Shorter than this a key only shook.
_SHOOK_MS = 50
_LIGHT_S = 10.0

# Uses the standing order, with what the button saw; whether it begins.
Use = Callable[[tuple[str, ...]], Awaitable[bool]]


class Button:
    """One button. `run` as a task."""

    def __init__(
        self,
        where: str,
        use: Use,
        modes: Modes,
        *,
        now_s: Callable[[], float] = time.monotonic,
        leds: Path = Path("/sys/class/leds"),
    ) -> None:
        self._where, self._use, self._modes, self._now_s, self._leds = where, use, modes, now_s, leds
        self._held = Held()
        self._blinking: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Watches until cancelled."""
        away = False
        while True:
            try:
                async with contextlib.aclosing(self._states()) as states:
                    async for down in states:
                        if away:
                            log.warning("the button %s is there again", self._where)
                        away = False
                        await self._see(down)
            except OSError as error:
                if not away:
                    log.warning("the button %s cannot be read: %s", self._where, error.strerror or error)
                away = True
            # Whatever was held is no longer known to be.
            self._held = Held()
            await asyncio.sleep(_AGAIN_EVERY_S)

    def _states(self) -> AsyncGenerator[bool | None, None]:
        path = self._where.removeprefix(_FILE)
        return _of_file(Path(path)) if self._where.startswith(_FILE) else _of_device(path)

    async def _see(self, down: bool | None) -> None:  # noqa: FBT001 (what the button says)
        """The button is seen down or up, or nothing was said since."""
        now_ms = int(self._now_s() * 1000)
        # First what has passed: a key that comes up late was held until then.
        self._held, press = passed(self._held, now_ms)
        if press is not None:
            await self._pressed(press.held_ms)
        if down is not None:
            self._held, short = moved(self._held, down=down, now_ms=now_ms)
            if short is not None and short.held_ms >= _SHOOK_MS:
                await self._short(short.held_ms)

    async def _pressed(self, held_ms: int) -> None:
        log.warning("the button of the disaster switch was held")
        if await self._use((f"held_ms: {held_ms}",)):
            self._blinking = asyncio.create_task(self._blink(), name="light")

    async def _short(self, held_ms: int) -> None:
        await self._modes.refuse(STANDING, "button", ["reason: short_press", f"held_ms: {held_ms}"])

    async def _blink(self) -> None:
        """Whoever pressed sees that it was taken, where the board has a light."""
        with contextlib.suppress(OSError):
            found = await asyncio.to_thread(light.find, self._leds)
            if found is not None:
                await light.blink(found, _LIGHT_S)


async def _of_file(path: Path) -> AsyncGenerator[bool | None, None]:
    while True:
        yield await asyncio.to_thread(path.exists)
        await asyncio.sleep(_LOOK_EVERY_S)


async def _of_device(path: str) -> AsyncGenerator[bool | None, None]:
    """What an input device says, and None whenever it says nothing for a moment. Raises OSError."""
    device = await asyncio.to_thread(os.open, path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield None
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                data = os.read(device, EVENT.size * 64)
            except BlockingIOError:
                yield None
                continue
            if not data:
                raise OSError(0, "it went away")
            for down in keys_in(data):
                yield down
    finally:
        os.close(device)
