"""The month's pages of a real hub: asked for by one person, approved by another; what is missing is said."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from hub.waiver import close_command, closing, ledger_store
from hub.waiver.outlook import Stop
from hub.words import WORDS
from tests.login.parts import Browser, Town, running_town
from tests.waiver.month import filled, model
from tests.waiver.month.hall import revoked
from tests.waiver.month.model import CARRIERS

MONTHS = model.months_from(model.FIRST, 3)
FIRST, SECOND = MONTHS[:2]
LINES = model.town(16, seed=3)
_FINGERPRINT = re.compile(r'name="fingerprint" value="([0-9a-f]{64})"')


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub with a town of twelve lines and two months of usage."""
    with running_town(tmp_path) as made:
        made.write(lambda conn: filled.registers(conn, LINES))
        made.write(lambda conn: filled.hear(conn, filled.usage(LINES, MONTHS)))
        for name, role in (
            ("kaikei", "finance"),
            ("kacho", "approver"),
            ("kansa", "auditor"),
            ("kanri", "administrator"),
        ):
            made.add(name, role)  # type: ignore[arg-type]
        yield made


def person(town: Town, name: str) -> Browser:
    """Somebody who is signed in."""
    browser = Browser(town)
    browser.sign_in(name)
    return browser


def bills(town: Town, month: str) -> None:
    """Both carriers' bills of a month."""
    for carrier in CARRIERS:
        town.write(lambda conn, carrier=carrier: filled.bill(conn, LINES, month, carrier))  # type: ignore[misc]


def fingerprint(browser: Browser, month: str) -> str:
    """What the button to ask for a closing carries."""
    found = _FINGERPRINT.search(browser.get(f"/waiver?month={month}").text)
    assert found
    return found[1]


def close(town: Town, month: str) -> None:
    """The whole way."""
    kaikei, kacho = person(town, "kaikei"), person(town, "kacho")
    form = {"month": month, "do": "ask", "fingerprint": fingerprint(kaikei, month)}
    assert kaikei.send("/waiver/close", form).status_code == 303
    sure = {"month": month, "do": "approve", "sure": "yes"}
    assert kacho.send("/waiver/approve", sure).status_code == 303


def test_a_hub_without_lines_says_what_to_do(tmp_path: Path) -> None:
    with running_town(tmp_path) as town:
        town.add("kaikei", "finance")
        page = person(town, "kaikei").get("/waiver").text
    assert "この月に使われた回線がありません" in page
    assert 'href="/waiver/lines"' in page


def test_one_asks_another_approves_and_the_hash_is_shown(town: Town) -> None:
    bills(town, FIRST)
    kaikei, kacho = person(town, "kaikei"), person(town, "kacho")
    first = kaikei.get(f"/waiver?month={FIRST}").text
    assert "2026年4月の締めを申し出る" in first
    form = {"month": FIRST, "do": "ask", "fingerprint": fingerprint(kaikei, FIRST)}
    assert kaikei.send("/waiver/close", form).status_code == 303
    waits = kaikei.get(f"/waiver?month={FIRST}").text
    assert "申し出た人は承認できません" in waits
    assert "承認して締める" not in waits
    assert kaikei.send("/waiver/approve", {"month": FIRST, "do": "approve"}).status_code == 403
    asked = kacho.send("/waiver/approve", {"month": FIRST, "do": "approve"})
    assert "締めた月は二度と開きません" in asked.text
    assert town.read(ledger_store.closings) == []
    assert kacho.send("/waiver/approve", {"month": FIRST, "do": "approve", "sure": "yes"}).status_code == 303
    (closing,) = town.read(ledger_store.closings)
    assert (closing.closed_by, closing.approved_by) == ("kaikei", "kacho")
    closed = person(town, "kansa").get(f"/waiver?month={FIRST}").text
    assert closing.content_hash in closed
    assert "締めを申し出る" not in closed
    assert {"waiver_close_ask", "ledger_close"} <= set(town.did())
    again = kacho.send("/waiver/approve", {"month": FIRST, "do": "approve", "sure": "yes"})
    assert again.status_code == 409
    assert "この月はもう締めてあります" in again.text


def test_an_administrator_who_asked_cannot_approve(town: Town) -> None:
    bills(town, FIRST)
    kanri = person(town, "kanri")
    kanri.send("/waiver/close", {"month": FIRST, "do": "ask", "fingerprint": fingerprint(kanri, FIRST)})
    for sure in ("", "yes"):
        answer = kanri.send("/waiver/approve", {"month": FIRST, "do": "approve", "sure": sure})
        assert answer.status_code == 409
        assert "別の人が承認してください" in answer.text
    assert person(town, "kacho").send("/waiver/approve", {"month": FIRST, "do": "refuse"}).status_code == 303
    page = kanri.get(f"/waiver?month={FIRST}").text
    assert "差し戻し" in page
    assert town.read(ledger_store.closings) == []


def test_figures_that_moved_since_are_not_closed(town: Town) -> None:
    bills(town, FIRST)
    kaikei, kacho = person(town, "kaikei"), person(town, "kacho")
    seen = fingerprint(kaikei, FIRST)
    kaikei.send("/waiver/close", {"month": FIRST, "do": "ask", "fingerprint": seen})
    line = revoked(LINES, FIRST)
    town.write(lambda conn: filled.revoke(conn, line, f"{FIRST}-01", "取消1"))
    answer = kacho.send("/waiver/approve", {"month": FIRST, "do": "approve", "sure": "yes"})
    assert answer.status_code == 409
    assert "なにもしていません" in answer.text
    assert town.read(ledger_store.head)[0] == 0
    # Asked for what was seen before, it is not even asked.
    assert kaikei.send("/waiver/close", {"month": FIRST, "do": "ask", "fingerprint": seen}).status_code == 409
    close(town, FIRST)


def test_a_missing_bill_needs_a_reason(town: Town) -> None:
    kaikei = person(town, "kaikei")
    page = kaikei.get(f"/waiver?month={FIRST}").text
    assert f"{CARRIERS[0]}の請求書がありません" in page
    form = {"month": FIRST, "do": "ask", "fingerprint": fingerprint(kaikei, FIRST)}
    assert kaikei.send("/waiver/close", form).status_code == 409
    assert kaikei.send("/waiver/close", form | {"note": "請求が遅れている"}).status_code == 303
    assert "請求が遅れている" in kaikei.get(f"/waiver?month={FIRST}").text


def test_a_month_that_is_not_over_or_not_next_says_so(town: Town) -> None:
    kaikei = person(town, "kaikei")
    assert "この月はまだ終わっていません" in kaikei.get("/waiver?month=2099-01").text
    bills(town, FIRST)
    close(town, FIRST)
    assert "先に2026年5月を締めてください" in kaikei.get(f"/waiver?month={MONTHS[2]}").text
    assert "この月に使われた回線がありません" in kaikei.get("/waiver?month=2026-03").text


def test_what_became_known_later_goes_to_the_open_month(town: Town) -> None:
    bills(town, FIRST)
    close(town, FIRST)
    hashed = town.read(ledger_store.closings)[0].content_hash
    line = revoked(LINES, FIRST)
    town.write(lambda conn: filled.revoke(conn, line, f"{FIRST}-01", "取消1"))
    kaikei = person(town, "kaikei")
    assert "2026年5月に記帳します" in kaikei.get(f"/waiver?month={FIRST}").text
    bills(town, SECOND)
    page = kaikei.get(f"/waiver?month={SECOND}").text
    assert "あとから分かったこと" in page
    close(town, SECOND)
    assert town.read(ledger_store.closings)[1].content_hash == hashed
    assert "あとから分かったこと" not in kaikei.get(f"/waiver?month={FIRST}").text
    reversals = [
        one
        for one in town.read(lambda conn: ledger_store.entries(conn, ledger_store.Which(kind="reversal")))
        if one.entry.month == SECOND
    ]
    assert [one.entry.legs[0].of_month for one in reversals] == [FIRST]


def test_each_line_tells_how_it_came_about(town: Town) -> None:
    bills(town, FIRST)
    close(town, FIRST)
    kansa = person(town, "kansa")
    line = revoked(LINES, FIRST)
    page = kansa.get(f"/waiver/line-month?month={FIRST}&line={line.phone}").text
    assert "利用者負担" in page
    assert line.uses[-1].waiver
    assert line.uses[-1].waiver.decision in page
    assert "調定" in page
    assert kansa.get(f"/waiver/line-month?month={FIRST}&line=000").status_code == 404
    found = kansa.get(f"/waiver?month={FIRST}&q={line.phone}").text
    assert line.phone in found
    assert next(one.phone for one in LINES if one != line) not in found


def test_vouchers_come_to_the_same_on_both_sides_and_are_saved_of_a_closed_month(town: Town) -> None:
    bills(town, FIRST)
    kaikei = person(town, "kaikei")
    form = {"month": FIRST, "layout": "generic"}
    assert kaikei.send("/waiver/vouchers", form).status_code == 409
    close(town, FIRST)
    assert "汎用" in kaikei.get(f"/waiver/vouchers?month={FIRST}").text
    made = kaikei.send("/waiver/vouchers", form)
    assert kaikei.send("/waiver/vouchers", form).content == made.content
    rows = list(csv.DictReader(io.StringIO(made.content.decode("utf-8-sig"))))
    assert sum(int(row["借方金額"]) for row in rows) == sum(int(row["貸方金額"]) for row in rows) > 0
    assert {row["予算科目"] for row in rows} >= set(model.BUDGETS)
    assert {(row["年度"], row["期間区分"]) for row in rows} == {("2026", "年度内")}
    fixed = kaikei.send("/waiver/vouchers", {"month": FIRST, "layout": "shift-jis"}).content.decode("cp932")
    assert fixed.startswith('"1","1","20260430"')
    assert town.did().count("voucher_export") == 3


def test_a_layout_of_the_towns_own_is_kept_used_and_removed(town: Town) -> None:
    bills(town, FIRST)
    close(town, FIRST)
    kaikei = person(town, "kaikei")
    assert "budget_code" in kaikei.get("/waiver/vouchers/layout").text
    body = '{"title": "うち", "columns": [{"heading": "月", "field": "month"}, {"heading": "円", "field": "yen"}]}'
    assert kaikei.send("/waiver/vouchers/layout", {"code": "uchi", "body": body, "do": "keep"}).status_code == 303
    made = kaikei.send("/waiver/vouchers", {"month": FIRST, "layout": "uchi"}).content.decode("utf-8-sig")
    assert sum(int(row["円"]) for row in csv.DictReader(io.StringIO(made))) == 0
    for code, text in (("generic", body), ("う", body), ("uchi", '{"columns": [{"field": "colour"}]}'), ("uchi", "{")):
        answer = kaikei.send("/waiver/vouchers/layout", {"code": code, "body": text, "do": "keep"})
        assert answer.status_code == 400, (code, text)
    kaikei.send("/waiver/vouchers/layout", {"code": "uchi", "do": "remove"})
    assert kaikei.send("/waiver/vouchers", {"month": FIRST, "layout": "uchi"}).status_code == 400


def test_a_bill_is_paid_once(town: Town) -> None:
    bills(town, FIRST)
    close(town, FIRST)
    kaikei = person(town, "kaikei")
    form = {"month": FIRST, "bill": "1", "day": "2026-05-29"}
    assert kaikei.send("/waiver/pay", form | {"day": "soon"}).status_code == 409
    assert kaikei.send("/waiver/pay", form).status_code == 303
    assert "支払いずみ" in kaikei.get(f"/waiver?month={FIRST}").text
    again = kaikei.send("/waiver/pay", form)
    assert again.status_code == 409
    assert kaikei.send("/waiver/pay", form | {"bill": "77"}).status_code == 404
    found = town.read(ledger_store.balances)
    assert found["treasury"] < 0
    assert sum(found.values()) == 0


def test_wrong_forms_are_refused(town: Town) -> None:
    kanri = person(town, "kanri")
    for path, form in (
        ("/waiver/close", {"month": "x", "do": "ask"}),
        ("/waiver/close", {"month": FIRST, "do": "dance"}),
        ("/waiver/approve", {"month": FIRST, "do": "dance"}),
        ("/waiver/vouchers", {"month": "x", "layout": "generic"}),
    ):
        assert kanri.send(path, form).status_code == 400, path
    assert kanri.get("/waiver?month=2026-13").status_code == 400
    for form in ({"do": "approve"}, {"do": "refuse"}):
        assert kanri.send("/waiver/approve", {"month": FIRST, **form}).status_code == 409
    assert kanri.send("/waiver/close", {"month": FIRST, "do": "withdraw"}).status_code == 409


def test_each_reason_not_to_close_has_words() -> None:
    assert {f"wmonth_refused_{one}" for one in closing.REFUSED} - set(WORDS) == {"wmonth_refused_no_bill"}
    assert {f"wmonth_stop_{one}" for one in get_args(Stop)} - set(WORDS) == {"wmonth_stop_no_bill"}
    assert set(close_command.WHY) == set(closing.REFUSED)
