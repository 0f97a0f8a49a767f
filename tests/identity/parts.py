"""What these tests share: a town with a real authority, hub and broker, and devices that have no identity yet."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import httpx
import msgspec

from hub.identity.authority import Authority
from provisioning import ca
from tests.broker import Broker
from tests.certificates import Pki
from tests.hub_process import Hub
from tests.journey.parts import Ledger
from wire import settings_file, x509
from wire.enrolment import Ask, Invitation, read_invitation

T = TypeVar("T")

DAY_MS = 86_400_000
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


def soon(value: Callable[[], T], within_s: float = 60) -> T:
    """The value, as soon as it is true; the last one otherwise."""
    end = time.monotonic() + within_s
    while not (found := value()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


class OwnTown:
    """A town of its own: root and issuers made as an officer makes them, a hub's folder, a port for the broker."""

    def __init__(self, folder: Path, *, clock: "Clock | None" = None, **hub: object) -> None:
        self.folder = folder
        self.clock = clock
        state, stick = folder / "hub", folder / "stick"
        state.mkdir(parents=True)
        now = datetime.now(UTC).replace(microsecond=0)
        ca.make_root(stick, "Yamanokuchi", b"", now)
        ca.issue(ca.read_root(stick, None), state / "ca", ["127.0.0.1"], now)
        self.ca = state / "ca"
        # So that the tests' own broker and clients can be of this town.
        shutil.copy(stick / "root.key", self.ca / "root.key")
        self.pki = Pki(self.ca)
        self.broker = Broker(folder, of=self.pki)
        self.restarts = folder / "restarts"
        self.hub = OwnHub(self, hub)
        self.ledger = Ledger(self.hub.database)

    @property
    def authority(self) -> Authority:
        """The hub's issuers, read by the test."""
        return Authority(self.ca)

    def invite(self, device: str, kind: str = "tablet", *more: str) -> Invitation:
        """A code, made at the hub's machine."""
        with under(self.clock):
            return read_invitation(self.hub.command("enrol-code", "--device", device, "--kind", kind, *more))

    def ask(self, ask: msgspec.Struct, path: str = "/device/enrol") -> httpx.Response:
        """What a device sends."""
        return httpx.post(
            self.hub.url + path,
            content=msgspec.json.encode(ask),
            headers={"content-type": "application/json"},
            timeout=60,
        )

    def start_broker(self) -> None:
        """Under the test's clock where there is one."""
        with under(self.clock):
            self.broker.start()

    def how(self, device: str) -> list[str]:
        """How the certificates of a device came about, oldest first."""
        rows = self.ledger.rows(
            "SELECT c.how FROM certificate c JOIN device d ON d.id = c.device_id WHERE d.name = ? ORDER BY c.issued_ms",
            device,
        )
        return [how for (how,) in rows]

    def serials(self, device: str) -> list[str]:
        """The register's certificates of a device, oldest first."""
        rows = self.ledger.rows(
            "SELECT c.serial FROM certificate c JOIN device d ON d.id = c.device_id WHERE d.name = ? "
            "ORDER BY c.issued_ms",
            device,
        )
        return [serial for (serial,) in rows]


class OwnHub(Hub):
    """The hub of such a town."""

    def __init__(self, town: OwnTown, more: dict[str, object]) -> None:
        super().__init__(town.folder, town.broker.port)
        self._clock = town.clock
        broker = {
            "port": town.broker.port,
            "restart_command": [sys.executable, "-c", f"open({str(town.restarts)!r}, 'a').write('.')"],
        }
        settings_file.write(
            self.settings,
            {"state_dir": str(town.folder / "hub"), "port": self.port, "broker": broker, **more},
            about="A hub under test.",
        )

    def start(self) -> None:
        """Under the test's clock where there is one."""
        with under(self._clock):
            super().start()


class Clock:
    """A wall clock that the test sets, for the processes that are started under it (libfaketime)."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "faketime"
        self.days = 0.0
        self.set(0)

    def set(self, days: float) -> None:
        """So many days from now, for processes that run too."""
        self.days = days
        temporary = self._file.with_suffix(".new")
        temporary.write_text(f"{'+' if days >= 0 else ''}{int(days * 86_400)}\n")
        temporary.replace(self._file)

    @property
    def environment(self) -> dict[str, str]:
        """For a process under this clock."""
        return {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }


class under:  # noqa: N801 (reads as a word)
    """Starts processes under a clock for the length of a `with`."""

    def __init__(self, clock: Clock | None) -> None:
        self._new = clock.environment if clock else {}
        self._old: dict[str, str | None] = {}

    def __enter__(self) -> None:
        self._old = {name: os.environ.get(name) for name in self._new}
        os.environ.update(self._new)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name, value in self._old.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class NewDevice:
    """`machinaka-agent` on a tablet that has no identity yet."""

    def __init__(self, town: OwnTown, name: str = "tablet-1", **identity: object) -> None:
        self.name, self._clock = name, town.clock
        self.folder = town.folder / "devices" / name
        self.state = self.folder / "state"
        self.identity = self.state / "identity"
        self.log = self.folder / "agent.log"
        self.settings = self.folder / "agent.toml"
        self.state.mkdir(parents=True)
        # Its disk remembers a good time, so that the machine's clock is believed where no time server is.
        (self.state / "good-time").write_text("1700000000000\n")
        settings_file.write(
            self.settings,
            {
                "device": name,
                "kind": "tablet",
                "state_dir": str(self.state),
                "health_every_s": 1,
                "broker": {"port": town.broker.port, "bulk_every_s": 1, "keepalive_s": 5},
                "identity": identity,
            },
            about="A device under test.",
        )
        self.process: subprocess.Popen[bytes] | None = None

    def leave(self, invitation: Invitation) -> None:
        """What the officer leaves on its card."""
        file = self.state / "enrol-code"
        file.write_text(invitation.text + "\n")
        file.chmod(0o600)

    def enrol(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The command of somebody who stands by."""
        with under(self._clock):
            return subprocess.run(
                [sys.executable, "-m", "edge_agent", "enrol", "--settings", str(self.settings), *words],
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )

    def start(self) -> None:
        """Runs the agent."""
        with under(self._clock), self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge_agent", "run", "--settings", str(self.settings)], stdout=log, stderr=log
            )

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> int:
        """Ends it; its exit code."""
        assert self.process is not None
        self.process.send_signal(sig)
        code = self.process.wait(30)
        self.process = None
        return code

    @property
    def serial(self) -> str:
        """The serial number of its certificate; empty when it has none."""
        try:
            return x509.serial_text(x509.read_leaf((self.identity / "certificate.pem").read_bytes()))
        except (OSError, x509.BadChain):
            return ""

    def __enter__(self) -> "NewDevice":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.stop()


def request_of(device: str) -> tuple[bytes, str]:
    """A device's key and its request, both in PEM."""
    key = x509.make_key()
    return x509.key_pem(key), x509.make_request(key, device).decode()


def ask_of(device: str, code: str = "", *, serial: str = "", request: str = "") -> Ask:
    """What a tablet of that name asks."""
    return Ask(device, "tablet", request or request_of(device)[1], code, serial)
