"""Asks the hub over HTTP(S): for the town's root, the first certificate, and a late one.  Every call here blocks.

1. The root is believed because its SHA-256 came with the code, by a person's hand; not because of who sent it.
2. With the root known, https must show a certificate of the town or of the system's authorities.
3. Plain http goes to this machine only: a code that crosses a network in the clear is anybody's.
"""

import ipaddress
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from edge_agent.identity import keys
from wire.enrolment import ENROL_PATH, RENEW_PATH, ROOT_PATH, Ask, Given, Late, LateAnswer, Refusal, Waiting

T = TypeVar("T", bound=msgspec.Struct)

_TIMEOUT_S = 20
_MOST_BYTES = 65_536


class Away(Exception):
    """The hub does not answer, or cannot at the moment: later again. One plain sentence."""


class Refused(Exception):
    """The hub said no; its own sentence. `now_ms` is its time when ours was too far from it."""

    def __init__(self, error: str, now_ms: int | None = None) -> None:
        super().__init__(error)
        self.now_ms = now_ms


def root(hub: str, fingerprint: str) -> bytes:
    """The town's root, in PEM, which has this SHA-256. Raises Away, Refused."""
    status, body = _send(hub, "GET", ROOT_PATH, None, None)
    if status != 200:
        raise Away(f"{hub} gives no root (code {status})")
    try:
        found = keys.fingerprint(body)
    except ValueError as error:
        raise Away(f"{hub} answers with something that is no certificate") from error
    if found != fingerprint:
        raise Refused(f"{hub} has another root than the code says: found {found}, expected {fingerprint}")
    return body


def enrol(hub: str, root_pem: bytes, ask: Ask) -> Given | Waiting:
    """The first certificate, or that a person must look first. Raises Away, Refused."""
    status, body = _send(hub, "POST", ENROL_PATH, root_pem, msgspec.json.encode(ask))
    return _read(body, Waiting) if status == 202 else _read(_good(status, body), Given)


def renew_late(hub: str, root_pem: bytes, late: Late) -> LateAnswer:
    """The next certificate, or what a stolen device is told. Raises Away, Refused."""
    status, body = _send(hub, "POST", RENEW_PATH, root_pem, msgspec.json.encode(late))
    return _read(_good(status, body), LateAnswer)


def _good(status: int, body: bytes) -> bytes:
    if status == 200:
        return body
    if status in (400, 403, 409):
        refusal = _read(body, Refusal)
        raise Refused(refusal.error, refusal.now_ms)
    raise Away(f"the hub answers with code {status}")


def _read(body: bytes, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Away("what answers there is no hub of ours") from error


def _send(hub: str, method: str, path: str, root_pem: bytes | None, body: bytes | None) -> tuple[int, bytes]:
    address = urlsplit(hub)
    connection = connection_to(hub, root_pem)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    try:
        connection.request(method, address.path.rstrip("/") + path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(_MOST_BYTES)
    except (OSError, HTTPException) as error:
        raise Away(f"{hub} does not answer ({error or type(error).__name__})") from error
    finally:
        connection.close()


def connection_to(hub: str, root_pem: bytes | None, *, timeout_s: float = _TIMEOUT_S) -> HTTPConnection:
    """A connection to the hub at this address, not opened yet; without a root nothing is believed of it. Raises
    Refused."""
    address = urlsplit(hub)
    host, port = address.hostname or "", address.port
    if address.scheme == "http":
        if not is_this_machine(host):
            raise Refused(f"http://{host} would carry the code in the clear; an address with https:// is needed")
        return HTTPConnection(host, port, timeout=timeout_s)
    return HTTPSConnection(host, port, timeout=timeout_s, context=_context(root_pem))


def _context(root_pem: bytes | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if root_pem is None:
        # Only the root is asked for in this way, and its fingerprint is known.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=root_pem.decode("ascii", "replace"))
    return context


def is_this_machine(host: str) -> bool:
    """Whether what is sent there stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
