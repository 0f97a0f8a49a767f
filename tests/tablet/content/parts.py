"""What these tests share: items, files, a tablet's library with a real spool, and a hub by hand that gives files."""

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from edge_agent.clock import Clock
from edge_agent.effective import Holder, of_settings
from edge_agent.settings import IdentitySettings, Settings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.tablet.fetch import Fetching
from edge_agent.tablet.keep import Way
from edge_agent.tablet.library import Library
from wire import codec
from wire.shelf import File, Item, ShelfContent
from wire.tablet import ContentSeen

WITHIN_S = 60.0
DAY_MS = 86_400_000


def file_of(content: bytes, name: str = "広報.pdf") -> File:
    """A file as a shelf tells of it."""
    return File(hashlib.sha256(content).hexdigest(), len(content), "application/pdf", name)


def item_of(number: int, *contents: bytes, urgent: bool = False, published_ms: int = 0, until_ms: int = 0) -> Item:
    """A newsletter with these files."""
    files = tuple(file_of(content) for content in contents)
    return Item(f"{number:032x}", "newsletter", f"広報 {number}", published_ms or number, until_ms, "", urgent, files)


class FileServer:
    """A hub by hand: gives files by their digest, counts what it was asked for, and stops or lies when told to."""

    def __init__(self, *contents: bytes) -> None:
        self.files = {hashlib.sha256(content).hexdigest(): content for content in contents}
        self.asked: list[tuple[str, str, str]] = []
        self.stops_after: int | None = None
        self.knows_ranges = True
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """A file, a part of one, or 404."""
        digest, part = request.path.rpartition("/")[2], request.headers.get("Range", "")
        self.asked.append((digest, part, request.headers.get("Authorization", "")))
        content = self.files.get(digest)
        if content is None:
            request.send_error(404)
            return
        begin = int(part.removeprefix("bytes=").removesuffix("-")) if part and self.knows_ranges else 0
        request.send_response(206 if begin else 200)
        request.send_header("Content-Length", str(len(content) - begin))
        request.end_headers()
        body = content[begin:]
        stops, self.stops_after = self.stops_after, None
        request.wfile.write(body if stops is None else body[:stops])
        request.close_connection = True

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextlib.contextmanager
def serving(*contents: bytes) -> Iterator[FileServer]:
    """One for the length of a `with`."""
    server = FileServer(*contents)
    try:
        yield server
    finally:
        server.close()


class Reader:
    """A tablet's library with a real spool, and the loop that fetches for it."""

    def __init__(self, state: Path, hub_url: str, way: Way | None) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.settings = Settings("tablet-1", "tablet", str(state), identity=IdentitySettings(hub_url=hub_url))
        self.state, self.way = state, way or "wifi"
        self.clock = Clock(state / "good-time")
        self.spool = AsyncSpool(
            lambda: Spool(state / "spool.db", max_bytes=64 << 20, ballast_bytes=1 << 10, stamp=self.clock.stamp)
        )
        self.holder = Holder(of_settings(self.settings))
        self.library = Library(state, self.spool, self.clock)
        self.barred = False
        # The hub by hand is on this machine; where a way is given, it is as if it were elsewhere.
        works = (self.settings, self.library, self.holder, lambda: self.way, lambda: self.barred)
        self.fetching = Fetching(*works, is_near=lambda _: way is None)

    def use(self, *items: Item, ticket: str = "tablet-1.x") -> None:
        """Another shelf has come."""
        self.library.use(ShelfContent("町", ticket, items))

    async def told(self) -> list[tuple[int, str]]:
        """What the hub is told of items, in order: the item's number, and what became of it."""
        records = await self.spool.recent("content", 1000)
        bodies: list[ContentSeen] = [codec.decode_body("content", one.body) for one in records]
        return [(int(one.item, 16), one.what) for one in bodies]

    async def until_told(self, n: int) -> list[tuple[int, str]]:
        """The same, once there are so many."""
        async with asyncio.timeout(WITHIN_S):
            while len(found := await self.told()) < n:  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.02)
        return found

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Waits for something."""
        async with asyncio.timeout(WITHIN_S):
            while not is_so():  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def reading(state: Path, hub_url: str, way: Way | None = None) -> AsyncIterator[Reader]:
    """A tablet for the length of a `with`; it ends as a killed process does."""
    one = Reader(state, hub_url, way)
    task = asyncio.create_task(one.fetching.run())
    try:
        yield one
        assert not task.done()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        one.spool.close()
