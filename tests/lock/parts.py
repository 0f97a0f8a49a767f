"""A broker under a real supervisord, so that it can be restarted as in a town; and clients of every sort."""

import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import mqtt5

from hub.settings import BrokerSettings, Settings
from tests.broker import Broker, wait_for_port
from tests.certificates import Pki

WAIT_S = 20.0


class Supervised:
    """A locked Mosquitto that supervisord keeps, of a town of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pki = Pki(folder / "pki")
        self._broker = Broker(folder, of=self.pki)
        self.port = self._broker.port
        self.config = folder / "mosquitto.conf"
        self.log = folder / "mosquitto.log"
        self.socket = folder / "s.sock"
        conf = folder / "supervisord.conf"
        conf.write_text(
            f"[supervisord]\nnodaemon=true\nlogfile={folder}/supervisord.log\npidfile={folder}/s.pid\n"
            f"[unix_http_server]\nfile={self.socket}\n"
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
            f"[program:hub-mosquitto]\nprocess_name=mosquitto\ncommand={_mosquitto()} -c {self.config}\n"
            "autorestart=true\nstartsecs=1\n[group:hub]\nprograms=hub-mosquitto\n"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", conf],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def settings(self) -> Settings:
        """A hub's settings with this broker."""
        broker = BrokerSettings(
            port=self.port, ca_dir=str(self.pki.folder), config=str(self.config), supervisor_socket=str(self.socket)
        )
        return Settings(state_dir=str(self.folder / "hub"), broker=broker)

    def __enter__(self) -> "Supervised":
        wait_for_port(self.port, within_s=WAIT_S)
        # It listens before it has read its files.
        Client(self.port, self.pki.context("first"), "first").close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(WAIT_S)


def _mosquitto() -> str:
    import shutil

    found = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert found
    return found


class Refused(Exception):
    """Not let in, or put out."""


class Client:
    """One connection of any sort, a step at a time."""

    def __init__(self, port: int, tls: ssl.SSLContext, client_id: str, *, will_topic: str = "") -> None:
        self._data = b""
        plain = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        try:
            self._line = tls.wrap_socket(plain, server_hostname="127.0.0.1")
            will = mqtt5.Will(will_topic, payload=b"will", qos=mqtt5.QoS.AT_LEAST_ONCE) if will_topic else None
            self.send(mqtt5.ConnectPacket(client_id, clean_start=True, will=will))
            answer = self.read()
        except OSError as error:
            plain.close()
            raise Refused(str(error)) from error
        except Refused:
            self.close()
            raise
        if not isinstance(answer, mqtt5.ConnAckPacket) or answer.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            self.close()
            raise Refused(str(answer))

    def send(self, packet: mqtt5.Packet) -> None:
        """Sends a packet."""
        self._line.sendall(packet.write())

    def read(self, within_s: float = WAIT_S) -> mqtt5.Packet:
        """The next packet. Raises TimeoutError, Refused when the broker has closed."""
        end = time.monotonic() + within_s
        while True:
            try:
                packet, length = mqtt5.read(memoryview(self._data))
            except IndexError:
                self._line.settimeout(max(end - time.monotonic(), 0.001))
                try:
                    more = self._line.recv(65536)
                except TimeoutError:
                    raise
                except OSError as error:
                    raise Refused(str(error)) from error
                if not more:
                    raise Refused("closed") from None
                self._data += more
            else:
                self._data = self._data[length:]
                return packet

    def may_publish(self, topic: str) -> bool:
        """Whether the broker takes a message to this topic; a refusal may end the connection."""
        self.send(mqtt5.PublishPacket(topic, b"x", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=1))
        try:
            answer = self.read()
        except Refused:
            return False
        return isinstance(answer, mqtt5.PubAckPacket) and int(answer.reason_code) < 0x80

    def listen(self, *filters: str) -> None:
        """Subscribes; whatever the broker grants."""
        self.send(mqtt5.SubscribePacket(7, [mqtt5.TopicFilter(each) for each in filters]))
        assert isinstance(self.read(), mqtt5.SubAckPacket)

    def heard(self, within_s: float = 0.5) -> list[str]:
        """The topics of what comes in that time."""
        topics = []
        try:
            while True:
                packet = self.read(within_s)
                if isinstance(packet, mqtt5.PublishPacket):
                    topics.append(packet.topic)
        except (TimeoutError, Refused):
            return topics

    def is_out(self, within_s: float = WAIT_S) -> bool:
        """Whether the broker ends this connection in that time."""
        try:
            while True:
                self.read(within_s)
        except Refused:
            return True
        except TimeoutError:
            return False

    def close(self) -> None:
        """Ends it without a word."""
        self._line.close()
