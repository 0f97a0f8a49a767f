"""Keys of the hub's folder: made at first need, whole or not at all, readable by the hub alone."""

import contextlib
import os
import secrets
from pathlib import Path

_KEY_BYTES = 32


def read_key(folder: Path, name: str) -> bytes:
    """The 32 bytes in `folder/name`; a file that is not there or is broken is made anew."""
    path = folder / name
    with contextlib.suppress(FileNotFoundError):
        kept = path.read_bytes()
        if len(kept) == _KEY_BYTES:
            return kept
    folder.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    key = secrets.token_bytes(_KEY_BYTES)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return key
