"""The pages of the disaster switch in a real browser: for everyone, at every width, in both languages, by keyboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from hub import pages
from tests.chromium import chromium
from tests.login.parts import PASSWORD, Town, running_town
from tests.pages.browser import Watched, serious, sign_in, too_wide
from tests.wifi.disaster import scene
from wire.messages import DisasterReport

PATHS = (
    "/wifi/disaster",
    "/wifi/disaster/new",
    "/wifi/disaster/new?drill=1",
    *(f"/wifi/disaster/{number}" for number in (scene.DRILL, scene.GOES_ON, scene.WAITS, scene.PRESSED)),
    f"/wifi/disaster/{scene.DRILL}/evidence",
    f"/wifi/disaster/{scene.GOES_ON}/evidence",
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town in the middle of a disaster."""
    folder: Path = tmp_path_factory.mktemp("disaster")
    with running_town(folder) as running:
        running.write(lambda conn: scene.fill(conn, running.app.state.signing))
        for name, role in (("hanako", "it"), ("saburo", "approver"), ("jiro", "clerk")):
            running.add(name, role)  # type: ignore[arg-type]
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all."""
    with chromium() as running:
        yield running


def _language(page: Page, town: Town, language: str) -> None:
    page.goto(f"{town.url}/language/{language}?next=/wifi/disaster")


@pytest.mark.parametrize(("scheme", "language"), [("light", "ja"), ("dark", "en")])
def test_every_page_is_for_everyone(town: Town, browser: Browser, scheme: str, language: str) -> None:
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)  # type: ignore[arg-type]
    watched = Watched(context)
    sign_in(watched.page, town.url, "hanako", PASSWORD)
    _language(watched.page, town, language)
    for path in PATHS:
        watched.page.goto(town.url + path)
        assert serious(watched.page) == [], path
        for width in (360, 1440):
            watched.page.set_viewport_size({"width": width, "height": 800})
            assert too_wide(watched.page) == [], (path, width)
            watched.page.evaluate("document.documentElement.style.fontSize = '200%'")
            assert too_wide(watched.page) == [], (path, width, "200 %")
            watched.page.evaluate("document.documentElement.style.fontSize = ''")
    assert watched.said == []
    context.close()


def test_two_people_begin_it_and_an_open_page_follows(town: Town, browser: Browser) -> None:
    asks, confirms = browser.new_context(), browser.new_context()
    hanako, saburo = asks.new_page(), confirms.new_page()
    for page, name in ((hanako, "hanako"), (saburo, "saburo")):
        page.set_default_timeout(60_000)
        sign_in(page, town.url, name, PASSWORD)
    hanako.goto(town.url + "/wifi/disaster")
    hanako.click("#ask")
    hanako.fill("#reason", "大雨特別警報")
    hanako.check("input[name=where][value=some]")
    hanako.check("input[value='図書館']")
    hanako.click("main form button.main")
    hanako.wait_for_selector("#cannot-confirm:has-text('申請した本人は承認できません')")
    assert hanako.locator("#do-confirm").count() == 0
    hanako.evaluate("window.stayed = 1")
    saburo.goto(hanako.url)
    saburo.click("#do-confirm")
    saburo.wait_for_selector("text=1台のアクセスポイントがすぐに00000JAPANを出します")
    saburo.click("#sure")
    saburo.wait_for_selector("#run-status:has-text('承認ずみ')")
    hanako.wait_for_selector("#run-status:has-text('承認ずみ')")
    number = int(hanako.url.rpartition("/")[2])
    ((run,),) = town.read(lambda conn: conn.execute("SELECT run FROM disaster WHERE id = ?", (number,)).fetchall())
    report = DisasterReport(run, "begun", "order", pages.now_ms() + scene.DAY_MS)
    town.write(lambda conn: scene.tell(conn, 3, report, pages.now_ms()))
    hanako.wait_for_selector("#run-status:has-text('実施中')")
    assert hanako.evaluate("window.stayed") == 1
    hanako.click("#do-end")
    hanako.click("#sure")
    saburo.wait_for_selector("#run-status:has-text('終了')")
    asks.close()
    confirms.close()


def test_evidence_prints_whole_and_without_what_is_for_the_screen(town: Town, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(60_000)
    sign_in(page, town.url, "jiro", PASSWORD)
    page.goto(f"{town.url}/wifi/disaster/{scene.GOES_ON}/evidence")
    page.emulate_media(media="print")
    for text in ("hanako", "saburo", "震度5強", "00000JAPAN: 送信中", "toshokan-ap", "報告がありません"):
        assert page.locator(f"main :text('{text}')").first.is_visible(), text
    assert not page.locator(".rail").is_visible()
    assert len(page.pdf()) > 1000
    context.close()
