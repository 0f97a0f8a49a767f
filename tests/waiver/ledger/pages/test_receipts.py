"""Receipts as people enter them: by hand, from a file with a look beforehand, and taken back."""

import re

import httpx
from hypothesis import given
from hypothesis import strategies as st

from hub import audit
from hub.waiver import ledger_check, ledger_store, receipt, receipt_store
from hub.waiver.ledger import CASH, OVERPAID, RECEIVABLE
from hub.waiver.receipt import Due, Receipt
from tests.login.parts import Browser, Town
from tests.waiver.ledger.parts import NOW_MS, assess, waive

FORM = {
    "receipt_reference": "A-1",
    "receipt_resident": "R0001",
    "receipt_day": "2026-11-20",
    "receipt_yen": "2,000円",
    "receipt_way": "slip",
    "receipt_month": "",
    "receipt_phone": "",
}
MONTHS = ("2026-09", "2026-10")
HEAD = "収納番号,住民の番号,納付日,金額(円),納付方法,電話番号,利用月"


def assessed(town: Town) -> None:
    """Two months of three residents; half of the second one's is waived."""
    entries = [assess(line, month) for month in MONTHS for line in (1, 2, 3)] + [waive(2, "2026-10", 816)]
    town.write(lambda conn: ledger_store.post(conn, entries, now_ms=NOW_MS, by="taro"))


def open_yen(town: Town, resident: int) -> dict[str, int]:
    """What a resident owes, by month of use."""
    return {one.of_month: one.yen for one in town.read(lambda conn: ledger_store.outstanding(conn, resident))}


def told(answer: httpx.Response) -> str:
    """The page's text without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_a_payment_goes_to_the_oldest_month_and_counts_once(town: Town, finance: Browser) -> None:
    assessed(town)
    for did in ("entered", "same"):
        answer = finance.send("/waiver/receipts", FORM)
        assert answer.headers["location"] == f"/waiver/receipts?did={did}&n=1"
        assert open_yen(town, 1) == {"2026-10": 1262}
    assert "二重には数えていません" in finance.get(answer.headers["location"]).text
    page = told(finance.get("/waiver/receipts/1"))
    assert "2026-09 090-1234-0001 1,631円 2026-10 090-1234-0001 369円" in page
    other = finance.send("/waiver/receipts", {**FORM, "receipt_yen": "1"})
    assert other.status_code == 422
    assert open_yen(town, 1) == {"2026-10": 1262}
    assert town.did().count("receipt_enter") == 1


def test_a_payment_for_a_month_goes_there_and_the_rest_is_paid_too_much(town: Town, finance: Browser) -> None:
    assessed(town)
    form = {**FORM, "receipt_resident": "R0002", "receipt_month": "2026-10", "receipt_phone": "090-1234-0002"}
    finance.send("/waiver/receipts", form)
    assert open_yen(town, 2) == {"2026-09": 1631}
    account = town.read(lambda conn: receipt_store.account(conn, 2))
    assert (account.overpaid, account.open) == (2000 - 815, 1631)
    page = told(finance.get("/waiver/residents/2/statement"))
    assert "納めすぎ 1,185円" in page
    assert "2026-10 090-1234-0002 1,631円 816円 disabled · 決定 町指令第7号 815円 815円 0円" in page


def test_a_payment_is_taken_back_and_entered_right(town: Town, finance: Browser) -> None:
    assessed(town)
    finance.send("/waiver/receipts", FORM)
    assert finance.send("/waiver/receipts/1", {"note": " "}).status_code == 422
    assert finance.send("/waiver/receipts/1", {"note": "別の人の分"}).headers["location"].endswith("did=undone&n=1")
    assert open_yen(town, 1) == {"2026-09": 1631, "2026-10": 1631}
    assert finance.send("/waiver/receipts/1", {"note": "もう一度"}).headers["location"] == "/waiver/receipts/1"
    right = {**FORM, "receipt_resident": "R0003"}
    assert finance.send("/waiver/receipts", right).headers["location"] == "/waiver/receipts?did=entered&n=2"
    assert open_yen(town, 3) == {"2026-10": 1262}
    assert "取消ずみ" in finance.get("/waiver/receipts").text
    assert town.read(ledger_check.verify) is None
    assert [entry.did for entry in town.read(audit.entries)][:2] == ["receipt_enter", "receipt_undo"]


def test_what_was_paid_after_the_close_is_booked_in_the_open_month(town: Town, finance: Browser) -> None:
    assessed(town)
    for month in (*MONTHS, "2026-11"):
        town.write(
            lambda conn, m=month: ledger_store.close(conn, "line", m, now_ms=NOW_MS, by="taro", approved_by="jiro")  # type: ignore[misc]
        )
    finance.send("/waiver/receipts", FORM)
    kept = town.read(lambda conn: ledger_store.of_key(conn, "receipt:A-1"))
    assert kept is not None
    assert (kept.entry.month, kept.entry.effective_day) == ("2026-12", "2026-11-20")


def test_what_is_wrong_is_said_by_its_field(town: Town, finance: Browser) -> None:
    assessed(town)
    wrong = {
        "receipt_reference": "A#1",
        "receipt_resident": "R9",
        "receipt_day": "2199-01-01",
        "receipt_yen": "0",
        "receipt_way": "cheque",
        "receipt_month": "13月",
        "receipt_phone": "090-0000-0000",
    }
    answer = finance.send("/waiver/receipts", wrong)
    assert answer.status_code == 422
    for name in wrong:
        assert f'id="{name}-wrong"' in answer.text, name
    assert "登録ずみの住民の番号" in answer.text
    assert finance.send("/waiver/receipts", {**FORM, "more": "x"}).status_code == 400
    assert town.read(ledger_store.head)[0] == 7


def upload(browser: Browser, path: str, content: bytes) -> httpx.Response:
    """A file, as a browser sends it."""
    files = {"file": ("receipts.csv", content, "text/csv")}
    return browser._http.post(
        path, data={"csrf": browser.csrf()}, files=files, headers={"origin": str(browser._http.base_url).rstrip("/")}
    )


def confirm(browser: Browser, look: httpx.Response) -> httpx.Response:
    """Does what was looked at."""
    found = re.search(r'name="token" value="([^"]+)".*?name="digest" value="([^"]+)"', look.text)
    assert found, look.text
    return browser.send("/waiver/receipts/import/do", {"token": found[1], "digest": found[2]})


def test_a_file_is_looked_at_then_taken_in_once(town: Town, finance: Browser) -> None:
    assessed(town)
    rows = ("B-1,R0001,2026/11/20,1631,納付書,,2026-10", 'B-2,r0002,令和8年11月20日,"1,000",口座振替,090-1234-0002,')
    text = "\n".join((HEAD, *rows)).replace("r0002", "R0002")
    look = upload(finance, "/waiver/receipts/import", text.encode("cp932"))
    assert look.status_code == 200
    assert town.read(ledger_store.head)[0] == 7
    assert confirm(finance, look).headers["location"] == "/waiver/receipts?did=import&n=2"
    assert (open_yen(town, 1), open_yen(town, 2)) == ({"2026-09": 1631}, {"2026-09": 631, "2026-10": 815})
    # The same file once more: nothing is new.
    again = upload(finance, "/waiver/receipts/import", text.encode())
    assert "すべて入力ずみです" in again.text
    assert "import/do" not in again.text
    # What we hand out comes back as it went.
    out = finance.get("/waiver/receipts.csv")
    assert "すべて入力ずみです" in upload(finance, "/waiver/receipts/import", out.content).text
    # What was taken back is not entered again by a file.
    finance.send("/waiver/receipts/1", {"note": "誤り"})
    held = upload(finance, "/waiver/receipts/import", text.encode())
    assert held.status_code == 422
    assert "取消ずみの収納は" in held.text


def test_a_file_with_one_wrong_row_takes_nothing_in(town: Town, finance: Browser) -> None:
    assessed(town)
    rows = ("B-1,R0001,2026-11-20,1631,,,", "B-1,R0001,2026-11-20,1631,,,", "B-3,R7777,2026-11-20,=1+1,,,x")
    look = upload(finance, "/waiver/receipts/import", "\n".join((HEAD, *rows)).encode())
    assert look.status_code == 422
    page = told(look)
    assert "ほかの行にないもの(2行目と同じです)" in page
    assert "R7777 登録ずみの住民の番号" in page
    assert "import/do" not in look.text
    for content in (b"", b"a,b\n1,2\n", b"\xff\xfe\x00"):
        assert upload(finance, "/waiver/receipts/import", content).status_code == 422
    assert finance.send("/waiver/receipts/import/do", {"token": "x", "digest": "x"}).status_code == 410
    assert town.read(ledger_store.head)[0] == 7


def test_what_changed_since_the_look_is_looked_at_again(town: Town, finance: Browser) -> None:
    assessed(town)
    rows = ("B-1,R0001,2026-11-20,1631,,,", "B-2,R0002,2026-11-20,1,,,")
    look = upload(finance, "/waiver/receipts/import", "\n".join((HEAD, *rows)).encode())
    finance.send("/waiver/receipts", {**FORM, "receipt_reference": "B-1", "receipt_yen": "1631", "receipt_way": ""})
    answer = confirm(finance, look)
    assert answer.status_code == 409
    assert confirm(finance, answer).headers["location"] == "/waiver/receipts?did=import&n=1"


def test_who_only_looks_sees_no_form(town: Town, auditor: Browser) -> None:
    assessed(town)
    page = auditor.get("/waiver/receipts")
    assert page.status_code == 200
    assert 'action="/waiver/receipts"' not in page.text
    assert auditor.send("/waiver/receipts", FORM).status_code == 403


DUES = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from(["2026-08", "2026-09", "2026-10"]), st.integers(-500, 3000)),
    max_size=6,
    unique_by=lambda one: one[:2],
)


@given(DUES, st.integers(1, 9000), st.sampled_from([0, 1, 2]), st.sampled_from(["", "2026-09"]))
def test_a_payment_is_spread_without_loss(due: list[tuple[int, str, int]], yen: int, line: int, month: str) -> None:
    paid = Receipt(reference="x", resident_id=1, day="2026-11-20", yen=yen, line_id=line, of_month=month)
    made = receipt.entry(paid, [Due(*one) for one in due], "2026-11")
    assert sum(leg.yen for leg in made.legs) == 0
    assert sum(leg.yen for leg in made.legs if leg.account == CASH) == yen
    meant = {one[:2]: one[2] for one in due if one[2] > 0 and line in (0, one[0]) and month in ("", one[1])}
    went = {(leg.line_id, leg.of_month): -leg.yen for leg in made.legs if leg.account == RECEIVABLE}
    assert went.keys() <= meant.keys()
    assert all(0 < yen <= meant[key] for key, yen in went.items())
    over = -sum(leg.yen for leg in made.legs if leg.account == OVERPAID)
    assert over == max(0, yen - sum(meant.values()))
    # The oldest first: all that got something is full, but for the last of them.
    order = sorted(meant, key=lambda key: (key[1], key[0]))
    assert set(went) == set(order[: len(went)])
    assert all(went[key] == meant[key] for key in order[: max(0, len(went) - 1)])
