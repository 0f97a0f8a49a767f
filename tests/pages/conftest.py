"""One filled hub and one browser for all tests of pages."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser

from hub.db import Db
from tests.broker import Broker
from tests.chromium import chromium
from tests.hub_process import Hub
from tests.login import second
from tests.login.parts import HASHED
from tests.pages.filled import Teller, fill


class Shown(NamedTuple):
    """A hub with a town in it, an administrator `hanako`, and a browser."""

    hub: Hub
    tellers: list[Teller]
    browser: Browser

    def db(self) -> Db:
        """The hub's database, from beside it."""
        return Db(self.hub.database)


# Of the module, not of the session: while playwright runs, no other event loop may run in this thread.
@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Made once: nothing that a test does here stands in another's way."""
    folder: Path = tmp_path_factory.mktemp("town")
    with Broker(folder) as broker, Hub(folder, broker.port) as hub, chromium() as browser:
        tellers = fill(broker.port, time.time_ns() // 1_000_000)
        for name in ("hanako", "taro"):
            second.add_to(hub, name, "administrator", HASHED)
        yield Shown(hub, tellers, browser)
        for teller in tellers:
            teller.drop()
