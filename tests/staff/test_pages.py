"""Pages of staff, cards and shifts, by real requests."""

import re
from datetime import date

import pytest

from hub import audit, pages
from hub.db import Connection
from hub.staff import acts, store
from hub.staff.terms import Hours, Terms
from tests.login.parts import Browser, Town
from tests.staff.parts import punch, somebody

DAY = date(2026, 4, 1)
A, B = "a1b2c3d4" + "0" * 24, "b1b2c3d4" + "0" * 24
TERMS = {"staff_kind": "full_time", "staff_office": "ordinary", "staff_tracked": "yes", "staff_department": ""}


def _member(town: Town, staff_id: int = 1) -> store.Member:
    found = town.read(lambda conn: store.member(conn, staff_id))
    assert found is not None
    return found


def _touched(town: Town) -> int:
    row = town.read(lambda conn: conn.execute("SELECT touched FROM roster_state").fetchone())
    return int(row[0]) if row else 0


def test_somebody_new(town: Town, clerk: Browser) -> None:
    assert "職員はまだ登録されていません" in clerk.get("/staff").text
    assert "職員番号" in clerk.get("/staff/new").text
    form = {**TERMS, "staff_number": "0012", "staff_since": "令和8年4月1日", "staff_base": "250,000"}
    answer = clerk.send("/staff/new", {**form, "pattern": "same", "staff_hours": "8:30-17:15", "staff_mon": "9-16"})
    assert answer.headers["location"] == "/staff/1?did=add"
    hours = (*(Hours(510, 1035),) * 5, None, None)
    assert _member(town).terms == (Terms(since=DAY, week=hours, monthly_base_yen=250_000),)
    page = clerk.get("/staff/1?did=add").text
    assert "登録しました" in page
    assert "月額250,000円" in page
    assert "8:30-17:15" in page
    # A number is nobody else's; what was typed is still there.
    again = clerk.send("/staff/new", form)
    assert again.status_code == 422
    assert "ほかの職員が使っていない番号" in again.text
    assert 'value="250,000"' in again.text
    for field, value, sentence in (
        ("staff_number", "", "空欄でないこと"),
        ("staff_since", "4月", "日付"),
        ("staff_department", "999", "登録ずみの所属"),
        ("staff_name", "山田", "氏名を保存しない設定です"),
        ("staff_unit", "x", "円の整数"),
    ):
        wrong = clerk.send("/staff/new", {**form, "staff_number": "0013", field: value})
        assert wrong.status_code == 422
        assert sentence in wrong.text
    assert len(town.read(store.members)) == 1


@pytest.mark.parametrize(
    ("pattern", "more", "terms"),
    [
        ("standard", {"staff_hours": "9-16"}, Terms(since=DAY)),
        ("shift", {"staff_hours": "9-16"}, Terms(since=DAY, shifts=True)),
        ("each", {"staff_sat": "9-16"}, Terms(since=DAY, week=(*(None,) * 5, Hours(540, 960), None))),
        ("each", {"staff_hours": "9-16"}, Terms(since=DAY, week=(None,) * 7)),
    ],
)
def test_the_ways_in_which_hours_are_written(pattern: str, more: dict[str, str], terms: Terms) -> None:
    from hub.staff.form import read_terms
    from hub.staff.member_web import form_of, terms_in

    empty = dict.fromkeys(("staff_hours", "staff_mon", "staff_sat"), "")
    found = terms_in({**TERMS, **empty, "pattern": pattern, **more}, may_see_pay=False)
    assert read_terms(found, Terms(since=DAY)) == (terms, [])
    # And the form that shows them comes to the same.
    shown = form_of(terms)
    assert read_terms(terms_in({**shown, "pattern": shown["pattern"]}, may_see_pay=True), Terms(since=DAY)) == (
        terms,
        [],
    )


def test_terms_from_a_day_on_and_their_correction(town: Town, clerk: Browser) -> None:
    town.write(lambda conn: somebody(conn, "0012", monthly_base_yen=250_000))
    form = {**TERMS, "do": "terms", "pattern": "standard", "staff_base": "260000"}
    assert (
        clerk.send("/staff/1", {**form, "staff_terms_since": "2026/10/1"}).headers["location"] == "/staff/1?did=terms"
    )
    assert [one.monthly_base_yen for one in _member(town).terms] == [250_000, 260_000]
    # The same day again is no way to change them in passing.
    there = clerk.send("/staff/1", {**form, "staff_terms_since": "2026-10-01", "staff_base": "1"})
    assert there.status_code == 422
    assert "この日の条件はもうあります" in there.text
    assert "2026年10月1日からの条件を訂正" in clerk.get("/staff/1?edit=2026-10-01").text
    edit = {**form, "staff_terms_since": "2026-10-01", "edit": "2026-10-01", "staff_base": "270000"}
    assert clerk.send("/staff/1", edit).status_code == 303
    assert [one.monthly_base_yen for one in _member(town).terms] == [250_000, 270_000]
    assert town.did()[-2:] == ["staff_terms", "staff_terms_corrected"]
    for field, value, sentence in (
        ("staff_terms_since", "2026-03-31", "2026-04-01以後の日"),
        ("staff_terms_since", "いつか", "日付"),
        ("staff_department", "999", "登録ずみの所属"),
        ("staff_base", "x", "円の整数"),
    ):
        wrong = clerk.send("/staff/1", {**form, "staff_terms_since": "2026-12-01", field: value})
        assert wrong.status_code == 422
        assert sentence in wrong.text
    assert clerk.send("/staff/1", {"do": "dance"}).status_code == 400
    assert clerk.send("/staff/9", {**form, "staff_terms_since": "2026-12-01"}).status_code == 404


def test_the_it_officer_sees_and_changes_no_pay(town: Town, officer: Browser) -> None:
    town.write(lambda conn: somebody(conn, "0012", monthly_base_yen=251_234))
    for path in ("/staff", "/staff/new", "/staff/1", "/staff/1?edit=2026-04-01"):
        page = officer.get(path).text
        assert "251234" not in page.replace(",", "")
        assert "月額給料" not in page
    form = {**TERMS, "do": "terms", "pattern": "shift", "staff_terms_since": "2026-10-01", "staff_base": "1"}
    assert officer.send("/staff/1", form).status_code == 303
    assert [(one.monthly_base_yen, one.shifts) for one in _member(town).terms] == [(251_234, False), (251_234, True)]
    assert "251234" not in str(town.read(audit.entries))


def test_somebody_leaves_and_comes_back(town: Town, clerk: Browser) -> None:
    town.write(lambda conn: somebody(conn, "0012"))
    town.write(lambda conn: acts.issue(conn, 0, "sachi", store.members(conn)[1], A, 5))
    asked = clerk.send("/staff/1", {"do": "leave", "staff_left": "2026-06-30"})
    assert asked.status_code == 200
    assert "0012の退職日を2026年6月30日にしますか" in asked.text
    assert "返却されていないカードが1枚" in asked.text
    assert _member(town).left is None
    touched = _touched(town)
    assert clerk.send("/staff/1", {"do": "leave", "staff_left": "2026-06-30", "sure": "yes"}).status_code == 303
    assert _member(town).left == date(2026, 6, 30)
    assert _touched(town) > touched
    assert "0012" not in clerk.get("/staff").text
    assert "2026年6月30日退職" in clerk.get("/staff?who=left").text
    assert "2026年6月30日退職" in clerk.get("/staff?who=all").text
    assert "2026-04-01以後の日" in clerk.send("/staff/1", {"do": "leave", "staff_left": "2020-01-01"}).text
    assert "退職日より後の日" in clerk.send("/staff/1", {"do": "rejoin", "staff_rejoin": "2026-06-30"}).text
    assert clerk.send("/staff/1", {"do": "rejoin", "staff_rejoin": "2026-07-01"}).status_code == 303
    assert _member(town).left is None


def test_who_signs_in_as_somebody(town: Town, clerk: Browser) -> None:
    town.write(lambda conn: somebody(conn, "0012"))
    town.write(lambda conn: somebody(conn, "0013"))
    person = town.add("hanako", "staff")
    assert "hanako" in clerk.get("/staff/1").text
    assert clerk.send("/staff/1", {"do": "link", "staff_link": "hanako"}).status_code == 303
    assert _member(town).person_id == person
    assert "hanako としてサインインします" in clerk.get("/staff/1").text
    assert 'value="hanako"' not in clerk.get("/staff/2").text
    taken = clerk.send("/staff/2", {"do": "link", "staff_link": "hanako"})
    assert taken.status_code == 422
    assert "ほかの職員と結びついていない人" in taken.text
    assert "サインインできる人" in clerk.send("/staff/2", {"do": "link", "staff_link": "nobody"}).text
    assert clerk.send("/staff/1", {"do": "link", "staff_link": ""}).status_code == 303
    assert _member(town).person_id is None


def test_numbers_are_corrected_and_found(town: Town, clerk: Browser) -> None:
    town.write(lambda conn: store.add_department(conn, "010", "総務課"))
    town.write(lambda conn: somebody(conn, "0012", department="010"))
    town.write(lambda conn: somebody(conn, "0013"))
    assert clerk.send("/staff/1", {"do": "number", "staff_number": "0014"}).status_code == 303
    assert "ほかの職員が使っていない番号" in clerk.send("/staff/1", {"do": "number", "staff_number": "0013"}).text
    assert _member(town).number == "0014"
    for query, shown in (("q=0014", ["0014"]), ("department=010", ["0014"]), ("q=99", []), ("", ["0013", "0014"])):
        page = clerk.get(f"/staff?{query}").text
        assert re.findall(r'href="/staff/\d+">(\d+)<', page) == shown


def test_names_are_kept_or_deleted(town: Town, clerk: Browser) -> None:
    town.write(lambda conn: somebody(conn, "0012"))
    assert "氏名は保存していません" in clerk.get("/staff/departments").text
    assert "氏名を保存しない設定です" in clerk.send("/staff/1", {"do": "name", "staff_name": "山田 花子"}).text
    assert clerk.send("/staff/names", {"names": "kept"}).headers["location"].startswith("/staff/departments?did=keep")
    assert clerk.send("/staff/1", {"do": "name", "staff_name": "山田 花子"}).status_code == 303
    assert "山田 花子" in clerk.get("/staff?q=花子").text
    touched = _touched(town)
    asked = clerk.send("/staff/names", {"names": "forgotten"})
    assert "1人の氏名がこのハブから消え" in asked.text
    assert _member(town).name == "山田 花子"
    done = clerk.send("/staff/names", {"names": "forgotten", "sure": "yes"})
    assert done.headers["location"] == "/staff/departments?did=forget_names&n=1"
    assert "消した氏名: 1件" in clerk.get(done.headers["location"]).text
    assert _member(town).name == ""
    assert _touched(town) > touched
    assert "山田" not in str(town.read(audit.entries))
    assert clerk.send("/staff/names", {"names": "perhaps"}).status_code == 400


def test_departments(town: Town, clerk: Browser) -> None:
    new = {"do": "add", "department_code": "010", "department_name": "総務課"}
    assert clerk.send("/staff/departments", new).status_code == 303
    assert "ほかの所属が使っていないコード" in clerk.send("/staff/departments", new).text
    assert "空欄でないこと" in clerk.send("/staff/departments", {**new, "department_name": ""}).text
    assert clerk.send("/staff/departments", {**new, "do": "close"}).status_code == 303
    assert town.read(store.departments)[0].closed
    assert "廃止" in clerk.get("/staff/departments").text
    assert clerk.send("/staff/departments", {**new, "do": "save", "department_name": "総務企画課"}).status_code == 303
    assert town.read(store.departments) == [store.Department(1, "010", "総務企画課", closed=True)]
    assert clerk.send("/staff/departments", {**new, "do": "open"}).status_code == 303
    assert clerk.send("/staff/departments", {**new, "do": "save", "department_code": "9"}).status_code == 404
    assert clerk.send("/staff/departments", {**new, "do": "dance"}).status_code == 400


# ---- cards


def _held(town: Town, token: str = A) -> list[tuple[int, str, str]]:
    return [(one.staff_id, one.state, one.label) for one in town.read(lambda conn: store.holdings(conn, token))]


def test_a_card_that_is_nobodys_is_given_to_somebody(town: Town, clerk: Browser) -> None:
    def fill(conn: Connection) -> None:
        somebody(conn, "0012")
        somebody(conn, "0013")
        punch(conn, A, 1_790_000_000_123, "genkan")

    assert "登録のないカードはありません" in clerk.get("/staff/cards/unknown").text
    town.write(fill)
    assert "打刻されたのに登録のないカードが1枚あります" in clerk.get("/staff").text
    page = clerk.get("/staff/cards/unknown").text
    assert 'href="/staff/cards/give?card=a1b2c3d4"' in page
    # Never more of a token than its first eight figures.
    assert A not in page
    assert clerk.get("/staff/cards/give").headers["location"] == "/staff/cards/unknown"
    assert clerk.get("/staff/cards/give?card=a1b2").status_code == 404
    assert clerk.get("/staff/cards/give?card=ffffffff").status_code == 404
    give = clerk.get("/staff/cards/give?card=a1b2c3d4&q=0012").text
    assert "0013" not in give
    moment = re.search(r'id="from".*?value="([^"]+)"', give)
    assert moment
    assert "あてはまる職員はいません" in clerk.get("/staff/cards/give?card=a1b2c3d4&q=99").text
    form = {"card": "a1b2c3d4", "staff": "1", "from": moment[1], "label": "17"}
    for field, value, sentence in (
        ("from", "きのう", "日時"),
        ("staff", "", "職員を選ぶ"),
        ("label", "x" * 41, "40文字まで"),
    ):
        wrong = clerk.send("/staff/cards/give", {**form, field: value})
        assert wrong.status_code == 422
        assert sentence in wrong.text
    assert clerk.send("/staff/cards/give", {**form, "staff": "x"}).status_code == 400
    assert clerk.send("/staff/cards/give", form).headers["location"] == "/staff/cards?did=issue&card=1"
    assert _held(town) == [(1, "issued", "17")]
    # From its first tap on, to the millisecond.
    assert town.read(store.cards)[0].from_ms == 1_790_000_000_123
    assert _touched(town) > 0
    assert clerk.send("/staff/cards/give", form).status_code == 404
    undone = clerk.send("/staff/cards", {"do": "undo", "card": "1"})
    assert undone.headers["location"] == "/staff/cards?did=undo&card=1"
    assert _held(town) == []
    assert town.did()[-2:] == ["card_issue", "card_issue_undone"]


def test_a_card_is_lost_and_found_and_comes_back(town: Town, clerk: Browser) -> None:
    town.write(lambda conn: somebody(conn, "0012"))
    town.write(lambda conn: acts.issue(conn, 0, "sachi", store.members(conn)[1], A, 5, label="17"))
    assert clerk.send("/staff/cards", {"do": "lost", "card": "1"}).headers["location"] == "/staff/cards?did=lost&card=1"
    assert _held(town) == [(1, "lost", "17")]
    page = clerk.get("/staff/cards?did=lost&card=1").text
    assert "端末に届きしだい使えなくなります" in page
    assert 'value="found">元に戻す' in page
    back = clerk.send("/staff/cards", {"do": "found", "card": "1", "back": "/staff/1"})
    assert back.headers["location"] == "/staff/1?did=found&card=1"
    assert "使えるように戻しました" in clerk.get("/staff/1?did=found").text
    assert clerk.send("/staff/cards", {"do": "found", "card": "1"}).headers["location"].endswith("did=cannot&card=1")
    assert clerk.send("/staff/cards", {"do": "returned", "card": "1"}).status_code == 303
    assert _held(town) == [(1, "returned", "17")]
    assert clerk.send("/staff/cards", {"do": "label", "card": "1", "label": "18"}).status_code == 303
    long = clerk.send("/staff/cards", {"do": "label", "card": "1", "label": "x" * 41})
    assert "did=cannot" in long.headers["location"]
    assert "できませんでした" in clerk.get(long.headers["location"]).text
    assert clerk.send("/staff/cards", {"do": "undo", "card": "1"}).headers["location"].endswith("did=cannot&card=1")
    for query, n in (("q=18", 1), ("q=a1b2", 1), ("q=0012", 1), ("q=77", 0), ("state=lost", 0), ("state=returned", 1)):
        assert clerk.get(f"/staff/cards?{query}").text.count("<code>a1b2c3d4") == n, query
    assert clerk.send("/staff/cards", {"do": "lost", "card": "9"}).status_code == 404
    assert clerk.send("/staff/cards", {"do": "dance", "card": "1"}).status_code == 400
    elsewhere = clerk.send("/staff/cards", {"do": "label", "card": "1", "label": "18", "back": "//elsewhere.example"})
    assert elsewhere.headers["location"].startswith("/staff/cards?")
    assert town.did()[-5:-1] == ["card_lost", "card_found", "card_returned", "card_label"]


def test_cards_are_given_out_one_after_the_other(town: Town, clerk: Browser) -> None:
    def fill(conn: Connection) -> None:
        for number in ("0012", "0013", "0014"):
            somebody(conn, number)
        punch(conn, "f" * 32, 1000, "genkan")

    town.write(fill)
    page = clerk.get("/staff/cards/hand-out").text
    # What was tapped before the page was opened does not count.
    assert "カードのタッチを待っています" in page
    assert "0012" in page
    after = re.search(r'name="after" value="(\d+)"', page)
    assert after
    form = {"member": "1", "after": after[1], "department": ""}
    assert "did=no_tap" in clerk.send("/staff/cards/hand-out", form).headers["location"]
    town.write(lambda conn: punch(conn, A, 2000, "genkan"))
    assert "カード a1b2c3d4 がタッチされました" in clerk.get(f"/staff/cards/hand-out?after={after[1]}").text
    # Somebody else's card came between the look and the key.
    town.write(lambda conn: punch(conn, B, 3000, "genkan"))
    assert "did=no_tap" in clerk.send("/staff/cards/hand-out", {**form, "card": A[:8]}).headers["location"]
    given = clerk.send("/staff/cards/hand-out", {**form, "card": B[:8], "label": "17"})
    assert _held(town, B) == [(1, "issued", "17")]
    following = clerk.get(given.headers["location"]).text
    assert "0012に 17 を渡しました" in following
    assert re.search(r'id="who"[^>]*>0013', following)
    # The same card for the next person: it says whose it is, and changes hands only when told so.
    town.write(lambda conn: punch(conn, B, 4000, "genkan"))
    held = clerk.get(given.headers["location"]).text
    assert "いまは0012のカードです" in held
    assert "0013に持ち主を変える" in held
    form = {"member": "2", "after": "3", "department": "", "card": B[:8]}
    assert "did=issue" in clerk.send("/staff/cards/hand-out", form).headers["location"]
    assert _held(town, B) == [(1, "returned", "17"), (2, "issued", "17")]
    cannot = clerk.send("/staff/cards/hand-out", form)
    assert "did=cannot" in cannot.headers["location"]
    assert "この人のカードです" in clerk.get("/staff/cards/hand-out?member=2&after=3").text
    town.write(lambda conn: store.card_lost(conn, 2, pages.now_ms(), "sachi"))
    assert "紛失の届けがあるカード" in clerk.get("/staff/cards/hand-out?member=3&after=3").text
    assert clerk.send("/staff/cards/hand-out", {**form, "member": "9"}).status_code == 404
    assert clerk.send("/staff/cards/hand-out", {**form, "member": "x"}).status_code == 400
    assert "0012" not in clerk.get("/staff/cards/hand-out?department=010").text
    undone = clerk.send("/staff/cards", {"do": "undo", "card": "1", "back": "/staff/cards/hand-out?member=1"})
    assert undone.headers["location"] == "/staff/cards/hand-out?member=1&did=cannot&card=1"


# ---- shifts


def test_shifts_of_a_month(town: Town, clerk: Browser) -> None:
    assert "この月に勤務割の職員はいません" in clerk.get("/staff/shifts").text
    town.write(lambda conn: somebody(conn, "0012", shifts=True))
    assert "0012" in clerk.get("/staff/shifts?month=2026-11").text
    assert clerk.get("/staff/shifts?month=2026-13").status_code == 400
    assert 'name="2026-11-30"' in clerk.get("/staff/shifts/1?month=2026-11").text
    assert clerk.get("/staff/shifts/9").status_code == 404
    form = {"month": "2026-11", "2026-11-01": "22:00-7:00", "2026-11-02": "休", "2026-11-03": ""}
    assert clerk.send("/staff/shifts/1", form).headers["location"] == "/staff/shifts/1?month=2026-11&did=save"
    found = town.read(lambda conn: store.assigned(conn, [1], date(2026, 11, 1), date(2026, 11, 30)))
    assert found == {1: ((date(2026, 11, 1), Hours(1320, 1860)), (date(2026, 11, 2), None))}
    assert "22:00–31:00" in clerk.get("/staff/shifts?month=2026-11").text
    assert "保存しました" in clerk.get("/staff/shifts/1?month=2026-11&did=save").text
    wrong = clerk.send("/staff/shifts/1", {**form, "2026-11-03": "早番", "2026-11-02": ""})
    assert wrong.status_code == 422
    assert "2026-11-03: 早番" in wrong.text
    assert town.read(lambda conn: store.assigned(conn, [1], date(2026, 11, 1), date(2026, 11, 30))) == found
    assert clerk.send("/staff/shifts/1", {"month": "2026-11", "2026-11-02": ""}).status_code == 303
    left = town.read(lambda conn: store.assigned(conn, [1], date(2026, 11, 1), date(2026, 11, 30)))
    assert left == {1: ((date(2026, 11, 1), Hours(1320, 1860)),)}
    before = clerk.send("/staff/shifts/1", {"month": "2026-03", "2026-03-31": "休"})
    assert "この日に勤務割で働く職員" in before.text
    assert clerk.send("/staff/shifts/9", {"month": "2026-11"}).status_code == 404


def test_every_page_in_english(town: Town, clerk: Browser) -> None:
    def fill(conn: Connection) -> None:
        acts.keep_names(conn, 0, "sachi", kept=True)
        store.add_department(conn, "010", "Affairs")
        one = somebody(conn, "0012", department="010", kind="part_time", hourly_yen=1100)
        store.set_name(conn, one, "Hanako", 0)
        acts.issue(conn, 0, "sachi", store.members(conn)[one], A, 5)
        punch(conn, B, 1000, "genkan")

    town.write(fill)
    clerk.get("/language/en")
    japanese = re.compile("[ぁ-ん一-龥]")
    for path in (
        "/staff", "/staff/new", "/staff/1", "/staff/cards", "/staff/cards/unknown", "/staff/cards/give?card=b1b2c3d4",
        "/staff/cards/hand-out", "/staff/shifts", "/staff/shifts/1", "/staff/departments", "/staff/import",
    ):  # fmt: skip
        answer = clerk.get(path)
        assert answer.status_code == 200, path
        text = re.sub(r"<[^>]+>", "", answer.text).replace("日本語", "").replace("令和8年4月1日", "")
        assert not japanese.search(text), (path, japanese.findall(text))
