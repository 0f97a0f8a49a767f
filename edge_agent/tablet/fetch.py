"""Loop: the files of the shelf, from the hub onto this tablet's disk, as the way out and the disk allow.

1. What stays and what goes is `keep.py`'s to say; what goes is removed before anything is fetched.
2. One file at a time, each whole or not at all; over Wi-Fi first (`keep.may_fetch`). A way that changes meanwhile stops
   a file that may not go over the new one; what has come of it stays.
3. A fault is said once when it begins and once when it ends; it is tried again after 5 s, growing to 5 min.
4. A device that is being wiped fetches nothing.
"""

import asyncio
import logging
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from edge_agent.effective import Holder
from edge_agent.identity import files as identity_files
from edge_agent.identity.ask import is_this_machine
from edge_agent.settings import Settings
from edge_agent.spool import SpoolFull
from edge_agent.tablet import keep
from edge_agent.tablet.download import Away, Stopped, Unfit, download
from edge_agent.tablet.keep import Kept, Way
from edge_agent.tablet.library import Library
from wire.shelf import File

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 60.0
_AGAIN_S = (5.0, 300.0)
# Content never takes the disk's last room: the records that wait there come first.
_ROOM_BYTES = 200_000_000


class Fetching:
    """One tablet's. `way` tells over what the tablet reaches the world now, `is_near` whether a host's name leads no
    further than this machine. `run` as a task."""

    def __init__(
        self,
        settings: Settings,
        library: Library,
        holder: Holder,
        way: Callable[[], Way],
        barred: Callable[[], bool] = lambda: False,
        is_near: Callable[[str], bool] = is_this_machine,
    ) -> None:
        self._settings, self._library, self._holder, self._way = settings, library, holder, way
        self._barred, self._is_near = barred, is_near
        self._hub = ""
        self._identity = Path(settings.state_dir) / "identity"
        self._changed = asyncio.Event()
        self._stop = threading.Event()
        self._fault = ""
        library.watch(self._changed.set)
        holder.watch(lambda _: self._changed.set())

    async def run(self) -> None:
        """Goes on until cancelled."""
        pause_s = _AGAIN_S[0]
        try:
            while True:
                self._changed.clear()
                fault = await self._round()
                self._say(fault)
                pause_s = min(pause_s * 2, _AGAIN_S[1]) if fault else _AGAIN_S[0]
                await self._wait(pause_s if fault else _LOOK_EVERY_S)
        finally:
            # A file under way ends at its next chunk.
            self._stop.set()

    async def _wait(self, pause_s: float) -> None:
        try:
            async with asyncio.timeout(pause_s):
                await self._changed.wait()
        except TimeoutError:
            pass

    async def _round(self) -> str:
        """Does what there is to do; what keeps it from going on, or nothing."""
        library = self._library
        if not library.shelf.ticket or await asyncio.to_thread(self._barred):
            return ""
        try:
            self._hub = await asyncio.to_thread(self._where)
            kept = await self._tidy()
            await library.tell_whole()
            for file in keep.to_fetch(kept, library.there, self._way_to_hub(), library.now_ms()):
                await self._fetch(kept, file)
                if self._changed.is_set():
                    # Another shelf, or the one that this file was: what comes next is looked at anew.
                    break
        except Stopped:
            return ""
        except (Away, Unfit, OSError, sqlite3.Error, SpoolFull) as error:
            return str(error)
        return ""

    async def _tidy(self) -> Kept:
        """Makes room: what the shelf has no more, or what is worth less than something else."""
        library = self._library
        budget = await asyncio.to_thread(_budget, library.folder, library.content_bytes, self._holder.now.content_mb)
        kept = keep.keep(library.shelf.items, library.opened_ms, budget, library.now_ms())
        await library.remove(library.there - kept.digests)
        await asyncio.to_thread(_drop_parts, library.folder, kept.digests)
        await library.forget()
        return kept

    async def _fetch(self, kept: Kept, file: File) -> None:
        library, hub = self._library, self._hub
        root = await asyncio.to_thread(identity_files.read, self._identity, "root.pem")
        ticket = library.shelf.ticket

        def go_on() -> bool:
            wanted = keep.to_fetch(kept, (), self._way_to_hub(), library.now_ms())
            return not self._stop.is_set() and not self._barred() and file in wanted

        if not hub:
            raise Away("nobody has said where the hub's pages are")
        await asyncio.to_thread(download, hub, root, ticket, file, library.folder, go_on)
        await library.arrived(file.digest, file.size_bytes)

    def _where(self) -> str:
        return self._settings.identity.hub_url or identity_files.hub(self._identity)

    def _way_to_hub(self) -> Way:
        # A hub on this machine (a demonstration) costs no line.
        return "wired" if self._is_near(urlsplit(self._hub).hostname or "") else self._way()

    def _say(self, fault: str) -> None:
        if fault and not self._fault:
            log.warning("content cannot be fetched: %s", fault)
        elif self._fault and not fault:
            log.info("content is fetched again")
        self._fault = fault


def _budget(folder: Path, used_bytes: int, content_mb: int) -> int:
    """What content may take: its part of the disk, and no more than there is room for."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    room = shutil.disk_usage(there).free + used_bytes - _ROOM_BYTES
    return max(0, min(content_mb * 1_000_000, room))


def _drop_parts(folder: Path, wanted: frozenset[str]) -> None:
    for path in folder.glob("*.part"):
        if path.stem not in wanted:
            path.unlink(missing_ok=True)
