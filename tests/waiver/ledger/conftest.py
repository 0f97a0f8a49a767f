"""A ledger with residents and lines, and a hub that shows it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.db import Db
from tests.login.parts import Browser, Town, running_town
from tests.waiver.ledger.parts import enter_registers


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """An empty ledger beside the registers of a small town."""
    opened = Db(tmp_path / "hub.db")
    opened.open()
    opened.write_now(enter_registers)
    yield opened
    opened.close()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub that serves, with the same registers."""
    with running_town(tmp_path) as running:
        running.write(enter_registers)
        yield running


@pytest.fixture
def finance(town: Town) -> Browser:
    """Somebody who keeps the books, signed in."""
    return signed_in(town, "hanako", "finance")


@pytest.fixture
def auditor(town: Town) -> Browser:
    """Somebody who may only look."""
    return signed_in(town, "kenji", "auditor")


def signed_in(town: Town, name: str, role: str) -> Browser:
    """A browser of somebody new."""
    town.add(name, role)  # type: ignore[arg-type]
    browser = Browser(town)
    browser.sign_in(name)
    return browser
