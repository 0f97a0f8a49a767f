"""What the tests of registers share: people of a town hall, and a sample of what they enter."""

import httpx

from hub.access import Role
from tests.login.parts import Browser, Town

TODAY = "2026-11-01"


class Office:
    """A clerk, an approver, a book-keeper and an auditor, each with a browser."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.clerk = self._person("clerk", "clerk")
        self.approver = self._person("approver", "approver")
        self.finance = self._person("finance", "finance")
        self.auditor = self._person("auditor", "auditor")

    def _person(self, name: str, role: Role) -> Browser:
        self.town.add(name, role)
        browser = Browser(self.town)
        assert browser.sign_in(name).status_code == 303
        return browser

    def resident(self, number: str = "1001", **more: str) -> int:
        """Enters a resident; their id."""
        return _id(self.clerk.send("/waiver/residents/new", {"resident_number": number, **more}))

    def line(self, phone: str = "090-1111-2222", **more: str) -> int:
        """Enters a line; its id."""
        form = {"line_phone": phone, "line_carrier": "A社", "line_from": "2026-04-01", **more}
        return _id(self.clerk.send("/waiver/lines/new", form))


def _id(answer: httpx.Response) -> int:
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].partition("?")[0].rpartition("/")[2])
