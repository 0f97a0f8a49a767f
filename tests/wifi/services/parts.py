"""What tests of an access point's services share: its spool, programs that stand in for supervisor, RADIUS servers."""

import asyncio
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from edge_agent.clock import Clock
from edge_agent.settings import Settings, WifiSettings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi.programs import NotRunning
from tests.certificates import pki
from tests.wifi.netns import Town
from wire import x509
from wire.messages import Alarm, WifiSession

WITHIN_S = 60.0
SECRET = "loopback-secret-0001"
TOWN_SECRET = "town-radius-secret-01"
URI = "https://wifi.town.example/captive/api"
HOST = "wifi.town.example"


def day_key(day: str) -> bytes:
    """A key of a day."""
    return day.encode().ljust(32, b"k")


def wifi(folder: Path, **others: object) -> WifiSettings:
    """Settings of an access point on the bridge of the bed, with a short path for its sockets."""
    fixed = {"guests": "br0", "uplink": "up0", "run_dir": str(folder), "hostapd_dir": str(folder / "h")}
    return msgspec.convert({**fixed, "driver": "wired", "radio": "wl0", **others}, WifiSettings)


def make_settings(folder: Path, told: WifiSettings) -> Settings:
    """An access point's settings."""
    return Settings("access-point-1", "access_point", str(folder), wifi=told)


class Kept:
    """A real spool in a folder, read back as bodies."""

    def __init__(self, folder: Path, *, max_bytes: int = 32 << 20) -> None:
        self.clock = Clock(folder / "good-time")
        self.spool = AsyncSpool(
            lambda: Spool(folder / "spool.db", max_bytes=max_bytes, ballast_bytes=65536, stamp=self.clock.stamp)
        )

    async def sessions(self) -> list[WifiSession]:
        """Every record of a session, oldest first."""
        records = await self.spool.recent("wifi_session", 20_000)
        return [msgspec.json.decode(record.body, type=WifiSession) for record in records]

    async def alarms(self) -> list[Alarm]:
        """Every alarm, oldest first."""
        return [msgspec.json.decode(r.body, type=Alarm) for r in await self.spool.recent("alarm", 1000)]


async def until(is_so: Callable[[], bool], what: str, within_s: float = WITHIN_S) -> None:
    """Returns when a condition holds. Raises TimeoutError."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within_s
    while not is_so():
        if loop.time() > end:
            raise TimeoutError(f"not within {within_s:g} s: {what}")
        await asyncio.sleep(0.05)


class Keeping:
    """Programs of the bed's access point, as supervisor would keep them; each ends with the bed."""

    def __init__(self, town: Town, commands: Mapping[str, Sequence[str]], folder: Path) -> None:
        self._town, self._commands, self._folder = town, commands, folder
        self._running: dict[str, subprocess.Popen[str]] = {}
        self.restarts = 0

    async def restart(self, name: str) -> None:
        """Ends it, when it runs, and starts it. Raises NotRunning."""
        self.end(name)
        if name not in self._commands:
            raise NotRunning(f"{name}: nobody keeps it")
        self.restarts += 1
        self._running[name] = self._town.popen("ap", *self._commands[name], log=self._folder / f"{name}.log")

    async def runs(self, name: str) -> bool:
        """Whether it has not ended."""
        return name in self._running and self._running[name].poll() is None

    def end(self, name: str) -> None:
        """Ends it."""
        if (process := self._running.pop(name, None)) is not None:
            process.terminate()
            process.wait(20)


def dnsmasq(folder: Path) -> tuple[str, ...]:
    """dnsmasq's command line on a device."""
    return ("dnsmasq", "--keep-in-foreground", f"--conf-file={folder / 'dnsmasq.conf'}")


def hostapd(told: WifiSettings) -> tuple[str, ...]:
    """hostapd's command line on a device."""
    return ("hostapd", "-g", f"{told.hostapd_dir}/global")


def server_files(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """Certificate with its chain, key, and the root that vouches for them."""
    key = x509.make_key()
    made = x509.issue_server(pki().servers, key.public_key(), (name,), datetime.now(UTC))
    chain, secret = folder / "server.pem", folder / "server.key"
    chain.write_bytes(x509.pem(made, pki().servers.certificate))
    secret.write_bytes(x509.key_pem(key))
    return chain, secret, pki().folder / "root.pem"


def freeradius(folder: Path, users: dict[str, str], address: str) -> tuple[str, ...]:
    """Files of a FreeRADIUS that knows PEAP with MSCHAPv2, and its command line."""
    folder.mkdir(exist_ok=True)
    chain, key, root = server_files(folder, "radius.town.example")
    (folder / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n")
    put_users(folder / "users", users)
    (folder / "radiusd.conf").write_text(_FREERADIUS.format(folder=folder, chain=chain, key=key, root=root, a=address))
    return ("freeradius", "-d", str(folder), "-f", "-l", "stdout")


def put_users(path: Path, users: dict[str, str]) -> None:
    """Who may come in, as FreeRADIUS reads it."""
    path.write_text("".join(f'{name} Cleartext-Password := "{word}"\n' for name, word in users.items()))


def hostapd_radius(folder: Path, users: dict[str, str], address: str) -> tuple[str, ...]:
    """Files of hostapd as a RADIUS server, and its command line."""
    folder.mkdir(exist_ok=True)
    chain, key, root = server_files(folder, "radius.town.example")
    put_eap_users(folder / "users", users)
    (folder / "clients").write_text(f"0.0.0.0/0 {TOWN_SECRET}\n")
    (folder / "server.conf").write_text(_HOSTAPD_RADIUS.format(folder=folder, chain=chain, key=key, root=root))
    return ("hostapd", str(folder / "server.conf"))


def put_eap_users(path: Path, users: dict[str, str]) -> None:
    """Who may come in, as hostapd reads it."""
    inner = "".join(f'"{name}" MSCHAPV2 "{word}" [2]\n' for name, word in users.items())
    path.write_text(f"* PEAP\n{inner}")


_HOSTAPD_RADIUS = """driver=none
interface=lo
ctrl_interface={folder}/ctrl
eap_server=1
eap_user_file={folder}/users
ca_cert={root}
server_cert={chain}
private_key={key}
radius_server_clients={folder}/clients
radius_server_auth_port=1812
"""

_FREERADIUS = (
    """name = freeradius
prefix = /usr
confdir = {folder}
logdir = {folder}
run_dir = {folder}
libdir = /usr/lib/freeradius
pidfile = {folder}/pid
hostname_lookups = no
log {{
  destination = stdout
  auth = no
}}
security {{
  user = root
  group = root
  allow_core_dumps = no
  reject_delay = 0
  status_server = no
}}
client ap {{
  ipaddr = 0.0.0.0/0
  secret = """
    + TOWN_SECRET
    + """
}}
thread pool {{
  start_servers = 1
  max_servers = 4
  min_spare_servers = 1
  max_spare_servers = 2
}}
modules {{
  mschap {{
  }}
  files {{
    usersfile = {folder}/users
  }}
  eap {{
    default_eap_type = peap
    tls-config tls-common {{
      private_key_file = {key}
      certificate_file = {chain}
      ca_file = {root}
      tls_min_version = "1.2"
      tls_max_version = "1.2"
    }}
    peap {{
      tls = tls-common
      default_eap_type = mschapv2
      virtual_server = inner
    }}
    mschapv2 {{
    }}
  }}
}}
server default {{
  listen {{
    type = auth
    ipaddr = {a}
    port = 1812
  }}
  authorize {{
    eap {{
      ok = return
    }}
  }}
  authenticate {{
    eap
  }}
}}
server inner {{
  authorize {{
    files
    mschap
    eap {{
      ok = return
    }}
  }}
  authenticate {{
    Auth-Type MS-CHAP {{
      mschap
    }}
    eap
  }}
}}
"""
)

SUPPLICANT = """ctrl_interface={folder}/wpa
ap_scan=0
fast_reauth=0
network={{
  key_mgmt=IEEE8021X
  eap=PEAP
  identity="{name}"
  password="{word}"
  ca_cert="{root}"
  phase2="auth=MSCHAPV2"
  eapol_flags=0
}}
"""
