"""A hub with one of each of the people that registers take: a clerk who enters, an approver, the book-keeper."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.login.parts import Town, running_town
from tests.waiver.register.parts import Office


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub that serves."""
    with running_town(tmp_path) as found:
        yield found


@pytest.fixture
def office(town: Town) -> Office:
    """Its people, signed in."""
    return Office(town)
