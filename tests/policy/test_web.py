"""The pages of settings, as a browser uses them: what is refused, what is asked once, what is written down."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hub import audit
from hub.db import Connection
from hub.policy import group_store, store
from hub.told import Told
from tests.login.parts import Browser, Town, running_town
from tests.policy.hub_parts import NOW_MS, add_devices
from wire.messages import Drift, Reported

_FINGERPRINT = re.compile(r'name="fingerprint" value="([0-9a-f]{64})"')


def _place(conn: Connection) -> None:
    """Where the devices stand, and their tags."""
    for device_id, tag in ((1, "a"), (2, "a"), (3, "b")):
        conn.execute(
            "INSERT INTO item (id, device_id, place, changed_ms) VALUES (?, ?, '本庁', 0)", (device_id, device_id)
        )
        conn.execute("INSERT INTO item_tag VALUES (?, ?)", (device_id, tag))


class Officer:
    """An IT officer at a hub with a terminal `d-1`, a tablet `d-2` and a terminal `d-3`."""

    def __init__(self, town: Town) -> None:
        self.town = town
        town.add("taro", "it")
        self.browser = Browser(town)
        assert self.browser.sign_in("taro").status_code == 303
        town.write(lambda conn: add_devices(conn, ("terminal", "tablet", "terminal")))
        town.write(_place)

    def add(self, which: str) -> str:
        """A new group; its address."""
        return self.browser.send("/policy/groups", {"which": which}).headers["location"]

    def save(self, path: str, section: str, **values: str) -> int:
        """Fills in some fields of a group's or a device's form."""
        fields = {f"value.{key}": value for key, value in values.items()}
        return self.browser.send(path, {"do": "save", "section": section, **fields}).status_code

    def fingerprint(self, query: str = "") -> str:
        """What the page of changes shows."""
        found = _FINGERPRINT.search(self.browser.get(f"/policy/changes{query}").text)
        return found[1] if found else ""

    def publish(self, **more: str) -> int:
        """Presses the button."""
        query = f"?group={more['group']}" if "group" in more else ""
        answer = self.browser.send("/policy/publish", {"fingerprint": self.fingerprint(query), **more})
        return answer.status_code

    def ordered(self) -> dict[int, store.Ordered]:
        """What devices are ordered to be."""
        return self.town.read(store.ordered)

    def report(self, device_id: int, *drift: Drift) -> None:
        """A device reports that it has applied, and what it found otherwise."""
        one = self.ordered()[device_id]
        body = Reported(one.incarnation, one.generation, one.generation, "applied", "", one.digest, drift)
        self.town.write(lambda conn: store.take_reports(conn, [Told(device_id, f"d-{device_id}", 1, 0, NOW_MS, body)]))


@pytest.fixture
def officer(tmp_path: Path) -> Iterator[Officer]:
    """One, signed in."""
    with running_town(tmp_path) as town:
        yield Officer(town)


def test_a_group_is_made_once_of_what_is_there(officer: Officer) -> None:
    page = officer.browser.get("/policy").text
    for which in ("kind/terminal", "kind/tablet", "kind/access_point", "place/本庁", "tag/a", "tag/b"):
        assert f'value="{which}"' in page
    assert officer.add("place/本庁") == "/policy/groups/1"
    for bad in ("place/本庁", "place/elsewhere", "kind/printer", "", "x"):
        answer = officer.browser.send("/policy/groups", {"which": bad})
        assert answer.status_code == 400
        assert "そのグループはもうあるか" in answer.text
    assert 'value="place/本庁"' not in officer.browser.get("/policy").text


def test_saving_sends_nothing_and_publishing_sends_what_was_seen(officer: Officer) -> None:
    group = officer.add("kind/terminal")
    assert officer.save(group, "common", contact="内線 1", health_every_s="30") == 303
    assert officer.ordered() == {}
    seen = officer.fingerprint()
    assert officer.save(group, "common", contact="内線 2") == 303
    # Somebody changed it meanwhile: shown anew, not published.
    stale = officer.browser.send("/policy/publish", {"fingerprint": seen})
    assert (stale.status_code, "確認しているあいだに" in stale.text) == (409, True)
    assert officer.ordered() == {}
    assert officer.publish() == 303
    ordered = officer.ordered()
    assert {device_id: one.document for device_id, one in ordered.items()} == {
        1: {"contact": "内線 2", "health_every_s": 30},
        2: {},
        3: {"contact": "内線 2", "health_every_s": 30},
    }
    assert officer.fingerprint() == ""
    assert "まだ報告がありません" in officer.browser.get("/policy").text


def test_only_the_members_of_a_group(officer: Officer) -> None:
    group = officer.add("tag/b")
    officer.save(group, "common", contact="b")
    assert officer.publish(group="1") == 303
    assert set(officer.ordered()) == {3}
    for path in ("/policy/changes?group=99", "/policy/changes?group=-1", "/policy/groups/99"):
        assert officer.browser.get(path).status_code in (400, 404)
    assert officer.browser.send("/policy/publish", {"group": "9" * 30}).status_code == 404


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(officer: Officer) -> None:
    group = officer.add("kind/terminal")
    answer = officer.browser.send(
        group, {"do": "save", "section": "terminal", "value.terminal.volume": "500", "value.terminal.debounce_s": "3"}
    )
    assert answer.status_code == 400
    assert "0から100までの整数を入れてください" in answer.text
    assert 'value="500"' in answer.text
    assert 'value="3"' in answer.text
    (kept,) = officer.town.read(group_store.groups)
    assert kept.document == {}
    assert officer.browser.send(group, {"do": "dance"}).status_code == 400
    assert officer.browser.get(f"{group}?section=nonsense").status_code == 400


def test_a_group_goes_back_changes_its_strength_and_is_removed_after_asking(officer: Officer) -> None:
    group = officer.add("kind/terminal")
    officer.save(group, "common", contact="1")
    officer.save(group, "common", contact="2")
    said = officer.town.read(lambda conn: group_store.said_before(conn, 1))
    assert [one.document["contact"] for one in said] == ["2", "1"]
    assert officer.browser.send(group, {"do": "back", "said": str(said[1].id)}).status_code == 303
    assert officer.town.read(group_store.groups)[0].document == {"contact": "1"}
    assert officer.browser.send(group, {"do": "back", "said": "999"}).status_code == 404
    assert officer.browser.send(group, {"do": "rank", "rank": "9"}).status_code == 303
    assert officer.town.read(group_store.groups)[0].rank == 9
    assert officer.browser.send(group, {"do": "rank", "rank": "10"}).status_code == 400
    asked = officer.browser.send(group, {"do": "remove"})
    assert (asked.status_code, "グループ「terminal」" in asked.text) == (200, True)
    assert len(officer.town.read(group_store.groups)) == 1
    assert officer.browser.send(group, {"do": "remove", "sure": "yes"}).headers["location"] == "/policy"
    assert officer.town.read(group_store.groups) == []


def test_a_conflict_is_shown_and_not_published(officer: Officer) -> None:
    officer.town.write(lambda conn: conn.execute("INSERT INTO item_tag VALUES (1, 'b')"))
    officer.save(officer.add("tag/a"), "common", contact="one")
    officer.save(officer.add("tag/b"), "common", contact="two")
    page = officer.browser.get("/policy/changes").text
    assert "タグ: a = one / タグ: b = two" in page
    assert officer.publish() == 303
    assert {id_: one.document for id_, one in officer.ordered().items()} == {
        2: {"contact": "one"},
        3: {"contact": "two"},
    }
    assert officer.browser.send("/devices/d-1/policy", {"do": "publish"}).status_code == 409
    # The device's own word settles it.
    officer.save("/devices/d-1/policy", "common", contact="own")
    assert officer.browser.send("/devices/d-1/policy", {"do": "publish"}).status_code == 303
    assert officer.ordered()[1].document == {"contact": "own"}


def test_drift_is_repaired_or_accepted(officer: Officer) -> None:
    here = "/devices/d-1/policy"
    for do in ("repair", "accept"):
        assert officer.browser.send(here, {"do": do}).status_code == 409
    officer.save(here, "common", contact="1")
    officer.browser.send(here, {"do": "publish"})
    officer.report(1, Drift("contact", '"1"', '"2"'), Drift("terminal.volume", "100", "10"))
    page = officer.browser.get(here).text
    assert "だれかが設定を書き換えました" in page
    assert officer.browser.send(here, {"do": "repair"}).status_code == 303
    assert (officer.ordered()[1].generation, officer.ordered()[1].document) == (2, {"contact": "1"})
    officer.report(1, Drift("contact", '"1"', '"2"'), Drift("terminal.volume", "100", "10"))
    assert officer.browser.send(here, {"do": "accept"}).status_code == 303
    assert officer.ordered()[1].document == {"contact": "2", "terminal": {"volume": 10}}
    assert officer.town.read(lambda conn: store.document_of(conn, 1)) == officer.ordered()[1].document
    assert officer.browser.send(here, {"do": "fly"}).status_code == 400


@pytest.mark.parametrize(
    "drift",
    [
        Drift("actual.toml", "", "no TOML"),
        Drift("contact", "", '"' + "x" * 190),
        Drift("", "", "1"),
        Drift("a..b", "", "1"),
    ],
)
def test_what_is_not_known_whole_is_not_accepted(officer: Officer, drift: Drift) -> None:
    here = "/devices/d-1/policy"
    officer.browser.send(here, {"do": "publish"})
    officer.report(1, drift)
    assert officer.browser.get(here).status_code == 200
    answer = officer.browser.send(here, {"do": "accept"})
    assert (answer.status_code, "受け入れられません" in answer.text) == (400, True)
    officer.report(1, Drift("terminal.volume", "100", "999"))
    assert officer.browser.send(here, {"do": "accept"}).status_code == 400


def test_an_earlier_version_counts_again_whatever_its_groups_say(officer: Officer) -> None:
    here, group = "/devices/d-1/policy", officer.add("kind/terminal")
    officer.save(group, "common", contact="1", lease_days="3")
    officer.publish()
    first = officer.ordered()[1]
    officer.browser.send(group, {"do": "save", "section": "common", "say.lease_days": "unsaid", "value.contact": "2"})
    officer.publish()
    assert officer.ordered()[1].document == {"contact": "2"}
    back = {"do": "back", "generation": f"{first.incarnation}/{first.generation}"}
    assert officer.browser.send(here, back).status_code == 303
    assert officer.ordered()[1].document == first.document
    assert officer.ordered()[1].generation == 3
    # It stays: nothing waits to be published for it.
    assert officer.fingerprint() == ""
    assert officer.browser.send(here, {**back, "generation": "x"}).status_code == 404
    assert officer.browser.get("/devices/nowhere/policy").status_code == 404


def test_everything_is_written_down(officer: Officer) -> None:
    group = officer.add("kind/terminal")
    officer.save(group, "common", contact="1")
    officer.publish()
    officer.save("/devices/d-1/policy", "common", contact="2")
    entries = {
        entry.did: entry for entry in reversed(officer.town.read(audit.entries)) if entry.did.startswith("policy")
    }
    assert entries["policy_group"].detail == "contact: – → 1"
    assert entries["policy_publish"].detail == "d-1, d-3, d-2"
    assert (entries["policy_own"].what, entries["policy_own"].who) == ("d-1", "taro")
    assert msgspec.to_builtins(entries["policy_own"])["detail"] == "contact: – → 2"
    # Saving the same again is no change, and no line.
    before = len(officer.town.did())
    officer.save(group, "common", contact="1")
    assert len(officer.town.did()) == before
