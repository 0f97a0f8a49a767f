"""The pages of bills: looked at before anything comes in, whole or not at all, decided by a person."""

import re

import msgspec
import pytest

from hub.db import Connection
from hub.tablet import usage_store
from hub.waiver import bill_store, ledger_store, register_store
from hub.waiver.rules.profile import Tariff
from hub.waiver.tariff_store import TariffVersion, put_tariff
from tests.login.parts import Town
from tests.tablet.usage.parts import enter_use, mobile, told
from tests.waiver.bill.desk import Desk, hidden
from tests.waiver.bill.parts import CARRIER, GB, TARIFF, Row, csv_line, enter_line, fixed, phone, tax_of

GOOD = [Row(phone(n), used=2 * GB) for n in (1, 2, 3)]
ODD = [Row(phone(1), base=1580), Row(phone(2)), Row(phone(9))]


def bills(town: Town) -> list[bill_store.Bill]:
    return town.read(bill_store.every)


def test_an_empty_page_says_what_to_do_first(desk: Desk) -> None:
    page = desk.browser.get("/waiver/bills").text
    assert "請求書はまだありません" in page
    assert "/waiver/bills/import" in page
    page = desk.browser.get("/waiver/bills/import").text
    assert f'value="{CARRIER}"' in page, "the one carrier of the register is filled in"


def test_a_bill_is_looked_at_and_then_brought_in(town: Town, desk: Desk) -> None:
    looked = desk.look(csv_line(GOOD))
    assert looked.status_code == 200
    assert "4,893円" in looked.text
    assert bills(town) == [], "a look brings nothing in"
    number = desk.bring_in(csv_line(GOOD))
    [made] = bills(town)
    assert (made.id, made.total_yen, made.due_day, made.entered_by) == (number, 4893, "2026-12-31", "hanako")
    page = desk.browser.get(f"/waiver/bills/{number}?did=import").text
    assert "請求書を取り込みました" in page
    assert page.count("一致") >= 3
    assert town.did()[-1] == "bill_import"
    assert "差額なし" in desk.browser.get("/waiver/bills").text
    # The next one is offered as this one was read.
    assert 'value="csv-line" selected' in desk.browser.get("/waiver/bills/import").text


def test_the_fixed_layout_comes_in_too(town: Town, desk: Desk) -> None:
    desk.bring_in(fixed(GOOD, tax_of(GOOD)), "fixed-128", total="4,893")
    assert [one.total_yen for one in bills(town)] == [4893]


@pytest.mark.parametrize(
    ("content", "more", "sentence"),
    [
        (csv_line(GOOD).replace(b'"1,483"', b'"1,48x"', 1), {}, "2行目: 税抜の金額の「1,48x」が数字として読めません。"),
        (csv_line(GOOD, month="202610"), {}, "2行目: 2026-10の利用分です。2026-11の請求書ではありません。"),
        (csv_line([*GOOD, GOOD[0]]), {}, "5行目: 09000000001 は2行目にもあります。"),
        (csv_line(GOOD), {"total": "4894"}, "ファイルの合計は4893円ですが、紙の請求書は4894円です。"),
        (csv_line(GOOD), {"total": "4.8"}, "合計は、円の数字だけを入力してください。"),
        (csv_line(GOOD), {"month": "2026-13"}, "利用月を、2026-11 のように入力してください。"),
        (csv_line(GOOD), {"carrier": " "}, "通信事業者の名前を入力してください。"),
        (csv_line(GOOD), {"layout": "gone"}, "その形式はもうありません。"),
        (b"", {}, "ファイルが空です。"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_comes_in(
    town: Town, desk: Desk, content: bytes, more: dict[str, str], sentence: str
) -> None:
    answer = desk.look(content, **more)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "何も取り込んでいません" in answer.text
    assert bills(town) == []
    assert town.read(lambda conn: conn.execute("SELECT count(*) FROM draft").fetchone()) == (0,)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(town: Town, desk: Desk) -> None:
    answer = desk.look(b"0" * 16_200_000)
    assert answer.status_code == 413
    assert "ファイルが大きすぎます(16 MBまで)。" in answer.text
    assert bills(town) == []


def test_what_was_looked_at_is_what_is_done(town: Town, desk: Desk) -> None:
    looked = desk.look(csv_line(GOOD))
    town.write(lambda conn: put_tariff(conn, TariffVersion("std", "2026-04", "", Tariff(base_yen=1500), "taro", 2)))
    answer = desk.do(looked)
    assert answer.status_code == 409
    assert "もう一度確認してください" in answer.text
    assert "料金が変わった" in answer.text
    assert bills(town) == []
    # What the page shows anew can be done.
    assert desk.do(answer).status_code == 303


def test_a_look_is_the_persons_own_and_ends(town: Town, desk: Desk) -> None:
    looked = desk.look(csv_line(GOOD))
    other = Desk(town, "jiro", "finance")
    assert other.do(looked).status_code == 403, "another session's token"
    stolen = hidden(looked.text) | {"csrf": other.browser.csrf()}
    assert other.browser.post("/waiver/bills/import/do", stolen).status_code == 410
    assert desk.do(looked).status_code == 303
    assert desk.do(looked).status_code == 410


def test_the_same_bill_twice_says_so(desk: Desk) -> None:
    desk.bring_in(csv_line(GOOD))
    answer = desk.look(csv_line(GOOD))
    assert answer.status_code == 409
    assert "この事業者のこの月の請求書は、もう取り込んであります" in answer.text
    assert "同じファイルがもう取り込んであります" in answer.text
    assert 'action="/waiver/bills/import/do"' not in answer.text


def test_differences_are_decided_with_a_reason(town: Town, desk: Desk) -> None:
    number = desk.bring_in(csv_line(ODD))
    page = desk.browser.get(f"/waiver/bills/{number}").text
    for shown in ("請求が多い", "登録のない回線", "請求にない回線", "この番号の回線は登録されていません", "+110円"):
        assert shown in page
    assert desk.decide(number, "line:2", "accepted", "  ").status_code == 422
    assert desk.decide(number, "line:2", "rebate").status_code == 400
    assert desk.decide(number, "row:2", "accepted").status_code == 400
    assert desk.decide(number, "line:99", "accepted").status_code == 409
    assert desk.decide(number, "line:2", "credit").status_code == 303
    assert desk.decide(number, "line:2", "credit").status_code == 409
    answer = desk.decide(number, "verdict:UNKNOWN_LINE", "asked", "事業者へ照会")
    assert answer.headers["location"] == f"/waiver/bills/{number}?did=decide&n=1"
    page = desk.browser.get(f"/waiver/bills/{number}?show=all").text
    assert "事業者へ照会" in page
    assert "事業者が訂正する" in page
    assert town.did()[-2:] == ["bill_decide", "bill_decide"]
    assert "差額2件" in desk.browser.get("/waiver/bills").text


def test_a_bill_is_withdrawn_until_the_ledger_has_it(town: Town, desk: Desk) -> None:
    number = desk.bring_in(csv_line(ODD))
    assert desk.browser.send(f"/waiver/bills/{number}/withdraw").status_code == 303
    assert "取り下げられています" in desk.browser.get(f"/waiver/bills/{number}").text
    again = desk.bring_in(csv_line(ODD))
    town.write(lambda conn: ledger_store.post(conn, bill_store.entries(conn, again), now_ms=1, by="hanako"))
    answer = desk.browser.send(f"/waiver/bills/{again}/withdraw")
    assert answer.status_code == 409
    assert "台帳に記帳したあとの請求書は取り下げられません" in answer.text
    assert "記帳ずみ" in answer.text
    assert desk.browser.send("/waiver/bills/999/withdraw").status_code in (404, 409)


def test_a_bill_is_judged_anew_when_the_tariff_was_put_right(town: Town, desk: Desk) -> None:
    content = csv_line([Row(phone(n), base=1580) for n in (1, 2, 3)])
    number = desk.bring_in(content)
    assert "料金が変わった" in desk.browser.get(f"/waiver/bills/{number}").text
    new = msgspec.structs.replace(TARIFF, base_yen=1580)
    town.write(lambda conn: put_tariff(conn, TariffVersion("std", "2026-11", "", new, "taro", 2)))
    answer = desk.browser.send(f"/waiver/bills/{number}/again")
    assert answer.status_code == 303
    [made] = [one for one in bills(town) if one.withdrawn_ms is None]
    assert answer.headers["location"] == f"/waiver/bills/{made.id}?did=again"
    assert {one.verdict for one in town.read(lambda conn: bill_store.lines(conn, made.id))} == {"OK"}
    assert desk.browser.send(f"/waiver/bills/{number}/again").status_code == 409
    # The file is there as it came.
    file = desk.browser.get(f"/waiver/bills/{made.id}/file")
    assert (file.status_code, file.content) == (200, content)
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''bill.csv"
    assert desk.browser.get("/waiver/bills/999/file").status_code == 404
    body = bill_store.shipped()["csv-line"].body
    with_own = {"code": "own", "text": body, "do": "keep"}
    assert desk.browser.send("/waiver/bills/layouts", with_own).status_code == 303
    other = desk.bring_in(csv_line(GOOD, month="202610"), "own", month="2026-10")
    desk.browser.send("/waiver/bills/layouts", {"code": "own", "do": "remove"})
    assert "元のファイルか形式がない" in desk.browser.send(f"/waiver/bills/{other}/again").text


def test_the_tablets_own_count_stands_beside_the_carriers(town: Town, desk: Desk) -> None:
    start = 1_793_836_800_000  # 2026-11-05 in Japan

    def count(conn: Connection) -> None:
        sims = ("8981100000000000001", "8981100000000000002")
        for n, sim in enumerate(sims, 1):
            conn.execute("UPDATE line SET iccid = ? WHERE id = ?", (sim, n))
            enter_use(conn, line_id=n, device_id=n, first="2026-04-01")
            readings = [told(k, mobile(k * GB, sim), device_id=n, at_ms=start + k * 86_400_000) for k in (0, 1, 2)]
            usage_store.take(conn, readings)

    town.write(count)
    number = desk.bring_in(csv_line([Row(phone(1), used=2_030_000_000), Row(phone(2), used=2_500_000_000), GOOD[2]]))
    page = desk.browser.get(f"/waiver/bills/{number}?show=all").text
    assert "+1.48 %" in page
    assert "+20.00 %" in page
    assert re.search(r"通信量の差が5%を超える回線</dt><dd>1<small> / 2</small>", page)
    beyond = desk.browser.get(f"/waiver/bills/{number}?show=usage").text
    assert "090-0000-0002" in beyond
    assert "090-0000-0001</a></span></th>" not in beyond


def test_layouts_are_copied_tried_and_kept(town: Town, desk: Desk) -> None:
    page = desk.browser.get("/waiver/bills/layouts").text
    assert page.count('data-label="作成">付属') == 3
    page = desk.browser.get("/waiver/bills/layouts/csv-line").text
    assert "2026-11の請求書として読めました" in page
    assert 'value="csv-line-2"' in page
    body = bill_store.shipped()["csv-line"].body
    send = desk.browser.send
    assert send("/waiver/bills/layouts", {"code": "csv-line", "text": body, "do": "keep"}).status_code == 422
    bad = send("/waiver/bills/layouts", {"code": "own", "text": body.replace('"line"', '"lines"', 1), "do": "keep"})
    assert bad.status_code == 422
    assert "own.records[0].record: expected line or charge" in bad.text
    looked = send("/waiver/bills/layouts", {"code": "own", "text": body.replace(",1480,", ",1481,", 1), "do": "look"})
    assert "例が読めません。2行目: 09000000001 の内訳の合計は1484円ですが、1483円と書かれています。" in looked.text
    assert send("/waiver/bills/layouts", {"code": "own", "text": body, "do": "keep"}).status_code == 303
    desk.bring_in(csv_line(GOOD), "own")
    assert bills(town)[0].layout == "own"
    assert send("/waiver/bills/layouts", {"code": "own", "do": "remove"}).status_code == 303
    assert send("/waiver/bills/layouts", {"code": "own", "do": "remove"}).status_code == 404
    assert desk.browser.get("/waiver/bills/layouts/own").status_code == 404
    assert [did for did in town.did() if did.startswith("bill_layout")] == ["bill_layout", "bill_layout_removed"]


def test_whoever_looks_changes_nothing(town: Town, desk: Desk) -> None:
    number = desk.bring_in(csv_line(ODD))
    auditor = Desk(town, "kanji", "auditor")
    page = auditor.browser.get(f"/waiver/bills/{number}").text
    assert "請求が多い" in page
    assert "/decide" not in page
    assert "/withdraw" not in page
    assert "readonly" in auditor.browser.get("/waiver/bills/layouts/csv-line").text
    assert auditor.decide(number, "line:2", "accepted").status_code == 403


def test_english_is_complete(desk: Desk) -> None:
    number = desk.bring_in(csv_line(ODD))
    desk.browser.cookies.set("language", "en")
    for path in ("/waiver/bills", "/waiver/bills/import", f"/waiver/bills/{number}?show=all", "/waiver/bills/layouts"):
        page = desk.browser.get(path).text
        assert "bill" in page.lower()
    assert "Unknown line" in desk.browser.get(f"/waiver/bills/{number}?show=all").text


def test_many_lines_stand_on_pages(town: Town, desk: Desk) -> None:
    def more(conn: Connection) -> None:
        for n in range(4, 251):
            enter_line(conn, phone(n))

    town.write(more)
    assert len(town.read(register_store.lines)) == 250
    number = desk.bring_in(csv_line([Row(phone(n)) for n in range(1, 251)]))
    page = desk.browser.get(f"/waiver/bills/{number}?show=all&page=3").text
    assert "3ページ目（250件）" in page
    assert "090-0000-0250" in page
    assert "090-0000-0199" not in page
