"""A lean sender of messages that were made beforehand: QoS 1, so many under way until the broker has them.

The same messages, at the same pace, go to whoever is measured; what they cost to make is not part of it.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import mqtt5

from hub.simulate_records import Voice
from tests.certificates import pki
from wire import codec, topics

_UNDER_WAY = 20
_ACK_BYTES = 4


@dataclass(frozen=True)
class Message:
    """A topic and what goes there."""

    topic: str
    payload: bytes


def messages_of(
    devices: int, messages: int, records: int, shares: dict[str, int], *, plain: bool = False
) -> list[list[Message]]:
    """For each device its messages, in order; `plain` without deflating (for those who do not inflate)."""
    made = []
    for number in range(1, devices + 1):
        voice, topic = Voice(number, shares), topics.topic(f"sim-{number}", "up")
        following = {"urgent": 0, "bulk": 0}
        of_device = []
        for _ in range(messages // devices):
            lane = voice.next_lane()
            batch = voice.batch(lane, following[lane], records)
            following[lane] = batch.records[-1].seq
            of_device.append(Message(topic, codec.encode_body(batch) if plain else codec.encode(batch)))
        made.append(of_device)
    return made


class _Sender(asyncio.Protocol):
    """One connection, sending its messages in order; it listens to the device's acks and does not read them."""

    def __init__(self, name: str, messages: Sequence[Message]) -> None:
        loop = asyncio.get_running_loop()
        self._name = name
        self._packets = [
            mqtt5.PublishPacket(
                message.topic, message.payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=index % 60_000 + 1
            ).write()
            for index, message in enumerate(messages)
        ]
        self._next = self._acked = 0
        self._started = False
        self._rest = b""
        self.ready: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[None] = loop.create_future()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport.write(mqtt5.ConnectPacket(f"sender-{self._name}", clean_start=True).write())
        acks = mqtt5.TopicFilter(topics.topic(self._name, "ack"), max_qos=mqtt5.QoS.AT_MOST_ONCE)
        self._transport.write(mqtt5.SubscribePacket(65_000, [acks]).write())

    def start(self) -> None:
        """Begins to send."""
        self._started = True
        self._send()

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        view, at = memoryview(data), 0
        try:
            while at < len(data):
                packet, length = mqtt5.read(view[at:])
                at += length
                if isinstance(packet, mqtt5.PubAckPacket):
                    self._acked += 1
                elif isinstance(packet, mqtt5.SubAckPacket):
                    self.ready.set_result(None)
        except IndexError:
            pass  # the rest of a packet is still to come
        self._rest = data[at:]
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        for future in (self.ready, self.done):
            if not future.done():
                future.set_exception(exc or ConnectionError("the broker closed the connection"))

    def _send(self) -> None:
        assert self._transport is not None
        until = min(self._acked + _UNDER_WAY, len(self._packets))
        if self._started and self._next < until:
            self._transport.write(b"".join(self._packets[self._next : until]))
            self._next = until
        if self._acked == len(self._packets) and not self.done.done():
            self.done.set_result(None)

    def close(self) -> None:
        """Ends the connection."""
        assert self._transport is not None
        self._transport.close()


def _same(sender: _Sender) -> _Sender:
    return sender


async def _publish(port: int, made: Sequence[Sequence[Message]], started: list[float]) -> None:
    loop = asyncio.get_running_loop()
    senders = []
    for number, messages in enumerate(made, 1):
        sender = _Sender(f"sim-{number}", messages)
        await loop.create_connection(partial(_same, sender), "127.0.0.1", port, ssl=pki().context(f"sim-{number}"))
        senders.append(sender)
        await sender.ready
    started.append(loop.time())
    for sender in senders:
        sender.start()
    for sender in senders:
        await sender.done
    await asyncio.sleep(0.5)
    for sender in senders:
        sender.close()


def publish(port: int, made: Sequence[Sequence[Message]]) -> float:
    """Sends everything; the moment (monotonic seconds) at which it began. Returns when the broker has it all."""
    started: list[float] = []
    asyncio.run(_publish(port, made, started))
    return started[0]
