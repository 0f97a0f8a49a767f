"""A hub with pages, and the people of benefits: who enters and who decides."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.login.parts import Browser, Town, running_town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub without anybody."""
    with running_town(tmp_path) as running:
        yield running


@pytest.fixture
def clerk(town: Town) -> Browser:
    """Somebody who enters."""
    town.add("kazue", "clerk")
    browser = Browser(town)
    assert browser.sign_in("kazue").status_code == 303
    return browser


@pytest.fixture
def approver(town: Town) -> Browser:
    """Somebody who decides."""
    town.add("jiro", "approver")
    browser = Browser(town)
    assert browser.sign_in("jiro").status_code == 303
    return browser
