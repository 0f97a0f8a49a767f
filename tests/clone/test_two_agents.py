"""A copied card: two real agents, one identity, a real broker and hub; no tap is lost or counted twice."""

import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.db import Connection
from hub.fleet import clone_store, outbox
from hub.fleet.clone_web import Do, carry_out
from tests.broker import Broker
from tests.ingest.parts import Hub, running_hub
from tests.journey.parts import Agent, Ledger, arrived, soon

NAME = "terminal-1"


def boot_id(folder: Path) -> Path:
    """A file with a boot id of its own, or a skipped test where the kernel forbids it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "boot_id"
    path.write_text(f"{uuid.uuid4()}\n")
    code = f"import pathlib; from tests.clone import booted; booted.separate(pathlib.Path({str(path)!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"two boots need a mount namespace: {done.stderr.splitlines()[-1]}")
    return path


def taps(hub: Hub, query: str) -> set[tuple[str, int]]:
    """Boot and time of each tap that a query finds."""
    return {(str(boot), int(at_ms)) for boot, at_ms in hub.db.read(lambda conn: conn.execute(query).fetchall())}


def counted(hub: Hub) -> set[tuple[str, int]]:
    """The taps that count."""
    return taps(hub, "SELECT b.boot, p.at_ms FROM punch p JOIN boot b ON b.id = p.boot_id")


def apart(hub: Hub) -> set[tuple[str, int]]:
    """The taps that are kept apart."""
    return taps(hub, "SELECT boot, at_ms FROM clone_record WHERE kind = 'punch'")


def is_held(hub: Hub) -> bool:
    """Whether the hub has found out."""
    return bool(hub.db.read(clone_store.held))


def an_order(conn: Connection) -> None:
    """Something that must not reach either of them."""
    (id_,) = conn.execute("SELECT id FROM device WHERE name = ?", (NAME,)).fetchone()
    outbox.put(conn, id_, "order", "f" * 32, b"{}", 1)


class Copies:
    """A terminal and, later, a second one from a copy of its card, each on a machine of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self._port = port
        self._folder = folder
        self.boots = [boot_id(folder / "a"), boot_id(folder / "b")]
        self.first = Agent(folder / "a", port)
        self.second = self.first

    def start(self, number: int) -> None:
        """Switches one of the two on."""
        (self.first, self.second)[number].start(("tests.clone.booted", str(self.boots[number])))

    def copy(self) -> None:
        """Copies the card of the first, which is off."""
        shutil.copytree(self.first.state_dir, self._folder / "b" / "state")
        self.second = Agent(self._folder / "b", self._port)
        # Other people: the card that was just here would be a repeat.
        self.second._card = 1000

    def shown(self) -> set[tuple[str, int]]:
        """Boot and time of each tap that people were told is taken."""
        pairs = zip((self.first, self.second), self.boots, strict=True)
        return {(boot.read_text().strip(), at_ms) for agent, boot in pairs for at_ms in agent.kiosk.accepted_ms}

    def stop(self, *agents: Agent) -> None:
        """Switches off whichever are on."""
        for agent in agents or (self.first, self.second):
            if agent.process is not None:
                agent.stop()


@pytest.fixture
def copies(tmp_path: Path, broker: Broker) -> Iterator[Copies]:
    """Agents that are off, and off again in the end."""
    made = Copies(tmp_path, broker.port)
    yield made
    made.stop()
    made.first.field.stop()
    made.second.field.stop()


def test_two_copies_are_held_within_a_minute_and_no_tap_is_lost(tmp_path: Path, broker: Broker, copies: Copies) -> None:
    database = tmp_path / "hub.db"
    with running_hub(database, broker.port) as hub:
        copies.start(0)
        copies.first.tap()
        assert soon(lambda: arrived(Ledger(database), NAME, copies.first.spool))
        copies.stop()
        copies.copy()
        copies.start(0)
        copies.start(1)
        assert soon(lambda: is_held(hub), 60), "two devices, and nobody saw it"
        hub.db.write_now(an_order)
        for _ in range(2):
            copies.first.tap()
            copies.second.tap()
        assert len(copies.shown()) == 5
        assert soon(lambda: counted(hub) | apart(hub) == copies.shown(), 120)
        assert not counted(hub) & apart(hub)
        assert hub.db.read(lambda conn: outbox.due(conn, 1, 9)) == []
    with running_hub(database, broker.port) as hub:
        assert is_held(hub)
        copies.stop(copies.second)
        copies.first.tap()
        assert soon(lambda: counted(hub) | apart(hub) == copies.shown(), 120)
        boot = copies.boots[0].read_text().strip()
        expected = counted(hub) | {tap for tap in copies.shown() if tap[0] == boot}
        for one in hub.db.read(clone_store.kept):
            decide(hub, "clone_take" if one.boot == boot else "clone_drop", one)
        assert soon(lambda: counted(hub) == expected)
        hub.db.write_now(lambda conn: carry_out(conn, "clone_release", {"device": NAME}, "officer", 1))
        hub.ingest.look_again()
        tap = copies.first.tap()
        assert tap is not None
        assert soon(lambda: counted(hub) == expected | {(boot, tap.at_ms)}, 120)
        assert not is_held(hub)
        assert hub.count("SELECT count(*) FROM punch") == len(counted(hub))


def decide(hub: Hub, do: Do, kept: clone_store.Kept) -> None:
    """What a person decides about the records of one boot."""
    form = {"device": kept.device, "spool": kept.spool, "run": kept.run, "boot": kept.boot}
    hub.db.write_now(lambda conn: carry_out(conn, do, form, "officer", 1))
    hub.ingest.look_again()
