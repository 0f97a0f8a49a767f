"""A terminal that believes it is 1970: its taps get their true time when it is known, and the raw time is kept."""

import time
from pathlib import Path

from hub.attendance import store as attendance
from hub.attendance.store import Tap
from tests.broker import Broker
from tests.hub_process import Hub
from tests.journey.parts import Agent, Ledger, soon

CHILD = ("tests.journey.clock_child",)
# Two clocks and a busy machine: this close is the same moment, and 1970 is far from it.
NEAR_MS = 10_000


def _set(agent: Agent, offset_ms: int, synced: str) -> None:
    """Sets the terminal's wall clock, whole or not at all."""
    new = agent.settings.with_name("clock.new")
    new.write_text(f"{offset_ms} {synced}")
    new.rename(agent.settings.with_name("clock"))


def test_taps_from_1970_are_placed_once_the_clock_is_right(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, Hub(tmp_path, broker.port) as hub:
        agent = Agent(tmp_path / "agent", broker.port)
        ledger = Ledger(hub.database)
        to_1970_ms = -(time.time_ns() // 1_000_000)
        _set(agent, to_1970_ms, "no")
        agent.start(CHILD)
        truly = []
        for _ in range(3):
            truly.append(time.time_ns() // 1_000_000)
            view = agent.tap()
            assert view is not None
            assert (view.state, view.clock_unset) == ("accepted", True)
        assert soon(lambda: len(ledger.punches(agent.name)) == 3)
        # Nobody knows better yet: the raw time is all there is.
        assert [tap.true_ms for tap in _taps(ledger)] == [tap.at_ms for tap in _taps(ledger)]
        _set(agent, 0, "yes")
        assert soon(lambda: _is_placed(_taps(ledger), truly)), _taps(ledger)
        truly.append(time.time_ns() // 1_000_000)
        agent.tap()
        assert soon(lambda: len(_taps(ledger)) == 4)
        assert _is_placed(_taps(ledger), truly)
        assert [tap.clock for tap in _taps(ledger)] == ["unset", "unset", "unset", "synced"]
        # The raw times are as they were, and as the screen had them.
        raw = [at_ms for _, _, at_ms in ledger.punches(agent.name)]
        assert raw == agent.kiosk.accepted_ms
        assert max(raw[:3]) < 86_400_000
        agent.stop()
        agent.field.stop()


def _taps(ledger: Ledger) -> list[Tap]:
    """What the hub's page shows, oldest first."""
    return ledger.read(attendance.latest_taps)[::-1]


def _is_placed(taps: list[Tap], truly: list[int]) -> bool:
    return all(abs(tap.true_ms - at_ms) < NEAR_MS for tap, at_ms in zip(taps, truly, strict=True))
