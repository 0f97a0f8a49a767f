"""The door of the portal: takes connections, as many as the device can bear, and lets nobody hold it shut.

1. A device has at most so many connections, and all together have at most so many (`Bounds`).
2. Where there is no room, who has waited longest without a whole request goes, and the new one comes in: a client that
   never finishes its request keeps nobody out.
3. A handshake, a request's head and the pause between two requests have a bound each, and nothing lasts for ever. A
   head is at most 48 lines of 4 KiB.
4. What clients get wrong is no event: nothing of it is logged, least of all who it was.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

log = logging.getLogger(__name__)

_BACKLOG = 512
_LINE_BYTES = 4096
_LINES = 48
_NO_ROOM_S = 0.2

Context = Callable[[], ssl.SSLContext | None]


class Bounds(NamedTuple):
    """How much the portal bears: connections of one address and of all, how long it waits for the next whole thing, and
    how long a connection lasts at most. Each port has its own."""

    each: int = 16
    together: int = 320
    patience_s: float = 10.0
    longest_s: float = 60.0


USUAL = Bounds()


class _NotTheirMistakes(logging.Filter):
    """What a client sent wrongly is not told: it is nobody's fault here, and has the client's address in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError | ConnectionError | None)


_server_log = logging.getLogger(f"{__name__}.server")
_server_log.addFilter(_NotTheirMistakes())


class Visitor(web.RequestHandler):
    """A connection, as the door knows it. `busy`: a whole request of it is being answered."""

    __slots__ = ("busy", "gone")

    def __init__(self, server: web.Server, gone: Callable[[], None], **how: Any) -> None:
        super().__init__(server, **how)
        self.busy = False
        self.gone = gone

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is over; there is room again."""
        super().connection_lost(exc)
        self.gone()


class _Place:
    """What one connection takes up, from its first packet."""

    def __init__(self, client: str, taken: socket.socket) -> None:
        self.client, self.taken = client, taken
        self.began = False
        self.visitor: Visitor | None = None
        self.transport: asyncio.BaseTransport | None = None
        self.coming: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        return self.visitor is not None and self.visitor.busy

    def end(self) -> None:
        """At once, whatever has not been read yet."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()
        elif self.began:
            # The loop has it in its hands and sees that it is over; it is not for us to close it there.
            with contextlib.suppress(OSError):
                self.taken.shutdown(socket.SHUT_RDWR)
        else:
            self.taken.close()
        if self.coming is not None:
            self.coming.cancel()


class Door:
    """One port. `context` gives the certificate of each new connection; None for a port without TLS."""

    def __init__(self, runner: web.AppRunner, context: Context | None = None, bounds: Bounds = USUAL) -> None:
        self._runner, self._context, self._bounds = runner, context, bounds
        # In the order in which they came.
        self._places: dict[_Place, asyncio.TimerHandle] = {}
        self._of: dict[str, int] = {}

    @property
    def taken(self) -> int:
        """How many connections there are."""
        return len(self._places)

    async def serve(self, listening: socket.socket) -> None:
        """Takes connections until cancelled; then all of them end."""
        listening.setblocking(False)  # noqa: FBT003 (socket)
        listening.listen(_BACKLOG)
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    taken, address = await loop.sock_accept(listening)
                except OSError:
                    # The client is gone already, or there are no more descriptors.
                    await self._make_some_room()
                    continue
                self._take(taken, str(address[0]))
        finally:
            for place in list(self._places):
                place.end()

    async def _make_some_room(self) -> None:
        waiting = self._longest_waiting(None)
        if waiting is not None:
            waiting.end()
        await asyncio.sleep(_NO_ROOM_S)

    def _take(self, taken: socket.socket, client: str) -> None:
        if not self._has_room(client):
            taken.close()
            return
        place = _Place(client, taken)
        loop = asyncio.get_running_loop()
        self._places[place] = loop.call_later(self._bounds.longest_s, place.end)
        self._of[client] = self._of.get(client, 0) + 1
        place.coming = loop.create_task(self._admit(place), name="portal")

    def _has_room(self, client: str) -> bool:
        """Whether there is room for one more of this client, after somebody has gone for it if need be."""
        if self._of.get(client, 0) >= self._bounds.each:
            mine = self._longest_waiting(client)
            if mine is None:
                return False
            self._leave(mine)
            mine.end()
        if len(self._places) >= self._bounds.together:
            other = self._longest_waiting(None)
            if other is None:
                return False
            self._leave(other)
            other.end()
        return True

    def _longest_waiting(self, client: str | None) -> _Place | None:
        for place in self._places:
            if not place.busy and client in (None, place.client):
                return place
        return None

    async def _admit(self, place: _Place) -> None:
        server, loop = self._runner.server, asyncio.get_running_loop()
        context = self._context() if self._context else None
        if server is None or (self._context and context is None):
            place.end()
            self._leave(place)
            return
        place.began = True

        def visitor() -> Visitor:
            place.visitor = Visitor(
                server,
                lambda: self._leave(place),
                loop=loop,
                keepalive_timeout=self._bounds.patience_s,
                logger=_server_log,
                access_log=None,
                max_line_size=_LINE_BYTES,
                max_field_size=_LINE_BYTES,
                max_headers=_LINES,
                lingering_time=0,
                read_bufsize=8192,
                auto_decompress=False,
            )
            return place.visitor

        patience = {"ssl_handshake_timeout": self._bounds.patience_s, "ssl_shutdown_timeout": 1.0} if context else {}
        try:
            place.transport, _ = await loop.connect_accepted_socket(visitor, place.taken, ssl=context, **patience)
        except (OSError, ssl.SSLError):
            # The handshake came to nothing.
            self._leave(place)
        except asyncio.CancelledError:
            self._leave(place)
            raise
        finally:
            place.coming = None

    def _leave(self, place: _Place) -> None:
        timer = self._places.pop(place, None)
        if timer is None:
            return
        timer.cancel()
        left = self._of[place.client] - 1
        if left:
            self._of[place.client] = left
        else:
            del self._of[place.client]
