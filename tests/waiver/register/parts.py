"""What the tests of registers share: people of a town hall, and what they enter."""

import io
import re

import httpx
from pypdf import PdfReader

from hub.access import Role
from tests.login.parts import Browser, Town
from tests.staff.parts import upload

__all__ = ["Office", "upload"]


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

    def sample(self) -> None:
        """Loads the model town's tariffs and rules."""
        assert self.finance.send("/waiver/rules/sample").status_code == 303

    def resident(self, number: str = "1001", **more: str) -> int:
        """Enters a resident; their id."""
        return _id(self.clerk.send("/waiver/residents/new", {"resident_number": number, **more}))

    def line(self, phone: str = "090-1111-2222", **more: str) -> int:
        """Enters a line; its id."""
        form = {"line_phone": phone, "line_carrier": "A社", "line_from": "2026-04-01", **more}
        return _id(self.clerk.send("/waiver/lines/new", form))

    def granted_line(self) -> int:
        """A resident 1001 who has a line with a tariff since April 2026; the line's id."""
        self.sample()
        self.resident()
        number = self.line(line_tariff="data-3gb")
        form = {"do": "hand_over", "use_resident": "1001", "use_from": "2026-04-01"}
        assert self.clerk.send(f"/waiver/lines/{number}", form).status_code == 303
        return number

    def apply(self, rule: str, by: Browser | None = None, resident: str = "1001", number: str = "A1") -> int:
        """Enters an application of 10 May 2026; its id."""
        form = {
            "asks": "grant",
            "of": "0",
            "application_resident": resident,
            "application_number": number,
            "application_rule": rule,
            "application_applied": "2026-05-10",
        }
        return _id((by or self.clerk).send("/waiver/applications/new", form))

    def decided(self, grant: int, number: str, **more: str) -> int:
        """Grants what waits about it; the same id."""
        form = {"decision_result": "granted", "decision_number": number, "decision_clause": "要綱第6条第3号"}
        day = "2026-05-20" if number.endswith(("1", "1号")) else "2026-08-20"
        answer = self.approver.send(f"/waiver/applications/{grant}/decide", form | {"decision_day": day} | more)
        assert answer.status_code == 303, answer.text
        return grant

    def confirm(self, kind: str, look: httpx.Response) -> httpx.Response:
        """Says yes to a file that was looked at."""
        token, digest = (re.search(rf'name="{name}" value="([^"]+)"', look.text) for name in ("token", "digest"))
        assert token, look.text
        assert digest
        return self.clerk.send(f"/waiver/import/{kind}/do", {"token": token[1], "digest": digest[1]})

    @staticmethod
    def text_of(answer: httpx.Response) -> str:
        """All text of a PDF without any space."""
        assert answer.status_code == 200
        pages = PdfReader(io.BytesIO(answer.content)).pages
        return re.sub(r"\s", "", "".join(page.extract_text() for page in pages))


def _id(answer: httpx.Response) -> int:
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].partition("?")[0].rpartition("/")[2])
