"""Which name a client asks for: real hellos of OpenSSL, cut anywhere, and anything else."""

import contextlib
import functools
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wifi import client_hello, request_head
from edge_agent.wifi.client_hello import Incomplete, NotHello
from edge_agent.wifi.garden_proxy import is_in
from edge_agent.wifi.request_head import BadHead

_label = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True).filter(lambda one: "--" not in one[2:4])
_names = st.builds(lambda first, rest: ".".join([*rest, first, "example"]), _label, st.lists(_label, max_size=3))


@functools.lru_cache
def hello(name: str | None) -> bytes:
    """What OpenSSL says first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    return out.read()


@given(_names)
def test_the_name_is_read_off_a_real_hello(name: str) -> None:
    assert client_hello.server_name(hello(name)) == name


def test_a_client_that_names_nothing_asks_for_nothing() -> None:
    assert client_hello.server_name(hello(None)) == ""


@given(st.data())
def test_a_hello_is_read_however_it_is_cut(data: st.DataObject) -> None:
    whole = hello("town.example")
    with pytest.raises(Incomplete):
        client_hello.server_name(whole[: data.draw(st.integers(0, len(whole) - 1))])
    message, records = whole[5:], b""
    while message:
        length = data.draw(st.integers(1, len(message)))
        records += b"\x16\x03\x01" + length.to_bytes(2, "big") + message[:length]
        message = message[length:]
    assert client_hello.server_name(records) == "town.example"


@given(st.binary(max_size=300), st.integers(0, 250))
def test_noise_is_told_apart_and_nothing_else_is_raised(noise: bytes, at: int) -> None:
    whole = hello("town.example")
    for data in (noise, whole[:at] + noise + whole[at + len(noise) :], b"\x16\x03\x01" + noise):
        with contextlib.suppress(Incomplete, NotHello):
            name = client_hello.server_name(data)
            assert name == "" or name.isascii()


@pytest.mark.parametrize(
    "name", [b"a b.example", b"-x.example", b"x..example", b"", b"\xff.example", b"a.example.\x00"]
)
def test_what_is_no_name_is_no_hello(name: bytes) -> None:
    whole = hello("0123456789.example")
    placed = whole.replace(b"0123456789.example", name.ljust(18, b"!"))
    with pytest.raises(NotHello):
        client_hello.server_name(placed)


def test_a_head_loses_what_would_keep_the_connection() -> None:
    told = request_head.read(
        b"POST /a?b HTTP/1.1\r\nhost: Town.Example:80\r\nConnection: keep-alive\r\nContent-Length: 7\r\n\r\n"
    )
    assert told.host == "town.example"
    assert told.body_bytes == 7
    assert (
        told.passed == b"POST /a?b HTTP/1.1\r\nhost: Town.Example:80\r\nContent-Length: 7\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n",
        b"GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a.example\r\n Host: b.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a.example\nHost: b.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: +1\r\n\r\n",
        b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a.example\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\n",
        b"\r\n\r\n",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(head: bytes) -> None:
    with pytest.raises(BadHead):
        request_head.read(head)


@given(st.binary(max_size=200))
def test_noise_is_no_head(noise: bytes) -> None:
    for head in (noise, b"GET / HTTP/1.1\r\nHost: a.example\r\n" + noise + b"\r\n\r\n"):
        with contextlib.suppress(BadHead):
            assert request_head.read(head).host == "a.example"


def test_a_name_below_one_of_the_garden_is_in_it_and_one_that_ends_alike_is_not() -> None:
    assert is_in("town.example", ["town.example"])
    assert is_in("www.town.example", ["town.example"])
    assert not is_in("hometown.example", ["town.example"])
    assert not is_in("town.example.org", ["town.example"])
    assert not is_in("", ["town.example"])
