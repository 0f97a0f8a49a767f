"""A hub with two tablets, and who may change the inventory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.db import Connection
from tests.inventory.parts import device, tells
from tests.login.parts import Browser, Town, running_town
from wire.messages import Inventory


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Two tablets, of which one told what it is made of."""

    def fill(conn: Connection) -> None:
        device(conn, 1, "tablet-1")
        device(conn, 2, "tablet-2", online=False)
        tells(conn, 1, Inventory("Latitude", "7X1ABC3", "Debian 12", "0.1.0", 900, 870, 12, 1))

    with running_town(tmp_path) as running:
        running.write(fill)
        yield running


@pytest.fixture
def keeper(town: Town) -> Browser:
    """Support staff: they keep the inventory and see no card."""
    town.add("sachi", "support")
    browser = Browser(town)
    assert browser.sign_in("sachi").status_code == 303
    return browser
