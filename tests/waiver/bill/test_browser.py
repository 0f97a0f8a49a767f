"""A bill in a real browser: chosen, looked at, brought in, a difference decided; narrow and wide, light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.chromium import chromium
from tests.login.parts import PASSWORD, Town
from tests.pages.browser import Watched, serious, sign_in, too_wide
from tests.waiver.bill.parts import Row, csv_line, phone

ODD = [Row(phone(1), base=1580), Row(phone(2), used=4_350_000_000, overage=1000), Row(phone(9))]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def test_a_bill_from_its_file_to_its_decisions(browser: Browser, town: Town, tmp_path: Path) -> None:
    town.add("hanako", "finance")
    file = tmp_path / "請求明細.csv"
    context = browser.new_context(viewport={"width": 360, "height": 740}, timezone_id="Asia/Tokyo", bypass_csp=True)
    try:
        watched = Watched(context)
        page = watched.page
        sign_in(page, town.url, "hanako", PASSWORD)
        page.goto(f"{town.url}/waiver/bills")
        page.get_by_role("link", name="請求書を取り込む").first.click()
        file.write_bytes(csv_line(ODD).replace(b'"1,483"', b'"1,484"'))
        page.fill("#month", "2026-11")
        page.select_option("#layout", "csv-line")
        page.set_input_files("#file", file)
        page.get_by_role("button", name="確認する").click()
        expect(page.get_by_role("alert")).to_contain_text("4行目: 09000000009 の内訳の合計は1483円")
        assert not serious(page)
        file.write_bytes(csv_line(ODD))
        page.fill("#month", "2026-11")
        page.select_option("#layout", "csv-line")
        page.set_input_files("#file", file)
        page.get_by_role("button", name="確認する").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("北の通信 2026-11の確認")
        assert not serious(page)
        assert not too_wide(page)
        page.get_by_role("button", name="この請求書を取り込む").click()
        expect(page.get_by_role("status")).to_contain_text("請求書を取り込みました")
        page.locator("summary").first.click()
        assert not serious(page)
        assert not too_wide(page)
        page.select_option("#which", "verdict:OVERBILLED")
        page.select_option("#decided", "credit")
        page.fill("#note", "11月分から訂正と電話で確認")
        page.get_by_role("button", name="決める", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("1件の差額を決めました")
        for path in ("/waiver/bills", "/waiver/bills/layouts", "/waiver/bills/layouts/fixed-128"):
            page.goto(town.url + path)
            assert not serious(page), path
            assert not too_wide(page), path
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(f"{town.url}/waiver/bills/1?show=all")
        assert not serious(page)
        assert not too_wide(page)
        # An answer that refuses a file is told by the browser as one that failed.
        assert [said for said in watched.said if "422" not in said] == []
    finally:
        context.close()
