"""Punches of other clocks, page by page: a look, the columns, then all of it or nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub import audit, pages, shown
from hub.db import Connection
from hub.staff import store as staff
from tests.login.parts import Browser, Town
from tests.payroll.parts import NOW_MS, close, hire, result

HERE = "/attendance/punches/import"
ZK = "000123\t2026-10-05 08:24:10\t1\t255\n000123\t2026-10-05 17:20:00\t1\t255\n"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub with two people, one of them with a card."""
    town = Town(tmp_path)
    town.start()
    town.write(people)
    yield town
    town.stop()


def people(conn: Connection) -> None:
    """Two people."""
    hanako = hire(conn, "000123")
    hire(conn, "000124")
    staff.issue_card(conn, hanako, "ab" * 16, 0, NOW_MS, "test", label="C-7")


@pytest.fixture
def clerk(town: Town) -> Browser:
    """Who may enter for others."""
    town.add("jinji", "clerk")
    browser = Browser(town)
    browser.sign_in("jinji")
    return browser


def upload(browser: Browser, content: str | bytes, name: str = "clock.csv") -> httpx.Response:
    """Chooses a file and sends it, as a browser's form does."""
    body = content.encode() if isinstance(content, str) else content
    return browser._http.post(
        HERE, data={"csrf": browser.csrf()}, files={"file": (name, body)}, headers={"origin": browser._origin}
    )


def confirm(browser: Browser, looked: httpx.Response) -> httpx.Response:
    """Presses "do it" on the page of a look."""
    form = looked.text[looked.text.index("/import/do") :]
    hidden = dict(re.findall(r'name="(token|digest|unknown|at_\w+)" value="([^"]*)"', form))
    return browser.send(f"{HERE}/do", hidden)


def kept(town: Town) -> list[tuple[str, str]]:
    """What is there: time and direction."""
    rows = town.read(lambda conn: conn.execute("SELECT at_ms, direction FROM other_punch ORDER BY at_ms").fetchall())
    return [(f"{shown.moment(at_ms):%Y-%m-%d %H:%M:%S}", direction) for at_ms, direction in rows]


def test_a_file_without_headings_and_directions_comes_in_and_twice_changes_nothing(town: Town, clerk: Browser) -> None:
    """As such clocks write: tabs, no first line, 255 for no direction; its first row is a punch too."""
    # The second half says what the first one says.
    looked = upload(clerk, ZK * 2, "attlog.dat")
    assert looked.status_code == 200
    assert kept(town) == []
    assert confirm(clerk, looked).headers["location"] == f"{HERE}?n=2"
    assert kept(town) == [("2026-10-05 08:24:10", ""), ("2026-10-05 17:20:00", "")]
    again = upload(clerk, ZK * 2)
    assert "新しい打刻はありません" in again.text
    told = next(one for one in town.read(audit.entries) if one.did == "import_punches")
    assert told.what == "attlog.dat"
    assert "new 2" in told.detail


def test_a_day_a_row_in_shift_jis(town: Town, clerk: Browser) -> None:
    """Coming and going in one row, the next morning as 26:10, a day off empty."""
    text = (
        "職員番号,日付,出勤,退勤\r\n000124,2026/10/5,8:24,26:10\r\n000124,令和8年10月6日,,\r\n000124,2026/10/7,830,\r\n"
    )
    looked = upload(clerk, text.encode("cp932"))
    assert looked.status_code == 200, looked.text
    confirm(clerk, looked)
    assert kept(town) == [
        ("2026-10-05 08:24:00", "clock_in"),
        ("2026-10-06 02:10:00", "clock_out"),
        ("2026-10-07 08:30:00", "clock_in"),
    ]


def test_columns_that_nobody_could_guess_are_chosen(town: Town, clerk: Browser) -> None:
    """The page asks, and another look goes by what was chosen; cards name people too."""
    looked = upload(clerk, "x,y,z\nC-7,2026-10-05T08:24:10+09:00,出勤\n")
    assert looked.status_code == 422
    assert "列を選んでください" in looked.text
    token = re.search(r'name="token" value="([^"]+)"', looked.text)
    assert token
    seen = clerk.send(f"{HERE}/look", {"token": token[1], "at_card": "0", "at_stamp": "1", "at_direction": "2"})
    assert seen.status_code == 200, seen.text
    confirm(clerk, seen)
    assert kept(town) == [("2026-10-05 08:24:10", "clock_in")]


def test_everything_that_is_wrong_is_told_at_once_and_nothing_comes_in(town: Town, clerk: Browser) -> None:
    """Rows, columns, what stands there, what was expected."""
    ahead = shown.moment(pages.now_ms()).year + 37
    text = (
        "番号,日時,区分\n"
        "000123,2026-10-05 08:24,出勤\n"
        "123,2026-10-05 08:24,出勤\n"
        "000123,2000-01-01 00:00:12,出勤\n"
        f"000123,{ahead}-01-01 00:00,退勤\n"
        "000123,2026-02-30 08:00,退勤\n"
        "000123,2026-10-05 08:24,昼\n"
        "000123\n"
    )
    looked = upload(clerk, text)
    assert looked.status_code == 422
    rows = re.findall(r"<tr><td class=\"number\"[^>]*>(\d+)</td><td[^>]*>(\w*)</td>", looked.text)
    assert rows == [("3", "A"), ("4", "B"), ("5", "B"), ("6", "B"), ("7", "C"), ("8", "B")]
    for words in ("先頭の0も番号のうち", "電池切れ", "時計が進んでいます", "8:24、08:24:10", "出勤・退勤・in・out"):
        assert words in looked.text
    assert "/import/do" not in looked.text
    assert kept(town) == []


def test_unknown_numbers_may_be_left_out_when_somebody_says_so(town: Town, clerk: Browser) -> None:
    """Not by itself."""
    looked = upload(clerk, "番号,日時\n000123,2026-10-05 08:24\n999,2026-10-05 08:24\n")
    assert looked.status_code == 422
    token = re.search(r'name="token" value="([^"]+)"', looked.text)
    assert token
    seen = clerk.send(f"{HERE}/look", {"token": token[1], "at_number": "0", "at_stamp": "1", "unknown": "leave"})
    assert seen.status_code == 200
    assert confirm(clerk, seen).headers["location"] == f"{HERE}?n=1"


def test_a_closed_month_says_that_it_becomes_an_adjustment_and_worked_out_months_are_marked(
    town: Town, clerk: Browser
) -> None:
    """The close itself stays as it is."""

    def closed(conn: Connection) -> None:
        close(conn, {1: result({"W125": 60}), 2: result({})})
        conn.execute("INSERT INTO timesheet (staff_id, month, inputs, body, made_ms) VALUES (1, '2026-10', '', '', 0)")

    town.write(closed)
    looked = upload(clerk, ZK)
    assert looked.status_code == 200
    assert "締めた月(調整になる)" in looked.text
    confirm(clerk, looked)
    assert town.read(lambda conn: conn.execute("SELECT * FROM timesheet_stale").fetchall()) == [(1, "2026-10")]


def test_what_changed_meanwhile_is_looked_at_again(town: Town, clerk: Browser) -> None:
    """Done twice from two pages: the second has nothing left to do, and says so."""
    first, second = upload(clerk, ZK), None
    town.add("other", "clerk")
    other = Browser(town)
    other.sign_in("other")
    second = upload(other, ZK)
    confirm(clerk, first)
    assert confirm(other, second).status_code == 409
    assert len(kept(town)) == 2
    assert confirm(clerk, first).status_code == 410


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "空です"),
        (b"\x81\xff\xfe\x00", "文字として読めません"),
        (b"PK\x03\x04....", "CSVで保存し直して"),
        (b"\n\n", "空です"),
    ],
)
def test_files_that_are_none(clerk: Browser, town: Town, content: bytes, says: str) -> None:
    """One sentence, and nothing changes."""
    answer = upload(clerk, content)
    assert answer.status_code == 422
    assert says in answer.text
    assert kept(town) == []
