"""The books in a real Chromium: who keeps them, and who looks; narrow and wide, in both languages."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from hub.waiver import ledger_check, ledger_store
from tests.chromium import chromium
from tests.login.parts import PASSWORD, Town, running_town
from tests.pages.browser import Watched, serious, too_wide
from tests.waiver.ledger.pages.filled import fill

PAGES = {
    "ledger": "/waiver/ledger",
    "entry": "/waiver/ledger/20",
    "receipts": "/waiver/receipts",
    "receipt": "/waiver/receipts/2",
    "statement": "/waiver/residents/4/statement",
    "reminders": "/waiver/reminders?through=2026-10",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A hub with filled books, and somebody of finance."""
    with running_town(tmp_path_factory.mktemp("books")) as town:
        town.add("hanako", "finance")
        town.write(fill)
        yield town


def signed_in(browser: Browser, town: Town, width: int, *, axe: bool = False) -> Watched:
    """A page of somebody who keeps the books; `axe` lets the checker in, which the page's own rules would keep out."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, timezone_id="Asia/Tokyo", bypass_csp=axe, accept_downloads=True
    )
    watched = Watched(context)
    page = watched.page
    page.goto(town.url + "/sign-in")
    page.fill("#name", "hanako")
    page.fill("#password", PASSWORD)
    page.click("main button.main")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    return watched


def shoot(page: Page, name: str) -> None:
    """A picture, where somebody asked for pictures."""
    folder = os.environ.get("MACHINAKA_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_pages_fit_and_keep_nobody_out(browser: Browser, books: Town, width: int, language: str) -> None:
    watched = signed_in(browser, books, width, axe=True)
    page = watched.page
    page.goto(f"{books.url}/language/{language}?next=/waiver/ledger")
    for name, path in PAGES.items():
        page.goto(books.url + path)
        assert too_wide(page) == [], name
        assert serious(page) == [], name
        shoot(page, f"{name}-{width}-{language}")
    assert watched.said == []
    page.context.close()


def test_a_payment_is_entered_and_taken_back(browser: Browser, tmp_path: Path) -> None:
    with running_town(tmp_path) as town:
        town.add("hanako", "finance")
        town.write(fill)
        watched = signed_in(browser, town, 360)
        page = watched.page
        page.goto(town.url + "/waiver/receipts")
        # With the keyboard alone, in reading order.
        page.focus("#receipt_resident")
        page.keyboard.type("R0006")
        page.keyboard.press("Tab")
        page.keyboard.type("1,631")
        page.keyboard.press("Enter")
        page.wait_for_url("**/waiver/receipts?did=entered*")
        assert "住民 R0006 の 1,631円 を入力しました。" in page.inner_text("[role=status]")
        page.click("[role=status] a.button")
        assert "2026-08" in page.inner_text("main")
        page.fill("#note", "入力の誤り")
        page.click("section.narrow button.main")
        page.wait_for_url("**/waiver/receipts?did=undone*")
        page.goto(town.url + "/waiver/residents/6/statement")
        assert "4,893円" in page.inner_text("dl.counts")
        assert town.read(ledger_check.verify) is None
        entries = town.read(lambda conn: ledger_store.entries(conn, ledger_store.Which(resident_id=6)))
        assert [one.entry.kind for one in entries[:2]] == ["reversal", "receipt"]
        assert watched.said == []
        page.context.close()
