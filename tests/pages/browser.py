"""A real Chromium, and what every page of it must be."""

from typing import Literal

from playwright.sync_api import BrowserContext, ConsoleMessage, Page

from tests.chromium import AXE
from tests.login import second

Scheme = Literal["light", "dark"]


def sign_in(page: Page, url: str, name: str, password: str) -> None:
    """As a person does it."""
    page.goto(url + "/sign-in")
    page.fill("#name", name)
    page.fill("#password", password)
    page.click("main button.main")
    owe_nothing(page, url, name)
    page.wait_for_url(url + "/")


def owe_nothing(page: Page, url: str, name: str) -> None:
    """Gives the code where one is asked for, and sets up the authenticator of whoever has none."""
    if "/sign-in/set-up" in page.url:
        page.click("main summary")
        second.learn(url, name, page.inner_text("#secret").replace(" ", ""))
        page.fill("#code", second.next_code(url, name))
        page.click("main button.main")
        page.click("main a.main")
    elif "/sign-in/code" in page.url:
        page.fill("#code", second.next_code(url, name))
        page.click("main button.main")


class Watched:
    """A page whose console is listened to."""

    def __init__(self, context: BrowserContext) -> None:
        self.said: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(message.text)


def serious(page: Page) -> list[str]:
    """What axe-core finds that keeps somebody out."""
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def too_wide(page: Page) -> list[str]:
    """What makes the page scroll sideways."""
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
        [...document.querySelectorAll('body *')].filter(e =>
          e.getBoundingClientRect().right > document.documentElement.clientWidth + 1
          && !e.closest('.scroll')).map(e => e.outerHTML.slice(0, 120))"""
    )
    return found
