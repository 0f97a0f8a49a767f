"""Asks a broker whether it keeps its rules: a stranger is not let in, and a device reaches nobody else's topics.

A broker that lets everybody do everything looks healthy from within; it is found out only by trying.
"""

import socket
import ssl
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import mqtt5

from wire import topics, x509

# A device that is none; nobody enrols one of this name.
CANARY = "machinaka-canary"
_OTHER = "machinaka-canary-other"
_WAIT_S = 5.0


class Place(NamedTuple):
    """Where the broker listens, and the hub's folder of certificates."""

    host: str
    port: int
    ca: Path


class Red(Exception):
    """The broker does not work as it must; one plain sentence."""


class Open(Red):
    """It lets in whom it must not, or lets a device speak for others."""


class Silent(Red):
    """Nothing answers (yet)."""


def check(place: Place) -> None:
    """Returns when every rule is kept. Raises Open, Silent, Red."""
    _check_stranger(place)
    with tempfile.TemporaryDirectory(prefix="machinaka-canary-") as folder:
        context = _as_device(place.ca, Path(folder))
        for topic in (topics.topic(_OTHER, "up"), topics.topic(CANARY, "ack"), topics.topic(_OTHER, "down")):
            if _may_publish(place, context, topic):
                raise Open(f"a device may publish to {topic}")


def check_started(place: Place, within_s: float) -> None:
    """The same for a broker that has just been started: it listens before it has read its files.

    Raises Open at once, Silent and Red when it is so still after that time.
    """
    end = time.monotonic() + within_s
    while True:
        try:
            return check(place)
        except Open:
            raise
        except Red:
            if time.monotonic() >= end:
                raise
        time.sleep(0.05)


def _context(ca: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca / "root.pem"))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def _as_device(ca: Path, folder: Path) -> ssl.SSLContext:
    """How a device of the canary's name shows who it is, for some minutes."""
    try:
        issuer = x509.load_authority((ca / "devices.pem").read_bytes(), (ca / "devices.key").read_bytes())
        key = x509.make_key()
        request = x509.check_request(x509.make_request(key, CANARY), CANARY)
        leaf = x509.issue_device(issuer, request, CANARY, datetime.now(UTC), days=1)
        file = folder / "canary.pem"
        file.touch(0o600)
        file.write_bytes(x509.key_pem(key) + x509.pem(leaf, issuer.certificate))
        context = _context(ca)
        context.load_cert_chain(file)
    except (OSError, ValueError, TypeError, ssl.SSLError) as error:
        raise Red(f"{ca}: cannot make a certificate to try the broker with ({error})") from error
    return context


def _check_stranger(place: Place) -> None:
    try:
        with _dial(place, _context(place.ca)) as line:
            greeting = _greet(line, CANARY)
    except (OSError, _Ended):
        return
    if greeting is not None:
        raise Open("somebody without a certificate is let in")


def _may_publish(place: Place, context: ssl.SSLContext, topic: str) -> bool:
    try:
        with _dial(place, context) as line:
            _enter(line)
            line.sendall(mqtt5.PublishPacket(topic, b"", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=1).write())
            answer = _read(line)
    except _Ended:
        # After it was let in: this is how 2.0.11 refuses a message.
        return False
    except ssl.SSLError as error:
        raise Red(f"a device with a good certificate is not let in ({error})") from error
    except OSError as error:
        raise Silent(f"nothing answers at {place.host}:{place.port} ({error})") from error
    # 0x80 and above are refusals; 0x10 says that it was taken and nobody listens.
    return not isinstance(answer, mqtt5.PubAckPacket) or int(answer.reason_code) < 0x80


def _enter(line: ssl.SSLSocket) -> None:
    """With TLS 1.3 a certificate that is refused shows only now, as a connection that ends."""
    try:
        greeting = _greet(line, CANARY)
    except _Ended as ended:
        raise Red("a device with a good certificate is not let in (the broker ends the connection)") from ended
    if greeting is None or greeting.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
        raise Red(f"a device with a good certificate is not let in ({greeting})")


class _Ended(Exception):
    """The broker closed the connection."""


def _dial(place: Place, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection((place.host, place.port), timeout=_WAIT_S)
    try:
        return context.wrap_socket(plain, server_hostname=place.host)
    except BaseException:
        plain.close()
        raise


def _greet(line: ssl.SSLSocket, name: str) -> mqtt5.ConnAckPacket | None:
    line.sendall(mqtt5.ConnectPacket(name, clean_start=True).write())
    answer = _read(line)
    return answer if isinstance(answer, mqtt5.ConnAckPacket) else None


def _read(line: ssl.SSLSocket) -> mqtt5.Packet:
    data = b""
    while True:
        try:
            more = line.recv(4096)
        except TimeoutError:
            raise
        except OSError as error:
            raise _Ended from error
        if not more:
            raise _Ended
        data += more
        try:
            return mqtt5.read(memoryview(data))[0]
        except IndexError:
            continue
