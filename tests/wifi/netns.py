"""A small town in network namespaces: an access point, its guests, an office and an internet, all of the real kernel.

    c1 ─┐                          ┌─ office  10.20.0.2  fd20::2
        ├─ br0 (isolated ports) ap ┤
    c2 ─┘  10.77.0.1/22            └─ wan     198.51.100.10, .11  2001:db8:1::10   two web sites, DNS, iperf3
           fd6d:6368:6e6b::1/64

Names of namespaces are unique, so many beds stand at once. The internet has no route back to guests: without the
access point's address translation nothing returns. `with Town(tmp_path) as town:` takes everything down at the end.
"""

import contextlib
import ctypes
import functools
import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import pytest

from tests.certificates import pki
from wire import x509

BRIDGE, UPLINK, OFFICE = "br0", "up0", "off0"
AP4, AP6 = "10.77.0.1", "fd6d:6368:6e6b::1"
WAN4, WAN6 = "198.51.100.10", "2001:db8:1::10"
OTHER4, OTHER6 = "198.51.100.11", "2001:db8:1::11"
OFFICE4, OFFICE6 = "10.20.0.2", "fd20::2"
SITE, NEIGHBOUR_SITE = "town.example", "other.example"
# A name of the internet's DNS that leads into the office.
INTRANET = "intranet.example"
CLIENTS = ("c1", "c2")
TOOLS = ("ip", "nft", "bridge", "tc", "curl", "tcpdump", "iperf3", "conntrack", "dnsmasq", "busybox")
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
_NAMED = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
_count = itertools.count()
_libc = ctypes.CDLL(None, use_errno=True)


def client4(client: str) -> str:
    """The address of a client with addresses of its own."""
    return f"10.77.0.{10 + CLIENTS.index(client) + 1}"


def client6(client: str, also: str = "") -> str:
    """Its IPv6 address; with `also` ("a", "b", …) another one, as phones make for privacy."""
    return f"fd6d:6368:6e6b::{also}{'f' if also else ''}{11 + CLIENTS.index(client)}"


def mac(client: str) -> str:
    """The hardware address of a client."""
    return f"02:00:00:00:00:{0xC1 + CLIENTS.index(client):02x}"


@functools.cache
def missing() -> str:
    """Why no bed can stand on this machine; empty when it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if without := [tool for tool in TOOLS if not shutil.which(tool, path=PATH)]:
        return f"not installed: {', '.join(without)}"
    name, stood = f"mk{os.getpid()}-probe", _NAMED.is_mount()
    try:
        if (made := _do("ip", "netns", "add", name)).returncode:
            return f"no network namespaces here: {made.stderr.strip()}"
        # In a chroot the kernel makes them, but does not let a program into one with files of its own.
        if (tried := _do("ip", "netns", "exec", name, "true")).returncode:
            return f"no program can be put into a network namespace here: {tried.stderr.strip()}"
        with entered(name):
            for words in (("link", "add", "br9", "type", "bridge"), ("link", "add", "v9", "type", "veth")):
                if (tried := _do("ip", *words)).returncode:
                    return f"the kernel lacks {words[-1]}: {tried.stderr.strip()}"
            tried = _do("nft", "add", "table", "inet", "probe")
            return f"no nf_tables here: {tried.stderr.strip()}" if tried.returncode else ""
    finally:
        _do("ip", "netns", "delete", name)
        if not stood and not any(_NAMED.glob("*")):
            _do("umount", str(_NAMED))


class Town:
    """The bed. `dhcp`: clients begin without addresses (routers' advertisements are heard)."""

    def __init__(self, folder: Path, *, dhcp: bool = False) -> None:
        self.folder = folder
        self.dhcp = dhcp
        self._id = f"mk{os.getpid()}-{next(_count)}"
        self.names = {role: f"{self._id}-{role}" for role in ("ap", "wan", "office", *CLIENTS)}
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> "Town":
        try:
            self._stand_up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def run(self, role: str, *words: str, given: str = "", within_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Runs a program in a namespace to its end; its result is the caller's to judge."""
        return _do("ip", "netns", "exec", self.names[role], *words, given=given, within_s=within_s)

    def must(self, role: str, *words: str, given: str = "") -> str:
        """Runs a program that must succeed, and gives what it printed."""
        done = self.run(role, *words, given=given)
        assert done.returncode == 0, f"{' '.join(words)}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout

    def popen(self, role: str, *words: str, log: Path | None = None, cwd: Path | None = None) -> subprocess.Popen[str]:
        """Starts a program in a namespace (the agent, a server); ended with the bed. Output is piped without `log`."""
        with contextlib.ExitStack() as stack:
            out = stack.enter_context(log.open("a")) if log else subprocess.PIPE
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.names[role], *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=cwd,
                env={**os.environ, "PATH": PATH, "PYTHONUNBUFFERED": "1"},
            )
        self._processes.append(process)
        return process

    @contextlib.contextmanager
    def inside(self, role: str) -> Iterator[None]:
        """This thread stands in the namespace: sockets it makes and programs it starts (and threads) are there."""
        with entered(self.names[role]):
            yield

    def curl(self, client: str, *words: str, patience_s: float = 20) -> subprocess.CompletedProcess[str]:
        """curl at a client, which believes the test's own authority; the site's names are known to it."""
        known = [f"{name}:{port}:{WAN4},[{WAN6}]" for name in (SITE, NEIGHBOUR_SITE) for port in (80, 443)]
        resolve = [] if self.dhcp else [word for entry in known for word in ("--resolve", entry)]
        fixed = ("-sS", "--max-time", str(patience_s), "--cacert", str(pki().folder / "root.pem"))
        return self.run(client, "curl", *fixed, *resolve, *words, within_s=patience_s + 20)

    def status(self, client: str, url: str, *words: str) -> str:
        """The HTTP status that a client is given for an address, or `curl <its exit code>`."""
        done = self.curl(client, "-o", "/dev/null", "-w", "%{http_code}", *words, url)
        return done.stdout if done.returncode == 0 else f"curl {done.returncode}"

    def pings(self, client: str, address: str) -> bool:
        """Whether a client's echo request is answered."""
        return self.run(client, "busybox", "ping", "-c", "1", "-W", "1", address).returncode == 0

    def close(self) -> None:
        """Ends what runs and takes the namespaces down. Harmless when called again."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()
        self._processes.clear()
        for name in self.names.values():
            _do("ip", "netns", "delete", name)
            shutil.rmtree(Path("/etc/netns") / name, ignore_errors=True)

    def _stand_up(self) -> None:
        for name in self.names.values():
            _must("ip", "netns", "add", name)
            Path("/etc/netns", name).mkdir(parents=True, exist_ok=True)
        for client in CLIENTS:
            Path("/etc/netns", self.names[client], "resolv.conf").write_text(f"nameserver {AP4}\n")
        Path("/etc/netns", self.names["ap"], "resolv.conf").write_text("nameserver 198.51.100.1\n")
        for role in self.names:
            self._ip(role, "link set lo up")
        self._wire_up()
        self._ip("ap", *_access_point())
        for port in CLIENTS:
            self.must("ap", "bridge", "link", "set", "dev", f"p{port}", "isolated", "on")
        self._ip("wan", *_addresses("wan0", ("198.51.100.1/24", f"{WAN4}/24", f"{OTHER4}/24"), _WAN6))
        self._ip("office", *_addresses("lan0", (f"{OFFICE4}/24",), (f"{OFFICE6}/64",)))
        self._ip("office", "route add default via 10.20.0.1", "route add ::/0 via fd20::1")
        for client in CLIENTS:
            self._client(client)
        self._sysctl("ap", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", *_NO_BRIDGE_FILTER)
        self._serve()

    def _wire_up(self) -> None:
        ap = self.names["ap"]
        _must("ip", "-n", ap, "link", "add", BRIDGE, "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        pairs = ((UPLINK, "wan", "wan0"), (OFFICE, "office", "lan0"), *((f"p{c}", c, "eth0") for c in CLIENTS))
        for here, role, there in pairs:
            peer = ("peer", "name", there, "netns", self.names[role])
            _must("ip", "link", "add", here, "netns", ap, "type", "veth", *peer)
        for role in ("ap", "wan", "office", *CLIENTS):
            self._sysctl(role, "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")

    def _client(self, client: str) -> None:
        self._ip(client, f"link set eth0 address {mac(client)}", "link set eth0 up")
        if self.dhcp:
            return
        self._sysctl(client, "net.ipv6.conf.eth0.accept_ra=0")
        self._ip(client, *_addresses("eth0", (f"{client4(client)}/22",), (f"{client6(client)}/64",)))
        self._ip(client, f"route add default via {AP4}", f"route add ::/0 via {AP6}")

    def _serve(self) -> None:
        folder = self.folder / "sites"
        folder.mkdir(exist_ok=True)
        for name in (SITE, NEIGHBOUR_SITE):
            key = x509.make_key()
            made = x509.issue_server(pki().servers, key.public_key(), (name, WAN4, WAN6), datetime.now(UTC))
            pem = x509.pem(made, pki().servers.certificate) + x509.key_pem(key)
            (folder / f"{name}.pem").write_bytes(pem)
        root = Path(__file__).resolve().parent.parent.parent
        words = (sys.executable, "-m", "tests.wifi.sites", str(folder), SITE, NEIGHBOUR_SITE)
        sites = self.popen("wan", *words, cwd=root)
        self.popen("wan", "iperf3", "-s")
        names = [f"--address=/{n}/{a}" for n in (SITE, NEIGHBOUR_SITE) for a in (WAN4, WAN6)]
        names += [f"--address=/{INTRANET}/{OFFICE4}"]
        self.popen("wan", "dnsmasq", "-k", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file=", *names)
        assert sites.stdout is not None
        assert sites.stdout.readline() == "ready\n"

    def _ip(self, role: str, *lines: str) -> None:
        _must("ip", "-n", self.names[role], "-batch", "-", given="\n".join(lines))

    def _sysctl(self, role: str, *settings: str) -> None:
        self.must(role, "sysctl", "-qw", *settings)


_WAN6 = ("2001:db8:1::1/64", f"{WAN6}/64", f"{OTHER6}/64")
_NO_BRIDGE_FILTER = tuple(f"net.bridge.bridge-nf-call-{table}=0" for table in ("iptables", "ip6tables", "arptables"))


def wait_for(true: Callable[[], object], *, within_s: float = 30) -> None:
    """Returns when the callable gives something true. Raises TimeoutError."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if true():
            return
        time.sleep(0.1)
    raise TimeoutError("it did not come true")


def _access_point() -> tuple[str, ...]:
    return (
        f"link set {BRIDGE} address 02:00:00:00:00:01",
        *(f"link set p{client} master {BRIDGE} up" for client in CLIENTS),
        *_addresses(BRIDGE, (f"{AP4}/22",), (f"{AP6}/64",)),
        *_addresses(UPLINK, ("198.51.100.2/24",), ("2001:db8:1::2/64",)),
        *_addresses(OFFICE, ("10.20.0.1/24",), ("fd20::1/64",)),
        "route add default via 198.51.100.1",
        "route add ::/0 via 2001:db8:1::1",
    )


def _addresses(interface: str, four: Sequence[str], six: Sequence[str]) -> tuple[str, ...]:
    return (
        f"link set {interface} up",
        *(f"addr add {address} dev {interface}" for address in four),
        *(f"addr add {address} dev {interface} nodad" for address in six),
    )


@contextlib.contextmanager
def entered(name: str) -> Iterator[None]:
    """The calling thread in a namespace, and back."""
    with Path("/proc/thread-self/ns/net").open("rb") as own, Path("/run/netns", name).open("rb") as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(own.fileno())


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _do(*words: str, given: str = "", within_s: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=within_s,
        env={**os.environ, "PATH": PATH},
    )


def _must(*words: str, given: str = "") -> None:
    done = _do(*words, given=given)
    assert done.returncode == 0, f"{' '.join(words)} {given}: {done.stderr}"


needs_netns = pytest.mark.skipif(bool(missing()), reason=missing() or "network namespaces are here")
