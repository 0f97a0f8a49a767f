"""The page of copied devices: what is on hold, what is kept apart, and what a person decides."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.fleet import clone_store
from hub.fleet.known import Known
from hub.ingest_group import Group
from tests.ingest.parts import batch, punch
from tests.login.parts import Browser, Town, running_town
from wire import codec, topics
from wire.messages import Presence

NAME = "terminal-1"
_HIDDEN = re.compile(r'name="(device|spool|run|boot)" value="([^"]*)"')


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub that has heard of two devices with one identity."""
    with running_town(tmp_path) as running:
        group = Group(Known(running.db), 1_790_000_000_000)
        for run, connection, after in (("a", 1, 0), ("b", 1, 2), ("a", 2, 2), ("b", 2, 3)):
            told = Presence(True, f"boot-{run}", connection, "t", "terminal", run=run * 16)
            group.add(topics.topic(NAME, "presence"), codec.encode(told))
            taps = batch(after, punch(after + 1, boot=f"boot-{run}", mono_ms=after), lane="urgent")
            group.add(topics.topic(NAME, "up"), codec.encode(taps))
        running.db.write_now(group.close())
        yield running


@pytest.fixture
def officer(town: Town) -> Browser:
    """Who may enrol."""
    town.add("taro", "it")
    browser = Browser(town)
    assert browser.sign_in("taro").status_code == 303
    return browser


def forms(browser: Browser) -> list[dict[str, str]]:
    """The hidden fields of each form for kept records."""
    rows = browser.get("/settings/clones").text.split("<form")[1:]
    return [dict(_HIDDEN.findall(row)) for row in rows if 'value="clone_take"' in row]


def test_the_page_tells_who_is_on_hold_and_what_is_kept(town: Town, officer: Browser) -> None:
    text = officer.get("/settings/clones").text
    assert "1 台に戻った" in text
    assert {form["boot"] for form in forms(officer)} == {"boot-a", "boot-b"}
    assert all(form["device"] == NAME for form in forms(officer))


def test_throwing_away_and_letting_go_are_asked_once_and_noted(town: Town, officer: Browser) -> None:
    first, second = forms(officer)
    asked = officer.send("/settings/clones", {**first, "do": "clone_drop"})
    assert asked.status_code == 200
    assert "捨てますか" in asked.text
    assert len(forms(officer)) == 2
    assert officer.send("/settings/clones", {**first, "do": "clone_drop", "confirm": "yes"}).status_code == 303
    assert officer.send("/settings/clones", {**second, "do": "clone_take"}).status_code == 303
    assert forms(officer) == []
    release = {"device": NAME, "do": "clone_release"}
    assert "電源が切れている" in officer.send("/settings/clones", release).text
    assert town.read(clone_store.held)
    assert officer.send("/settings/clones", {**release, "confirm": "yes"}).status_code == 303
    assert not town.read(clone_store.held)
    assert [did for did in town.did() if did.startswith("clone")] == [
        "clone",
        "clone_drop",
        "clone_take",
        "clone_release",
    ]
    assert "同じ証明書を使う端末はありません" in officer.get("/settings/clones").text


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"do": "explode"}, 400),
        ({}, 400),
        ({"do": "clone_take", "device": "no-such"}, 404),
        ({"do": "clone_drop", "device": NAME, "confirm": "yes"}, 404),
        ({"do": "clone_release", "device": "no-such", "confirm": "yes"}, 404),
    ],
)
def test_what_is_not_there_is_not_decided_on(town: Town, officer: Browser, form: dict[str, str], status: int) -> None:
    assert officer.send("/settings/clones", form).status_code == status
    assert len(forms(officer)) == 2
    assert [did for did in town.did() if did.startswith("clone")] == ["clone"]


def test_finance_does_not_see_it(town: Town) -> None:
    town.add("hana", "finance")
    browser = Browser(town)
    browser.sign_in("hana")
    assert browser.get("/settings/clones").status_code == 403
