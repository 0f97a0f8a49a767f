"""The downlink: sends what the outbox holds to the devices that are there.

1. It looks when something was put in (`wake`), when a device was heard anew, and every few seconds.
2. What was given to the broker is noted, and goes again at the device's next connection, or after a minute.
3. Nothing here decides anything: what is done with is taken out by whoever put it in.
"""

import asyncio
import contextlib
import logging
import time
from typing import Protocol

from hub.db import Connection, Db, Fault
from hub.fleet import outbox
from hub.fleet.outbox import Outgoing
from hub.live import Change, Live
from wire import topics

log = logging.getLogger(__name__)

_AT_ONCE = 200
_LOOK_EVERY_S = 5.0


class Sender(Protocol):
    """The hub's connection to the broker."""

    def send(self, messages: list[tuple[str, bytes]]) -> bool:
        """Publishes to topics; False when there is no connection."""
        ...


class Down:
    """One a hub.  `run` as a task; `wake` from anywhere after putting something in."""

    def __init__(self, db: Db, live: Live, sender: Sender) -> None:
        self._db, self._live, self._sender = db, live, sender
        live.watch(self._heard)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._failing = False

    def wake(self) -> None:
        """Something was put in: it should go at once. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def run(self) -> None:
        """Sends for ever; the broker and the database may come and go."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            while await self._send_some():
                pass
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._woken.wait()

    def _heard(self, change: Change) -> None:
        """A device that came, or an order's result, may make something due."""
        if change.down:
            self._woken.set()

    async def _send_some(self) -> bool:
        """Whether there may be more."""
        now_ms = time.time_ns() // 1_000_000
        try:
            found: list[Outgoing] = await self._db.aread(lambda conn: outbox.due(conn, now_ms, _AT_ONCE))
            if not found or not self._sender.send([(topics.topic(one.device, "down"), one.message) for one in found]):
                return False
            await self._db.write(lambda conn: _note(conn, found, now_ms))
            self._live.tell(Change(frozenset(one.device for one in found), at_ms=now_ms))
        except Fault as fault:
            if not self._failing:
                log.warning("nothing can be sent down: %s", fault)
            self._failing = True
            return False
        self._failing = False
        return len(found) == _AT_ONCE


def _note(conn: Connection, found: list[Outgoing], now_ms: int) -> None:
    outbox.mark_sent(conn, found, now_ms)
