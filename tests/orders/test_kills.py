"""C9: hub, broker and devices are killed with a hundred orders in flight. Each is done once or expires, none twice.

The devices are the agent's own spool, uplink and orders, with a ping that counts; one is the whole agent.
"""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hub.db import Db
from hub.orders import giving, store
from hub.orders.giving import Target
from hub.orders.progress import PATIENCE_MS
from hub.signing import Signing
from tests.agent.agent_process import write_settings
from tests.broker import Broker
from tests.certificates import pki
from tests.hub_process import Hub
from tests.journey.parts import Agent, Ledger, soon
from wire.orders import VERBS

WITHIN_S = 120.0
# A ping that no device got is over after two minutes, and not before.
ENDED_WITHIN_S = 150.0
PINGS = 100
# So many have so little time that some are over before anybody has them.
SHORT, SHORT_MS = 20, 2_500


class Counting:
    """A device whose pings are counted."""

    def __init__(self, folder: Path, name: str, broker_port: int) -> None:
        folder.mkdir()
        self.name, self.counted = name, folder / "counted"
        self._words = [
            str(
                write_settings(
                    folder / "agent.toml",
                    device=name,
                    broker={"port": broker_port, "keepalive_s": 5},
                    orders={"reboot": []},
                )
            ),
            str(self.counted),
        ]
        self.identity = pki().identity(name, folder / "state" / "identity")
        self._log = (folder / "device.log").open("ab")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it."""
        words = [sys.executable, "-m", "tests.orders.counting_child", *self._words]
        self.process = subprocess.Popen(words, stdout=self._log, stderr=self._log)

    def kill(self) -> None:
        """A power cut."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def done(self) -> Counter[str]:
        """How often each order was done."""
        return Counter(self.counted.read_text().split()) if self.counted.exists() else Counter()


class Town:
    """A hub, a broker, counting devices and one whole agent, all as processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Broker(folder)
        self.signing = Signing(folder / "hub")
        self.hub = Hub(folder, self.broker.port)
        self.ledger = Ledger(self.hub.database)
        self.agent = Agent(folder / "agent", self.broker.port)
        self.devices = [Counting(folder / name, name, self.broker.port) for name in ("counts-1", "counts-2")]
        for identity in (self.agent.state_dir / "identity", *(one.identity for one in self.devices)):
            (identity / "orders.pub").write_text(self.signing.public)
        self.db = Db(self.hub.database)

    def start(self) -> None:
        """Starts everything, and waits until the hub has heard every device."""
        self.broker.start()
        self.hub.start()
        self.agent.start()
        for one in self.devices:
            one.start()
        assert soon(lambda: len(self.targets()) == 3, WITHIN_S), self.logs()

    def logs(self) -> str:
        """What everybody said."""
        return "\n".join(f"{path}:\n{path.read_text()[-3000:]}" for path in sorted(self.folder.rglob("*log")))

    def targets(self) -> list[Target]:
        """The devices that the hub has heard."""
        return [Target(*row) for row in self.ledger.rows("SELECT id, name, kind FROM device WHERE kind <> ''")]

    def give(self, count: int, good_ms: int | None = None) -> list[str]:
        """Gives pings, in turn to each device, as somebody at the hub does; their ids."""
        targets, ids = self.targets(), []
        now_ms = time.time_ns() // 1_000_000
        if good_ms is not None:
            # As if given a while ago.
            now_ms -= VERBS["ping"].good_for_ms - good_ms
        for n in range(count):
            ids.append(self._give(targets[n % len(targets)], now_ms))  # noqa: PERF401 (each is a transaction)
        return ids

    def _give(self, target: Target, now_ms: int) -> str:
        return self.db.write_now(lambda conn: giving.give(conn, self.signing, target, ("ping", {}), "test", now_ms))

    def rows(self, ids: list[str], later_ms: int = 0) -> list[store.OrderRow]:
        """How far these orders are, or will be later if nothing more comes."""
        now_ms = time.time_ns() // 1_000_000 + later_ms
        found = [self.db.read(lambda conn, one=one: store.order(conn, one, now_ms)) for one in ids]  # type: ignore[misc]
        return [row for row in found if row is not None]

    def open(self, ids: list[str]) -> str:
        """Which orders have no end, and what everybody said."""
        left = [f"{row.device} {row.id} {row.progress}" for row in self.rows(ids) if not row.progress.ended]
        return "\n".join([*left, self.logs()])

    def done(self) -> Counter[str]:
        """How often each order was done by the counting devices."""
        return sum((one.done() for one in self.devices), Counter[str]())

    def end(self) -> None:
        """Ends everything."""
        for one in self.devices:
            one.kill()
            one._log.close()
        if self.agent.process is not None:
            self.agent.stop(signal.SIGKILL)
        self.agent.field.stop()
        if self.hub.process is not None:
            self.hub.stop()
        self.broker.stop()
        self.db.close()


def _kill_in_rounds(town: Town, rounds: int, chance: random.Random) -> None:
    for _ in range(rounds):
        time.sleep(chance.uniform(0.0, 1.5))
        for part in chance.sample(["hub", "broker"], chance.choice([1, 2])):
            if part == "hub":
                town.hub.stop(signal.SIGKILL)
            else:
                town.broker.stop(signal.SIGKILL)
        if town.broker.process is None:
            town.broker.start()
        if town.hub.process is None:
            town.hub.start()


def _whatever_happens(folder: Path, do: Callable[[Town, random.Random], None], ends: set[str]) -> None:
    town = Town(folder)
    try:
        town.start()
        chance = random.Random(20261124)
        ids = town.give(PINGS - SHORT) + town.give(SHORT, SHORT_MS)
        do(town, chance)
        # One that a killed device had told of and not begun is over when the hub's patience is.
        soon(lambda: all(row.progress.ended for row in town.rows(ids)), ENDED_WITHIN_S)
        rows, counted = town.rows(ids, later_ms=PATIENCE_MS), town.done()
        assert all(row.progress.ended for row in rows), town.open(ids)
        assert len(rows) == PINGS
        assert {row.progress.state for row in rows} <= ends, Counter(row.progress.state for row in rows)
        assert max(counted.values()) == 1
        for row in rows:
            if row.device.startswith("counts") and row.progress.state != "failed":
                assert counted[row.id] == (row.progress.state == "done"), row
        assert sum(row.progress.state == "done" for row in rows) >= PINGS // 2
        # Nothing more is sent of what has ended.
        waiting = sum(not row.progress.ended for row in town.rows(ids))
        assert soon(lambda: town.ledger.rows("SELECT COUNT(*) FROM outbox WHERE what = 'order'") <= [(waiting,)])
    finally:
        town.end()


def test_c9_hub_and_broker_are_killed_with_a_hundred_orders_in_flight(tmp_path: Path) -> None:
    _whatever_happens(tmp_path, lambda town, chance: _kill_in_rounds(town, 6, chance), {"done", "expired"})


def test_c9_devices_are_killed_as_well(tmp_path: Path) -> None:
    def kill(town: Town, chance: random.Random) -> None:
        for _ in range(3):
            one = chance.choice(town.devices)
            time.sleep(chance.uniform(0.2, 1.0))
            one.kill()
            one.start()
            _kill_in_rounds(town, 1, chance)

    # What was begun when its device was killed is told as a failure, and never done again.
    _whatever_happens(tmp_path, kill, {"done", "expired", "failed"})
