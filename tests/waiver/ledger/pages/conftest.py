"""A hub that shows a ledger, and people who look at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.login.parts import Browser, Town, running_town
from tests.waiver.ledger.parts import enter_registers


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
