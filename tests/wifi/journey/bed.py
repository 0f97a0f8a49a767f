"""A whole town of Wi-Fi: the real agent on the access point of a bed, with dnsmasq under a real supervisord, a real
broker and the real hub; guests get their addresses by DHCP and router advertisements, as phones do.

Broker and hub stand in the access point's namespace, on its loopback: "the hub away" is that they are stopped.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from hub.db import Connection, Db
from hub.policy import store as policy
from hub.signing import Signing
from tests.broker import Broker
from tests.certificates import pki
from tests.hub_process import Hub
from tests.journey.parts import Ledger, soon
from tests.roster.parts import certify
from tests.wifi.netns import AP4, AP6, BRIDGE, UPLINK, Town, mac
from wire import settings_file

T = TypeVar("T")

DEVICE = "access-point-1"
PORTAL = "portal.machinaka.internal"
PLACE = "本庁舎"
CONFIGS = Path(__file__).resolve().parents[3] / "firmware_configs" / "access_point"
API = f"https://{PORTAL}/capport/api"
# A rule of a town that ends soon enough for a test; speeds as in the report's scenario 6.
RULES = {
    "network_name": "Town_Free_Wi-Fi",
    "session_minutes": 60,
    "extensions": 3,
    "down_kbit": 8000,
    "up_kbit": 4000,
    "quota_mb": 1000,
    "slow_kbit": 1000,
}


class Point:
    """The access point with its hub. `with Point(folder) as point:`; guests are `c1` and `c2`."""

    def __init__(self, folder: Path, *, rules: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.net = Town(folder, dhcp=True)
        self.broker = Broker(folder)
        self.hub = Hub(folder, self.broker.port)
        self.ledger = Ledger(self.hub.database)
        # A socket's path is short.
        self.run_dir = Path(tempfile.mkdtemp(prefix="mw"))
        self.button = self.run_dir / "button"
        self.state_dir = folder / "agent"
        self.log = folder / "agent.log"
        self.settings = folder / "agent.toml"
        self.rules = RULES | (rules or {})
        self.agent: subprocess.Popen[bytes] | None = None
        # What DHCP told each guest.
        self.leases: dict[str, dict[str, str]] = {}

    def __enter__(self) -> "Point":
        self.net.__enter__()
        try:
            # hostapd's wired driver takes any interface for a radio.
            for radio in ("wl0", "wl0_dis"):
                self.net.must("ap", "ip", "link", "add", radio, "type", "veth", "peer", "name", f"{radio}p")
            with self.net.inside("ap"):
                self.broker.start()
                self.hub.start()
                self._start_supervisor()
                self.start()
            self._register()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends everything."""
        with contextlib.suppress(ProcessLookupError):
            self.stop()
        if self.hub.process is not None:
            self.hub.stop()
        self.broker.stop()
        self.net.close()
        shutil.rmtree(self.run_dir, ignore_errors=True)

    # ---- the programs

    def start(self) -> None:
        """Starts the agent."""
        with self.net.inside("ap"), self.log.open("ab") as log:
            words = [sys.executable, "-m", "edge_agent", "run", "--settings", str(self.settings)]
            path = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
            self.agent = subprocess.Popen(words, stdout=log, stderr=log, env=path)

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> None:
        """Ends the agent; `SIGKILL` as a crash does."""
        if self.agent is not None:
            self.agent.send_signal(sig)
            self.agent.wait(30)
            self.agent = None

    def office_away(self) -> None:
        """The hub and its broker are gone, or the line to them."""
        self.hub.stop()
        self.broker.stop()

    def office_back(self) -> None:
        """They are there again."""
        with self.net.inside("ap"):
            self.broker.start()
            self.hub.start()

    def _start_supervisor(self) -> None:
        conf = self.run_dir / "supervisord.conf"
        names = {
            "run": self.run_dir,
            "hostapd": self.run_dir / "hostapd",
            "log": self.run_dir,
            "user": "root",
            "device": DEVICE,
        }
        text = _SUPERVISORD + (CONFIGS / "wifi-programs.conf").read_text()
        for name, value in names.items():
            text = text.replace(f"{{{name}}}", str(value))
        (self.run_dir / "hostapd").mkdir(exist_ok=True)
        conf.write_text(text)
        # With the namespace's own resolv.conf: dnsmasq asks the internet of the bed.
        words = (sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(conf))
        self.net.popen("ap", *words, log=self.folder / "supervisord.log")
        assert soon((self.run_dir / "supervisor.sock").exists)
        settings_file.write(
            self.settings,
            {
                "device": DEVICE,
                "kind": "access_point",
                "state_dir": str(self.state_dir),
                "health_every_s": 5,
                "supervisor_socket": str(self.run_dir / "supervisor.sock"),
                "broker": {"port": self.broker.port, "bulk_every_s": 1, "keepalive_s": 5},
                "orders": {"reboot": []},
                "wifi": {
                    "guests": BRIDGE,
                    "uplink": UPLINK,
                    "ipv4": f"{AP4}/22",
                    "ipv6": f"{AP6}/64",
                    "office": ["10.20.0.0/24", "fd20::/64"],
                    "driver": "wired",
                    "radio": "wl0",
                    "hostapd_dir": str(self.run_dir / "hostapd"),
                    "run_dir": str(self.run_dir),
                    "button": f"file:{self.button}",
                    "account_every_s": 1,
                    "tell_every_s": 2,
                },
            },
            about="An access point under test.",
        )
        identity = self.state_dir / "identity"
        pki().identity(DEVICE, identity)
        (identity / "orders.pub").write_text(Signing(self.folder / "hub").public)

    def _register(self) -> None:
        """The hub knows the access point, where it stands and its certificate, and has told it the town's rules."""
        assert soon(lambda: self.ledger.rows("SELECT 1 FROM device WHERE kind = 'access_point'")), self.words()

        def write(conn: Connection) -> None:
            conn.execute("INSERT INTO item (device_id, place, changed_ms) VALUES (1, ?, 0)", (PLACE,))
            now_ms = time.time_ns() // 1_000_000
            policy.publish(conn, Signing(self.folder / "hub"), 1, {"access_point": self.rules}, now_ms, "hanako")

        self.write(write)
        db = Db(self.hub.database)
        certify(db, DEVICE, self.state_dir / "identity", time.time_ns() // 1_000_000)
        db.close()
        assert soon(lambda: self.ledger.rows("SELECT 1 FROM kit_report WHERE result = 'applied'")), self.words()
        assert soon(self._serves), self.words()

    def _serves(self) -> bool:
        """The services stand as the rules say, and the portal answers."""
        conf = self.run_dir / "dnsmasq.conf"
        if not conf.exists() or API not in conf.read_text():
            return False
        return self.net.run("ap", "ss", "-Hltn", "sport", "=", "443").stdout.strip() != ""

    # ---- what the town sees

    def write(self, do: Callable[[Connection], T]) -> T:
        """Somebody changes something at the hub."""
        db = Db(self.hub.database)
        try:
            return db.write_now(do)
        finally:
            db.close()

    def say(self, opening: dict[str, Any] | None = None, **rules: Any) -> None:
        """The town's rules change; with `opening` the house's hours too."""
        self.rules |= rules
        document = {"access_point": self.rules} | ({"opening": opening} if opening else {})
        signing, now_ms = Signing(self.folder / "hub"), time.time_ns() // 1_000_000
        self.write(lambda conn: policy.publish(conn, signing, 1, document, now_ms, "hanako"))

    def sessions(self) -> list[tuple[Any, ...]]:
        """What the hub has of sessions: id, way, cause, up, down, ended; oldest first."""
        return self.ledger.rows(
            "SELECT session, way, cause, up_bytes, down_bytes, ended_ms FROM wifi_session ORDER BY began_ms, id"
        )

    def words(self) -> str:
        """What everybody said."""
        logs = [self.log, self.hub.log, self.folder / "supervisord.log", *self.run_dir.glob("*.log")]
        return "\n".join(f"{path}:\n{path.read_text()[-4000:]}" for path in logs if path.exists())

    # ---- guests

    def comes(self, client: str) -> dict[str, str]:
        """A phone comes onto the network: what DHCP told it (`ip`, `router`, `opt114`, …)."""
        script = self.run_dir / "udhcpc.sh"
        script.write_text(_UDHCPC)
        script.chmod(0o755)
        words = (
            "busybox",
            "udhcpc",
            "-i",
            "eth0",
            "-n",
            "-q",
            "-f",
            "-t",
            "10",
            "-T",
            "1",
            "-O",
            "114",
            "-s",
            str(script),
        )
        told = self.net.must(client, *words)
        lease = dict(
            line.replace("'", "").partition("=")[::2]
            for line in told.splitlines()
            if line.startswith(("ip=", "opt", "router=", "dns="))
        )
        # An address of IPv6 by router advertisement, and the way out.
        assert soon(
            lambda: "fd6d:" in self.net.run(client, "ip", "-6", "addr", "show", "dev", "eth0", "scope", "global").stdout
        )
        return lease

    def asks(self, client: str, *words: str, patience_s: float = 20) -> "subprocess.CompletedProcess[str]":
        """curl at a guest, whose names are the access point's own."""
        return self.net.curl(client, *words, patience_s=patience_s)

    def is_let_in(self, client: str) -> bool:
        """Whether the API says that a guest is not captive; also while nobody answers (False)."""
        done = self.asks(client, "-4", "-H", "Accept: application/captive+json", API)
        return done.returncode == 0 and json.loads(done.stdout)["captive"] is False

    def state(self, client: str, *, six: bool = False) -> dict[str, Any]:
        """What the captive portal API says to a guest."""
        done = self.asks(client, "-6" if six else "-4", "-H", "Accept: application/captive+json", API)
        assert done.returncode == 0, done.stderr + self.words()
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def agrees(self, client: str, language: str = "ja") -> None:
        """A guest reads the first page and presses the button."""
        assert self.presses(client, "agree", language), self.words()

    def presses(self, client: str, action: str, language: str = "ja", *, form_of: str = "") -> bool:
        """A guest opens the page and presses a button; whether it was taken. `form_of`: with another button's token."""
        page = self.asks(client, f"https://{PORTAL}/{language}/").stdout
        form = fields(page, form_of or action)
        given = [word for name, value in form.items() for word in ("--data-urlencode", f"{name}={value}")]
        done = self.asks(
            client, "-o", "/dev/null", "-w", "%{http_code}", *given, f"https://{PORTAL}/{language}/{action}"
        )
        return done.stdout == "303"


def fields(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form of a page that leads to an action."""
    import html
    import re

    (form,) = re.findall(rf'<form[^>]*action="[^"]*{action}"[^>]*>(.*?)</form>', page, re.DOTALL)
    found = re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in found}


@contextlib.contextmanager
def standing(folder: Path, **rules: Any) -> Iterator[Point]:
    """An access point that serves, whose first guest has come onto the network."""
    with Point(folder, rules=rules) as point:
        point.comes("c1")
        yield point


_SUPERVISORD = """\
[supervisord]
logfile=/dev/null
logfile_maxbytes=0
pidfile={run}/supervisord.pid
user=root

[unix_http_server]
file={run}/supervisor.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

"""
_UDHCPC = """\
#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip addr flush dev "$interface" scope global
ip addr add "$ip/$mask" dev "$interface"
ip route replace default via "$router" dev "$interface"
set
"""
__all__ = ["API", "DEVICE", "PLACE", "PORTAL", "Point", "fields", "mac", "standing"]
