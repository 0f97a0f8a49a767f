"""Desired states on the device's own disk: what runs, what ran before, what is being tried.

1. One file says it all, replaced whole: temporary file, fsync, rename, fsync of the folder.  So a power cut leaves
   the old or the new, never something between.
2. Its first line is the SHA-256 of the rest.  A damaged file gives way to the one before it, which is kept beside it.
3. Only states that the signature was found good of come in here; the file holds them signed.
"""

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from edge_agent.policy.judge import Seen
from wire.messages import Desired, Reported


class Kept(msgspec.Struct, frozen=True):
    """`trying` is what is being applied: it was begun `attempts` times. `reported` is what the hub was told last."""

    seen: Seen = Seen()
    applied: Desired | None = None
    before: Desired | None = None
    trying: Desired | None = None
    attempts: int = 0
    result: str = ""
    error: str = ""
    reported: Reported | None = None


_decoder = msgspec.json.Decoder(Kept)


class Keep:
    """The folder of one agent. Blocking: not on the event loop."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "state.json"
        self._before = folder / "state-before.json"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def load(self) -> Kept:
        """What was kept last and is whole; nothing on a new disk."""
        return _read(self._path) or _read(self._before) or Kept()

    def save(self, kept: Kept) -> None:
        """On disk when it returns. Raises OSError; then the one before is still there."""
        body = msgspec.json.encode(kept)
        if _read(self._path) is not None:
            linked = self._before.with_suffix(".link")
            linked.unlink(missing_ok=True)
            os.link(self._path, linked)
            linked.replace(self._before)
        write_whole(self._path, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def write_whole(path: Path, data: bytes) -> None:
    """A file that is there whole or as it was before, also after a power cut. Raises OSError."""
    temporary = path.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> Kept | None:
    try:
        head, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if hashlib.sha256(body).hexdigest().encode() != head:
        return None
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError:
        return None
