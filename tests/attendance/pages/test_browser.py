"""The pages of a filled office in a real Chromium: by keyboard alone, live over the wire, for everyone."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page

from hub.db import Db
from tests.attendance.close.hall import Hall, token
from tests.attendance.pages.filled import MONTH, fill
from tests.broker import Broker
from tests.chromium import chromium
from tests.hub_process import Hub
from tests.login import second
from tests.login.parts import HASHED, PASSWORD
from tests.pages.browser import Watched, serious, sign_in, too_wide
from tests.pages.filled import Teller

PERSON = f"/attendance/people/0056/{MONTH}"
PATHS = (
    "/attendance",
    f"/attendance/people/0012/{MONTH}",
    f"/attendance/people/0034/{MONTH}",
    f"{PERSON}/2026-10-09",
    f"/attendance/people/0012/{MONTH}/2026-10-13",
    f"/attendance/months/{MONTH}",
    "/attendance/people/0056/limits/2026",
    "/attendance/people/0012/2020-01",
    "/taps",
)


class Office(NamedTuple):
    """A hub with an office in it, a broker, a browser."""

    hub: Hub
    port: int
    browser: Browser

    def page(self, **context: object) -> Watched:
        """A clerk's page."""
        made = self.browser.new_context(bypass_csp=True, **context)  # type: ignore[arg-type]
        watched = Watched(made)
        sign_in(watched.page, self.hub.url, "clerk", PASSWORD)
        return watched


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Made once."""
    folder: Path = tmp_path_factory.mktemp("office")
    with Broker(folder) as broker, Hub(folder, broker.port) as hub, chromium() as browser:
        second.add_to(hub, "clerk", "clerk", HASHED)
        db = Db(hub.database)
        fill(Hall(db), time.time_ns() // 1_000_000)
        db.close()
        yield Office(hub, broker.port, browser)


def test_every_page_is_for_everyone(office: Office) -> None:
    for scheme, width in (("light", 360), ("dark", 1440)):
        watched = office.page(color_scheme=scheme, viewport={"width": width, "height": 800})
        for path in PATHS:
            watched.page.goto(office.hub.url + path)
            assert serious(watched.page) == [], (path, scheme)
        watched.page.context.close()


def test_no_page_scrolls_sideways_in_either_language(office: Office) -> None:
    watched = office.page()
    page = watched.page
    for language in ("ja", "en"):
        page.goto(f"{office.hub.url}/language/{language}?next=/settings")
        for path in PATHS:
            page.goto(office.hub.url + path)
            for width in (360, 1440):
                page.set_viewport_size({"width": width, "height": 800})
                assert too_wide(page) == [], (path, width, language)
            # Text twice as large, on a telephone.
            page.set_viewport_size({"width": 360, "height": 800})
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            assert too_wide(page) == [], (path, language, "200 %")
    assert watched.said == []
    page.context.close()


def _here(page: Page) -> str:
    """Where the focus is."""
    found: str = page.evaluate("document.activeElement.id")
    return found


def _tab_to(page: Page, wanted: str) -> list[str]:
    """Presses Tab until something has the focus; what had it on the way."""
    passed: list[str] = []
    for _ in range(200):
        page.keyboard.press("Tab")
        passed.append(_here(page))
        if passed[-1] == wanted:
            return passed
    raise AssertionError(f"{wanted} was not reached: {passed}")


def test_from_the_month_to_a_day_and_back_by_keyboard_alone(office: Office) -> None:
    page = office.page().page
    page.goto(office.hub.url + PERSON)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    passed = _tab_to(page, "day-2026-10-09")
    # In the order in which one reads: the months before the days, the days one after the other.
    days = [one for one in passed if one.startswith("day-")]
    assert days == sorted(days)
    assert passed.index("month-before") < passed.index("month-after") < passed.index(days[0])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{PERSON}/2026-10-09")
    assert page.inner_text("h1").startswith("2026年10月9日")
    _tab_to(page, "day-after")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{PERSON}/2026-10-10")
    page.go_back()
    # The day's own bar can be scrolled from the keyboard.
    page.focus(".bar-scroll")
    assert page.evaluate("document.activeElement.classList.contains('bar-scroll')")
    # Keys of their own for whoever does not want to press Tab so often.
    keys = {one: page.get_attribute(f"#{one}", "accesskey") for one in ("to-month", "day-before", "day-after")}
    assert keys == {"to-month": "m", "day-before": "p", "day-after": "n"}
    page.focus("#content")
    page.evaluate("document.activeElement.blur()")
    _tab_to(page, "to-month")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{PERSON}#d9")
    assert page.locator("#d9").count() == 1
    _tab_to(page, "month-before")
    page.keyboard.press("Enter")
    page.wait_for_url("**/2026-09")
    page.context.close()


def test_who_is_in_changes_while_one_looks(office: Office) -> None:
    page = office.page().page
    page.goto(office.hub.url + "/attendance")
    page.evaluate("window.stayed = 1")
    assert page.inner_text("#in-count").startswith("1")
    now_ms = time.time_ns() // 1_000_000
    annex = Teller(office.port, "annex-9", "terminal", now_ms)
    annex.tap(now_ms - 1000, token(3), "clock_out")
    annex.tap(now_ms - 500, token(4), "clock_in")
    # Ichiro's card, as the terminal has it, says "out" by the person's choice; a card of nobody is in.
    page.wait_for_selector("#who-loose")
    assert page.evaluate("window.stayed") == 1
    assert page.locator("#gone-0056").count() == 1
    annex.drop()
    page.context.close()
