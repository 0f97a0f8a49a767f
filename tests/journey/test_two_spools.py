"""A card that was written anew begins to count at 1 again: its records are new ones, and no other device's."""

import shutil
from pathlib import Path

from tests.broker import Broker
from tests.certificates import pki
from tests.hub_process import Hub
from tests.journey.parts import Agent, Ledger, arrived, kept, soon


def test_a_card_written_anew_and_two_agents_count_for_themselves(tmp_path: Path) -> None:
    with (
        Broker(tmp_path) as broker,
        Hub(tmp_path, broker.port) as hub,
        Agent(tmp_path / "a", broker.port) as first,
        Agent(tmp_path / "b", broker.port, name="terminal-2") as second,
    ):
        ledger = Ledger(hub.database)
        for _ in range(5):
            first.tap()
            second.tap()
        assert soon(lambda: arrived(ledger, first.name, first.spool))
        old, _ = kept(first.spool)
        first.stop()
        shutil.rmtree(first.state_dir)
        pki().identity(first.name, first.state_dir / "identity")
        first.start()
        for _ in range(3):
            first.tap()
        new, _ = kept(first.spool)
        assert new != old
        for agent in (first, second):
            assert soon(lambda agent=agent: arrived(ledger, agent.name, agent.spool))  # type: ignore[misc]
        urgent = {spool: seqs for (spool, lane), seqs in ledger.events(first.name).items() if lane == "urgent"}
        assert urgent == {old: [1, 2, 3, 4, 5], new: [1, 2, 3]}
        for agent in (first, second):
            assert [at_ms for _, _, at_ms in ledger.punches(agent.name)] == agent.kiosk.accepted_ms
        assert len(first.kiosk.accepted_ms) == 8
        assert len(second.kiosk.accepted_ms) == 5
