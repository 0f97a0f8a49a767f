"""A device's folder, its time, and a hub that it believes."""

from pathlib import Path

import pytest

from tests.clock.hand_time import HandTime
from tests.orders.parts import Desk


@pytest.fixture
def time() -> HandTime:
    """A synchronised clock that is moved by hand."""
    return HandTime(synced=True)


@pytest.fixture
def desk(tmp_path: Path, time: HandTime) -> Desk:
    """A hub's signature; the device of `state` knows it."""
    desk = Desk(tmp_path, time)
    desk.enrol(tmp_path / "state")
    return desk


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The device's folder."""
    folder = tmp_path / "state"
    folder.mkdir(exist_ok=True)
    return folder
