"""A town's certificates for tests: made once a run, with real keys; a device's when it is first asked for."""

import functools
import os
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wire import x509

HOSTS = ("127.0.0.1", "localhost")


class Pki:
    """A town's authorities in a folder laid out as the hub's `ca` folder, and its devices' identities."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.withdrawn: list[x509.Withdrawn] = []
        self._crls = 0
        if (folder / "root.key").exists():
            self.root, self.devices, self.servers = map(self._read, ("root", "devices", "servers"))
        else:
            self._make(datetime.now(UTC))

    def _make(self, now: datetime) -> None:
        self.root = x509.make_root("Test", now)
        self.devices = x509.make_issuer(self.root, "Test", "devices", now)
        self.servers = x509.make_issuer(self.root, "Test", "servers", now)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, issuer in (("root", self.root), ("devices", self.devices), ("servers", self.servers)):
            self._write(f"{name}.pem", x509.pem(issuer.certificate))
            self._write(f"{name}.key", x509.key_pem(issuer.key))
        key = x509.make_key()
        self._write("broker.key", x509.key_pem(key))
        broker = x509.issue_server(self.servers, key.public_key(), HOSTS, now)
        self._write("broker.pem", x509.pem(broker, self.servers.certificate))
        key = x509.make_key()
        self._write("hub.key", x509.key_pem(key))
        hub = x509.issue_hub(self.devices, key.public_key(), now)
        self._write("hub.pem", x509.pem(hub, self.devices.certificate))
        self.write_crl()

    def write_crl(self, valid_for_days: int = 30) -> None:
        """The list of the revoked, anew."""
        self._crls += 1
        crl = x509.make_crl(
            self.devices, self.withdrawn, self._crls, datetime.now(UTC), valid_for=timedelta(days=valid_for_days)
        )
        self._write("crl.pem", x509.pem(crl))

    def identity(self, device: str, folder: Path | None = None, *, days: int = x509.DEVICE_DAYS) -> Path:
        """A device's identity folder, made when it is not there."""
        folder = folder or self.folder / "identities" / device
        if not (folder / "certificate.pem").exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            key = x509.make_key()
            request = x509.check_request(x509.make_request(key, device), device)
            leaf = x509.issue_device(self.devices, request, device, datetime.now(UTC), days=days)
            (folder / "key.pem").write_bytes(x509.key_pem(key))
            (folder / "certificate.pem").write_bytes(x509.pem(leaf, self.devices.certificate))
            (folder / "root.pem").write_bytes(x509.pem(self.root.certificate))
        return folder

    @functools.lru_cache(maxsize=4096)  # noqa: B019 (one for the whole run)
    def context(self, device: str) -> ssl.SSLContext:
        """What a device's connection needs. `hub` is the hub itself."""
        folder = self.folder if device == "hub" else self.identity(device)
        name = "hub" if device == "hub" else "certificate"
        context = ssl.create_default_context(cafile=str(self.folder / "root.pem"))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(folder / f"{name}.pem", folder / ("hub.key" if device == "hub" else "key.pem"))
        return context

    def _read(self, name: str) -> x509.Authority:
        return x509.load_authority(
            (self.folder / f"{name}.pem").read_bytes(), (self.folder / f"{name}.key").read_bytes()
        )

    def _write(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)


@functools.cache
def pki() -> Pki:
    """The one town of this run; the processes that a test starts are of the same."""
    folder = os.environ.setdefault("MACHINAKA_TEST_PKI", tempfile.mkdtemp(prefix="machinaka-pki-"))
    return Pki(Path(folder))
