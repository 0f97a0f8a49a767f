"""Ports of a town: which are wanted, which are free, and who holds those that are not."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import psutil

from wire import settings_file

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
# (name, port) -> whether it is free
IsFree = Callable[[str, int], bool]

HOST = "127.0.0.1"
UDP = frozenset({"field"})


class Ports(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a town's programs listen, all on this machine only: the defaults are those of a first run."""

    broker: Port = 8883
    hub: Port = 8080
    kiosk: Port = 8081
    field: Port = 47000
    portal: Port = 8443
    probes: Port = 8090
    tablet: Port = 8091


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ports: Ports = Ports()


class NoFreePort(Exception):
    """No port above the wanted one is free."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A wanted port was taken, and this one stands in."""

    name: str
    taken: int
    chosen: int


def choose(wanted: Ports, is_free: IsFree) -> tuple[Ports, tuple[Moved, ...]]:
    """The wanted ports where they are free, otherwise the next that is nobody's. Raises NoFreePort."""
    names = Ports.__struct_fields__
    asked: dict[str, int] = {name: getattr(wanted, name) for name in names}
    chosen: dict[str, int] = {}
    for name, port in asked.items():
        others = (set(asked.values()) - {port}) | set(chosen.values())
        chosen[name] = _next(name, port, others, is_free)
    moved = tuple(Moved(name, asked[name], chosen[name]) for name in names if asked[name] != chosen[name])
    return Ports(**chosen), moved


def _next(name: str, port: int, others: set[int], is_free: IsFree) -> int:
    for candidate in range(port, 65536):
        if candidate not in others and is_free(name, candidate):
            return candidate
    raise NoFreePort(f"no port from {port} on is free for the {name}")


def is_free(name: str, port: int) -> bool:
    """Whether this machine lets us listen there, found out by trying."""
    kind = socket.SOCK_DGRAM if name in UDP else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # As the programs themselves do: a connection that is winding down holds nobody up.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def holder(name: str, port: int) -> str:
    """Who listens there, as far as this user may know."""
    unknown = "another program"
    try:
        found = psutil.net_connections("udp" if name in UDP else "tcp")
    except (psutil.Error, OSError):
        return unknown
    for one in found:
        if one.laddr and one.laddr.port == port and not one.raddr and one.pid:
            try:
                return f"{psutil.Process(one.pid).name()} (process {one.pid})"
            except psutil.Error:
                break
    return unknown


def recall(path: Path) -> Ports:
    """The ports that the town in this file had last. Raises BadSetting."""
    return settings_file.read(path, _File).ports if path.exists() else Ports()


def remember(path: Path, ports: Ports) -> None:
    """Keeps them for the next run."""
    about = "The ports of this town, all on this machine only. Change them here; `make run` carries them\n"
    about += "into the settings of the programs, and takes the next free one where one is taken."
    settings_file.write(path, {"ports": msgspec.structs.asdict(ports)}, about=about)
