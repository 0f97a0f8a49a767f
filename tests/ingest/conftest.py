"""Fixtures for a hub that takes in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Broker
from tests.ingest.parts import Device, Hub, running_hub


@pytest.fixture
def hub(broker: Broker, tmp_path: Path) -> Iterator[Hub]:
    """A hub on its own thread, subscribed."""
    with running_hub(tmp_path / "hub.db", broker.port) as running:
        yield running


@pytest.fixture
def device(hub: Hub, broker: Broker) -> Iterator[Device]:
    """One device, connected after the hub."""
    connected = Device(broker.port)
    yield connected
    connected.drop()
