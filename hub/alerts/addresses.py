"""Where people are told: addresses that hold passwords and tokens, in a file of the hub alone (mode 0600).

They are never shown again, never logged and not in the database, so no copy of it gives them away.
"""

import contextlib
import os
import secrets
import threading
from pathlib import Path

import msgspec

NAME = "alert-addresses.json"


class Addresses:
    """The file of one hub.  May be used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._lock = threading.Lock()

    def add(self, address: str) -> str:
        """Keeps an address; what it is called from now on. Raises OSError."""
        with self._lock:
            kept = self._read()
            ref = secrets.token_hex(8)
            self._write({**kept, ref: address})
        return ref

    def remove(self, ref: str) -> None:
        """Forgets one. Raises OSError."""
        with self._lock:
            kept = self._read()
            if kept.pop(ref, None) is not None:
                self._write(kept)

    def of(self, ref: str) -> str | None:
        """The address of that name; None when the file was lost or is from another day than the database."""
        with self._lock:
            return self._read().get(ref)

    def _read(self) -> dict[str, str]:
        with contextlib.suppress(OSError, msgspec.DecodeError, msgspec.ValidationError):
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, str])
        return {}

    def _write(self, kept: dict[str, str]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(kept))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
