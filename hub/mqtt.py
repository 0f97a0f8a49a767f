"""One connection to the broker, as lean as the hub needs it: MQTT 5, subscribe, publish, acknowledge.

1. Nothing is acknowledged here by itself: the hub acknowledges after its commit, and only on the
   connection that a message came on (packet numbers of an old one belong to other messages on a new one).
2. While the taker has no room, nothing is read: the broker keeps what waits, within its own limits.
3. A session outlives the connection, so that what the broker has for a hub that is away waits for it.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import mqtt5

# Messages that the broker may have under way to the hub; their bytes are bounded by the group as well.
RECEIVE_MAX = 1_000
SESSION_S = 3_600
KEEPALIVE_S = 30
CONNECT_S = 10

T = TypeVar("T")


class Away(Exception):
    """The broker cannot be reached, refuses, or has gone; the text says which, in one line."""


class Taker(Protocol):
    """Whoever the messages are for."""

    def has_room(self) -> bool:
        """Whether more may be handed over now."""
        ...

    def take(self, topic: str, payload: bytes, packet_id: int) -> None:
        """Takes one message over; it is acknowledged later, by `Connection.answer`."""
        ...


class Connection(asyncio.Protocol):
    """A connection in use.  Made by `connect`."""

    def __init__(self, taker: Taker) -> None:
        loop = asyncio.get_running_loop()
        self._taker = taker
        self._now = loop.time
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._reading, self._writable, self._stopped = True, True, False
        self._heard = loop.time()
        self._gone: asyncio.Future[str] = loop.create_future()
        self._greeting: asyncio.Future[mqtt5.ConnAckPacket] = loop.create_future()
        self._subscribed: asyncio.Future[mqtt5.SubAckPacket] = loop.create_future()

    # ---- for the hub

    def answer(self, acks: Iterable[tuple[str, bytes]], packet_ids: Iterable[int]) -> None:
        """Publishes acks (topic, payload), then tells the broker that these messages are done with.

        Acks go with QoS 0: one that is lost is made again by the batch that the device then repeats.
        Number 0 is a message that came with QoS 0: to acknowledge it would end the connection.
        """
        out = [mqtt5.PublishPacket(topic, payload).write() for topic, payload in acks]
        out += [b"\x40\x02" + packet_id.to_bytes(2, "big") for packet_id in packet_ids if packet_id]
        if out:
            self._write(b"".join(out))

    def resume(self) -> None:
        """Goes on reading; for when the taker has room again."""
        if self._stopped and self._writable:
            self._stopped = False
            self._parse(b"")
            if not self._stopped:
                self._read_on()

    async def until_gone(self) -> str:
        """Waits until the connection has ended and tells why; pings meanwhile."""
        while not self._gone.done():
            await asyncio.wait([self._gone], timeout=KEEPALIVE_S / 2)
            self._ping()
        return self._gone.result()

    def close(self) -> None:
        """Ends it without a word, as a lost connection does; what is not acknowledged comes again."""
        self._end("")
        if self._transport is not None:
            self._transport.abort()

    async def leave(self) -> None:
        """Sends what is left to send and says good-bye; the session stays."""
        if self._transport is not None and not self._gone.done():
            self._write(mqtt5.DisconnectPacket().write())
            self._transport.close()
            await asyncio.wait([self._gone], timeout=1)

    # ---- for `connect`

    async def greet(self, client_id: str) -> bool:
        """Says hello; whether the broker still had the hub's session. Raises Away."""
        hello = mqtt5.ConnectPacket(
            client_id,
            clean_start=False,
            keep_alive=KEEPALIVE_S,
            session_expiry_interval=SESSION_S,
            receive_max=RECEIVE_MAX,
        )
        self._write(hello.write())
        greeting = await self._wait_for(self._greeting)
        if greeting.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            raise Away(f"the broker refuses: {greeting.reason_code!r}")
        return greeting.session_present

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Asks for the messages of these filters. Raises Away."""
        wanted = [mqtt5.TopicFilter(each, max_qos=mqtt5.QoS.AT_LEAST_ONCE) for each in filters]
        self._write(mqtt5.SubscribePacket(1, wanted).write())
        answer = await self._wait_for(self._subscribed)
        for code in answer.reason_codes:
            if int(code) >= 128:
                raise Away(f"the broker refuses the subscription: {code!r}")

    async def _wait_for(self, answer: "asyncio.Future[T]") -> T:
        either: list[asyncio.Future[Any]] = [answer, self._gone]
        await asyncio.wait(either, timeout=CONNECT_S, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise Away(self._gone.result() if self._gone.done() else "the broker does not answer")
        return answer.result()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._gone.done():
            self._transport.write(data)

    # ---- for the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc) if exc else "the broker closed the connection")

    def data_received(self, data: bytes) -> None:
        self._heard = self._now()
        self._parse(data)

    def pause_writing(self) -> None:
        """The broker does not read: neither does the hub, or answers would pile up."""
        self._writable = False
        self._stop()

    def resume_writing(self) -> None:
        self._writable = True
        if self._taker.has_room():
            self.resume()

    # ---- within

    def _parse(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        view, at, end = memoryview(data), 0, len(data)
        try:
            while at < end and not self._gone.done():
                if not self._taker.has_room():
                    self._stop()
                    break
                packet, length = mqtt5.read(view[at:])
                at += length
                self._handle(packet)
        except IndexError:
            pass  # the rest of a packet is still to come
        except ValueError as error:
            self._end(f"the broker does not speak MQTT 5: {error}")
            self.close()
        self._rest = data[at:]

    def _handle(self, packet: mqtt5.Packet) -> None:
        if isinstance(packet, mqtt5.PublishPacket):
            self._taker.take(packet.topic, packet.payload, packet.packet_id or 0)
        elif isinstance(packet, mqtt5.ConnAckPacket) and not self._greeting.done():
            self._greeting.set_result(packet)
        elif isinstance(packet, mqtt5.SubAckPacket) and not self._subscribed.done():
            self._subscribed.set_result(packet)
        elif isinstance(packet, mqtt5.DisconnectPacket):
            self._end(f"the broker ends the connection: {packet.reason_code!r}")

    def _ping(self) -> None:
        if self._stopped:
            self._heard = self._now()  # nobody listens, so silence says nothing
        if self._now() - self._heard > KEEPALIVE_S * 1.5:
            self._end("the broker is silent")
            self.close()
        else:
            self._write(mqtt5.PingReqPacket().write())

    def _stop(self) -> None:
        self._stopped = True
        if self._reading and self._transport is not None:
            self._reading = False
            self._transport.pause_reading()

    def _read_on(self) -> None:
        if not self._reading and self._transport is not None and not self._transport.is_closing():
            self._reading = True
            self._transport.resume_reading()

    def _end(self, why: str) -> None:
        if not self._gone.done():
            self._gone.set_result(why)


def hub_tls(folder: Path) -> ssl.SSLContext:
    """How the hub shows who it is and knows its broker: from the certificates in its `ca` folder. Raises Away."""
    try:
        context = ssl.create_default_context(cafile=str(folder / "root.pem"))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(folder / "hub.pem", folder / "hub.key")
    except (OSError, ssl.SSLError) as error:
        raise Away(f"{folder}: no certificates of a hub there ({error})") from error
    return context


async def connect(host: str, port: int, taker: Taker, tls: ssl.SSLContext) -> Connection:
    """A connection on which nothing has been said yet. Raises Away."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_S):
            _, connection = await loop.create_connection(lambda: Connection(taker), host, port, ssl=tls)
    except (OSError, TimeoutError) as error:
        raise Away(f"nothing answers at {host}:{port} ({error or 'no answer'})") from error
    return connection
