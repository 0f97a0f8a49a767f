"""Files of staff, cards and shifts: each row's fate, bad input, and that nothing is half done."""

import io
import re
from datetime import date

import pytest
from openpyxl import Workbook, load_workbook

from hub import audit
from hub.db import Connection
from hub.staff import acts, store
from hub.staff.terms import Hours, Terms
from tests.login.parts import Browser, Town
from tests.staff.parts import confirm, punch, somebody, upload

DAY = date(2026, 4, 1)
HEAD = "職員番号,採用日,所属,任用,勤務時間,月額給料(円),適用日\n"


def _fates(html: str) -> list[str]:
    rows = re.findall(r'<td data-label="どうなるか">(.*?)</td>', html)
    return [str(row) for row in rows]


def _wrongs(html: str) -> list[tuple[str, str]]:
    """Row and what was expected."""
    rows = re.findall(r'data-label="行">(\d+)</td>.*?data-label="求める値">(.*?)</td>', html, re.DOTALL)
    return [(str(row), str(text)) for row, text in rows]


def _numbers(town: Town) -> list[str]:
    return [one.number for one in town.read(store.members).values()]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932"])
def test_staff_from_a_file(town: Town, clerk: Browser, encoding: str) -> None:
    text = (
        HEAD
        + '0012,2026/4/1,総務課,フルタイム,8:30-17:15,"250,000",\n0013,令和8年4月1日,税務課,パートタイム,シフト,,\n'
    )
    look = upload(town, clerk, "/staff/import/staff", text.encode(encoding))
    assert look.status_code == 200
    assert _fates(look.text) == ["新規", "新規"]
    assert "新しく作る所属: 総務課、税務課" in look.text
    assert _numbers(town) == []
    done = confirm(clerk, "staff", look)
    assert done.headers["location"] == "/staff/import?did=staff&n=2"
    found = list(town.read(store.members).values())
    assert [(one.number, one.since) for one in found] == [("0012", DAY), ("0013", DAY)]
    hours = (*(Hours(510, 1035),) * 5, None, None)
    assert found[0].terms == (Terms(since=DAY, department="総務課", week=hours, monthly_base_yen=250_000),)
    assert found[1].terms == (Terms(since=DAY, department="税務課", kind="part_time", shifts=True),)
    assert town.did()[-5:] == ["department", "department", "staff_add", "staff_add", "import_staff"]
    # The same once more changes nothing.
    again = upload(town, clerk, "/staff/import/staff", text.encode(encoding))
    assert _fates(again.text) == ["変わりません", "変わりません"]
    assert "変わる行はありません" in again.text


def test_what_changes_is_shown_before_and_after(town: Town, clerk: Browser) -> None:
    town.write(lambda conn: somebody(conn, "0012", monthly_base_yen=250_000))
    town.write(lambda conn: somebody(conn, "0013"))
    head = "職員番号,月額給料(円),適用日,退職日\n"
    look = upload(town, clerk, "/staff/import/staff", (head + "0012,260000,2026-10-01,\n0013,,,2026-12-31\n").encode())
    assert _fates(look.text) == ["変更", "変更"]
    assert "250000 → <strong>260000</strong>" in look.text
    confirm(clerk, "staff", look)
    changed, left = town.read(store.members).values()
    assert [(one.since, one.monthly_base_yen) for one in changed.terms] == [
        (DAY, 250_000),
        (date(2026, 10, 1), 260_000),
    ]
    assert left.left == date(2026, 12, 31)
    # What somebody earns is not in the audit log, nor is anybody's name.
    assert "260000" not in str(town.read(audit.entries))
    # An emptied day takes the leaving back.
    undo = upload(town, clerk, "/staff/import/staff", "職員番号,退職日\n0013,\n".encode())
    confirm(clerk, "staff", undo)
    assert [one.left for one in town.read(store.members).values()] == [None, None]


_WRONG_ROWS: list[tuple[str, list[tuple[str, str]]]] = [
    ("0012,2026-04-01,,,,,\n0012,2026-04-01,,,,,\n", [("3", "ほかの行にないもの(2行目と同じです)")]),
    (",2026-04-01,,,,,\n", [("2", "空欄でないこと")]),
    ("0012,,,,,,\n", [("2", "採用日(この番号の職員はまだいません)")]),
    ("0012,4月1日,,,,,\n", [("2", "日付(2026/4/1、2026-04-01、令和8年4月1日)")]),
    ("0012,平成32年4月1日,,,,,\n", [("2", "日付(2026/4/1、2026-04-01、令和8年4月1日)")]),
    ("0012,2026-04-01,,バイト,,,\n", [("2", "フルタイムかパートタイム")]),
    ("0012,2026-04-01,,,朝から,,\n", [("2", "8:30-17:15 のような時間(24時間未満)か「休」")]),
    ("0012,2026-04-01,,,,25万,\n", [("2", "円の整数(10,000,000円まで)")]),
    ("0012,2026-04-01,,,,,2026-03-31\n", [("2", "2026-04-01以後の日")]),
    ("0007,2026-04-02,,,,,\n", [("2", "採用日は2026-04-01のまま")]),
    ("0007,,,,9:00-16:00,,\n", [("2", "適用日(勤務条件が変わるため)")]),
    ("7,2026-04-01,,,,,\n", [("2", "0007 のことなら先頭の0を付けてください")]),
    ("0012,x,,バイト,,,\n0013,,,,,,\n", [("2", "日付"), ("3", "採用日")]),
]


def test_while_anything_is_wrong_nothing_is_taken_in(town: Town, clerk: Browser) -> None:
    town.write(lambda conn: somebody(conn, "0007"))
    for rows, wrongs in _WRONG_ROWS:
        _check_wrong_rows(town, clerk, rows, wrongs)


def _check_wrong_rows(town: Town, clerk: Browser, rows: str, wrongs: list[tuple[str, str]]) -> None:
    look = upload(town, clerk, "/staff/import/staff", (HEAD + "0099,2026-04-01,新しい課,,,,\n" + rows).encode())
    assert look.status_code == 422
    found = _wrongs(look.text)
    assert len(found) == len(wrongs)
    for (row, text), (wanted_row, wanted) in zip(found, wrongs, strict=True):
        # The good row stands before them.
        assert int(row) == int(wanted_row) + 1
        assert wanted.replace("2行目", "3行目") in text
    assert _numbers(town) == ["0007"]
    assert town.read(store.departments) == []
    assert town.read(lambda conn: conn.execute("SELECT count(*) FROM draft").fetchone()) == (0,)


def test_a_file_that_is_no_table(town: Town, clerk: Browser) -> None:
    for content, sentence, name in (
        (
            "職員番号,採用日\n0012,2026-04-01\n髙\n".encode("euc_jp", "ignore") + b"\xff\xfe\xff",
            "文字として読めません",
            "x.csv",
        ),
        (b"", "ファイルが空です", "x.csv"),
        (b"a,b\n1,2\n", "「職員番号」の見出しがありません", "x.csv"),
        (b"\xd0\xcf\x11\xe0old", "古いExcel形式", "x.xls"),
        (b"PK\x03\x04broken", "ファイルを読めません", "x.xlsx"),
    ):
        answer = upload(town, clerk, "/staff/import/staff", content, name)
        assert answer.status_code == 422, sentence
        assert sentence in answer.text
    assert upload(town, clerk, "/staff/import/staff", b"x" * 5_200_000).status_code == 413
    assert upload(town, clerk, "/staff/import/cards", b"a,b\n1,2\n").status_code == 422
    assert upload(town, clerk, "/staff/import/shifts", "職員番号,b\n1,2\n".encode()).status_code == 422
    assert upload(town, clerk, "/staff/import/cats", b"a,b\n1,2\n").status_code == 404
    assert _numbers(town) == []


def _xlsx(rows: list[list[object]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_spreadsheet_that_lost_its_zeros_is_told(town: Town, clerk: Browser) -> None:
    content = _xlsx([["職員番号", "採用日"], ["0101", date(2026, 4, 1)], [12, date(2026, 4, 1)]])
    look = upload(town, clerk, "/staff/import/staff", content, "staff.xlsx")
    assert look.status_code == 200
    assert "先頭の0を消していないか" in look.text
    assert "3行目" in look.text
    formula = _xlsx([["職員番号", "採用日"], ["=1+1", date(2026, 4, 1)]])
    assert "式ではなく値" in upload(town, clerk, "/staff/import/staff", formula, "staff.xlsx").text


def test_what_was_looked_at_is_what_is_done(town: Town, clerk: Browser) -> None:
    look = upload(town, clerk, "/staff/import/staff", (HEAD + "0012,2026-04-01,,,,,\n").encode())
    town.write(lambda conn: somebody(conn, "0012", date(2026, 5, 1)))
    answer = confirm(clerk, "staff", look)
    assert answer.status_code == 409
    assert "確かめたあとに登録が変わりました" in answer.text
    # Nothing is wrong with it now, but it would change something else than what was looked at.
    look = upload(town, clerk, "/staff/import/staff", "職員番号,時間単価(円),適用日\n0012,1500,2026-10-01\n".encode())
    town.write(
        lambda conn: acts.set_terms(conn, 0, "sachi", _first(town), Terms(since=date(2026, 6, 1), unit_yen=1400))
    )
    answer = confirm(clerk, "staff", look)
    assert answer.status_code == 409
    assert "1400 → <strong>1500" in answer.text
    assert [one.unit_yen for one in _first(town).terms] == [None, 1400]
    assert confirm(clerk, "staff", answer).status_code == 303
    assert clerk.send("/staff/import/staff/do", {"token": "x", "digest": "y"}).status_code == 410
    assert clerk.send("/staff/import/cats/do", {"token": "x", "digest": "y"}).status_code == 404
    # Another's file is not mine.
    town.add("jiro", "clerk")
    other = Browser(town)
    other.sign_in("jiro")
    again = upload(town, clerk, "/staff/import/staff", (HEAD + "0013,2026-04-01,,,,,\n").encode())
    assert confirm(other, "staff", again).status_code == 410
    assert confirm(clerk, "staff", again).status_code == 303


def test_names_and_pay_come_in_only_where_they_may(town: Town, clerk: Browser, officer: Browser) -> None:
    named = "職員番号,氏名,採用日\n0012,山田 花子,2026-04-01\n".encode()
    look = upload(town, clerk, "/staff/import/staff", named)
    assert _wrongs(look.text) == [("2", "空欄(氏名を保存しない設定です)")]
    assert "山田" not in look.text
    town.write(lambda conn: acts.keep_names(conn, 0, "sachi", kept=True))
    confirm(clerk, "staff", upload(town, clerk, "/staff/import/staff", named))
    assert [one.name for one in town.read(store.members).values()] == ["山田 花子"]
    assert "山田" not in str(town.read(audit.entries))
    paid = "職員番号,月額給料(円),適用日\n0012,250000,2026-05-01\n".encode()
    look = upload(town, officer, "/staff/import/staff", paid)
    assert _wrongs(look.text) == [("2", "空欄(あなたの役割では給与を扱えません)")]
    town.write(lambda conn: acts.set_terms(conn, 0, "sachi", _first(town), Terms(since=DAY, unit_yen=9), corrects=True))
    moved = "職員番号,月額給料(円),勤務時間,適用日\n0012,,9:00-16:00,2026-05-01\n".encode()
    confirm(officer, "staff", upload(town, officer, "/staff/import/staff", moved))
    assert [one.unit_yen for one in _first(town).terms] == [9, 9]


def _first(town: Town) -> store.Member:
    return next(iter(town.read(store.members).values()))


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_goes_out_comes_in_again_and_changes_nothing(town: Town, clerk: Browser, form: str, language: str) -> None:
    def fill(conn: Connection) -> None:
        acts.keep_names(conn, 0, "sachi", kept=True)
        store.add_department(conn, "010", "総務課")
        one = somebody(conn, "0012", department="010", monthly_base_yen=250_000, office="other_directed")
        store.set_name(conn, one, "=cmd", 0)
        two = somebody(conn, "0013", kind="part_time", week=(Hours(540, 960), *(None,) * 6), hourly_yen=1100)
        store.leave(conn, two, date(2026, 12, 31), 0)
        three = somebody(conn, "0014", shifts=True, tracked=False)
        somebody(conn, "0015", week=(None,) * 7)
        store.set_days(conn, three, {date(2026, 11, 1): Hours(1320, 1860), date(2026, 11, 2): None}, 0, "sachi")
        punch(conn, "a" * 32, 1000, "genkan")
        punch(conn, "b" * 32, 1000, "genkan")
        acts.issue(conn, 5, "sachi", store.members(conn)[one], "b" * 32, 2, label="17")

    town.write(fill)
    clerk.get(f"/language/{language}")
    for kind, rows in (("staff", 4), ("cards", 2), ("shifts", 1)):
        out = clerk.get(f"/staff/file/{kind}?form={form}&month=2026-11")
        assert out.status_code == 200
        assert f'.{form}"' in out.headers["content-disposition"]
        look = upload(town, clerk, f"/staff/import/{kind}", out.content, f"{kind}.{form}")
        assert look.status_code == 200, look.text
        assert _same(look.text) == rows, kind
    empty = clerk.get("/staff/file/staff?rows=none")
    assert load_workbook(io.BytesIO(empty.content)).worksheets[0].max_row == 1
    assert clerk.get("/staff/file/staff?form=pdf").status_code == 400
    assert clerk.get("/staff/file/shifts?month=13").status_code == 400
    assert clerk.get("/staff/file/cats").status_code == 404


def _same(html: str) -> int:
    return len(re.findall(r">(?:変わりません|the same)</td>", html))


def test_an_officer_gets_no_pay(town: Town, officer: Browser, clerk: Browser) -> None:
    town.write(lambda conn: somebody(conn, "0012", monthly_base_yen=251_234))
    assert "251234" in clerk.get("/staff/file/staff?form=csv").text
    assert "251234" not in officer.get("/staff/file/staff?form=csv").text
    assert "月額" not in officer.get("/staff/file/staff?form=csv").text


# ---- cards


def test_cards_from_a_file(town: Town, clerk: Browser) -> None:
    def fill(conn: Connection) -> None:
        for number in ("0012", "0013"):
            somebody(conn, number)
        for token in ("a", "b", "c"):
            punch(conn, token * 32, 1000, "genkan")
        acts.issue(conn, 2000, "sachi", store.members(conn)[2], "c" * 32, 1500, label="99")

    town.write(fill)
    head = "カード番号の先頭8桁,カードの表示番号,職員番号,使い始め\n"
    text = head + "aaaaaaaa,17,0012,\nBBBBBBBB,18,0013,2026-11-01\n,99,0012,\n"
    look = upload(town, clerk, "/staff/import/cards", text.encode(), "cards.csv")
    assert _fates(look.text) == ["新規", "新規", "変更"], look.text
    confirm(clerk, "cards", look)
    held = {card.token[0]: card for card in town.read(store.cards) if card.until_ms is None}
    assert {sign: (card.staff_id, card.label) for sign, card in held.items()} == {
        "a": (1, "17"),
        "b": (2, "18"),
        "c": (1, "99"),
    }
    # Its earlier taps are theirs too, unless the file says from when on.
    assert held["a"].from_ms == 1000
    assert held["b"].from_ms == 1_793_458_800_000
    label = upload(town, clerk, "/staff/import/cards", "カード番号の先頭8桁,カードの表示番号\naaaaaaaa,20\n".encode())
    confirm(clerk, "cards", label)
    assert town.read(lambda conn: store.holdings(conn, "a" * 32))[-1].label == "20"


_WRONG_CARDS = [
    ("aaaa,,0012,", "端末でタッチしたことのあるカード"),
    ("dddddddd,,0012,", "端末でタッチしたことのあるカード"),
    ("aaaaaaaa,,0099,", "登録ずみの職員番号"),
    ("aaaaaaaa,,12,", "0012 のことなら先頭の0を付けてください"),
    ("aaaaaaaa,17,,", "登録ずみの職員番号"),
    ("cccccccc,,0012,1970-01-01", "前の持ち主の使い始めより後の日"),
    ("aaaaaaaa,,0012,11/1", "日付"),
    (",,0012,", "端末でタッチしたことのあるカード"),
    ("aaaaaaaa,,0012,\naaaaaaaa,,0013,", "ほかの行にないもの(2行目と同じです)"),
]


def test_a_card_that_cannot_be_given(town: Town, clerk: Browser) -> None:
    def fill(conn: Connection) -> None:
        for number in ("0012", "0013"):
            somebody(conn, number)
        punch(conn, "a" * 32, 1000, "genkan")
        acts.issue(conn, 2000, "sachi", store.members(conn)[2], "c" * 32, 1500)

    town.write(fill)
    for row, expected in _WRONG_CARDS:
        text = "カード番号の先頭8桁,カードの表示番号,職員番号,使い始め\n" + row + "\n"
        look = upload(town, clerk, "/staff/import/cards", text.encode())
        assert look.status_code == 422, row
        [(_, found)] = _wrongs(look.text)
        assert expected in found
    assert [card.staff_id for card in town.read(store.cards)] == [2]


# ---- shifts


def test_shifts_from_a_long_and_from_a_wide_table(town: Town, clerk: Browser) -> None:
    town.write(lambda conn: somebody(conn, "0012", shifts=True))
    long = "職員番号,日,時間\n0012,2026/11/1,22:00-7:00\n0012,2026/11/2,休\n0012,2026/11/3,\n"
    look = upload(town, clerk, "/staff/import/shifts", long.encode())
    assert _fates(look.text) == ["新規", "新規", "変わりません"], look.text
    confirm(clerk, "shifts", look)
    wide = "職員番号,2026-11-01,2026-11-02,2026-11-03\n0012,8:30-17:15,休,13:00-21:45\n"
    look = upload(town, clerk, "/staff/import/shifts", wide.encode())
    assert _fates(look.text) == ["変更"]
    assert "22:00-31:00 → <strong>8:30-17:15" in look.text
    confirm(clerk, "shifts", look)
    found = town.read(lambda conn: store.assigned(conn, [1], date(2026, 11, 1), date(2026, 11, 30)))
    days = (date(2026, 11, n) for n in (1, 2, 3))
    assert found == {1: tuple(zip(days, (Hours(510, 1035), None, Hours(780, 1305)), strict=True))}


_WRONG_SHIFTS = [
    ("職員番号,日,時間\n0012,2026-11-01,早番\n", "8:30-17:15 のような時間"),
    ("職員番号,日,時間\n0012,,8:30-17:15\n", "日付"),
    ("職員番号,日,時間\n0099,2026-11-01,休\n", "登録ずみの職員番号"),
    ("職員番号,日,時間\n0013,2026-11-01,休\n", "この日に勤務割で働く職員"),
    ("職員番号,日,時間\n0012,2026-03-31,休\n", "この日に勤務割で働く職員"),
    ("職員番号,日,時間\n0012,2026-11-01,休\n0012,2026/11/1,休\n", "ほかの行にないもの(2行目と同じです)"),
    ("職員番号,2026-11-01\n0012,早番\n", "8:30-17:15 のような時間"),
]


def test_shifts_that_cannot_be(town: Town, clerk: Browser) -> None:
    town.write(lambda conn: somebody(conn, "0012", shifts=True))
    town.write(lambda conn: somebody(conn, "0013"))
    for text, expected in _WRONG_SHIFTS:
        look = upload(town, clerk, "/staff/import/shifts", text.encode())
        assert look.status_code == 422, text
        [(_, found)] = _wrongs(look.text)
        assert expected in found
    assert town.read(lambda conn: store.assigned(conn, [1, 2], date.min, date.max)) == {}
