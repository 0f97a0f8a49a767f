"""The pages of roll-outs in a real browser: for everyone, at every width, and going on by themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from hub import pages
from hub.rollout import progress
from hub.rollout.acts import Asked
from tests.chromium import chromium
from tests.login.parts import PASSWORD, Town, running_town
from tests.pages.browser import Watched, serious, sign_in, too_wide
from tests.rollout import scene

PATHS = ("/rollouts", "/rollouts/1", "/rollouts/new", "/")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town with a roll-out that has stopped."""
    folder: Path = tmp_path_factory.mktemp("rollouts")
    with running_town(folder) as running:
        running.write(lambda conn: scene.fill(conn, running.app.state.signing))
        running.add("hanako", "it")
        running.add("jiro", "clerk")
        running.add("saburo", "approver")
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all."""
    with chromium() as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_for_everyone(town: Town, browser: Browser, scheme: str) -> None:
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)  # type: ignore[arg-type]
    watched = Watched(context)
    sign_in(watched.page, town.url, "hanako", PASSWORD)
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


def test_an_open_page_follows(town: Town, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(60_000)
    sign_in(page, town.url, "jiro", PASSWORD)
    page.goto(town.url + "/rollouts/1")
    page.evaluate("window.stayed = 1")
    state = town.app.state
    asked = Asked("resume", "hanako")
    town.write(lambda conn: progress.do(conn, state.signing, 1, asked, pages.now_ms()))
    state.rollouts.wake(1)
    page.wait_for_selector("#rollout-status:has-text('配信中')")
    assert page.evaluate("window.stayed") == 1
    context.close()
