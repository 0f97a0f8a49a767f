"""Broker to database: takes in what devices send, commits it in groups, and only then answers.

1. Messages are read into an open group while the group before is being written on the writer's thread.
2. A group is written 2 ms after its first message, or at once when it is large; one at a time.
3. After the commit each lane is told its cursor (the Ack), then the broker that its messages are done with.
4. When the database fails nothing is answered: what was not committed is forgotten, the connection dropped,
   and the broker or the devices send it again.
5. A message that the database refuses (a mistake of ours) is found by going on one by one, and kept aside.
6. A hub that begins, or that the broker no longer knows, tells every lane its cursor: devices whose batches got
   lost, or whose records an old backup lacks, go back at once and need not wait for their next record.
"""

import asyncio
import itertools
import logging
import random
import ssl
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple, Protocol

from hub import mqtt
from hub.db import Db, Fault
from hub.fleet import clone_store, record_store
from hub.fleet.clone_store import Waiting
from hub.fleet.known import Known
from hub.ingest_group import RECORDS, Group
from hub.live import Change, Live
from wire import codec, topics
from wire.messages import RECORDS_PER_BATCH, Ack
from wire.x509 import HUB_NAME

log = logging.getLogger(__name__)

WINDOW_S = 0.002
RECORDS_AT_ONCE = 1_000
KEPT_PAUSE_S, KEPT_LATER_S = 0.1, 1.0
# How many messages go one by one after a group that the database refused: as many as can have been in it.
CAREFUL_MESSAGES = 1_000
# Lanes that were silent for longer belong to cards that were written anew, and are not told.
LANES_TOLD_MS = 30 * 86_400_000
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0
# The writer's thread and the event loop share the interpreter; with Python's 5 ms the writer would wait
# that long for its turn at each statement.
SWITCH_S = 0.0005


class BrokerAddress(Protocol):
    """Where the broker listens."""

    @property
    def host(self) -> str:
        """A name or an address."""
        ...

    @property
    def port(self) -> int:
        """A TCP port."""
        ...


class _Refused(NamedTuple):
    """A message that the database does not take, though it could be read."""

    topic: str
    payload: bytes
    reason: str


class Ingest:
    """The hub's one intake.  `run` it as a task; cancelling it commits what has come and leaves."""

    def __init__(
        self,
        broker: BrokerAddress,
        db: Db,
        live: Live,
        *,
        tls: Callable[[], ssl.SSLContext],
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self._broker, self._db, self._live = broker, db, live
        # Made anew for each connection: certificates are renewed while the hub runs.
        self._tls = tls
        self._now_ms = now_ms or (lambda: time.time_ns() // 1_000_000)
        self._known = Known(db)
        self._connection: mqtt.Connection | None = None
        self._group: Group | None = None
        self._packet_ids: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._written: Future[None] | None = None
        # What is remembered is ahead of the database, after a failure.
        self._spoilt = False
        self._is_new = True
        self._careful = 0
        self._kept = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._refused: _Refused | None = None
        self._broker_trouble = _Trouble("the broker is away", "the broker is back")
        self._database_trouble = _Trouble("the database takes nothing", "the database takes records again")
        self.connected = False

    async def run(self) -> None:
        """Takes in for ever; the broker and the database may come and go."""
        sys.setswitchinterval(SWITCH_S)
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stay(), name="ingest connection")
            tasks.create_task(self._take_kept(), name="ingest of what was kept apart")

    async def _stay(self) -> None:
        pause_s = SHORTEST_PAUSE_S
        while True:
            began = time.monotonic()
            await self._stay_connected()
            if time.monotonic() - began > LONGEST_PAUSE_S and not self._database_trouble.begun:
                pause_s = SHORTEST_PAUSE_S
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311 (spreads load)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def send(self, messages: list[tuple[str, bytes]]) -> bool:
        """Publishes to topics (the downlink's way); False when there is no connection."""
        if self._connection is None or not self.connected:
            return False
        self._connection.answer(messages, ())
        return True

    def look_again(self) -> None:
        """Somebody has decided about a device that was copied, or about its records. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._look_again)

    def _look_again(self) -> None:
        self._known.look_again()
        self._kept.set()

    async def _take_kept(self) -> None:
        """Takes in, some at a time, what was decided on; what is left over from before at the start."""
        self._kept.set()
        while True:
            await self._kept.wait()
            pause_s = KEPT_LATER_S
            try:
                waiting = await self._db.aread(lambda conn: clone_store.to_take(conn, RECORDS_PER_BATCH))
                if not waiting:
                    self._kept.clear()
                # In the same turn of the loop as it is looked at: nothing is remembered that may be forgotten.
                elif self.connected and not self._spoilt and self.has_room():
                    self._add_kept(waiting)
                    pause_s = KEPT_PAUSE_S
            except Fault as fault:
                self._database_trouble.begin(str(fault))
            # Read again after the commit, else they are offered twice: that does no harm, but is idle.
            await asyncio.sleep(pause_s)

    def _add_kept(self, waiting: list[Waiting]) -> None:
        for _, same in itertools.groupby(waiting, key=lambda one: (one.device, one.spool, one.run, one.boot, one.lane)):
            self._open_group().add_kept(list(same))
        if self._writing is None:
            self._flush()

    # ---- for the connection

    def has_room(self) -> bool:
        """Whether the open group takes more."""
        group = self._group
        if group is None:
            return True
        if group.full or self._known.overfull:
            return False
        # Much has come and the writer has become idle meanwhile: let the event loop see it.
        return not (group.records >= RECORDS_AT_ONCE and self._written is not None and self._written.done())

    def take(self, topic: str, payload: bytes, packet_id: int) -> None:
        """Takes in one message; it is answered after the commit."""
        group = self._open_group()
        self._packet_ids.append(packet_id)
        try:
            self._read(group, topic, payload)
        except Fault as fault:
            self._database_trouble.begin(str(fault))
            self._fail()
            return
        except Exception as error:  # noqa: BLE001 (a mistake in reading one message must not stop the rest)
            self._refuse(error, topic, payload)
            return
        if self._writing is not None:
            return
        if group.full or group.records >= RECORDS_AT_ONCE:
            self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WINDOW_S, self._flush)

    def _open_group(self) -> Group:
        if self._group is None:
            self._group = Group(self._known, self._now_ms(), messages=1 if self._careful else RECORDS)
        return self._group

    def _read(self, group: Group, topic: str, payload: bytes) -> None:
        refused = self._refused
        if refused and payload == refused.payload and topic == refused.topic:
            group.give_up_on(topic, payload, refused.reason)
        else:
            group.add(topic, payload)

    # ---- connection

    async def _stay_connected(self) -> None:
        try:
            tls = await asyncio.to_thread(self._tls)
            self._connection = await mqtt.connect(self._broker.host, self._broker.port, self, tls)
        except mqtt.Away as away:
            self._broker_trouble.begin(str(away))
            return
        try:
            await self._subscribe(self._connection)
            self._broker_trouble.end()
            self.connected = True
            self._broker_trouble.begin(await self._connection.until_gone())
        except mqtt.Away as away:
            self._broker_trouble.begin(str(away))
        except Fault as fault:
            self._database_trouble.begin(str(fault))
        finally:
            self.connected = False
            await self._settle()
            await self._connection.leave()

    async def _subscribe(self, connection: mqtt.Connection) -> None:
        # Read before the broker may send anything, so that no cursor is told that has moved on since.
        cursors = await self._db.aread(lambda conn: record_store.cursors(conn, self._now_ms() - LANES_TOLD_MS))
        has_session = await connection.greet(HUB_NAME)
        if not has_session:
            # Without a session, devices may have left unheard; those that are there will be heard again.
            gone = await self._db.write(record_store.everyone_offline)
            self._known.forget()
            self._live.tell(Change(frozenset(gone), at_ms=self._now_ms()))
        await connection.subscribe([topics.every("up"), topics.every("presence")])
        if self._is_new or not has_session:
            self._is_new = False
            connection.answer([_told(*cursor) for cursor in cursors], ())

    async def _settle(self) -> None:
        """Writes what has come; after a failure, forgets what the database does not know."""
        while self._writing is not None or self._group is not None:
            self._flush()
            if self._writing is not None:
                await asyncio.wait([self._writing])
        if self._spoilt:
            self._known.forget()
            self._spoilt = False

    # ---- groups

    def _flush(self) -> None:
        """Begins to write the open group, if none is being written."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is None and self._group is not None:
            group, ids = self._group, self._packet_ids
            self._group, self._packet_ids = None, []
            self._careful = max(self._careful - 1, 0)
            # Handed over here and not in the task, which would begin only when the loop is free again.
            self._written = self._db.submit(group.close())
            self._writing = asyncio.get_running_loop().create_task(
                self._finish(self._written, group, ids), name="ingest write"
            )

    async def _finish(self, written: Future[None], group: Group, packet_ids: list[int]) -> None:
        """Answers when the group is on disk."""
        try:
            await asyncio.wrap_future(written)
        except Fault as fault:
            self._database_trouble.begin(str(fault))
            self._fail()
        except Exception as error:  # noqa: BLE001 (whatever it is, other devices' records must go on)
            self._refuse(error, *group.first)
        else:
            self._database_trouble.end()
            self._known.committed(group.held)
            if self._connection is not None:
                self._connection.answer(group.acks, packet_ids)
            self._live.tell(group.change())
        self._writing = self._written = None
        self._go_on()

    def _go_on(self) -> None:
        """After a commit: the next group, if there is one, and more from the broker."""
        if self._group is not None:
            wait_s = self._group.begun + WINDOW_S - time.monotonic()
            if wait_s <= 0 or self._group.full:
                self._flush()
            elif self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(wait_s, self._flush)
        elif self._known.overfull:
            self._known.forget()
        if self._connection is not None and self.has_room():
            self._connection.resume()

    # ---- failures

    def _fail(self) -> None:
        """Answers nothing that is not committed, and has it sent again."""
        self._group, self._packet_ids = None, []
        self._spoilt = True
        if self._connection is not None:
            self._connection.close()

    def _refuse(self, error: Exception, topic: str, payload: bytes) -> None:
        """Goes on one by one; alone, a message that fails is known, and is kept aside when it comes again."""
        log.error("a message cannot be stored: %s", error, exc_info=error)
        if self._careful:
            self._refused = _Refused(topic, payload, f"the hub could not store it: {error}")
        self._careful = CAREFUL_MESSAGES
        self._fail()


def _told(device: str, spool: str, lane: str, through: int) -> tuple[str, bytes]:
    """The ack that tells a device where the hub is, and asks it to say that it is there."""
    ack = Ack(spool, lane, through, begins=True)  # type: ignore[arg-type]
    return topics.topic(device, "ack"), codec.encode(ack)


class _Trouble:
    """Logged once when it begins and once when it ends."""

    def __init__(self, bad: str, good: str) -> None:
        self._bad, self._good = bad, good
        self.begun = False

    def begin(self, why: str) -> None:
        if why and not self.begun:
            self.begun = True
            log.warning("%s: %s", self._bad, why)

    def end(self) -> None:
        if self.begun:
            self.begun = False
            log.warning("%s", self._good)
