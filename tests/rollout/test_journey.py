"""Twelve devices over a real broker against a real hub: what part 7 promises, from the form to the devices and back."""

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from hub.db import Connection, Db
from hub.policy import group_store
from hub.policy import store as policy
from hub.rollout import store
from hub.rollout.state import State, Status
from tests.broker import Broker
from tests.hub_process import Hub
from tests.ingest.parts import soon
from tests.login import second
from tests.login.parts import HASHED, Browser
from tests.rollout.follower import Follower
from tests.rollout.test_pages import form_of
from wire.messages import Desired

T = TypeVar("T")

KINDS = {
    **{f"terminal-{n}": "terminal" for n in range(1, 7)},
    **{f"ap-{n}": "access_point" for n in range(1, 4)},
    **{f"tablet-{n}": "tablet" for n in range(1, 4)},
}
FIRST = ("terminal-1", "ap-1", "tablet-1")
AWAY = ("terminal-5", "tablet-3")
WITHIN_S = 60


class Beside:
    """The hub's process with its database and two people, seen from beside."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.url = hub, hub.url
        self.browsers: list[httpx.Client] = []
        self.db = Db(hub.database)

    def read(self, fn: Callable[[Connection], T]) -> T:
        """Reads the database."""
        return self.db.read(fn)

    def write(self, fn: Callable[[Connection], T]) -> T:
        """Writes into it."""
        return self.db.write_now(fn)

    def sign_in(self, name: str) -> Browser:
        """Somebody's browser."""
        browser = Browser(self)  # type: ignore[arg-type]
        assert browser.sign_in(name).status_code == 303
        return browser

    def id_of(self, name: str) -> int:
        """A device's number."""
        return int(self.read(lambda conn: conn.execute("SELECT id FROM device WHERE name = ?", (name,)).fetchone()[0]))

    def states(self, number: int) -> dict[str, State]:
        """Each device's state in a roll-out."""
        course = self.read(lambda conn: store.course(conn, number))
        assert course is not None
        return {one.name: one.state for one in course.members.values()}

    def status(self, number: int) -> Status:
        """The roll-out's."""
        head = self.read(lambda conn: store.head(conn, number))
        assert head is not None
        return head.status

    def told(self, number: int) -> list[tuple[str, str]]:
        """What happened to which device, oldest first."""
        found = self.read(lambda conn: store.events(conn, number, 1000))
        return [(one.what, one.device) for one in reversed(found)]

    def say(self, contact: str) -> None:
        """What all kinds are to show from now on, once it is published."""

        def write(conn: Connection) -> None:
            known = {one.name: one.id for one in group_store.groups(conn)}
            for kind in ("terminal", "access_point", "tablet"):
                number = known.get(kind) or group_store.add_group(conn, "kind", kind, 5, 0, "hanako")
                group_store.say(conn, number, {"contact": contact}, 0, "hanako")

        self.write(write)


@pytest.fixture
def beside(tmp_path: Path, broker: Broker) -> Iterator[Beside]:
    """A hub that hears, with an IT officer and an approver."""
    with Hub(tmp_path, broker.port) as hub:
        hub.wait_until_it_hears()
        second.add_to(hub, "hanako", "it", HASHED)
        second.add_to(hub, "taro", "approver", HASHED)
        found = Beside(hub)
        yield found
        for browser in found.browsers:
            browser.close()
        found.db.close()


@pytest.fixture
def followers(beside: Beside, broker: Broker) -> Iterator[dict[str, Follower]]:
    """Twelve devices that have been heard, of which two are away by now."""
    found = {name: Follower(broker.port, name, kind).come() for name, kind in KINDS.items()}
    assert soon(lambda: _online(beside) == set(KINDS), WITHIN_S)
    for name in AWAY:
        found[name].leave()
    assert soon(lambda: _online(beside) == set(KINDS) - set(AWAY), WITHIN_S)
    # They were away for long: nobody waits for them to come back in a moment.
    beside.write(lambda conn: conn.execute("UPDATE device SET last_heard_ms = 0 WHERE online = 0"))
    beside.say("総務課 12")
    yield found
    for one in found.values():
        one.leave()
    assert [one.trouble for one in found.values() if one.trouble] == []


def _online(beside: Beside) -> set[str]:
    return {
        name
        for (name,) in beside.read(lambda conn: conn.execute("SELECT name FROM device WHERE online = 1").fetchall())
    }


def propose(hanako: Browser, **more: str) -> int:
    """A roll-out of everything, three first, with no soak and no closed hours; its number."""
    first = ", ".join(FIRST)
    page = hanako.get(f"/rollouts/new?first={first}")
    quick = {"soak_min": "0", "windows": "", "days_off": ""}
    answer = hanako.send("/rollouts", form_of(page, **{**quick, **more}))
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].rpartition("/")[2])


def approve(taro: Browser, number: int) -> None:
    answer = taro.send(f"/rollouts/{number}/approval", {"do": "approve", "sure": "yes"})
    assert answer.status_code == 303


def breaks(desired: Desired) -> bool:
    """The new settings are not for this device."""
    return "12" not in str(desired.document.get("contact", ""))


def test_twelve_devices_two_away_one_of_three_breaks(beside: Beside, followers: dict[str, Follower]) -> None:
    """Acceptance of part 7."""
    followers["ap-1"].way = breaks
    hanako, taro = beside.sign_in("hanako"), beside.sign_in("taro")
    number = propose(hanako)
    # A second person: not she who made it, and nothing before.
    assert hanako.send(f"/rollouts/{number}/approval", {"do": "approve", "sure": "yes"}).status_code == 409
    assert beside.read(policy.ordered) == {}
    approve(taro, number)

    # One of three breaks: it stops there, and the broken one has its old settings again.
    assert soon(lambda: beside.states(number)["ap-1"] == "rolled_back", WITHIN_S), beside.told(number)
    assert soon(lambda: beside.states(number)["terminal-1"] == "succeeded", WITHIN_S)
    assert soon(lambda: beside.states(number)["tablet-1"] == "succeeded", WITHIN_S)
    assert beside.status(number) == "stopped"
    touched = {name for name, one in followers.items() if one.applied}
    assert touched == {"terminal-1", "tablet-1", "ap-1"}
    assert followers["ap-1"].applied == [""]
    page = hanako.get(f"/rollouts/{number}").text
    assert "失敗が決めた数を超えたので止まりました: ap-1" in page
    assert "the screen stayed dark" in page

    # A person leaves one out and lets it go on; the two that are away are skipped.
    skipped = beside.id_of("terminal-6")
    assert hanako.send(f"/rollouts/{number}", {"do": "skip_device", "device": str(skipped)}).status_code == 303
    assert hanako.send(f"/rollouts/{number}", {"do": "resume", "sure": "yes"}).status_code == 303
    there = set(KINDS) - set(AWAY) - {"ap-1", "terminal-6"}
    assert soon(
        lambda: {name for name, state in beside.states(number).items() if state == "succeeded"} == there, WITHIN_S
    ), beside.told(number)
    assert {beside.states(number)[name] for name in AWAY} == {"skipped"}
    assert beside.status(number) == "running"
    assert soon(lambda: "とばした端末が戻るのを待っています" in hanako.get(f"/rollouts/{number}").text, WITHIN_S)

    # One of them comes back and joins at the end; for the other nobody waits any more.
    followers["tablet-3"].come()
    assert soon(lambda: beside.states(number)["tablet-3"] == "succeeded", WITHIN_S), beside.told(number)
    late = re.search(r'id="skip-group-(\d+)"', hanako.get(f"/rollouts/{number}").text)
    assert late
    hanako.send(f"/rollouts/{number}", {"do": "skip_group", "group": late[1], "sure": "yes"})
    assert soon(lambda: beside.status(number) == "done", WITHIN_S)
    assert beside.states(number) == {
        **dict.fromkeys(there | {"tablet-3"}, "succeeded"),
        "ap-1": "rolled_back",
        "terminal-5": "skipped",
        "terminal-6": "skipped",
    }
    released = [device for what, device in beside.told(number) if what == "released"]
    assert len(released) == len(set(released)), "nobody twice"
    assert all(one.applied == ["総務課 12"] for name, one in followers.items() if name in there | {"tablet-3"})


def test_killed_in_the_middle_the_hub_goes_on_where_it_was(beside: Beside, followers: dict[str, Follower]) -> None:
    """`kill -9` of the hub, again and again, while devices report: everybody is released once and succeeds."""
    hanako, taro = beside.sign_in("hanako"), beside.sign_in("taro")
    number = propose(hanako)
    approve(taro, number)
    there = set(KINDS) - set(AWAY)
    for count in (1, 4, 8):
        assert soon(
            lambda count=count: sum(state == "succeeded" for state in beside.states(number).values()) >= count,  # type: ignore[misc]
            WITHIN_S,
        ), beside.told(number)
        beside.hub.stop(signal.SIGKILL)
        beside.hub.start()
    assert soon(
        lambda: {name for name, state in beside.states(number).items() if state == "succeeded"} == there, WITHIN_S
    ), beside.told(number)
    released = [device for what, device in beside.told(number) if what == "released"]
    assert sorted(released) == sorted(there)
    assert {one.generation for one in beside.read(policy.ordered).values()} == {1}
    assert all(one.applied == ["総務課 12"] for name, one in followers.items() if name in there)
    # Everything is taken back, also after that.
    beside.hub.wait_until_it_hears()
    hanako = beside.sign_in("hanako")
    assert hanako.send(f"/rollouts/{number}", {"do": "take_back", "sure": "yes"}).status_code == 303
    assert soon(lambda: beside.status(number) == "taken_back", WITHIN_S), beside.told(number)
    assert {beside.states(number)[name] for name in there} == {"rolled_back"}
    assert all(one.applied == ["総務課 12", ""] for name, one in followers.items() if name in there)
