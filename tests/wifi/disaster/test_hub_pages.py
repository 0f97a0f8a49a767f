"""The pages of the disaster switch: two persons, access points that answer or not, the end, the evidence."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub import pages
from hub.db import Connection
from hub.orders import store as orders
from hub.told import Told
from hub.wifi import disaster, disaster_store
from tests.login.parts import Browser, Town, running_town
from wire import codec
from wire.messages import DisasterReport, Order, Result

MINUTE_MS = 60_000
DAY_MS = 86_400_000
POINTS = ("kominkan-ap", "toshokan-ap", "yakuba-ap")


def _fill(conn: Connection) -> None:
    for name, kind in (*((name, "access_point") for name in POINTS), ("genkan-1", "terminal")):
        conn.execute(
            "INSERT INTO device (name, kind, first_heard_ms, last_heard_ms, online, boot, connection, version) "
            "VALUES (?, ?, ?, ?, 0, 'b', 1, '')",
            (name, kind, pages.now_ms() - 400 * DAY_MS, pages.now_ms()),
        )
    for number, place in ((1, "公民館"), (2, "図書館")):
        conn.execute("INSERT INTO item (device_id, place, changed_ms) VALUES (?, ?, 0)", (number, place))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub with three access points that are away, two of them in known places."""
    with running_town(tmp_path) as running:
        running.write(_fill)
        yield running


def _person(town: Town, name: str, role: Any) -> Browser:
    town.add(name, role)
    browser = Browser(town)
    assert browser.sign_in(name).status_code == 303
    return browser


@pytest.fixture
def hanako(town: Town) -> Browser:
    """An IT officer."""
    return _person(town, "hanako", "it")


@pytest.fixture
def taro(town: Town) -> Browser:
    """An approver."""
    return _person(town, "taro", "approver")


FORM = {"reason": "震度5強", "minutes": "1440", "where": "all"}
DRILL = {"reason": "総合防災訓練", "minutes": "15", "where": "all", "drill": "yes"}


def _ask(browser: Browser, form: dict[str, str] = FORM) -> int:
    answer = browser.send("/wifi/disaster", form)
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].rpartition("/")[2])


def _confirm(browser: Browser, number: int) -> Any:
    path = f"/wifi/disaster/{number}/confirmation"
    asked = browser.send(path, {"do": "confirm"})
    return asked if asked.status_code != 200 else browser.send(path, {"do": "confirm", "sure": "yes"})


def _run(town: Town, number: int) -> disaster.Run:
    found = town.read(lambda conn: disaster_store.run(conn, number))
    assert found is not None
    return found


def _given(town: Town) -> dict[str, list[Order]]:
    """The orders that are on their way, by access point."""
    rows = town.read(
        lambda conn: conn.execute(
            "SELECT d.name, o.message FROM outbox o JOIN device d ON d.id = o.device_id WHERE o.what = 'order' "
            "ORDER BY o.id"
        ).fetchall()
    )
    found: dict[str, list[Order]] = {}
    for name, message in rows:
        order = codec.decode_down(message)
        assert isinstance(order, Order)
        found.setdefault(name, []).append(order)
    return found


def _told(town: Town, name: str, body: Any, at_ms: int | None = None) -> None:
    """An access point reports."""
    now_ms = pages.now_ms()

    def take(conn: Connection) -> None:
        (device_id,) = conn.execute("SELECT id FROM device WHERE name = ?", (name,)).fetchone()
        told = Told(device_id, name, 1, at_ms or now_ms, now_ms, body)
        (orders.take_results if isinstance(body, Result) else disaster_store.take)(conn, [told])

    town.write(take)


def _said(page: str, name: str) -> str:
    """What the page says of an access point."""
    row = next(row for row in re.findall(r"<tr id=.*?</tr>", page, re.DOTALL) if f">{name}<" in row)
    return re.sub(r"<[^>]+>|\s+", " ", row)


def test_one_person_asks_another_one_confirms_and_every_access_point_is_told(
    town: Town, hanako: Browser, taro: Browser
) -> None:
    number = _ask(hanako)
    page = hanako.get(f"/wifi/disaster/{number}").text
    assert "申請した本人は承認できません" in page
    assert 'id="do-confirm"' not in page
    assert _given(town) == {}
    # Also who knows the address does not get through.
    own = _confirm(hanako, number)
    assert own.status_code == 409
    assert "申請した本人は承認できません" in own.text
    sure = hanako.send(f"/wifi/disaster/{number}/confirmation", {"do": "confirm", "sure": "yes"})
    assert sure.status_code == 409
    assert _given(town) == {}
    asked = taro.send(f"/wifi/disaster/{number}/confirmation", {"do": "confirm"})
    assert "3台のアクセスポイントがすぐに00000JAPANを出します" in asked.text
    assert _given(town) == {}
    assert _confirm(taro, number).status_code == 303
    run = _run(town, number)
    assert (run.asked_by, run.decided_by) == ("hanako", "taro")
    assert run.ends_ms == run.decided_ms + DAY_MS  # type: ignore[operator]
    given = _given(town)
    assert sorted(given) == sorted(POINTS)
    for (order,) in given.values():
        assert order.arguments == {"action": "begin", "run": run.run, "minutes": 1440, "until_ms": run.ends_ms}
    assert town.did()[-5:] == ["disaster_ask", "order", "order", "order", "disaster_confirm"]


def test_what_every_access_point_makes_of_it_is_shown(town: Town, hanako: Browser, taro: Browser) -> None:
    number = _ask(hanako)
    _confirm(taro, number)
    run, given = _run(town, number), _given(town)
    page = taro.get(f"/wifi/disaster/{number}").text
    assert "承認ずみ" in page
    assert "送信待ち" in _said(page, "yakuba-ap")
    evidence = ("before: on 3 wpa3 Town_Free_Wi-Fi", "after: on 0 open 00000JAPAN", "sessions_before: 12", "what: ?")
    _told(town, "yakuba-ap", DisasterReport(run.run, "begun", "order", run.ends_ms or 0, evidence))
    _told(town, "toshokan-ap", Result(given["toshokan-ap"][0].id, "delivered"))
    _told(town, "kominkan-ap", Result(given["kominkan-ap"][0].id, "failed", "no_guests"))
    page = taro.get(f"/wifi/disaster/{number}").text
    assert "実施中" in page
    assert "始めました" in _said(page, "yakuba-ap")
    assert "届きました" in _said(page, "toshokan-ap")
    assert "図書館" in _said(page, "toshokan-ap")
    assert "できませんでした" in _said(page, "kominkan-ap")
    assert "来訪者のWi-Fiを出していません" in _said(page, "kominkan-ap")
    # Minutes later whoever has not begun is silent.
    town.write(lambda conn: conn.execute("UPDATE device_order SET made_ms = made_ms - ?", (3 * MINUTE_MS,)))
    assert "応答がありません" in _said(taro.get(f"/wifi/disaster/{number}").text, "toshokan-ap")
    printed = taro.get(f"/wifi/disaster/{number}/evidence").text
    for text in (
        "hanako",
        "taro",
        "震度5強",
        "Town_Free_Wi-Fi: 送信中・wpa3・3台",
        "前の接続数: 12",
        "what: ?",
        run.run,
    ):
        assert text in printed
    assert "00000JAPAN: 送信中・open・0台" in printed
    # What a report says twice is there once.
    at_ms = pages.now_ms()
    for _ in range(2):
        _told(town, "yakuba-ap", DisasterReport(run.run, "begun", "restart"), at_ms)
    assert taro.get(f"/wifi/disaster/{number}/evidence").text.count("再起動後の継続") == 1


def test_one_person_ends_it_and_who_has_not_heard_of_it_never_begins(
    town: Town, hanako: Browser, taro: Browser
) -> None:
    number = _ask(hanako)
    _confirm(taro, number)
    run, given = _run(town, number), _given(town)
    _told(town, "yakuba-ap", Result(given["yakuba-ap"][0].id, "done"))
    _told(town, "yakuba-ap", DisasterReport(run.run, "begun", "order"))
    asked = hanako.send(f"/wifi/disaster/{number}", {"do": "end"})
    assert "00000JAPANを止めます" in asked.text
    assert hanako.send(f"/wifi/disaster/{number}", {"do": "end", "sure": "yes"}).status_code == 303
    assert _run(town, number).ended_by == "hanako"
    after = _given(town)
    assert {name: [one.arguments["action"] for one in some] for name, some in after.items()} == {
        name: ["end"] for name in POINTS
    }
    _told(town, "yakuba-ap", DisasterReport(run.run, "ended", "order"))
    page = hanako.get(f"/wifi/disaster/{number}").text
    assert "終わりました" in _said(page, "yakuba-ap")
    assert "届きませんでした" in _said(page, "toshokan-ap")
    again = hanako.send(f"/wifi/disaster/{number}", {"do": "end", "sure": "yes"})
    assert again.status_code == 409
    assert "もう決まっています" in again.text


def test_it_ends_by_itself_and_what_was_never_fetched_is_taken_back(town: Town, hanako: Browser, taro: Browser) -> None:
    number = _ask(hanako)
    _confirm(taro, number)
    town.write(lambda conn: conn.execute("UPDATE disaster SET ends_ms = ?", (pages.now_ms() - 1,)))
    _look(town)
    run = _run(town, number)
    assert (run.ended_ms is not None, run.ended_by) == (True, "")
    assert _given(town) == {}
    assert town.did()[-1] == "disaster_over"
    assert "時間になり自動で終了" in hanako.get("/wifi/disaster").text


def _look(town: Town, later_ms: int = 0) -> list[str]:
    signing = town.app.state.signing
    return town.write(lambda conn: disaster_store.follow_time(conn, signing, pages.now_ms() + later_ms))


def test_who_was_away_for_a_day_is_told_again_while_it_goes_on(town: Town, hanako: Browser, taro: Browser) -> None:
    number = _ask(hanako, {**FORM, "minutes": str(72 * 60)})
    _confirm(taro, number)
    run, given = _run(town, number), _given(town)
    _told(town, "yakuba-ap", Result(given["yakuba-ap"][0].id, "done"))
    town.write(lambda conn: orders.expire(conn, pages.now_ms() + 25 * 60 * MINUTE_MS))
    assert _look(town) == ["kominkan-ap", "toshokan-ap"]
    again = _given(town)["toshokan-ap"][-1]
    assert again.id != given["toshokan-ap"][0].id
    assert again.arguments["until_ms"] == run.ends_ms
    assert _look(town) == []
    # Ended early, the same holds for the end.
    hanako.send(f"/wifi/disaster/{number}", {"do": "end", "sure": "yes"})
    town.write(lambda conn: orders.expire(conn, pages.now_ms() + 25 * 60 * MINUTE_MS))
    assert _look(town) == ["kominkan-ap", "toshokan-ap", "yakuba-ap"]
    assert _look(town) == []


def test_whoever_is_on_hold_is_told_when_they_are_not_any_more(town: Town, hanako: Browser, taro: Browser) -> None:
    hold = "INSERT INTO hold (device_id, reason, since_ms, who) VALUES (2, 'stolen', 0, 'x')"
    town.write(lambda conn: conn.execute(hold))
    number = _ask(hanako)
    _confirm(taro, number)
    assert "保留中の端末" in _said(taro.get(f"/wifi/disaster/{number}").text, "toshokan-ap")
    assert not town.read(lambda conn: disaster_store.is_due(conn, pages.now_ms()))
    town.write(lambda conn: conn.execute("DELETE FROM hold"))
    assert town.read(lambda conn: disaster_store.is_due(conn, pages.now_ms()))
    _look(town)
    assert len(_given(town)["toshokan-ap"]) == 1


def test_a_request_can_be_refused_taken_back_and_lapses(town: Town, hanako: Browser, taro: Browser) -> None:
    first, second, third = _ask(hanako), _ask(hanako), _ask(hanako)
    assert taro.send(f"/wifi/disaster/{first}", {"do": "withdraw"}).status_code == 409
    assert taro.send(f"/wifi/disaster/{first}", {"do": "refuse"}).status_code == 303
    assert hanako.send(f"/wifi/disaster/{second}", {"do": "withdraw"}).status_code == 303
    town.write(lambda conn: conn.execute("UPDATE disaster SET asked_ms = asked_ms - ?", (disaster.ASKED_FOR_MS,)))
    late = _confirm(taro, third)
    assert late.status_code == 409
    assert "2時間が過ぎた" in late.text
    for number, text in ((first, "承認されませんでした"), (second, "取り下げ"), (third, "時間切れ")):
        assert text in taro.get(f"/wifi/disaster/{number}").text
    assert _given(town) == {}


def test_whoever_confirms_has_just_said_who_they_are(town: Town, hanako: Browser, taro: Browser) -> None:
    number = _ask(hanako)
    town.write(lambda conn: conn.execute("UPDATE session SET proved_ms = 0"))
    asked = taro.send(f"/wifi/disaster/{number}/confirmation", {"do": "confirm", "sure": "yes"})
    assert asked.status_code != 303
    assert 'name="proof"' in asked.text
    assert _given(town) == {}


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({**FORM, "reason": "  "}, "理由を200文字まで"),
        ({**FORM, "reason": "x" * 201}, "理由を200文字まで"),
        ({**FORM, "minutes": "59"}, "続ける時間"),
        ({**FORM, "minutes": "9999999999"}, "続ける時間"),
        ({**FORM, "minutes": "15"}, "続ける時間"),
        ({**FORM, "where": "some"}, "場所をひとつ以上"),
        ({**FORM, "where": "some", "place_0": "駅"}, "場所をひとつ以上"),
    ],
)
def test_a_form_that_does_not_say_enough_is_refused_with_a_sentence(
    town: Town, hanako: Browser, form: dict[str, str], says: str
) -> None:
    answer = hanako.send("/wifi/disaster", form)
    assert answer.status_code == 400
    assert says in answer.text
    assert hanako.send("/wifi/disaster/1", {"do": "what"}).status_code == 400
    assert hanako.get("/wifi/disaster/1").status_code == 404
    assert hanako.send("/wifi/disaster/1", {"do": "withdraw"}).status_code == 404


def test_only_the_places_that_were_chosen(town: Town, hanako: Browser, taro: Browser) -> None:
    number = _ask(hanako, {**FORM, "where": "some", "place_1": "図書館"})
    page = hanako.get(f"/wifi/disaster/{number}").text
    assert ">toshokan-ap<" in page
    assert ">yakuba-ap<" not in page
    _confirm(taro, number)
    assert list(_given(town)) == ["toshokan-ap"]


def test_a_town_without_access_points_has_nothing_to_switch(tmp_path: Path) -> None:
    with running_town(tmp_path) as town:
        hanako = _person(town, "hanako", "it")
        assert "アクセスポイントがありません" in hanako.send("/wifi/disaster", FORM).text
        assert "まだ使ったことがありません" in hanako.get("/wifi/disaster").text


def test_a_drill_goes_the_same_way_and_the_reminder_goes(town: Town, hanako: Browser, taro: Browser) -> None:
    assert "1年がたちました" in taro.get("/wifi/disaster").text
    number = _ask(hanako, DRILL)
    asked = taro.send(f"/wifi/disaster/{number}/confirmation", {"do": "confirm"})
    assert "3台のアクセスポイントが訓練をします" in asked.text
    _confirm(taro, number)
    run, given = _run(town, number), _given(town)
    assert {order.arguments["action"] for (order,) in given.values()} == {"drill"}
    assert "1年がたちました" in taro.get("/wifi/disaster").text
    evidence = ("network 00000JAPAN: open", "standing: ok", "files: hostapd ok", "would_fail: x")
    _told(town, "yakuba-ap", DisasterReport(run.run, "drilled", "order", 0, evidence))
    page = taro.get("/wifi/disaster").text
    assert "1年がたちました" not in page
    assert "次の訓練の期限" in page
    assert "訓練中です。電波は変わっていません" in taro.get(f"/wifi/disaster/{number}").text
    printed = taro.get(f"/wifi/disaster/{number}/evidence").text
    assert "ボタン用の指示: 良好" in printed
    assert "本番で出す電波: 00000JAPAN (open)" in printed
    # While the real thing runs there is none.
    real = _ask(hanako)
    waiting = _ask(hanako, DRILL)
    _confirm(taro, real)
    assert "訓練はできません" in hanako.send("/wifi/disaster", DRILL).text
    assert "訓練を始められません" in _confirm(taro, waiting).text


def test_a_press_of_a_button_is_a_run_of_its_own_and_can_be_ended(town: Town, hanako: Browser) -> None:
    name = "standing-0123abcd"
    touched = "SELECT COALESCE(MAX(touched), 0) FROM kit_state"
    before = town.read(lambda conn: conn.execute(touched).fetchone()[0])
    now_ms = pages.now_ms()
    report = DisasterReport(name, "begun", "button", now_ms + DAY_MS, ("order: 0123", "held_ms: 5100"))
    _told(town, "toshokan-ap", report, now_ms)
    _told(town, "toshokan-ap", report, now_ms)
    _told(town, "toshokan-ap", DisasterReport(name, "begun", "restart", now_ms + DAY_MS), now_ms + 1)
    assert town.read(lambda conn: conn.execute(touched).fetchone()[0]) == before + 1
    page = hanako.get("/wifi/disaster").text
    assert "アクセスポイントのボタン" in page
    (run,) = town.read(lambda conn: disaster_store.runs(conn, 9))
    assert "始めました" in _said(hanako.get(f"/wifi/disaster/{run.id}").text, "toshokan-ap")
    assert town.did().count("disaster_button") == 1
    assert hanako.send(f"/wifi/disaster/{run.id}", {"do": "end", "sure": "yes"}).status_code == 303
    (order,) = _given(town)["toshokan-ap"]
    assert order.arguments == {"action": "end", "run": name}


def test_a_run_of_a_button_ends_at_the_hub_when_it_ended_there(town: Town, hanako: Browser) -> None:
    name, now_ms = "standing-0123abcd", pages.now_ms()
    # A board that did not know what time it was.
    _told(town, "toshokan-ap", DisasterReport(name, "begun", "button", 0), 5_000)
    _told(town, "yakuba-ap", DisasterReport(name, "ended", "time"), now_ms)
    assert len(town.read(lambda conn: disaster_store.open_runs(conn, pages.now_ms()))) == 1
    _told(town, "toshokan-ap", DisasterReport(name, "ended", "time"), now_ms)
    assert town.read(lambda conn: disaster_store.open_runs(conn, pages.now_ms())) == []


def test_misuse_of_a_button_is_shown_with_its_evidence(town: Town, taro: Browser) -> None:
    now_ms = pages.now_ms()
    for reason in ("short_press", "used_before", "signature", "no_standing"):
        evidence = (f"reason: {reason}", "held_ms: 1200")
        # All at one time, as of a board without a clock.
        _told(town, "toshokan-ap", DisasterReport("standing", "refused", "button", 0, evidence), now_ms)
    page = taro.get("/wifi/disaster").text
    for text in ("5秒に足りません", "署名", "ボタン用の指示がまだ", "押していた時間(ミリ秒): 1200"):
        assert text in page
    assert town.read(lambda conn: disaster_store.runs(conn, 9)) == []


def test_who_may_only_look_is_told_why(town: Town, hanako: Browser) -> None:
    number = _ask(hanako)
    clerk = _person(town, "yoko", "clerk")
    page = clerk.get(f"/wifi/disaster/{number}").text
    assert "あなたの役割では承認できません" in page
    assert 'id="do-' not in page
    assert clerk.send(f"/wifi/disaster/{number}/confirmation", {"do": "confirm", "sure": "yes"}).status_code == 403
    assert clerk.send("/wifi/disaster", FORM).status_code == 403


def test_the_start_page_says_what_waits_and_what_goes_on(town: Town, hanako: Browser, taro: Browser) -> None:
    clerk = _person(town, "yoko", "clerk")
    assert "災害用Wi-Fi" not in taro.get("/").text
    number = _ask(hanako)
    assert f'href="/wifi/disaster/{number}"' in taro.get("/").text
    assert "承認を待っています" not in clerk.get("/").text
    _confirm(taro, number)
    assert "災害用Wi-Fiまたは訓練が動いています" in clerk.get("/").text
    hanako.send(f"/wifi/disaster/{number}", {"do": "end", "sure": "yes"})
    assert "災害用Wi-Fi" not in clerk.get("/").text


def test_the_page_goes_on_by_itself(town: Town, hanako: Browser) -> None:
    number = _ask(hanako)
    with hanako.stream(f"/wifi/disaster/{number}/events") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: disaster"
        assert "承認待ち" in next(line for line in lines if "run-status" in line)
