"""Clients that want to harm: they never finish, they send anything. Others get in, and nothing is logged."""

import asyncio
import contextlib
import logging
import resource
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.wifi.portal_door import Bounds
from tests.wifi.netns import wait_for
from tests.wifi.portal.parts import GUEST, PORTAL, V4, Hall, hall, trusting

WITHIN_S = 60.0
# So that nobody goes for having waited too long.
PATIENT = Bounds(patience_s=600, longest_s=600)
UNFINISHED = [
    b"",
    b"GET / HTTP/1.1\r\nHost: portal.town.example\r\nX-Slow: ",
    b"POST /en/agree HTTP/1.1\r\nHost: portal.town.example\r\nContent-Length: 4000\r\n\r\ntoken=",
    b"POST /en/agree HTTP/1.1\r\nHost: portal.town.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ntok",
]
REQUEST = (
    b"GET /en/ HTTP/1.1\r\nHost: portal.town.example\r\nAccept: text/html\r\nAccept-Language: en\r\n"
    b"Connection: close\r\n\r\n"
)


@pytest.fixture(autouse=True)
def _descriptors() -> None:
    """Both ends of every connection are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, 8192) if hard != resource.RLIM_INFINITY else 8192
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _sources(number: int) -> list[str]:
    """So many clients with addresses of their own."""
    return [f"127.1.{one // 250}.{one % 250 + 1}" for one in range(number)]


def _open(port: int) -> int:
    """How many connections the portal bears at this moment on a port."""
    mine = psutil.Process().net_connections("tcp")
    return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == port for one in mine)


async def _hold(one: Hall, source: str, kind: int, *, plain: bool) -> asyncio.StreamWriter:
    """A client that begins a request and never ends it; without TLS where not even the handshake is ended."""
    port = one.http if plain else one.https
    about = {} if plain or kind % 5 == 0 else {"ssl": trusting(), "server_hostname": PORTAL}
    async with asyncio.timeout(WITHIN_S):
        _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0), **about)  # type: ignore[arg-type]
    writer.write(UNFINISHED[kind % len(UNFINISHED)])
    return writer


@pytest.mark.parametrize("plain", [False, True])
async def test_500_that_never_finish_do_not_keep_the_501st_out(tmp_path: Path, *, plain: bool) -> None:
    async with hall(tmp_path, bounds=PATIENT) as one:
        held: list[asyncio.StreamWriter] = []
        before = psutil.Process().memory_info().rss
        try:
            for number, source in enumerate(_sources(500)):
                with contextlib.suppress(OSError):
                    held.append(await _hold(one, source, number, plain=plain))
            assert len(held) > 400
            # Both ends of them are in this process.
            assert psutil.Process().memory_info().rss - before < 120_000_000
            if plain:
                reply = await one.ask("/generate_204", plain=True, host="clients3.google.com")
                assert reply.status == 302
            else:
                assert (await one.agree("en")).status == 303
                assert one.ap.kernel.passes(GUEST)
        finally:
            for writer in held:
                writer.transport.abort()


async def test_never_more_than_so_many_are_borne(tmp_path: Path) -> None:
    async with hall(tmp_path, bounds=PATIENT._replace(together=40)) as one:
        held = [await _hold(one, source, 1, plain=True) for source in _sources(120)]
        # Who was sent away a moment ago is still seen for another.
        await asyncio.to_thread(wait_for, lambda: _open(one.http) <= 40, within_s=WITHIN_S)
        for writer in held:
            writer.transport.abort()


async def test_one_device_has_a_few_connections_and_its_newest_is_answered(tmp_path: Path) -> None:
    async with hall(tmp_path, bounds=PATIENT) as one:
        held = [await one.connect() for _ in range(Bounds().each)]
        mine = [await one.connect(source="127.0.0.9")]
        for _, writer in held:
            writer.write(UNFINISHED[1])
        assert (await one.ask("/en/")).status == 200
        # Who has waited longest has gone for it; another device lost nothing.
        async with asyncio.timeout(WITHIN_S):
            assert await held[0][0].read() == b""
        mine[0][1].write(REQUEST)
        async with asyncio.timeout(WITHIN_S):
            assert (await mine[0][0].read()).startswith(b"HTTP/1.1 403")
        for _, writer in (*held, *mine):
            writer.transport.abort()


async def test_who_waits_too_long_is_let_go(tmp_path: Path) -> None:
    async with hall(tmp_path, bounds=Bounds(patience_s=0.5)) as one:
        for kind, raw in enumerate(UNFINISHED[:2]):
            reader, writer = await one.connect()
            writer.write(raw)
            async with asyncio.timeout(WITHIN_S):
                assert await reader.read() == b"", kind
            writer.close()
        # Not even a handshake.
        reader, writer = await asyncio.open_connection("127.0.0.1", one.https)
        async with asyncio.timeout(WITHIN_S):
            assert await reader.read() == b""
        writer.close()


async def test_nothing_lasts_longer_than_it_may(tmp_path: Path) -> None:
    async with hall(tmp_path, bounds=Bounds(longest_s=1.0)) as one:
        for plain in (False, True):
            reader, writer = await one.connect(plain=plain)
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(WITHIN_S):
                    # A request again and again would keep it for ever.
                    while not reader.at_eof():
                        writer.write(b"GET /x HTTP/1.1\r\nHost: portal.town.example\r\n\r\n")
                        await writer.drain()
                        await reader.read(4096)
            writer.transport.abort()


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: portal.town.example\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: portal.town.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: portal.town.example\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"POST /en/agree HTTP/1.1\r\nHost: portal.town.example\r\nContent-Length: 5000\r\n\r\n" + b"a" * 5000,
        b"POST /en/agree HTTP/1.1\r\nHost: portal.town.example\r\nContent-Length: 99999999999\r\n\r\n" + b"a" * 9000,
        b"POST /en/agree HTTP/1.1\r\nHost: portal.town.example\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /en/agree HTTP/1.1\r\nHost: portal.town.example\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\na",
        b"OPTIONS * HTTP/1.1\r\nHost: portal.town.example\r\nConnection: close\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: portal.town.example\r\nConnection: close\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: portal.town.example\r\nConnection: close\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: portal.town.example\r\nConnection: close\r\n\r\n",
        b"GET /%ff%fe%00/ HTTP/1.1\r\nHost: portal.town.example\r\nConnection: close\r\n\r\n",
        b"GET /en/?said=%ff%fe HTTP/1.1\r\nHost: portal.town.example\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: portal.town.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        + b"x" * 4000,
        b"GET / HTTP/0.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
@pytest.mark.parametrize("plain", [False, True])
async def test_what_is_no_request_of_ours_is_an_answer_below_500_or_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, raw: bytes, *, plain: bool
) -> None:
    async with hall(tmp_path) as one:
        reader, writer = await one.connect(plain=plain)
        with contextlib.suppress(ConnectionError):
            writer.write(raw)
            async with asyncio.timeout(WITHIN_S):
                first = await reader.read(12)
            assert first == b"" or 200 <= int(first.split(b" ")[1]) < 500
        writer.transport.abort()
        assert (await one.ask("/en/")).status == 200
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def _mixed() -> st.SearchStrategy[bytes]:
    """Random bytes, and requests with random bytes where words should be."""
    word = st.binary(max_size=40)
    name = st.sampled_from([b"Host", b"Accept", b"Accept-Language", b"Content-Length", b"Origin", b"Transfer-Encoding"])
    value = st.one_of(word, st.sampled_from([b"portal.town.example", b"chunked", b"5", b"application/captive+json"]))
    header = st.tuples(name, value).map(lambda pair: pair[0] + b": " + pair[1])
    path = st.one_of(word, st.sampled_from([b"/", b"/en/", b"/en/agree", b"/capport/api", b"/ja/terms?said="]))
    method = st.sampled_from([b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS"])
    build = st.builds(
        lambda method, path, headers, body: b"\r\n".join(
            [b"%s %s HTTP/1.1" % (method, path), b"Host: portal.town.example", *headers, b"", body]
        ),
        method,
        path,
        st.lists(header, max_size=5),
        st.binary(max_size=200),
    )
    return st.one_of(st.binary(max_size=400), build, st.tuples(build, st.binary(max_size=100)).map(b"".join))


def test_no_bytes_bring_a_500_or_a_word_into_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with asyncio.Runner() as runner:
        context = hall(tmp_path)
        one = runner.run(context.__aenter__())

        async def tried(raw: bytes, *, plain: bool) -> bytes:
            reader, writer = await one.connect(plain=plain)
            try:
                writer.write(raw)
                if writer.can_write_eof():
                    writer.write_eof()
                async with asyncio.timeout(2):
                    return await reader.read()
            except (OSError, TimeoutError):
                return b""
            finally:
                writer.transport.abort()

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        @given(_mixed(), st.booleans())
        def bytes_in(raw: bytes, plain: bool) -> None:
            # What is not ended is ended here: the portal would wait for the rest.
            reply = runner.run(tried(raw + b"\r\n\r\n", plain=plain or len(raw) % 3 > 0))
            assert b"HTTP/1.1 500" not in reply
            assert b"Traceback" not in reply

        bytes_in()
        assert runner.run(one.ask("/en/", source=V4)).status == 200
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
        runner.run(context.__aexit__(None, None, None))
