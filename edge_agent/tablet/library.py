"""What a tablet shows, on its own disk: items of the shelf, their files, and what the resident opened.

1. Files lie in `content/<digest>`, whole: a file stands under its name only once its bytes have that SHA-256.
2. What was opened, and what the hub was told of each item, is in `content/read.json`, whole or not there.
3. The hub is told once of each item: that it is there whole, was opened, had to go.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge_agent.clock import Clock
from edge_agent.spool_thread import AsyncSpool
from edge_agent.tablet import keep
from wire import whole_file
from wire.shelf import Item, ShelfContent
from wire.tablet import ContentSeen

log = logging.getLogger(__name__)

FOLDER = "content"
_READ = "read.json"


class Read(msgspec.Struct, frozen=True):
    """When each item was opened first (ms), and which items the hub was told to be there whole."""

    opened: dict[str, int] = {}
    fetched: tuple[str, ...] = ()


class Library:
    """The shelf of one tablet. Lives on the event loop; `Fetching` brings its files."""

    def __init__(self, state_dir: Path, spool: AsyncSpool, clock: Clock) -> None:
        self.folder = state_dir / FOLDER
        self._spool, self._clock = spool, clock
        self._shelf = ShelfContent()
        self._read = _load(self.folder / _READ)
        self._there = _there(self.folder)
        self._watchers: list[Callable[[], None]] = []
        self._writing = asyncio.Lock()

    @property
    def shelf(self) -> ShelfContent:
        """All that the hub's last shelf says; an empty one before the first."""
        return self._shelf

    @property
    def there(self) -> frozenset[str]:
        """The digests of the files that are there whole."""
        return frozenset(self._there)

    @property
    def content_bytes(self) -> int:
        """What the files take on the disk."""
        return sum(self._there.values())

    @property
    def missing(self) -> int:
        """How many files of the shelf are not there."""
        return len({file.digest for item in self._shelf.items for file in item.files} - self._there.keys())

    @property
    def opened_ms(self) -> dict[str, int]:
        """When each item was opened first, by its id."""
        return self._read.opened

    def use(self, shelf: ShelfContent) -> None:
        """From now on this shelf (`Papers.register`)."""
        self._shelf = shelf
        self._changed()

    def watch(self, watcher: Callable[[], None]) -> None:
        """`watcher` is called on the loop whenever there is another shelf, or another file."""
        self._watchers.append(watcher)

    def items(self) -> tuple[Item, ...]:
        """What is to be shown now: urgent ones first, then the newest. Also those whose files are not there yet."""
        return keep.current(self._shelf.items, self.now_ms())

    def item(self, id_: str) -> Item | None:
        """One of them."""
        return next((item for item in self.items() if item.id == id_), None)

    def file(self, digest: str) -> Path | None:
        """Where a file lies, once it is there whole."""
        return self.folder / digest if digest in self._there else None

    def is_whole(self, item: Item) -> bool:
        """Whether all files of an item are there."""
        return all(file.digest in self._there for file in item.files)

    def now_ms(self) -> int:
        """The time by which ends are judged; 0 while the device does not know it."""
        stamp = self._clock.stamp()
        return 0 if stamp.clock == "unset" else stamp.at_ms

    async def opened(self, item: Item) -> None:
        """The resident opened an item: kept, and told to the hub, the first time. Raises SpoolFull, OSError."""
        if item.id in self._read.opened:
            return
        await self._tell(item.id, "opened")
        await self._write(msgspec.structs.replace(self._read, opened={**self._read.opened, item.id: self.now_ms()}))

    # ---- for who fetches

    async def arrived(self, digest: str, size_bytes: int) -> None:
        """A file is there whole under its name; items that have become whole are told. Raises SpoolFull, OSError."""
        self._there[digest] = size_bytes
        await self.tell_whole()
        self._changed()

    async def tell_whole(self) -> None:
        """Tells the hub of items that are whole and that it was not told of. Raises SpoolFull, OSError."""
        for item in self._shelf.items:
            if item.id not in self._read.fetched and self.is_whole(item):
                await self._tell(item.id, "fetched")
                await self._write(msgspec.structs.replace(self._read, fetched=(*self._read.fetched, item.id)))

    async def remove(self, digests: frozenset[str]) -> None:
        """Takes files off the disk; items of the shelf that lose one are told as dropped. Raises SpoolFull, OSError."""
        gone = digests & self._there.keys()
        for item in self._shelf.items:
            if item.id in self._read.fetched and any(file.digest in gone for file in item.files):
                await self._tell(item.id, "dropped")
                left = tuple(id_ for id_ in self._read.fetched if id_ != item.id)
                await self._write(msgspec.structs.replace(self._read, fetched=left))
        for digest in sorted(gone):
            await asyncio.to_thread((self.folder / digest).unlink, missing_ok=True)
            del self._there[digest]
        if gone:
            self._changed()

    async def forget(self) -> None:
        """What is noted of items that the shelf has no more goes. Raises OSError."""
        ids = {item.id for item in self._shelf.items}
        opened = {id_: at_ms for id_, at_ms in self._read.opened.items() if id_ in ids}
        read = Read(opened, tuple(id_ for id_ in self._read.fetched if id_ in ids))
        if read != self._read:
            await self._write(read)

    async def _tell(self, id_: str, what: str) -> None:
        body = msgspec.convert({"item": id_, "what": what}, ContentSeen)
        await self._spool.append("content", body, self._clock.stamp())

    async def _write(self, read: Read) -> None:
        self._read = read
        async with self._writing:
            await asyncio.to_thread(_save, self.folder, self._read)

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher()


def _save(folder: Path, read: Read) -> None:
    whole_file.make_folder(folder)
    whole_file.write(folder / _READ, msgspec.json.encode(read))


def _load(path: Path) -> Read:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Read)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Read()


def _there(folder: Path) -> dict[str, int]:
    """The whole files: 64 hexadecimal digits, and nothing behind them."""
    try:
        return {one.name: one.stat().st_size for one in folder.iterdir() if len(one.name) == 64 and one.suffix == ""}
    except OSError:
        return {}
