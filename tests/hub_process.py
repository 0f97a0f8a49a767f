"""A real hub as a child process, with its own folder, port and broker."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import httpx

from tests.broker import free_port
from tests.certificates import pki
from wire import settings_file


class Hub:
    """`machinaka-hub serve` on a free port."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = folder / "hub.toml"
        self.database = folder / "hub" / "hub.db"
        self.log = folder / "hub.log"
        settings_file.write(
            self.settings,
            {
                "state_dir": str(folder / "hub"),
                "port": self.port,
                "broker": {"port": broker_port, "ca_dir": str(pki().folder)},
            },
            about="A hub under test.",
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub", "serve", "--settings", str(self.settings)],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                if httpx.get(f"{self.url}/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.05)
        raise TimeoutError(self.log.read_text())

    def wait_until_it_hears(self) -> None:
        """Returns when it is subscribed at the broker; what is sent before with QoS 0 is heard by nobody."""
        end = time.monotonic() + 60
        while not httpx.get(f"{self.url}/healthz").json()["broker"]:
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> int:
        """Ends it; its exit code."""
        assert self.process is not None
        self.process.send_signal(sig)
        code = self.process.wait(20)
        self.process = None
        return code

    def command(self, *arguments: str) -> str:
        """Runs another command of the hub; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "hub", *arguments, "--settings", str(self.settings)],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def __enter__(self) -> "Hub":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.stop()
