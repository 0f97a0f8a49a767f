"""An IT officer at the hub's pages and a real terminal, over a real broker: order, drift, repair, hub away."""

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from playwright.sync_api import Page

from hub.db import Db
from hub.policy import step, store
from hub.signing import Signing
from tests.broker import Broker
from tests.chromium import chromium
from tests.hub_process import Hub
from tests.journey.parts import Agent, Ledger, soon
from tests.login import second
from tests.login.parts import HASHED, PASSWORD
from tests.pages.browser import Watched, serious, sign_in, too_wide

NAME = "terminal-1"
HERE = f"/devices/{NAME}/policy"


class Office(NamedTuple):
    """A hub with an administrator at its pages, and a terminal that knows the hub's signature."""

    hub: Hub
    agent: Agent
    page: Page
    watched: Watched
    ledger: Ledger

    def goes(self, path: str) -> None:
        """Opens a page."""
        self.page.goto(self.hub.url + path)

    def word(self) -> str:
        """How the terminal is with its settings, as the hub's database has it."""
        ordered, reports = self.ledger.read(store.ordered), self.ledger.read(store.reports)
        return step.word(*(next(iter(found.values()), None) for found in (ordered, reports)))  # type: ignore[arg-type]

    def ordered(self) -> store.Ordered:
        """What the terminal is ordered to be."""
        return next(iter(self.ledger.read(store.ordered).values()))

    def actual(self) -> dict[str, object]:
        """The file on the terminal."""
        return tomllib.loads(self.file.read_text())

    @property
    def file(self) -> Path:
        """The file on the terminal that people may edit."""
        return self.agent.state_dir / "actual.toml"

    def edit(self, old: str, new: str) -> None:
        """Somebody edits it in an emergency."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Everything runs, and the hub has heard the terminal."""
    with Broker(tmp_path) as broker, Hub(tmp_path, broker.port) as hub, chromium() as browser:
        agent = Agent(tmp_path / "agent", broker.port, name=NAME)
        (agent.state_dir / "identity" / "orders.pub").write_text(Signing(tmp_path / "hub").public)
        second.add_to(hub, "hanako", "administrator", HASHED)
        context = browser.new_context(bypass_csp=True)
        watched = Watched(context)
        with agent:
            ledger = Ledger(hub.database)
            assert soon(lambda: ledger.rows("SELECT 1 FROM device WHERE kind = 'terminal'")), hub.log.read_text()
            sign_in(watched.page, hub.url, "hanako", PASSWORD)
            yield Office(hub, agent, watched.page, watched, ledger)
        context.close()


def say(page: Page, key: str, value: str) -> None:
    """Fills in one setting."""
    page.fill(f'[id="value-{key}"]', value)


def test_from_a_groups_form_to_the_terminals_screen_and_back(office: Office) -> None:
    page, agent = office.page, office.agent
    screen = page.context.new_page()
    screen.goto(agent.kiosk.url)
    screen.wait_for_selector("html[lang=ja] body[data-state=idle]")
    office.goes("/policy")
    page.select_option("#which", "kind/terminal")
    page.click('form[action="/policy/groups"] button')
    say(page, "contact", "内線 123")
    say(page, "health_every_s", "3")
    page.click("button[value=save]")
    page.click("text=打刻機 >> nth=-1")
    say(page, "terminal.debounce_s", "45")
    page.select_option('[id="say-terminal.language"]', "en")
    page.click("button[value=save]")
    page.click("text=変わる内容を見る")
    assert page.locator("td:has-text('内線 123')").count() == 1
    assert office.word() == "never_ordered"
    page.click('form[action="/policy/publish"] button')
    page.wait_for_selector("text=1台に公開しました")
    assert soon(lambda: office.word() == "in_step"), agent.log.read_text()
    # Without a restart: the page that stands in front of people has it.
    screen.wait_for_selector("html[lang=en][data-contact='内線 123']")
    screen.close()
    assert '<html lang="en" data-contact="内線 123">' in httpx.get(agent.kiosk.url).text
    assert office.actual()["health_every_s"] == 3
    office.goes(HERE)
    assert page.locator("text=指示どおり").count()
    _is_for_everyone(office)

    # Somebody edits the file on the spot; the open page shows it by itself.
    office.edit("debounce_s = 45", "debounce_s = 5")
    page.wait_for_selector("#policy-now .state:has-text('ずれ')", timeout=60_000)
    _is_for_everyone(office)
    page.click("button[value=repair]")
    page.wait_for_selector("#policy-now .state:has-text('指示どおり')", timeout=60_000)
    assert office.actual()["terminal"] == {**_terminal(office), "debounce_s": 45}

    office.edit("debounce_s = 45", "debounce_s = 6")
    page.wait_for_selector("button[value=accept]", timeout=60_000)
    page.click("button[value=accept]")
    page.wait_for_selector("#policy-now .state:has-text('指示どおり')", timeout=60_000)
    assert soon(lambda: office.word() == "in_step")
    assert office.ordered().document["terminal"] == {"debounce_s": 6, "language": "en"}
    assert _terminal(office)["debounce_s"] == 6

    # Back to the first version, which is a new one with the old content.
    page.click("button[value=back] >> nth=-1")
    page.wait_for_selector("text=前の版の内容に戻し")
    assert soon(lambda: office.word() == "in_step")
    assert office.ordered().document["terminal"]["debounce_s"] == 45
    office.goes("/policy/changes")
    assert page.locator("text=公開待ちの変更はありません").count()
    office.goes("/settings/audit")
    for words in ("設定グループの変更", "設定の公開", "設定のずれを修正", "設定のずれを受け入れ", "前の版に戻す"):
        assert page.locator(f"text={words}").count(), words
    assert [said for said in office.watched.said if "404" not in said] == []


def _terminal(office: Office) -> dict[str, object]:
    found = office.actual()["terminal"]
    assert isinstance(found, dict)
    return found


def _is_for_everyone(office: Office) -> None:
    assert serious(office.page) == []
    for width in (360, 1440):
        office.page.set_viewport_size({"width": width, "height": 800})
        assert too_wide(office.page) == []


def test_without_a_hub_it_goes_on_and_a_hub_put_back_from_a_backup_heals_by_itself(
    office: Office, tmp_path: Path
) -> None:
    publish(office, {"contact": "1"})
    assert soon(lambda: office.word() == "in_step"), office.agent.log.read_text()
    backup = tmp_path / "backup.db"
    office.hub.command("backup", "--to", str(backup))
    for contact in "23":
        publish(office, {"contact": contact})
        assert soon(lambda: office.word() == "in_step"), office.agent.log.read_text()
    lost = office.ordered()
    office.hub.stop()

    # The hub is away; the terminal is started anew, and somebody edits its file.
    office.agent.stop()
    office.agent.start()
    assert 'data-contact="3"' in httpx.get(office.agent.kiosk.url).text
    office.edit('contact = "3"', 'contact = "emergency"')
    assert soon(lambda: 'data-contact="emergency"' in httpx.get(office.agent.kiosk.url).text)

    # It comes back as it was after the first publication.
    for path in office.hub.database.parent.glob("hub.db*"):
        path.unlink()
    shutil.copy(backup, office.hub.database)
    # A backup is older than the few minutes in which nothing is published twice by itself.
    assert office.ordered().made_ms < 1_795_000_000_000
    office.hub.start()
    assert soon(lambda: office.ordered().incarnation > lost.incarnation and office.word() == "in_step"), (
        office.agent.log.read_text()
    )
    assert office.actual()["contact"] == "1"


def publish(office: Office, document: dict[str, object]) -> None:
    """As the hub does it; its downlink looks every few seconds."""
    db = Db(office.hub.database)
    signing = Signing(office.hub.database.parent)
    now_ms = office.ordered().made_ms + 1 if office.ledger.rows("SELECT 1 FROM desired") else 1_700_000_000_000
    db.write_now(lambda conn: store.publish_many(conn, signing, {1: document}, now_ms, "hanako"))
    db.close()
