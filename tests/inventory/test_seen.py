"""The pages of the inventory in a real browser: for everyone, at every width; a file chosen, looked at and taken in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium

from hub.db import Connection
from tests.chromium import chromium
from tests.inventory.parts import device, lent, tells, thing
from tests.login.parts import PASSWORD, Town, running_town
from tests.pages.browser import Watched, serious, sign_in, too_wide
from wire.messages import Inventory

PATHS = {
    "list": "/devices",
    "overdue": "/devices?loan=overdue&sort=until",
    "unheard": "/devices?condition=unheard",
    "device": "/devices/tablet-1",
    "lent": "/devices/tablet-1/inventory",
    "store": "/devices/tablet-2/inventory?did=return",
    "box": "/inventory/3",
    "new": "/inventory/new",
    "inventory": "/inventory",
    "today": "/",
}
WRONG = "備品番号,場所,購入日\nA-1,役場,昨日\nA-2,倉庫,令和8年13月1日\n"
GOOD = "端末,備品番号,場所,メモ\ntablet-1,A-1,図書館 二階の奥の書庫の前,次の人へ\n,A-77,倉庫,\n"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Chromium]]:
    """A hub with a lent tablet, one in store and one in its box, and a browser."""

    def fill(conn: Connection) -> None:
        for number in (1, 2):
            device(conn, number, f"tablet-{number}")
        tells(
            conn, 1, Inventory("Latitude 7230", "7X1ABC3", "Debian GNU/Linux 12, Linux 6.6.31", "0.1.0", 900, 870, 212)
        )
        conn.execute("UPDATE device_fact SET certificate_end_ms = 1795600000000")
        first = thing(
            conn, 1, asset="令8-101", place="図書館", tags="貸出用 新しい", note="二行の\nメモ", bought="2026-04-01"
        )
        lent(conn, first, "R8-15", "2026-01-01", "2026-02-01")
        thing(conn, 2, asset="令8-102", place="役場")
        thing(conn, asset="令8-103", serial="7X1ABC9", kind="terminal", place="倉庫")

    with running_town(tmp_path_factory.mktemp("town")) as town, chromium() as browser:
        town.write(fill)
        town.add("sachi", "support")
        yield town, browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_for_everyone(shown: tuple[Town, Chromium], scheme: str) -> None:
    town, browser = shown
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)  # type: ignore[arg-type]
    page = Watched(context).page
    sign_in(page, town.url, "sachi", PASSWORD)
    for name, path in PATHS.items():
        page.goto(town.url + path)
        assert serious(page) == [], name
    context.close()


def test_no_page_scrolls_sideways_and_none_complains(shown: tuple[Town, Chromium]) -> None:
    town, browser = shown
    context = browser.new_context()
    watched = Watched(context)
    page = watched.page
    sign_in(page, town.url, "sachi", PASSWORD)
    for language in ("ja", "en"):
        page.goto(f"{town.url}/language/{language}?next=/inventory")
        for name, path in PATHS.items():
            for width in (360, 1440):
                page.set_viewport_size({"width": width, "height": 800})
                page.goto(town.url + path)
                assert too_wide(page) == [], (name, language, width)
                page.evaluate("document.documentElement.style.fontSize = '200%'")
                assert too_wide(page) == [], (name, language, width, "200 %")
    assert watched.said == []
    context.close()


def test_a_file_is_chosen_looked_at_and_taken_in(shown: tuple[Town, Chromium], tmp_path: Path) -> None:
    town, browser = shown
    context = browser.new_context(bypass_csp=True, viewport={"width": 360, "height": 800})
    page = Watched(context).page
    sign_in(page, town.url, "sachi", PASSWORD)
    for text, encoding in ((WRONG, "cp932"), (GOOD, "utf-8")):
        file = tmp_path / "台帳.csv"
        file.write_bytes(text.encode(encoding))
        page.goto(town.url + "/inventory")
        page.set_input_files("#file", file)
        page.click("text=何が変わるか見る")
        page.wait_for_selector("h1:has-text('取り込みの確認')")
        assert serious(page) == []
        assert too_wide(page) == []
    page.click("text=2件を取り込む")
    page.wait_for_selector("text=2件を取り込みました")
    page.goto(town.url + "/devices/tablet-1")
    assert page.locator("text=図書館 二階の奥の書庫の前").count() == 1
    context.close()


def test_a_tablet_is_lent_and_comes_back(shown: tuple[Town, Chromium]) -> None:
    town, browser = shown
    context = browser.new_context()
    page = Watched(context).page
    sign_in(page, town.url, "sachi", PASSWORD)
    page.goto(town.url + "/devices/tablet-2")
    page.click("#thing-page")
    page.fill("#loan_number", "R8-16")
    page.fill("#loan_until", "2999-03-31")
    page.click("text=貸し出す >> visible=true")
    page.wait_for_selector("text=貸し出しました")
    assert page.locator("text=R8-16").count() >= 2
    page.fill("#condition", "良好")
    page.click("text=返却を受け付ける")
    page.wait_for_selector("text=返却を受け付けました")
    assert page.locator("td:has-text('良好')").count() == 1
    context.close()
