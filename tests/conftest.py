"""Fixtures that every domain's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aio import pytest_pyfunc_call
from tests.broker import Broker

__all__ = ["pytest_pyfunc_call"]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running Mosquitto on a port of its own."""
    with Broker(tmp_path) as running:
        yield running
