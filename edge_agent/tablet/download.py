"""Access: one file of the shelf from the hub over HTTPS, whole or not at all.  Blocks: in a thread of its own.

1. What has come so far lies in `<digest>.part`; the next try asks for the rest (Range, RFC 9110, 14.2).
2. The file stands under its name only once all its bytes are there and on the disk, and have the digest.
3. More bytes than the shelf tells of, or others, are thrown away at once: nothing of them is shown.
"""

import hashlib
import os
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

from edge_agent.identity import ask
from edge_agent.identity.ask import Refused
from wire import whole_file
from wire.shelf import File

_PATH = "/tablet/files/"
_CHUNK_BYTES = 65_536
_TIMEOUT_S = 10.0


class Away(Exception):
    """The hub does not answer, or stopped in the middle: later again, from there. One plain sentence."""


class Unfit(Exception):
    """What the hub gives is not the file that the shelf names, or it gives none. One plain sentence."""


class Stopped(Exception):
    """It may not go on now; what has come stays."""


def download(
    hub: str, root_pem: bytes | None, ticket: str, file: File, folder: Path, go_on: Callable[[], bool]
) -> Path:
    """The file, on disk under its name. Raises Away, Unfit, Stopped, OSError (this disk's)."""
    whole_file.make_folder(folder)
    part = folder / f"{file.digest}.part"
    begun = part.stat().st_size if part.exists() else 0
    if begun > file.size_bytes:
        part.unlink()
        begun = 0
    if begun < file.size_bytes or not begun:
        _fetch(hub, root_pem, ticket, file, part, begun, go_on)
    return _settle(part, file)


def _fetch(
    hub: str, root_pem: bytes | None, ticket: str, file: File, part: Path, begun: int, go_on: Callable[[], bool]
) -> None:
    headers = {"Authorization": f"Bearer {ticket}"} | ({"Range": f"bytes={begun}-"} if begun else {})
    try:
        connection = ask.connection_to(hub, root_pem, timeout_s=_TIMEOUT_S)
    except Refused as error:
        raise Unfit(str(error)) from error
    try:
        answer = _asked(
            hub, lambda: connection.request("GET", _path(hub, file), headers=headers), connection.getresponse
        )
        if answer.status not in (200, 206):
            part.unlink(missing_ok=True)
            raise Unfit(f"the hub gives no file of a shelf (code {answer.status})")
        # A hub that gives the whole begins anew.
        with part.open("ab" if answer.status == 206 else "wb") as out:
            _copy(hub, answer, out.write, file.size_bytes - out.tell(), go_on)
    finally:
        connection.close()


def _path(hub: str, file: File) -> str:
    return urlsplit(hub).path.rstrip("/") + _PATH + file.digest


def _asked(hub: str, send: Callable[[], None], receive: Callable[[], HTTPResponse]) -> HTTPResponse:
    try:
        send()
        return receive()
    except (OSError, HTTPException) as error:
        raise Away(f"{hub} does not answer ({error or type(error).__name__})") from error


def _copy(hub: str, answer: HTTPResponse, write: Callable[[bytes], int], left: int, go_on: Callable[[], bool]) -> None:
    while True:
        if not go_on():
            raise Stopped
        try:
            chunk = answer.read1(_CHUNK_BYTES)
        except (OSError, HTTPException) as error:
            raise Away(f"{hub} stopped in the middle of a file ({error or type(error).__name__})") from error
        left -= len(chunk)
        if left < 0:
            write(chunk)
            raise Unfit("the hub gives more bytes than the shelf tells of")
        if not chunk:
            break
        write(chunk)
    if left:
        raise Away(f"{hub} stopped in the middle of a file")


def _settle(part: Path, file: File) -> Path:
    with part.open("rb") as done:
        digest = hashlib.file_digest(done, "sha256").hexdigest()
    if digest != file.digest or part.stat().st_size != file.size_bytes:
        part.unlink()
        raise Unfit("the hub gives other bytes than the shelf tells of")
    with part.open("r+b") as done:
        os.fsync(done.fileno())
    path = part.with_suffix("")
    part.replace(path)
    whole_file.sync_folder(path.parent)
    return path
