"""Fixtures of the packet filter's tests."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.wifi.netns import entered


@pytest.fixture(scope="module")
def bare() -> Iterator[None]:
    """This thread in a namespace of its own, with nothing in it."""
    name = f"mk{os.getpid()}-bare"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        with entered(name):
            yield
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)
