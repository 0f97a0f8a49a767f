"""In a real browser: somebody enters an application, another person decides, and the notice is printed."""

import io
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from pypdf import PdfReader

from hub.pages import now_ms
from tests.chromium import chromium
from tests.login.parts import Browser as Person
from tests.login.parts import Town, running_town
from tests.pages.browser import serious, too_wide
from tests.waiver.register.filled import fill_registers

PATHS = (
    "residents",
    "residents/1",
    "residents/new",
    "lines",
    "lines/1",
    "lines/10",
    "lines/new",
    "applications?state=all",
    "applications",
    "applications/1",
    "applications/7",
    "applications/new?resident=1008",
    "applications/new?of=1&asks=revoke",
    "applications/renewals",
    "applications/checks",
    "rules",
    "rules/tariff?code=data-3gb",
    "rules/rule?code=flat1000",
    "rules/letter",
    "import",
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Browser]]:
    """A hub with filled registers, and a browser."""
    with running_town(tmp_path_factory.mktemp("town")) as town, chromium() as browser:
        town.write(lambda conn: fill_registers(conn, now_ms()))
        for name, role in (("hanako", "administrator"), ("sato", "clerk"), ("boss", "approver")):
            town.add(name, role)  # type: ignore[arg-type]
        yield town, browser


def _page(filled: tuple[Town, Browser], name: str, language: str = "ja") -> Page:
    """A page of somebody who is signed in."""
    town, browser = filled
    person = Person(town)
    person.sign_in(name)
    context: BrowserContext = browser.new_context(bypass_csp=True, accept_downloads=True)
    context.set_default_timeout(60_000)
    kept = {cookie.name: cookie.value or "" for cookie in person.cookies.jar} | {"language": language}
    context.add_cookies([{"name": key, "value": value, "url": town.url} for key, value in kept.items()])
    return context.new_page()


def test_apply_approve_by_another_person_and_print(filled: tuple[Town, Browser]) -> None:
    town, _ = filled
    clerk = _page(filled, "sato")
    clerk.goto(town.url + "/waiver/residents")
    clerk.click("text=1008")
    clerk.click("main a.main")
    clerk.fill("#application_number", "2026-browser")
    clerk.select_option("#application_rule", "age75")
    clerk.fill("#application_applied", "2026/11/2")
    clerk.fill("#application_reason", "住民票を確認")
    clerk.click("main form button.main")
    assert "別の人の決定を待ちます" in clerk.inner_text("main")
    assert clerk.locator("[name=decision_result]").count() == 0
    boss = _page(filled, "boss")
    boss.goto(town.url + "/waiver/applications")
    boss.click("text=2026-browser")
    boss.check("[name=decision_result][value=granted]")
    boss.fill("#decision_number", "北総第88号")
    boss.fill("#decision_day", "令和8年11月4日")
    boss.fill("#decision_until", "2027-03-31")
    boss.click("main form button.main")
    assert "承認しました" in boss.inner_text("main")
    clerk.reload()
    assert "北総第88号" in clerk.inner_text("main")
    content = clerk.evaluate(
        "async () => Array.from(new Uint8Array(await (await fetch("
        "document.querySelector('a[href$=\"notice.pdf\"]').href)).arrayBuffer()))"
    )
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(bytes(content))).pages)
    assert "北総第88号" in text
    assert "令和8年11月1日から令和9年3月31日まで" in text
    clerk.context.close()
    boss.context.close()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_is_for_everyone_at_every_width(filled: tuple[Town, Browser], language: str) -> None:
    town, _ = filled
    page = _page(filled, "hanako", language)
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    for path in PATHS:
        page.goto(f"{town.url}/waiver/{path}")
        assert page.locator("h1").count() == 1, path
        assert serious(page) == [], path
        for width in (360, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            assert too_wide(page) == [], (path, width)
    page.set_viewport_size({"width": 360, "height": 800})
    for path in ("applications/7", "rules"):
        page.goto(f"{town.url}/waiver/{path}")
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert too_wide(page) == [], (path, "200 %")
    assert said == []
    page.context.close()
