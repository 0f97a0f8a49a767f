"""The portal in a real browser of a phone's size: without JavaScript, in every language, for all eyes and hands."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from playwright.sync_api import Browser, Page

from edge_agent.kiosk.terms_text import plain
from edge_agent.wifi.guests import Normal
from edge_agent.wifi.portal_words import WORDS
from tests.wifi.portal.browser import Beside, beside, findings, phone, phone_browser
from tests.wifi.portal.parts import GUEST, opened
from wire.messages import TermsLanguage

LANGUAGES: tuple[TermsLanguage, ...] = get_args(TermsLanguage)
# What sticks out sideways, and what is too small for a finger (88 px for the one button, 44 for all else).
MISFITS = """() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) found.push(`scrolls sideways to ${root.scrollWidth}`);
  for (const one of document.querySelectorAll("button, nav a, a.way, input:not([type=hidden])")) {
    const box = one.getBoundingClientRect();
    const least = one.matches("button:not(.second)") ? 88 : 44;
    if (box.height < least) found.push(`${one.textContent || one.name} is ${box.height} px high`);
    if (box.right > root.clientWidth + 1 || box.left < 0) found.push(`${one.textContent} sticks out`);
    if (one.scrollWidth > one.clientWidth + 1) found.push(`${one.textContent} is cut off`);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    with phone_browser() as one:
        yield one


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Beside]:
    """One access point."""
    with beside(tmp_path) as one:
        yield one


def _press(page: Page, label: str) -> None:
    page.get_by_role("button", name=label).click()


@pytest.mark.parametrize(("locale", "language"), [("ja-JP", "ja"), ("en-US", "en")])
def test_a_guest_comes_on_without_javascript(
    browser: Browser, portal: Beside, locale: str, language: TermsLanguage
) -> None:
    words = WORDS[language]
    page = phone(browser, language=locale)
    page.goto(portal.hall.url)
    assert page.inner_text("h1") == words.title_at.format(place="町立図書館")
    button = page.get_by_role("button", name=words.agree).bounding_box()
    # The one button is there without scrolling.
    assert button is not None
    assert button["y"] + button["height"] <= 640
    page.get_by_role("link", name=words.read_terms).click()
    assert page.inner_text("h1") == words.terms
    page.get_by_role("link", name=words.back).click()
    _press(page, words.agree)
    assert words.on in page.inner_text("h1")
    assert page.url == f"{portal.hall.url}{language}/"
    _press(page, words.extend.format(time=words.minutes.format(minutes=60)))
    assert words.extended in page.inner_text("main")
    page.reload()
    assert page.context.cookies() == []
    _press(page, words.leave)
    assert words.left in page.inner_text("main")
    page.context.close()


def test_the_language_is_changed_by_one_touch_and_stays(browser: Browser, portal: Beside) -> None:
    page = phone(browser, language="de-DE")
    page.goto(portal.hall.url)
    assert page.get_attribute("html", "lang") == "en"
    page.get_by_role("link", name="한국어").click()
    assert page.get_attribute("html", "lang") == "ko"
    assert page.get_attribute("nav a[aria-current]", "hreflang") == "ko"
    _press(page, WORDS["ko"].agree)
    assert WORDS["ko"].on in page.inner_text("h1")
    page.context.close()


def test_an_address_is_confirmed_on_a_phone(browser: Browser, portal: Beside) -> None:
    portal.order(confirmation="email")
    words = WORDS["zh-Hans"]
    page = phone(browser, language="zh-CN")
    page.goto(portal.hall.url)
    page.fill("#mail", "hanako@example.jp")
    _press(page, words.agree)
    consent = portal.do(portal.hall.ap.consents)[-1]
    page.fill("#code", "0")
    _press(page, words.code_button)
    assert words.code_left.format(count=4) in page.inner_text("main")
    page.fill("#code", opened(consent.contact, consent.session)["code"])
    _press(page, words.code_button)
    assert words.confirmed in page.inner_text("main")
    page.context.close()


def _every_page(portal: Beside, page: Page, language: TermsLanguage) -> Iterator[str]:
    """Leads the browser through every page of a language."""
    url = f"{portal.hall.url}{language}/"
    portal.order(vouchers=True, confirmation="email")
    for name in ("", "terms", "voucher?said=voucher_unknown"):
        page.goto(url + name)
        yield name or "welcome"
    page.goto(url)
    page.fill("#mail", "hanako@example.jp")
    page.locator("main button").click()
    yield "code"
    page.goto(f"{url}mail?said=mail_bad")
    yield "mail"
    portal.order(confirmation="none")
    portal.do(lambda: portal.hall.ap.guests.confirm(GUEST))
    page.goto(f"{url}?said=extended")
    yield "online"
    portal.do(lambda: portal.hall.ap.guests.leave(GUEST))
    portal.hall.ap.mode = Normal("closed")
    portal.do(lambda: portal.hall.ap.pass_time(1000))
    page.goto(url)
    yield "closed"
    portal.hall.ap.mode = Normal("disaster", "00000JAPAN")
    page.goto(url)
    yield "disaster"
    portal.hall.who.clear()
    page.goto(url)
    yield "stranger"


@pytest.mark.parametrize(("language", "dark"), [*((one, False) for one in LANGUAGES), ("ja", True)])
def test_every_page_is_clean_and_fits_also_with_letters_of_twice_the_size(
    browser: Browser, portal: Beside, language: TermsLanguage, *, dark: bool
) -> None:
    page = phone(browser, script=True, dark=dark)
    wrong = []
    for name in _every_page(portal, page, language):
        wrong += [f"{name}: {one}" for one in findings(page)]
        wrong += [f"{name}: {one}" for one in page.evaluate(MISFITS)]
        page.add_style_tag(content="html { font-size: 200% }")
        wrong += [f"{name} at 200 %: {one}" for one in page.evaluate(MISFITS)]
        assert page.title() == plain(page.title()) != ""
    assert wrong == []
    page.context.close()


def test_before_a_kit_the_page_is_clean(browser: Browser, tmp_path: Path) -> None:
    with beside(tmp_path, with_kit=False) as portal:
        page = phone(browser, script=True)
        page.goto(f"http://127.0.0.1:{portal.hall.http}/")
        assert page.inner_text("h1") == WORDS["ja"].not_ready
        assert findings(page) == []
        assert page.evaluate(MISFITS) == []
        page.context.close()
