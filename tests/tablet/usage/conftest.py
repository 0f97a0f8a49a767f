"""A hub's database, with its real tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.db import Db


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """An empty one."""
    opened = Db(tmp_path / "hub.db")
    opened.open()
    yield opened
    opened.close()
