"""Certificates for devices that are none, made from the hub's own issuer and good for a day."""

import ssl
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from wire import x509


class NoIssuer(Exception):
    """The folder is not the hub's; one plain sentence."""


class Identities:
    """Makes a certificate for any name. All have one key: the broker looks at names only."""

    def __init__(self, ca: Path) -> None:
        try:
            self._issuer = x509.load_authority((ca / "devices.pem").read_bytes(), (ca / "devices.key").read_bytes())
            self._root = str(ca / "root.pem")
            self._open()
        except (OSError, ValueError, TypeError) as error:
            raise NoIssuer(f"{ca}: found no issuer of devices ({error}), expected the hub's folder `ca`") from error
        self._key = x509.make_key()
        self._folder = tempfile.TemporaryDirectory(prefix="machinaka-simulated-")
        self._file = Path(self._folder.name) / "device.pem"

    def context(self, name: str) -> ssl.SSLContext:
        """How a device of this name shows who it is."""
        request = x509.check_request(x509.make_request(self._key, name), name)
        leaf = x509.issue_device(self._issuer, request, name, datetime.now(UTC), days=1)
        self._file.write_bytes(x509.key_pem(self._key) + x509.pem(leaf, self._issuer.certificate))
        context = self._open()
        context.load_cert_chain(self._file)
        return context

    def _open(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._root)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context
