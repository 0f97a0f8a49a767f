"""Access: the battery, as /sys/class/power_supply tells it."""

from pathlib import Path
from typing import NamedTuple


class Battery(NamedTuple):
    """How full it is and whether it is being charged; None where the machine does not say."""

    percent: int | None = None
    charging: bool | None = None


def read(sys: Path = Path("/sys")) -> Battery:
    """The first battery of the machine itself (not of a mouse or pen); nothing where there is none."""
    for folder in sorted((sys / "class/power_supply").glob("*")):
        if _word(folder / "type") != "Battery" or _word(folder / "scope") == "Device":
            continue
        capacity, status = _word(folder / "capacity"), _word(folder / "status")
        percent = min(100, int(capacity)) if capacity.isdigit() else None
        # "Not charging": plugged in, and full enough.
        charging = status in ("Charging", "Full", "Not charging") if status and status != "Unknown" else None
        return Battery(percent, charging)
    return Battery()


def _word(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
