"""Certificates: what each is good for, and that a request for anything else than one's own name gets none."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509 as plain
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.golden_keys import CHAIN, REQUEST
from wire import topics, x509
from wire.x509 import BACKDATED, Authority, BadRequest, Purpose, Withdrawn

NOW = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
ROOT = x509.make_root("Yamanokuchi", NOW)
DEVICES = x509.make_issuer(ROOT, "Yamanokuchi", "devices", NOW)
SERVERS = x509.make_issuer(ROOT, "Yamanokuchi", "servers", NOW)
KEY = x509.make_key()
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


Attribute = plain.NameAttribute[str]


def request_of(*names: Attribute, key: Any = KEY) -> bytes:
    """A request with any subject and key, in PEM."""
    made = plain.CertificateSigningRequestBuilder().subject_name(plain.Name(names))
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return made.sign(key, algorithm).public_bytes(serialization.Encoding.PEM)


def common(name: str) -> Attribute:
    """A common name, whatever it is."""
    return plain.NameAttribute(NameOID.COMMON_NAME, name)


def leaf(device: str = "terminal-1", now: datetime = NOW) -> plain.Certificate:
    """A device's certificate, made the ordinary way."""
    return x509.issue_device(DEVICES, x509.check_request(x509.make_request(KEY, device), device), device, now)


def usage(certificate: plain.Certificate) -> list[Any]:
    """What it may be used for."""
    return list(certificate.extensions.get_extension_for_class(plain.ExtendedKeyUsage).value)


# ---- profiles


@pytest.mark.parametrize(
    ("certificate", "authority", "path_length", "days"),
    [
        (ROOT.certificate, True, 1, x509.ROOT_DAYS),
        (DEVICES.certificate, True, 0, x509.ISSUER_DAYS),
        (SERVERS.certificate, True, 0, x509.ISSUER_DAYS),
        (leaf(), False, None, x509.DEVICE_DAYS),
        (x509.issue_hub(DEVICES, KEY.public_key(), NOW), False, None, x509.HUB_DAYS),
        (x509.issue_server(SERVERS, KEY.public_key(), ["hub.lan"], NOW), False, None, x509.SERVER_DAYS),
    ],
    ids=["root", "devices", "servers", "device", "hub", "server"],
)
def test_a4_a_certificate_is_of_its_profile(
    certificate: plain.Certificate,
    authority: bool,
    path_length: int | None,
    days: int,
) -> None:
    read = plain.load_pem_x509_certificate(x509.pem(certificate))
    basic = read.extensions.get_extension_for_class(plain.BasicConstraints)
    key_usage = read.extensions.get_extension_for_class(plain.KeyUsage)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, authority, path_length)
    assert (key_usage.critical, key_usage.value.key_cert_sign, key_usage.value.crl_sign) == (True, authority, authority)
    assert read.not_valid_before_utc == NOW - BACKDATED
    assert read.not_valid_after_utc == NOW + timedelta(days=days)
    assert isinstance(read.public_key(), ec.EllipticCurvePublicKey)
    assert len(read.subject.rdns) == 1
    assert read.serial_number.bit_length() > 64
    subject_key = read.extensions.get_extension_for_class(plain.SubjectKeyIdentifier).value
    assert subject_key == plain.SubjectKeyIdentifier.from_public_key(KEY.public_key()) or authority


def test_a5_neither_issuer_can_do_the_other_s_work() -> None:
    assert usage(DEVICES.certificate) == usage(leaf()) == [CLIENT]
    assert usage(x509.issue_hub(DEVICES, KEY.public_key(), NOW)) == [CLIENT]
    server = x509.issue_server(SERVERS, KEY.public_key(), ["hub.lan", "192.168.1.2"], NOW)
    assert usage(SERVERS.certificate) == usage(server) == [SERVER]


def test_a_server_s_hosts_are_names_and_addresses() -> None:
    server = x509.issue_server(SERVERS, KEY.public_key(), ["hub.lan", "192.168.1.2", "::1"], NOW)
    names = server.extensions.get_extension_for_class(plain.SubjectAlternativeName).value
    assert names.get_values_for_type(plain.DNSName) == ["hub.lan"]
    assert [str(address) for address in names.get_values_for_type(plain.IPAddress)] == ["192.168.1.2", "::1"]
    assert x509.common_name(server) == "hub.lan"


def _verify(folder: Path, certificate: plain.Certificate, issuer: Authority, purpose: str) -> str:
    for name, one in (("leaf", certificate), ("issuer", issuer.certificate), ("root", ROOT.certificate)):
        (folder / f"{name}.pem").write_bytes(x509.pem(one))
    files = ["-CAfile", "root.pem", "-untrusted", "issuer.pem", "leaf.pem"]
    at = str(int(NOW.timestamp()) + 60)
    done = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-attime", at, *files],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_a5_openssl_agrees_strictly_and_refuses_the_wrong_purpose(tmp_path: Path) -> None:
    server = x509.issue_server(SERVERS, KEY.public_key(), ["hub.lan"], NOW)
    assert "leaf.pem: OK" in _verify(tmp_path, leaf(), DEVICES, "sslclient")
    assert "leaf.pem: OK" in _verify(tmp_path, server, SERVERS, "sslserver")
    assert "OK" not in _verify(tmp_path, leaf(), DEVICES, "sslserver")
    assert "OK" not in _verify(tmp_path, server, SERVERS, "sslclient")
    # An issuer of servers that signs a device's: the purpose in the issuer forbids it.
    strange = x509.issue_device(SERVERS, x509.check_request(x509.make_request(KEY, "a"), "a"), "a", NOW)
    assert "OK" not in _verify(tmp_path, strange, SERVERS, "sslclient")
    # A leaf cannot be an issuer.
    below = x509.issue_device(Authority(leaf(), KEY), x509.check_request(x509.make_request(KEY, "b"), "b"), "b", NOW)
    assert "OK" not in _verify(tmp_path, below, Authority(leaf(), KEY), "sslclient")


@pytest.mark.parametrize(("left_days", "expected"), [(500, 90), (89, 88), (30, 29), (1, 0)])
def test_a_leaf_never_outlives_its_issuer(left_days: int, expected: int) -> None:
    end = DEVICES.certificate.not_valid_after_utc
    now = end - timedelta(days=left_days) + timedelta(hours=1)
    late = leaf(now=now)
    assert late.not_valid_after_utc == now + timedelta(days=expected)
    assert late.not_valid_after_utc <= end


def test_a3_of_a_request_only_the_key_is_taken_over() -> None:
    request = (
        plain.CertificateSigningRequestBuilder()
        .subject_name(plain.Name([common("terminal-1")]))
        .add_extension(plain.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(plain.ExtendedKeyUsage([SERVER]), critical=False)
        .add_extension(plain.SubjectAlternativeName([plain.DNSName("hub.lan")]), critical=False)
        .sign(KEY, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    made = x509.issue_device(DEVICES, x509.check_request(request, "terminal-1"), "terminal-1", NOW)
    assert usage(made) == [CLIENT]
    assert not made.extensions.get_extension_for_class(plain.BasicConstraints).value.ca
    with pytest.raises(plain.ExtensionNotFound):
        made.extensions.get_extension_for_class(plain.SubjectAlternativeName)
    assert made.public_key() == KEY.public_key()


def test_the_golden_request_and_chain_are_of_the_golden_device() -> None:
    x509.check_request(REQUEST.encode(), "terminal-1")
    device, issuer = plain.load_pem_x509_certificates(CHAIN.encode())
    assert x509.common_name(device) == "terminal-1"
    device.verify_directly_issued_by(issuer)
    assert usage(device) == usage(issuer) == [CLIENT]


# ---- requests


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True))
def test_a_request_of_a_device_s_own_name_is_taken(device: str) -> None:
    found = x509.check_request(x509.make_request(KEY, device), device)
    assert x509.common_name(x509.issue_device(DEVICES, found, device, NOW)) == device


ODD_NAMES = [
    "+",
    "#",
    "a/b",
    "nfc-0001/../#",
    "$SYS",
    "$share/g/a",
    " ",
    " terminal-1",
    "terminal-1 ",
    "terminal-1\n",
    "terminal-1\0",
    "terminal-1\0.evil",
    "\0",
    "Terminal-1",
    "terminal_1",
    "-terminal",
    "terminal-",
    "hub.machinaka",
    "端末",
    "ｔerminal-1",
    "t\u0435rminal-1",
    "\u202e1-lanimret",
    "a" * 64,
]


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_a3_a_request_of_an_odd_name_gets_nothing_even_where_it_is_expected(name: str) -> None:
    pem = request_of(common(name))
    for device in (name, "terminal-1"):
        with pytest.raises(BadRequest, match=r"found the name|cannot be read"):
            x509.check_request(pem, device)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda name: len(name.encode()) <= 64))
def test_a3_any_name_is_a_device_s_or_refused(name: str) -> None:
    pem = request_of(common(name))
    if topics.is_device(name):
        assert x509.check_request(pem, name)
    else:
        with pytest.raises(BadRequest):
            x509.check_request(pem, name)


def test_a_request_of_another_device_is_refused() -> None:
    with pytest.raises(BadRequest, match="of terminal-2, expected one of terminal-1"):
        x509.check_request(x509.make_request(KEY, "terminal-2"), "terminal-1")


@pytest.mark.parametrize(
    "names",
    [
        (),
        (common("terminal-1"), common("terminal-1")),
        (common("terminal-1"), common("terminal-2")),
        (common("terminal-1"), plain.NameAttribute(NameOID.ORGANIZATION_NAME, "o")),
        (plain.NameAttribute(NameOID.ORGANIZATION_NAME, "terminal-1"),),
        (plain.NameAttribute(NameOID.SERIAL_NUMBER, "terminal-1"),),
    ],
    ids=["none", "twice", "two", "more", "another", "serial"],
)
def test_a3_a_request_names_one_common_name_and_nothing_else(names: tuple[Attribute, ...]) -> None:
    with pytest.raises(BadRequest, match="more than a common name"):
        x509.check_request(request_of(*names), "terminal-1")


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["rsa", "p384", "k256", "ed25519"],
)
def test_a3_a_key_of_another_kind_is_refused(key: Any) -> None:
    with pytest.raises(BadRequest, match="P-256"):
        x509.check_request(request_of(common("terminal-1"), key=key), "terminal-1")


def test_a3_a_request_that_is_not_signed_with_its_own_key_is_refused() -> None:
    """Somebody else's public key in a request signed by oneself: the last bytes are the signature's."""
    good = plain.load_pem_x509_csr(x509.make_request(KEY, "terminal-1"))
    other = plain.load_pem_x509_csr(x509.make_request(x509.make_key(), "terminal-1"))
    der = good.public_bytes(serialization.Encoding.DER)
    forged = der.replace(
        good.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        other.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
    )
    assert forged != der
    pem = plain.load_der_x509_csr(forged).public_bytes(serialization.Encoding.PEM)
    with pytest.raises(BadRequest, match="not signed with its own key"):
        x509.check_request(pem, "terminal-1")


@given(st.data())
def test_a_request_that_was_changed_anywhere_is_refused_or_says_the_same(data: st.DataObject) -> None:
    pem = bytearray(REQUEST.encode())
    place = data.draw(st.integers(0, len(pem) - 1))
    pem[place] = data.draw(st.integers(0, 255))
    said, found = "", None
    try:
        found = x509.check_request(bytes(pem), "terminal-1")
    except BadRequest as error:
        said = str(error)
    assert "\n" not in said
    assert found is None or found.public_key() == plain.load_pem_x509_csr(REQUEST.encode()).public_key()


@given(st.binary(max_size=300))
def test_any_bytes_are_a_bad_request(data: bytes) -> None:
    for pem in (data, b"-----BEGIN CERTIFICATE REQUEST-----\n" + data + b"\n-----END CERTIFICATE REQUEST-----\n"):
        with pytest.raises(BadRequest):
            x509.check_request(pem, "terminal-1")


# ---- the list of the withdrawn


def test_a_list_tells_its_number_its_end_and_whom() -> None:
    gone = leaf()
    crl = x509.make_crl(DEVICES, [Withdrawn(gone.serial_number, NOW)], 7, NOW, valid_for=timedelta(days=30))
    assert crl.is_signature_valid(DEVICES.key.public_key())
    assert not crl.is_signature_valid(SERVERS.key.public_key())
    assert crl.next_update_utc == NOW + timedelta(days=30)
    assert crl.extensions.get_extension_for_class(plain.CRLNumber).value.crl_number == 7
    assert crl.get_revoked_certificate_by_serial_number(gone.serial_number) is not None
    assert crl.get_revoked_certificate_by_serial_number(leaf().serial_number) is None


# ---- files


@pytest.mark.parametrize("passphrase", [b"", b"correct horse"])
def test_an_authority_comes_back_from_its_files(passphrase: bytes) -> None:
    found = x509.load_authority(x509.pem(ROOT.certificate), x509.key_pem(ROOT.key, passphrase), passphrase or None)
    assert found.certificate == ROOT.certificate
    assert found.key.public_key() == ROOT.key.public_key()
    if passphrase:
        with pytest.raises((TypeError, ValueError)):
            x509.load_authority(x509.pem(ROOT.certificate), x509.key_pem(ROOT.key, passphrase), b"wrong")
        with pytest.raises(TypeError):
            x509.load_authority(x509.pem(ROOT.certificate), x509.key_pem(ROOT.key, passphrase))


def test_an_authority_s_key_is_one_on_a_curve() -> None:
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ValueError, match="not one on a curve"):
        x509.load_authority(x509.pem(ROOT.certificate), key)


def test_a_moment_is_in_whole_seconds() -> None:
    assert x509.moment(1_795_476_240_999) == datetime.fromtimestamp(1_795_476_240, UTC)


@pytest.mark.parametrize("purpose", ["devices", "servers"])
def test_an_issuer_is_named_after_the_town_its_purpose_and_day(purpose: Purpose) -> None:
    made = x509.make_issuer(ROOT, "Yamanokuchi", purpose, NOW)
    assert x509.common_name(made.certificate) == f"Yamanokuchi machinaka {purpose} 20261124"
