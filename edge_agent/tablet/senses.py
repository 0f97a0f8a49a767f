"""Access: the tablet's voice, volume and light, each where its settings name a way to it.

1. The voice is a process of its own (`tablet.speech`), given a text on its standard input; a new text ends the one
   before. `{language}` in the command is `ja` or `en`.
2. The volume is set by a command (`tablet.sound`), in which `{percent}` is the figure.
3. The light is a folder of /sys/class/backlight (`tablet.backlight`).
4. What fails is told to the log once when it begins and once when it ends; a page works without it.
"""

import asyncio
import contextlib
import logging
from pathlib import Path

from edge_agent.settings import TabletSettings

log = logging.getLogger(__name__)

_SET_S = 5.0
# A text is read for so long at most: a program that hangs does not hold the voice for ever.
_SPEAK_S = 1800.0


class Senses:
    """One tablet's. Lives on the event loop."""

    def __init__(self, settings: TabletSettings) -> None:
        self._settings = settings
        self._voice: asyncio.Task[None] | None = None
        self._failing: set[str] = set()

    # ---- voice

    @property
    def has_voice(self) -> bool:
        """Whether a text can be read aloud here."""
        return bool(self._settings.speech)

    @property
    def speaking(self) -> bool:
        """Whether a text is being read aloud."""
        return self._voice is not None and not self._voice.done()

    async def speak(self, text: str, language: str) -> None:
        """Begins to read a text aloud; returns at once."""
        await self.hush()
        if self.has_voice and text:
            self._voice = asyncio.create_task(self._speak(text, language), name="voice")

    async def hush(self) -> None:
        """Ends what is being read."""
        if self._voice is not None:
            self._voice.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._voice
            self._voice = None

    async def _speak(self, text: str, language: str) -> None:
        command = [word.replace("{language}", language) for word in self._settings.speech]
        await self._run("voice", command, text.encode(), _SPEAK_S)

    # ---- volume and light

    @property
    def has_volume(self) -> bool:
        """Whether the volume can be set."""
        return bool(self._settings.sound)

    @property
    def has_light(self) -> bool:
        """Whether the screen's light can be set."""
        return bool(self._settings.backlight)

    async def set_volume(self, percent: int) -> None:
        """Sets it, where that can be done."""
        if self.has_volume:
            command = [word.replace("{percent}", str(percent)) for word in self._settings.sound]
            await self._run("volume", command, b"", _SET_S)

    async def set_light(self, percent: int) -> None:
        """Sets it, where that can be done."""
        if self.has_light:
            fault = await asyncio.to_thread(_write_light, Path(self._settings.backlight), percent)
            self._note("light", fault)

    # ---- a program

    async def _run(self, what: str, command: list[str], given: bytes, within_s: float) -> None:
        """Runs a program to its end; it ends with whoever waits for it."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            self._note(what, f"{command[0]}: {error.strerror or error}")
            return
        try:
            async with asyncio.timeout(within_s):
                await process.communicate(given)
        except TimeoutError:
            self._note(what, f"{command[0]} does not end")
            return
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        self._note(what, f"{command[0]} ended with {process.returncode}" if process.returncode else "")

    def _note(self, what: str, fault: str) -> None:
        if fault and what not in self._failing:
            log.warning("the tablet's %s does not work: %s", what, fault)
            self._failing.add(what)
        elif not fault and what in self._failing:
            log.info("the tablet's %s works again", what)
            self._failing.discard(what)


def _write_light(folder: Path, percent: int) -> str:
    """Sets it; what is wrong, or empty."""
    try:
        greatest = int((folder / "max_brightness").read_text(encoding="ascii"))
        (folder / "brightness").write_text(f"{max(1, greatest * percent // 100)}\n", encoding="ascii")
    except (OSError, ValueError) as error:
        return str(error)
    return ""
