"""The pages of requests, asked for as a browser does."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from hub import pages
from hub.attendance import request_store as store
from hub.attendance import timesheet_store
from hub.attendance.request import CorrectionBody, LeaveBody, OrderBody, Request, SwapBody
from hub.attendance.rules.calendar import month_of
from hub.attendance.rules.result import DayResult
from hub.db import Connection
from hub.staff import store as staff
from hub.staff.terms import Terms
from tests.attendance.requests import hall as halls
from tests.attendance.requests.hall import Hall
from tests.attendance.requests.parts import SINCE
from tests.login.parts import Browser

_N = re.compile(r"[?&](?:n|entered)=(\d+)")


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    with halls.hall(tmp_path, pages.now_ms()) as found:
        yield found


def correction(hall: Hall, **more: str) -> dict[str, str]:
    """taro's, of the day on which he forgot."""
    return {"kind": "correction", "day": hall.day.isoformat(), "out": "17:40", "reason": "押し忘れ", **more}


def ask(browser: Browser, form: dict[str, str]) -> int:
    """Enters a request of one's own; its number."""
    answer = browser.send("/my-time/requests/new", form)
    assert answer.status_code == 303, answer.text
    found = _N.search(answer.headers["location"])
    assert found
    return int(found[1])


def one(hall: Hall, number: int) -> Request:
    """A request as it stands."""
    found = hall.town.read(lambda conn: store.request(conn, number))
    assert found is not None
    return found


def day_of(hall: Hall, name: str) -> DayResult:
    """What somebody's last working day comes to."""
    month, staff_id = month_of(hall.day), hall.staff[name]
    result = hall.town.read(lambda conn: timesheet_store.months(conn, [staff_id], month, pages.now_ms()))[staff_id]
    return next(day for day in result.days if day.day == hall.day)


def test_a_correction_is_asked_for_and_approved_by_another(hall: Hall) -> None:
    taro, boss = hall.browser("taro"), hall.browser("boss")
    assert taro.get("/").headers["location"] == "/my-time"
    page = taro.get("/my-time").text
    assert "退勤の打刻がありません" in page
    link = f"/my-time/requests/new?kind=correction&amp;day={hall.day}"
    assert link in page
    form = taro.get(link.replace("&amp;", "&")).text
    assert f'name="day" type="date" value="{hall.day}"' in form
    assert 'name="out" type="time" value="17:15"' in form
    assert 'name="in" type="time" value=""' in form
    number = ask(taro, correction(hall))
    assert day_of(hall, "taro").status == "incomplete"
    page = taro.get(f"/my-time?did=entered&n={number}").text
    assert "申請しました" in page
    assert "承認待ちの申請があります" in page
    shown = boss.get(f"/attendance/requests/{number}").text
    assert "08:21:00 genkan" in shown
    assert "出勤 08:21、退勤 なし" in shown
    assert boss.send(f"/attendance/requests/{number}", {"do": "approve"}).status_code == 303
    assert day_of(hall, "taro").status == "corrected"
    page = taro.get("/my-time").text
    assert "修正ずみ" in page
    assert "17:40" in page
    assert hall.town.did()[-2:] == ["request_enter", "request_approve"]


def test_who_enters_is_never_who_approves(hall: Hall) -> None:
    """Not in one's own page's way, not as an administrator, not all at once."""
    chief, boss = hall.browser("chief"), hall.browser("boss")
    own = ask(chief, correction(hall, **{"in": "08:30"}))
    entered = chief.send("/attendance/requests/new", correction(hall, numbers="0001"))
    assert entered.status_code == 303
    other = own + 1
    for number, sentence in ((own, "自分の時間についての申請"), (other, "自分が入力した申請")):
        assert "ほかの人が決めます" in chief.get(f"/attendance/requests/{number}").text
        for do in ("approve", "refuse"):
            answer = chief.send(f"/attendance/requests/{number}", {"do": do, "note": "x"})
            assert answer.status_code == 409
            assert sentence in answer.text
    answer = chief.send("/attendance/requests", {f"r_{own}": "yes", f"r_{other}": "yes"})
    assert answer.status_code == 409
    assert f'name="r_{own}"' not in answer.text
    assert [one(hall, number).state for number in (own, other)] == ["waiting", "waiting"]
    answer = boss.send("/attendance/requests", {f"r_{own}": "yes", f"r_{other}": "yes"})
    assert "2件を承認しました" in answer.text
    assert [one(hall, number).decided[0].who for number in (own, other)] == ["boss", "boss"]
    # Nothing waits any more: a second press on an old page changes nothing.
    again = boss.send("/attendance/requests", {f"r_{own}": "yes"})
    assert again.status_code == 409
    assert "その間にほかの人が処理しました" in again.text


def test_refused_with_a_reason_and_revoked_with_a_reason(hall: Hall) -> None:
    taro, boss = hall.browser("taro"), hall.browser("boss")
    number = ask(taro, correction(hall))
    answer = boss.send(f"/attendance/requests/{number}", {"do": "refuse", "note": " "})
    assert "理由を書いてください" in answer.text
    assert boss.send(f"/attendance/requests/{number}", {"do": "refuse", "note": "18時では？"}).status_code == 303
    page = taro.get("/my-time").text
    assert "却下" in page
    assert "boss: 18時では？" in page
    number = ask(taro, correction(hall, out="18:00"))
    boss.send(f"/attendance/requests/{number}", {"do": "approve"})
    assert day_of(hall, "taro").status == "corrected"
    assert boss.send(f"/attendance/requests/{number}", {"do": "revoke", "note": "取り違え"}).status_code == 303
    assert day_of(hall, "taro").status == "incomplete"
    assert one(hall, number).state == "revoked"
    assert "取り違え" in boss.get(f"/attendance/requests/{number}").text


def test_withdrawn_and_taken_back_by_who_entered_it_only(hall: Hall) -> None:
    taro, jiro, boss = hall.browser("taro"), hall.browser("jiro"), hall.browser("boss")
    number = ask(taro, correction(hall))
    assert jiro.send(f"/my-time/requests/{number}", {"do": "withdraw"}).status_code == 404
    answer = taro.send(f"/my-time/requests/{number}", {"do": "withdraw"})
    assert answer.headers["location"] == f"/my-time?did=withdrawn&n={number}"
    assert "元に戻す" in taro.get(answer.headers["location"]).text
    assert boss.send(f"/attendance/requests/{number}", {"do": "approve"}).status_code == 409
    assert taro.send(f"/my-time/requests/{number}", {"do": "enter_again"}).status_code == 303
    assert one(hall, number).state == "waiting"
    boss.send(f"/attendance/requests/{number}", {"do": "approve"})
    answer = taro.send(f"/my-time/requests/{number}", {"do": "withdraw"})
    assert answer.status_code == 409
    assert "ほかの人が処理しました" in answer.text
    assert taro.send(f"/my-time/requests/{number}", {"do": "dance"}).status_code == 400
    assert taro.send("/my-time/requests/999", {"do": "withdraw"}).status_code == 404


WRONG: list[tuple[dict[str, str], str]] = [
    ({"out": "25:00"}, "時刻「25:00」が読めません"),
    ({"day": "11/24"}, "日「11/24」が読めません"),
    ({"day": ""}, "日を入力してください"),
    ({"out": "", "in": ""}, "出勤と退勤のどちらか"),
    ({"reason": " "}, "理由を書いてください"),
    ({"reason": "x" * 401}, "理由は400文字まで"),
    ({"out": "08:00"}, "より後になっていません"),
    ({"day": "2099-01-01"}, "は受け付けられません"),
    ({"kind": "order", "begin": "20:00", "end": "18:00"}, "「翌日に終わる」に印をつけてください"),
    ({"kind": "order", "begin": "", "end": "18:00"}, "時刻を入力してください"),
    ({"kind": "leave", "leave": "holiday"}, "「holiday」は選べません"),
    (
        {"kind": "leave", "leave": "annual", "part": "hours", "begin": "10:00", "end": "9:00"},
        "より後になっていません",
    ),
    ({"kind": "swap", "worked": "2026-11-21", "off": "2026-10-23"}, "には振り替えられません"),
    ({"kind": "substitute", "worked": "2026-11-23", "off": "2026-11-20"}, "代休日にできません"),
]


def test_what_is_wrong_is_one_sentence_and_nothing_is_entered(hall: Hall) -> None:
    taro = hall.browser("taro")
    for form, sentence in WRONG:
        answer = taro.send("/my-time/requests/new", correction(hall, **form))
        assert answer.status_code == 422, form
        assert sentence in answer.text, form
        # What was typed is still there.
        assert all(
            f'value="{value}"' in answer.text for name, value in form.items() if name in ("out", "begin", "worked")
        )
    assert hall.town.read(lambda conn: store.find(conn, store.Which())) == []
    assert "request_enter" not in hall.town.did()


def test_an_overlapping_order_is_told_with_the_other(hall: Hall) -> None:
    taro = hall.browser("taro")
    order = {"kind": "order", "day": hall.day.isoformat(), "begin": "17:30", "end": "20:00", "reason": "決算"}
    number = ask(taro, order)
    answer = taro.send("/my-time/requests/new", {**order, "begin": "19:30", "end": "21:00"})
    assert answer.status_code == 422
    assert f"申請{number}、承認待ち" in answer.text
    assert ask(taro, {**order, "begin": "20:00", "end": "21:00"}) == number + 1
    # Entered after it had begun: told so.
    assert "事後" in hall.browser("boss").get("/attendance/requests").text


def test_a_warning_is_passed_with_a_second_press(hall: Hall) -> None:
    taro = hall.browser("taro")
    order = {"kind": "order", "day": hall.day.isoformat(), "begin": "16:00", "end": "18:00", "reason": "決算"}
    answer = taro.send("/my-time/requests/new", order)
    assert answer.status_code == 422
    assert "正規の勤務時間" in answer.text
    assert 'name="sure" value="yes"' in answer.text
    ask(taro, {**order, "sure": "yes"})


def test_half_a_day_is_before_or_after_lunch(hall: Hall) -> None:
    taro = hall.browser("taro")
    form = {"kind": "leave", "leave": "annual", "day": hall.day.isoformat()}
    bodies = [one(hall, ask(taro, {**form, "part": part})).body for part in ("morning", "afternoon")]
    assert [(body.hours.begin, body.hours.end) for body in bodies if isinstance(body, LeaveBody) and body.hours] == [
        (510, 720),
        (780, 1035),
    ]


def _has_left(conn: Connection, number: str, day: date) -> None:
    """Somebody of the same department who works here no more."""
    staff_id = staff.add_member(conn, number, SINCE, 1)
    staff.set_terms(conn, staff_id, Terms(since=SINCE, department="SOMU"), 1, "clerk")
    staff.leave(conn, staff_id, day, 1)


def test_a_clerk_enters_an_order_for_a_team_and_several_days_or_for_none(hall: Hall) -> None:
    clerk = hall.browser("clerk")
    until = hall.day + timedelta(days=2)
    order = {"kind": "order", "day": hall.day.isoformat(), "until": until.isoformat(), "begin": "04:00", "end": "08:30"}
    order["reason"] = "除雪"
    for wrong, sentence in (
        ({"numbers": "0001 0009"}, "職員番号「0009」はありません"),
        ({"numbers": "0001 0001"}, "2回あります"),
        ({"numbers": ""}, "職員番号か課を入力してください"),
        ({"department": "ZZZ"}, "課「ZZZ」に職員がいません"),
        ({"numbers": "0001", "until": "2099-01-01"}, "200件まで"),
        ({"numbers": "0001", "until": (hall.day - timedelta(days=1)).isoformat()}, "はじめの日より前"),
        ({"numbers": "0001", "kind": "correction", "out": "23:59", "day": "2099-01-01"}, "受け付けられません"),
    ):
        answer = clerk.send("/attendance/requests/new", {**order, **wrong})
        assert answer.status_code == 422, wrong
        assert sentence in answer.text, wrong
    assert hall.town.read(store.waiting) == []
    hall.town.write(lambda conn: _has_left(conn, "0009", hall.day - timedelta(days=1)))
    answer = clerk.send("/attendance/requests/new", {**order, "department": "SOMU"})
    assert answer.headers["location"] == "/attendance/requests?entered=6"
    found = hall.town.read(store.waiting)
    assert {one.staff_id for one in found} == {hall.staff["taro"], hall.staff["jiro"]}
    assert all(isinstance(one.body, OrderBody) and one.entered_by == "clerk" for one in found)
    # One of a team has it already: all of them or none.
    again = clerk.send("/attendance/requests/new", {**order, "numbers": "0003", "department": "SOMU"})
    assert again.status_code == 422
    assert "0001: " in again.text
    assert len(hall.town.read(store.waiting)) == 6
    number = found[0].id
    assert clerk.send(f"/attendance/requests/{number}", {"do": "approve"}).status_code == 403
    assert clerk.send(f"/attendance/requests/{number}/own", {"do": "withdraw"}).status_code == 303
    assert clerk.send(f"/attendance/requests/{number}/own", {"do": "enter_again"}).status_code == 303
    assert one(hall, number).state == "waiting"


def test_the_list_is_filtered_by_address(hall: Hall) -> None:
    taro, clerk, boss = hall.browser("taro"), hall.browser("clerk"), hall.browser("boss")
    number = ask(taro, correction(hall))
    clerk.send("/attendance/requests/new", correction(hall, numbers="0003"))
    month = month_of(hall.day)
    for query, there in (
        ("", True),
        ("?kind=correction", True),
        ("?kind=leave", False),
        ("?state=approved", False),
        ("?state=all", True),
        ("?department=SOMU", True),
        ("?department=other", False),
        (f"?month={month}", True),
        ("?month=2024-01", False),
        (f"?before={number}", False),
    ):
        text = boss.get(f"/attendance/requests{query}").text
        assert (f'/attendance/requests/{number}"' in text) == there, query
    assert "/attendance/requests/new" not in boss.get("/attendance/requests").text
    for wrong in ("?state=lost", "?kind=tea", "?month=2026-13", "?before=0"):
        assert boss.get(f"/attendance/requests{wrong}").status_code == 400
    assert boss.get("/attendance/requests/999").status_code == 404
    assert boss.send("/attendance/requests/999", {"do": "approve"}).status_code == 404
    assert boss.send("/attendance/requests", {"r_999": "yes"}).status_code == 404
    assert boss.send("/attendance/requests", {"r_x": "yes"}).status_code == 400
    assert boss.send(f"/attendance/requests/{number}", {"do": "withdraw"}).status_code == 400
    assert "印をつけてください" in boss.send("/attendance/requests", {}).text


def test_whoever_is_no_staff_is_told_how_to_become(hall: Hall) -> None:
    nobody, clerk = hall.browser("nobody"), hall.browser("clerk")
    for path in ("/my-time", "/my-time/requests/new?kind=leave"):
        page = nobody.get(path).text
        assert "職員として登録されていません" in page
        assert 'href="/staff"' not in page
    assert 'class="button main" href="/staff"' in clerk.get("/my-time").text
    assert nobody.send("/my-time/requests/new", correction(hall)).status_code == 409
    assert nobody.get("/my-time/requests/new?kind=tea").status_code == 400
    assert nobody.get("/my-time?month=202611").status_code == 400
    # Any month that can be asked for can be shown.
    for month in ("1900-01", "2099-12"):
        assert hall.browser("taro").get(f"/my-time?month={month}").status_code == 200
        assert clerk.get(f"/attendance/open?month={month}").status_code == 200


def test_open_work_leads_to_where_it_is_done(hall: Hall) -> None:
    taro, clerk = hall.browser("taro"), hall.browser("clerk")
    hall.town.write(lambda conn: halls.tap(conn, "e" * 32, hall.day, 600, 9, "unknown"))
    path = f"/attendance/open?month={month_of(hall.day)}"
    page = clerk.get(path).text
    assert f"kind=correction&amp;number=0001&amp;day={hall.day}" in page
    assert f"kind=gap&amp;number=0002&amp;day={hall.day}" in page
    assert f"kind=leave&amp;number=0003&amp;day={hall.day}" in page
    assert f"/staff/cards/give?card={'e' * 8}" in page
    ask(taro, correction(hall))
    page = clerk.get(path).text
    assert f"kind=correction&amp;number=0001&amp;day={hall.day}" not in page
    assert "承認待ちの申請があります" in page
    gap = {"kind": "gap", "numbers": "0002", "day": hall.day.isoformat(), "reason": "バス待ち"}
    assert clerk.send("/attendance/requests/new", gap).status_code == 303
    found = hall.town.read(store.waiting)[-1]
    hall.browser("boss").send(f"/attendance/requests/{found.id}", {"do": "approve"})
    assert "kind=gap" not in clerk.get(path).text
    assert "0001" not in clerk.get(path + "&department=none").text
    form = clerk.get(f"/attendance/requests/new?kind=correction&number=0001&day={hall.day}").text
    assert 'name="out" type="time" value="17:15"' in form
    assert "出勤 08:21、退勤 なし" in form


def test_both_languages_and_kinds(hall: Hall) -> None:
    taro, clerk = hall.browser("taro"), hall.browser("clerk")
    for browser in (taro, clerk):
        browser.get("/language/en?next=/")
    assert "clock-out" in taro.get("/my-time").text
    for kind in ("order", "leave", "correction", "swap", "substitute", "gap"):
        assert taro.get(f"/my-time/requests/new?kind={kind}&day={hall.day}").status_code == 200
        assert clerk.get(f"/attendance/requests/new?kind={kind}&number=0001&day={hall.day}").status_code == 200
    assert "What do you enter?" in clerk.get("/attendance/requests/new?number=0001").text


def test_every_kind_goes_through_the_form(hall: Hall) -> None:
    taro = hall.browser("taro")
    saturday = hall.day + timedelta(days=(5 - hall.day.weekday()) % 7)
    form = taro.get(f"/my-time/requests/new?kind=swap&day={saturday}").text
    assert f'name="worked" type="date" value="{saturday}"' in form
    assert 'name="worked" type="date" value=""' in taro.get(f"/my-time/requests/new?kind=swap&day={hall.day}").text
    swap = {"kind": "swap", "worked": saturday.isoformat(), "off": hall.day.isoformat()}
    half = {"half": "yes", "worked_begin": "08:30", "off_begin": "13:00"}
    body = one(hall, ask(taro, {**swap, **half})).body
    assert isinstance(body, SwapBody)
    assert body.off_hours is not None
    assert (body.off_hours.begin, body.off_hours.end) == (780, 1020)
    night = one(hall, ask(taro, correction(hall, out="02:10", next_day="yes"))).body
    assert isinstance(night, CorrectionBody)
    assert night.out_at is not None
    assert night.out_at.date() == hall.day + timedelta(days=1)
