"""Agent, broker and hub are killed at random moments: what was confirmed is in the hub, once."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.broker import Broker
from tests.certificates import pki
from tests.hub_process import Hub
from tests.journey.parts import Agent, Ledger, arrived, kept, soon
from wire import settings_file

ROUNDS = 20
RECORDS = 20_000
SEED = int(os.environ.get("MACHINAKA_SEED", "0")) or random.randrange(1, 10**6)


class Writer:
    """A device that keeps records as fast as asked, and says which are safe; killed and started again at will."""

    def __init__(self, folder: Path, broker_port: int, name: str = "writer") -> None:
        self.name = name
        self.spool = folder / name / "spool.db"
        self._settings = folder / f"{name}.toml"
        settings_file.write(
            self._settings,
            {
                "device": name,
                "kind": "tablet",
                "state_dir": str(self.spool.parent),
                "broker": {"port": broker_port, "bulk_every_s": 1, "keepalive_s": 5},
            },
            about="A device under test.",
        )
        self.spool.parent.mkdir()
        pki().identity(name, self.spool.parent / "identity")
        self.confirmed: dict[str, list[int]] = {"urgent": [], "bulk": []}
        self._asked = 0
        self._log = folder / f"{name}.log"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts it, and asks again for what was not confirmed before it was killed."""
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.journey.device_child", str(self._settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self._reader.start()
        if left := self._asked - self._count():
            self._write(left)

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lane, _, seq = line.rstrip().partition(" ")
            # A line that the kill cut off confirms nothing.
            if line.endswith("\n") and lane in self.confirmed:
                self.confirmed[lane].append(int(seq))

    def _count(self) -> int:
        return sum(map(len, self.confirmed.values()))

    def ask(self, records: int) -> None:
        """Asks for more records."""
        self._asked += records
        self._write(records)

    def _write(self, records: int) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(f"{records}\n")
        self.process.stdin.flush()

    def has_kept_all(self) -> bool:
        """Whether everything that was asked for is confirmed."""
        assert self.process is not None
        assert self.process.poll() is None, self._log.read_text()
        return self._count() >= self._asked

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> None:
        """Ends it, and reads what it still said."""
        assert self.process is not None
        self.process.send_signal(sig)
        self.process.wait(30)
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process = None


@contextmanager
def tapping(agent: Agent) -> Iterator[None]:
    """Somebody taps one card after the other, whatever happens to the terminal."""
    ended = threading.Event()

    def tap() -> None:
        while not ended.wait(0.1):
            agent.tap(0.5)

    thread = threading.Thread(target=tap, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_whatever_is_killed_what_was_confirmed_is_in_the_hub_once(tmp_path: Path) -> None:
    chosen = random.Random(SEED)
    print(f"MACHINAKA_SEED={SEED}")
    with Broker(tmp_path) as broker, Hub(tmp_path, broker.port) as hub, Agent(tmp_path / "t", broker.port) as terminal:
        writer = Writer(tmp_path, broker.port)
        writer.start()
        with tapping(terminal):
            for _ in range(ROUNDS):
                writer.ask(RECORDS // ROUNDS)
                time.sleep(chosen.uniform(0, 0.5))
                victim = chosen.choice((writer, terminal, broker, hub))
                victim.stop(signal.SIGKILL)
                # A device finds the way back while its hub is still away.
                time.sleep(chosen.choice((0, 0, 0, 0.5, 1)))
                victim.start()
            assert soon(writer.has_kept_all)
        ledger = Ledger(hub.database)
        for device, spool in ((writer.name, writer.spool), (terminal.name, terminal.spool)):
            assert soon(lambda device=device, spool=spool: arrived(ledger, device, spool)), device  # type: ignore[misc]
        writer.stop()
        _check_events(ledger, writer)
        _check_taps(ledger, terminal)


def _check_events(ledger: Ledger, writer: Writer) -> None:
    """Each record of the spool once and in its order, the confirmed ones among them, and each punch in its table."""
    name, last = kept(writer.spool)
    events = ledger.events(writer.name)
    assert events == {(name, lane): list(range(1, seq + 1)) for lane, seq in last.items()}
    for lane, confirmed in writer.confirmed.items():
        assert set(confirmed) <= set(events[name, lane])
        assert len(set(confirmed)) == len(confirmed)
    assert sum(map(len, writer.confirmed.values())) >= RECORDS
    assert [(spool, seq) for spool, seq, _ in ledger.punches(writer.name)] == [
        (name, seq) for seq in range(1, last["urgent"] + 1)
    ]


def _check_taps(ledger: Ledger, terminal: Agent) -> None:
    """Each tap that the screen confirmed is there once, and nothing twice."""
    told = [at_ms for _, _, at_ms in ledger.punches(terminal.name)]
    assert len(set(told)) == len(told)
    assert set(terminal.kiosk.accepted_ms) <= set(told)
    assert len(terminal.kiosk.accepted_ms) > ROUNDS
    for (_, lane), seqs in ledger.events(terminal.name).items():
        assert seqs == list(range(1, len(seqs) + 1)), lane
