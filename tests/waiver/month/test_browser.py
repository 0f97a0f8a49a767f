"""A month in a real Chromium: asked for by one person, approved by another, its report saved; pages for everyone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from hub.waiver import ledger_store
from tests.chromium import chromium
from tests.login.parts import PASSWORD, Town, running_town
from tests.pages.browser import Watched, serious, sign_in, too_wide
from tests.waiver.month import filled, model
from tests.waiver.month.hall import Hall

MONTHS = model.months_from(model.FIRST, 2)
FIRST = MONTHS[0]
LINES = model.town(16, seed=3)
PATHS = (
    f"/waiver?month={FIRST}",
    f"/waiver?month={MONTHS[1]}",
    f"/waiver/line-month?month={FIRST}&line={LINES[0].phone}",
    f"/waiver/vouchers?month={FIRST}",
    "/waiver/vouchers/layout",
    f"/waiver/reports?month={FIRST}",
    f"/waiver/reports?month={FIRST}&kind=lines",
    "/waiver/reports?year=2026&kind=year",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium."""
    with chromium() as made:
        yield made


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub with a month that can be closed."""
    with running_town(tmp_path) as made:
        made.write(lambda conn: filled.registers(conn, LINES))
        made.write(lambda conn: filled.hear(conn, filled.usage(LINES, MONTHS)))
        made.add("kaikei", "finance")
        made.add("kacho", "approver")
        Hall(made.db, LINES).bills(FIRST)
        yield made


def test_a_month_is_closed_by_two_people_and_its_report_is_saved(town: Town, browser: Browser) -> None:
    watched = {}
    for name in ("kaikei", "kacho"):
        watched[name] = Watched(browser.new_context(locale="ja-JP", timezone_id="Asia/Tokyo", accept_downloads=True))
        sign_in(watched[name].page, town.url, name, PASSWORD)
    asks, decides = watched["kaikei"].page, watched["kacho"].page
    asks.goto(f"{town.url}/waiver?month={FIRST}")
    asks.click("text=2026年4月の締めを申し出る")
    asks.wait_for_selector("text=申し出た人は承認できません")
    decides.goto(f"{town.url}/waiver?month={FIRST}")
    decides.click("main button.main")
    decides.wait_for_selector("text=締めた月は二度と開きません")
    decides.click("main button.main")
    decides.wait_for_selector("#hash")
    (closing,) = town.read(ledger_store.closings)
    assert decides.inner_text("#hash") == closing.content_hash
    decides.click("text=この月の報告")
    decides.wait_for_selector(f"text={closing.content_hash}")
    with decides.expect_download() as saved:
        decides.click("text=PDFで保存")
    assert saved.value.path().read_bytes().startswith(b"%PDF-")
    asks.goto(f"{town.url}/waiver/vouchers?month={FIRST}")
    with asks.expect_download() as made:
        asks.click("text=ファイルを保存")
    assert made.value.suggested_filename == f"denpyo-{FIRST}.csv"
    assert [one.said for one in watched.values()] == [[], []]


def test_the_pages_are_for_everyone(town: Town, browser: Browser) -> None:
    assert not isinstance(Hall(town.db, LINES).close(FIRST), str)
    watched = Watched(browser.new_context(locale="ja-JP", timezone_id="Asia/Tokyo", bypass_csp=True))
    page = watched.page
    sign_in(page, town.url, "kaikei", PASSWORD)
    for language in ("ja", "en"):
        page.goto(f"{town.url}/language/{language}?next=/settings")
        for path in PATHS:
            page.set_viewport_size({"width": 360, "height": 800})
            page.goto(town.url + path)
            assert serious(page) == [], (language, path)
            assert too_wide(page) == [], (language, path)
    assert watched.said == []
