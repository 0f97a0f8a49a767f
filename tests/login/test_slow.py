"""Slow clients lose their place; everybody else goes on."""

import contextlib
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from hub import audit
from hub.db import Connection
from tests.login.parts import Browser, Town

PATIENCE_S = 60.0
BEGUN = b"POST /sign-in HTTP/1.1\r\nHost: hub\r\n"
BODY = BEGUN + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\nname="


@contextlib.contextmanager
def connected(town: Town, many: int) -> Iterator[list[socket.socket]]:
    """Open connections."""
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection(("127.0.0.1", town.settings.port), timeout=PATIENCE_S))
            for _ in range(many)
        ]


def is_cut(one: socket.socket) -> bool:
    """Waits until the hub has closed it, whatever it said before."""
    try:
        while one.recv(65536):
            pass
    except ConnectionResetError:
        return True
    return True


def test_d10_three_hundred_slow_clients_are_cut_while_everybody_else_goes_on(town: Town) -> None:
    town.add("taro", "clerk")
    with connected(town, 300) as slow:
        for number, one in enumerate(slow):
            # Nothing at all, half a head, half a body.
            one.sendall((b"", BEGUN, BODY)[number % 3])
        browser = Browser(town)
        assert browser.sign_in("taro").status_code == 303
        for _ in range(20):
            assert browser.get("/settings").status_code == 200
        # Drop by drop is no way to stay.
        drops = slow[2]
        deadline = time.monotonic() + PATIENCE_S
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < deadline:
                drops.sendall(b"x")
                time.sleep(0.2)
        assert time.monotonic() < deadline
        assert all(is_cut(one) for one in slow)
        assert browser.get("/settings").status_code == 200


def test_d10_whoever_does_not_read_the_answer_is_cut(town: Town, admin: Browser) -> None:
    def fill(conn: Connection) -> None:
        for number in range(20_000):
            audit.note(conn, number, "hanako", "sign_in", "x" * 500)

    town.write(fill)
    with connected(town, 1) as (one,):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        cookie = f"machinaka={admin.cookies['machinaka']}"
        one.sendall(f"GET /settings/audit/export HTTP/1.1\r\nHost: hub\r\nCookie: {cookie}\r\n\r\n".encode())
        server = town._server
        deadline = time.monotonic() + PATIENCE_S
        while not server.server_state.tasks:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        while server.server_state.tasks:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert admin.get("/settings").status_code == 200


def test_d10_one_connection_serves_many_requests_and_an_open_page_stays(town: Town, admin: Browser) -> None:
    with admin.stream("/today/events") as page:
        lines = page.iter_lines()
        assert next(lines) == "event: today"
        for _ in range(12):
            assert admin.get("/settings").status_code == 200
        # Longer than a slow client would live, the page hears of the time that passes.
        assert any(line == "event: today" for line in lines)


def test_d10_two_requests_in_one_go_are_both_answered(town: Town) -> None:
    ask = b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n"
    with connected(town, 1) as (one,):
        one.sendall(ask + ask[:10])
        time.sleep(0.2)
        one.sendall(ask[10:] + ask)
        text = b""
        while text.count(b"HTTP/1.1 200") < 3:
            part = one.recv(65536)
            assert part, text
            text += part


@pytest.mark.parametrize(
    "bad", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n nonsense \r\n\r\n"]
)
def test_what_is_no_request_is_refused(town: Town, bad: bytes) -> None:
    with connected(town, 1) as (one,):
        one.sendall(bad)
        assert is_cut(one)
    assert httpx.get(f"{town.url}/healthz").status_code == 200
