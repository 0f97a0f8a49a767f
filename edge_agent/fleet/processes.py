"""Access: what supervisor says of the processes it keeps, by XML-RPC over its UNIX socket.

The standard library's client is enough; supervisor's own transport would cost 1.6 MB more on the device.
"""

import http.client
import socket
from typing import Any

from wire.messages import ProcessState

_TIMEOUT_S = 5
# A device has a handful; a body must stay within the wire's size.
_PROCESSES = 32


class NoAnswer(Exception):
    """Supervisor does not answer, or not as supervisor does."""


def states(path: str, device: str) -> tuple[ProcessState, ...]:
    """The processes in the group that bears the device's name, or all when there is no such group.

    Raises NoAnswer.
    """
    every = _every(path)
    own = [one for one in every if one.get("group") == device]
    return tuple(_state(one) for one in (own or every)[:_PROCESSES])


def _every(path: str) -> list[dict[str, Any]]:
    import xmlrpc.client
    from xml.parsers.expat import ExpatError

    class Transport(xmlrpc.client.Transport):
        def make_connection(self, host: tuple[str, dict[str, str]] | str) -> http.client.HTTPConnection:
            # Kept where the transport looks for what it has to close.
            connection = _UnixConnection(path)
            self._connection = host, connection
            return connection

    try:
        with xmlrpc.client.ServerProxy("http://supervisor", transport=Transport()) as proxy:
            answer = proxy.supervisor.getAllProcessInfo()
    except (OSError, http.client.HTTPException, xmlrpc.client.Error, ExpatError, ValueError) as error:
        raise NoAnswer(f"supervisor at {path}: {error}") from error
    if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
        raise NoAnswer(f"supervisor at {path}: an answer that is none of supervisor's")
    return answer


def _state(told: dict[str, Any]) -> ProcessState:
    running = told.get("statename") == "RUNNING"
    since = int(told.get("now", 0)) - int(told.get("start", 0)) if running else 0
    name, state = str(told.get("name", "")), str(told.get("statename", "")).lower()
    return ProcessState(name[:200], state[:200], max(0, since))


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT_S)
        self.sock.connect(self._path)
