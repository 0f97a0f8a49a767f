"""Access: a light of the board's own (`/sys/class/leds`), made to blink and put back as it was."""

import asyncio
import contextlib
import re
from pathlib import Path

# A Raspberry Pi's names for its green light, then any other that is not a keyboard's.
_FIRST = ("ACT", "led0", "PWR", "led1")
_KEYBOARD = re.compile(r"^input\d+::")


def find(leds: Path) -> Path | None:
    """The light to blink with, or None where there is none that may be written to."""
    try:
        names = {one.name for one in leds.iterdir() if not _KEYBOARD.match(one.name)}
    except OSError:
        return None
    for name in [*(name for name in _FIRST if name in names), *sorted(names)]:
        trigger = leds / name / "trigger"
        try:
            with trigger.open("r+"):
                return leds / name
        except OSError:
            continue
    return None


async def blink(light: Path, seconds: float) -> None:
    """Blinks for so long, then goes on as before. Raises OSError."""
    trigger = light / "trigger"
    before = re.search(r"\[([^\]]+)\]", await asyncio.to_thread(trigger.read_text))
    await asyncio.to_thread(trigger.write_text, "timer")
    try:
        await asyncio.sleep(seconds)
    finally:
        with contextlib.suppress(OSError):
            trigger.write_text(before[1] if before else "none")
