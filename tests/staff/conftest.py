"""A hub with a few people, and a clerk who keeps them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.login.parts import Browser, Town, running_town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub without staff."""
    with running_town(tmp_path) as running:
        yield running


@pytest.fixture
def clerk(town: Town) -> Browser:
    """Somebody of general affairs, who sees pay."""
    town.add("sachi", "clerk")
    browser = Browser(town)
    assert browser.sign_in("sachi").status_code == 303
    return browser


@pytest.fixture
def officer(town: Town) -> Browser:
    """The IT officer, who does not."""
    town.add("taro", "it")
    browser = Browser(town)
    assert browser.sign_in("taro").status_code == 303
    return browser
