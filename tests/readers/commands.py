"""The agent's `field` and `tap`, run as people run them."""

import signal
import socket
import subprocess
import sys
from types import TracebackType

from tests.readers.ear import PATIENCE_S

_AGENT = (sys.executable, "-m", "edge_agent")


def free_port() -> int:
    """A UDP port of this machine that nobody has at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        port: int = line.getsockname()[1]
        return port


def agent(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One command of the agent, to its end."""
    return subprocess.run([*_AGENT, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def tap(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A hand that puts a card into a field."""
    return agent("tap", *arguments)


def _as_at_a_terminal() -> None:
    """What is begun in the background of a shell does not hear Ctrl-C, and neither do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class FieldProcess:
    """`machinaka-agent field` in a process of its own; there when the block begins, gone when it ends."""

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(
            [*_AGENT, "field", "--port", str(port)],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=_as_at_a_terminal,  # noqa: PLW1509 (nothing but a signal's default is set there)
        )
        assert self._process.stdout is not None
        self.said = self._process.stdout.readline()

    def __enter__(self) -> "FieldProcess":
        """It listens already."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Ends it."""
        self.end()

    def signal(self, number: int) -> int:
        """Sends a signal and waits for the end; its exit code."""
        self._process.send_signal(number)
        return self._process.wait(PATIENCE_S)

    def end(self) -> None:
        """Ends it, if it has not ended."""
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(PATIENCE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
