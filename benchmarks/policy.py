"""A new generation of ordered settings to 2,000 devices at once, until the last has reported it as applied."""

import asyncio
import contextlib
import secrets
import time
from pathlib import Path
from typing import cast

import mqtt5
import msgspec

from benchmarks.measured import Benchmark, Claim, Measured, Place, Side
from benchmarks.parts import Memory, town
from hub.db import Db
from hub.policy import store
from hub.signing import Signing
from hub.simulate_identity import Identities
from wire import codec, signed, topics
from wire.messages import Batch, Desired, Presence, Record, Reported

_DIAL_AT_ONCE = 50
_KEEPALIVE_S = 120
_DOCUMENT = {"health_every_s": 90, "terminal": {"clock_out_from": "12:30", "debounce_s": 90}}


class _Follower(asyncio.Protocol):
    """A device that does what it is told at once, and says so."""

    def __init__(self, name: str) -> None:
        self.name, self.boot, self.spool = name, secrets.token_hex(16), secrets.token_hex(8)
        self.there: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._seq = 0
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._write(mqtt5.ConnectPacket(self.name, clean_start=True, keep_alive=_KEEPALIVE_S))

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        view, at = memoryview(data), 0
        with contextlib.suppress(IndexError):
            while at < len(data):
                packet, length = mqtt5.read(view[at:])
                at += length
                self._handle(packet)
        self._rest = data[at:]

    def _handle(self, packet: mqtt5.Packet) -> None:
        if isinstance(packet, mqtt5.ConnAckPacket):
            wanted = [mqtt5.TopicFilter(topics.topic(self.name, leaf)) for leaf in ("down", "ack")]
            self._write(mqtt5.SubscribePacket(1, wanted))
        elif isinstance(packet, mqtt5.SubAckPacket):
            presence = Presence(online=True, boot=self.boot, connection=1, device_kind="terminal")
            self._publish("presence", codec.encode(presence))
            self.there.set_result(None)
        elif isinstance(packet, mqtt5.PublishPacket) and packet.topic.endswith("/down"):
            self._follow(codec.decode_down(packet.payload))

    def _follow(self, down: object) -> None:
        if not isinstance(down, Desired):
            return
        digest = signed.digest(signed.desired_bytes(self.name, down.incarnation, down.generation, down.document))
        told = Reported(down.incarnation, down.generation, down.generation, "applied", digest=digest)
        body = msgspec.Raw(codec.encode_body(told))
        record = Record(self._seq + 1, "reported", self.boot, 1, time.time_ns() // 1_000_000, "synced", body)
        self._publish("up", codec.encode(Batch(self.spool, "urgent", self._seq, (record,))))
        self._seq += 1

    def _publish(self, leaf: topics.Leaf, payload: bytes) -> None:
        self._write(mqtt5.PublishPacket(topics.topic(self.name, leaf), payload))

    def _write(self, packet: mqtt5.Packet) -> None:
        self._transport.write(packet.write())


async def _connect(port: int, ca: Path, count: int) -> list[_Follower]:
    identities, gate = Identities(ca), asyncio.Semaphore(_DIAL_AT_ONCE)

    async def dial(name: str) -> _Follower:
        async with gate:
            loop = asyncio.get_running_loop()
            _, one = await loop.create_connection(
                lambda: _Follower(name), "127.0.0.1", port, ssl=identities.context(name)
            )
            await one.there
            return one

    return await asyncio.gather(*(dial(f"sim-{number}") for number in range(count)))


async def _publish_to(port: int, ca: Path, db: Db, folder: Path, count: int) -> Measured:
    followers = await _connect(port, ca, count)

    def known() -> list[int]:
        return db.read(lambda conn: [id_ for (id_,) in conn.execute("SELECT id FROM device WHERE online = 1")])

    while len(ids := await asyncio.to_thread(known)) < count:  # noqa: ASYNC110 (it is elsewhere)
        await asyncio.sleep(0.05)
    signing, began_s = Signing(folder), time.monotonic()
    documents = dict.fromkeys(ids, _DOCUMENT)
    await db.write(lambda conn: store.publish_many(conn, signing, documents, time.time_ns() // 1_000_000, "bench"))
    published_s = time.monotonic()

    def applied() -> int:
        return sum(one.applied > 0 for one in db.read(store.reports).values())

    while await asyncio.to_thread(applied) < count:  # noqa: ASYNC110 (it is elsewhere)
        await asyncio.sleep(0.05)
    ended_s = time.monotonic()
    for one in followers:
        one._transport.abort()
    return {"publish_s": published_s - began_s, "seconds": ended_s - began_s, "devices": count}


def publish(place: Place) -> Measured:
    """The whole way: documents signed, sent, reported, and the reports in the database."""
    with town(place.fresh) as (broker, hub):
        assert hub.process is not None
        db = Db(hub.database)
        with Memory(hub.process.pid) as memory:
            try:
                found = asyncio.run(
                    _publish_to(broker.port, broker.pki.folder, db, hub.database.parent, place.size(2_000, 50))
                )
            finally:
                db.close()
        return found | {"rss_mb": memory.peak_mb}


BENCHMARK = Benchmark(
    "A new generation to 2,000 devices",
    "From the press of the button to the last device's report in the database. The hub looks into its outbox every "
    "five seconds when nobody wakes it, as here, where another process publishes.",
    (Side("hub", publish),),
    (Claim("until the last report", lambda m: m["hub"]["seconds"], "at most", 60, ("hub",), "s"),),
    rounds=3,
)
