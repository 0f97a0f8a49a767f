"""A person's month and its days by real requests: figures, reasons, entries, and who may see them."""

import re
from html import unescape

import pytest

from tests.attendance.pages.conftest import Office
from tests.attendance.pages.filled import MONTH
from tests.login.parts import Browser

PERSON = f"/attendance/people/0012/{MONTH}"


def plain(html: str) -> str:
    """What a page says, without its marks, in one line."""
    body = re.sub(r"<(script|style).*?</\1>|<pattern.*?</pattern>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def row(html: str, day: str) -> str:
    """One day's row of a month."""
    found = re.search(rf'<tr id="d{int(day[-2:])}".*?</tr>', html, re.DOTALL)
    assert found
    return plain(found[0])


def test_a_month_tells_each_day_and_the_sums(clerk: Browser) -> None:
    html = clerk.get(PERSON).text
    text = plain(html)
    first = row(html, "2026-10-01")
    for part in (
        "8:21",
        "22:47",
        "14時間26分",
        "7時間45分",
        "5時間17分",
        "W125 4時間30分",
        "W150 0時間47分",
        "二つの打刻機",
    ):
        assert part in first, part
    assert "休息が11時間未満" in row(html, "2026-10-02")
    assert "修正ずみ" in row(html, "2026-10-07")
    assert "スポーツの日" in row(html, "2026-10-12")
    assert "打刻機の時計がずれていた" in row(html, "2026-10-13")
    assert "年次有給休暇" in row(html, "2026-10-15")
    assert "命令のない在庁が長い" in row(html, "2026-10-19")
    assert "振替で休み" in row(html, "2026-10-22")
    assert "振替で勤務" in row(html, "2026-10-24")
    # Sums by class: minutes, hours, yen.
    assert "W125 時間外(平日) 125/100 6時間30分 7時間 2,016円 14,112円" in text
    assert "W150 時間外(平日・深夜) 150/100 0時間47分 1時間 2,420円 2,420円" in text
    assert "16,532円" in text


def test_the_units_formula_has_its_numbers_in_it(clerk: Browser) -> None:
    text = plain(clerk.get(PERSON).text)
    assert "250,000円 × 12か月 ÷ (38.75時間 × 52週 − 7.75時間 × 休日20日) = 250,000 × 12 ÷ 1,860 = 1,612.90円" in text
    assert "1,613円 × 125/100 = 2,016.25円 → 2,016円" in text
    assert "月の合計 390分 = 6時間30分。端数30分は30分以上なので1時間にして 7時間" in text
    assert "月の合計 47分 = 0時間47分。端数47分は30分以上なので1時間にして 1時間" in text
    assert "7時間 × 2,016円 = 14,112円" in text


def test_open_days_come_first_with_a_button_to_their_correction(clerk: Browser, office: Office) -> None:
    html = clerk.get(f"/attendance/people/0034/{MONTH}").text
    assert "確認が必要な日が2日あります" in html
    for day in ("2026-10-05", "2026-10-09"):
        assert f'href="/attendance/requests/new?number=0034&amp;kind=correction&amp;day={day}"' in html
    # Whoever only looks has no button.
    assert "requests/new" not in office.browser("boss").get(f"/attendance/people/0034/{MONTH}").text
    # The address that the button has is a page.
    answer = clerk.get("/attendance/requests/new?number=0034&kind=correction&day=2026-10-05")
    assert answer.status_code == 200
    assert "0034" in answer.text


def test_ones_own_month_is_the_same_page_at_ones_own_address(office: Office, clerk: Browser) -> None:
    own = office.browser("own")
    answer = own.get(f"/my-time/{MONTH}")
    assert answer.status_code == 200
    assert row(answer.text, "2026-10-01") == row(clerk.get(PERSON).text, "2026-10-01")
    assert f'href="/my-time/{MONTH}/2026-10-01"' in answer.text
    assert "/attendance/" not in re.sub(r'<nav class="rail".*?</nav>|attendance\.css', "", answer.text, flags=re.DOTALL)
    assert own.get(f"/my-time/{MONTH}/2026-10-01").status_code == 200
    assert own.get("/my-time/limits/2026").status_code == 200
    assert own.get(PERSON).status_code == 403
    assert own.get(f"{PERSON}/2026-10-01").status_code == 403


def test_whoever_is_no_staff_member_is_told_so(office: Office) -> None:
    nobody = office.browser("nobody")
    for path in (f"/my-time/{MONTH}", "/my-time/limits/2026"):
        assert "職員番号" in nobody.get(path).text
    for path in (f"/my-time/{MONTH}.pdf", f"/my-time/{MONTH}/2026-10-01", f"/my-time/{MONTH}/2026-10-01.pdf"):
        assert nobody.get(path).headers["location"] == f"/my-time/{MONTH}"


def test_a_day_tells_every_minute_its_rule_and_the_entries(clerk: Browser) -> None:
    text = plain(clerk.get(f"{PERSON}/2026-10-01").text)
    for part in (
        "8:21 –8:30 9分",
        "17:30 –22:00 270分",
        "22:00 –22:47 47分",
        "給与法16条1項1号",
        "労働基準法34条",
        # The tap at another terminal three seconds later, which does not count.
        "terminal-2",
        "直前と同じ打刻なので数えない",
        # The order, by whom and approved by whom.
        "時間外勤務 申請",
        "clerk",
        "承認ずみ boss",
        "この日までに 0時間00分、この日に 5時間17分、あわせて 5時間17分",
    ):
        assert part.replace(" –", "–") in text.replace(" –", "–"), part


def test_a_slow_clock_is_told_with_raw_and_true_time(clerk: Browser) -> None:
    text = plain(clerk.get(f"{PERSON}/2026-10-13").text)
    assert "2026年10月13日(火) 08:22:00 2026年10月13日(火) 08:19:55 ▲ 125秒遅れていた" in text


def test_a_correction_is_told_beside_what_it_put_right(clerk: Browser) -> None:
    text = plain(clerk.get(f"{PERSON}/2026-10-07").text)
    assert "修正ずみ" in text
    assert "打刻修正 申請" in text
    assert "17:20" in text


def test_a_night_over_midnight_is_cut_there_and_past_sixty_hours_is_told(clerk: Browser) -> None:
    person = f"/attendance/people/0056/{MONTH}"
    html = clerk.get(f"{person}/2026-10-09").text
    text = plain(html)
    assert "22:00–0:00 翌日" in text
    assert "0:00 翌日 –2:00 翌日" in text.replace("翌日–", "翌日 –")
    assert "H160" in text
    assert "60時間00分を超えたので" in plain(clerk.get(f"{person}/2026-10-13").text)
    # The bar's parts of each row, and the night behind them.
    svg = html[html.index('<svg class="large-bar"') :]
    svg = svg[: svg.index("</svg>")]
    assert svg.count('fill="url(#pat-present)"') == 1
    assert svg.count('fill="url(#pat-H160)"') == 1
    assert svg.count('class="night"') == 2


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/attendance/people/9999/{MONTH}", 404),
        (f"/attendance/people/9999/{MONTH}.pdf", 404),
        ("/attendance/people/0012/2026-13", 400),
        ("/attendance/people/0012/october", 400),
        (f"{PERSON}/2026-10-32", 404),
        (f"{PERSON}/2026-11-01", 404),
        (f"{PERSON}/yesterday", 400),
        ("/attendance/people/0012/2020-01/2020-01-01", 404),
        ("/attendance/people/0012/2020-01.pdf", 404),
        ("/attendance/people/9999/limits/2026", 404),
        ("/attendance/people/0012/limits/last", 400),
        ("/attendance/limits/1900", 400),
        ("/attendance/months/2026-00", 400),
        (f"/attendance/months/{MONTH}?sort=colour", 400),
        (f"/attendance/months/{MONTH}?page=0", 400),
    ],
)
def test_a_wrong_address_is_told(clerk: Browser, path: str, code: int) -> None:
    assert clerk.get(path).status_code == code


def test_before_somebody_came_the_page_says_since_when_they_are_here(clerk: Browser) -> None:
    text = clerk.get("/attendance/people/0012/2020-01").text
    assert "この月は在籍していません" in text
    assert "2026年4月1日" in text
    assert 'href="/attendance/people/0012/2026-04"' in text


def test_english_is_complete(clerk: Browser) -> None:
    clerk.get("/language/en?next=/settings")
    try:
        text = plain(clerk.get(PERSON).text)
        assert "¥250,000 × 12 ÷ (38.75 h × 52 − 7.75 h × 20 holidays) = 250,000 × 12 ÷ 1,860 = ¥1,612.90" in text
        assert "W125 4 h 30 min" in row(clerk.get(PERSON).text, "2026-10-01")
        assert "Salary Act art. 16(1)(1)" in plain(clerk.get(f"{PERSON}/2026-10-01").text)
        for path in ("/attendance", f"/attendance/months/{MONTH}", "/attendance/limits/2026"):
            left = re.findall(r"[ぁ-んァ-ヶ一-龥]+", plain(clerk.get(path).text))
            assert set(left) <= {"街", "日本語", "山田", "花子", "鈴木", "太郎", "高橋", "一郎", "総務課", "建設課"}, (
                path
            )
    finally:
        clerk.get("/language/ja?next=/settings")
