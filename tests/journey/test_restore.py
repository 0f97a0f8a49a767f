"""The hub's database is lost and put back from a backup: the devices offer again what it lacks."""

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from hub.fleet import store
from tests.broker import Broker
from tests.hub_process import Hub
from tests.journey.parts import Agent, Ledger, arrived, kept, soon


def _put_back(hub: Hub, backup: Path) -> None:
    """The hub dies with its disk, and begins with the backup."""
    hub.stop(signal.SIGKILL)
    for leftover in hub.database.parent.glob("hub.db*"):
        leftover.unlink()
    hub.database.write_bytes(backup.read_bytes())
    hub.start()


def _tidy_away(spool: Path, through: int) -> None:
    """What an agent forgets after its days: acked taps, with a note of how many (as `Room` writes it)."""
    with closing(sqlite3.connect(spool)) as conn, conn:
        gone = conn.execute("DELETE FROM record WHERE lane = 0 AND seq <= ?", (through,)).rowcount
        conn.execute("INSERT INTO purged VALUES (0, 1, ?, ?)", (through, gone))


def test_a_hub_from_a_backup_has_everything_again_once(tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    with Broker(tmp_path) as broker, Hub(tmp_path, broker.port) as hub, Agent(tmp_path / "a", broker.port) as agent:
        ledger = Ledger(hub.database)
        for _ in range(10):
            agent.tap()
        assert soon(lambda: arrived(ledger, agent.name, agent.spool))
        hub.command("backup", "--to", str(backup))
        for _ in range(10):
            agent.tap()
        assert soon(lambda: arrived(ledger, agent.name, agent.spool))
        assert len(Ledger(backup).punches(agent.name)) == 10
        _put_back(hub, backup)
        # Nobody taps: the hub says where it is, and the agent goes back.
        assert soon(lambda: arrived(ledger, agent.name, agent.spool)), agent.log.read_text()
        agent.stop()
        name, last = kept(agent.spool)
        assert [at_ms for _, _, at_ms in ledger.punches(agent.name)] == agent.kiosk.accepted_ms
        assert len(agent.kiosk.accepted_ms) == 20
        for lane, seqs in ledger.events(agent.name).items():
            assert seqs == list(range(1, ledger.through(agent.name)[lane] + 1))
        assert ledger.through(agent.name)[name, "urgent"] == last["urgent"]
        assert ledger.read(store.totals).missing == 0


def test_what_the_device_no_longer_keeps_is_shown_as_missing(tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    with Broker(tmp_path) as broker, Hub(tmp_path, broker.port) as hub, Agent(tmp_path / "a", broker.port) as agent:
        ledger = Ledger(hub.database)
        for _ in range(4):
            agent.tap()
        assert soon(lambda: arrived(ledger, agent.name, agent.spool))
        hub.command("backup", "--to", str(backup))
        for _ in range(6):
            agent.tap()
        assert soon(lambda: arrived(ledger, agent.name, agent.spool))
        agent.stop()
        _tidy_away(agent.spool, 7)
        agent.start()
        _put_back(hub, backup)
        name, _ = kept(agent.spool)
        assert soon(lambda: ledger.through(agent.name)[name, "urgent"] == 10), agent.log.read_text()
        assert ledger.events(agent.name)[name, "urgent"] == [1, 2, 3, 4, 8, 9, 10]
        assert ledger.read(store.totals).missing == 3
        (row,) = ledger.read(store.devices)
        assert (row.name, row.missing) == (agent.name, 3)
