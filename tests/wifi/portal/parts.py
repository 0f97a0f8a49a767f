"""What these tests share: an access point with its portal on real sockets of this machine, and a client of HTTP."""

import asyncio
import base64
import contextlib
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge_agent.wifi.portal import serve
from edge_agent.wifi.portal_door import USUAL, Bounds
from edge_agent.wifi.portal_visit import Reception
from tests.certificates import pki
from tests.clock.hand_time import HandTime
from tests.wifi.sessions import parts as sessions
from tests.wifi.sessions.parts import AccessPoint, Kernel
from wire import x509
from wire.kit import KitContent, SealingKey, Terms
from wire.messages import TermsLanguage

PORTAL = "portal.town.example"
GUEST, OTHER = "02:00:5e:10:00:01", "02:00:5e:10:00:02"
BROWSER = "127.0.0.1"
V4, V6, V6_PRIVATE, NEIGHBOUR = "127.0.0.2", "::1", "127.0.0.22", "127.0.0.3"
TERMS: dict[TermsLanguage, str] = {
    "ja": "# 目的\n\n町民と来訪者が使う無料の通信です。\n\n- 法律に反することはしません\n- 人に迷惑をかけません",
    "ja-easy": "# きまり\n\n悪《わる》いことに 使《つか》わないでください。",
    "en": "# Purpose\n\nFree Wi-Fi for everyone <in town>.\n\n- nothing unlawful\n- nothing that disturbs others",
    "zh-Hans": "# 目的\n\n供居民和游客免费使用。",
    "zh-Hant": "# 目的\n\n供居民和遊客免費使用。",
    "ko": "# 목적\n\n누구나 이용할 수 있는 무료 통신입니다.",
}
WITHIN_S = 60.0


def certificate(host: str = PORTAL) -> tuple[str, str]:
    """A certificate of the town's for a name, with its key, in PEM."""
    key = x509.make_key()
    leaf = x509.issue_server(pki().servers, key.public_key(), (host,), datetime.now(UTC))
    return x509.pem(leaf, pki().servers.certificate).decode(), x509.key_pem(key).decode()


SEALING = ec.generate_private_key(ec.SECP256R1())


def sealing_key() -> SealingKey:
    """The month's key of the tests' hub."""
    form = serialization.PublicFormat.UncompressedPoint
    return SealingKey("2026-11 test", SEALING.public_key().public_bytes(serialization.Encoding.X962, form))


def kit(**other: object) -> KitContent:
    """What the kit says, with a certificate that works."""
    chain, key = certificate()
    told: dict[str, object] = {
        "chain": chain,
        "key": key,
        "terms": Terms("2026-04", TERMS),
        "place": "町立図書館",
        "contact": "総務課 0268-00-0000",
        "venue_url": "https://town.example/library",
        "sealing_key": sealing_key(),
    }
    return sessions.content(**(told | other))


@dataclass
class Reply:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8")

    @property
    def said(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def hidden(self, name: str) -> str:
        """A hidden field of the page's form."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found, self.text
        return found[1]


@dataclass
class Hall:
    """One access point with its portal. `who` says which device has an address of this machine."""

    ap: AccessPoint
    reception: Reception
    http: int
    https: int
    who: dict[str, str]
    online: list[bool] = field(default_factory=lambda: [True])

    @property
    def url(self) -> str:
        """The portal's address."""
        return f"https://{PORTAL}:{self.https}/"

    async def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        source: str = V4,
        host: str = "",
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        plain: bool = False,
    ) -> Reply:
        """One request on a connection of its own; `plain` on the port without TLS."""
        body = "&".join(f"{name}={_quoted(value)}" for name, value in (form or {}).items()).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host or f'{PORTAL}:{self.https}'}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if form is not None:
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        lines.append("Connection: close")
        raw = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        return _reply(await self.send(raw, source=source, plain=plain))

    async def send(self, raw: bytes, *, source: str = V4, plain: bool = False) -> bytes:
        """These bytes on a connection of their own; all that comes back."""
        reader, writer = await self.connect(source=source, plain=plain)
        try:
            async with asyncio.timeout(WITHIN_S):
                writer.write(raw)
                await writer.drain()
                return await reader.read()
        except (ConnectionError, ssl.SSLError):
            return b""
        finally:
            writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await writer.wait_closed()

    async def connect(
        self, *, source: str = V4, plain: bool = False
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection from that address of this machine."""
        to = "::1" if ":" in source else "127.0.0.1"
        port = self.http if plain else self.https
        about: dict[str, Any] = {} if plain else {"ssl": trusting(), "server_hostname": PORTAL}
        async with asyncio.timeout(WITHIN_S):
            return await asyncio.open_connection(to, port, local_addr=(source, 0), **about)

    async def api(self, accept: str = "application/captive+json", source: str = V4) -> Reply:
        """What the captive portal API says."""
        return await self.ask("/capport/api", source=source, headers={"Accept": accept})

    async def agree(self, language: str = "en", source: str = V4, **form: str) -> Reply:
        """A guest reads the page and presses the button."""
        page = await self.ask(f"/{language}/", source=source)
        token, terms = page.hidden("token"), page.hidden("terms")
        return await self.press(f"/{language}/agree", source=source, token=token, terms=terms, **form)

    async def press(self, path: str, source: str = V4, **form: str) -> Reply:
        """A press of a button."""
        return await self.ask(path, method="POST", source=source, form=form)


def trusting() -> ssl.SSLContext:
    """A client that knows the town's root and nothing else."""
    return ssl.create_default_context(cafile=str(pki().folder / "root.pem"))


def _quoted(value: str) -> str:
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else f"%{byte:02X}" for byte in value.encode())


def _reply(raw: bytes) -> Reply:
    assert raw, "the connection ended without an answer"
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Reply(int(first.split(" ")[1]), headers, body)


def bound() -> tuple[list[socket.socket], int]:
    """One port on both loopback addresses."""
    while True:
        first = socket.create_server(("127.0.0.1", 0))
        port = first.getsockname()[1]
        try:
            return [first, socket.create_server(("::1", port), family=socket.AF_INET6)], port
        except OSError:
            first.close()


@contextlib.asynccontextmanager
async def hall(
    state: Path, *, content: KitContent | None = None, with_kit: bool = True, bounds: Bounds = USUAL
) -> AsyncIterator[Hall]:
    """An access point and its portal for the length of a `with`."""
    time = HandTime()
    async with sessions.running(state, time, Kernel(time), with_kit=False) as ap:
        if with_kit:
            sessions.give_kit(ap, content or kit())
        who = {V4: GUEST, BROWSER: GUEST, V6: GUEST, V6_PRIVATE: GUEST, NEIGHBOUR: OTHER}
        (http, http_port), (https, https_port) = bound(), bound()
        online = [True]

        async def named(peer: str) -> str | None:
            return who.get(peer)

        reception = Reception(
            ap.guests,
            ap.kit,
            ap.holder,
            named,
            mode=lambda: ap.mode,
            online=lambda: online[0],
            clock_sure=lambda: time.synced,
            https_port=https_port,
            now_s=lambda: time.mono_ms / 1000,
        )
        serving = asyncio.create_task(serve(reception, http, https, bounds=bounds))
        try:
            yield Hall(ap, reception, http_port, https_port, who, online)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


def opened(sealed_text: str, session: str) -> dict[str, str]:
    """What the hub finds in a sealed contact."""
    from wire import sealed, signed

    raw = base64.urlsafe_b64decode(sealed_text + "=" * (-len(sealed_text) % 4))
    found: dict[str, str] = json.loads(sealed.unseal(SEALING, raw, signed.contact_bytes(session)))
    return found
