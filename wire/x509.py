"""The town's certificates (RFC 5280): what each is good for, and what a request must look like to get one.

1. One root, kept off-line, signs two issuers: one for devices (client authentication), one for servers.
   Neither can do the other's work: the purpose stands in the issuer and in each leaf.
2. A device's key is made on the device; here are only requests (PKCS #10), which carry the public half.
3. A common name is a device's name and nothing else: a broker builds access rules from it, so a name with
   `+`, `#` or `/` would reach beyond its own topics (CVE-2017-7650).
4. The hub's own name has a full stop, which no device's can have.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Literal, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wire import topics

HUB_NAME = "hub.machinaka"
DEVICE_DAYS = 90
SERVER_DAYS = 397
HUB_DAYS = 90
ISSUER_DAYS = 3 * 365
ROOT_DAYS = 10 * 365
# After its end brokers refuse everybody: it is made anew daily, and its age is an alarm a fortnight before.
CRL_DAYS = 30
WATCH_DAYS = 14
# A device whose clock runs a little late must not find its certificate of the future.
BACKDATED = timedelta(minutes=5)

Purpose = Literal["devices", "servers"]
# What reading bytes that are no good request can end with; a curve or a hash of its own making among them.
_UNREADABLE = (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion)
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_USAGE = {"devices": ExtendedKeyUsageOID.CLIENT_AUTH, "servers": ExtendedKeyUsageOID.SERVER_AUTH}


class BadRequest(Exception):
    """A request that gets no certificate; one plain sentence."""


class BadChain(Exception):
    """A chain of certificates that proves nothing here; one plain sentence."""


class Authority(NamedTuple):
    """A certificate that may sign others, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Withdrawn(NamedTuple):
    """A certificate that is no longer good: its serial number and since when."""

    serial: int
    since: datetime


def make_key() -> ec.EllipticCurvePrivateKey:
    """A new key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def make_root(town: str, now: datetime) -> Authority:
    """The town's root, self-signed, for ten years."""
    key = make_key()
    name = _name(f"{town} machinaka root")
    builder = _builder(name, name, key.public_key(), now, ROOT_DAYS)
    builder = _as_authority(builder, path_length=1)
    return Authority(builder.sign(key, hashes.SHA256()), key)


def make_issuer(root: Authority, town: str, purpose: Purpose, now: datetime) -> Authority:
    """An issuer below the root that can sign leaves of one purpose only, for three years."""
    key = make_key()
    name = _name(f"{town} machinaka {purpose} {now:%Y%m%d}")
    builder = _builder(name, root.certificate.subject, key.public_key(), now, ISSUER_DAYS)
    builder = _as_authority(builder, path_length=0)
    builder = builder.add_extension(x509.ExtendedKeyUsage([_USAGE[purpose]]), critical=False)
    builder = _of_issuer(builder, root)
    return Authority(builder.sign(root.key, hashes.SHA256()), key)


def make_request(key: ec.EllipticCurvePrivateKey, device: str) -> bytes:
    """A device's request, in PEM: its name, its public key, and the proof that it has the private one."""
    request = x509.CertificateSigningRequestBuilder().subject_name(_name(device)).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def check_request(pem: bytes, device: str) -> x509.CertificateSigningRequest:
    """The request, when it is one for this device and of the only form allowed. Raises BadRequest."""
    try:
        request = x509.load_pem_x509_csr(pem)
        valid = request.is_signature_valid
        key = request.public_key()
        names = list(request.subject)
    except _UNREADABLE as error:
        raise BadRequest(f"the request cannot be read ({' '.join(str(error).split())})") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadRequest("the request's key is not one on P-256")
    if not valid:
        raise BadRequest("the request is not signed with its own key")
    if len(names) != 1 or names[0].oid != NameOID.COMMON_NAME:
        raise BadRequest("the request names more than a common name")
    found = str(names[0].value)
    if not topics.is_device(found):
        raise BadRequest(f"found the name {found!r}, expected a-z, 0-9 and - (at most 63)")
    if found != device:
        raise BadRequest(f"found a request of {found}, expected one of {device}")
    return request


def issue_device(
    issuer: Authority, request: x509.CertificateSigningRequest, device: str, now: datetime, *, days: int = DEVICE_DAYS
) -> x509.Certificate:
    """A device's certificate. Of the request only the key is taken over."""
    return _leaf(issuer, request.public_key(), device, "devices", now, days)  # type: ignore[arg-type]


def issue_hub(issuer: Authority, key: ec.EllipticCurvePublicKey, now: datetime) -> x509.Certificate:
    """The certificate with which the hub is a client of the broker."""
    return _leaf(issuer, key, HUB_NAME, "devices", now, HUB_DAYS)


def issue_server(
    issuer: Authority, key: ec.EllipticCurvePublicKey, hosts: Iterable[str], now: datetime
) -> x509.Certificate:
    """A server's certificate for host names and addresses; the first is its common name."""
    hosts = list(hosts)
    return _leaf(issuer, key, hosts[0], "servers", now, SERVER_DAYS, hosts)


def make_crl(
    issuer: Authority, withdrawn: Iterable[Withdrawn], number: int, now: datetime, *, valid_for: timedelta
) -> x509.CertificateRevocationList:
    """The list of an issuer's withdrawn certificates; after `valid_for` brokers refuse everybody."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now - BACKDATED)
        .next_update(now + valid_for)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_issuer_key(issuer), critical=False)
    )
    for one in withdrawn:
        revoked = x509.RevokedCertificateBuilder().serial_number(one.serial).revocation_date(one.since).build()
        builder = builder.add_revoked_certificate(revoked)
    return builder.sign(issuer.key, hashes.SHA256())


def pem(*certificates: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    """Certificates one after the other, the leaf first."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def key_pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes = b"") -> bytes:
    """A private key, encrypted when there is a passphrase."""
    how: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        how = serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


def load_authority(certificate: bytes, key: bytes, passphrase: bytes | None = None) -> Authority:
    """An authority from its two files. Raises ValueError, TypeError (a passphrase too many or too few)."""
    loaded = serialization.load_pem_private_key(key, passphrase)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise ValueError("the key is not one on a curve")  # noqa: TRY004 (the file is wrong, not the call)
    return Authority(x509.load_pem_x509_certificate(certificate), loaded)


def read_key(data: bytes) -> ec.EllipticCurvePrivateKey:
    """A device's key, in PEM. Raises ValueError."""
    try:
        key = serialization.load_pem_private_key(data, None)
    except TypeError as error:
        raise ValueError("the key is encrypted") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the key is not one on a curve")  # noqa: TRY004 (the file is wrong, not the call)
    return key


def read_certificate(data: bytes) -> x509.Certificate:
    """The first certificate in PEM. Raises ValueError."""
    return x509.load_pem_x509_certificate(data)


def common_name(certificate: x509.Certificate) -> str:
    """Whose certificate it is."""
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def fingerprint(certificate: x509.Certificate) -> str:
    """The SHA-256 of a certificate, in hex: what a person compares, and what a code carries of the root."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def key_name(key: CertificatePublicKeyTypes) -> str:
    """The SHA-256 of a public key, in hex: the same for a request and for the certificate that it gets."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(der)
    return digest.finalize().hex()


def serial_text(certificate: x509.Certificate) -> str:
    """The serial number as people and the register have it: hex, 40 digits."""
    return f"{certificate.serial_number:040x}"


def end_ms(certificate: x509.Certificate) -> int:
    """When a certificate ends, in UTC milliseconds."""
    return int(certificate.not_valid_after_utc.timestamp()) * 1000


def begin_ms(certificate: x509.Certificate) -> int:
    """When a certificate begins, in UTC milliseconds."""
    return int(certificate.not_valid_before_utc.timestamp()) * 1000


def read_leaf(chain: bytes) -> x509.Certificate:
    """The first certificate of a chain. Raises BadChain."""
    try:
        return x509.load_pem_x509_certificate(chain)
    except ValueError as error:
        raise BadChain("found no certificate, expected a chain in PEM") from error


def sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """A signature by a device's key (ECDSA, SHA-256)."""
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def is_signed(certificate: x509.Certificate, signature: bytes, data: bytes) -> bool:
    """Whether the holder of this certificate's key signed the data."""
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def check_chain(chain: bytes, root: x509.Certificate, device: str) -> x509.Certificate:
    """The leaf of a device's chain (leaf, issuer), when it leads to this root. Raises BadChain.

    Dates are not looked at: a device without a clock must be able to take its certificate.
    """
    try:
        leaf, issuer = x509.load_pem_x509_certificates(chain)
        leaf.verify_directly_issued_by(issuer)
        issuer.verify_directly_issued_by(root)
        authority = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        purposes = [
            purpose
            for one in (leaf, issuer)
            for purpose in one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        ]
        name = common_name(leaf)
    except (ValueError, TypeError, IndexError, InvalidSignature, x509.ExtensionNotFound) as error:
        raise BadChain(f"the chain does not lead to the town's root ({type(error).__name__} {error})") from error
    if not authority or set(purposes) != {_USAGE["devices"]}:
        raise BadChain("the chain is not one of the devices' issuer")
    if name != device:
        raise BadChain(f"the certificate is for {name!r}, not for {device!r}")
    return leaf


def moment(at_ms: int) -> datetime:
    """A time in UTC milliseconds as certificates have it: whole seconds."""
    return datetime.fromtimestamp(at_ms // 1000, UTC)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _as_authority(builder: x509.CertificateBuilder, *, path_length: int) -> x509.CertificateBuilder:
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True).add_extension(
        _key_usage(signs_certificates=True), critical=True
    )


def _leaf(
    issuer: Authority,
    key: ec.EllipticCurvePublicKey,
    name: str,
    purpose: Purpose,
    now: datetime,
    days: int,
    hosts: Iterable[str] = (),
) -> x509.Certificate:
    # Never longer than its issuer: a chain that ends in the middle is refused without a good word why.
    days = min(days, (issuer.certificate.not_valid_after_utc - now).days)
    builder = _builder(_name(name), issuer.certificate.subject, key, now, days)
    builder = (
        _of_issuer(builder, issuer)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([_USAGE[purpose]]), critical=False)
    )
    names = [host_name(host) for host in hosts]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer.key, hashes.SHA256())


def host_name(host: str) -> x509.GeneralName:
    """A host's name or address as a server's certificate has it. Raises ValueError."""
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        if _HOST.fullmatch(host) is None or len(host) > 253:
            raise
        return x509.DNSName(host)


def _of_issuer(builder: x509.CertificateBuilder, issuer: Authority) -> x509.CertificateBuilder:
    return builder.add_extension(_issuer_key(issuer), critical=False)


def _issuer_key(issuer: Authority) -> x509.AuthorityKeyIdentifier:
    its = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(its)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
