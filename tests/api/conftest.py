"""A hub that serves, with devices that have told something, and tokens for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.parts import Api
from tests.login.parts import Town, running_town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub without anybody."""
    with running_town(tmp_path) as running:
        yield running


@pytest.fixture
def api(town: Town) -> Iterator[Api]:
    """An administrator's token that may do everything."""
    with Api(town) as made:
        yield made
