"""The spool for an event loop: its own thread, one transaction for all that waits, and a word to who listens."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import msgspec

from edge_agent.clock import Stamp
from edge_agent.spool import Entry, Outgoing, Spool, SpoolFull
from wire import codec
from wire.messages import Ack, Lane, Record

T = TypeVar("T")


class _Waiting(NamedTuple):
    """What is to be kept together, and who waits for it."""

    entries: list[Entry]
    beside: dict[str, bytes]
    kept: Future[list[int]]


class AsyncSpool:
    """A Spool on its own thread. What is appended at the same time shares one fsync."""

    def __init__(self, open_spool: Callable[[], Spool]) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._waiting: list[_Waiting] = []
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Lane], None]] = []
        self._spool = self._thread.submit(open_spool).result()
        self.was_broken = self._spool.was_broken

    def on_append(self, listener: Callable[[Lane], None]) -> None:
        """`listener` is called on the loop after records of a lane are on disk."""
        self._listeners.append(listener)

    async def append(self, kind: str, body: msgspec.Struct, stamp: Stamp) -> int:
        """Keeps a record; its seq, once it is durable. Raises SpoolFull, ValueError."""
        return (await self.append_many([(kind, body)], stamp))[0]

    async def append_many(
        self, bodies: Sequence[tuple[str, msgspec.Struct]], stamp: Stamp, beside: Mapping[str, bytes] | None = None
    ) -> list[int]:
        """Keeps all of these records or none, in one transaction, with the values beside them; their seqs, once they
        are durable.

        Raises SpoolFull, ValueError.
        """
        entries = [Entry(kind, codec.encode_body(body), stamp) for kind, body in bodies]
        waiting = _Waiting(entries, dict(beside or {}), Future())
        with self._lock:
            self._waiting.append(waiting)
            first = len(self._waiting) == 1
        if first:
            self._thread.submit(self._drain)
        # A record that is on its way to the disk arrives there, whoever stops waiting for it.
        seqs = await asyncio.shield(asyncio.wrap_future(waiting.kept))
        for lane in dict.fromkeys(codec.lane_of(kind) for kind, _ in bodies):
            for listener in self._listeners:
                listener(lane)
        return seqs

    def _drain(self) -> None:
        with self._lock:
            group, self._waiting = self._waiting, []
        entries = [entry for one in group for entry in one.entries]
        # In the order in which they came: of one name the last counts.
        beside = {name: value for one in group for name, value in one.beside.items()}
        try:
            seqs = iter(self._spool.append_many(entries, beside))
        except (SpoolFull, ValueError):
            for one in group:
                self._alone(one)
        except BaseException as error:  # noqa: BLE001 (it belongs to those who wait)
            for one in group:
                one.kept.set_exception(error)
        else:
            for one in group:
                one.kept.set_result([next(seqs) for _ in one.entries])

    def _alone(self, one: _Waiting) -> None:
        try:
            one.kept.set_result(self._spool.append_many(one.entries, one.beside))
        except BaseException as error:  # noqa: BLE001 (it belongs to the one who waits)
            one.kept.set_exception(error)

    async def beside(self, prefix: str) -> dict[str, bytes]:
        """The values whose names begin so."""
        return await self._call(lambda: self._spool.beside(prefix))

    async def _call(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def batch(self, lane: Lane, after: int) -> Outgoing | None:
        """The next batch past `after`, or None."""
        return await self._call(lambda: self._spool.batch(lane, after))

    async def cursor(self, lane: Lane) -> int:
        """The seq through which the hub has said that it has this lane."""
        return await self._call(lambda: self._spool.cursor(lane))

    async def take_ack(self, ack: Ack) -> bool:
        """Moves the mark; False when the ack is about another spool."""
        return await self._call(lambda: self._spool.take_ack(ack))

    async def depth(self) -> dict[Lane, int]:
        """How many records of each lane the hub does not have yet."""
        return await self._call(self._spool.depth)

    async def waiting(self, lane: Lane) -> int:
        """How many records of one lane the hub does not have yet."""
        return await self._call(lambda: self._spool.waiting(lane))

    async def recent(self, kind: str, limit: int) -> list[Record]:
        """The newest records of a kind, oldest first."""
        return await self._call(lambda: self._spool.recent(kind, limit))

    async def can_write(self) -> bool:
        """Whether the disk takes a write now; changes nothing."""
        return await self._call(self._spool.can_write)

    async def spool_id(self) -> str:
        """The spool's name."""
        return await self._call(lambda: self._spool.spool_id)

    async def tidy(self, *, older_than_ms: int) -> int:
        """Forgets acked records from before a moment."""
        return await self._call(lambda: self._spool.tidy(older_than_ms=older_than_ms))

    def close(self) -> None:
        """Waits for what is under way and closes the file."""
        self._thread.submit(self._spool.close).result()
        self._thread.shutdown()
