"""The pages of benefits, as people use them: a kind, a grant by two people, a card, a use taken back, the report."""

import pytest

from hub.benefit import account_store, booking, store, use_store
from hub.db import Connection, Refused
from hub.told import Told
from tests.benefit.parts import HANA, NOW_MS, TAXI, add_resident, begin, takes_benefits
from tests.login.parts import Browser, Town
from wire.tablet import BenefitUse

KIND = {
    "benefit_code": "taxi",
    "benefit_name_ja": "タクシー券",
    "benefit_name_en": "Taxi voucher",
    "benefit_unit_ja": "枚",
    "benefit_unit_en": "vouchers",
    "benefit_unit_yen": "600",
    "benefit_budget": "03-01-02-19",
    "benefit_offline_units": "2",
    "benefit_offline_days": "3",
    "benefit_from": "令和8年4月1日",
    "benefit_to": "",
}
GRANT = {
    "do": "grant",
    "grant_benefit": "taxi",
    "grant_units": "24",
    "grant_from": "2026-04-01",
    "grant_until": "2099-03-31",
    "grant_reason": "decision 12",
}


def test_first_there_is_a_page_that_says_what_to_do(clerk: Browser) -> None:
    assert "給付の種類がまだありません" in clerk.get("/benefits").text
    assert 'value="taxi"' in clerk.get("/benefits/kinds").text
    assert "この年度にはまだ何もありません" in clerk.get("/benefits/report").text


def test_a_grant_is_entered_by_one_person_and_approved_by_another(
    town: Town, clerk: Browser, approver: Browser
) -> None:
    assert clerk.send("/benefits/kinds", KIND).status_code == 303
    number = town.write(lambda conn: add_resident(conn, "J-0001"))
    account = f"/benefits/accounts/{number}"
    assert clerk.send(account, GRANT).headers["location"] == f"{account}?did=grant"
    assert "承認待ち" in clerk.get(account).text
    waiting = {"do": "approve", "grant": "1"}
    # Who may not decide at all, and who entered it.
    assert clerk.send("/benefits/grants", waiting).status_code == 403
    town.add("hanako")
    both = Browser(town)
    both.sign_in("hanako")
    both.send(account, {**GRANT, "grant_units": "9"})
    assert both.send("/benefits/grants", {"do": "approve", "grant": "2"}).headers["location"].endswith("did=own")
    assert "給付の付与2件が承認を待っています" in approver.get("/").text
    page = approver.get("/benefits").text
    assert "承認を待っている付与 (2件)" in page
    assert approver.send("/benefits/grants", waiting).headers["location"].endswith("did=approved")
    assert approver.send("/benefits/grants", waiting).headers["location"].endswith("did=gone")
    assert approver.send("/benefits/grants", {"do": "refuse", "grant": "2"}).headers["location"].endswith("did=refused")
    assert "24枚" in approver.get("/benefits").text
    page = clerk.get(account).text
    assert "承認ずみ" in page
    assert "不承認" in page
    assert {"benefit_kind", "benefit_grant", "benefit_approve", "benefit_refuse"} <= set(town.did())
    assert clerk.send(account, {"do": "end_grant", "grant": "1"}).headers["location"].endswith("did=end_grant")
    assert clerk.send(account, {"do": "end_grant", "grant": "2"}).headers["location"].endswith("did=cannot")


def test_the_table_itself_refuses_ones_own_grant(town: Town) -> None:
    def write(conn: Connection) -> None:
        conn.execute("UPDATE benefit_grant SET result = 'approved', approved_by = entered_by WHERE id = 1")

    town.write(_pending)
    with pytest.raises(Refused, match="does not approve it"):
        town.write(write)
    with pytest.raises(Refused, match="never deleted"):
        town.write(lambda conn: conn.execute("DELETE FROM benefit_grant"))
    assert town.read(store.open_grants)


def _pending(conn: Connection) -> None:
    store.set_kind(conn, TAXI, NOW_MS)
    number = add_resident(conn, "J-0001")
    store.enter_grant(conn, number, store.NewGrant("taxi", 3, "2026-04-01"), "hanako", NOW_MS)


BAD_KINDS = [
    ("benefit_code", "Taxi!", "英小文字で始まる"),
    ("benefit_unit_yen", "600.5", "0–1,000,000の整数"),
    ("benefit_offline_units", "101", "0–100の整数"),
    ("benefit_offline_days", "0", "1–31の整数"),
    ("benefit_from", "soon", "日付"),
    ("benefit_to", "2026-03-31", "2026-04-01以後の日"),
    ("benefit_name_ja", "", "空欄でないこと"),
]


def test_a_kind_that_cannot_be_is_told_by_its_field(town: Town, clerk: Browser) -> None:
    for field, value, said in BAD_KINDS:
        answer = clerk.send("/benefits/kinds", {**KIND, field: value})
        assert answer.status_code == 422, field
        assert said in answer.text, field
    assert town.read(store.kinds) == {}


BAD_GRANTS = [
    ("grant_benefit", "bus", "登録されている給付"),
    ("grant_units", "0", "1–10,000の整数"),
    ("grant_units", "２．５", "1–10,000の整数"),
    ("grant_until", "2026-03-31", "2026-04-01以後の日"),
    ("grant_reason", "", "空欄でないこと"),
]


def test_a_grant_that_cannot_be_is_told_by_its_field(town: Town, clerk: Browser) -> None:
    number, _ = begin(town.db, town.app.state.signing)
    for field, value, said in BAD_GRANTS:
        answer = clerk.send(f"/benefits/accounts/{number}", {**GRANT, field: value})
        assert answer.status_code == 422, field
        assert said in answer.text, field
    assert town.read(store.open_grants) == []


def test_a_card_that_was_tapped_is_given_and_stopped(town: Town, clerk: Browser) -> None:
    number, _ = begin(town.db, town.app.state.signing, 5, "terminal-1")
    account = f"/benefits/accounts/{number}"
    stranger = "c0ffee01" + "0" * 24
    town.write(lambda conn: _tap(conn, stranger))
    assert "c0ffee01" in clerk.get(account).text
    assert clerk.send(account, {"do": "give_card", "card": "c0ffee01"}).headers["location"].endswith("did=give_card")
    # It is nobody's no more: neither here nor among the cards of staff.
    page = clerk.get("/staff/cards/unknown").text
    assert "c0ffee01" not in page
    answer = clerk.send(account, {"do": "give_card", "card": "c0ffee01"})
    assert answer.status_code == 422
    assert "端末でタッチしたことのあるカード" in answer.text
    assert clerk.send(account, {"do": "take_card", "card": stranger}).headers["location"].endswith("did=take_card")
    assert clerk.send(account, {"do": "take_card", "card": stranger}).headers["location"].endswith("did=cannot")
    # Who gave it back by mistake is given it again.
    assert clerk.send(account, {"do": "give_card", "card": "c0ffee01"}).headers["location"].endswith("did=give_card")
    assert {"benefit_card", "benefit_card_back"} <= set(town.did())


def _tap(conn: Connection, token: str) -> None:
    conn.execute(
        "INSERT INTO punch (device_id, lane_id, seq, boot_id, mono_ms, card, direction, chosen, standing, technology, "
        "at_ms, clock, received_ms) VALUES (1, 1, 1, 1, 1, ?, 'clock_in', 'time', 'unknown', 'felica', ?, 0, ?)",
        (token, NOW_MS, NOW_MS),
    )


def test_a_use_is_shown_booked_and_taken_back(town: Town, clerk: Browser) -> None:
    number, (device,) = begin(town.db, town.app.state.signing, 5, "terminal-1")
    use = "0d" * 16

    def write(conn: Connection) -> None:
        (one,) = account_store.allowances(conn, [number])
        body = BenefitUse(use, one.id, 2, 2, HANA)
        use_store.take_uses(conn, [Told(device, "terminal-1", 1, NOW_MS, NOW_MS, body)])
        booking.book(conn, now_ms=NOW_MS)

    town.write(write)
    account = f"/benefits/accounts/{number}"
    page = clerk.get(account).text
    assert "計上ずみ" in page
    assert "台帳 1" in page
    assert "1,200円" in clerk.get("/benefits/report?year=2026").text
    back = {"do": "take_back", "device": str(device), "use": use, "back_reason": "乗らなかった"}
    assert clerk.send(account, {**back, "back_reason": ""}).status_code == 422
    assert clerk.send(account, back).headers["location"].endswith("did=take_back")
    assert clerk.send(account, back).headers["location"].endswith("did=cannot")
    town.write(lambda conn: booking.book(conn, now_ms=NOW_MS))
    assert "kazueが取り消し" in clerk.get(account).text
    page = clerk.get("/benefits/report?year=2026").text
    assert "1,200円" not in page
    for kind in ("csv", "xlsx"):
        answer = clerk.get(f"/benefits/report.{kind}?year=2026")
        assert answer.status_code == 200
        assert f'filename="benefits-2026.{kind}"' in answer.headers["content-disposition"]


def test_what_is_wrong_is_shown_until_somebody_has_seen_to_it(town: Town, clerk: Browser) -> None:
    number, devices = begin(town.db, town.app.state.signing, 2, "terminal-1", "terminal-2")

    def spend(conn: Connection) -> None:
        for seq, one in enumerate(account_store.allowances(conn, [number])):
            body = BenefitUse(f"{seq:032x}", one.id, 2, 2, HANA)
            use_store.take_uses(conn, [Told(one.device_id, one.device, 1, NOW_MS + seq, NOW_MS + seq, body)])

    assert "超える最大" in clerk.get("/benefits").text
    town.write(spend)
    page = clerk.get("/benefits").text
    assert "確認が要る利用 (1件)" in page
    assert "給付の利用1件の確認が要ります" in clerk.get("/").text
    assert "残りを超えた利用" in page
    assert "残りを2枚超えて使われています" in clerk.get(f"/benefits/accounts/{number}").text
    (wrong,) = town.read(use_store.troubles)
    seen = {"do": "seen", "device": str(wrong.device_id), "use": wrong.use}
    assert clerk.send("/benefits/uses", seen).headers["location"].endswith("did=seen")
    assert "確認が要る利用" not in clerk.get("/benefits").text
    assert clerk.send("/benefits/uses", {**seen, "use": "f" * 32}).status_code == 404
    assert len(devices) == 2


def test_nothing_more_is_expected_of_a_terminal_that_is_gone(town: Town, clerk: Browser) -> None:
    _, (device,) = begin(town.db, town.app.state.signing, 5, "terminal-1")
    give_up = {"do": "give_up", "device": str(device)}
    assert clerk.send("/benefits/uses", give_up).headers["location"].endswith("did=gone")
    long_after = NOW_MS + 10 * 86_400_000

    def take_away(conn: Connection) -> None:
        takes_benefits(conn, town.app.state.signing, device, NOW_MS, on=False)
        account_store.give(conn, long_after)
        conn.execute("UPDATE benefit_allowance SET until_ms = 1")

    town.write(take_away)
    assert "もう届かないとみなす" in clerk.get("/benefits").text
    assert clerk.send("/benefits/uses", give_up).headers["location"].endswith("did=given_up")
    assert town.read(account_store.exposed) == []


NOT_OURS = [
    ("/benefits/grants", {"do": "approve", "grant": "x"}),
    ("/benefits/grants", {"do": "other", "grant": "1"}),
    ("/benefits/uses", {"do": "seen", "device": "-1", "use": ""}),
    ("/benefits/uses", {"do": "seen", "device": "1", "more": "1"}),
    ("/benefits/accounts/1", {"do": "all"}),
]


def test_what_no_page_of_ours_sends_is_refused(town: Town) -> None:
    town.add("hanako")
    browser = Browser(town)
    browser.sign_in("hanako")
    for path, form in NOT_OURS:
        assert browser.send(path, form).status_code == 400, form
    assert browser.get("/benefits/accounts/77").status_code == 404
