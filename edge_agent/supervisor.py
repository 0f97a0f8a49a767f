"""Access: supervisor's XML-RPC over its UNIX socket.

The standard library's client is enough; supervisor's own transport would cost 1.6 MB more on the device.
"""

import http.client
import socket
from typing import Any

_TIMEOUT_S = 5
# supervisor's numbers of faults (supervisor.xmlrpc.Faults): it is as it should be already.
NOT_RUNNING, ALREADY_STARTED = 70, 60


class NoAnswer(Exception):
    """Supervisor does not answer, or not as supervisor does."""


class Fault(Exception):
    """Supervisor answers that it will not; `code` is its number for why."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def processes(path: str) -> list[dict[str, Any]]:
    """What supervisor says of each process (`getAllProcessInfo`). Raises NoAnswer."""
    try:
        answer = ask(path, "getAllProcessInfo")
    except Fault as fault:
        raise NoAnswer(f"supervisor at {path}: {fault}") from fault
    if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
        raise NoAnswer(f"supervisor at {path}: an answer that is none of supervisor's")
    return answer


def ask(path: str, method: str, *arguments: object) -> Any:
    """One call of supervisor's own interface. Raises NoAnswer, Fault."""
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
            return getattr(proxy.supervisor, method)(*arguments)
    except xmlrpc.client.Fault as fault:
        raise Fault(fault.faultCode, fault.faultString) from fault
    except (OSError, http.client.HTTPException, xmlrpc.client.Error, ExpatError, ValueError) as error:
        raise NoAnswer(f"supervisor at {path}: {error}") from error


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT_S)
        self.sock.connect(self._path)
