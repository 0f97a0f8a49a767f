"""What these tests share: a device that speaks the real wire, and a hub that takes in beside the test."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

import mqtt5
import msgspec

from hub.db import Connection, Db
from hub.fleet import store
from hub.ingest import Ingest
from hub.live import Live
from tests.certificates import Pki, pki
from wire import codec, topics
from wire.messages import Ack, Batch, ClockQuality, Health, Lane, Punch, Record

T = TypeVar("T")

BOOT = "11111111-2222-4333-8444-555555555555"
SPOOL = "0123456789abcdef"
CARD = "c" * 32
NOW_MS = 1_790_000_000_000
HEALTH = Health(
    cpu_permille=100,
    memory_total=1000,
    memory_available=750,
    disk_total=2000,
    disk_free=1000,
    uptime_s=5,
)


def soon(value: Callable[[], T], within_s: float = 30) -> T:
    """The value, as soon as it is true; the last one otherwise."""
    end = time.monotonic() + within_s
    while not (found := value()) and time.monotonic() < end:
        time.sleep(0.01)
    return found


def record(
    seq: int,
    body: msgspec.Struct | bytes = HEALTH,
    kind: str = "health",
    *,
    boot: str = BOOT,
    mono_ms: int | None = None,
    at_ms: int = NOW_MS,
    clock: ClockQuality = "synced",
) -> Record:
    """One record; a body in bytes goes as it is."""
    raw = body if isinstance(body, bytes) else codec.encode_body(body)
    return Record(seq, kind, boot, seq if mono_ms is None else mono_ms, at_ms, clock, msgspec.Raw(raw))


def punch(seq: int, **more: object) -> Record:
    """A tap."""
    return record(seq, Punch(CARD, "clock_in"), "punch", **more)  # type: ignore[arg-type]


def batch(after: int, *records: Record, spool: str = SPOOL, lane: Lane = "bulk", missing: int = 0) -> Batch:
    """A batch of one lane."""
    return Batch(spool, lane, after, records, missing)


def run_of(after: int, count: int, **more: object) -> Batch:
    """A batch of `count` health records."""
    return batch(after, *(record(seq) for seq in range(after + 1, after + count + 1)), **more)  # type: ignore[arg-type]


class Device:
    """A device's side of the wire, over a real connection, one step at a time."""

    def __init__(
        self, port: int, name: str = "terminal-1", will: bytes | None = None, *, of: Pki | None = None
    ) -> None:
        self.name = name
        plain = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket = (of or pki()).context(name).wrap_socket(plain, server_hostname="127.0.0.1")
        self._data = b""
        self._packet_id = 1
        self._acks: list[Ack] = []
        last = mqtt5.Will(topics.topic(name, "presence"), payload=will, qos=mqtt5.QoS.AT_LEAST_ONCE)
        self._send(mqtt5.ConnectPacket(f"test-{name}-{id(self)}", will=last if will else None))
        self._expect(mqtt5.ConnAckPacket)
        self._send(mqtt5.SubscribePacket(1, [mqtt5.TopicFilter(topics.topic(name, "ack"))]))
        self._expect(mqtt5.SubAckPacket)

    def send(self, message: Batch | bytes, topic: str | None = None) -> None:
        """Publishes a batch or bytes, and waits until the broker has it."""
        payload = message if isinstance(message, bytes) else codec.encode(message)
        self._packet_id = self._packet_id % 60_000 + 1
        self._send(
            mqtt5.PublishPacket(
                topic or topics.topic(self.name, "up"),
                payload,
                qos=mqtt5.QoS.AT_LEAST_ONCE,
                packet_id=self._packet_id,
            )
        )
        self._acks += self._until(mqtt5.PubAckPacket)

    def ack(self, within_s: float = 30) -> Ack | None:
        """The next ack, or None when there is none in that time."""
        if self._acks:
            return self._acks.pop(0)
        packet = self._next(within_s)
        return codec.decode_ack(packet.payload) if isinstance(packet, mqtt5.PublishPacket) else None

    def deliver(self, message: Batch) -> Ack:
        """Sends a batch until it is acknowledged through its end."""
        last, end = message.records[-1].seq, time.monotonic() + 60
        while True:
            assert time.monotonic() < end, "the hub does not acknowledge"
            self.send(message)
            while (ack := self.ack(5)) is not None:
                if ack.through >= last and ack.lane == message.lane and ack.spool == message.spool:
                    return ack

    def drop(self) -> None:
        """Loses the connection without a word."""
        self._socket.close()

    def _send(self, packet: mqtt5.Packet) -> None:
        self._socket.sendall(packet.write())

    def _expect(self, kind: type) -> None:
        assert isinstance(self._next(30), kind)

    def _until(self, kind: type) -> list[Ack]:
        acks = []
        while not isinstance(packet := self._next(30), kind):
            assert isinstance(packet, mqtt5.PublishPacket)
            acks.append(codec.decode_ack(packet.payload))
        return acks

    def _next(self, within_s: float) -> mqtt5.Packet | None:
        end = time.monotonic() + within_s
        while True:
            try:
                packet, length = mqtt5.read(memoryview(self._data))
            except IndexError:
                self._socket.settimeout(max(end - time.monotonic(), 0.001))
                try:
                    more = self._socket.recv(65536)
                except TimeoutError:
                    return None
                assert more, "the broker closed the connection"
                self._data += more
            else:
                self._data = self._data[length:]
                return packet


class Address(NamedTuple):
    """Where the broker listens."""

    host: str
    port: int


class Hub:
    """A hub that takes in on a thread of its own, with its database in reach."""

    def __init__(self, path: Path, port: int) -> None:
        self.db = Db(path)
        self.live = Live()
        self._port = port
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ingest = Ingest(Address("127.0.0.1", self._port), self.db, self.live, tls=lambda: pki().context("hub"))
        self._task = asyncio.create_task(self.ingest.run())
        self._ready.set()
        await asyncio.wait([self._task])

    def start(self) -> None:
        """Starts it and waits until it is subscribed."""
        self.db.open()
        self._thread.start()
        self._ready.wait()
        assert soon(lambda: self.ingest.connected)

    def stop(self) -> None:
        """Ends it in good order."""
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(30)
        self.db.close()

    def count(self, query: str) -> int:
        """One number from the database."""
        return self.db.read(lambda conn: int(conn.execute(query).fetchone()[0]))

    def seqs(self, lane: str = "bulk", spool: str = SPOOL) -> list[int]:
        """The seqs of the events of a lane, as they are stored."""
        return self.db.read(lambda conn: _seqs(conn, lane, spool))


def _seqs(conn: Connection, lane: str, spool: str) -> list[int]:
    return [
        seq
        for month in store.months(conn)
        for (seq,) in conn.execute(
            f"SELECT e.seq FROM event_{month} e JOIN lane l ON l.id = e.lane_id "  # noqa: S608 (our own name)
            "WHERE l.lane = ? AND l.spool = ? ORDER BY e.id",
            (lane, spool),
        )
    ]


@contextmanager
def running_hub(path: Path, port: int) -> Iterator[Hub]:
    """A hub for the length of a `with`."""
    hub = Hub(path, port)
    hub.start()
    try:
        yield hub
    finally:
        hub.stop()
