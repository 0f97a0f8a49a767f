"""A tired person with a phone, and whoever approves: real Chromium against a real hub."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from hub import pages
from hub.attendance import timesheet_store
from hub.attendance.rules.calendar import month_of
from tests.attendance.requests import hall as halls
from tests.attendance.requests.hall import Hall
from tests.chromium import chromium
from tests.login.parts import PASSWORD
from tests.pages.browser import Watched, serious, too_wide


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    with halls.hall(tmp_path, pages.now_ms()) as found:
        yield found


def _sign_in(page: Page, hall: Hall, name: str) -> None:
    page.goto(hall.town.url + "/sign-in")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.click("main button.main")
    page.wait_for_url(lambda url: "/sign-in" not in url)


def _watched(browser: Browser, hall: Hall, name: str, width: int, *, axe: bool = False) -> Watched:
    """Somebody's page; `axe` lets the checker in, which the page's own rules would keep out."""
    context = browser.new_context(
        viewport={"width": width, "height": 740}, timezone_id="Asia/Tokyo", has_touch=True, bypass_csp=axe
    )
    watched = Watched(context)
    _sign_in(watched.page, hall, name)
    return watched


def _fits(page: Page) -> None:
    assert too_wide(page) == []


def test_a_correction_on_a_phone_is_approved_by_another_person_and_corrects_the_day(
    browser: Browser, hall: Hall
) -> None:
    staff = _watched(browser, hall, "taro", 360)
    page = staff.page
    assert page.url == hall.town.url + "/my-time"
    _fits(page)
    page.get_by_role("link", name="打刻の修正を申請: ").tap()
    assert page.input_value("#day") == hall.day.isoformat()
    assert page.input_value("#out") == "17:15"
    _fits(page)
    page.fill("#out", "17:40")
    page.fill("#reason", "押し忘れ")
    page.get_by_role("button", name="申請する").tap()
    page.wait_for_url("**/my-time?did=entered*")
    assert page.get_by_role("status").inner_text().startswith("● 申請しました。")
    _fits(page)

    approver = _watched(browser, hall, "boss", 1440)
    page = approver.page
    page.goto(hall.town.url + "/attendance/requests")
    _fits(page)
    page.get_by_role("link", name="0001").click()
    assert "08:21:00 genkan" in page.inner_text("main")
    _fits(page)
    page.get_by_role("button", name="承認する").click()
    page.get_by_text("承認ずみ").wait_for()

    staff_id, month = hall.staff["taro"], month_of(hall.day)
    results = hall.town.read(lambda conn: timesheet_store.months(conn, [staff_id], month, pages.now_ms()))
    (day,) = [one for one in results[staff_id].days if one.day == hall.day]
    assert day.status == "corrected"
    assert day.regular_min == 465
    page = staff.page
    page.goto(hall.town.url + f"/my-time?month={month}")
    assert "修正ずみ" in page.inner_text("table")
    assert "17:40" in page.inner_text("table")
    assert staff.said == []
    assert approver.said == []


def test_a_slip_is_withdrawn_and_taken_back_with_one_touch(browser: Browser, hall: Hall) -> None:
    page = _watched(browser, hall, "taro", 360).page
    page.get_by_role("link", name="休暇を申請", exact=True).tap()
    page.fill("#day", hall.day.isoformat())
    page.check("input[name=part][value=morning]")
    page.get_by_role("button", name="申請する").tap()
    page.get_by_role("button", name="元に戻す").tap()
    page.wait_for_url("**/my-time?did=withdrawn*")
    page.get_by_role("status").get_by_role("button", name="元に戻す").tap()
    page.wait_for_url("**/my-time?did=entered_again*")
    page.goto(hall.town.url + f"/my-time?month={month_of(hall.day)}")
    assert "承認待ち" in page.inner_text("main")


def test_the_clerk_does_it_all_with_the_keyboard(browser: Browser, hall: Hall) -> None:
    watched = _watched(browser, hall, "clerk", 1440)
    page = watched.page
    page.goto(hall.town.url + f"/attendance/open?month={month_of(hall.day)}")
    _fits(page)
    page.get_by_role("link", name="修正を入力: 0001").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/requests/new*")
    _fits(page)
    page.focus("#reason")
    page.keyboard.type("oshiwasure")
    page.get_by_role("button", name="申請する").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/attendance/requests?entered=1")
    _fits(page)
    page.set_viewport_size({"width": 360, "height": 740})
    _fits(page)
    for path in ("/attendance/open", "/attendance/requests/new", "/attendance/requests/new?kind=swap"):
        page.goto(hall.town.url + path)
        _fits(page)
    assert watched.said == []


def test_the_pages_keep_nobody_out(browser: Browser, hall: Hall) -> None:
    """What axe-core finds, narrow and wide, with something waiting and something wrong on them."""
    taro, clerk, boss = (_watched(browser, hall, name, 360, axe=True).page for name in ("taro", "clerk", "boss"))
    day, month = hall.day.isoformat(), month_of(hall.day)
    hall.browser("taro").send(
        "/my-time/requests/new",
        {"kind": "order", "day": day, "begin": "17:30", "end": "20:00", "reason": "決算"},
    )
    forms = [f"/my-time/requests/new?kind={kind}" for kind in ("correction", "leave", "swap")]
    looked_at = [
        (
            taro,
            [
                f"/my-time?month={month}",
                *forms,
            ],
        ),
        (clerk, [f"/attendance/open?month={month}", "/attendance/requests/new?kind=order", "/my-time"]),
        (boss, ["/attendance/requests", "/attendance/requests/1", "/attendance/requests?state=refused"]),
    ]
    for page, paths in looked_at:
        for path in paths:
            page.goto(hall.town.url + path)
            assert serious(page) == [], path
            assert too_wide(page) == [], path
    page.set_viewport_size({"width": 1440, "height": 800})
    page.goto(hall.town.url + "/attendance/requests")
    assert serious(page) == []
