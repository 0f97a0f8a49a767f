"""Pages are not held back by the way in which they are sent."""

import socket

import pytest

from hub import serving
from tests.broker import free_port


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_connection_sends_each_part_of_an_answer_at_once(host: str) -> None:
    port = free_port()
    try:
        listening = serving.listen(host, port)
    except OSError as error:
        if host == "::1":
            pytest.skip(f"this machine has no {host}: {error}")
        raise
    with listening, socket.create_connection((host, port)), listening.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
