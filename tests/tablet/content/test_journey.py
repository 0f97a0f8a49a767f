"""From the officer's page to a tablet that is read with the hub away, and back: what was opened, answered, asked for.

A real hub and broker, a real agent, and two browsers' windows: the officer's and the resident's.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, Page

from hub.db import Connection, Db
from hub.signing import Signing
from tests.agent.agent_process import Child, write_settings
from tests.broker import Broker, free_port
from tests.certificates import pki
from tests.chromium import chromium
from tests.hub_process import Hub
from tests.journey.parts import Ledger, soon
from tests.login import second
from tests.login.parts import HASHED, PASSWORD
from tests.pages.browser import Watched, serious, sign_in, too_wide
from tests.roster.parts import certify
from tests.tablet.home.parts import paper

TABLET = "tablet-1"
WORDS = "吹雪《ふぶき》の日は、出かけないでください。\n\n- 灯油を買っておく\n- ラジオを聞く"


class Place(NamedTuple):
    """Everything that runs; the tablet's own page at `home`."""

    hub: Hub
    settings: Path
    home: str
    ledger: Ledger
    browser: Browser

    def agent(self) -> Child:
        """The tablet's agent, started."""
        return Child("run", "--settings", str(self.settings))

    def seen(self, what: str) -> list[str]:
        """The titles of items of which the hub was told this."""
        rows = self.ledger.rows(
            "SELECT i.title FROM content_seen s JOIN content_item i ON i.name = s.item_name WHERE s.what = ? "
            "ORDER BY i.id",
            what,
        )
        return [title for (title,) in rows]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A hub with a clerk, and a tablet that is lent to a resident of 東町."""
    with Broker(tmp_path) as broker, Hub(tmp_path, broker.port) as hub, chromium() as browser:
        folder, port = tmp_path / "tablet", free_port()
        folder.mkdir()
        settings = write_settings(
            folder / "agent.toml",
            device=TABLET,
            kind="tablet",
            broker={"port": broker.port, "bulk_every_s": 1, "keepalive_s": 5},
            identity={"hub_url": hub.url},
            tablet={"port": port},
        )
        identity = folder / "state" / "identity"
        (identity / "orders.pub").write_text(Signing(tmp_path / "hub").public)
        second.add_to(hub, "sato", "clerk", HASHED)
        db = Db(hub.database)
        db.write_now(_lent)
        certify(db, TABLET, identity, time.time_ns() // 1_000_000)
        db.close()
        assert pki()
        yield Place(hub, settings, f"http://127.0.0.1:{port}", Ledger(hub.database), browser)


def _lent(conn: Connection) -> None:
    conn.execute("INSERT INTO device (name, kind, first_heard_ms, last_heard_ms) VALUES (?, 'tablet', 0, 0)", (TABLET,))
    conn.execute("INSERT INTO item (id, device_id, changed_ms) SELECT 1, id, 0 FROM device")
    conn.execute(
        "INSERT INTO loan (item_id, number, since, until, lent_by) VALUES (1, 'R-001', '2026-04-01', '2027-03-31', 'x')"
    )
    conn.execute("INSERT INTO resident (number, district, changed_ms) VALUES ('R-001', '東町', 0)")


def write_notice(page: Page, url: str) -> None:
    """The officer writes a notice with furigana and a PDF, looks at it, and publishes it to a district."""
    page.goto(url + "/content")
    page.select_option("#kind", "notice")
    page.fill("#title", "吹雪に備える")
    page.click("text=作り始める")
    page.set_input_files("#file", {"name": "広報11月号.pdf", "mimeType": "application/pdf", "buffer": paper()})
    page.fill("#text", WORDS)
    page.click("button[value=file]")
    # What was written is kept with it.
    page.wait_for_selector("a:has-text('広報11月号.pdf')")
    assert page.input_value("#text") == WORDS
    page.fill("#districts", "東町")
    page.check("[name=urgent]")
    page.click("text=保存して見た目を確かめる")
    assert page.inner_text(".tablet rt") == "ふぶき"
    page.click("text=1台に配信する")
    page.wait_for_url(re.compile("did=published"))


def write_survey(page: Page, url: str) -> None:
    """The officer asks one question."""
    page.goto(url + "/content")
    page.select_option("#kind", "survey")
    page.fill("#title", "バスのアンケート")
    page.click("text=作り始める")
    page.fill("#question", "バスは足りますか")
    page.fill("#choices", "はい\nいいえ")
    page.click("button:has-text('質問を加える')")
    page.wait_for_selector("text=1. バスは足りますか")
    page.click("text=保存して見た目を確かめる")
    page.click("text=1台に配信する")
    page.wait_for_url(re.compile("did=published"))


def test_what_is_published_is_read_answered_and_asked_about_with_the_hub_away(place: Place) -> None:
    office = Watched(place.browser.new_context(viewport={"width": 1440, "height": 1000})).page
    sign_in(office, place.hub.url, "sato", PASSWORD)
    agent = place.agent()
    write_notice(office, place.hub.url)
    write_survey(office, place.hub.url)
    assert soon(lambda: place.seen("fetched") == ["吹雪に備える", "バスのアンケート"]), agent.said
    office.goto(place.hub.url + "/tablets")
    assert "2 / 2 件" in office.inner_text(f"#tablet-{TABLET}")

    # The hub goes, the tablet is started anew: everything is there.
    place.hub.stop()
    assert agent.end() == 0, agent.said
    agent = place.agent()
    resident = Watched(place.browser.new_context(viewport={"width": 800, "height": 1280})).page
    assert soon(lambda: _is_up(resident, place.home)), agent.said
    resident.click("text=広報・お知らせ")
    resident.click("text=吹雪に備える")
    assert "灯油を買っておく" in resident.inner_text("main")
    assert resident.inner_text("rt") == "ふぶき"
    resident.goto(place.home + "/")
    resident.click("text=アンケート")
    resident.click("text=バスのアンケート")
    resident.click("main a")
    resident.click("text=いいえ")
    resident.click("main button.main")
    resident.click("main button")
    resident.goto(place.home + "/help")
    resident.click("text=手続きや書類")
    resident.wait_for_url(re.compile("/help"))

    # The hub comes back and is told everything, once.
    place.hub.start()
    assert soon(lambda: place.seen("opened") == ["吹雪に備える", "バスのアンケート"]), agent.said
    assert soon(lambda: place.ledger.rows("SELECT answers FROM survey_answer") == [('[["いいえ"]]',)]), agent.said
    assert soon(lambda: place.ledger.rows("SELECT about FROM help_ask") == [("papers",)]), agent.said
    office.goto(place.hub.url + "/")
    office.click("#todo-helping")
    assert "貸与番号 R-001" in office.inner_text(".asks")
    office.click("text=対応した")
    assert soon(lambda: office.locator(".asks").count() == 0)
    office.goto(place.hub.url + "/content")
    office.click("text=バスのアンケート")
    assert "いいえ" in office.inner_text(".bars")

    # Withdrawn: it goes from the tablet, its file from the disk.
    office.goto(place.hub.url + "/content")
    office.click("text=吹雪に備える")
    office.click("summary:has-text('取り下げる')")
    office.click("details button")
    content = place.settings.parent / "state" / "content"
    assert soon(lambda: not [one for one in content.iterdir() if len(one.name) == 64]), agent.said
    resident.goto(place.home + "/news")
    assert "吹雪" not in resident.inner_text("main")
    assert agent.end() == 0, agent.said


def _is_up(page: Page, home: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        if httpx.get(home + "/healthz").status_code == 200:
            page.goto(home)
            return True
    return False


def test_the_officers_pages_are_for_everybody(place: Place) -> None:
    context = place.browser.new_context(viewport={"width": 1440, "height": 1000}, bypass_csp=True)
    office = Watched(context)
    page = office.page
    sign_in(page, place.hub.url, "sato", PASSWORD)
    write_notice(page, place.hub.url)
    write_survey(page, place.hub.url)
    page.goto(place.hub.url + "/content")
    page.select_option("#kind", "survey")
    page.fill("#title", "x")
    page.click("form.narrow button.main")
    paths = ("/tablets", "/content", "/content/telephones", "/content/1", "/content/2", "/content/3", "/content/3/look")
    for language in ("ja", "en"):
        page.goto(place.hub.url + f"/language/{language}?next=/content")
        for path in paths:
            page.set_viewport_size({"width": 1440, "height": 1000})
            page.goto(place.hub.url + path)
            assert page.get_attribute("html", "lang") == language
            assert serious(page) == [], path
            page.set_viewport_size({"width": 360, "height": 800})
            assert too_wide(page) == [], path
    assert office.said == []
    context.close()
