"""The pages in a real browser: for everyone, at every width, live."""

import pytest

from hub import people
from hub.db import Db
from tests.login.parts import PASSWORD
from tests.pages.browser import Watched, serious, sign_in, too_wide
from tests.pages.conftest import Shown
from tests.pages.filled import Teller
from tests.screenshots import PAGES


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_for_everyone(shown: Shown, scheme: str) -> None:
    context = shown.browser.new_context(bypass_csp=True, color_scheme=scheme)  # type: ignore[arg-type]
    watched = Watched(context)
    page = watched.page
    page.goto(shown.hub.url + "/sign-in")
    assert serious(page) == []
    sign_in(page, shown.hub.url, "hanako", PASSWORD)
    for path in PAGES.values():
        page.goto(shown.hub.url + path)
        if page.locator("#plots").count():
            page.wait_for_selector("#plots[data-drawn]")
        assert serious(page) == [], path
    context.close()


def test_no_page_scrolls_sideways_and_none_complains(shown: Shown) -> None:
    context = shown.browser.new_context()
    watched = Watched(context)
    page = watched.page
    sign_in(page, shown.hub.url, "hanako", PASSWORD)
    for path in PAGES.values():
        for width in (360, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(shown.hub.url + path)
            if page.locator("#plots").count():
                page.wait_for_selector("#plots[data-drawn]")
            assert too_wide(page) == [], (path, width)
            # Text twice as large, as a person sets it in their browser.
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            assert too_wide(page) == [], (path, width, "200 %")
    assert [said for said in watched.said if "404" not in said] == []
    context.close()


def test_by_keyboard_one_skips_to_the_content_and_sees_where_one_is(shown: Shown) -> None:
    context = shown.browser.new_context()
    page = context.new_page()
    sign_in(page, shown.hub.url, "hanako", PASSWORD)
    page.goto(shown.hub.url + "/devices")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.focus("time.ago")
    assert page.locator("time.ago .exact").first.bounding_box()["width"] > 40  # type: ignore[index]
    context.close()


def test_taps_and_devices_appear_on_open_pages_and_a_lost_session_goes_to_sign_in(shown: Shown) -> None:
    import time

    context = shown.browser.new_context()
    context.set_default_timeout(60_000)
    taps, devices = context.new_page(), context.new_page()
    sign_in(taps, shown.hub.url, "taro", PASSWORD)
    taps.goto(shown.hub.url + "/taps")
    devices.goto(shown.hub.url + "/devices?q=annex")
    taps.evaluate("window.stayed = 1")
    devices.evaluate("window.stayed = 1")
    now_ms = time.time_ns() // 1_000_000
    port = shown.tellers[0]._device._socket.getpeername()[1]
    annex = Teller(port, "annex-9", "terminal", now_ms)
    annex.tap(now_ms, "ab" * 16)
    taps.wait_for_selector("text=abababab")
    devices.wait_for_selector("text=annex-9")
    annex.present(online=False)
    devices.wait_for_selector("#rows .state.offline")
    assert taps.evaluate("window.stayed") == devices.evaluate("window.stayed") == 1
    annex.drop()
    db = Db(shown.hub.database)
    person = db.read(lambda conn: people.by_name(conn, "taro"))
    assert person is not None
    db.write_now(lambda conn: people.end_sessions(conn, person.id))
    db.close()
    devices.wait_for_url("**/sign-in?next=*")
    context.close()
