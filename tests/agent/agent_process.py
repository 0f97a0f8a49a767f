"""A real agent as a child process, with its own folder; and a real field for its reader."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from edge_agent.attendance.readers.field import ORDER
from tests.certificates import pki
from wire import settings_file

WITHIN_S = 60.0


def until(is_so: Callable[[], bool], what: str, within_s: float = WITHIN_S) -> None:
    """Returns when a condition holds. Raises TimeoutError."""
    end = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {within_s:g} s: {what}")
        time.sleep(0.02)


class Child:
    """`machinaka-agent …` as a child; what it says is kept, and can be waited for."""

    def __init__(self, *arguments: str) -> None:
        self._lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge_agent", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.append(line.rstrip("\n"))

    @property
    def said(self) -> str:
        """Everything so far."""
        return "\n".join(self._lines)

    def until_it_says(self, words: str, times: int = 1) -> None:
        """Returns when these words were said so often."""
        until(lambda: self.said.count(words) >= times, f"{words!r} in:\n{self.said}")

    def end(self, sig: signal.Signals = signal.SIGTERM) -> int:
        """Ends it; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        code = self.process.wait(WITHIN_S)
        self._listener.join(WITHIN_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def __enter__(self) -> "Child":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def write_settings(path: Path, **changes: Any) -> Path:
    """A terminal's settings without broker, reader or page, but for what is changed; its folder is beside it."""
    plain: dict[str, Any] = {
        "device": "terminal-1",
        "kind": "terminal",
        "state_dir": str(path.parent / "state"),
        "health_every_s": 3600,
        "usage_every_s": 3600,
    }
    plain |= changes
    if "broker" in changes:
        pki().identity(plain["device"], Path(plain["state_dir"]) / "identity")
    settings_file.write(path, plain, about="A terminal under test.")
    return path


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs one command of the agent to its end."""
    return subprocess.run(
        [sys.executable, "-m", "edge_agent", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )


class FieldProcess:
    """`machinaka-agent field` on a port of its own: the air in front of the terminal."""

    def __init__(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.child = Child("field", "--port", str(self.port))

    @property
    def path(self) -> str:
        """The reader that feels this field, as a setting."""
        return f"udp:127.0.0.1:{self.port}"

    def place(self, *numbers: str, hold_s: float, kind: str = "felica") -> None:
        """Puts cards into the field; they lie there for a while."""
        order = {"place": [{"kind": kind, "id": number} for number in numbers], "hold_s": hold_s}
        until(lambda: self._order(order), "the field takes an order")

    def _order(self, order: dict[str, Any]) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.settimeout(1)
            try:
                line.connect(("127.0.0.1", self.port))
                line.send(ORDER + json.dumps(order).encode())
                return line.recv(4096) == ORDER + b"{}"
            except OSError:
                time.sleep(0.05)
                return False

    def again(self) -> None:
        """Comes back on the same port after `end`."""
        self.child = Child("field", "--port", str(self.port))

    def end(self) -> None:
        """Dies, as a reader whose cable is pulled."""
        self.child.end(signal.SIGKILL)
