"""Access: whether this device is locked or wiped, on its disk, so that a restart changes nothing.

A file that is there and cannot be read counts as locked: it is safer to call somebody than to take taps.
"""

import contextlib
import os
from pathlib import Path
from typing import Literal

import msgspec

_NAME = "locked.json"


class Locked(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why: `locked`; `lease`, when the hub was not heard for too long;
    `wiping`, when it is being erased; `wiped`, when it must be enrolled anew.
    """

    why: Literal["locked", "lease", "wiping", "wiped"] = "locked"
    contact: str = ""
    since_ms: int = 0
    code: str = ""


def read(state_dir: Path) -> Locked | None:
    """How it is locked, or None when it is not."""
    try:
        return msgspec.json.decode((state_dir / _NAME).read_bytes(), type=Locked)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError):
        return Locked()


def write(state_dir: Path, locked: Locked) -> None:
    """Locks it; on disk when it returns. Raises OSError."""
    path = state_dir / _NAME
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as file:
        file.write(msgspec.json.encode(locked))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(state_dir)


def clear(state_dir: Path) -> None:
    """Unlocks it; on disk when it returns. Raises OSError."""
    (state_dir / _NAME).unlink(missing_ok=True)
    sync_folder(state_dir)


def sync_folder(folder: Path) -> None:
    """Puts the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def before_start(state_dir: Path) -> None:
    """What a wiped device does before its agent opens anything.

    Its spool goes too: what the hub has is at the hub. One that was enrolled anew is not wiped any more.
    """
    found = read(state_dir)
    if found is None or found.why != "wiped":
        return
    if (state_dir / "identity" / "certificate.pem").exists():
        clear(state_dir)
        return
    for path in [*state_dir.glob("spool.*"), *state_dir.glob("orders.db*")]:
        with contextlib.suppress(OSError):
            path.unlink()
