"""`machinaka-hub radius-detail`: reads FreeRADIUS's detail files into the sessions, where rlm_rest cannot be used.

1. How far a file was read moves on in the transaction of what was read: a reader that is killed counts nothing twice
   and leaves nothing out.
2. All files whose names begin like the one that was named are read, the oldest first: what a rotation moved away while
   nobody read is read to its end.  A file is known by its number and its beginning, not by its name.
3. An entry that is no accounting is passed over, and told as a number.
"""

import argparse
import hashlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from hub import settings as hub_settings
from hub.db import Broken, Connection, Db, Fault
from hub.wifi import detail_file, keys, radius_record, radius_store
from hub.wifi.radius_intake import DayKeys, session_key
from hub.wifi.radius_record import BadRecord, Said
from hub.wifi.radius_store import Client, Heard
from wire.settings_file import BadSetting

_PACKED = (".gz", ".bz2", ".xz", ".zst", ".lzma")
_AT_ONCE_BYTES = 1_000_000
_MARK_BYTES = 256
_PAUSE_S, _FAULT_PAUSE_S = 1.0, 5.0


class File(NamedTuple):
    """A file that is there, known by its number and its beginning."""

    path: Path
    inode: int
    mark: str


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Adds the command to those of `machinaka-hub`."""
    command = commands.add_parser("radius-detail", help="read FreeRADIUS's detail files into the sessions of the Wi-Fi")
    command.add_argument("file", metavar="FILE", help="as detail writes it; files whose names go on are read as well")
    command.add_argument("--client", required=True, metavar="NAME", help="whose records these are (the page of others)")
    command.add_argument("--settings", required=True, metavar="FILE")
    command.add_argument("--follow", action="store_true", help="go on with what is written from now on")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = hub_settings.load(Path(arguments.settings))
    path = Path(arguments.file)
    if not path.parent.is_dir():
        return _failed(f"{path.parent}: no such folder")
    if not arguments.follow and not files(path):
        return _failed(f"{path}: no such file")
    db = Db(settings.database)
    try:
        db.open()
        client = db.read(lambda conn: radius_store.by_name(conn, arguments.client))
        if client is None or client.withdrawn_ms is not None:
            return _failed(f"--client: found {arguments.client!r}, expected the name of an access point that was added")
        return Reader(db, keys.folder_of(Path(settings.state_dir)), client, path).run(follow=arguments.follow)
    except (OSError, Broken, keys.BadKey) as error:
        expected = "a folder the hub may write, with its own database"
        raise BadSetting(settings.database, "state_dir", str(error), expected) from error
    finally:
        db.close()


def _failed(sentence: str) -> int:
    sys.stderr.write(f"machinaka-hub: radius-detail: {sentence}\n")
    return 2


def files(path: Path) -> list[File]:
    """The files that are there, those first that were written to first. Raises OSError."""
    found = []
    for one in path.parent.iterdir():
        if one.name.startswith(path.name) and one.suffix not in _PACKED and one.is_file():
            with one.open("rb") as file:
                stat = os.fstat(file.fileno())
                head = file.read(_MARK_BYTES)
            # The first line, with the time of the first entry, is there from the first write on and stays.
            line, written, _ = head.partition(b"\n")
            if written:
                mark = hashlib.sha256(line).hexdigest()[:32]
                found.append((stat.st_mtime_ns, one.name, File(one, stat.st_ino, mark)))
    return [file for _, _, file in sorted(found)]


class Reader:
    """Reads the files of one client."""

    def __init__(self, db: Db, folder: Path, client: Client, path: Path) -> None:
        self._db, self._client, self._path = db, client, path
        self._key = session_key(folder)
        self._day_keys = DayKeys(folder, _now_ms)
        self._taken = self._passed_over = 0

    def run(self, *, follow: bool) -> int:
        """Reads what is there; with `follow`, until it is told to end. Raises Fault, OSError."""
        end = threading.Event()
        if follow:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: end.set())
        while True:
            try:
                self.read()
                pause_s = _PAUSE_S
            except Fault as fault:
                if not follow:
                    raise
                # The hub beside it holds the file, or the disk is full: it passes.
                sys.stderr.write(f"machinaka-hub: radius-detail: {fault}; it is tried again\n")
                pause_s = _FAULT_PAUSE_S
            if not follow or end.wait(pause_s):
                print(f"taken in: {self._taken}; passed over: {self._passed_over}", flush=True)
                return 0

    def read(self) -> None:
        """Reads all files to their ends. Raises Fault, OSError."""
        there = files(self._path)
        for file in there:
            while self._read_some(file):
                pass
        known = [(file.inode, file.mark) for file in there]
        self._db.write_now(lambda conn: radius_store.forget_files(conn, self._client.id, known))

    def _read_some(self, file: File) -> bool:
        """Reads some of a file; whether there was something."""
        start = self._db.read(lambda conn: radius_store.read_through(conn, self._client.id, file.inode, file.mark))
        try:
            with file.path.open("rb") as opened:
                if os.fstat(opened.fileno()).st_ino != file.inode:
                    return False
                if os.fstat(opened.fileno()).st_size < start:
                    # Cut to nothing and begun anew, as some rotations do.
                    start = 0
                opened.seek(start)
                data = opened.read(_AT_ONCE_BYTES)
        except FileNotFoundError:
            return False
        found, read_bytes = detail_file.entries(data)
        if not read_bytes:
            return False
        said = self._said(found)
        arrived_ms = _now_ms()

        def write(conn: Connection) -> None:
            heard = [Heard(self._client, one) for one in said]
            radius_store.take(conn, heard, self._key, self._day_keys, arrived_ms)
            radius_store.keep_read(conn, self._client.id, file.inode, file.mark, start + read_bytes)

        self._db.write_now(write)
        self._taken += len(said)
        self._passed_over += len(found) - len(said)
        return True

    def _said(self, found: list[dict[str, str]]) -> list[Said]:
        said, now_ms = [], _now_ms()
        for one in found:
            try:
                said.append(radius_record.read(one, radius_record.detail_arrived_ms(one, now_ms)))
            except BadRecord:
                continue
        return said


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
