"""A hub with its pages for each test, as in `tests/login`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.login.parts import Browser, Town, running_town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub that serves."""
    with running_town(tmp_path) as running:
        yield running


@pytest.fixture
def admin(town: Town) -> Browser:
    """Its administrator, signed in."""
    town.add("hanako")
    browser = Browser(town)
    assert browser.sign_in("hanako").status_code == 303
    return browser
