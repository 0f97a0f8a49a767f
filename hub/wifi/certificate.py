"""The portal's certificate: brought from outside, or made by the town's own issuer until one is.

1. Guests' phones know public issuers only.  The town's own certificate is good for devices that know the town's root,
   and to try things out; everybody else is warned of it.  (RFC 8908, 4.1: a client that cannot validate the
   certificate must not use the API, and looks for a portal by its probes.)
2. One that was brought counts while it fits the portal's name and has not ended; after that the town's own again.
3. The town's own is made anew at two thirds of its life, and when the portal's name changes.
4. A chain is brought whole: leaf, then each issuer, up to one that was signed by a root which is known here.  A phone
   before the portal cannot fetch what is missing (RFC 8908, 4.1: no chains that need the authority information).
5. Key and chain lie in one file, so that none is ever without the other.
"""

import hmac
import ssl
import warnings
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import msgspec
from cryptography import x509 as certificates
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID

from wire import ca_folder, whole_file, x509

BROUGHT, OWN = "portal-brought.pem", "portal-own.pem"
# A brought one that ends so soon is told of: whoever brought it must do so again.
BEFORE_END_MS = 14 * 86_400_000
_LONGEST_BYTES = 16_384


class BadPortal(Exception):
    """A certificate or key that the portal cannot be served with; one plain sentence."""


class Portal(msgspec.Struct, frozen=True):
    """What the portal is served with. `chain` and `key` are PEM; times in UTC ms."""

    host: str
    chain: str
    key: str
    brought: bool
    begin_ms: int
    end_ms: int

    @property
    def ends_soon_at_ms(self) -> int:
        """From when on somebody should be told; the town's own is made anew long before."""
        return self.end_ms - BEFORE_END_MS

    def is_due(self, now_ms: int) -> bool:
        """Whether two thirds of its life are over."""
        return now_ms >= self.begin_ms + (self.end_ms - self.begin_ms) * 2 // 3


# ---- which one counts


def current(folder: Path, host: str, now_ms: int) -> Portal | None:
    """The one that counts now; None when there is none yet. Never makes one."""
    found = brought(folder, host)
    if found is not None and found.begin_ms <= now_ms < found.end_ms:
        return found
    return _read(folder / OWN, host)


def brought(folder: Path, host: str) -> Portal | None:
    """The one that was brought, also one that has ended; None when there is none for this name."""
    return _read(folder / BROUGHT, host)


def brought_end_ms(folder: Path) -> int | None:
    """When the one that was brought ends, whatever its name; None when there is none."""
    try:
        _, begins, rest = (folder / BROUGHT).read_bytes().partition(b"-----BEGIN CERTIFICATE-----")
        return x509.end_ms(certificates.load_pem_x509_certificate(begins + rest))
    except (OSError, ValueError):
        return None


def keep(folder: Path, ca: Path, host: str, now_ms: int) -> Portal:
    """The one that counts; the town's own is made (anew) where it is due. Raises BadFolder, OSError."""
    found = current(folder, host, now_ms)
    if found is not None and (found.brought or not found.is_due(now_ms)):
        return found
    return make_own(folder, ca, host, now_ms)


def make_own(folder: Path, ca: Path, host: str, now_ms: int) -> Portal:
    """A new one by the town's own issuer of servers, with a new key. Raises BadFolder, OSError."""
    issuer, key = ca_folder.read(ca).servers, x509.make_key()
    leaf = x509.issue_server(issuer, key.public_key(), [host], x509.moment(now_ms))
    _write(folder / OWN, x509.key_pem(key), x509.pem(leaf, issuer.certificate))
    made = _read(folder / OWN, host)
    assert made is not None  # noqa: S101 (it was written a moment ago)
    return made


def forget_brought(folder: Path) -> bool:
    """Takes the brought one away; whether there was one. Raises OSError."""
    there = (folder / BROUGHT).exists()
    whole_file.remove(folder / BROUGHT) if there else None
    return there


def _read(path: Path, host: str) -> Portal | None:
    """What lies there, when it fits the name. A file that is broken is as good as none."""
    try:
        key, begins, rest = path.read_bytes().partition(b"-----BEGIN CERTIFICATE-----")
        leaf = certificates.load_pem_x509_certificate(begins + rest)
        loaded = serialization.load_pem_private_key(key, None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if not _fits(loaded, leaf) or not _is_for(leaf, host):
        return None
    chain = (begins + rest).decode("ascii")
    is_brought = path.name == BROUGHT
    return Portal(host, chain, key.decode("ascii"), is_brought, x509.begin_ms(leaf), x509.end_ms(leaf))


def _write(path: Path, key: bytes, chain: bytes) -> None:
    whole_file.make_folder(path.parent)
    whole_file.write(path, key + chain)


# ---- one from outside


def bring(
    folder: Path, host: str, chain: bytes, key: bytes, roots: Sequence[certificates.Certificate], now_ms: int
) -> Portal:
    """Takes a chain (PEM, leaf first) and its key (PEM) for the portal's. Raises BadPortal, OSError."""
    loaded, found = _load_key(key), _load_chain(chain)
    leaf = found[0]
    if not _fits(loaded, leaf):
        raise BadPortal(
            "the key is not that of the first certificate; expected the portal's own first, then its issuers"
        )
    if not _is_for(leaf, host):
        raise BadPortal(f"the certificate is for {_names(leaf)}; expected one for {host}, the portal's name")
    _check_time(leaf, x509.moment(now_ms))
    _check_use(leaf)
    whole = _whole(found, [*roots], x509.moment(now_ms))
    plain = loaded.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    told = x509.pem(*whole)
    if max(len(plain), len(told)) > _LONGEST_BYTES:
        raise BadPortal(
            f"the chain or the key is larger than {_LONGEST_BYTES} bytes; expected the issuers it needs only"
        )
    _write(folder / BROUGHT, plain, told)
    made = _read(folder / BROUGHT, host)
    assert made is not None  # noqa: S101 (it was written a moment ago)
    return made


def known_roots(ca: Path) -> list[certificates.Certificate]:
    """The public roots that this machine knows, and the town's own."""
    found = []
    file = ssl.get_default_verify_paths().cafile
    if file is not None and Path(file).is_file():
        for part in Path(file).read_bytes().split(b"-----END CERTIFICATE-----\n"):
            if b"-----BEGIN" in part:
                found += _root(part + b"-----END CERTIFICATE-----\n")
    town = ca / "root.pem"
    return found + (_root(town.read_bytes()) if town.is_file() else [])


def _root(pem: bytes) -> list[certificates.Certificate]:
    try:
        # Some old root has a serial number that is none (RFC 5280, 4.1.2.2); that is no news for who brings a chain.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            return [certificates.load_pem_x509_certificate(pem)]
    except ValueError:
        return []


def _load_key(data: bytes) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(data, None)
    except TypeError as error:
        raise BadPortal("the key is encrypted; expected one without a passphrase") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadPortal("found no key, expected a private key in PEM") from error


def _load_chain(data: bytes) -> list[certificates.Certificate]:
    try:
        return certificates.load_pem_x509_certificates(data)
    except ValueError as error:
        raise BadPortal("found no certificate, expected a chain in PEM, the portal's own first") from error


def _fits(key: PrivateKeyTypes, leaf: certificates.Certificate) -> bool:
    how = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return hmac.compare_digest(key.public_key().public_bytes(*how), leaf.public_key().public_bytes(*how))


def _dns_names(leaf: certificates.Certificate) -> list[str]:
    try:
        names = leaf.extensions.get_extension_for_class(certificates.SubjectAlternativeName).value
    except (certificates.ExtensionNotFound, ValueError):
        return []
    return [name.lower() for name in names.get_values_for_type(certificates.DNSName)]


def _is_for(leaf: certificates.Certificate, host: str) -> bool:
    """As RFC 9525 has it: the name itself, or a star in place of its first label."""
    return bool({host, "*." + host.partition(".")[2]} & set(_dns_names(leaf)))


def _names(leaf: certificates.Certificate) -> str:
    return ", ".join(_dns_names(leaf)[:5]) or "no name"


def _check_time(one: certificates.Certificate, now: datetime) -> None:
    if one.not_valid_after_utc <= now:
        raise BadPortal(f"the certificate of {_subject(one)} ended on {one.not_valid_after_utc:%Y-%m-%d}")
    if one.not_valid_before_utc > now:
        raise BadPortal(f"the certificate of {_subject(one)} begins on {one.not_valid_before_utc:%Y-%m-%d}")


def _check_use(leaf: certificates.Certificate) -> None:
    try:
        uses = leaf.extensions.get_extension_for_class(certificates.ExtendedKeyUsage).value
    except certificates.ExtensionNotFound:
        return
    if ExtendedKeyUsageOID.SERVER_AUTH not in uses:
        raise BadPortal("the certificate is not one of a server; expected the use `TLS server authentication`")


def _whole(
    found: Sequence[certificates.Certificate], roots: Sequence[certificates.Certificate], now: datetime
) -> Sequence[certificates.Certificate]:
    """The chain without its root, when it leads to one that is known here."""
    for lower, upper in pairwise(found):
        if not _issued(lower, upper):
            raise BadPortal(f"{_subject(upper)} did not issue {_subject(lower)}; expected each one's issuer behind it")
        if not _may_issue(upper):
            raise BadPortal(f"{_subject(upper)} may not issue certificates; expected an issuer")
        _check_time(upper, now)
    for length, one in enumerate(found, 1):
        if any(_issued(one, root) for root in roots):
            # A root that was sent along is of no use to anybody: a phone has it, or does not believe it.
            return found[:length]
    last = found[-1]
    raise BadPortal(
        f"the chain is not complete: {_subject(last)} was issued by {last.issuer.rfc4514_string()}, which is neither "
        "in it nor among the roots of this machine; expected the file with all issuers (often `fullchain.pem`)"
    )


def _issued(lower: certificates.Certificate, upper: certificates.Certificate) -> bool:
    try:
        lower.verify_directly_issued_by(upper)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _may_issue(one: certificates.Certificate) -> bool:
    try:
        return one.extensions.get_extension_for_class(certificates.BasicConstraints).value.ca
    except (certificates.ExtensionNotFound, ValueError):
        return False


def _subject(one: certificates.Certificate) -> str:
    return one.subject.rfc4514_string() or _names(one)
