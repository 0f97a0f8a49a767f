"""Where a phone asks about the portal's certificate is open before a login (RFC 8908, section 4)."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID

from edge_agent.wifi.garden import certificate_names


def _pem(*extensions: x509.ExtensionType) -> str:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _at(uri: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(uri)


def test_the_names_of_all_certificates_of_a_chain_are_found_once() -> None:
    access = x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP, _at("http://OCSP.ca.example/a")),
            x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, _at("http://issuer.ca.example/i.crt")),
        ]
    )
    lists = x509.CRLDistributionPoints(
        [x509.DistributionPoint([_at("http://crl.ca.example/1.crl")], None, None, None) for _ in range(2)]
    )
    assert certificate_names(_pem(access) + _pem(lists, access)) == ("ocsp.ca.example", "crl.ca.example")


def test_a_certificate_that_names_nobody_opens_nothing() -> None:
    assert certificate_names(_pem()) == ()
    assert certificate_names("") == ()
    with pytest.raises(ValueError):
        certificate_names("no certificate")
