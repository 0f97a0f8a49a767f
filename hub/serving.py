"""How the hub's pages are served: nobody holds a place by being slow, and nobody says where they come from.

1. A request has to be whole within 8 s of its first moment, and a large body within what 20 kB/s take.
2. Whoever does not read the answer for as long is cut as well.
3. Where the hub stands behind a proxy (https), the address that the proxy has seen counts: the last one it added.
   Without a proxy no header says where anybody comes from.
"""

import asyncio
import socket
from typing import Any

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from hub.settings import Settings

# Slow clients are gone after ten seconds at most (Slowloris); a person's form takes less than one.
_PATIENCE_S = 8.0
_BYTES_A_SECOND = 20_000


class Hurried(H11Protocol):
    """One connection; cut when it is slow."""

    _late: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None
    _began_s = 0.0
    _taken_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The time begins before the first byte: an open connection that says nothing holds a place too."""
        super().connection_made(transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        """The time ends with the request's last byte, and begins anew with the next one's first."""
        if self._late is None:
            self._begin()
        self._taken_bytes += len(data)
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._end()

    def on_response_complete(self) -> None:
        """The next request may have begun to come while this one was answered."""
        self._end()
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self._begin()

    def pause_writing(self) -> None:
        """What was sent is not read."""
        super().pause_writing()
        self._stuck = self.loop.call_later(_PATIENCE_S, self._cut)

    def resume_writing(self) -> None:
        """It is."""
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._end()
        super().connection_lost(exc)
        self.resume_writing()

    def _begin(self) -> None:
        self._began_s, self._taken_bytes = self.loop.time(), 0
        self._late = self.loop.call_at(self._began_s + _PATIENCE_S, self._check)

    def _end(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _check(self) -> None:
        due_s = self._began_s + _PATIENCE_S + self._taken_bytes / _BYTES_A_SECOND
        if self.loop.time() < due_s:
            self._late = self.loop.call_at(due_s, self._check)
        else:
            self._cut()

    def _cut(self) -> None:
        self.transport.abort()


def listen(host: str, port: int) -> socket.socket:
    """The socket that pages are served on. Raises OSError.

    An answer's head and body go as two packets; without TCP_NODELAY (which a connection has from its listener) the
    second waits for the browser's receipt of the first: 40 ms a page, measured.  asyncio sets it by itself on sockets
    that it made, not on this one.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=2048)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def config(app: FastAPI, settings: Settings, **more: Any) -> uvicorn.Config:
    """How uvicorn runs the hub."""
    return uvicorn.Config(
        app,
        http=Hurried,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=settings.secure,
        # Pages that listen for changes stay open for ever: they are ended, not waited for.
        timeout_graceful_shutdown=1,
        limit_concurrency=1000,
        **more,
    )
