"""A real Mosquitto for tests, locked as the product has it: on a port of its own, killed and started again at will."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from tests.certificates import Pki, pki

CONFIGS = Path(__file__).resolve().parent.parent / "firmware_configs" / "hub"


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, *, within_s: float = 10) -> None:
    """Returns when something listens on the port. Raises TimeoutError."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on port {port} after {within_s} s")


class Broker:
    """The product's own configuration of Mosquitto, as a child process."""

    def __init__(self, folder: Path, port: int | None = None, *, of: Pki | None = None, also: str = "") -> None:
        """`of`: whose certificates, the run's own town unless said; `also`: more lines of the access list."""
        self.port = port or free_port()
        self.pki = of or pki()
        self._config = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        access = folder / "mosquitto.acl"
        access.write_text((CONFIGS / "mosquitto.acl").read_text() + also)
        text = (CONFIGS / "mosquitto.conf").read_text()
        filled = {"port": self.port, "host": "127.0.0.1", "log": f"file {self._log}"}
        for name, value in {**filled, "pki": self.pki.folder, "acl": access}.items():
            text = text.replace(f"{{{name}}}", str(value))
        # Started by root, Mosquitto becomes another user who may not write into a test's folder.
        self._config.write_text(text + ("user root\n" if os.geteuid() == 0 else ""))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it listens."""
        path = os.environ["PATH"] + ":/usr/sbin"
        self.process = subprocess.Popen(
            ["mosquitto", "-c", str(self._config)],
            env={**os.environ, "PATH": path},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port)

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> None:
        """Ends it; `SIGKILL` for a power cut."""
        if self.process is not None:
            self.process.send_signal(sig)
            self.process.wait()
            self.process = None

    def __enter__(self) -> "Broker":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
