"""Pages of the ledger, statements and reminders over HTTP."""

import io
import re

from pypdf import PdfReader

from hub.waiver import ledger_store, receipt_store
from hub.waiver.ledger import Entry, Leg
from hub.waiver.reminder import OpenMonth, letters
from tests.login.parts import Browser, Town
from tests.waiver.ledger.pages.test_receipts import FORM, assessed, told
from tests.waiver.ledger.parts import NOW_MS, assess, waive


def test_an_empty_ledger_says_what_comes_first(town: Town, auditor: Browser) -> None:
    assert "請求書を取り込み" in auditor.get("/waiver/ledger").text
    assert "まだありません" in auditor.get("/waiver/receipts").text
    assert "未納はありません" in auditor.get("/waiver/reminders").text
    assert "まだありません" in auditor.get("/waiver/residents/1/statement").text


def test_the_journal_is_filtered_by_its_address(town: Town, auditor: Browser) -> None:
    assessed(town)
    page = auditor.get("/waiver/ledger?resident=R0002")
    assert re.findall(r'href="/waiver/ledger/(\d+)"', page.text) == ["7", "5", "2"]
    page = auditor.get("/waiver/ledger?phone=090-1234-0002&kind=waive")
    assert re.findall(r'href="/waiver/ledger/(\d+)"', page.text) == ["7"]
    for nobody in ("resident=R9", "phone=090", "month=2020-01", "kind=cake", "account=cake"):
        assert "この条件の仕訳はありません" in auditor.get(f"/waiver/ledger?{nobody}").text
    for bad in ("month=2026-13", "before=0", "kind=" + "x" * 41):
        assert auditor.get(f"/waiver/ledger?{bad}").status_code == 400
    assert "合計 9,786円 9,786円" in told(auditor.get("/waiver/ledger"))


def test_the_journal_is_paged(town: Town, auditor: Browser) -> None:
    entries = [assess(line, f"20{year}-01") for year in range(10, 30) for line in range(1, 7)]
    town.write(lambda conn: ledger_store.post(conn, entries, now_ms=NOW_MS, by="taro"))
    seen: list[str] = []
    path = "/waiver/ledger?area=line"
    while path:
        page = auditor.get(path).text
        seen += re.findall(r'href="/waiver/ledger/(\d+)"', page)
        older = re.search(r'href="(/waiver/ledger\?[^"]*before=\d+)"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == [str(seq) for seq in range(120, 0, -1)]


def test_one_entry_tells_how_it_came_about(town: Town, auditor: Browser) -> None:
    assessed(town)
    town.write(
        lambda conn: ledger_store.reverse(
            conn,
            [7],
            month="2026-11",
            day="2026-11-02",
            note="申請の誤り",
            now_ms=NOW_MS,
            by="taro",
            approved_by="jiro",
        )
    )
    page = auditor.get("/waiver/ledger/7")
    assert "この仕訳は取り消されています" in page.text
    assert 'href="/waiver/ledger/8"' in page.text
    assert "町指令第7号" in page.text
    assert 'href="/waiver/line-month?month=2026-10&amp;line=2"' in page.text
    back = told(auditor.get("/waiver/ledger/8"))
    assert "申請の誤り" in back
    assert "承認 jiro" in back
    for number in ("0", "99", str(2**70)):
        assert auditor.get(f"/waiver/ledger/{number}").status_code == 404
    hashed = town.read(lambda conn: ledger_store.entry(conn, 7))
    assert hashed is not None
    assert hashed.hash.hex() in page.text


def test_a_note_is_text(town: Town, auditor: Browser) -> None:
    entry = waive(1, "2026-11")
    town.write(lambda conn: ledger_store.post(conn, [entry], now_ms=NOW_MS, by="<b>taro"))
    town.write(
        lambda conn: ledger_store.reverse(
            conn, [1], month="2026-11", day="2026-11-02", note="<script>x</script>", now_ms=NOW_MS, by="taro"
        )
    )
    for path in ("/waiver/ledger", "/waiver/ledger/1", "/waiver/ledger/2"):
        text = auditor.get(path).text
        assert "<script>x" not in text
        assert "<b>taro" not in text


LETTER = {
    "through": "2026-10",
    "day": "2026-11-25",
    "pay_by_day": "2026-12-05",
    "sender": "まちなか町長 役場太郎",
    "contact": "福祉課 0155-00-0000",
    "resident": "",
}


def pages_of(content: bytes) -> list[str]:
    """The text of each page of a PDF."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def test_letters_go_to_who_owes_and_are_kept(town: Town, finance: Browser) -> None:
    assessed(town)
    finance.send("/waiver/receipts", {**FORM, "receipt_yen": "3262"})
    page = told(finance.get("/waiver/reminders?through=2026-10"))
    assert "R0002 2 2026-09 2,446円 まだ" in page
    assert "R0001" not in page
    answer = finance.send("/waiver/reminders", LETTER)
    assert answer.headers["content-type"] == "application/pdf"
    first, second = pages_of(answer.content)
    assert "利用者番号 R0002" in first
    assert "令和8年9月" in first
    assert "2,446円" in first
    assert "納付期限 令和8年12月5日" in first.replace("  ", " ")
    assert "R0003" in second
    assert finance.send("/waiver/reminders", LETTER).content == answer.content
    kept = town.read(receipt_store.reminders)
    assert [(one.resident_id, one.yen, len(one.open)) for one in kept] == [(3, 3262, 2), (2, 2446, 2)]
    assert "2026年11月25日" in finance.get("/waiver/reminders?through=2026-10").text
    assert "納付期限" in finance.get("/waiver/residents/2/statement").text
    one = finance.send("/waiver/reminders", {**LETTER, "resident": "3", "day": "2026-11-26"})
    assert len(pages_of(one.content)) == 1
    assert finance.send("/waiver/reminders", {**LETTER, "resident": "1"}).status_code == 409


def test_benefits_are_no_part_of_a_statement(town: Town, finance: Browser) -> None:
    legs = (Leg("aid", 500, resident_id=1, of_month="2026-11"), Leg("payable", -500, of_month="2026-11"))
    use = Entry("benefit:use:1:x", "benefit_use", "benefit", "2026-11", "2026-11-02", legs)
    town.write(lambda conn: ledger_store.post(conn, [use], now_ms=NOW_MS, by="system"))
    assert "まだありません" in finance.get("/waiver/residents/1/statement").text
    assert "給付の利用" in finance.get("/waiver/ledger?area=benefit&resident=R0001").text


def test_a_statement_is_printed_as_it_is_shown(town: Town, finance: Browser) -> None:
    assessed(town)
    finance.send("/waiver/receipts", {**FORM, "receipt_resident": "R0002"})
    assert 'href="/waiver/receipts?resident=R0002"' in finance.get("/waiver/residents/2/statement").text
    assert 'value="R0002"' in finance.get("/waiver/receipts?resident=R0002").text
    answer = finance.get("/waiver/residents/2/statement.pdf")
    (page,) = pages_of(answer.content)
    for text in ("R0002", "未納 446円", "2026-10", "090-1234-0002", "disabled 決定 町指令第7号", "816円", "369円"):
        assert text in page, text
    assert finance.get("/waiver/residents/2/statement.pdf").content == answer.content
    assert finance.get("/waiver/residents/99/statement.pdf").status_code == 404


def test_a_letter_without_its_day_is_not_printed(town: Town, finance: Browser) -> None:
    assessed(town)
    for field, value in (("day", "x"), ("pay_by_day", "2026-11-25"), ("sender", ""), ("contact", "x" * 81)):
        answer = finance.send("/waiver/reminders", {**LETTER, field: value})
        assert answer.status_code == 422
        assert f'id="{field}-wrong"' in answer.text
    assert finance.send("/waiver/reminders", {**LETTER, "through": "x"}).status_code == 400
    assert not town.read(receipt_store.reminders)


def test_nobody_is_reminded_of_more_than_they_owe() -> None:
    some = [
        OpenMonth(1, "1", "2026-09", 500),
        OpenMonth(1, "1", "2026-10", -600),
        OpenMonth(2, "2", "2026-09", 500),
        OpenMonth(2, "2", "2026-10", -200),
        OpenMonth(3, "3", "2026-11", 500),
    ]
    found = letters(some, {1: ("A", ""), 2: ("B", ""), 3: ("C", "")}, {2: "2026-11-01"}, "2026-10")
    assert [(one.number, one.yen, one.oldest, one.last_day) for one in found] == [("B", 300, "2026-09", "2026-11-01")]
