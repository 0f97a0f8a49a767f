"""What the resident chose for their tablet, on its disk; what they did not choose is as the town ordered it.

Raises nothing for a file that cannot be read: then nothing is chosen.
"""

from pathlib import Path
from typing import Literal

import msgspec

from edge_agent.effective import Effective
from wire import whole_file
from wire.policy import TextSize

Language = Literal["ja", "en"]
# Steps of volume and light that a finger takes, in per cent. The screen never goes dark.
VOLUMES = (0, 20, 40, 60, 80, 100)
LIGHTS = (20, 40, 60, 80, 100)


class Choices(msgspec.Struct, frozen=True, omit_defaults=True):
    """Only what was chosen; None where it was not."""

    language: Language | None = None
    text_size: TextSize | None = None
    volume: int | None = None
    light: int | None = None


class Comfort(msgspec.Struct, frozen=True):
    """How the tablet is now for its resident; volume and light in per cent."""

    language: Language
    text_size: TextSize
    volume: int
    light: int


class ChoiceFile:
    """The choices of one tablet."""

    def __init__(self, folder: Path) -> None:
        """Reads them."""
        self._path = folder / "choices.json"
        self.now = _read(self._path)

    def save(self, choices: Choices) -> None:
        """From now on these; on disk when it returns. Raises OSError; then nothing has changed."""
        whole_file.make_folder(self._path.parent)
        whole_file.write(self._path, msgspec.json.encode(choices))
        self.now = choices


def comfort(choices: Choices, ordered: Effective) -> Comfort:
    """The choices over what was ordered."""
    return Comfort(
        choices.language or ordered.language,
        choices.text_size or ordered.text_size,
        ordered.volume if choices.volume is None else choices.volume,
        max(LIGHTS[0], ordered.light if choices.light is None else choices.light),
    )


def step(steps: tuple[int, ...], now: int, way: Literal["up", "down"]) -> int:
    """The next step in a direction, or the last one there is."""
    beyond = [one for one in steps if (one > now if way == "up" else one < now)]
    if not beyond:
        return steps[-1] if way == "up" else steps[0]
    return beyond[0] if way == "up" else beyond[-1]


def _read(path: Path) -> Choices:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Choices)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Choices()
