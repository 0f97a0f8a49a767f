"""A hub with an office in it, one a module: nothing that a test does here stands in another's way."""

import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from hub import people
from hub.access import Role
from tests.attendance.close.hall import Hall
from tests.attendance.pages.filled import fill
from tests.login.parts import Browser, Town, running_town

NAMES: dict[str, Role] = {
    "clerk": "clerk",
    "boss": "approver",
    "keeper": "it",
    "teller": "finance",
    "sekretaer": "support",
    "own": "staff",
    "nobody": "staff",
}


class Office(NamedTuple):
    """A town hall: its hub, its database by hand, staff ids by number."""

    town: Town
    hall: Hall
    ids: dict[str, int]

    def browser(self, name: str) -> Browser:
        """Somebody who has signed in."""
        browser = Browser(self.town)
        browser.sign_in(name)
        return browser


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Made once a module."""
    with running_town(tmp_path_factory.mktemp("office")) as town:
        for name, role in NAMES.items():
            town.add(name, role)
        hall = Hall(town.db)
        person = town.read(lambda conn: next(one.id for one in people.everyone(conn) if one.name == "own"))
        ids = fill(hall, time.time_ns() // 1_000_000, person)
        yield Office(town, hall, ids)


@pytest.fixture(scope="module")
def clerk(office: Office) -> Browser:
    """The clerk, signed in."""
    return office.browser("clerk")
