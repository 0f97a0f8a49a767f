"""A database that is up to date."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.db import Db


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """An empty hub's database."""
    found = Db(tmp_path / "hub.db")
    found.open()
    yield found
    found.close()
