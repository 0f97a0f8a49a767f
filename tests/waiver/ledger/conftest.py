"""An empty ledger beside the registers of a small town."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.db import Db
from tests.waiver.ledger.parts import enter_registers


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """An empty ledger beside the registers of a small town."""
    opened = Db(tmp_path / "hub.db")
    opened.open()
    opened.write_now(enter_registers)
    yield opened
    opened.close()
