"""The pages in a real browser: both languages, phone and desk, nothing too wide, nothing that keeps somebody out."""

import os
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page

from hub import pages, shown
from hub.db import Connection
from hub.wifi import inquiry_store, keys, purge_task, radius_store
from hub.wifi.inquiry import Inquiry
from tests.chromium import chromium
from tests.login.parts import Browser, Town
from tests.pages.browser import serious, too_wide
from tests.wifi.privacy.parts import DAY_MS, Intake, consent_body, session_body
from wire.messages import Network, SelfCheck, WifiState

LOOKED_AT = {
    "retention": "/wifi/retention",
    "checklist": "/wifi/checklist",
    "inquiries": "/wifi/inquiries",
    "inquiry-waiting": "/wifi/inquiries/1",
    "inquiry-handed": "/wifi/inquiries/2",
    "inquiry-own": "/wifi/inquiries/3",
    "radius": "/wifi/radius",
}
WIDTHS = (360, 1440)
# Where pictures go, for whoever wants to look.
PICTURES = os.environ.get("PICTURES", "")


def fill(town: Town) -> None:
    """Half a year of a small Wi-Fi."""
    now_ms = pages.now_ms()
    intake = Intake(town.db, "toshokan-ap")
    for days in (200, 190, 3):
        at_ms = now_ms - days * DAY_MS
        told: list[tuple[int, str, msgspec.Struct | bytes]] = [
            (at_ms, "wifi_session", session_body(days, at_ms, f"{days:032x}")),
            (at_ms, "consent", consent_body(days, f"contact{days}")),
        ]
        intake.take(at_ms, told)
    folder = keys.folder_of(Path(town.settings.state_dir))
    for days in (15, 7, 1):
        purge_task.purge(town.db, folder, now_ms - days * DAY_MS)
    checks = [("isolation", True, ""), ("office", False, "10.20.0.5:443"), ("portal", True, "wifi.example.jp")]
    state = WifiState(
        mode="normal",
        networks=(
            Network("Kaminomachi_Free_Wi-Fi", on_air=True),
            Network("Kaminomachi_Secure", on_air=True, security="OWE"),
        ),
        checks=tuple(SelfCheck(name, ok, now_ms - 1000, detail) for name, ok, detail in checks),
        terms="v1",
    )
    intake.take(now_ms, [(now_ms, "wifi_state", state)])

    def enter(conn: Connection) -> None:
        one = Inquiry(
            *(0, "上之町警察署 生活安全課", "上警生第1234号", "letter", "図書館", now_ms - 3 * DAY_MS),
            *(now_ms - 3 * DAY_MS + 7_200_000, now_ms - 3_600_000, "taro"),
        )
        inquiry_store.enter(conn, one)
        inquiry_store.enter(conn, msgspec.structs.replace(one, basis="warrant", guests=True, contacts=True))
        inquiry_store.decide(conn, 2, "approved", "原本を確認", "hanako", now_ms - 1_800_000)
        inquiry_store.hand_out(conn, 2, 12, "3f" * 32, "taro", now_ms - 60_000)
        inquiry_store.enter(conn, msgspec.structs.replace(one, asked_by="hanako"))
        radius_store.make(conn, "図書館コントローラー", "図書館", now_ms - DAY_MS, "hanako")
        radius_store.make(conn, "公民館", "公民館", now_ms - DAY_MS, "hanako")
        radius_store.withdraw(conn, 2, now_ms)

    town.write(enter)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_can_be_read_and_used(town: Town, admin: Browser, language: str) -> None:
    fill(town)
    cookies = [{"name": name, "value": value, "url": town.url} for name, value in admin.cookies.items()]
    with chromium() as browser:
        for width in WIDTHS:
            context = browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
            context.add_cookies([*cookies, {"name": "language", "value": language, "url": town.url}])  # type: ignore[list-item]
            page = context.new_page()
            for name, path in LOOKED_AT.items():
                answer = page.goto(town.url + path)
                assert answer
                assert answer.status == 200
                if PICTURES:
                    _shoot(page, Path(PICTURES) / f"{name}-{language}-{width}.png")
                assert too_wide(page) == [], (name, width)
                assert serious(page) == [], (name, width)
            context.close()


def _shoot(page: Page, path: Path) -> None:
    page.evaluate("document.fonts.ready")
    page.screenshot(path=path, full_page=True)


def test_an_inquiry_from_its_entry_to_its_file_by_hand(town: Town, admin: Browser) -> None:
    """As two people do it: typed, approved, handed out once."""
    fill(town)
    town.add("taro", "approver")
    taro = Browser(town)
    assert taro.sign_in("taro").status_code == 303
    day = shown.day_of(pages.now_ms() - DAY_MS)
    with chromium() as browser:
        first, second = browser.new_context(accept_downloads=True), browser.new_context()
        for context, who in ((first, admin), (second, taro)):
            context.add_cookies(
                [{"name": name, "value": value, "url": town.url} for name, value in who.cookies.items()]
            )
        page = first.new_page()
        page.goto(town.url + "/wifi/inquiries")
        page.fill("#authority", "上之町警察署")
        page.fill("#reference", "第9号")
        page.select_option("#basis", "warrant")
        page.fill("#place", "図書館")
        page.fill("#day", day)
        page.fill("#from", "09:00")
        page.fill("#until", "10:00")
        page.check("[name=guests]")
        page.click("main form button.main")
        page.wait_for_url("**/wifi/inquiries/4")
        other = second.new_page()
        other.goto(town.url + "/wifi/inquiries/4")
        other.fill("#why", "令状の原本を確認")
        other.click("button[value=approve]")
        other.wait_for_selector("text=承認")
        page.reload()
        with page.expect_download() as waiting:
            page.click("button[value=hand_out]")
        assert waiting.value.suggested_filename == "inquiry-4.csv"
        page.goto(town.url + "/wifi/inquiries/4")
        assert page.locator("button[value=hand_out]").count() == 0
        assert page.locator("text=書き出し済み").count() == 1
