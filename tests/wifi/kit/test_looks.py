"""Pages of terms and vouchers in a real browser: for everyone, in both languages, narrow, wide and with large text."""

import time

import pytest

from hub.db import Connection
from tests.chromium import chromium
from tests.login.parts import Browser, Town
from tests.pages.browser import Watched, serious, too_wide
from tests.wifi.kit.test_terms_pages import begin, edit, publish
from tests.wifi.kit.test_voucher_pages import make


def access_points(conn: Connection) -> None:
    """One that has its kit, one that waits, one that refused, one that was never told."""
    now_ms = time.time_ns() // 1_000_000
    for number, (name, error, generation) in enumerate(
        (("kominkan-ap", "", 2), ("toshokan-ap", "", 1), ("taiikukan-ap", "sealed", 1), ("yakuba-ap", "", 0)), 1
    ):
        conn.execute(
            "INSERT INTO device (id, name, kind, first_heard_ms, last_heard_ms) VALUES (?, ?, 'access_point', 0, 0)",
            (number, name),
        )
        if generation:
            conn.execute(
                "INSERT INTO kit (device_id, incarnation, generation, digest, key_name, touched, message, made_ms, "
                "terms, standing, standing_ms, standing_report) "
                "VALUES (?, 'a', 2, '', '', 0, x'', ?, '2026-11-25', '', 0, 0)",
                (number, now_ms),
            )
            conn.execute(
                "INSERT INTO kit_report (device_id, incarnation, generation, result, error, at_ms) "
                "VALUES (?, 'a', ?, 'applied', ?, ?)",
                (number, generation, error, now_ms),
            )
    conn.execute("INSERT INTO kit_state (id, error) VALUES (1, 'too large') ON CONFLICT (id) DO UPDATE SET error = 'x'")
    for number, (point, voucher) in enumerate(((1, "1-001"), (1, "1-002"), (2, "1-002"), (3, "1-002"))):
        conn.execute(
            "INSERT INTO wifi_consent (device_id, session, terms, language, way, voucher, at_ms) "
            "VALUES (?, ?, 'v', 'ja', 'voucher', ?, ?)",
            (point, f"{number:032x}", voucher, now_ms),
        )


@pytest.mark.parametrize(("language", "scheme"), [("ja", "light"), ("en", "dark")])
def test_the_pages_are_for_everyone_and_scroll_no_way_but_down(
    hub: Town, officer: Browser, language: str, scheme: str
) -> None:
    begin(officer)
    version = publish(officer)
    officer.send("/wifi/terms/draft", {"of": "now"})
    assert edit(officer, "ko", "{operator}") == 303
    page_of = make(officer)
    hub.write(access_points)
    paths = [
        "/wifi/terms?day=2026-11-25",
        f"/wifi/terms/versions/{version}?language=ja-easy",
        "/wifi/terms/draft?did=saved",
        "/wifi/terms/draft/ko",
        "/wifi/vouchers",
        f"{page_of}?did=made",
        f"{page_of}?sure=withdraw",
    ]
    kept = {cookie.name: cookie.value or "" for cookie in officer.cookies.jar} | {"language": language}
    with chromium() as browser:
        context = browser.new_context(bypass_csp=True, color_scheme=scheme)  # type: ignore[arg-type]
        context.add_cookies([{"name": name, "value": value, "url": hub.url} for name, value in kept.items()])
        watched = Watched(context)
        page = watched.page
        for path in paths:
            page.goto(hub.url + path)
            assert serious(page) == [], path
            for width in (360, 1440):
                page.set_viewport_size({"width": width, "height": 800})
                page.goto(hub.url + path)
                assert too_wide(page) == [], (path, width)
                page.evaluate("document.documentElement.style.fontSize = '200%'")
                assert too_wide(page) == [], (path, width, "200 %")
        assert watched.said == []
        context.close()
