"""Pages of payroll files, in a real hub: a month, its file, the same again, letters, layouts, a parallel run."""

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub import audit
from hub.attendance import close_store
from hub.db import Connection
from hub.payroll import store
from hub.staff import store as staff
from tests.login.parts import Browser, Town
from tests.payroll.parts import MONTH, close, hire, result

NAMES = ("山田 花子", "𠮷野 次郎")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub."""
    town = Town(tmp_path)
    town.start()
    yield town
    town.stop()


@pytest.fixture
def clerk(town: Town) -> Browser:
    """Who sees to the payroll."""
    town.add("kyuyo", "clerk")
    browser = Browser(town)
    browser.sign_in("kyuyo")
    return browser


def october(conn: Connection, *names: str) -> None:
    """Two people and their closed October."""
    names = names or ("", "")
    ids = [hire(conn, number, name) for number, name in zip(("000123", "000124"), names, strict=True)]
    close(conn, {ids[0]: result({"W125": 270, "W150": 47}), ids[1]: result({"W125": 3600, "X150": 30})})


def take(browser: Browser, layout: str = "generic", month: str = MONTH) -> httpx.Response:
    """The file of a month."""
    return browser.send("/payroll/file", {"month": month, "layout": layout})


def compare(browser: Browser, content: bytes) -> httpx.Response:
    """The payroll's own result, in the layout for freee."""
    form = {"csrf": browser.csrf(), "month": MONTH, "layout": "freee"}
    return browser._http.post(
        "/payroll/compare", data=form, files={"file": ("r.csv", content)}, headers={"origin": browser._origin}
    )


def test_a_closed_months_file_is_recorded_and_is_the_same_again(town: Town, clerk: Browser) -> None:
    """The same bytes and digest, who and when; both are in the audit log."""
    town.write(october)
    page = clerk.get(f"/payroll?month={MONTH}&layout=generic")
    assert page.status_code == 200
    assert "000123" in page.text
    first = take(clerk)
    assert first.status_code == 200
    assert first.headers["content-disposition"] == 'attachment; filename="payroll-202610-v1.csv"'
    rows = list(csv.reader(io.StringIO(first.content.decode("utf-8-sig"))))
    assert [row[1] for row in rows[1:3]] == ["000123", "000124"]
    left = town.read(store.left)
    assert [(one.month, one.version, one.layout, one.rows, one.who) for one in left] == [
        (MONTH, 1, "generic", 2, "kyuyo")
    ]
    assert left[0].sha256 == hashlib.sha256(first.content).hexdigest()
    second = clerk.get(f"/payroll/files/{left[0].id}")
    assert second.content == first.content
    assert take(clerk).content == first.content
    told = town.read(audit.entries)
    assert [one.did for one in told if one.did == "payroll_export"] == ["payroll_export"] * 3
    assert left[0].sha256[:16] in clerk.get("/payroll").text


def test_a_file_that_would_be_another_is_not_given_as_the_same(town: Town, clerk: Browser) -> None:
    """A name changed since: said, and refused."""
    town.write(lambda conn: october(conn, "山田 花子", "佐藤 太郎"))
    take(clerk, "freee")
    (left,) = town.read(store.left)
    town.write(lambda conn: staff.set_name(conn, 1, "鈴木 花子", 1))
    answer = clerk.get(f"/payroll/files/{left.id}")
    assert answer.status_code == 409
    assert "もう作れません" in answer.text
    assert take(clerk, "freee").status_code == 200
    assert "前に出したものと内容が違います" in clerk.get("/payroll").text


def test_an_open_month_is_a_preview_and_never_recorded(town: Town, clerk: Browser) -> None:
    """It says so, its file is called so, and nothing stays but a line in the audit log."""
    town.write(lambda conn: hire(conn, "000123"))
    page = clerk.get("/payroll?month=2026-09&layout=kyuryo-rakuda")
    assert page.status_code == 200
    assert "未締め" in page.text
    answer = take(clerk, "kyuryo-rakuda", "2026-09")
    assert answer.headers["content-disposition"] == 'attachment; filename="preview-KINTAI6.CSV"'
    assert answer.content.decode("cp932").splitlines()[1].startswith("000123,,2026/09/01,")
    assert town.read(store.left) == []
    assert "payroll_preview" in town.did()


def test_what_a_later_version_came_to_is_not_paid_twice(town: Town, clerk: Browser) -> None:
    """The file stays as the first version has it; the difference is in the month it is booked in."""
    town.write(october)

    def correct(conn: Connection) -> None:
        again = close(conn, {1: result({"W125": 330, "W150": 47}), 2: result({"W125": 3600, "X150": 30})})
        close_store.book(conn, again, "2026-11", {1: {"W125": (60, 1, 2016)}})  # type: ignore[dict-item]

    before = take(clerk).content
    town.write(correct)
    assert take(clerk).content == before
    assert "二重に払わない" in clerk.get(f"/payroll?month={MONTH}").text
    november = take(clerk, "generic", "2026-11").content.decode("utf-8-sig")
    head, row = list(csv.reader(io.StringIO(november)))[:2]
    assert row[head.index("調整(円)")] == "2016"
    assert row[head.index("調整の対象年月")] == "2026-10"


def test_a_layout_without_adjustments_or_classes_says_what_is_left_out(town: Town, clerk: Browser) -> None:
    """Somebody has to enter these by hand."""
    town.write(october)

    def more(conn: Connection) -> None:
        one = close(conn, {1: result({"SHIFT25": 90})}, "2026-11")
        close_store.book(conn, one, "2026-11", {1: {"W125": (60, 1, 2016)}})  # type: ignore[dict-item]

    town.write(more)
    page = clerk.get("/payroll?month=2026-11&layout=kyuryo-rakuda").text
    assert "調整の列がありません" in page
    assert re.search(r"どの列にも入らない区分.*SHIFT25", page, re.S)
    assert "どの列にも入らない" not in clerk.get("/payroll?month=2026-11&layout=generic").text


def test_names_that_cannot_be_written_stop_the_file_until_something_stands_for_them(town: Town, clerk: Browser) -> None:
    """Listed with their staff numbers, before the close too; the audit log has no name."""
    town.write(lambda conn: october(conn, *NAMES))
    page = clerk.get(f"/payroll?month={MONTH}&layout=kyuryo-rakuda").text
    assert "1か所が書けません" in page
    assert "𠮷" in page
    assert take(clerk, "kyuryo-rakuda").status_code == 409
    assert town.read(store.left) == []
    assert "000124" in clerk.get("/payroll/letters").text
    close_page = clerk.get("/attendance/close?month=2026-11").text
    assert "書けない氏名が1人分あります(職員番号 000124)" in close_page
    assert clerk.send("/payroll/letters", {"kind": "letter", "what": "𠮷", "written": "〜"}).status_code == 422
    assert clerk.send("/payroll/letters", {"kind": "letter", "what": "𠮷野", "written": "吉"}).status_code == 422
    assert clerk.send("/payroll/letters", {"kind": "number", "what": "999", "written": "吉"}).status_code == 422
    assert clerk.send("/payroll/letters", {"kind": "letter", "what": "𠮷", "written": "吉"}).status_code == 303
    assert "000124,吉野 次郎" in take(clerk, "kyuryo-rakuda").content.decode("cp932")
    assert clerk.send("/payroll/letters", {"kind": "number", "what": "000124", "written": "ヨシノ"}).status_code == 303
    assert "000124,ヨシノ" in take(clerk, "kyuryo-rakuda").content.decode("cp932")
    assert not [one for one in town.read(audit.entries) if "ヨシノ" in one.what + one.detail]


def test_a_layout_is_copied_changed_looked_at_and_kept(town: Town, clerk: Browser) -> None:
    """Kept under a name of its own; what is wrong is one sentence and keeps nothing."""
    town.write(october)
    page = clerk.get("/payroll/layouts/generic")
    text = re.search(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.S)
    assert text is not None
    plain = text[1].replace("&#34;", '"')
    assert 'name = "generic-2"' in plain
    seen = clerk.send("/payroll/layouts/look", {"text": plain.replace("対象年月", "処理年月", 1)})
    assert "処理年月" in seen.text
    assert "000123" in seen.text
    wrong = clerk.send("/payroll/layouts", {"do": "keep", "text": plain.replace('"staff_number"', '"staff"')})
    assert wrong.status_code == 422
    assert "layout.toml [column 2.field]" in wrong.text
    assert (
        clerk.send("/payroll/layouts", {"do": "keep", "text": plain.replace("generic-2", "generic")}).status_code == 422
    )
    assert clerk.send("/payroll/layouts", {"do": "keep", "text": plain}).status_code == 303
    assert take(clerk, "generic-2").status_code == 200
    assert clerk.get("/payroll/layouts/generic-2").status_code == 200
    assert clerk.send("/payroll/layouts", {"do": "remove", "name": "generic-2"}).status_code == 303
    assert clerk.send("/payroll/layouts", {"do": "remove", "name": "generic"}).status_code == 404
    assert take(clerk, "generic-2").status_code == 404


def test_the_payrolls_own_result_is_compared(town: Town, clerk: Browser) -> None:
    """Person by person, column by column, whatever the unit; who is on one side only."""
    town.write(october)
    ours = take(clerk, "freee").content.decode()
    same = compare(clerk, ours.encode("cp932"))
    assert "すべて同じです" in same.text
    theirs = ours.replace("4:30", "4.50").replace("0:47", "0:46").replace("000124", "000999")
    found = compare(clerk, theirs.encode())
    assert found.status_code == 200
    assert "0:46" in found.text
    assert "4.50" not in found.text
    assert "いない職員番号が1件あります: 000999" in found.text
    bad = compare(clerk, b"a,b\n1,2\n")
    assert bad.status_code == 422
    assert "職員番号の列が見つかりません" in bad.text


@pytest.mark.parametrize("path", ["/payroll?month=2026-13", "/payroll/files/9", "/payroll/layouts/none"])
def test_addresses_that_lead_nowhere(clerk: Browser, path: str) -> None:
    """A 4xx."""
    assert 400 <= clerk.get(path).status_code < 500
