"""Fixtures that every domain's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running Mosquitto on a port of its own."""
    with Broker(tmp_path) as running:
        yield running
