"""Two web sites on one address, for a test's internet: `python -m tests.wifi.sites FOLDER NAME…` (ports 80 and 443).

FOLDER has `NAME.pem` (certificate and key) for each. What they answer tells which site was reached:
`/bytes/N` sends N zeros, `/endless` never ends, a POST is read to its end and its length told, all else is
`site <name> to <client's address>`.
"""

import contextlib
import http.server
import socket
import ssl
import sys
import threading
from pathlib import Path
from typing import cast

_PIECE = bytes(16_384)


class Site(http.server.BaseHTTPRequestHandler):
    """Answers for whichever name it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """See the module."""
        if self.path.startswith("/bytes/"):
            self._send(int(self.path.removeprefix("/bytes/")))
        elif self.path == "/endless":
            self._send(1 << 40)
        else:
            self._say(f"site {self._name()} to {self.client_address[0]}\n")

    def do_POST(self) -> None:
        """Reads what comes."""
        left = length = int(self.headers.get("Content-Length", "0"))
        while left > 0 and (piece := self.rfile.read(min(left, len(_PIECE)))):
            left -= len(piece)
        self._say(f"took {length - left} at {self._name()}\n")

    def _name(self) -> str:
        if isinstance(self.connection, ssl.SSLSocket):
            return str(getattr(self.connection, "asked_for", None) or "without a name")
        return (self.headers.get("Host") or "without a name").partition(":")[0]

    def _say(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def _send(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        while length > 0:
            self.wfile.write(_PIECE[:length])
            length -= len(_PIECE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's word)
        """Says nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Both families on one socket; a client that goes away is no news."""

    address_family = socket.AF_INET6
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        """Hears both families."""
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing."""


class Tls(Server):
    """A server that has a certificate for each name."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        super().__init__(("::", port), Site)
        self._context = context

    def finish_request(self, request: object, client_address: object) -> None:
        """Shakes hands in the connection's own thread."""
        with (
            contextlib.suppress(OSError),
            self._context.wrap_socket(cast("socket.socket", request), server_side=True) as secured,
        ):
            super().finish_request(secured, cast("tuple[str, int]", client_address))


def context(folder: Path, names: list[str]) -> ssl.SSLContext:
    """The names' certificates, chosen by what the client asks for; the first without."""
    contexts = {}
    for name in names:
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[name].load_cert_chain(folder / f"{name}.pem")

    def choose(secured: ssl.SSLObject | ssl.SSLSocket, asked: str | None, _: ssl.SSLContext) -> None:
        secured.asked_for = asked  # type: ignore[union-attr]
        if asked in contexts:
            secured.context = contexts[asked]

    contexts[names[0]].sni_callback = choose
    return contexts[names[0]]


def main(folder: str, *names: str) -> None:
    """Serves until it is ended."""
    secured = Tls(443, context(Path(folder), list(names)))
    plain = Server(("::", 80), Site)
    threading.Thread(target=secured.serve_forever, daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    plain.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
