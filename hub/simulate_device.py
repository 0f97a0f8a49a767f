"""One simulated device: its own connection to the broker, speaking the wire as an agent does.

1. Starts clean, leaves a last will, listens to its acks, says that it is there, then sends.
2. At most BATCHES_UNDER_WAY batches a lane are under way; each joins the one before it (`after`).
3. What is not acked stays here and is sent again: after a pause, when the hub says that a batch does not join,
   and after the broker was away.
"""

import asyncio
import socket
import ssl
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol, cast

import mqtt5

from hub.simulate_records import Voice
from wire import codec, topics
from wire.messages import BATCHES_UNDER_WAY, LANES, Ack, Lane, Presence

KEEPALIVE_S = 60
CONNECT_S = 10
# Sooner than an agent does (30 s): a run is short.
RESEND_S = 10
_REWIND_APART_S = 1
_LAST_PACKET_ID = 60_000


class Away(Exception):
    """The broker cannot be reached or refuses; the text is one line."""


class Account(Protocol):
    """Who allows devices to send, and is told what became of it."""

    def allow(self, number: int) -> tuple[int, float] | None:
        """How many records the device may put into its next batch and since when it may; None for not now."""
        ...

    def acked(self, records: int, after_s: float) -> None:
        """A batch is in the hub's database, so long after it was due."""
        ...

    def sent_again(self, batches: int) -> None:
        """Batches had to be repeated."""
        ...


@dataclass(slots=True)
class _Sent:
    through: int
    records: int
    due_s: float
    payload: bytes


@dataclass(slots=True)
class _Lane:
    following: int = 0
    sent_s: float = 0
    under_way: deque[_Sent] = field(default_factory=deque)


class Device(asyncio.Protocol):
    """One device.  `connect`, then `pump` whenever it may be allowed to send; `tend` about once a second."""

    def __init__(self, number: int, name: str, voice: Voice, account: Account) -> None:
        loop = asyncio.get_running_loop()
        self.name = name
        self._number, self._voice, self._account = number, voice, account
        self._now = loop.time
        self._up, self._ack = topics.topic(name, "up"), topics.topic(name, "ack")
        self._presence = topics.topic(name, "presence")
        self._lanes: dict[Lane, _Lane] = {lane: _Lane() for lane in LANES}
        self._next_lane = voice.next_lane()
        self._transport: asyncio.Transport | None = None
        self._ready: asyncio.Future[None] = loop.create_future()
        self._rest = b""
        self._packet_id = 1
        self._connection = 0
        self._wrote_s = 0.0
        self._connecting = False

    @property
    def connected(self) -> bool:
        """Whether the broker has let it in and listens."""
        return self._transport is not None and self._ready.done() and not self._ready.cancelled()

    @property
    def under_way(self) -> int:
        """How many records it sent that are not acked."""
        return sum(sent.records for lane in self._lanes.values() for sent in lane.under_way)

    async def connect(self, host: str, port: int, tls: ssl.SSLContext) -> None:
        """Connects, subscribes, says that it is there, and sends again what is not acked. Raises Away."""
        loop = asyncio.get_running_loop()
        self._rest, self._ready = b"", loop.create_future()
        try:
            async with asyncio.timeout(CONNECT_S):
                await loop.create_connection(lambda: self, host, port, ssl=tls)
                self._greet()
                await self._ready
        except Away:
            self._drop()
            raise
        except (OSError, TimeoutError) as error:
            self._drop()
            raise Away(f"nothing answers at {host}:{port} ({error or 'no answer'})") from error
        self._publish(self._presence, codec.encode(self._told(online=True)))
        for lane in self._lanes.values():
            self._send_again(lane)
        self.pump()

    def pump(self) -> None:
        """Sends what it may and what fits under way."""
        while self.connected:
            lane = self._lanes[self._next_lane]
            if len(lane.under_way) >= BATCHES_UNDER_WAY:
                return
            allowed = self._account.allow(self._number)
            if allowed is None:
                return
            records, due_s = allowed
            batch = self._voice.batch(self._next_lane, lane.following, records)
            if not lane.under_way:
                lane.sent_s = self._now()
            lane.following = batch.records[-1].seq
            sent = _Sent(lane.following, len(batch.records), due_s, codec.encode(batch))
            lane.under_way.append(sent)
            self._publish(self._up, sent.payload)
            self._next_lane = self._voice.next_lane()

    def tend(self) -> None:
        """Sends again what waits too long for its ack, and lets the broker know that it is there."""
        now_s = self._now()
        for lane in self._lanes.values():
            if lane.under_way and now_s - lane.sent_s >= RESEND_S:
                self._send_again(lane)
        if self.connected and now_s - self._wrote_s >= KEEPALIVE_S / 3:
            self._write(mqtt5.PingReqPacket().write())

    def leave(self) -> None:
        """Says good-bye and closes."""
        if self.connected:
            self._publish(self._presence, codec.encode(self._told(online=False)))
            self._write(mqtt5.DisconnectPacket().write())
        if self._transport is not None:
            self._transport.close()

    # ---- for the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        self._refused(str(exc) if exc else "the broker closed the connection")
        self._transport = None

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        view, at, end = memoryview(data), 0, len(data)
        try:
            while at < end:
                packet, length = mqtt5.read(view[at:])
                at += length
                self._handle(packet)
        except IndexError:
            pass  # the rest of a packet is still to come
        except ValueError as error:
            self._refused(f"the broker does not speak MQTT 5: {error}")
            self._drop()
        self._rest = data[at:]

    # ---- within

    def _greet(self) -> None:
        self._connection += 1
        will = mqtt5.Will(self._presence, payload=codec.encode(self._told(online=False)), qos=mqtt5.QoS.AT_LEAST_ONCE)
        self._write(mqtt5.ConnectPacket(self.name, clean_start=True, keep_alive=KEEPALIVE_S, will=will).write())

    def _told(self, *, online: bool) -> Presence:
        return Presence(online, self._voice.boot, self._connection, "simulated", "terminal")

    def _handle(self, packet: mqtt5.Packet) -> None:
        if isinstance(packet, mqtt5.PublishPacket):
            self._take_ack(packet)
        elif isinstance(packet, mqtt5.ConnAckPacket):
            if packet.reason_code == mqtt5.ConnAckReasonCode.SUCCESS:
                self._write(mqtt5.SubscribePacket(self._take_id(), [mqtt5.TopicFilter(self._ack)]).write())
            else:
                self._refused(f"the broker refuses: {packet.reason_code.name}")
        elif isinstance(packet, mqtt5.SubAckPacket) and not self._ready.done():
            self._ready.set_result(None)
        elif isinstance(packet, mqtt5.DisconnectPacket):
            self._refused(f"the broker ends the connection: {packet.reason_code.name}")
            self._drop()

    def _take_ack(self, packet: mqtt5.PublishPacket) -> None:
        try:
            ack = codec.decode_ack(packet.payload)
        except codec.Unreadable:
            return
        if ack.spool == self._voice.spool:
            self._follow(self._lanes[ack.lane], ack)
            self.pump()

    def _follow(self, lane: _Lane, ack: Ack) -> None:
        now_s, under_way = self._now(), lane.under_way
        moved = False
        while under_way and under_way[0].through <= ack.through:
            sent = under_way.popleft()
            self._account.acked(sent.records, now_s - sent.due_s)
            moved = True
        if moved:
            lane.sent_s = now_s
        elif under_way and now_s - lane.sent_s >= _REWIND_APART_S:
            self._send_again(lane)

    def _send_again(self, lane: _Lane) -> None:
        if not lane.under_way or not self.connected:
            return
        lane.sent_s = self._now()
        for sent in lane.under_way:
            self._publish(self._up, sent.payload)
        self._account.sent_again(len(lane.under_way))

    def _publish(self, topic: str, payload: bytes) -> None:
        packet_id = self._take_id()
        self._write(mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=packet_id).write())

    def _take_id(self) -> int:
        self._packet_id = self._packet_id % _LAST_PACKET_ID + 1
        return self._packet_id

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._wrote_s = self._now()
            self._transport.write(data)

    def _refused(self, why: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(Away(why))

    def _drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
