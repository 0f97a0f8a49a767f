"""From a grant at the hub to a card at a terminal and back into the ledger, over a real broker, with the hub away, and
before a real Chromium.
"""

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from edge_agent.attendance import card
from edge_agent.attendance.readers.cards import FeliCa
from hub.benefit import account_store, store, use_store
from hub.db import Connection, Db
from hub.signing import Signing
from hub.staff import roster_keys
from hub.waiver import ledger_check, ledger_store
from tests.benefit.parts import TAXI, add_resident, grant, takes_benefits
from tests.broker import Broker
from tests.chromium import chromium
from tests.hub_process import Hub
from tests.journey.parts import Agent, Ledger, soon
from tests.kiosk.browser import findings, misfits, open_page, until_state
from tests.roster.parts import certify

NAME = "terminal-1"
HANA, STAFF = bytes.fromhex("012e4cd8a9b3c401"), bytes.fromhex("0101060112233445")


class Town(NamedTuple):
    """A hub with a resident who has three taxi vouchers and a card, and a terminal that takes them."""

    hub: Hub
    agent: Agent
    ledger: Ledger
    resident_id: int

    def holds(self, limit: int, used: int) -> bool:
        """Whether the terminal has said that it goes by just this, so that nothing else binds the hub."""

        def is_so() -> bool:
            rows = self.ledger.read(lambda conn: account_store.allowances(conn, [self.resident_id]))
            return [(one.limit, one.used, one.bound) for one in rows] == [(limit, used, limit)]

        return soon(is_so)

    def balance(self) -> int:
        """What is left at the hub."""
        accounts = self.ledger.read(lambda conn: account_store.accounts(conn, [self.resident_id]))
        return accounts[self.resident_id, "taxi"].balance(time.strftime("%Y-%m-%d"))

    def booked(self) -> int:
        """Yen of aid in the ledger."""
        return self.ledger.read(lambda conn: ledger_store.balances(conn, area="benefit")).get("aid", 0)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Everything runs, and the terminal has its purse."""
    with Broker(tmp_path) as broker, Hub(tmp_path, broker.port) as hub:
        agent = Agent(tmp_path / "agent", broker.port, name=NAME)
        signing = Signing(tmp_path / "hub")
        (agent.state_dir / "identity" / "orders.pub").write_text(signing.public)
        # The machine's clock can be trusted: without that nothing is taken.
        (agent.state_dir / "good-time").write_text(f"{time.time_ns() // 1_000_000}\n")
        with agent:
            ledger = Ledger(hub.database)
            assert soon(lambda: ledger.rows("SELECT 1 FROM device WHERE name = ?", NAME)), hub.log.read_text()
            db = Db(hub.database)
            now_ms = time.time_ns() // 1_000_000
            certify(db, NAME, agent.state_dir / "identity", now_ms)
            key = roster_keys.read(hub.database.parent).cards

            def begin(conn: Connection) -> int:
                (device_id,) = conn.execute("SELECT id FROM device WHERE name = ?", (NAME,)).fetchone()
                takes_benefits(conn, signing, device_id, now_ms)
                resident_id = add_resident(conn, "J-0001")
                store.set_kind(conn, TAXI, now_ms)
                grant(conn, resident_id, 3, now_ms, until="")
                store.give_card(conn, card.token(key, HANA), resident_id, now_ms)
                return resident_id

            resident_id = db.write_now(begin)
            db.close()
            made = Town(hub, agent, ledger, resident_id)
            assert made.holds(2, 0), hub.log.read_text() + agent.log.read_text()
            yield made


def _choose(page: Page, units: int) -> None:
    """A resident asks for taxi vouchers."""
    until_state(page, "idle")
    page.click("#benefit")
    until_state(page, "benefit_choose")
    for _ in range(units - 1):
        page.click("#more")
    expect(page.locator("#count")).to_have_text(f"{units}枚")
    page.click("#first")
    until_state(page, "benefit_tap")


def _touch(town: Town, page: Page, number: bytes, *states: str) -> str:
    """A card is held before the terminal until the screen says something of it."""
    before, end = page.get_attribute("body", "data-state"), time.monotonic() + 60
    while time.monotonic() < end:
        town.agent.field.place(FeliCa(number))
        soon(lambda: page.get_attribute("body", "data-state") != before, 3)
        town.agent.field.remove()
        if page.get_attribute("body", "data-state") in states:
            break
        time.sleep(1.6)
    until_state(page, *states)
    return str(page.get_attribute("body", "data-state"))


def _says(page: Page, *texts: str) -> None:
    for place, text in zip(("#headline", "#name", "#detail"), texts, strict=False):
        expect(page.locator(place)).to_have_text(text or re.compile(r"^\s*$"))


def _with_the_hub_away(town: Town, page: Page) -> None:
    """The last voucher is used, given back and used again; then the terminal is killed."""
    _choose(page, 1)
    _touch(town, page, HANA, "benefit_taken")
    _says(page, "1枚使いました", "タクシー券", "のこり 0枚")
    # Somebody pressed too soon: it is given back, also with the hub away.
    page.click("#first")
    until_state(page, "benefit_back")
    _says(page, "1枚を取り消しました", "タクシー券", "のこり 1枚")
    until_state(page, "idle")
    _choose(page, 2)
    _touch(town, page, HANA, "benefit_refused")
    _says(page, "足りません", "タクシー券", "ここで使えるのは 1枚 です")
    page.click("#second")
    until_state(page, "idle")
    _choose(page, 1)
    _touch(town, page, HANA, "benefit_taken")
    _says(page, "1枚使いました", "タクシー券", "のこり 0枚")

    # Killed right after it was said, and started again: what was taken stays taken.
    town.agent.stop(signal.SIGKILL)
    town.agent.start()
    until_state(page, "idle")
    _choose(page, 1)
    _touch(town, page, HANA, "benefit_refused")
    _says(page, "のこりがありません", "タクシー券", "")


def _read_and_reach(browser: Browser, address: str, *, english: bool) -> None:
    """Every view of the desk, by keyboard too."""
    page = open_page(browser, f"{address}?lang={'en' if english else 'ja'}", dark=english)
    until_state(page, "idle")
    expect(page.locator("#benefit")).to_be_visible()
    assert findings(page) == []
    assert misfits(page) == []
    page.click("#benefit")
    until_state(page, "benefit_choose")
    page.click("#second")
    until_state(page, "idle")
    page.click("#benefit")
    until_state(page, "benefit_choose")
    assert findings(page) == []
    assert misfits(page) == []
    page.locator("#first").focus()
    page.keyboard.press("Enter")
    until_state(page, "benefit_tap")
    assert findings(page) == []
    assert misfits(page) == []
    page.click("#second")
    until_state(page, "idle")
    page.context.close()


def test_a_resident_uses_vouchers_with_the_hub_there_and_away(town: Town) -> None:
    hub, agent = town.hub, town.agent
    with chromium() as browser:
        for english in (False, True):
            _read_and_reach(browser, agent.kiosk.url + "/", english=english)
        page = open_page(browser, agent.kiosk.url + "/")
        expect(page.locator("#benefit")).to_have_text("給付を使う")

        _choose(page, 2)
        _says(page, "カードをタッチしてください", "タクシー券", "2枚")
        # Whose card has no benefit has come to clock in: that tap is an ordinary one.
        assert _touch(town, page, STAFF, "accepted") == "accepted"
        _choose(page, 2)
        _touch(town, page, HANA, "benefit_taken")
        _says(page, "2枚使いました", "タクシー券", "のこり 1枚")
        assert soon(lambda: town.balance() == 1), hub.log.read_text()
        assert soon(lambda: town.booked() == 1200), hub.log.read_text()
        # What is left can be taken here also without the hub.
        assert town.holds(3, 2), hub.log.read_text()
        until_state(page, "idle")

        hub.stop()
        _with_the_hub_away(town, page)

        hub.start()
        assert soon(lambda: town.balance() == 0), hub.log.read_text()
        assert soon(lambda: town.booked() == 1800), hub.log.read_text()
        assert town.holds(3, 3), hub.log.read_text()
        uses = town.ledger.read(lambda conn: use_store.uses(conn, town.resident_id))
        assert sorted((one.units, one.back) for one in uses) == [(1, ""), (1, "device"), (2, "")]
        assert town.ledger.read(use_store.troubles) == []
        assert town.ledger.read(account_store.exposed) == []
        assert town.ledger.read(ledger_check.verify) is None
        # Nobody's tap was lost to it, and no benefit became a tap.
        key = roster_keys.read(hub.database.parent).cards
        cards = [row[0] for row in town.ledger.rows("SELECT card FROM punch")]
        assert card.token(key, HANA) not in cards
        assert len(cards) == 1
        page.context.close()
