"""From a grant at the hub to a card at a terminal and back into the ledger, over a real broker, with the hub away, and
before a real Chromium.
"""

import contextlib
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from edge_agent.attendance import card
from edge_agent.attendance.readers.cards import FeliCa
from edge_agent.kiosk.screen import View
from hub.benefit import account_store, store, use_store
from hub.db import Connection, Db
from hub.policy import store as policy
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

    def hold(self, *each: tuple[int, int]) -> bool:
        """Whether each terminal said that it goes by just this limit and use, so that nothing else binds the hub."""

        def is_so() -> bool:
            rows = self.ledger.read(lambda conn: account_store.allowances(conn, [self.resident_id]))
            found = [(one.limit, one.used, one.bound) for one in sorted(rows, key=lambda one: one.device)]
            return found == [(limit, used, limit) for limit, used in each]

        return soon(is_so)

    def balance(self) -> int:
        """What is left at the hub."""
        accounts = self.ledger.read(lambda conn: account_store.accounts(conn, [self.resident_id]))
        return accounts[self.resident_id, "taxi"].balance(time.strftime("%Y-%m-%d"))

    def booked(self) -> int:
        """Yen of aid in the ledger."""
        return self.ledger.read(lambda conn: ledger_store.balances(conn, area="benefit")).get("aid", 0)


@contextlib.contextmanager
def running(folder: Path, *names: str) -> Iterator[tuple[Town, list[Agent]]]:
    """A hub and terminals of these names, each with its purse; the town's terminal is the first."""
    with Broker(folder) as broker, Hub(folder, broker.port) as hub, contextlib.ExitStack() as held:
        signing = Signing(folder / "hub")
        agents = [Agent(folder / name, broker.port, name=name) for name in names]
        for agent in agents:
            (agent.state_dir / "identity" / "orders.pub").write_text(signing.public)
            # The machine's clock can be trusted: without that nothing is taken.
            (agent.state_dir / "good-time").write_text(f"{time.time_ns() // 1_000_000}\n")
            held.enter_context(agent)
        ledger = Ledger(hub.database)
        assert soon(lambda: len(ledger.rows("SELECT 1 FROM device")) == len(names)), hub.log.read_text()
        resident_id = _begin(hub, signing, agents)
        town = Town(hub, agents[0], ledger, resident_id)
        assert town.hold((2, 0), *[(2, 0)] * (len(names) - 1)), hub.log.read_text() + agents[0].log.read_text()
        # The button comes with the ordered settings, which come on a way of their own.
        assert soon(lambda: [one.applied for one in ledger.read(policy.reports).values()] == [1] * len(names))
        yield town, agents


def _begin(hub: Hub, signing: Signing, agents: list[Agent]) -> int:
    """A resident with three vouchers and a card; the terminals take them. The resident's number."""
    now_ms = time.time_ns() // 1_000_000
    key = roster_keys.read(hub.database.parent).cards

    def write(conn: Connection) -> int:
        for agent in agents:
            (device_id,) = conn.execute("SELECT id FROM device WHERE name = ?", (agent.name,)).fetchone()
            takes_benefits(conn, signing, device_id, now_ms)
        resident_id = add_resident(conn, "J-0001")
        store.set_kind(conn, TAXI, now_ms)
        grant(conn, resident_id, 3, now_ms, until="")
        store.give_card(conn, card.token(key, HANA), resident_id, now_ms)
        return resident_id

    db = Db(hub.database)
    for agent in agents:
        certify(db, agent.name, agent.state_dir / "identity", now_ms)
    resident_id = db.write_now(write)
    db.close()
    return resident_id


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Everything runs, and the terminal has its purse."""
    with running(tmp_path, NAME) as (made, _):
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


def _use(town: Town, page: Page, number: bytes, units: int, *states: str) -> None:
    """A resident asks for so many and touches a card; once more where a busy machine let the question go by."""
    end = time.monotonic() + 180
    while time.monotonic() < end:
        _choose(page, units)
        while _state(page) == "benefit_tap":
            town.agent.field.place(FeliCa(number))
            soon(lambda: _state(page) != "benefit_tap", 3)
            town.agent.field.remove()
            # The same card again counts anew only after it was away.
            soon(lambda: _state(page) != "benefit_tap", 1.6)
        if _state(page) in states:
            return
    raise TimeoutError(f"the screen never showed {states}")


def _state(page: Page) -> str:
    return str(page.get_attribute("body", "data-state"))


def _says(page: Page, *texts: str) -> None:
    for place, text in zip(("#headline", "#name", "#detail"), texts, strict=False):
        expect(page.locator(place)).to_have_text(text or re.compile(r"^\s*$"))


def _with_the_hub_away(town: Town, page: Page) -> None:
    """The last voucher is used, given back and used again; then the terminal is killed."""
    _use(town, page, HANA, 1, "benefit_taken")
    _says(page, "1枚使いました", "タクシー券", "のこり 0枚")
    # Somebody pressed too soon: it is given back, also with the hub away.
    page.click("#first")
    until_state(page, "benefit_back")
    _says(page, "1枚を取り消しました", "タクシー券", "のこり 1枚")
    until_state(page, "idle")
    _use(town, page, HANA, 2, "benefit_refused")
    _says(page, "足りません", "タクシー券", "ここで使えるのは 1枚 です")
    page.click("#second")
    until_state(page, "idle")
    _use(town, page, HANA, 1, "benefit_taken")
    _says(page, "1枚使いました", "タクシー券", "のこり 0枚")

    # Killed right after it was said, and started again: what was taken stays taken.
    town.agent.stop(signal.SIGKILL)
    town.agent.start()
    until_state(page, "idle")
    _use(town, page, HANA, 1, "benefit_refused")
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
        page.click("#second")
        # Whose card has no benefit has come to clock in: that tap is an ordinary one.
        _use(town, page, STAFF, 2, "accepted", "repeat")
        _use(town, page, HANA, 2, "benefit_taken")
        _says(page, "2枚使いました", "タクシー券", "のこり 1枚")
        assert soon(lambda: town.balance() == 1), hub.log.read_text()
        assert soon(lambda: town.booked() == 1200), hub.log.read_text()
        # What is left can be taken here also without the hub.
        assert town.hold((3, 2)), hub.log.read_text()
        until_state(page, "idle")

        hub.stop()
        _with_the_hub_away(town, page)

        hub.start()
        assert soon(lambda: town.balance() == 0), hub.log.read_text()
        assert soon(lambda: town.booked() == 1800), hub.log.read_text()
        assert town.hold((3, 3)), hub.log.read_text()
        uses = town.ledger.read(lambda conn: use_store.uses(conn, town.resident_id))
        assert sorted((one.units, one.back) for one in uses) == [(1, ""), (1, "device"), (2, "")]
        assert town.ledger.read(use_store.troubles) == []
        assert town.ledger.read(account_store.exposed) == []
        assert town.ledger.read(ledger_check.verify) is None
        # Nobody's tap was lost to it.
        key = roster_keys.read(hub.database.parent).cards
        assert (card.token(key, STAFF),) in town.ledger.rows("SELECT card FROM punch")
        page.context.close()


def _use_without_a_browser(agent: Agent, units: int) -> View:
    """Somebody asks on the screen for vouchers and touches their card; what the screen says of it."""
    kiosk = agent.kiosk

    def wish(**wish: object) -> None:
        httpx.post(f"{kiosk.url}/benefit", json={"number": kiosk.view.number, **wish})

    def opened() -> bool:
        # The terminal may not have its ordered settings yet.
        if kiosk.view.state == "idle":
            wish(do="open")
        return soon(lambda: kiosk.view.state == "benefit_choose", 1)

    assert soon(opened), kiosk.view
    wish(do="choose", code="taxi", units=units)
    assert soon(lambda: kiosk.view.state == "benefit_tap"), kiosk.view
    end = time.monotonic() + 60
    while kiosk.view.state == "benefit_tap" and time.monotonic() < end:
        agent.field.place(FeliCa(HANA))
        soon(lambda: kiosk.view.state != "benefit_tap", 3)
        agent.field.remove()
        soon(lambda: kiosk.view.state != "benefit_tap", 1.6)
    return kiosk.taps[-1]


def test_what_two_terminals_take_unheard_is_bounded_counted_and_shown(tmp_path: Path) -> None:
    with running(tmp_path, "genkan-1", "kominkan-1") as (town, agents):
        town.hub.stop()
        # Three are left and each may take two: the hub said that one may be taken twice.
        assert [_use_without_a_browser(one, 2).state for one in agents] == ["benefit_taken"] * 2
        refused = [_use_without_a_browser(one, 1) for one in agents]
        assert [(one.state, one.reason) for one in refused] == [("benefit_refused", "none_left")] * 2
        for one in agents:
            one.stop(signal.SIGKILL)
            one.start()
        town.hub.start()
        assert soon(lambda: town.booked() == 2400), town.hub.log.read_text()
        assert town.hold((2, 2), (2, 2)), town.hub.log.read_text()
        assert town.balance() == 0
        (over,) = town.ledger.read(use_store.troubles)
        assert over.trouble == "over"
        accounts = town.ledger.read(lambda conn: account_store.accounts(conn, [town.resident_id]))
        assert list(accounts[town.resident_id, "taxi"].over.values()) == [1]
        assert town.ledger.read(account_store.exposed) == []
