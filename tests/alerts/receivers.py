"""A mail server and a web receiver that are really there, on loopback: what they were given lies in lists."""

import asyncio
import email
import email.policy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Mail(NamedTuple):
    """One message, as it was given to the server."""

    sender: str
    to: str
    subject: str
    text: str


class Receivers:
    """Both servers, on a loop of their own. `refuse` lets every message be turned away; `silent` answers nothing."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.posts: list[dict[str, Any]] = []
        self.refuse = self.silent = False
        self.smtp_port = self.http_port = 0
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        smtp = await asyncio.start_server(self._smtp, "127.0.0.1", 0)
        http = await asyncio.start_server(self._http, "127.0.0.1", 0)
        self.smtp_port, self.http_port = (one.sockets[0].getsockname()[1] for one in (smtp, http))
        self._ready.set()
        await self._end.wait()
        smtp.close()
        http.close()

    async def _smtp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """RFC 5321, as much as a client needs that sends plain mail."""
        if self.silent:
            await self._end.wait()
        sender = to = ""
        writer.write(b"220 test\r\n")
        while line := (await reader.readline()).decode().strip():
            word = line.upper()
            if word.startswith("DATA"):
                writer.write(b"354 go on\r\n")
                raw = (await reader.readuntil(b"\r\n.\r\n"))[:-5].replace(b"\r\n..", b"\r\n.")
                self.mails.append(_mail(sender, to, raw))
            elif word.startswith("MAIL"):
                sender = line.partition("<")[2].partition(">")[0]
            elif word.startswith("RCPT"):
                to = line.partition("<")[2].partition(">")[0]
                if self.refuse:
                    writer.write(b"550 no such mailbox\r\n")
                    continue
            elif word.startswith("QUIT"):
                break
            writer.write(b"250 fine\r\n")
        writer.close()

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(one.partition(":")[2]) for one in head.splitlines() if one.lower().startswith("content-length")
        )
        self.posts.append({"path": head.split()[1], **json.loads(await reader.readexactly(length))})
        answer = b"HTTP/1.1 403 no\r\n" if self.refuse else b"HTTP/1.1 200 fine\r\n"
        writer.write(answer + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    def start(self) -> None:
        """Begins to listen."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Ends both."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)

    @property
    def mail_address(self) -> str:
        """Where this mail server is, as the hub keeps it."""
        return (
            f"mailto://127.0.0.1:{self.smtp_port}?smtp=127.0.0.1&from=hub%40town.example&to=it%40town.example"
            "&mode=insecure&format=text"
        )

    @property
    def web_address(self) -> str:
        """Where the web receiver is."""
        return f"http://127.0.0.1:{self.http_port}/hook?key=secret"


def _mail(sender: str, to: str, raw: bytes) -> Mail:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    body = message.get_body(("plain",))
    assert body is not None, raw
    return Mail(sender, to, str(message["subject"]), body.get_content())


@contextmanager
def receiving() -> Iterator[Receivers]:
    """Both for the length of a `with`."""
    servers = Receivers()
    servers.start()
    try:
        yield servers
    finally:
        servers.stop()
