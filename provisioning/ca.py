"""The town's own certificate authority: the root on the officer's stick, what a hub may issue from, and their ends.

1. The root's key never goes to the hub. It signs two issuers, of devices and of servers, and is then put away.
2. Nothing is written over unless it is asked for.
3. What a list once withdrew stays withdrawn (`wire/ca_folder.py`).
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509 as certificates

from wire import ca_folder, whole_file, x509
from wire.ca_folder import BadFolder, Crl
from wire.x509 import Authority, Withdrawn

_SERIAL_DIGITS = 40


class Mistake(Exception):
    """What a person got wrong; one plain sentence."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing with an end, and what to do before it."""

    what: str
    end: datetime
    then: str


def make_root(folder: Path, town: str, passphrase: bytes, now: datetime) -> str:
    """A new root in a folder; its fingerprint. Raises Mistake, OSError."""
    if not town.strip() or len(town) > 40:
        raise Mistake(f"--town: found {town!r}, expected the town's name, at most 40 characters")
    for name in ("root.pem", "root.key"):
        if (folder / name).exists():
            raise Mistake(f"{folder / name}: is there already, and devices may trust it; choose another folder")
    root = x509.make_root(town, now)
    whole_file.make_folder(folder)
    whole_file.write(folder / "root.key", x509.key_pem(root.key, passphrase))
    whole_file.write(folder / "root.pem", x509.pem(root.certificate))
    return x509.fingerprint(root.certificate)


def read_root(folder: Path, passphrase: bytes | None) -> Authority:
    """The root with its key. Raises Mistake."""
    try:
        return x509.load_authority(
            (folder / "root.pem").read_bytes(), (folder / "root.key").read_bytes(), passphrase or None
        )
    except OSError as error:
        raise Mistake(f"{error.filename}: {error.strerror}; expected a root made by `ca init`") from error
    except TypeError as error:
        wanted = "--passphrase-file" if not passphrase else "no --passphrase-file"
        raise Mistake(f"{folder / 'root.key'}: found {_encrypted(passphrase)}, expected {wanted}") from error
    except ValueError as error:
        raise Mistake(f"{folder / 'root.key'}: cannot be read; is it this root's passphrase?") from error


def _encrypted(passphrase: bytes | None) -> str:
    return "a key without a passphrase" if passphrase else "an encrypted key"


def issue(root: Authority, hub_ca: Path, hosts: Sequence[str], now: datetime, *, again: bool = False) -> None:
    """Issuers for a hub, and from them the hub's and the broker's certificates and a first list of the withdrawn.

    `again` when issuers are there: the devices' former one stays until its last certificate has ended.
    Raises Mistake, BadFolder, OSError.
    """
    _check_hosts(hosts)
    town = _town_of(root)
    if (hub_ca / "devices.pem").exists():
        if not again:
            raise Mistake(f"{hub_ca}: has issuers already; --again makes new ones beside them")
        if ca_folder.read(hub_ca).root != root.certificate:
            raise Mistake(f"{hub_ca}: found issuers of another root; its devices would not trust new ones")
    devices, servers = (x509.make_issuer(root, town, purpose, now) for purpose in ("devices", "servers"))
    ca_folder.write_issuers(hub_ca, root.certificate, devices, servers)
    folder = ca_folder.read(hub_ca)
    ca_folder.issue_hub(folder, now)
    ca_folder.issue_broker(folder, hosts, now)
    ca_folder.write_crl(folder, (), now)
    give_to_owner(hub_ca)


def _check_hosts(hosts: Sequence[str]) -> None:
    for host in hosts:
        try:
            x509.host_name(host)
        except ValueError as error:
            raise Mistake(f"--host: found {host!r}, expected a host name or an address") from error
    if not hosts:
        raise Mistake("--host: found nothing, expected the name or address that devices reach the broker by")


def _town_of(root: Authority) -> str:
    return x509.common_name(root.certificate).removesuffix(" machinaka root")


def give_to_owner(hub_ca: Path) -> None:
    """Root's work belongs to whoever the hub runs as: the owner of its folder. Raises OSError."""
    if os.geteuid() != 0:
        return
    owner = hub_ca.parent.stat()
    for path in (hub_ca, *hub_ca.iterdir()):
        os.chown(path, owner.st_uid, owner.st_gid)


def revoke(hub_ca: Path, serials: Sequence[str], now: datetime) -> Crl:
    """Puts certificates on the list by their serial numbers (hex). Raises Mistake, BadFolder, OSError."""
    withdrawn = [Withdrawn(_serial(text), now) for text in serials]
    return _write_crl(hub_ca, withdrawn, now)


def _serial(text: str) -> int:
    plain = text.replace(":", "").lower()
    if not plain or len(plain) > _SERIAL_DIGITS or set(plain) - set("0123456789abcdef"):
        raise Mistake(f"--serial: found {text!r}, expected a serial number of at most {_SERIAL_DIGITS} hex digits")
    return int(plain, 16)


def renew_crl(hub_ca: Path, now: datetime) -> Crl:
    """The list anew, for thirty days more: for a hub that was away for long. Raises BadFolder, OSError."""
    return _write_crl(hub_ca, (), now)


def _write_crl(hub_ca: Path, withdrawn: Sequence[Withdrawn], now: datetime) -> Crl:
    crl = ca_folder.write_crl(ca_folder.read(hub_ca), withdrawn, now)
    give_to_owner(hub_ca)
    return crl


def lines(root_folder: Path | None, hub_ca: Path | None) -> list[Line]:
    """Everything that has an end, the nearest first. Raises BadFolder."""
    found: list[Line] = []
    if root_folder is not None:
        root = ca_folder.read_certificate(root_folder / "root.pem")
        found.append(Line("the town's root", root.not_valid_after_utc, "make a new town root and enrol every device"))
    if hub_ca is not None:
        found += _hub_lines(hub_ca)
    return sorted(found, key=lambda line: line.end)


def _hub_lines(hub_ca: Path) -> list[Line]:
    anew = "take the root's stick and run `ca issue --again`"
    itself = "the hub renews it by itself: see that the hub runs"
    found = [
        Line("the issuer of devices", _end(hub_ca / "devices.pem"), anew),
        Line("the issuer of servers", _end(hub_ca / "servers.pem"), anew),
        Line("the hub's certificate", _end(hub_ca / "hub.pem"), itself),
        Line("the broker's certificate", _end(hub_ca / "broker.pem"), itself),
    ]
    crl = ca_folder.read_crl(hub_ca)
    if crl is None:
        raise BadFolder(f"{hub_ca / 'crl.pem'}: found no list of the withdrawn; `ca crl` makes one")
    end = datetime.fromtimestamp(crl.end_ms // 1000, UTC)
    found.append(Line(f"the list of the withdrawn (number {crl.number}, {len(crl.withdrawn)} in it)", end, itself))
    return found


def _end(path: Path) -> datetime:
    certificate: certificates.Certificate = ca_folder.read_certificate(path)
    return certificate.not_valid_after_utc


# ---- commands


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `ca init|issue|revoke|crl|status`."""
    parser = commands.add_parser("ca", help="the town's certificates: root, issuers, the list of the withdrawn")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    known: dict[str, tuple[str, Callable[[argparse.Namespace], int]]] = {
        "init": ("make the town's root, on a stick that is put away", _init),
        "issue": ("give a hub its issuers and certificates", _issue),
        "revoke": ("put certificates on the hub's list of the withdrawn", _revoke),
        "crl": ("make that list anew, for thirty days", _crl),
        "status": ("what ends when, and what to do; code 1 when something ends within a fortnight", _status),
    }
    for name, (about, run) in known.items():
        action = actions.add_parser(name, help=about, description=about)
        action.set_defaults(run=run)
        if name in ("init", "issue"):
            action.add_argument("--folder", type=Path, required=True, metavar="DIR", help="the root's folder")
            action.add_argument("--passphrase-file", type=Path, metavar="FILE", help="what encrypts the root's key")
        if name == "init":
            action.add_argument("--town", required=True, metavar="NAME")
        if name in ("issue", "revoke", "crl"):
            action.add_argument("--hub", type=Path, required=True, metavar="DIR", help="the hub's state_dir")
        if name == "issue":
            action.add_argument("--host", action="append", required=True, metavar="NAME", help="the broker's; repeat")
            action.add_argument("--again", action="store_true", help="make new issuers beside those that are there")
        if name == "revoke":
            action.add_argument("--serial", action="append", required=True, metavar="HEX", help="repeat for more")
        if name == "status":
            action.add_argument("--folder", type=Path, metavar="DIR", help="the root's folder")
            action.add_argument("--hub", type=Path, metavar="DIR", help="the hub's state_dir")


def _passphrase(path: Path | None) -> bytes:
    if path is None:
        return b""
    try:
        found = path.read_bytes().strip(b"\r\n")
    except OSError as error:
        raise Mistake(f"--passphrase-file: {path}: {error.strerror}") from error
    if len(found) < 8:
        raise Mistake(f"--passphrase-file: {path}: found {len(found)} bytes, expected at least 8")
    return found


def _init(given: argparse.Namespace) -> int:
    passphrase = _passphrase(given.passphrase_file)
    found = make_root(given.folder, given.town, passphrase, _now())
    print(f"{given.folder}: the root of {given.town}, SHA-256 {found}")
    if not passphrase:
        print("Its key is not encrypted: keep the folder on a stick in a locked drawer, or use --passphrase-file.")
    print("Next: machinaka-provision ca issue --folder … --hub … --host …")
    return 0


def _issue(given: argparse.Namespace) -> int:
    root = read_root(given.folder, _passphrase(given.passphrase_file))
    if not given.hub.is_dir():
        raise Mistake(f"--hub: {given.hub}: no such folder; expected the hub's state_dir")
    issue(root, given.hub / "ca", given.host, _now(), again=given.again)
    print(f"{given.hub / 'ca'}: issuers, and certificates of the hub and of the broker at {', '.join(given.host)}")
    print("Next: put the root's folder away, and start broker and hub anew.")
    return 0


def _revoke(given: argparse.Namespace) -> int:
    return _say_crl(given.hub, revoke(given.hub / "ca", given.serial, _now()))


def _crl(given: argparse.Namespace) -> int:
    return _say_crl(given.hub, renew_crl(given.hub / "ca", _now()))


def _say_crl(hub: Path, crl: Crl) -> int:
    end = datetime.fromtimestamp(crl.end_ms // 1000, UTC)
    print(f"{hub / 'ca' / 'crl.pem'}: number {crl.number}, {len(crl.withdrawn)} withdrawn, until {end:%Y-%m-%d}")
    print("Next: start the broker anew; it reads the list only then, and ends nobody's connection by it.")
    return 0


def _status(given: argparse.Namespace) -> int:
    if given.folder is None and given.hub is None:
        raise Mistake("ca status: expected --folder, --hub or both")
    now = _now()
    near = now + timedelta(days=x509.WATCH_DAYS)
    found = lines(given.folder, given.hub / "ca" if given.hub else None)
    for line in found:
        left = f"ended {(now - line.end).days} days ago" if line.end < now else f"{(line.end - now).days} days left"
        print(f"{line.end:%Y-%m-%d}  {line.what}: {left}")
        if line.end < near:
            print(f"            Next: {line.then}.")
    return int(any(line.end < near for line in found))


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def run(given: argparse.Namespace) -> int:
    """Runs one command; 2 for what a person got wrong."""
    try:
        code: int = given.run(given)
    except (Mistake, BadFolder) as sentence:
        sys.stderr.write(f"machinaka-provision: {sentence}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"machinaka-provision: {error.filename}: {error.strerror}\n")
        return 2
    return code
