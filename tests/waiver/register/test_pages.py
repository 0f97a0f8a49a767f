"""Pages of the registers over a real hub: what is entered, what is refused with a sentence, who may what."""

import re

import pytest

from hub import audit, shown
from hub.inventory import store as inventory
from hub.pages import now_ms
from hub.waiver import application_view as view
from hub.waiver import gather, register_store, rules_form, tariff_store
from tests.login.parts import Browser, Town
from tests.waiver.register.filled import fill_registers
from tests.waiver.register.parts import Office, upload


def test_an_empty_register_says_what_to_do_next(office: Office) -> None:
    for path, words in (
        ("residents", "住民はまだ登録されていません"),
        ("lines", "回線はまだ登録されていません"),
        ("applications", "申請はまだありません"),
        ("applications/renewals", "今、更新の時期の免除はありません"),
        ("applications/checks", "確認する免除はありません"),
        ("rules", "料金と規則はまだありません"),
    ):
        for browser in (office.clerk, office.auditor):
            answer = browser.get(f"/waiver/{path}")
            assert answer.status_code == 200
            assert words in answer.text
    assert "先に免除の規則を登録してください" in office.clerk.get("/waiver/applications/new").text


def test_a_resident_is_a_number_and_a_name_only_where_names_are_kept(town: Town, office: Office) -> None:
    number = office.resident("１００１", resident_district="北町", resident_name="山田")
    one = town.read(lambda conn: register_store.resident(conn, number))
    assert one is not None
    assert (one.number, one.name, one.district) == ("1001", "", "北町")
    town.write(lambda conn: inventory.keep_names(conn, kept=True))
    answer = office.clerk.send(f"/waiver/residents/{number}", {"resident_name": "山田", "resident_to": "2027-03-31"})
    assert answer.status_code == 303
    assert "山田" in office.clerk.get(f"/waiver/residents/{number}").text
    assert town.write(lambda conn: inventory.keep_names(conn, kept=False)) == 1
    assert "山田" not in office.clerk.get(f"/waiver/residents/{number}").text
    # The log does not repeat the name.
    assert "山田" not in str(town.read(lambda conn: [entry.detail for entry in audit.entries(conn)]))
    assert office.clerk.send("/waiver/residents/new", {"resident_number": "1001"}).status_code == 422
    for form in ({}, {"resident_number": ""}, {"resident_number": "2", "resident_from": "2026-02-30"}):
        answer = office.clerk.send("/waiver/residents/new", form)
        assert answer.status_code == 422
        assert "次の項目を確かめてください" in answer.text


def test_a_line_goes_to_a_resident_with_a_device_and_comes_back(town: Town, office: Office) -> None:
    office.sample()
    resident, line = office.resident(), office.line(line_tariff="data-3gb")
    item = town.write(lambda conn: inventory.enter(conn, None, now_ms()))
    town.write(lambda conn: inventory.change(conn, item, {"asset": "T-1", "kind": "tablet"}, now_ms()))
    path = f"/waiver/lines/{line}"
    form = {"do": "hand_over", "use_resident": "1001", "use_from": "2026-05-01", "use_from_time": "10:30"}
    for wrong, told in (
        ({"use_resident": "9"}, "登録されている住民の番号"),
        ({"use_from": "2026-03-31"}, "回線の契約期間の中の日"),
        ({"use_from_time": "25:00"}, "時刻"),
        ({"use_item": f"i:{item}"}, "引渡日以後の返却期限"),
        ({"use_item": "i:999"}, "備品台帳にある物"),
    ):
        answer = office.clerk.send(path, form | wrong)
        assert answer.status_code == 422
        assert told in answer.text
    assert not town.read(register_store.uses)
    sent = office.clerk.send(path, form | {"use_item": f"i:{item}", "use_due": "2027-03-31"})
    assert sent.status_code == 303
    (use,) = town.read(lambda conn: register_store.uses_of_resident(conn, resident))
    loan = town.read(lambda conn: inventory.loans(conn, item))[0]
    assert (use.item_id, use.loan_id, use.from_day) == (item, loan.id, "2026-05-01")
    assert shown.exact("ja", use.from_ms).endswith("10:30:00")
    assert (loan.number, loan.since, loan.until) == ("1001", "2026-05-01", "2027-03-31")
    assert office.clerk.send(path, form | {"use_from": "2026-06-01"}).status_code == 422
    assert office.clerk.send(path, {"do": "give_back", "use_to": "2026-04-30"}).status_code == 422
    assert (
        office.clerk.send(path, {"do": "give_back", "use_to": "2026-06-30", "use_item_too": "yes"}).status_code == 303
    )
    assert town.read(lambda conn: inventory.loans(conn, item))[0].returned == "2026-06-30"
    assert office.clerk.send(path, {"do": "give_back", "use_to": "2026-06-30"}).status_code == 409
    assert office.clerk.send(path, {"do": "save", "line_to": "2026-06-01"}).status_code == 422
    assert office.clerk.send(path, {"do": "save", "line_to": "2026-06-30"}).status_code == 303
    assert town.did()[-1] == "line_change"


def test_a_device_that_is_lent_to_another_does_not_go_with_a_line(town: Town, office: Office) -> None:
    office.resident("1001")
    office.resident("1002")
    line = office.line()
    item = town.write(lambda conn: inventory.enter(conn, None, now_ms()))
    loan = {"loan_number": "1002", "loan_since": "2026-04-01", "loan_until": "2027-03-31"}
    town.write(lambda conn: inventory.change(conn, item, {"asset": "T-1", "kind": "tablet"}, now_ms()))
    town.write(lambda conn: inventory.lend(conn, item, loan, "x"))
    form = {"do": "hand_over", "use_from": "2026-05-01", "use_item": f"i:{item}"}
    answer = office.clerk.send(f"/waiver/lines/{line}", form | {"use_resident": "1001"})
    assert answer.status_code == 422
    assert "今は1002に貸与中" in answer.text
    assert office.clerk.send(f"/waiver/lines/{line}", form | {"use_resident": "1002"}).status_code == 303


def test_who_enters_does_not_decide(town: Town, office: Office) -> None:
    number = office.granted_line()
    application = office.apply("welfare")
    path = f"/waiver/applications/{application}"
    decision = {"decision_result": "granted", "decision_number": "N1", "decision_day": "2026-05-20"}
    decision["decision_clause"] = "要綱第6条"
    assert office.clerk.send(f"{path}/decide", decision).status_code == 403
    assert "decision_result" not in office.clerk.get(path).text
    shown_to_approver = office.approver.get(path).text
    assert 'name="decision_result"' in shown_to_approver
    # The rule's clause is there to be taken.
    assert 'value="要綱第6条第1号"' in shown_to_approver
    # What granting it would come to, before it is done.
    assert "2026年5月1日〜" in shown_to_approver
    assert "1,631円のうち1,631円を免除、負担 0円" in shown_to_approver
    # An administrator covers both needs, and still does not decide on their own entry.
    town.add("hanako")
    admin = Browser(town)
    admin.sign_in("hanako")
    office.resident("1002")
    own = office.apply("age75", by=admin, resident="1002", number="own")
    answer = admin.send(f"/waiver/applications/{own}/decide", decision)
    assert answer.status_code == 422
    assert "入力した人とは別の人" in answer.text
    assert "あなたが入力した申請です" in admin.get(f"/waiver/applications/{own}").text
    assert "免除の申請 2件が決定を待っています" in office.approver.get("/").text
    assert "免除の申請 1件が決定を待っています" in admin.get("/").text
    assert "決定を待っています" not in office.clerk.get("/").text
    assert office.approver.send(f"{path}/decide", decision).status_code == 303
    assert office.approver.send(f"{path}/decide", decision).status_code == 409
    gathered = town.read(lambda conn: gather.month(conn, "2026-11"))
    (line,) = [one for one in gathered.lines if one.line.id == number]
    assert [grant.ref for grant in line.stretches[0].grants] == ["N1"]


def test_what_a_decision_cannot_be_is_told_and_nothing_is_decided(town: Town, office: Office) -> None:
    office.granted_line()
    path = f"/waiver/applications/{office.apply('welfare')}"
    good = {"decision_result": "granted", "decision_number": "N1", "decision_day": "2026-05-20", "decision_clause": "c"}
    for wrong, told in (
        ({"decision_result": ""}, "承認か不承認"),
        ({"decision_number": ""}, "空欄でないこと"),
        ({"decision_clause": ""}, "空欄でないこと"),
        ({"decision_day": "2026-05-01"}, "申請日から今日まで"),
        ({"decision_day": "2030-01-01"}, "申請日から今日まで"),
        ({"decision_until": "2026-05-01"}, "初日以後の日"),
        ({"decision_until": "2027-03-15"}, "月末の日(2027-03-31)"),
        ({"decision_result": "refused"}, "空欄でないこと"),
    ):
        answer = office.approver.send(f"{path}/decide", good | wrong)
        assert answer.status_code == 422, wrong
        assert told in answer.text
    assert "waiver_decide" not in town.did()
    assert office.approver.send(f"{path}/decide", good | {"decision_until": "2027-03-31"}).status_code == 303
    days = town.read(lambda conn: view.held(view.of_application(conn, 1), view.rules_known(conn))).days  # type: ignore[arg-type]
    assert days is not None
    assert days.last.isoformat() == "2027-03-31"


def test_an_application_that_cannot_be_is_told(town: Town, office: Office) -> None:
    line = office.granted_line()
    other = office.line("090-9999-0000")
    form = {
        "asks": "grant",
        "of": "0",
        "application_resident": "1001",
        "application_number": "1",
        "application_rule": "welfare",
        "application_applied": "2026-05-10",
    }
    for wrong, told in (
        ({"application_number": ""}, "空欄でないこと"),
        ({"application_rule": "none"}, "登録されている規則"),
        ({"application_applied": "2030-01-01"}, "今日まで"),
        ({"application_line": str(other)}, "この住民が使った回線"),
        ({"application_resident": "77"}, "77の住民は登録されていません"),
    ):
        answer = office.clerk.send("/waiver/applications/new", form | wrong)
        assert answer.status_code == 422, wrong
        assert told in answer.text or "登録されている住民の番号" in answer.text
    assert office.clerk.send("/waiver/applications/new", form | {"application_line": str(line)}).status_code == 303
    again = office.clerk.send(
        "/waiver/applications/new", form | {"application_line": str(line), "application_number": "2"}
    )
    assert "まだ申請していない理由" in again.text
    taken = office.clerk.send("/waiver/applications/new", form | {"application_rule": "age75"})
    assert "ほかの物が使っていない番号" in taken.text
    for bad in ({"of": "x"}, {"of": "99", "asks": "end"}, {"of": "1", "asks": "end"}):
        assert office.clerk.send("/waiver/applications/new", form | bad).status_code in (400, 404, 409)


def test_change_end_and_revocation_follow_the_table(town: Town, office: Office) -> None:
    office.granted_line()
    grant = office.decided(office.apply("welfare"), "N1")
    path = f"/waiver/applications/{grant}"
    assert "変更する" in office.clerk.get(path).text
    form = {"of": str(grant), "application_resident": "1001", "application_applied": "2026-08-01"}
    change = form | {"asks": "change", "application_number": "c", "application_rule": "age75"}
    early = office.clerk.send("/waiver/applications/new", change | {"application_from": "2026-05-01"})
    assert "免除期間の中の日" in early.text
    assert office.clerk.send("/waiver/applications/new", change | {"application_from": "2026-08-01"}).status_code == 303
    # One thing at a time.
    end = form | {"asks": "end", "application_number": "e", "application_from": "2026-10-20"}
    assert office.clerk.send("/waiver/applications/new", end).status_code == 409
    office.decided(grant, "N2")
    assert "変更ずみ" in office.clerk.get(path).text
    assert office.clerk.send("/waiver/applications/new", end).status_code == 303
    assert office.clerk.send(f"{path}/withdraw").status_code == 303
    assert office.clerk.send("/waiver/applications/new", end | {"application_number": "e2"}).status_code == 303
    office.decided(grant, "N3")
    assert office.clerk.get(f"/waiver/applications/new?of={grant}&asks=renew").status_code == 409
    revoke = form | {"asks": "revoke", "application_number": "r", "application_from": "2026-08-01"}
    assert "空欄でないこと" in office.clerk.send("/waiver/applications/new", revoke).text
    revoke["application_reason"] = "虚偽の申請"
    assert office.clerk.send("/waiver/applications/new", revoke).status_code == 303
    decision = {"decision_result": "granted", "decision_number": "N4", "decision_day": "2026-09-01"}
    decision |= {"decision_clause": "要綱第9条"}
    assert "空欄でないこと" in office.approver.send(f"{path}/decide", decision).text
    office.decided(grant, "N4", decision_reason="虚偽の申請のため")
    assert "取消し" in office.clerk.get(path).text
    months = {
        month: [len(line.stretches[0].grants) for line in town.read(lambda conn, m=month: gather.month(conn, m)).lines]  # type: ignore[misc]
        for month in ("2026-07", "2026-11")
    }
    assert months == {"2026-07": [2], "2026-11": [2]}
    days = town.read(lambda conn: view.held(view.of_application(conn, grant), view.rules_known(conn))).days  # type: ignore[arg-type]
    assert days is not None
    assert (days.first.isoformat(), days.last.isoformat()) == ("2026-05-01", "2026-07-31")


def test_the_notice_tells_what_was_decided_then(town: Town, office: Office) -> None:
    office.granted_line()
    grant = office.decided(office.apply("age75"), "北総第1号")
    answer = office.auditor.get(f"/waiver/applications/{grant}/notice.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    text = office.text_of(answer)
    for part in (
        "様式第2号",
        "北総第1号",
        "令和8年5月20日",
        "利用者番号 1001 様",
        "通信料減免決定通知書",
        "基本料等の2分の1",
        "090-1111-2222",
        "月額 1,631円のうち減免額 816円、ご負担額 815円",
        "令和8年5月1日から",
        "審査請求",
        "取消しの訴え",
    ):
        assert part.replace(" ", "") in text, part
    letter = {
        "letter_town": "雪町",
        "letter_head": "雪町長",
        "letter_name": "北 太郎",
        "letter_appeal": "{head}に審査請求",
    }
    assert office.finance.send("/waiver/rules/letter", letter).status_code == 303
    text = office.text_of(office.clerk.get(f"/waiver/applications/{grant}/notice.pdf"))
    assert "雪町長北太郎印" in text
    assert "雪町長に審査請求" in text
    before = office.clerk.get(f"/waiver/applications/{grant}/notice.pdf").content
    form = {"of": str(grant), "asks": "revoke", "application_resident": "1001", "application_number": "r"}
    form |= {"application_applied": "2026-08-01", "application_from": "2026-06-01", "application_reason": "虚偽"}
    office.clerk.send("/waiver/applications/new", form)
    assert office.clerk.get("/waiver/applications/2/notice.pdf").status_code == 404
    office.decided(grant, "北総第2号", decision_reason="虚偽の申請のため")
    # What was decided later does not change a letter that was sent.
    assert office.clerk.get(f"/waiver/applications/{grant}/notice.pdf").content == before
    text = office.text_of(office.clerk.get("/waiver/applications/2/notice.pdf"))
    assert "通信料減免取消決定通知書" in text
    assert "令和8年5月1日から令和8年5月31日まで" in text
    assert "虚偽の申請のため" in text
    assert town.did().count("waiver_notice") == 5


def test_renewals_stand_from_two_months_before_and_july_asks_once(town: Town, office: Office) -> None:
    at_ms = now_ms()
    town.write(lambda conn: fill_registers(conn, at_ms))
    page = office.clerk.get("/waiver/applications/renewals").text
    assert "障害者世帯" in page
    form = {"asks": "renew", "of": "3", "application_resident": "1003", "application_number": "n"}
    form["application_applied"] = shown.day_of(at_ms)
    assert office.clerk.send("/waiver/applications/new", form).status_code == 303
    assert "障害者世帯" not in office.clerk.get("/waiver/applications/renewals").text
    (renewal,) = town.read(lambda conn: view.of_application(conn, 3)).others  # type: ignore[union-attr]
    assert renewal.from_day > shown.day_of(at_ms + 40 * 86_400_000)
    year = shown.day_of(at_ms)[:4]
    before = town.read(lambda conn: len(view.open_checks(conn, int(year))))
    found = {"of": "1", "year": year, "result": "holds", "check_note": "受給証明書"}
    assert office.clerk.send("/waiver/applications/checks", found).status_code == 303
    assert town.read(lambda conn: len(view.open_checks(conn, int(year)))) == before - 1
    assert "受給証明書" in office.auditor.get(f"/waiver/applications/checks?year={year}").text
    for bad in ({"result": "maybe"}, {"year": "x"}, {"of": "x"}, {"of": "999"}):
        assert office.clerk.send("/waiver/applications/checks", found | bad).status_code in (400, 404)


def test_versions_that_a_closed_month_went_by_stay(town: Town, office: Office) -> None:
    office.sample()
    line = office.line(line_tariff="data-3gb")
    town.write(lambda conn: conn.execute("INSERT INTO ledger_close VALUES ('line', '2026-10', 0, '', '', 0, 'a', 'b')"))
    found = next(one for one in town.read(tariff_store.tariffs) if one.code == "data-3gb")
    form = rules_form.tariff_values(found.code, found.from_month, "", found.tariff)
    for change in ({"tariff_base": "9"}, {"tariff_from": "2026-09"}):
        answer = office.finance.send("/waiver/rules/tariff", form | change)
        assert answer.status_code == 422
        assert "締めていない月" in answer.text
    assert (
        office.finance.send("/waiver/rules/tariff", form | {"tariff_from": "2026-11", "tariff_base": "9"}).status_code
        == 303
    )
    rule = next(one for one in town.read(tariff_store.rules) if one.code == "age75")
    values = rules_form.rule_values(rule.code, (rule.from_month, ""), rule.name, rule.clause, rule.rule)
    assert office.finance.send("/waiver/rules/rule", values | {"rule_share": "1/3"}).status_code == 422
    answer = office.clerk.send(
        f"/waiver/lines/{line}", {"do": "tariff", "line_tariff": "data-10gb", "line_tariff_from": "2026-10"}
    )
    assert "締めていない月" in answer.text
    form = {"do": "tariff", "line_tariff": "data-10gb", "line_tariff_from": "2026-11"}
    assert office.clerk.send(f"/waiver/lines/{line}", form).status_code == 303
    assert office.finance.send("/waiver/rules/sample").status_code == 409
    for path in ("tariff?code=none", "rule?code=none"):
        assert office.finance.get(f"/waiver/rules/{path}").status_code == 404


def test_a_table_comes_in_whole_or_not_at_all(town: Town, office: Office) -> None:
    office.sample()
    for kind, n in (("residents", 2), ("lines", 2)):
        example = office.clerk.get(f"/waiver/file/{kind}?rows=example").content
        broken = example.replace(b"1002", b"1001") if kind == "residents" else example.replace(b"0002", b"000x")
        answer = upload(town, office.clerk, f"/waiver/import/{kind}", broken)
        assert answer.status_code == 422
        assert re.search(r'data-label="行">3<', answer.text)
        look = upload(town, office.clerk, f"/waiver/import/{kind}", example)
        assert look.status_code == 200
        done = office.confirm(kind, look)
        assert done.headers["location"] == f"/waiver/import?did={kind}&n={n}"
        # Once more, and out and in again: nothing changes.
        assert "変わる行はありません" in upload(town, office.clerk, f"/waiver/import/{kind}", example).text
        out = office.clerk.get(f"/waiver/file/{kind}?form=xlsx").content
        assert "変わる行はありません" in upload(town, office.clerk, f"/waiver/import/{kind}", out, "x.xlsx").text
    gathered = town.read(lambda conn: gather.month(conn, "2026-11"))
    assert [(one.line.phone, one.tariff, len(one.stretches)) for one in gathered.lines] == [
        ("09000000001", "data-3gb", 1),
        ("09000000002", "data-3gb", 0),
    ]
    look = upload(town, office.clerk, "/waiver/import/residents", "住民の番号\n1001\n1009\n".encode())
    office.resident("1009")
    changed = office.confirm("residents", look)
    assert changed.status_code == 409
    for content, told in ((b"a,b\n1,2\n", "「住民の番号」の見出し"), (b"", "")):
        answer = upload(town, office.clerk, "/waiver/import/residents", content)
        assert answer.status_code == 422
        assert told in answer.text


@pytest.mark.parametrize("row", ["090-0000-0009,A,2026-04-01,none,,", "090-0000-0009,A,2026-04-01,,1,2026-05-01"])
def test_a_line_with_an_unknown_tariff_or_resident_is_told(town: Town, office: Office, row: str) -> None:
    head = "電話番号,通信会社,契約の初日,料金,利用者の番号,引渡日\n"
    answer = upload(town, office.clerk, "/waiver/import/lines", (head + row + "\n").encode())
    assert answer.status_code == 422
    assert not town.read(register_store.lines)
