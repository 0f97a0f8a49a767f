"""What people see of alerts and do with them: a real app, real forms."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import audit, pages
from hub.alerts import post, rule, say, store
from hub.alerts.kinds import KINDS, Kind
from hub.alerts.rule import Alert, Changes, Fact, Letter
from hub.alerts.settings_web import BadForm, settings_of
from hub.alerts.store import Asked
from hub.db import Connection
from tests.alerts.receivers import Receivers, receiving
from tests.alerts.world import MINUTE_MS, NOW_MS
from tests.login.parts import Browser, Town, running_town

MAIL = {
    "way": "email",
    "name": "情報担当",
    "to": "it@town.example",
    "from": "hub@town.example",
    "server": "127.0.0.1",
    "port": "25",
    "security": "insecure",
    "language": "ja",
    "user": "",
    "password": "",
    "place": "",
}
HOURS = {f"{end}_{day}": text for day in range(5) for end, text in (("opens", "8:30"), ("closes", "17:15"))}
SETTINGS = {**HOURS, "holidays_off": "yes", "hold_down": "15", "tablet_days": "5", "backup_days": "0"}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub with three open alerts and one that has ended."""
    with running_town(tmp_path) as running:
        running.write(_fill)
        yield running


def _fill(conn: Connection) -> None:
    now_ms = pages.now_ms()
    conn.execute(
        "INSERT INTO device (id, name, kind, first_heard_ms, last_heard_ms, online) "
        "VALUES (1, 'genkan-1', 'terminal', ?, ?, 1)",
        (now_ms, now_ms),
    )
    facts = [
        Fact("reader", "genkan-1", now_ms - 42 * MINUTE_MS, device="genkan-1", place="本庁"),
        Fact("disk", "genkan-1", now_ms, device="genkan-1", place="本庁"),
        Fact("unreadable_messages", "", now_ms, n=3),
    ]
    store.apply(conn, Changes(begun=(*facts, Fact("hot", "old-1", now_ms, device="old-1"))), now_ms)
    (old,) = store.open_alerts(conn, Asked(device="old-1"))
    store.apply(conn, Changes(calm=(old.id,)), now_ms)
    store.apply(conn, Changes(ended=(old.id,)), now_ms)


@pytest.fixture
def admin(town: Town) -> Browser:
    town.add("hanako")
    browser = Browser(town)
    browser.sign_in("hanako")
    return browser


def _one(town: Town, kind: Kind) -> Alert:
    return next(one for one in town.read(store.open_alerts) if one.kind == kind)


def test_today_the_page_and_the_message_say_the_same(town: Town, admin: Browser) -> None:
    sentence = "genkan-1 の読み取り装置が動きません"
    for path in ("/", "/alerts", "/devices/genkan-1"):
        text = admin.get(path).text
        assert "本庁の" + sentence in text, path
        assert "読み取り装置のUSBを差し直してください。" in text, path
    subject, body = say.letter("ja", Letter("begun", (_one(town, "reader"),)), "http://hub", pages.now_ms())
    assert sentence in subject
    assert sentence in body


def test_alerts_are_filtered_by_address_and_the_past_has_its_length(admin: Browser) -> None:
    text = admin.get("/alerts?kind=disk").text
    assert "ディスクがいっぱいになりそうです" in text
    assert "読み取り装置が動きません" not in text
    assert "条件に合う通知はありません" in admin.get("/alerts?device=nobody").text
    assert "old-1" in admin.get("/alerts").text
    assert "old-1" not in admin.get("/alerts?place=本庁").text
    assert admin.get("/alerts?kind=no-such").status_code == 200
    assert admin.get("/alerts?before=0").status_code == 400


def test_somebody_sees_to_it_and_it_leaves_what_waits(town: Town, admin: Browser) -> None:
    reader = _one(town, "reader")
    assert admin.send(f"/alerts/{reader.id}", {"do": "take", "back": "/alerts?kind=reader"}).headers["location"] == (
        "/alerts?kind=reader"
    )
    assert _one(town, "reader").taken_by == "hanako"
    assert "hanako さんが対応中" in admin.get("/alerts").text
    today = admin.get("/").text
    assert "読み取り装置が動きません" not in today
    assert "対応中・停止中の通知 1件" in today
    admin.send(f"/alerts/{reader.id}", {"do": "untake"})
    assert (_one(town, "reader").taken_by, _one(town, "reader").taken_ms) == ("", None)
    assert town.did()[-2:] == ["alert_take", "alert_untake"]


@pytest.mark.parametrize(("length", "least_h", "most_h"), [("1h", 1, 1), ("7d", 168, 168), ("opening", 0, 24 * 12)])
def test_somebody_hushes_it_for_a_while(town: Town, admin: Browser, length: str, least_h: int, most_h: int) -> None:
    disk, before_ms = _one(town, "disk"), pages.now_ms()
    admin.send(f"/alerts/{disk.id}", {"do": "hush", "for": length, "back": "https://elsewhere.example"})
    until_ms = _one(town, "disk").hushed_until_ms
    assert until_ms is not None
    assert before_ms + least_h * 60 * MINUTE_MS <= until_ms <= pages.now_ms() + most_h * 60 * MINUTE_MS
    assert "知らせを止めています" in admin.get("/alerts").text
    entry = town.read(audit.entries)[0]
    assert (entry.did, entry.what) == ("alert_hush", "genkan-1")
    assert entry.detail.startswith("disk → 20")
    admin.send(f"/alerts/{disk.id}", {"do": "unhush"})
    assert _one(town, "disk").hushed_until_ms is None


@pytest.mark.parametrize(
    ("number", "form", "code"),
    [("", {"do": "burn"}, 400), ("", {"do": "hush", "for": "ever"}, 400), ("999", {"do": "take"}, 404)],
)
def test_what_is_none_of_it_changes_nothing(
    town: Town, admin: Browser, number: str, form: dict[str, str], code: int
) -> None:
    before = town.read(store.open_alerts)
    assert admin.send(f"/alerts/{number or before[0].id}", form).status_code == code
    assert town.read(store.open_alerts) == before


def test_one_that_has_ended_needs_nobody(town: Town, admin: Browser) -> None:
    (old,) = town.read(lambda conn: store.ended_alerts(conn, Asked(), 9))
    assert admin.send(f"/alerts/{old.id}", {"do": "take"}).status_code == 303
    assert town.read(lambda conn: store.one(conn, old.id)) == old
    assert "alert_take" not in town.did()


def test_a_clerk_looks_and_changes_nothing(town: Town) -> None:
    town.add("jiro", "clerk")
    clerk = Browser(town)
    clerk.sign_in("jiro")
    text = clerk.get("/alerts").text
    assert "読み取り装置が動きません" in text
    assert "対応します" not in text
    # What a clerk may not open is no line of their work.
    assert "読めない通信" not in clerk.get("/").text
    assert clerk.get("/settings/alerts").status_code == 403
    assert clerk.send(f"/alerts/{_one(town, 'disk').id}", {"do": "take"}).status_code == 403


# ---- settings


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    with receiving() as running:
        yield running


def test_somebody_is_added_tried_and_removed(town: Town, admin: Browser, receivers: Receivers) -> None:
    form = {**MAIL, "port": str(receivers.smtp_port), "password": "", "urgent_only": "yes"}
    assert "まだだれもいません" in admin.get("/settings/alerts").text
    assert admin.send("/settings/alerts/targets", form).status_code == 303
    (target,) = town.read(post.targets)
    assert (target.name, target.shown, target.urgent_only) == ("情報担当", "it@town.example (127.0.0.1)", True)
    answer = admin.send(f"/settings/alerts/targets/{target.id}/test")
    assert "「情報担当」へ試しの通知を渡しました" in answer.text
    assert [mail.subject for mail in receivers.mails] == ["machinaka 通知の試し"]
    receivers.refuse = True
    answer = admin.send(f"/settings/alerts/targets/{target.id}/test")
    assert "へは送れませんでした。宛先か差出人が受け付けられませんでした。" in answer.text
    assert "やめて、アドレスを消す" in admin.get(f"/settings/alerts/targets/{target.id}/remove").text
    assert admin.send(f"/settings/alerts/targets/{target.id}/remove").status_code == 303
    assert town.read(post.targets) == []
    assert town.app.state.addresses.of(target.ref) is None
    assert town.did()[-4:] == ["alert_target_add", "alert_target_test", "alert_target_test", "alert_target_remove"]
    assert admin.send(f"/settings/alerts/targets/{target.id}/test").status_code == 404


def test_no_secret_is_ever_shown_again(town: Town, admin: Browser) -> None:
    admin.send("/settings/alerts/targets", {**MAIL, "user": "hub-user", "password": "mailbox-secret"})
    web = {"way": "web", "name": "chat", "address": "https://chat.example/hooks/web-secret?key=query-secret"}
    admin.send("/settings/alerts/targets", web)
    refused = admin.send("/settings/alerts/targets", {**web, "name": ""})
    assert refused.status_code == 400
    seen = admin.get("/settings/alerts").text + refused.text + admin.get("/settings/audit").text
    stored = Path(town.settings.database).read_bytes() + town.settings.database.with_name("hub.db-wal").read_bytes()
    for secret in ("mailbox-secret", "hub-user", "web-secret", "query-secret"):
        assert secret not in seen
        assert secret.encode() not in stored
    assert "https://chat.example/…" in seen


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({**MAIL, "name": " "}, "呼び名を1〜60文字で"),
        ({**MAIL, "to": "nobody"}, "メールアドレスの形が"),
        ({**MAIL, "port": "http"}, "メールサーバーの名前かポートが"),
        ({**MAIL, "security": "rot13"}, "メールサーバーの名前かポートが"),
        ({"way": "web", "name": "chat", "address": "chat.example"}, "アドレスは https:// など"),
        ({"way": "web", "name": "chat", "address": "syslog://x"}, "アドレスは https:// など"),
    ],
)
def test_a_wrong_form_says_what_is_wrong_and_keeps_the_rest(
    town: Town, admin: Browser, form: dict[str, str], says: str
) -> None:
    answer = admin.send("/settings/alerts/targets", form)
    assert answer.status_code == 400
    assert says in answer.text
    assert form.get("server", "") in answer.text
    assert town.read(post.targets) == []


def test_at_most_twenty_are_told(town: Town, admin: Browser) -> None:
    for n in range(20):
        admin.send("/settings/alerts/targets", {"way": "web", "name": f"c{n}", "address": "https://chat.example/x"})
    answer = admin.send(
        "/settings/alerts/targets", {"way": "web", "name": "one more", "address": "https://c.example/x"}
    )
    assert (answer.status_code, len(town.read(post.targets))) == (400, 20)


def test_hours_are_kept(town: Town, admin: Browser) -> None:
    assert admin.send("/settings/alerts", SETTINGS).status_code == 303
    kept = town.read(store.read_settings)
    assert (kept.hold_down_minutes, kept.tablet_days, kept.backup_days) == (15, 5, 0)
    assert kept.hours.week[4:] == ((510, 1035), None, None)
    assert (kept.hours.holidays_off, kept.hours.new_year_off) == (True, False)
    assert 'value="17:15"' in admin.get("/settings/alerts").text
    assert town.did()[-1] == "alert_settings"


@pytest.mark.parametrize(
    "change",
    [
        {"opens_0": "17:15", "closes_0": "8:30"},
        {"opens_0": "8:30", "closes_0": ""},
        {"opens_0": "8:75"},
        {"closes_0": "25:00"},
        {"hold_down": "121"},
        {"hold_down": "-1"},
        {"tablet_days": "0"},
        {"tablet_days": "１"},
        {"backup_days": ""},
    ],
)
def test_wrong_hours_are_refused(change: dict[str, str]) -> None:
    with pytest.raises(BadForm):
        settings_of({**SETTINGS, **change})


# ---- words


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_said_in_both_languages(kind: Kind) -> None:
    subject = {"town_certificate": "hub", "rollout": "7"}.get(kind, "genkan-1")
    alert = Alert(1, kind, subject, "genkan-1", "本庁", "2026-12-08", 12, NOW_MS, NOW_MS)
    ended = Alert(
        1, kind, subject, "genkan-1", "本庁", "", 12, NOW_MS, NOW_MS, 3, NOW_MS, NOW_MS + 90 * MINUTE_MS, told=1
    )
    for language in ("ja", "en"):
        now_ms = NOW_MS + 95 * MINUTE_MS
        title, body = say.letter(language, Letter("begun", (alert,)), "http://hub", now_ms)
        assert "{" not in title + body
        assert "http://hub/" in body
        assert ("URGENT" in title or "至急" in title) == alert.urgent
        over, text = say.letter(language, Letter("ended", (ended,)), "http://hub", now_ms)
        assert ("1時間30分" if language == "ja" else "1 h 30 min") in over
        assert ("3回" if language == "ja" else "3 times") in text


def test_a_subject_is_as_a_person_would_say_it() -> None:
    eight_twelve_ms = 1_795_475_520_000
    alert = Alert(1, "offline", "打刻機1", "打刻機1", "本庁", "", 0, eight_twelve_ms, eight_twelve_ms)
    subject, body = say.letter("ja", Letter("begun", (alert,)), "http://hub", eight_twelve_ms + 4 * MINUTE_MS)
    assert subject == "本庁の打刻機1 がつながりません(8:12から)"
    assert body.splitlines() == [
        "何が: 本庁の打刻機1 がつながりません",
        "いつから: 2026年11月24日(火) 08:12:00(4分)",
        "次にすること: 端末の電源とLANケーブル(またはWi-Fi)を確かめてください。",
        "くわしく: http://hub/devices/打刻機1",
    ]


def test_a_summary_counts_and_lists() -> None:
    alerts = tuple(Alert(n, "lost", f"t-{n}", f"t-{n}", "", "", n, NOW_MS, NOW_MS) for n in range(1, 4))
    over = rule.Alert(9, "hot", "t-9", "t-9", "", "", 0, NOW_MS, NOW_MS, ended_ms=NOW_MS + 60_000)
    subject, body = say.letter("ja", Letter("summary", (*alerts, over)), "http://hub", NOW_MS + 120_000)
    assert subject == "通知のまとめ: 続いていること3件、終わったこと1件"
    assert body.count("■") == 3
    assert "● 【解消】t-9 が熱くなっています(" in body
    subject, _ = say.letter("en", Letter("several", alerts), "http://hub", NOW_MS)
    assert subject == "3 alerts: t-1 has lost records (1) and more"


def test_each_target_is_told_what_concerns_it(town: Town) -> None:
    from hub.alerts.post import Target
    from hub.alerts.watch import drafts_of

    clone = Alert(1, "clone", "a", "a", "hall", "", 0, NOW_MS, NOW_MS)
    lost = Alert(2, "lost", "b", "b", "annex", "", 1, NOW_MS, NOW_MS)
    everything = Target(1, "r1", "all", "email", "", "ja", False, "", 0)
    urgent = Target(2, "r2", "urgent", "email", "", "en", True, "", 0)
    annex = Target(3, "r3", "annex", "web", "", "ja", False, "annex", 0)
    letters = [Letter("summary", (clone, lost))]
    drafts = {one.target_id: one for one in drafts_of(letters, [everything, urgent, annex], "http://hub", NOW_MS)}
    assert set(drafts) == {1, 2, 3}
    assert drafts[1].title.startswith("【至急】通知のまとめ")
    assert drafts[2].title.startswith("URGENT: There are two of a (hall)")
    assert drafts[3].title.startswith("annexのb で記録1件")
    assert [drafts[n].urgent for n in (1, 2, 3)] == [True, True, False]
    assert drafts_of([Letter("begun", (lost,))], [urgent], "http://hub", NOW_MS) == []
