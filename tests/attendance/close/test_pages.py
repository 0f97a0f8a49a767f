"""The page of the close: by hand, without a browser's help, and with a real one."""

import re
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from hub import pages
from hub.access import Role
from hub.attendance import close_store, timesheet_store
from hub.attendance.request import LeaveBody
from tests.attendance.close.hall import Hall
from tests.chromium import chromium
from tests.login.parts import PASSWORD, Browser, Town, running_town
from tests.pages.browser import Watched, serious, sign_in, too_wide

MONTH = "2026-10"
PAGE = f"/attendance/close?month={MONTH}"
_FINGERPRINT = re.compile(r'name="fingerprint" value="([0-9a-f]{64})"')


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub with a clerk, who closes, and an approver, who does not."""
    with running_town(tmp_path) as found:
        role: Role
        for role in ("clerk", "approver"):
            found.add(role, role)
        yield found


def _in(town: Town, name: str) -> Browser:
    browser = Browser(town)
    assert browser.sign_in(name).status_code == 303
    return browser


def _october(town: Town, but: tuple[int, ...] = ()) -> tuple[Hall, int]:
    """Somebody who worked in October, two hours overtime on the fifth."""
    one = Hall(town.db)
    taro = one.person("0001", card=1)
    one.month(1, MONTH, but=but, holidays=(12,))
    one.tap(1, "2026-10-05 19:40")
    one.order(taro, "2026-10-05 17:30", "2026-10-05 19:30")
    return one, taro


def _close(browser: Browser, do: str = "close") -> int:
    """Both steps; the last answer's code."""
    asked = browser.send("/attendance/close", {"month": MONTH, "do": do})
    found = _FINGERPRINT.search(asked.text)
    if found is None:
        return asked.status_code
    form = {"month": MONTH, "do": do, "fingerprint": found[1], "sure": "yes"}
    return browser.send("/attendance/close", form).status_code


def test_a_month_is_closed_in_two_steps_by_whoever_may(town: Town) -> None:
    one, _ = _october(town)
    clerk, approver = _in(town, "clerk"), _in(town, "approver")
    assert "2026年10月を締める" in clerk.get(PAGE).text
    assert "まだ締めていません" in approver.get(PAGE).text
    assert "打刻が残っているかもしれません" in clerk.get(PAGE).text
    assert 'name="do"' not in approver.get(PAGE).text
    assert approver.send("/attendance/close", {"month": MONTH, "do": "close"}).status_code == 403
    # Asked first; nothing is done.
    asked = clerk.send("/attendance/close", {"month": MONTH, "do": "close"})
    assert (asked.status_code, "取り消しはできません" in asked.text) == (200, True)
    assert "4,032円" in asked.text
    assert one.read(partial(close_store.latest, month=MONTH)) is None
    assert _close(clerk) == 303
    made = one.read(partial(close_store.latest, month=MONTH))
    assert made
    page = clerk.get(PAGE).text
    assert "締めました（第1版）" in page
    assert made.hash in page
    assert "締めた内容のままです" in page
    assert town.did()[-1] == "month_close"
    assert _close(clerk) == 409


def test_the_month_shown_first_is_the_next_to_be_closed(town: Town) -> None:
    _october(town)
    clerk = _in(town, "clerk")
    assert clerk.get("/attendance/close").status_code == 200
    assert _close(clerk) == 303
    page = clerk.get("/attendance/close").text
    assert "2026年11月の締め" in page


def test_what_stops_it_is_told_and_holds_against_a_form_made_by_hand(town: Town) -> None:
    one, taro = _october(town, but=(8,))
    leave = one.request(taro, LeaveBody(date(2026, 10, 8), date(2026, 10, 8), "annual"), None)
    clerk = _in(town, "clerk")
    page = clerk.get(PAGE).text
    assert "確認が必要な日が1日あります。" in page
    assert "決まっていない申請が1件あります。" in page
    assert "/attendance/people/0001/2026-10/2026-10-08" in page
    form = {"month": MONTH, "do": "close", "sure": "yes", "fingerprint": "0" * 64}
    for fields in (form, {"month": MONTH, "do": "close"}):
        answer = clerk.send("/attendance/close", fields)
        assert answer.status_code == 409
        assert "確認が必要な日があるため、締められません。" in answer.text
    one.decide(leave, "approved")
    answer = clerk.send("/attendance/close", form)
    assert (answer.status_code, "もう一度確認してください" in answer.text) == (409, True)
    assert one.read(partial(close_store.latest, month=MONTH)) is None


def test_the_difference_is_shown_and_booked_once(town: Town) -> None:
    one, taro = _october(town)
    clerk = _in(town, "clerk")
    assert _close(clerk, "book") == 409
    assert _close(clerk) == 303
    assert _close(clerk, "book") == 409
    one.order(taro, "2026-10-05 07:30", "2026-10-05 08:30", pages.now_ms())
    one.correct(taro, date(2026, 10, 5), "07:25", None, pages.now_ms())
    page = clerk.get(PAGE).text
    assert "1人の結果が第1版と違います。差額は2026年11月に計上できます。" in page
    assert "1時間00分" in page
    assert "▲" in page
    # Open work tells of it too.
    assert 'href="/attendance/close?month=2026-10"' in clerk.get("/attendance/open").text
    assert _close(clerk, "book") == 303
    assert 'href="/attendance/close?month=2026-10"' not in clerk.get("/attendance/open").text
    assert _close(clerk, "book") == 409
    page = clerk.get(PAGE).text
    assert "締めました（第2版）" in page
    assert "この月の差額（ほかの月に計上）" in page
    (booked,) = one.read(partial(close_store.adjustments, booked="2026-11"))
    assert (booked.minutes, booked.yen) == (60, 2016)
    november = clerk.get("/attendance/close?month=2026-11").text
    assert "前の月の差額（この月に計上）" in november
    assert "2,016円" in november
    assert town.did()[-1] == "month_book"


WRONG: tuple[dict[str, str], ...] = (
    {"month": MONTH},
    {"month": MONTH, "do": "reopen"},
    {"month": "2026-13", "do": "close"},
    {"month": "9999-12", "do": "close"},
    {"do": "close"},
)


def test_what_is_no_month_and_no_act_is_refused(town: Town) -> None:
    clerk = _in(town, "clerk")
    for form in WRONG:
        assert clerk.send("/attendance/close", form).status_code == 400, form
    for month in ("soon", "2026-13", "9999-12", "2026-1"):
        assert clerk.get(f"/attendance/close?month={month}").status_code == 400, month
    # A month in which nobody was here is one, and is not closed.
    assert _close(clerk) == 409


@pytest.fixture(scope="module")
def chrome() -> Iterator[Chromium]:
    with chromium() as found:
        yield found


def _watched(chrome: Chromium, town: Town, name: str, width: int = 1280) -> Watched:
    context = chrome.new_context(viewport={"width": width, "height": 800}, timezone_id="Asia/Tokyo", bypass_csp=True)
    found = Watched(context)
    sign_in(found.page, town.url, name, PASSWORD)
    return found


def _repair(clerk: Page, town: Town, day: str, button: str) -> None:
    """From the close to the day, and from there to what is asked for."""
    clerk.goto(town.url + PAGE)
    clerk.locator("section", has=clerk.locator("#open-days")).get_by_role("row", name=day).get_by_role("link").click()
    clerk.click(button)


def test_a_clerk_closes_a_month_with_two_incomplete_days_to_repair(chrome: Chromium, town: Town) -> None:
    """From two open days to a closed month with its hash: two people, by keyboard and mouse."""
    one, taro = _october(town, but=(8, 9))
    one.tap(1, "2026-10-08 08:20")
    clerk, boss = _watched(chrome, town, "clerk"), _watched(chrome, town, "approver")
    page = clerk.page
    page.goto(town.url + PAGE)
    assert page.get_by_text("確認が必要な日が2日あります。").is_visible()
    assert page.get_by_text("退勤の打刻がありません").is_visible()
    assert page.get_by_text("打刻も休暇もありません").is_visible()
    assert page.get_by_role("button", name="2026年10月を締める").count() == 0
    assert serious(page) == []

    _repair(page, town, "2026年10月8日", "#correct")
    assert (page.input_value("#day"), page.input_value("#numbers")) == ("2026-10-08", "0001")
    page.fill("#out", "17:15")
    page.fill("#reason", "退勤の打刻を忘れた")
    page.click("main form button.main")
    page.wait_for_url("**/attendance/requests*")
    _repair(page, town, "2026年10月9日", "#leave")
    page.click("main form button.main")
    page.wait_for_url("**/attendance/requests*")
    page.goto(town.url + PAGE)
    # What was asked for changes nothing yet.
    assert page.get_by_text("確認が必要な日が2日あります。").is_visible()
    assert page.get_by_text("決まっていない申請が2件あります。").is_visible()

    for number in (2, 3):
        boss.page.goto(f"{town.url}/attendance/requests/{number}")
        boss.page.click("main button[value=approve]")
        boss.page.wait_for_load_state()

    page.goto(town.url + PAGE)
    assert page.get_by_text("締められます").is_visible()
    page.get_by_role("button", name="2026年10月を締める").focus()
    page.keyboard.press("Enter")
    page.get_by_text("取り消しはできません").wait_for()
    assert serious(page) == []
    page.get_by_role("button", name="2026年10月を締める").click()
    page.get_by_text("締めました（第1版）").wait_for()
    made = town.read(partial(close_store.latest, month=MONTH))
    assert made
    assert page.inner_text("#hash") == made.hash
    (kept,) = town.read(partial(close_store.results, close=made)).values()
    by_day = {day.day.day: day for day in kept.days}
    assert (by_day[8].status, by_day[8].regular_min, by_day[9].status) == ("corrected", 465, "leave")
    (fold,) = town.read(partial(timesheet_store.fold, staff_ids=[taro], month=MONTH, now_ms=pages.now_ms())).values()
    assert (kept.minutes, kept.yen) == (fold.minutes, fold.yen) == ({"W125": 120}, 4032)
    assert serious(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert too_wide(page) == []
    assert clerk.said == []
    assert boss.said == []


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_fits_a_phone_in_both_languages(chrome: Chromium, town: Town, language: str) -> None:
    one, taro = _october(town)
    assert _close(_in(town, "clerk")) == 303
    one.order(taro, "2026-10-05 07:30", "2026-10-05 08:30", pages.now_ms())
    one.correct(taro, date(2026, 10, 5), "07:25", None, pages.now_ms())
    one.person("0002", card=2)
    watched = _watched(chrome, town, "clerk", 360)
    page = watched.page
    page.goto(f"{town.url}/language/{language}?next=/")
    for month in (MONTH, "2026-11", "2026-12", "2026-01"):
        page.goto(f"{town.url}/attendance/close?month={month}")
        assert too_wide(page) == []
        assert serious(page) == []
    assert watched.said == []
