"""What the journeys share: the agent as a process, what its screen showed, and what the hub's database holds."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx
import msgspec

from edge_agent.attendance.readers.cards import FeliCa
from edge_agent.attendance.readers.field import UdpField
from edge_agent.kiosk.screen import STAYS_S, View
from hub.fleet import store
from tests.broker import free_port
from tests.certificates import pki
from wire import settings_file

T = TypeVar("T")

# Generous, because the machine may be busy; nothing here is asserted about time.
WITHIN_S = 60.0


def soon(value: Callable[[], T], within_s: float = WITHIN_S) -> T:
    """The value, as soon as it is true; the last one otherwise."""
    end = time.monotonic() + within_s
    while not (found := value()) and time.monotonic() < end:
        time.sleep(0.03)
    return found


class Kiosk:
    """Somebody who looks at a terminal's screen for as long as it is there, and remembers what it showed."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        # Views that a tap brought up, in their order; `at_ms` is the raw time of the tap.
        self.taps: list[View] = []
        self.view = View()
        self._thread: threading.Thread | None = None

    @property
    def accepted_ms(self) -> list[int]:
        """The raw times of the taps that people were told are taken."""
        return [view.at_ms for view in self.taps if view.state == "accepted"]

    def look(self) -> None:
        """Begins to look at an agent that has just been started."""
        self._thread = threading.Thread(target=self._follow, name="onlooker", daemon=True)
        self._thread.start()

    def look_away(self) -> None:
        """Waits until the screen has gone dark."""
        if self._thread is not None:
            self._thread.join(30)

    def _follow(self) -> None:
        seen = -1
        with contextlib.suppress(httpx.TransportError), httpx.stream("GET", f"{self.url}/events", timeout=30) as views:
            for line in views.iter_lines():
                if not line.startswith("data: "):
                    continue
                view = msgspec.json.decode(line.removeprefix("data: "), type=View)
                if view.number > seen and view.state in STAYS_S:
                    self.taps.append(view)
                seen, self.view = view.number, view


class Agent:
    """`machinaka-agent run` with a card field in front of it and somebody who looks at its screen."""

    def __init__(
        self, folder: Path, broker_port: int, state_dir: Path | None = None, name: str = "terminal-1", **spool: int
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.state_dir = state_dir or folder / "state"
        self.log = folder / "agent.log"
        self.settings = folder / "agent.toml"
        self.field = UdpField().start()
        self.kiosk = Kiosk(free_port())
        pki().identity(name, self.state_dir / "identity")
        self._write_settings(broker_port, spool)
        self.process: subprocess.Popen[bytes] | None = None
        self._card = 0

    def _write_settings(self, broker_port: int, spool: dict[str, int]) -> None:
        settings_file.write(
            self.settings,
            {
                "device": self.name,
                "kind": "terminal",
                "state_dir": str(self.state_dir),
                "health_every_s": 1,
                "broker": {"port": broker_port, "bulk_every_s": 1, "keepalive_s": 5},
                "spool": spool,
                "attendance": {"reader": self.field.path, "clock_out_from": "00:00"},
                "kiosk": {"port": self.kiosk.port},
            },
            about="An agent under test.",
        )

    @property
    def spool(self) -> Path:
        """The spool's file."""
        return self.state_dir / "spool.db"

    def start(self, module: tuple[str, ...] = ("edge_agent", "run", "--settings")) -> None:
        """Starts it, and waits until its page answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *module, str(self.settings)], stdout=log, stderr=log, env=os.environ
            )
        assert soon(self._is_ready), self.log.read_text()
        self.kiosk.look()

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.kiosk.url}/healthz").status_code == 200
        return False

    def tap(self, within_s: float = WITHIN_S) -> View | None:
        """Holds a card that was never here before into the field; the view that it brought up, if any did."""
        self._card += 1
        shown, end = len(self.kiosk.taps), time.monotonic() + within_s
        while len(self.kiosk.taps) == shown and time.monotonic() < end:
            # The same card again counts anew only after it was away: see `visit.py`.
            self.field.place(FeliCa(self._card.to_bytes(8, "big")))
            soon(lambda: len(self.kiosk.taps) > shown, 3)
            self.field.remove()
            if len(self.kiosk.taps) == shown:
                time.sleep(1.6)
        return self.kiosk.taps[shown] if len(self.kiosk.taps) > shown else None

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> int:
        """Ends it; its exit code."""
        assert self.process is not None
        self.process.send_signal(sig)
        code = self.process.wait(30)
        self.process = None
        self.kiosk.look_away()
        return code

    def __enter__(self) -> "Agent":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.stop()
        self.field.stop()


class Ledger:
    """The hub's database, read from outside while the hub runs or is away."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self, query: str, *values: object) -> list[Any]:
        """What a query gives; nothing while there is no such table yet."""
        if not self._path.exists():
            return []
        with contextlib.closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=30)) as conn:
            try:
                return conn.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    def read(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """What one of the hub's own reading functions says."""
        with contextlib.closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=30)) as conn:
            return fn(conn)

    def through(self, device: str) -> dict[tuple[str, str], int]:
        """The cursor of each (spool, lane) of a device."""
        rows = self.rows(
            "SELECT spool, lane, through FROM lane WHERE device_id = (SELECT id FROM device WHERE name = ?)", device
        )
        return {(spool, lane): through for spool, lane, through in rows}

    def events(self, device: str) -> dict[tuple[str, str], list[int]]:
        """The seqs of the events of each (spool, lane) of a device, as they are stored."""
        found: dict[tuple[str, str], list[int]] = {}
        for month in self.read(store.months):
            for spool, lane, seq in self.rows(
                f"SELECT l.spool, l.lane, e.seq FROM event_{month} e JOIN lane l ON l.id = e.lane_id "  # noqa: S608
                "WHERE l.device_id = (SELECT id FROM device WHERE name = ?) ORDER BY e.id",
                device,
            ):
                found.setdefault((spool, lane), []).append(seq)
        return found

    def punches(self, device: str) -> list[tuple[str, int, int]]:
        """(spool, seq, raw time) of each row of the punch table."""
        return self.rows(
            "SELECT l.spool, p.seq, p.at_ms FROM punch p JOIN lane l ON l.id = p.lane_id WHERE p.device_id = "
            "(SELECT id FROM device WHERE name = ?) ORDER BY p.id",
            device,
        )


def kept(spool: Path) -> tuple[str, dict[str, int]]:
    """A device's spool as it lies on its disk: its name, and the last seq of each lane."""
    with contextlib.closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True, timeout=30)) as conn:
        (name,) = conn.execute("SELECT spool FROM identity").fetchone()
        last = dict(conn.execute("SELECT lane, next_seq - 1 FROM lane"))
    return name, {"urgent": last[0], "bulk": last[1]}


def arrived(ledger: Ledger, device: str, spool: Path) -> bool:
    """Whether the hub's cursors are where the device's spool ends."""
    name, last = kept(spool)
    through = ledger.through(device)
    return all(through.get((name, lane), 0) == seq for lane, seq in last.items())


def take_room(folder: Path, *, leave_bytes: int = 0) -> None:
    """Somebody else's file takes what its disk has left, for real."""
    figures = os.statvfs(folder)
    size = figures.f_bavail * figures.f_frsize - leave_bytes
    if size > 0:
        with (folder / f"foreign-{time.monotonic_ns()}").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)


@contextlib.contextmanager
def small_disk(folder: Path, size: str = "4m") -> Iterator[Path]:
    """A file system of its own for the length of a `with`; the test is skipped where that is forbidden."""
    import pytest

    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
