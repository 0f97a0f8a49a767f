"""The checklist of identity and enrolment, A1 to A5 and A9: each test is red when its control is taken away."""

import ast
import re
import string
import subprocess
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509 as certificates
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from hub import pages
from hub.db import Connection, Db
from hub.identity import enrol_store, enrolling, inviting
from hub.identity.authority import Authority
from hub.identity.enrolling import Chain, No
from tests.identity.parts import NewDevice, OwnTown, ask_of, request_of, soon
from wire import enrolment, x509
from wire.enrolment import Refusal

NOW = datetime.now(UTC).replace(microsecond=0)
NOW_MS = int(NOW.timestamp()) * 1000
ROOT = Path(__file__).resolve().parents[2]


# ---- A1


def test_a1_the_key_is_made_on_the_device_and_never_leaves_it(town: OwnTown) -> None:
    device = NewDevice(town, "tablet-a1")
    device.leave(town.invite(device.name))
    with device:
        assert soon(lambda: town.ledger.rows("SELECT 1 FROM device WHERE name = ? AND online = 1", device.name))
    key = serialization.load_pem_private_key((device.identity / "key.pem").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    private = key.private_numbers().private_value.to_bytes(32, "big")
    told = _files_of(town)
    assert len(told) > 8
    for path, data in told.items():
        assert private not in data, path
        if path.suffix != ".key":
            assert b"PRIVATE KEY" not in data, path
    assert b"PRIVATE KEY" not in device.log.read_bytes()


def _files_of(town: OwnTown) -> dict[Path, bytes]:
    """Everything that hub and broker have on their disks: database, logs, certificates."""
    folders = [path for path in town.folder.rglob("*") if path.is_file() and "devices" not in path.parts]
    return {path: path.read_bytes() for path in folders if path.parent.name != "stick"}


def test_a1_no_code_of_the_hub_makes_a_device_a_key() -> None:
    """Keys are made in four places: the root, issuers, the hub's and the broker's own, and on the device.

    Besides: the portal's, which each access point gets sealed (guests' phones trust a name, not a device), and a
    month's, to which what identifies a guest is sealed.
    """
    makers = set()
    for path in [*ROOT.glob("hub/**/*.py"), *ROOT.glob("provisioning/*.py"), *ROOT.glob("wire/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(part, ast.Call) and getattr(part.func, "attr", getattr(part.func, "id", "")) == "make_key"
                for part in ast.walk(node)
            ):
                makers.add(f"{path.relative_to(ROOT)}:{node.name}")
    allowed = {
        "wire/x509.py:make_root",
        "wire/x509.py:make_issuer",
        "wire/ca_folder.py:issue_hub",
        "wire/ca_folder.py:issue_broker",
        "hub/wifi/certificate.py:make_own",
        "hub/wifi/keys.py:_private",
    }
    # Trying the broker and simulated devices are no devices of the town.
    others = {one for one in makers - allowed if not one.startswith(("hub/broker/", "hub/simulate"))}
    assert others == set()
    assert allowed <= makers


# ---- A2


def test_a2_twenty_threads_race_one_code_and_one_gets_a_certificate(town: OwnTown) -> None:
    code = town.invite("tablet-a2").code
    asks = [ask_of("tablet-a2", code) for _ in range(20)]
    together, answers = threading.Barrier(20), Counter[int]()

    def run(number: int) -> None:
        together.wait()
        answers[town.ask(asks[number]).status_code] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert answers == {200: 1, 403: 19}
    assert len(town.serials("tablet-a2")) == 1


def test_a2_one_statement_decides_also_between_processes(db: Db) -> None:
    """Twenty hubs on one database, as it were: the code is used once."""
    made = db.write_now(lambda conn: inviting.make_code(conn, "t1", "tablet", "", "hanako"))
    assert isinstance(made, inviting.Made)
    code_hash, others = enrolment.hash_code(made.code), [Db(db.path) for _ in range(20)]
    together, used = threading.Barrier(20), Counter[bool]()

    def run(other: Db) -> None:
        together.wait()
        used[other.write_now(lambda conn: enrol_store.use_code(conn, code_hash, "k", pages.now_ms() + 1))] += 1
        other.close()

    threads = [threading.Thread(target=run, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert used == {True: 1, False: 19}


def test_a2_only_the_hash_of_a_code_is_kept(town: OwnTown) -> None:
    code = town.invite("tablet-hash").code
    plain = code.replace("-", "")
    for path, data in _files_of(town).items():
        assert code.encode() not in data, path
        assert plain.encode() not in data, path
    assert town.ledger.rows("SELECT 1 FROM enrolment_code WHERE code_hash = ?", enrolment.hash_code(code))


def test_a2_a_code_has_128_bits_and_ends_after_30_minutes(db: Db, authority: Authority) -> None:
    codes = {enrolment.make_code() for _ in range(200)}
    assert len(codes) == 200
    assert (enrolment.CODE_CHARACTERS - 1) * 5 >= 128
    assert set("".join(codes)) - {"-"} == set(enrolment.ALPHABET)
    made = db.write_now(lambda conn: inviting.make_code(conn, "t1", "tablet", "", "hanako"))
    assert isinstance(made, inviting.Made)
    assert 0 < made.end_ms - pages.now_ms() <= 30 * 60_000

    def use(at_ms: int) -> object:
        return db.write_now(lambda conn: enrolling.enrol(conn, authority, ask_of("t1", made.code), "here", at_ms))

    too_late = use(made.end_ms)
    assert isinstance(too_late, No)
    assert too_late.guess
    assert isinstance(use(made.end_ms - 1), Chain)


def test_a2_a_newer_code_for_the_same_device_replaces_the_older(db: Db, authority: Authority) -> None:
    def make(conn: Connection) -> inviting.Made | str:
        return inviting.make_code(conn, "t1", "tablet", "", "hanako")

    first, second = db.write_now(make), db.write_now(make)
    assert isinstance(first, inviting.Made)
    assert isinstance(second, inviting.Made)
    for made, kind in ((first, No), (second, Chain)):
        ask = ask_of("t1", made.code)
        done = db.write_now(lambda conn, ask=ask: enrolling.enrol(conn, authority, ask, "here", pages.now_ms() + 1))  # type: ignore[misc]
        assert isinstance(done, kind)


def test_a2_guessing_is_slowed_down_by_source(tmp_path: Path) -> None:
    town = OwnTown(tmp_path / "guessed")
    with town.hub:
        good = ask_of("t1", town.invite("t1").code)
        codes = Counter(town.ask(ask_of("t1", enrolment.make_code())).status_code for _ in range(25))
        assert codes == {403: 20, 429: 5}
        answer = town.ask(good)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0


# ---- A3

_ODD = st.one_of(
    st.sampled_from(
        ["+", "#", "/", "$SYS", "a/b", "a+", "#a", "hub.machinaka", "A", "tablet 1", "-a", "a-", "ａ", "a" * 64]
    ),
    st.text(min_size=1, max_size=64),
    st.text(string.ascii_lowercase + "+#/$.-\x00", min_size=1, max_size=64),
)


def _request(names: list[tuple[certificates.ObjectIdentifier, str]], key: object = None) -> bytes:
    made = key or x509.make_key()
    subject = certificates.Name([certificates.NameAttribute(oid, text, _validate=False) for oid, text in names])
    builder = certificates.CertificateSigningRequestBuilder().subject_name(subject)
    builder = builder.add_extension(certificates.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(
        certificates.SubjectAlternativeName([certificates.DNSName("hub.machinaka")]), critical=False
    )
    return builder.sign(made, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)  # type: ignore[arg-type]


@given(_ODD)
def test_a3_a_name_that_is_no_device_s_gets_nothing(name: str) -> None:
    if re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", name):
        return
    try:
        pem = _request([(NameOID.COMMON_NAME, name)])
    except (ValueError, UserWarning):
        return  # such a request cannot even be written
    # Neither for itself nor as another device.
    for device in (name, "tablet-1"):
        with pytest.raises(x509.BadRequest):
            x509.check_request(pem, device)


def test_a3_keys_and_subjects_of_another_form_get_nothing() -> None:
    good = [(NameOID.COMMON_NAME, "tablet-1")]
    refused = {
        "RSA": _request(good, rsa.generate_private_key(65537, 2048)),
        "P-384": _request(good, ec.generate_private_key(ec.SECP384R1())),
        "two names": _request([*good, (NameOID.COMMON_NAME, "tablet-2")]),
        "organisation": _request([*good, (NameOID.ORGANIZATION_NAME, "Town")]),
        "no name": _request([]),
        "not a request": b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        "nothing": b"",
    }
    for what, pem in refused.items():
        assert _is_refused(pem), what
    # Signed by another key than its own: the signature's last bytes are changed.
    der = bytearray(certificates.load_pem_x509_csr(_request(good)).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    bad = certificates.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM)
    assert _is_refused(bad)


def _is_refused(pem: bytes) -> bool:
    try:
        x509.check_request(pem, "tablet-1")
    except x509.BadRequest:
        return True
    return False


def test_a3_nothing_of_a_request_but_its_key_is_taken_over(authority: Authority) -> None:
    issued = authority.issue(_request([(NameOID.COMMON_NAME, "tablet-1")]), "tablet-1", NOW_MS)
    leaf = x509.read_leaf(issued.chain.encode())
    found = {extension.oid.dotted_string for extension in leaf.extensions}
    assert certificates.SubjectAlternativeName.oid.dotted_string not in found
    assert not leaf.extensions.get_extension_for_class(certificates.BasicConstraints).value.ca


def test_a3_the_hub_refuses_over_http_what_the_policy_refuses(town: OwnTown) -> None:
    code = town.invite("tablet-a3").code
    for pem in (_request([(NameOID.COMMON_NAME, "tablet-other")]), b"x"):
        answer = town.ask(ask_of("tablet-a3", code, request=pem.decode()))
        assert answer.status_code == 403
        assert msgspec.json.decode(answer.content, type=Refusal).error.startswith("request: ")
    # The code was not used up by them.
    assert town.ask(ask_of("tablet-a3", code)).status_code == 200


# ---- A4


def test_a4_a_device_s_certificate_can_do_one_thing_for_90_days(authority: Authority) -> None:
    leaves = [x509.read_leaf(authority.issue(_plain("t1"), "t1", NOW_MS).chain.encode()) for _ in range(50)]
    one = leaves[0]
    extensions = one.extensions
    assert list(extensions.get_extension_for_class(certificates.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CLIENT_AUTH
    ]
    constraints = extensions.get_extension_for_class(certificates.BasicConstraints)
    assert (constraints.critical, constraints.value.ca) == (True, False)
    usage = extensions.get_extension_for_class(certificates.KeyUsage).value
    assert usage.digital_signature
    assert not usage.key_cert_sign
    assert not usage.crl_sign
    assert one.not_valid_before_utc == NOW - timedelta(minutes=5)
    assert one.not_valid_after_utc == NOW + timedelta(days=90)
    assert [name.value for name in one.subject] == ["t1"]
    serials = {leaf.serial_number for leaf in leaves}
    assert len(serials) == 50
    # At least 64 bits of chance: of 50, some have high bits that differ.
    assert max(serials).bit_length() > 150


def _plain(device: str) -> bytes:
    return request_of(device)[1].encode()


# ---- A5


def test_a5_a_server_s_certificate_is_no_client_s_and_the_other_way_round(town: OwnTown, tmp_path: Path) -> None:
    issued = town.authority.issue(_plain("t1"), "t1", NOW_MS)
    (tmp_path / "device.pem").write_text(issued.chain)
    for file, purpose, good in (
        (town.ca / "broker.pem", "sslserver", True),
        (town.ca / "broker.pem", "sslclient", False),
        (town.ca / "hub.pem", "sslclient", True),
        (town.ca / "hub.pem", "sslserver", False),
        (tmp_path / "device.pem", "sslclient", True),
        (tmp_path / "device.pem", "sslserver", False),
    ):
        words = ["openssl", "verify", "-purpose", purpose, "-CAfile", str(town.ca / "root.pem")]
        done = subprocess.run([*words, "-untrusted", str(file), str(file)], capture_output=True, check=False)
        assert (done.returncode == 0) == good, (file.name, purpose, done.stderr)
    # Nor does a device take one that the servers' issuer has signed for its name.
    servers = x509.load_authority((town.ca / "servers.pem").read_bytes(), (town.ca / "servers.key").read_bytes())
    key = x509.make_key()
    leaf = x509.issue_server(servers, key.public_key(), ["t1"], NOW)
    root = x509.read_certificate((town.ca / "root.pem").read_bytes())
    with pytest.raises(x509.BadChain):
        x509.check_chain(x509.pem(leaf, servers.certificate), root, "t1")


# ---- A9

_PACKAGES = ("wire", "edge_agent", "hub", "provisioning", "firmware_configs")
_DEFAULTS = re.compile(
    r"""(?ix) (password|passphrase|psk|secret|token) \s*[=:]\s* ["'][^"'{}\s]{4,}["']
    | raspberry | \badmin\s*/\s*admin | wpa_passphrase\s*=\s*[^{\s]"""
)


def test_a9_no_default_or_shared_password_is_in_any_file() -> None:
    found = []
    for package in _PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if not path.is_file() or "vendor" in path.parts or "golden" in path.parts or "__pycache__" in path.parts:
                continue
            text = path.read_text(encoding="utf-8", errors="ignore")
            found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in _DEFAULTS.finditer(text)]
            if "PRIVATE KEY" in text:
                assert "PRIVATE KEY-----\n" not in text.replace("\\n", ""), path
    allowed = ("raspberry",)
    assert [one for one in found if not one.lower().endswith(allowed)] == []


def test_a9_two_towns_and_two_devices_share_no_secret(tmp_path: Path, town: OwnTown) -> None:
    other = OwnTown(tmp_path / "other")
    names = ("root.pem", "devices.pem", "devices.key", "servers.pem", "servers.key", "hub.key", "broker.key")
    for name in names:
        assert (town.ca / name).read_bytes() != (other.ca / name).read_bytes(), name
    devices = [NewDevice(town, f"tablet-a9-{number}") for number in (1, 2)]
    for device in devices:
        assert device.enrol("--invitation", town.invite(device.name).text).returncode == 0
    for name in ("key.pem", "certificate.pem"):
        first, second = ((device.identity / name).read_bytes() for device in devices)
        assert first != second
