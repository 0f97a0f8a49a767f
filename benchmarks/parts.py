"""What several benchmarks run: broker and hub as processes, a fleet, rows as they arrive, memory as it is used."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

from benchmarks.publisher import Message, publish
from hub.simulate_fleet import Fleet, Plan, Tally
from tests.broker import Broker
from tests.hub_process import Hub

SHARES = {"health": 8, "usage": 1, "punch": 1}
_MB = 1_000_000
_STALLED_S = 60


class Memory:
    """The resident memory of a process, looked at 50 times a second."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_mb = 0.0

    def now_mb(self) -> float:
        """What it takes now."""
        return self._process.memory_info().rss / _MB

    def own_mb(self) -> float:
        """What would be free if it ended: without the pages that other processes share."""
        return float(self._process.memory_full_info().uss) / _MB

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            try:
                self.peak_mb = max(self.peak_mb, self.now_mb())
            except psutil.NoSuchProcess:
                return

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@contextmanager
def town(folder: Path) -> Iterator[tuple[Broker, Hub]]:
    """A broker and a hub that takes in."""
    folder.mkdir(parents=True, exist_ok=True)
    with Broker(folder) as broker, Hub(folder, broker.port) as hub:
        wait_for_subscriber(hub)
        yield broker, hub


def wait_for_subscriber(hub: Hub) -> None:
    """Returns when the hub listens at the broker: with a session there, what is sent from now on reaches it."""
    assert hub.process is not None
    process = psutil.Process(hub.process.pid)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if any(c.status == psutil.CONN_ESTABLISHED for c in process.net_connections("tcp")):
            time.sleep(0.2)
            return
        time.sleep(0.02)
    raise TimeoutError("the hub does not connect to its broker")


def run_fleet(plan: Plan) -> Tally:
    """Runs a fleet to its end; everything must have been acked."""

    async def run() -> Tally:
        return await Fleet(plan).run()

    tally = asyncio.run(run())
    assert tally.acked == tally.made > 0, f"{tally.made - tally.acked} of {tally.made} were not acked"
    return tally


def event_table(database: Path) -> str:
    """The newest month's table of events, or '' when there is none yet."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
        row = db.execute("SELECT max(name) FROM sqlite_master WHERE name GLOB 'event_2*'").fetchone()
        return row[0] or ""


def wait_for_rows(database: Path, table: Callable[[], str], rows: int) -> float:
    """The moment (monotonic seconds) at which so many rows are there. Raises TimeoutError when no more come."""
    found, changed_s = 0, time.monotonic()
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=10)) as db:
        while True:
            name = table()
            before = found
            if name:
                found = db.execute(f"SELECT coalesce(max(id), 0) FROM {name}").fetchone()[0]  # noqa: S608 (own name)
            now_s = time.monotonic()
            if found >= rows:
                return now_s
            if found != before:
                changed_s = now_s
            if now_s - changed_s > _STALLED_S:
                raise TimeoutError(f"{found} of {rows} rows after {_STALLED_S} s without a new one")
            time.sleep(0.01)


def timed_publish(
    port: int, made: Sequence[Sequence[Message]], database: Path, table: Callable[[], str], rows: int
) -> float:
    """Rows a second, from the first message sent to the last row that another program can see."""
    ended: list[float] = []
    watching = threading.Thread(target=lambda: ended.append(wait_for_rows(database, table, rows)))
    watching.start()
    began_s = publish(port, made)
    watching.join()
    assert ended, "the rows did not all arrive"
    return rows / (ended[0] - began_s)
