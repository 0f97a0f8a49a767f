"""The files of a town in one folder: what each program reads, and where it keeps what it knows.

1. What a person may change (`hub.toml`, `agent.toml`) is written once; later runs touch only what they must,
   so that ports and paths are right.
2. What nobody needs to change (`mosquitto.conf`, `supervisord.conf`) is written anew at each start.
3. Programs keep their data and secrets in their own folder; nothing here reads or removes those.
"""

import os
import shlex
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from provisioning.ports import HOST, Ports
from wire import settings_file
from wire.settings_file import BadSetting

TEMPLATES = Path(__file__).resolve().parent.parent / "firmware_configs"
# Every process of a town carries its folder in this variable, so that leftovers can be told from anything else.
MARK = "MACHINAKA_TOWN"
# A UNIX socket's path has 107 bytes, and supervisor makes a longer one for a moment.
_PATH_BYTES = 80

Kind = Literal["terminal", "tablet", "access_point"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_ABOUT_HUB = "The hub's settings, read once at start. Ports belong into ../town.toml."
_ABOUT_AGENT = """The agent's settings, read once at start. Ports belong into ../town.toml.
Health and usage go out every 10 s here, so that a newcomer sees the charts move; the product's default is 60."""
_ABOUT_READER = """
attendance.reader: "usb" for an RC-S380, "tty:AMA0:pn532" for a PN532, as it is: the simulated one."""


_ABOUT_WIFI = """
wifi.enforce "nothing": this access point shows its portal on this machine, and touches no packet."""
_ABOUT = {"terminal": _ABOUT_READER, "access_point": _ABOUT_WIFI}


class CannotLayOut(Exception):
    """The folder cannot be a town's; one plain sentence."""


@dataclass(frozen=True, slots=True)
class Town:
    """One town: its folder (absolute) and its ports."""

    folder: Path
    ports: Ports

    @property
    def socket(self) -> Path:
        """Where supervisord listens."""
        return self.folder / "supervisor.sock"

    @property
    def supervisord_conf(self) -> Path:
        """What supervisord reads."""
        return self.folder / "supervisord.conf"

    @property
    def hub_toml(self) -> Path:
        """The hub's settings."""
        return self.folder / "hub" / "hub.toml"

    @property
    def root(self) -> Path:
        """Where the town's root lies."""
        return self.folder / "ca"

    @property
    def ca(self) -> Path:
        """Where the hub's issuers and the hub's and the broker's certificates lie."""
        return self.folder / "hub" / "ca"

    @property
    def mosquitto_conf(self) -> Path:
        """What the broker reads."""
        return self.folder / "broker" / "mosquitto.conf"

    @property
    def log(self) -> Path:
        """Where every program's words go."""
        return self.folder / "log"

    def agent_toml(self, kind: Kind) -> Path:
        """The settings of the one device of a kind."""
        return self.folder / kind / "agent.toml"

    @property
    def page(self) -> str:
        """The hub's first page."""
        return f"http://{HOST}:{self.ports.hub}/"

    @property
    def kiosk(self) -> str:
        """The terminal's page."""
        return f"http://{HOST}:{self.ports.kiosk}/"

    @property
    def tablet(self) -> str:
        """The home page of the lent tablet."""
        return f"http://{HOST}:{self.ports.tablet}/"

    @property
    def portal(self) -> str:
        """The page of the Wi-Fi's guests; on port 80 of a real access point, phones are led to it."""
        return f"http://{HOST}:{self.ports.probes}/"

    @property
    def field(self) -> str:
        """Where the simulated reader's field is."""
        return f"{HOST}:{self.ports.field}"


def device_name(kind: Kind) -> str:
    """What the one device of a kind is called."""
    return f"{kind.replace('_', '-')}-1"


def command(name: str) -> Path:
    """One of the project's commands, from where this one runs."""
    return Path(sys.executable).parent / name


def program(name: str) -> str:
    """A program of the distribution; a plain user's PATH lacks /usr/sbin. Raises CannotLayOut."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")
    if found is None:
        raise CannotLayOut(f"{name} is missing: run provisioning/setup.sh, or install it")
    return found


def make_folder(folder: Path) -> None:
    """The folder itself, for its owner only. Raises CannotLayOut."""
    if len(os.fsencode(folder)) > _PATH_BYTES:
        raise CannotLayOut(f"{folder}: the path is too long for a socket; at most {_PATH_BYTES} bytes are allowed")
    if odd := set(str(folder)) & set("\"'%;\n"):
        raise CannotLayOut(f"{folder}: supervisord's settings cannot hold a path with {min(odd)!r}")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotLayOut(f"{folder}: cannot be made: {error.strerror}") from error
    if folder.stat().st_uid != os.geteuid() and os.geteuid() != 0:
        raise CannotLayOut(f"{folder}: belongs to another user; use the same one as before, or remove it")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CannotLayOut(f"{folder}: cannot be written to")
    folder.chmod(0o700)


def lay_out(town: Town) -> None:
    """Every file that the programs read. Raises BadSetting, CannotLayOut."""
    try:
        for name in ("log", "broker", "hub", *KINDS):
            (town.folder / name).mkdir(exist_ok=True)
        town.mosquitto_conf.write_text(_mosquitto(town), encoding="utf-8")
        shutil.copyfile(TEMPLATES / "hub" / "mosquitto.acl", _acl(town))
        _settle_hub(town)
        for kind in KINDS:
            _settle_agent(town, kind)
        town.supervisord_conf.write_text(supervisord(town), encoding="utf-8")
    except OSError as error:
        raise CannotLayOut(f"{error.filename}: {error.strerror}") from error


def reader_of(town: Town) -> str:
    """Which reader the terminal's settings name. Raises BadSetting."""
    reader = _read(town.agent_toml("terminal")).get("attendance", {}).get("reader", "")
    return str(reader)


def _acl(town: Town) -> Path:
    return town.mosquitto_conf.with_suffix(".acl")


def _mosquitto(town: Town) -> str:
    text = (TEMPLATES / "hub" / "mosquitto.conf").read_text(encoding="utf-8")
    filled = {"port": town.ports.broker, "host": HOST, "log": "stdout", "pki": town.ca, "acl": _acl(town)}
    for name, value in filled.items():
        text = text.replace(f"{{{name}}}", str(value))
    # Started by root, Mosquitto becomes another user, who may not read a folder for its owner only.
    return text + ("user root\n" if os.geteuid() == 0 else "")


def _settle_hub(town: Town) -> None:
    before = _read(town.hub_toml)
    settings = before or {"language": "ja", "host": HOST}
    settings = settings | {
        "state_dir": str(town.folder / "hub"),
        "port": town.ports.hub,
        "broker": settings.get("broker", {})
        | {
            "host": HOST,
            "port": town.ports.broker,
            "config": str(town.mosquitto_conf),
            "supervisor_socket": str(town.socket),
        },
    }
    if str(settings.get("public_url", f"http://{HOST}")).startswith(f"http://{HOST}"):
        settings["public_url"] = f"http://{HOST}:{town.ports.hub}"
    _write(town.hub_toml, before, settings, _ABOUT_HUB)


def _settle_agent(town: Town, kind: Kind) -> None:
    path = town.agent_toml(kind)
    before = _read(path)
    settings = before or {
        "device": device_name(kind),
        "kind": kind,
        "health_every_s": 10,
        "usage_every_s": 10,
        "broker": {"bulk_every_s": 10},
    }
    settings = settings | {
        "state_dir": str(path.parent),
        "supervisor_socket": str(town.socket),
        "broker": settings.get("broker", {}) | {"host": HOST, "port": town.ports.broker},
        # The machine that a town is tried on is somebody's own: nothing in it reboots.
        "orders": settings.get("orders", {}) | {"reboot": [], "log_dirs": [str(town.log)]},
    }
    if kind == "terminal":
        reader = settings.get("attendance", {}).get("reader", "udp:")
        if str(reader).startswith("udp:"):
            reader = f"udp:{town.field}"
        settings["attendance"] = settings.get("attendance", {}) | {"reader": reader}
        settings["kiosk"] = settings.get("kiosk", {}) | {"port": town.ports.kiosk}
    if kind == "tablet":
        settings["tablet"] = settings.get("tablet", {}) | {"port": town.ports.tablet}
    if kind == "access_point":
        settings["wifi"] = _desk(town) | settings.get("wifi", {}) | _desk_ports(town)
    _write(path, before, settings, _ABOUT_AGENT + _ABOUT.get(kind, ""))


def _desk(town: Town) -> dict[str, Any]:
    """An access point on a desk: the portal can be looked at, and no packet of this machine is touched."""
    return {
        "guests": "desk",
        "enforce": "nothing",
        "listen": HOST,
        "run_dir": str(town.folder / "access_point" / "run"),
    }


def _desk_ports(town: Town) -> dict[str, Any]:
    return {"http_port": town.ports.probes, "https_port": town.ports.portal}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(path, "(file)", str(error), "a TOML file in UTF-8") from error


def _write(path: Path, before: dict[str, Any], settings: dict[str, Any], about: str) -> None:
    if settings != before:
        settings_file.write(path, settings, about=about)


def supervisord(town: Town) -> str:
    """supervisord's configuration: the hub's machine and one group a device."""
    root = "user=root\n" if os.geteuid() == 0 else ""
    lines = f"""; Written anew at each start by `machinaka-provision town run`.
[supervisord]
nodaemon=true
silent=true
{root}logfile={town.log}/supervisord.log
logfile_maxbytes=1MB
logfile_backups=1
pidfile={town.folder}/supervisord.pid

[unix_http_server]
file={town.socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

"""
    hub: dict[str, list[str | Path]] = {
        "mosquitto": [program("mosquitto"), "-c", town.mosquitto_conf],
        "hub": [command("machinaka-hub"), "serve", "--settings", town.hub_toml],
    }
    lines += _group(town, "hub", hub, priority=1, autostart=True)
    for kind in KINDS:
        programs: dict[str, list[str | Path]] = {
            "agent": [command("machinaka-agent"), "run", "--settings", town.agent_toml(kind)]
        }
        if kind == "terminal" and reader_of(town).startswith("udp:"):
            field: list[str | Path] = [command("machinaka-agent"), "field", "--port", str(town.ports.field)]
            programs = {"field": field, **programs}
        lines += _group(town, device_name(kind), programs, priority=10, autostart=False)
    return lines


def _group(town: Town, group: str, programs: dict[str, list[str | Path]], *, priority: int, autostart: bool) -> str:
    blocks = [
        _program(town, group, name, words, priority=place, autostart=autostart)
        for place, (name, words) in enumerate(programs.items(), start=1)
    ]
    names = ",".join(f"{group}-{name}" for name in programs)
    return "\n".join([*blocks, f"[group:{group}]", f"programs={names}", f"priority={priority}", "", ""])


def _program(town: Town, group: str, name: str, words: list[str | Path], *, priority: int, autostart: bool) -> str:
    # A supervisord that is killed must not leave its processes behind: each is told of its parent's end.
    line = shlex.join([program("setpriv"), "--pdeathsig", "TERM", "--", *map(str, words)])
    return f"""[program:{group}-{name}]
process_name={name}
command={line}
priority={priority}
autostart={str(autostart).lower()}
autorestart=true
startsecs=1
startretries=20
stopwaitsecs=3
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={log_of(town, group, name)}
stdout_logfile_maxbytes=1MB
stdout_logfile_backups=2
"""


def log_of(town: Town, group: str, name: str) -> Path:
    """Where a process's words go."""
    return town.log / (f"{name}.log" if group == "hub" else f"{group}-{name}.log")
