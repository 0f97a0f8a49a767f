"""A terminal whose disk is full: it refuses aloud, drops health and counts it, and recovers by itself."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec

from edge_agent.clock import Clock
from edge_agent.spool import Entry, Spool, SpoolFull
from hub.fleet import store
from tests.broker import Broker
from tests.hub_process import Hub
from tests.ingest.parts import HEALTH
from tests.journey.parts import Agent, Ledger, arrived, kept, small_disk, soon, take_room
from wire.messages import Punch

SPOOL_MB, BALLAST_KB = 256, 512
HEALTH_RECORDS = 3000


def _fill(agent: Agent) -> set[int]:
    """What weeks without a hub leave behind: health, then taps until nothing fits; the raw times of the taps."""
    clock = Clock(agent.state_dir / "good-time")
    spool = Spool(agent.spool, max_bytes=SPOOL_MB << 20, ballast_bytes=BALLAST_KB << 10, stamp=clock.stamp)
    health, now = msgspec.json.encode(HEALTH), clock.stamp()
    spool.append_many([Entry("health", health, now)] * HEALTH_RECORDS)
    confirmed = set[int]()
    with contextlib.suppress(SpoolFull):
        while True:
            n = len(confirmed) - 1_000_000
            stamp = now._replace(at_ms=now.at_ms + n, mono_ms=now.mono_ms + n)
            spool.append("punch", msgspec.json.encode(Punch("c" * 32, "clock_in")), stamp)
            confirmed.add(stamp.at_ms)
    spool.close()
    return confirmed


def _accepted(agent: Agent) -> None:
    view = agent.tap()
    assert view is not None, agent.log.read_text()
    assert view.state == "accepted"


def _refused(agent: Agent) -> int:
    """A tap that must be refused; its raw time."""
    view = agent.tap()
    assert view is not None, agent.log.read_text()
    assert view.state == "disk_full"
    return view.at_ms


@contextlib.contextmanager
def full_terminal(tmp_path: Path, hub: Hub, broker: Broker) -> Iterator[tuple[Agent, set[int]]]:
    """A terminal that the hub knows, with a full disk while the hub is away; the raw times of its taps."""
    with small_disk(tmp_path / "disk") as disk:
        agent = Agent(tmp_path / "agent", broker.port, disk / "state", max_mb=SPOOL_MB, ballast_kb=BALLAST_KB)
        with agent:
            ledger = Ledger(hub.database)
            for _ in range(3):
                agent.tap()
            assert soon(lambda: arrived(ledger, agent.name, agent.spool))
            hub.stop()
            agent.stop()
            confirmed = _fill(agent)
            # Less than the log may need: the spool's file does not grow from here.
            take_room(disk, leave_bytes=700 << 10)
            agent.start()
            yield agent, confirmed


def test_a_full_disk_refuses_aloud_and_recovers_when_the_hub_is_back(tmp_path: Path) -> None:
    with (
        Broker(tmp_path) as broker,
        Hub(tmp_path, broker.port) as hub,
        full_terminal(tmp_path, hub, broker) as (agent, confirmed),
    ):
        refused = {_refused(agent) for _ in range(3)}
        hub.start()
        ledger = Ledger(hub.database)
        assert soon(lambda: arrived(ledger, agent.name, agent.spool)), agent.log.read_text()
        # It is as full as before, but the hub has what is there: that may go.
        _accepted(agent)
        assert soon(lambda: arrived(ledger, agent.name, agent.spool))
        _check(ledger, agent, confirmed | set(agent.kiosk.accepted_ms), refused)


def test_a_disk_that_others_filled_to_the_last_byte_stops_taps_and_nothing_else(tmp_path: Path) -> None:
    with (
        Broker(tmp_path) as broker,
        Hub(tmp_path, broker.port) as hub,
        full_terminal(tmp_path, hub, broker) as (agent, confirmed),
    ):
        refused = {_refused(agent)}
        for end in (signal.SIGKILL, signal.SIGTERM, signal.SIGTERM):
            agent.stop(end)
            take_room(tmp_path / "disk")
            agent.start()
            refused.add(_refused(agent))
        hub.start()
        ledger = Ledger(hub.database)
        name, last = kept(agent.spool)
        # What is there goes to the hub, though not even the mark of that can be kept.
        assert soon(lambda: ledger.through(agent.name).get((name, "urgent")) == last["urgent"]), agent.log.read_text()
        refused.add(_refused(agent))
        for foreign in (tmp_path / "disk").glob("foreign-*"):
            foreign.unlink()
        _accepted(agent)
        assert soon(lambda: arrived(ledger, agent.name, agent.spool)), agent.log.read_text()
        _check(ledger, agent, confirmed | set(agent.kiosk.accepted_ms), refused)
        assert agent.process is not None
        assert "Traceback" not in agent.log.read_text()


def _check(ledger: Ledger, agent: Agent, confirmed: set[int], refused: set[int]) -> None:
    told = [at_ms for _, _, at_ms in ledger.punches(agent.name)]
    assert len(told) == len(confirmed)
    assert set(told) == confirmed
    assert not refused & confirmed
    name, last = kept(agent.spool)
    events = ledger.events(agent.name)
    assert events[name, "urgent"] == list(range(1, last["urgent"] + 1))
    # Oldest first, and each of them counted: what came and what was given up is all there was.
    came = events[name, "bulk"]
    assert len(came) == len(set(came))
    assert ledger.read(store.totals).dropped == last["bulk"] - len(came)
    assert ledger.read(store.totals).dropped >= HEALTH_RECORDS
