"""From the hub's register of cards to a terminal that refuses a lost one, over a real broker, with the hub away."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from edge_agent.attendance import card, roster, town_roster
from edge_agent.attendance.readers.cards import Card, FeliCa
from edge_agent.kiosk.screen import View
from hub.db import Connection, Db
from hub.signing import Signing
from hub.staff import roster_keys, roster_store, store
from tests.broker import Broker
from tests.certificates import pki
from tests.hub_process import Hub
from tests.journey.parts import Agent, Ledger, soon
from tests.roster.lite_s import LiteS
from tests.roster.parts import HANAKO, STRANGER, TARO, TERMINAL, add_card, certify, set_state


class Town(NamedTuple):
    """A hub with a terminal that it has heard."""

    hub: Hub
    agent: Agent
    ledger: Ledger

    def token(self, number: bytes) -> str:
        """A card's token by the town's key."""
        return card.token(roster_keys.read(self.hub.database.parent).cards, number)

    def write(self, do: Any) -> None:
        """Somebody changes something at the hub."""
        db = Db(self.hub.database)
        db.write_now(do)
        db.close()

    def standing(self) -> roster_store.Standing | None:
        """How the terminal is with its roster, as the hub has it."""
        return self.ledger.read(lambda conn: roster_store.standing(conn, 1))

    def is_told(self, generation: int) -> bool:
        """Whether the terminal goes by that roster."""
        return soon(lambda: (one := self.standing()) is not None and one.applied and one.generation >= generation)

    def tap(self, number: bytes) -> View:
        """A card of that number is held before the terminal; the view that it brings up."""
        return self.put(FeliCa(number))

    def put(self, one: Card) -> View:
        """A card is held before the terminal; the view that it brings up."""
        kiosk, shown, end = self.agent.kiosk, len(self.agent.kiosk.taps), time.monotonic() + 150
        gone_s = 1.6
        while len(kiosk.taps) == shown and time.monotonic() < end:
            # A card that is away for a moment only has never left, on a machine that is slow to look.
            time.sleep(gone_s)
            gone_s = min(gone_s * 1.5, 15)
            self.agent.field.place(one)
            soon(lambda: len(kiosk.taps) > shown, 3)
            self.agent.field.remove()
        return kiosk.taps[shown]

    def standings(self) -> list[tuple[str, str]]:
        """The taps that the hub has, oldest first."""
        return [(row[0], row[1]) for row in self.ledger.rows("SELECT card, standing FROM punch ORDER BY id")]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Everything runs, and the hub has heard the terminal and knows its certificate."""
    with Broker(tmp_path) as broker, Hub(tmp_path, broker.port) as hub:
        agent = Agent(tmp_path / "agent", broker.port, name=TERMINAL)
        (agent.state_dir / "identity" / "orders.pub").write_text(Signing(tmp_path / "hub").public)
        with agent:
            made = Town(hub, agent, Ledger(hub.database))
            assert soon(lambda: made.ledger.rows("SELECT 1 FROM device WHERE kind = 'terminal'")), hub.log.read_text()
            yield made


def enter(conn: Connection) -> None:
    """Names are kept, and two people have cards."""
    store.keep_names(conn, kept=True)


def test_a_card_lost_at_the_hub_is_refused_at_the_terminal_with_the_hub_away(town: Town, tmp_path: Path) -> None:
    hub, agent = town.hub, town.agent
    # Before anything has come the terminal takes everybody, under its own key.
    before = town.tap(TARO)
    assert (before.state, before.name) == ("accepted", "")
    own = card.token(roster.card_key(agent.state_dir), TARO)
    assert soon(lambda: town.standings() == [(own, "accepted")])

    # The terminal's certificate comes into the register: it is told by itself, although no card is registered.
    db = Db(hub.database)
    certify(db, TERMINAL, agent.state_dir / "identity", time.time_ns() // 1_000_000)
    db.close()
    assert town.is_told(1), hub.log.read_text() + agent.log.read_text()

    def cards(conn: Connection) -> None:
        enter(conn)
        add_card(conn, town.token(HANAKO), "山田花子")
        add_card(conn, town.token(TARO), "佐藤太郎")

    town.write(cards)
    assert town.is_told(2), hub.log.read_text() + agent.log.read_text()
    first = town.tap(HANAKO)
    assert (first.state, first.name, first.direction) == ("accepted", "山田花子", "clock_out")
    # Who tapped under the terminal's own key is still the same person: touching again is a repeat.
    again = town.tap(TARO)
    assert (again.state, again.name) == ("repeat", "佐藤太郎")
    assert town.tap(STRANGER).state == "unknown"

    town.write(lambda conn: set_state(conn, town.token(HANAKO), "lost"))
    assert town.is_told(3), hub.log.read_text() + agent.log.read_text()
    hub.stop()
    agent.stop()
    agent.start()
    lost = town.tap(HANAKO)
    assert (lost.state, lost.name) == ("lost_card", "")
    assert lost.reference > 0
    assert town.tap(TARO).state == "repeat"

    hub.start()
    expected = [
        (own, "accepted"),
        (town.token(HANAKO), "accepted"),
        (town.token(TARO), "repeat"),
        (town.token(STRANGER), "unknown"),
        (town.token(HANAKO), "refused"),
        (town.token(TARO), "repeat"),
    ]
    assert soon(lambda: town.standings() == expected), town.standings()

    # Found again.
    town.write(lambda conn: set_state(conn, town.token(HANAKO), "issued"))
    assert town.is_told(4), agent.log.read_text()
    assert town.tap(HANAKO).state in ("repeat", "accepted")

    # Its certificate is renewed: the hub seals to the key that still waits for it, and the terminal opens that too.
    renewed = pki().identity(TERMINAL, tmp_path / "renewed")
    (agent.state_dir / "identity" / "pending.pem").write_bytes((renewed / "key.pem").read_bytes())
    db = Db(hub.database)
    certify(db, TERMINAL, renewed, time.time_ns() // 1_000_000)
    db.close()
    assert town.is_told(5), agent.log.read_text()

    # No name and no token anywhere but in the roster itself, which its owner alone reads.
    assert ((agent.state_dir / town_roster.FILE).stat().st_mode & 0o777) == 0o600
    for path in (agent.log, hub.log, tmp_path / "mosquitto.log"):
        text = path.read_text(errors="replace")
        for secret in ("山田", "佐藤", town.token(HANAKO), own):
            assert secret not in text, path


def test_a_card_that_must_prove_itself_does_and_its_copy_is_refused(town: Town) -> None:
    hub, agent = town.hub, town.agent
    idm = bytes.fromhex("012e4cd8a9b3c4f1")
    hub.command("card-key", "make")
    hub.command("card-key", "kind", "職員証", "--mac", "yes")
    key = bytes.fromhex(hub.command("card-key", "of", idm.hex()))
    db = Db(hub.database)
    certify(db, TERMINAL, agent.state_dir / "identity", time.time_ns() // 1_000_000)
    db.close()

    def cards(conn: Connection) -> None:
        enter(conn)
        add_card(conn, town.token(idm), "山田花子", kind="職員証")
        add_card(conn, town.token(TARO), "佐藤太郎", kind="")

    town.write(cards)
    assert soon(lambda: (one := town.standing()) is not None and one.applied and one.cards == 2), agent.log.read_text()
    # A copy of the number first: neither it nor what it leaves behind keeps the genuine one out.
    assert town.put(LiteS(idm, bytes(16))).state == "refused_card"
    assert town.put(FeliCa(idm)).state == "refused_card"
    genuine = town.put(LiteS(idm, key))
    assert (genuine.state, genuine.name) == ("accepted", "山田花子")
    assert town.tap(TARO).state == "accepted"
    expected = ["refused", "refused", "accepted", "accepted"]
    assert soon(lambda: [standing for _, standing in town.standings()] == expected), town.standings()


def test_a_terminal_whose_disk_was_made_anew_gets_it_again_and_so_does_one_that_was_away(town: Town) -> None:
    hub, agent = town.hub, town.agent
    agent.stop()

    def cards(conn: Connection) -> None:
        enter(conn)
        add_card(conn, town.token(HANAKO), "山田花子")

    db = Db(hub.database)
    certify(db, TERMINAL, agent.state_dir / "identity", time.time_ns() // 1_000_000)
    db.close()
    town.write(cards)
    assert soon(lambda: town.ledger.rows("SELECT 1 FROM roster"))
    agent.start()
    assert town.is_told(1), agent.log.read_text()
    agent.stop()
    (agent.state_dir / town_roster.FILE).unlink()
    agent.start()
    assert soon((agent.state_dir / town_roster.FILE).exists), agent.log.read_text()
    assert soon(lambda: town_roster.load(agent.state_dir).generation >= 1)
    assert httpx.get(f"{agent.kiosk.url}/healthz").status_code == 200
