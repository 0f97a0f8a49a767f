"""A hub with pages, and people who keep its terms and vouchers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.login.parts import Browser, Town, running_town


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Town]:
    """A hub without devices."""
    with running_town(tmp_path) as running:
        yield running


def _signed_in(hub: Town, name: str, role: str) -> Browser:
    hub.add(name, role)  # type: ignore[arg-type]
    browser = Browser(hub)
    assert browser.sign_in(name).status_code == 303
    return browser


@pytest.fixture
def officer(hub: Town) -> Browser:
    """The IT officer, who may change the terms."""
    return _signed_in(hub, "taro", "it")


@pytest.fixture
def clerk(hub: Town) -> Browser:
    """Somebody at the counter, who makes vouchers and may look at the terms."""
    return _signed_in(hub, "sachi", "clerk")
