"""Files of content in the hub's folder, by the SHA-256 of their bytes (`content/<digest>`, for the hub alone).

A file is whole or not there; one that two items have lies there once.  Copies of the hub's folder must hold them: the
database has only their names.
"""

import hashlib
from pathlib import Path

from wire import whole_file

FOLDER = "content"


def folder_of(state_dir: Path) -> Path:
    """Where they lie."""
    return state_dir / FOLDER


def put(folder: Path, content: bytes) -> str:
    """Keeps a file; its digest, once it is on disk. Raises OSError."""
    digest = hashlib.sha256(content).hexdigest()
    path = folder / digest
    if not path.exists():
        whole_file.make_folder(folder)
        whole_file.write(path, content)
    return digest


def path(folder: Path, digest: str) -> Path | None:
    """Where a file lies; None for one that is not there (any more)."""
    found = folder / digest
    return found if found.is_file() else None


def remove(folder: Path, digest: str) -> None:
    """Takes a file away. Raises OSError."""
    if folder.is_dir():
        whole_file.remove(folder / digest)
