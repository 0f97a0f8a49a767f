"""From the first administrator's link to the first change, in a real browser and without a mouse."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from hub.db import Db
from tests.chromium import chromium
from tests.hub_process import Hub
from tests.login import second
from tests.pages.browser import Watched, serious, too_wide


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all."""
    with chromium() as made:
        yield made


def looked_at(page: Page, title: str) -> None:
    """Where one is, for everyone and at every width."""
    assert page.inner_text("h1") == title
    assert serious(page) == [], title
    for width in (360, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        assert too_wide(page) == [], (title, width)


def type_into(page: Page, what: str, text: str) -> None:
    """Goes to a field by the tabulator, as somebody without a mouse, and types."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == what:
            page.keyboard.type(text)
            return
    raise AssertionError(what)


CHOSEN = "tulip-gate-91"
TITLES = {
    "ja": ("はじめまして", "2段階認証の設定", "予備コード", "確認コード", "ご本人の確認", "使う人"),
    "en": ("Welcome", "Set up a second factor", "Recovery codes", "Your code", "Is it still you?", "People"),
}


def give_code(page: Page, hub: Hub, secret: str, field: str) -> None:
    """The digits that the phone shows now."""
    db = Db(hub.database)
    db.write_now(second.free)
    db.close()
    page.focus(f"#{field}")
    page.keyboard.type(second.code(secret.replace(" ", "")))
    page.keyboard.press("Enter")


def become_administrator(page: Page, title: str) -> None:
    """A name and a password."""
    looked_at(page, title)
    type_into(page, "name", "hanako")
    type_into(page, "shown", "山田 花子")
    type_into(page, "password", CHOSEN)
    page.keyboard.press("Enter")


def set_up(page: Page, hub: Hub, title: str, then: str) -> str:
    """The authenticator, after one mistake; its secret."""
    page.wait_for_selector(".qr img")
    looked_at(page, title)
    # The picture is drawn, though the page may load nothing from elsewhere.
    assert page.evaluate("document.querySelector('.qr img').naturalWidth") > 100
    secret = page.text_content("#secret")
    assert secret
    type_into(page, "code", "000000")
    page.keyboard.press("Enter")
    page.wait_for_selector(".problem")
    assert page.text_content("#secret") == secret
    assert page.evaluate("document.activeElement.id") == "code"
    give_code(page, hub, secret, "code")
    page.wait_for_selector(".codes")
    looked_at(page, then)
    assert page.locator(".codes li").count() == 10
    page.focus(".button.main")
    page.keyboard.press("Enter")
    page.wait_for_url(hub.url + "/")
    return secret


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_first_administrator_gets_in_without_a_mouse(browser: Browser, tmp_path: Path, language: str) -> None:
    welcome, setting_up, recovery, code, confirm, people = TITLES[language]
    with Hub(tmp_path, 1) as hub:
        context = browser.new_context(bypass_csp=True)
        context.add_cookies([{"name": "language", "value": language, "url": hub.url}])
        watched = Watched(context)
        page = watched.page
        page.goto(hub.command("admin-link"))
        become_administrator(page, welcome)
        secret = set_up(page, hub, setting_up, recovery)

        # The next day.
        context.clear_cookies(name="machinaka")
        page.goto(hub.url + "/settings/people")
        page.keyboard.type("hanako")
        type_into(page, "password", CHOSEN)
        page.keyboard.press("Enter")
        page.wait_for_selector("#code")
        looked_at(page, code)
        give_code(page, hub, secret, "code")
        page.wait_for_url("**/settings/people")

        # After a quarter of an hour: asked once more, and what was typed goes on.
        db = Db(hub.database)
        db.write_now(lambda conn: conn.execute("UPDATE session SET proved_ms = 0"))
        db.close()
        type_into(page, "name", "taro")
        page.keyboard.press("Enter")
        page.wait_for_selector("#proof")
        looked_at(page, confirm)
        give_code(page, hub, secret, "proof")
        page.wait_for_selector(".card.done code.raw")
        looked_at(page, people)
        assert "taro" in page.inner_text("table")
        assert [said for said in watched.said if "400" not in said and "403" not in said] == []
        context.close()
