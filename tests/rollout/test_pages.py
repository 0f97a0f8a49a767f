"""Roll-outs by pages: proposed from what is not published yet, approved by somebody else, told as they go on."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub import audit, pages
from hub.db import Connection
from hub.policy import group_store
from hub.policy import store as policy
from hub.rollout import store
from hub.rollout.state import Course
from tests.login.parts import Browser, Town, running_town

DEVICES = (
    ("genkan-1", "terminal"),
    ("genkan-2", "terminal"),
    ("kominkan-1", "terminal"),
    ("hall-ap-1", "access_point"),
    ("tab-1", "tablet"),
    ("tab-2", "tablet"),
)
_FINGERPRINT = re.compile(r'name="fingerprint" value="([0-9a-f]{64})"')
OPEN_DAYS = {"days_off": "", "windows": ""}


def _fill(conn: Connection) -> None:
    for name, kind in DEVICES:
        conn.execute(
            "INSERT INTO device (name, kind, first_heard_ms, last_heard_ms, online, boot, connection, version) "
            "VALUES (?, ?, 0, ?, 1, 'b', 1, '')",
            (name, kind, pages.now_ms()),
        )
    number = group_store.add_group(conn, "kind", "terminal", 5, 0, "hanako")
    group_store.say(conn, number, {"contact": "総務課 12"}, 0, "hanako")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub with six devices; what is ordered of terminals has changed and is not published."""
    with running_town(tmp_path) as running:
        running.write(_fill)
        for name, role in (("hanako", "it"), ("taro", "approver"), ("jiro", "auditor"), ("saburo", "administrator")):
            running.add(name, role)  # type: ignore[arg-type]
        yield running


def signed_in(town: Town, name: str) -> Browser:
    browser = Browser(town)
    assert browser.sign_in(name).status_code == 303
    return browser


@pytest.fixture
def hanako(town: Town) -> Browser:
    """The IT officer, who makes roll-outs."""
    return signed_in(town, "hanako")


@pytest.fixture
def taro(town: Town) -> Browser:
    """An approver."""
    return signed_in(town, "taro")


def form_of(page: httpx.Response, **more: str) -> dict[str, str]:
    """The form that a page shows, with some fields typed anew."""
    found = dict(re.findall(r'<input id="\w+" name="(\w+)" value="([^"]*)"', page.text))
    found |= dict(re.findall(r'<input class="few" name="(\w+)" value="([^"]*)"', page.text))
    found |= dict(re.findall(r'<input type="hidden" name="(group|first)" value="([^"]*)"', page.text))
    fingerprint = _FINGERPRINT.search(page.text)
    assert fingerprint
    return {**found, "fingerprint": fingerprint[1], "offline": "skip", "title": "連絡先の変更", **more}


def propose(browser: Browser, **more: str) -> int:
    """A roll-out of everything; its number."""
    page = browser.get(f"/rollouts/new?first={more.get('first', '')}")
    answer = browser.send("/rollouts", form_of(page, **more))
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].rpartition("/")[2])


def course(town: Town, number: int) -> Course:
    found = town.read(lambda conn: store.course(conn, number))
    assert found is not None
    return found


def test_an_empty_list_teaches_and_leads_on(hanako: Browser, taro: Browser) -> None:
    page = hanako.get("/rollouts").text
    assert "段階配信はまだありません" in page
    assert 'href="/policy/changes"' in page
    assert 'href="/policy/changes"' not in taro.get("/rollouts").text
    assert taro.get("/rollouts/new").status_code == 403
    assert taro.get("/rollouts/1").status_code == 404


def test_the_page_of_changes_leads_to_the_proposal(hanako: Browser) -> None:
    assert 'href="/rollouts/new' in hanako.get("/policy/changes").text
    page = hanako.get("/rollouts/new").text
    for text in ("先に試す端末", "種類ごとに1台", "打刻機", "08:00-09:00, 17:00-18:00", "tab-1"):
        assert text in page
    arranged = hanako.get("/rollouts/new?first=genkan-2,%20tab-2&group=0").text
    assert 'name="first" value="genkan-2, tab-2"' in arranged
    assert hanako.get("/rollouts/new?group=99").status_code == 404
    assert hanako.get("/rollouts/new?group=1").status_code == 200


def test_one_proposes_another_approves(town: Town, hanako: Browser, taro: Browser) -> None:
    number = propose(hanako, first="genkan-1, genkan-2, tab-1", **OPEN_DAYS)
    page = hanako.get(f"/rollouts/{number}").text
    assert "もう一人の承認を待っています。承認できる人: saburo, taro" in page
    assert "承認して始める" not in page
    assert town.read(policy.ordered) == {}
    # She who made it may not, though her role could.
    mine = hanako.send(f"/rollouts/{number}/approval", {"do": "approve", "sure": "yes"})
    assert mine.status_code == 409
    assert "自分で作った段階配信は承認できません" in mine.text
    asked = taro.send(f"/rollouts/{number}/approval", {"do": "approve"})
    assert "承認すると、決めた順番で" in asked.text
    assert course(town, number).status == "proposed"
    assert taro.send(f"/rollouts/{number}/approval", {"do": "approve", "sure": "yes"}).status_code == 303
    assert sorted(town.read(policy.ordered)) == [1, 2, 5]
    assert {one.state for one in course(town, number).members.values() if one.group == 0} == {"released"}
    assert town.did()[-2:] == ["rollout_make", "rollout_approve"]
    page = taro.get(f"/rollouts/{number}").text
    assert "報告を待っています: genkan-1, genkan-2, tab-1" in page
    assert "一時停止" not in page, "an approver does not steer"
    assert taro.send(f"/rollouts/{number}", {"do": "pause"}).status_code == 403
    assert "承認しました" in page


def test_it_is_steered_and_each_act_is_in_the_audit_log(town: Town, hanako: Browser, taro: Browser) -> None:
    number = propose(hanako, **OPEN_DAYS)
    taro.send(f"/rollouts/{number}/approval", {"do": "approve", "sure": "yes"})
    path = f"/rollouts/{number}"
    assert hanako.send(path, {"do": "pause"}).status_code == 303
    assert "hanako さんが一時停止しています" in hanako.get(path).text
    waiting = next(one for one in course(town, number).members.values() if one.state == "waiting")
    assert hanako.send(path, {"do": "skip_device", "device": str(waiting.device)}).status_code == 303
    assert hanako.send(path, {"do": "skip_device", "device": "999"}).status_code == 409
    assert hanako.send(path, {"do": "retry_device", "device": str(waiting.device)}).status_code == 303
    assert "グループ" in hanako.send(path, {"do": "skip_group", "group": "1"}).text
    assert hanako.send(path, {"do": "skip_group", "group": "1", "sure": "yes"}).status_code == 303
    assert "これまでの失敗を承知のうえで" in hanako.send(path, {"do": "resume"}).text
    assert hanako.send(path, {"do": "resume", "sure": "yes"}).status_code == 303
    assert hanako.send(path, {"do": "take_back", "sure": "yes"}).status_code == 303
    assert hanako.send(path, {"do": "abort", "sure": "yes"}).status_code == 409
    assert town.did()[-7:] == [
        "rollout_approve",
        "rollout_pause",
        "rollout_skip_device",
        "rollout_retry_device",
        "rollout_skip_group",
        "rollout_resume",
        "rollout_take_back",
    ]
    last = town.read(audit.entries)[0]
    assert (last.who, last.what) == ("hanako", "連絡先の変更")
    for form in ({"do": "explode"}, {"do": "approve"}, {"do": "pause", "device": "x"}, {"do": "pause", "group": "-1"}):
        assert hanako.send(path, form).status_code == 400
    assert hanako.send("/rollouts/77", {"do": "pause"}).status_code == 404
    assert "元に戻しています" in hanako.get("/rollouts").text


def test_declined_it_ends(town: Town, hanako: Browser, taro: Browser) -> None:
    number = propose(hanako)
    assert taro.send(f"/rollouts/{number}/approval", {"do": "decline"}).status_code == 303
    assert course(town, number).status == "declined"
    assert "却下" in hanako.get(f"/rollouts/{number}").text
    assert propose(hanako) != number


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"title": " "}, "名前を80文字以内で"),
        ({"title": "x" * 81}, "名前を80文字以内で"),
        ({"first": "nobody"}, "知らない名前があります"),
        ({"soak_min": "-1"}, "様子見は0から"),
        ({"deadline_min": "0"}, "期限は1から"),
        ({"deadline_min": "1.5"}, "期限は1から"),
        ({"wait_hours": "9999"}, "待つ時間は0から"),
        ({"join_days": "x"}, "最後に待つ日数は0から"),
        ({"max_first": "-1"}, "失敗してよい数は0から"),
        ({"once_first": "0"}, "同時の数は1から"),
        ({"windows": "8-9"}, "08:00-09:00 の形で"),
        ({"windows": "00:00-12:00, 12:00-24:00"}, "配れる時間を残してください"),
        ({"windows_all": "25:00-26:00"}, "08:00-09:00 の形で"),
        ({"dates": "12/28"}, "2026-12-28 の形で"),
        ({"dates": "20261228"}, "2026-12-28 の形で"),
        ({"dates": "2026-02-30"}, "2026-12-28 の形で"),
    ],
)
def test_a_wrong_field_is_told_and_what_was_typed_stays(
    town: Town, hanako: Browser, typed: dict[str, str], sentence: str
) -> None:
    form = form_of(hanako.get("/rollouts/new"), **{"title": "長い名前", "soak_min": "17", **typed})
    answer = hanako.send("/rollouts", form)
    assert answer.status_code == 400
    assert sentence in answer.text
    assert 'value="17"' in answer.text or "soak_min" in typed
    assert town.read(lambda conn: store.summaries(conn, 10)) == []


def test_what_has_changed_meanwhile_is_shown_first(town: Town, hanako: Browser) -> None:
    form = form_of(hanako.get("/rollouts/new"))
    town.write(lambda conn: group_store.say(conn, 1, {"contact": "other"}, 0, "jiro"))
    answer = hanako.send("/rollouts", form)
    assert (answer.status_code, "もう一度確かめて" in answer.text) == (409, True)


def test_a_device_is_in_one_roll_out_at_a_time(hanako: Browser) -> None:
    propose(hanako)
    answer = hanako.send("/rollouts", form_of(hanako.get("/rollouts/new")))
    assert answer.status_code == 409
    assert "まだ終わっていない端末があります: genkan-1, genkan-2, hall-ap-1" in answer.text


def test_with_nothing_to_publish_the_page_says_so(town: Town, hanako: Browser) -> None:
    def publish(conn: Connection) -> None:
        documents = {id_: one.document for id_, one in policy.folded(conn).items()}
        policy.publish_many(conn, town.app.state.signing, documents, 0, "hanako")

    town.write(publish)
    assert "配る変更がありません" in hanako.get("/rollouts/new").text


def test_the_start_page_names_what_waits_for_whom(town: Town, hanako: Browser, taro: Browser) -> None:
    number = propose(hanako, **OPEN_DAYS)
    line = f'href="/rollouts/{number}"'
    assert line in taro.get("/").text
    assert "承認を待つ段階配信" in taro.get("/").text
    assert line not in hanako.get("/").text
    taro.send(f"/rollouts/{number}/approval", {"do": "approve", "sure": "yes"})
    assert line not in taro.get("/").text
    town.write(lambda conn: conn.execute("UPDATE rollout SET status = 'stopped'"))
    assert line in hanako.get("/").text
    assert line not in taro.get("/").text


def test_the_page_goes_on_by_itself(town: Town, hanako: Browser, taro: Browser) -> None:
    number = propose(hanako, **OPEN_DAYS)
    with hanako.stream(f"/rollouts/{number}/events") as answer:
        lines = answer.iter_lines()
        assert any("承認待ち" in line for line in lines)
        taro.send(f"/rollouts/{number}/approval", {"do": "approve", "sure": "yes"})
        assert any("報告を待っています" in line for line in lines)


def test_english_says_the_same(hanako: Browser) -> None:
    number = propose(hanako)
    hanako.get("/language/en")
    assert "Waits for a second person: needs approval by saburo, taro." in hanako.get(f"/rollouts/{number}").text
    assert "At once" in hanako.get("/rollouts/new").text
