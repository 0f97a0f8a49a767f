"""The hub's issuers: gives devices certificates, makes the list of the withdrawn, keeps the hub's and the broker's
own certificates fresh.  Files; the register of what was issued is the database (`store.py`).

The keys are read once; certificates and lists are made in any thread.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wire import ca_folder, x509
from wire.ca_folder import BadFolder, Crl
from wire.x509 import Withdrawn

__all__ = ["Authority", "BadFolder", "Crl", "Issued", "Renewed", "Withdrawn"]


@dataclass(frozen=True, slots=True)
class Issued:
    """A device's new certificate, as the register keeps it. `chain` is PEM: the leaf, then its issuer."""

    device: str
    serial: str
    key_name: str
    begin_ms: int
    end_ms: int
    chain: str


@dataclass(frozen=True, slots=True)
class Renewed:
    """Which of the hub's own certificates were made anew. The broker reads its own only when it starts."""

    hub: bool
    broker: bool


class Authority:
    """One a hub. Raises BadFolder when the folder is not a hub's."""

    def __init__(self, folder: Path) -> None:
        self._folder = ca_folder.read(folder)
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self._folder.path

    @property
    def root_pem(self) -> str:
        """The town's root, which every device trusts."""
        return x509.pem(self._folder.root).decode()

    @property
    def root_fingerprint(self) -> str:
        """The SHA-256 of the root, in hex: a code carries it, so that a device knows its town."""
        return x509.fingerprint(self._folder.root)

    @property
    def root_end_ms(self) -> int:
        """When the town's root ends."""
        return x509.end_ms(self._folder.root)

    @property
    def issuer_end_ms(self) -> int:
        """When the issuers end; the officer makes new ones before (`machinaka-provision ca issue`)."""
        return min(x509.end_ms(one.certificate) for one in (self._folder.devices, self._folder.servers))

    def issue(self, request: bytes, device: str, now_ms: int) -> Issued:
        """A certificate for a device's request (PEM). Raises x509.BadRequest."""
        checked = x509.check_request(request, device)
        issuer = self._folder.devices
        leaf = x509.issue_device(issuer, checked, device, x509.moment(now_ms))
        return Issued(
            device,
            x509.serial_text(leaf),
            x509.key_name(checked.public_key()),
            x509.begin_ms(leaf),
            x509.end_ms(leaf),
            x509.pem(leaf, issuer.certificate).decode(),
        )

    def crl(self) -> Crl | None:
        """The list that the broker reads; None when there is none."""
        return ca_folder.read_crl(self.folder)

    def write_crl(self, withdrawn: Iterable[Withdrawn], now_ms: int) -> Crl:
        """Makes the list anew, for thirty days. The broker reads it only when it starts. Raises OSError."""
        with self._lock:
            return ca_folder.write_crl(self._folder, withdrawn, x509.moment(now_ms))

    def renew_own(self, now_ms: int) -> Renewed:
        """Makes the hub's and the broker's certificates anew where two thirds of their life are over, or where a
        power cut left a key that does not fit. Raises OSError, BadFolder when there never was one."""
        now = x509.moment(now_ms)
        with self._lock:
            hub, broker = (ca_folder.leaf(self.folder, name) for name in ("hub", "broker"))
            if hub.is_due(now_ms):
                ca_folder.issue_hub(self._folder, now)
            if broker.is_due(now_ms):
                ca_folder.issue_broker(self._folder, broker.hosts, now)
            return Renewed(hub.is_due(now_ms), broker.is_due(now_ms))
