"""One connection to the broker: a paho client whose socket the event loop serves, with a last will.

Made anew for each connection, so that nothing of an old one can be taken for the new one's.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.settings import Settings
from wire import codec, topics
from wire.messages import Presence

_CONNECT_S = 10
# OpenSSL's X509_V_FLAG_NO_CHECK_TIME: which certificate it is still counts, only not whether it has begun or ended.
_NO_CHECK_TIME = 0x200000


class Refused(Exception):
    """The broker is away or says no; the text is for the log."""


def identity_dir(settings: Settings) -> Path:
    """Where the device's key and certificates lie."""
    return Path(settings.state_dir) / "identity"


def device_tls(folder: Path, *, clock_is_set: bool) -> ssl.SSLContext:
    """How the device shows who it is and knows its broker. Raises Refused.

    A device that does not know the time (no battery clock, no time server) would find every certificate of the
    future and could never deliver: it then leaves dates to the broker, whose clock is right.
    """
    if not (folder / "certificate.pem").exists():
        raise Refused("this device is not enrolled yet")
    try:
        context = ssl.create_default_context(cafile=str(folder / "root.pem"))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    except (OSError, ssl.SSLError) as error:
        raise Refused(f"{folder}: the device's identity cannot be read ({error})") from error
    if not clock_is_set:
        context.verify_flags |= _NO_CHECK_TIME
    return context


class Link:
    """One connection: a paho client whose socket is served by the event loop."""

    def __init__(
        self,
        settings: Settings,
        presence: Presence,
        on_message: Callable[[str, bytes], None],
        wake: asyncio.Event,
        *,
        clock_is_set: bool = True,
    ) -> None:
        self._settings = settings
        self._clock_is_set = clock_is_set
        self._presence = presence
        self._on_message = on_message
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[None] = self._loop.create_future()
        self._socket: socket.socket | None = None
        self._upkeep: asyncio.Task[None] | None = None
        self.connected = False
        self._client = self._make_client()

    def _make_client(self) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self._settings.device, protocol=mqtt.MQTTv5)
        client.connect_timeout = _CONNECT_S
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._received
        client.on_socket_register_write = self._want_write
        client.on_socket_unregister_write = self._stop_write
        client.on_socket_close = self._closed
        offline = codec.encode(Presence(False, self._presence.boot, self._presence.connection))  # noqa: FBT003 (online)
        client.will_set(self._topic("presence"), offline, qos=1)
        return client

    def _topic(self, leaf: topics.Leaf) -> str:
        return topics.topic(self._settings.device, leaf)

    async def open(self) -> None:
        """Connects, subscribes and says that the device is there. Raises Refused."""
        broker = self._settings.broker
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        try:
            # Name lookup, TCP and the handshake may take long: not on the loop.
            tls = await asyncio.to_thread(device_tls, identity_dir(self._settings), clock_is_set=self._clock_is_set)
            self._client.tls_set_context(tls)
            await asyncio.to_thread(
                self._client.connect,
                broker.host,
                broker.port,
                broker.keepalive_s,
                clean_start=True,
                properties=properties,
            )
        except OSError as error:
            raise Refused(error.strerror or str(error)) from error
        except ValueError as error:
            raise Refused(str(error)) from error
        self._serve_socket()
        try:
            async with asyncio.timeout(_CONNECT_S):
                await self._answer
        except TimeoutError as error:
            raise Refused("no answer to the connection") from error
        self._client.subscribe([(self._topic("ack"), 1), (self._topic("down"), 1)])
        self.say_hello()

    def say_hello(self) -> None:
        """Says that the device is there, at the beginning and to a hub that may have missed it."""
        self.publish(self._topic("presence"), codec.encode(self._presence))

    def _serve_socket(self) -> None:
        opened = self._client.socket()
        if not isinstance(opened, socket.socket):
            raise Refused("the connection ended at once")
        # paho leaves Nagle's algorithm on: each batch that waits for an ack would cost 40 ms.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = opened
        self._loop.add_reader(opened, self._readable)
        if self._client.want_write():
            self._want_write(self._client, None, opened)
        self._upkeep = self._loop.create_task(self._keep_up(), name="mqtt keepalive")

    def _readable(self) -> None:
        """Reads all there is: what TLS has already unpacked makes the socket readable no more."""
        self._client.loop_read()
        while isinstance(self._socket, ssl.SSLSocket) and self._socket.fileno() != -1 and self._socket.pending():
            self._client.loop_read()

    async def _keep_up(self) -> None:
        while self._client.loop_misc() == MQTTErrorCode.MQTT_ERR_SUCCESS:  # noqa: ASYNC110 (the clock is the event)
            await asyncio.sleep(1)
        self._lost("the connection was lost")

    def publish(self, topic: str, payload: bytes) -> None:
        """Sends with QoS 1. A connection that is gone shows as `connected`."""
        self._client.publish(topic, payload, qos=1)

    async def close(self) -> None:
        """Says goodbye when there is still somebody to say it to, and lets go of the socket."""
        if self.connected:
            self.publish(
                self._topic("presence"),
                codec.encode(Presence(False, self._presence.boot, self._presence.connection)),  # noqa: FBT003 (online)
            )
            self._client.disconnect()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    while self._client.want_write() and self._socket is not None:  # noqa: ASYNC110 (no event for it)
                        await asyncio.sleep(0.01)
        if self._upkeep is not None:
            self._upkeep.cancel()
        self._drop_socket()

    # ---- paho's callbacks, all on the loop but the first ones of connect()

    def _connected(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._answer.done():
            return
        if reason.is_failure:
            self._answer.set_exception(Refused(f"refused: {reason}"))
            return
        self.connected = True
        self._answer.set_result(None)

    def _disconnected(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._lost(f"disconnected: {reason}")

    def _lost(self, why: str) -> None:
        self.connected = False
        if not self._answer.done():
            self._answer.set_exception(Refused(why))
        self._wake.set()

    def _received(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        self._on_message(message.topic, bytes(message.payload))

    def _want_write(self, client: mqtt.Client, userdata: object, opened: object) -> None:
        if self._socket is not None:
            self._loop.add_writer(self._socket, self._client.loop_write)

    def _stop_write(self, client: mqtt.Client, userdata: object, opened: object) -> None:
        if self._socket is not None:
            self._loop.remove_writer(self._socket)

    def _closed(self, client: mqtt.Client, userdata: object, opened: object) -> None:
        self._drop_socket()

    def _drop_socket(self) -> None:
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            if self._socket.fileno() != -1:
                self._socket.close()
            self._socket = None
