"""A resident before the tablet's page, with the hub away: everything is found, read, answered and asked for."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.agent.agent_process import until
from tests.pages.browser import Watched, serious, too_wide
from tests.tablet.home.parts import NEWSLETTER, NOTICE, SURVEY, TabletProcess

PATHS = (
    *("/", "/help", "/usage", "/settings", "/news", "/surveys", "/nothing/here"),
    *(f"/news/{NOTICE}", f"/news/{NEWSLETTER}", f"/news/{NEWSLETTER}/0", f"/news/{NOTICE}/0"),
    *(f"/surveys/{SURVEY}", f"/surveys/{SURVEY}/0", f"/surveys/{SURVEY}/1", f"/surveys/{SURVEY}/2"),
    f"/surveys/{SURVEY}/check",
)
# Upright, lying, and both with the browser at 200 %.
SIZES = ((800, 1280), (1280, 800), (400, 640), (640, 400))


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A page whose console is listened to; axe-core may be put into it although its policy forbids other scripts."""
    context = browser.new_context(viewport={"width": 800, "height": 1280}, bypass_csp=True, has_touch=True)
    one = Watched(context)
    yield one
    context.close()


def _press(page: Page, selector: str, nth: int = 0) -> None:
    """With one finger, and waits for the page that follows."""
    with page.expect_navigation():
        page.locator(selector).nth(nth).tap()


def _choose(page: Page, tablet: TabletProcess, name: str, value: str) -> None:
    page.goto(tablet.address + "/settings")
    _press(page, f"button[name={name}][value={value}]")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_is_for_everybody(tablet: TabletProcess, watched: Watched, language: str) -> None:
    page = watched.page
    _choose(page, tablet, "language", language)
    for path in PATHS:
        page.goto(tablet.address + path)
        assert page.get_attribute("html", "lang") == language
        assert serious(page) == [], path
    _choose(page, tablet, "language", "ja")
    assert [line for line in watched.said if "404" not in line] == []


@pytest.mark.parametrize("size", ["normal", "largest"])
def test_it_fits_also_at_200_per_cent(tablet: TabletProcess, watched: Watched, size: str) -> None:
    page = watched.page
    _choose(page, tablet, "text_size", size)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for path in PATHS:
            page.goto(tablet.address + path)
            assert too_wide(page) == [], (size, width, path)
            assert _small(page) == [], (size, width, path)
    _choose(page, tablet, "text_size", "normal")


def _small(page: Page) -> list[str]:
    """What a finger would miss: targets under 44 px, and big buttons under 88 px."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("a, button, .choice, textarea")].filter(e => {
          const box = e.getBoundingClientRect();
          const least = e.matches(".way, .choice, .step") ? 88 : 44;
          return box.height < least || box.width < 44;
        }).map(e => e.outerHTML.slice(0, 120))"""
    )
    return found


def test_five_buttons_on_one_screen(tablet: TabletProcess, watched: Watched) -> None:
    page = watched.page
    for width, height in SIZES[:2]:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(tablet.address + "/")
        assert page.locator(".five .way").count() == 5
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert page.locator("footer").inner_text().startswith("いま役場とつながっていません")


def test_news_are_read_while_the_hub_is_away(tablet: TabletProcess, watched: Watched) -> None:
    page = watched.page
    page.goto(tablet.address + "/")
    _press(page, "text=広報・お知らせ")
    # What is urgent comes first.
    assert page.locator("main a").first.inner_text().startswith("吹雪")
    _press(page, "main a")
    assert page.locator("ruby rt").first.inner_text() == "ふぶき"
    assert page.evaluate("document.querySelector('img.picture').naturalWidth") == 1
    _press(page, "img.picture")
    _press(page, ".back")
    _press(page, ".back")
    _press(page, "main a", 1)
    _press(page, "main a")
    # The browser's own viewer has the paper: it is another document than ours.
    until(lambda: _viewers(page) == 1, "the viewer has it", 60)
    response = page.request.get(page.locator("iframe").evaluate("e => e.src.split('#')[0]"))
    assert response.body().startswith(b"%PDF")
    assert response.headers["content-type"] == "application/pdf"
    page.goto(tablet.address + "/news")
    until(lambda: page.locator(".tag").all_inner_texts() == ["重要"], "both are read")


def _viewers(page: Page) -> int:
    """How many papers stand in the browser's own viewer, which is an extension."""
    page.wait_for_timeout(100)
    return sum(frame.url.startswith("chrome-extension://") for frame in page.frames)


def test_what_is_used_and_left_is_told(tablet: TabletProcess, watched: Watched) -> None:
    page = watched.page
    page.goto(tablet.address + "/usage")
    text = page.inner_text("main")
    assert "▲ のこりが少なくなりました".replace(" ", "") in text.replace("\n", "")
    assert [one.inner_text() for one in page.locator("dd").all()] == ["2.8 GB", "3.0 GB", "200 MB", "5.0 GB"]
    page.goto(tablet.address + "/")
    assert "のこり 200 MB" in page.inner_text("main")


def test_a_survey_is_answered_question_by_question(tablet: TabletProcess, watched: Watched) -> None:
    page = watched.page
    page.goto(tablet.address + "/surveys")
    assert page.locator(".tag").all_inner_texts() == ["回答をお願いします"]
    _press(page, "main a")
    _press(page, "main a")
    page.locator(".choice").nth(1).tap()
    _press(page, "button.main")
    page.locator(".choice").nth(0).tap()
    page.locator(".choice").nth(2).tap()
    _press(page, "button.main")
    page.fill("textarea", "字が小さい <b>")
    _press(page, "button.main")
    assert page.locator(".given").all_inner_texts() == ["ときどき", "広報、電話番号", "字が小さい <b>"]
    # An answer can be changed before it is sent; what was said is still chosen.
    _press(page, "text=直す")
    assert page.locator("input:checked").get_attribute("value") == "1"
    page.locator(".choice").nth(0).tap()
    _press(page, "button.main")
    page.goto(tablet.address + f"/surveys/{SURVEY}/check")
    _press(page, "main button")
    assert "回答を受け付けました" in page.inner_text("main")
    page.goto(tablet.address + "/surveys")
    assert page.locator(".tag").all_inner_texts() == ["回答ずみ"]


def test_help_is_asked_for_and_taken_back(tablet: TabletProcess, watched: Watched) -> None:
    page = watched.page
    page.goto(tablet.address + "/help")
    assert page.locator("dd").all_inner_texts() == ["0123-45-6789", "0123-45-0000"]
    _press(page, "text=手続きや書類")
    assert "つながりしだい役場に届きます" in page.inner_text("main")
    assert "（手続きや書類）" in page.inner_text("main")
    _press(page, "text=お願いを取り消す")
    assert "取り消しました" in page.inner_text("h1")
    page.goto(tablet.address + "/help")
    assert page.locator("main button").count() == 4


def test_a_page_is_read_aloud_until_it_is_stopped(tablet: TabletProcess, watched: Watched) -> None:
    page, said = watched.page, tablet.state.parent / "said"
    page.goto(tablet.address + f"/news/{NOTICE}")
    _press(page, "#voice")
    until(lambda: said.exists() and said.read_text().endswith("ja\n"), "it is read aloud")
    # Kanji that have furigana are read by these: no voice guesses.
    assert "明日の朝までふぶきが続きます。" in said.read_text()
    assert page.inner_text("#voice") == "よみあげを止める"
    _press(page, "#voice")
    assert page.inner_text("#voice") == "よみあげ"


def test_volume_and_light_go_in_steps(tablet: TabletProcess, watched: Watched) -> None:
    page = watched.page
    page.goto(tablet.address + "/settings")
    assert "80％" in page.inner_text("main")
    _press(page, "button[name=light][value=down]")
    assert (tablet.state.parent / "light" / "brightness").read_text() == "120\n"
    _press(page, "button[name=volume][value=down]")
    assert (tablet.state.parent / "loud").read_text().split()[-1] == "80"
    for _ in range(6):
        _press(page, "button[name=light][value=down]")
    # The screen never goes dark.
    assert (tablet.state.parent / "light" / "brightness").read_text() == "40\n"


def test_it_works_without_a_script_and_with_the_keys_alone(tablet: TabletProcess, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(tablet.address + "/")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith("/help")
    context.close()


def test_the_start_page_follows_what_happens(tablet: TabletProcess, watched: Watched) -> None:
    """The list of news is made anew by itself when something there was read elsewhere."""
    page = watched.page
    page.goto(tablet.address + "/")
    here = page.get_attribute("body", "data-here")
    other = page.context.new_page()
    _choose(other, tablet, "text_size", "large")
    end = time.monotonic() + 60
    while page.get_attribute("body", "data-here") == here and time.monotonic() < end:
        page.wait_for_timeout(200)
    assert page.get_attribute("html", "class") == "large"
    _choose(other, tablet, "text_size", "normal")
