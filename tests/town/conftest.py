"""Ports that nobody else on this machine uses at the moment."""

import socket

import pytest

from provisioning.ports import Ports
from tests.broker import free_port


@pytest.fixture
def free_ports() -> Ports:
    """Four ports of the loopback interface that nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as field:
        field.bind(("127.0.0.1", 0))
        return Ports(free_port(), free_port(), free_port(), field.getsockname()[1])
