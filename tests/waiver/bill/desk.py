"""Somebody at the town hall who brings bills in, with a browser's manners."""

import html
import re

import httpx

from hub.access import Role
from tests.login.parts import Browser, Town
from tests.waiver.bill.parts import CARRIER, MONTH

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


class Desk:
    """A signed-in person."""

    def __init__(self, town: Town, name: str, role: Role) -> None:
        town.add(name, role)
        self.browser = Browser(town)
        assert self.browser.sign_in(name).status_code == 303
        self._http = httpx.Client(base_url=town.url, timeout=30, cookies=self.browser.cookies)
        town.browsers.append(self._http)
        self._origin = town.url

    def look(self, content: bytes, layout: str = "csv-line", name: str = "bill.csv", **more: str) -> httpx.Response:
        """A file to look at."""
        form = {"csrf": self.browser.csrf(), "month": MONTH, "carrier": CARRIER, "layout": layout, "total": "", **more}
        return self._http.post(
            "/waiver/bills/import", data=form, files={"file": (name, content)}, headers={"origin": self._origin}
        )

    def do(self, looked: httpx.Response) -> httpx.Response:
        """Says yes to what was looked at."""
        return self.browser.post("/waiver/bills/import/do", hidden(looked.text))

    def bring_in(self, content: bytes, layout: str = "csv-line", **more: str) -> int:
        """A bill, brought in; its number."""
        done = self.do(self.look(content, layout, **more))
        assert done.status_code == 303, done.text
        found = re.fullmatch(r"/waiver/bills/(\d+)\?did=import", done.headers["location"])
        assert found
        return int(found[1])

    def decide(self, bill: int, which: str, decided: str, note: str = "電話で確認") -> httpx.Response:
        """Decides on a difference."""
        return self.browser.send(f"/waiver/bills/{bill}/decide", {"which": which, "decided": decided, "note": note})


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the page's form."""
    return {name: html.unescape(value) for name, value in _HIDDEN.findall(page)}
