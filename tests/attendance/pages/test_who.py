"""The page of the day, live, and the department's month and limits with it."""

import csv
import io
import re

import pytest
from openpyxl import load_workbook

from hub import pages
from hub.attendance import timesheet_store
from hub.shown import moment
from tests.attendance.pages.conftest import Office
from tests.attendance.pages.filled import MONTH
from tests.attendance.pages.test_month import plain
from tests.login.parts import Browser


def test_who_is_in_by_department(clerk: Browser) -> None:
    html = clerk.get("/attendance").text
    assert re.search(r'id="in-count">1<small> / 3人', html)
    text = plain(html)
    assert re.search(r"● 0012 山田 花子 \d+:\d\d から", text)
    assert re.search(r"○ 0034 鈴木 太郎 \d+:\d\d 退勤", text)
    only = plain(clerk.get("/attendance?department=kensetsu").text)
    assert "0056" in only
    assert "0012" not in only


@pytest.mark.parametrize(("name", "to"), [("keeper", "/taps")])
def test_who_keeps_terminals_only_sees_the_punches(office: Office, name: str, to: str) -> None:
    assert office.browser(name).get("/attendance").headers["location"] == to


@pytest.mark.parametrize(
    ("name", "rail"),
    [
        ("clerk", ["/", "/devices", "/alerts", "/attendance", "/wifi", "/waiver", "/my-time", "/settings"]),
        ("keeper", ["/", "/devices", "/alerts", "/attendance", "/wifi", "/tablets", "/my-time", "/settings"]),
        ("teller", ["/", "/devices", "/alerts", "/payroll", "/waiver", "/my-time", "/settings"]),
        ("sekretaer", ["/", "/devices", "/alerts", "/wifi", "/tablets", "/my-time", "/settings"]),
        ("own", ["/my-time", "/settings"]),
    ],
)
def test_the_rail_shows_what_the_role_may(office: Office, name: str, rail: list[str]) -> None:
    text = office.browser(name).get("/settings").text
    nav = text[text.index('<nav class="rail"') :]
    assert re.findall(r'href="([^"]+)"', nav[: nav.index("</nav>")]) == rail


def test_the_tabs_show_what_the_role_may_and_where_one_is(clerk: Browser, office: Office) -> None:
    for browser, wanted in ((clerk, 9), (office.browser("boss"), 7), (office.browser("keeper"), 2)):
        text = browser.get("/taps").text
        nav = text[text.index('<nav class="spans tabs"') :]
        nav = nav[: nav.index("</nav>")]
        assert nav.count("<a ") == wanted
        assert re.findall(r'href="([^"]+)" aria-current="page"', nav) == ["/taps"]
        for path in re.findall(r'href="([^"]+)"', nav):
            assert browser.get(path).status_code in (200, 303), path
        rail = text[text.index('<nav class="rail"') :]
        assert re.findall(r'href="([^"]+)" aria-current="page"', rail[: rail.index("</nav>")]) == ["/attendance"]


def test_a_months_people_with_their_sums(clerk: Browser) -> None:
    html = clerk.get(f"/attendance/months/{MONTH}").text
    text = plain(html)
    assert "0012 山田 花子 総務課 ● 締められる" in text
    assert "0034 鈴木 太郎 総務課 ■ 要確認2日" in text
    # What 0012 and 0034 come to stands once, and in the sum of all.
    assert f'href="/attendance/people/0012/{MONTH}"' in html
    assert re.search(r"全員の合計 .*時間", text)
    found = re.findall(r'id="row-(\d+)"', clerk.get(f"/attendance/months/{MONTH}?sort=overtime").text)
    assert found == ["0056", "0012", "0034"]
    found = re.findall(r'id="row-(\d+)"', clerk.get(f"/attendance/months/{MONTH}?sort=open&department=soumu").text)
    assert found == ["0034", "0012"]
    now = moment(pages.now_ms()).strftime("%Y-%m")
    assert clerk.get("/attendance/months").headers["location"] == f"/attendance/months/{now}"


def test_what_is_seen_goes_out_as_files(clerk: Browser) -> None:
    text = clerk.get(f"/attendance/months/{MONTH}.csv?department=soumu").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [one["職員番号"] for one in rows] == ["0012", "0034"]
    assert (rows[0]["W125(分)"], rows[0]["W125(支給時間)"], rows[0]["手当の額"]) == ("390", "7", "16532")
    assert rows[1]["要確認の日数"] == "2"
    book = load_workbook(io.BytesIO(clerk.get(f"/attendance/months/{MONTH}.xlsx").content))
    cells = list(book.worksheets[0].iter_rows(values_only=True))
    assert [line[0] for line in cells] == ["職員番号", "0012", "0034", "0056"]


def test_the_year_against_its_limits(clerk: Browser) -> None:
    text = plain(clerk.get("/attendance/people/0056/limits/2026").text)
    assert "76時間43分" in text
    assert "45時間を超えた月 1 / 6" in text
    assert "2か月 38時間21分" in text
    text = plain(clerk.get("/attendance/limits/2026").text)
    assert "上限に近い人はいません" in text
    assert clerk.get("/attendance/limits").status_code == 303


def test_overtime_read_past_the_days_is_that_of_the_months(office: Office) -> None:
    ids, now_ms = list(office.ids.values()), pages.now_ms()
    for _ in range(2):
        told = office.town.read(lambda conn: timesheet_store.overtime(conn, ids, MONTH, now_ms))
        found = office.town.read(lambda conn: timesheet_store.fold(conn, ids, MONTH, now_ms))
        assert told == {id_: one.overtime_min for id_, one in found.items()}
        # The second time out of the cache.
        timesheet_store.warm(office.town.db, ids, MONTH, now_ms)


def test_punches_tell_whose_they_are_and_how_the_clock_was(clerk: Browser) -> None:
    text = plain(clerk.get("/taps?card=" + f"{1:032x}").text)
    assert "0012 山田 花子" in text
    held = clerk.get("/taps?before=60").text
    assert "125秒遅れていた" in plain(held) or "125秒遅れていた" in plain(clerk.get("/taps?before=110").text)


def test_without_names_the_number_is_enough(office: Office) -> None:
    from hub.staff import store as staff

    def forget(names: bool) -> None:
        office.hall.write(lambda conn: staff.keep_names(conn, kept=names))

    forget(False)
    try:
        clerk = office.browser("clerk")
        for path in ("/attendance", f"/attendance/people/0012/{MONTH}", f"/attendance/months/{MONTH}", "/taps"):
            text = plain(clerk.get(path).text)
            assert "0012" in text
            assert "山田" not in text
    finally:
        forget(True)
        for number, name in (("0012", "山田 花子"), ("0034", "鈴木 太郎"), ("0056", "高橋 一郎")):
            office.hall.write(lambda conn, n=number, t=name: staff.set_name(conn, office.ids[n], t, 0))  # type: ignore[misc]
