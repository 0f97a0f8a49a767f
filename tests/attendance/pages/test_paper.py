"""The papers: text that can be read, the same bytes each time, with the town's font and without."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pypdf import PdfReader

from hub import pages
from hub.attendance import closing, explain, paper
from hub.attendance.timesheet import Timesheet, timesheet
from hub.db import Connection
from hub.staff import store as staff
from tests.attendance.pages.conftest import Office
from tests.attendance.pages.filled import MONTH
from tests.attendance.pages.test_month import plain
from tests.login.parts import Browser

PERSON = f"/attendance/people/0012/{MONTH}"


def read(content: bytes) -> str:
    """All text of a PDF in one line."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def test_a_month_as_a_paper(clerk: Browser) -> None:
    answer = clerk.get(f"{PERSON}.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert "0012-2026-10.pdf" in answer.headers["content-disposition"]
    text = read(answer.content)
    for part in (
        "2026年10月 勤務表 0012 山田 花子",
        "10月1日 (木)",
        "22:47",
        "W125 4時間30分",
        "まだ締めていない月です",
        "1ページ",
    ):
        assert part in text, part
    # A line of the paper may be broken anywhere.
    whole = text.replace(" ", "")
    assert "250,000円×12か月÷(38.75時間×52週−7.75時間×休日20日)" in whole
    assert "7時間×2,016円=14,112円" in whole
    first = PdfReader(io.BytesIO(answer.content)).pages[0].mediabox
    assert (round(float(first.width)), round(float(first.height))) == (842, 595)


def test_a_day_as_a_paper(clerk: Browser, office: Office) -> None:
    whole = read(clerk.get(f"{PERSON}/2026-10-01.pdf").content).replace(" ", "")
    for part in ("17:30–22:00", "給与法16条1項1号", "直前と同じ打刻", "承認ずみboss", "terminal-2"):
        assert part in whole, part
    own = office.browser("own")
    assert own.get(f"/my-time/{MONTH}/2026-10-01.pdf").content == clerk.get(f"{PERSON}/2026-10-01.pdf").content
    assert own.get(f"/my-time/{MONTH}.pdf").content == clerk.get(f"{PERSON}.pdf").content
    empty = read(clerk.get(f"{PERSON}/2026-10-03.pdf").content)
    assert "この日の打刻はありません" in empty


def test_a_paper_in_english(office: Office) -> None:
    sheet = _sheet(office)
    text = read(paper.month_paper(sheet, explain.units(sheet), "en"))
    assert "2026-10 Timesheet 0012" in text
    assert "7 h × ¥2,016 = ¥14,112" in text


def test_the_same_month_gives_the_same_bytes_also_side_by_side(office: Office) -> None:
    sheet = _sheet(office)
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: paper.month_paper(sheet, explain.units(sheet), "ja"), range(8)))
    assert len(made) == 1


def test_without_the_font_file_the_readers_own_font_is_named(office: Office) -> None:
    sheet = _sheet(office)
    made = paper.month_paper(sheet, explain.units(sheet), "ja", (Path("/nowhere/ipaexg.ttf"),))
    assert b"HeiseiKakuGo-W5" in made
    assert b"IPAexGothic" not in made
    assert made == paper.month_paper(sheet, explain.units(sheet), "ja", (Path("/nowhere/ipaexg.ttf"),))
    assert b"IPAexGothic" in paper.month_paper(sheet, explain.units(sheet), "ja")


def test_a_closed_month_carries_its_hash_and_tells_when_it_has_changed(office: Office, clerk: Browser) -> None:
    """A month that is closed is shown as it was closed, whatever came since."""
    hall, number = office.hall, "0077"
    id_ = hall.person(number, card=7)
    hall.month(7, "2026-04", holidays=(29,))
    now_ms = pages.now_ms()

    def close(conn: Connection) -> str:
        for one in office.ids.values():
            conn.execute("UPDATE staff SET since = '2026-05-01' WHERE id = ?", (one,))
        found = closing.look(conn, "2026-04", now_ms)
        done = closing.close(conn, "2026-04", found.fingerprint, now_ms, "clerk")
        assert not isinstance(done, str), done
        return done.hash

    hashed = hall.write(close)
    try:
        path = f"/attendance/people/{number}/2026-04"
        assert hashed in clerk.get(path).text
        text = read(clerk.get(f"{path}.pdf").content)
        assert hashed in text.replace(" ", "")
        assert "今の計算は締めた内容と違います" not in clerk.get(path).text
        hall.order(id_, "2026-04-08 17:30", "2026-04-08 20:00")
        hall.tap(7, "2026-04-08 20:05")
        changed = clerk.get(path).text
        assert "今の計算は締めた内容と違います" in changed
        # It still shows what was paid.
        assert "W125" not in plain(changed)
        assert "W125" not in plain(clerk.get("/attendance/months/2026-04").text)
        hall.write(_book)
        booked = clerk.get(f"/attendance/people/{number}/2026-05").text
        assert "前の月の差額" in booked
        assert "第2版" in clerk.get(path).text
        assert "前の月の差額" in read(clerk.get(f"/attendance/people/{number}/2026-05.pdf").content)
    finally:
        hall.write(lambda conn: conn.execute("UPDATE staff SET since = '2026-04-01'"))


def _book(conn: Connection) -> None:
    found = closing.look(conn, "2026-04", pages.now_ms())
    done = closing.book(conn, "2026-04", found.fingerprint, pages.now_ms(), "clerk")
    assert not isinstance(done, str), done


def _sheet(office: Office) -> Timesheet:
    def gather(conn: Connection) -> Timesheet | None:
        member = staff.by_number(conn, "0012")
        assert member is not None
        return timesheet(conn, member, MONTH, pages.now_ms())

    found = office.town.read(gather)
    assert found is not None
    return found
