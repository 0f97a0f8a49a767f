"""The hub's folder of certificates: provisioning fills it, the hub lives on it, the broker reads from it.

    root.pem                      the town's root; its key is not here
    devices.pem  devices.key      the issuer of devices (and of the hub as a client of the broker)
    servers.pem  servers.key      the issuer of servers
    hub.pem      hub.key          the hub as a client of the broker: chain, key
    broker.pem   broker.key       the broker as a server: chain, key
    crl.pem                       the lists of the withdrawn, one for each issuer of devices
    devices.former-<n>.pem .key   issuers before this one, whose certificates may still be about

1. Each file is whole or not there. Of a pair the key is written first; a pair that does not fit is made anew.
2. What a list once withdrew stays withdrawn, whoever makes the next list.
3. A list's number only rises: by one, or to the time in seconds when the list before is lost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from cryptography import x509 as certificates
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from wire import whole_file, x509
from wire.x509 import Authority, Withdrawn

Leaf = Literal["hub", "broker"]


class BadFolder(Exception):
    """The folder is not what it should be; one plain sentence."""


@dataclass(frozen=True, slots=True)
class Folder:
    """What can be issued from: read once, used from any thread."""

    path: Path
    root: certificates.Certificate
    devices: Authority
    servers: Authority
    former: tuple[Authority, ...] = ()


@dataclass(frozen=True, slots=True)
class Crl:
    """The list of the withdrawn: its number, when it was made and until when brokers take it (UTC ms)."""

    number: int
    made_ms: int
    end_ms: int
    withdrawn: tuple[Withdrawn, ...]


@dataclass(frozen=True, slots=True)
class Leaves:
    """One of the folder's own certificates: whether its key fits, its names, its life (UTC ms)."""

    fits: bool
    hosts: tuple[str, ...]
    begin_ms: int
    end_ms: int

    def is_due(self, now_ms: int) -> bool:
        """Whether it is to be made anew: it does not fit, or two thirds of its life are over."""
        return not self.fits or now_ms >= self.begin_ms + (self.end_ms - self.begin_ms) * 2 // 3


def read(path: Path) -> Folder:
    """The folder. Raises BadFolder."""
    former = tuple(_authority(path, each.stem) for each in sorted(path.glob("devices.former-*.pem")))
    devices, servers = _authority(path, "devices"), _authority(path, "servers")
    return Folder(path, read_certificate(path / "root.pem"), devices, servers, former)


def read_certificate(path: Path) -> certificates.Certificate:
    """The first certificate in a file. Raises BadFolder."""
    try:
        return certificates.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise BadFolder(f"{path}: {error.strerror}; expected a certificate") from error
    except ValueError as error:
        raise BadFolder(f"{path}: found no certificate in it, expected one in PEM") from error


def _authority(path: Path, name: str) -> Authority:
    file = path / f"{name}.pem"
    try:
        return x509.load_authority(file.read_bytes(), (path / f"{name}.key").read_bytes())
    except OSError as error:
        raise BadFolder(f"{error.filename}: {error.strerror}; expected an issuer of certificates") from error
    except (ValueError, TypeError) as error:
        raise BadFolder(f"{file}: cannot be read ({error}), expected an issuer of certificates and its key") from error


def write_issuers(path: Path, root: certificates.Certificate, devices: Authority, servers: Authority) -> None:
    """New issuers; the devices' one before stays beside it as a former one. Raises OSError."""
    whole_file.make_folder(path)
    if (path / "devices.pem").exists():
        number = 1 + len(list(path.glob("devices.former-*.pem")))
        for end in ("key", "pem"):
            whole_file.write(path / f"devices.former-{number}.{end}", (path / f"devices.{end}").read_bytes())
    for name, issuer in (("devices", devices), ("servers", servers)):
        whole_file.write(path / f"{name}.key", x509.key_pem(issuer.key))
        whole_file.write(path / f"{name}.pem", x509.pem(issuer.certificate))
    whole_file.write(path / "root.pem", x509.pem(root))


def issue_hub(folder: Folder, now: datetime) -> None:
    """The hub's certificate as a client of the broker, with a new key. Raises OSError."""
    key = x509.make_key()
    leaf = x509.issue_hub(folder.devices, key.public_key(), now)
    whole_file.write(folder.path / "hub.key", x509.key_pem(key))
    whole_file.write(folder.path / "hub.pem", x509.pem(leaf, folder.devices.certificate))


def issue_broker(folder: Folder, hosts: Sequence[str], now: datetime) -> None:
    """The broker's certificate for these host names and addresses, with a new key. Raises OSError."""
    key = x509.make_key()
    leaf = x509.issue_server(folder.servers, key.public_key(), hosts, now)
    whole_file.write(folder.path / "broker.key", x509.key_pem(key))
    whole_file.write(folder.path / "broker.pem", x509.pem(leaf, folder.servers.certificate))


def leaf(path: Path, name: Leaf) -> Leaves:
    """How one of the folder's own certificates is. Raises BadFolder when there is none."""
    found = read_certificate(path / f"{name}.pem")
    try:
        key = load_pem_private_key((path / f"{name}.key").read_bytes(), None)
        fits = key.public_key() == found.public_key()
    except (OSError, ValueError, TypeError):
        fits = False
    return Leaves(fits, _hosts(found), x509.begin_ms(found), x509.end_ms(found))


def _hosts(certificate: certificates.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(certificates.SubjectAlternativeName).value
    except certificates.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names)


def read_crl(path: Path) -> Crl | None:
    """The list of the withdrawn as the broker has it; None when there is none that can be read."""
    try:
        parts = _lists((path / "crl.pem").read_bytes())
        first = parts[0]
        number = first.extensions.get_extension_for_class(certificates.CRLNumber).value.crl_number
    except (OSError, ValueError, IndexError, certificates.ExtensionNotFound):
        return None
    withdrawn = {one.serial_number: one.revocation_date_utc for part in parts for one in part}
    ends = [part.next_update_utc for part in parts if part.next_update_utc]
    if not ends:
        return None
    made_ms = int((first.last_update_utc + x509.BACKDATED).timestamp()) * 1000
    found = tuple(Withdrawn(serial, since) for serial, since in withdrawn.items())
    return Crl(number, made_ms, int(min(ends).timestamp()) * 1000, found)


def write_crl(folder: Folder, withdrawn: Iterable[Withdrawn], now: datetime) -> Crl:
    """A new list: these, and whatever the list before withdrew. Raises OSError."""
    before = read_crl(folder.path)
    every = {one.serial: one for one in before.withdrawn} if before else {}
    every.update({one.serial: one for one in withdrawn})
    number = before.number + 1 if before else int(now.timestamp())
    ordered = sorted(every.values())
    lists = [
        x509.make_crl(issuer, ordered, number, now, valid_for=timedelta(days=x509.CRL_DAYS))
        for issuer in (folder.devices, *folder.former)
    ]
    whole_file.write(folder.path / "crl.pem", x509.pem(*lists))
    end_ms = int((now + timedelta(days=x509.CRL_DAYS)).timestamp()) * 1000
    return Crl(number, int(now.timestamp()) * 1000, end_ms, tuple(ordered))


_END = b"-----END X509 CRL-----\n"


def _lists(data: bytes) -> list[certificates.CertificateRevocationList]:
    return [certificates.load_pem_x509_crl(part + _END) for part in data.split(_END) if part.strip()]
