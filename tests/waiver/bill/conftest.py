"""A hub with a register of three lines, somebody who keeps the books and somebody who only looks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.db import Db
from tests.login.parts import Town, running_town
from tests.waiver.bill.desk import Desk
from tests.waiver.bill.parts import enter


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """A database with three lines."""
    opened = Db(tmp_path / "hub.db")
    opened.open()
    opened.write_now(enter)
    yield opened
    opened.close()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub that serves, with three lines."""
    with running_town(tmp_path) as running:
        running.write(enter)
        yield running


@pytest.fixture
def desk(town: Town) -> Desk:
    """Somebody who keeps the books, signed in."""
    return Desk(town, "hanako", "finance")
