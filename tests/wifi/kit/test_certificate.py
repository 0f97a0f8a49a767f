"""The portal's certificate: made here, renewed, or brought from outside and looked at first."""

import ssl
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509 as certificates
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub import audit
from hub.db import Db
from hub.wifi import certificate, keys
from hub.wifi.certificate import BadPortal
from tests.certificates import pki
from wire import x509

HOST = "wifi.town.example"
NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
NOW_MS = int(NOW.timestamp()) * 1000
DAY_MS = 86_400_000
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Signed(NamedTuple):
    """A certificate and its key."""

    certificate: certificates.Certificate
    key: Key


def name(common: str) -> certificates.Name:
    """A name."""
    return certificates.Name([certificates.NameAttribute(NameOID.COMMON_NAME, common)])


def make(
    common: str,
    by: Signed | None = None,
    *,
    ca: bool = False,
    hosts: tuple[str, ...] = (),
    begin: datetime = NOW - timedelta(days=1),
    days: int = 90,
    client: bool = False,
    key: Key | None = None,
) -> Signed:
    """A certificate of a public issuer's kind."""
    key = key or x509.make_key()
    builder = (
        certificates.CertificateBuilder()
        .subject_name(name(common))
        .issuer_name(by.certificate.subject if by else name(common))
        .public_key(key.public_key())
        .serial_number(certificates.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .add_extension(certificates.BasicConstraints(ca, None), critical=True)
    )
    if hosts:
        names = certificates.SubjectAlternativeName([certificates.DNSName(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    if not ca:
        use = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = builder.add_extension(certificates.ExtendedKeyUsage([use]), critical=False)
    return Signed(builder.sign((by.key if by else key), hashes.SHA256()), key)


ROOT = make("Public Root", ca=True, days=3650)
MIDDLE = make("Public Issuer R9", ROOT, ca=True, days=1000)
STRANGE = make("Another Root", ca=True, days=3650)


def chain(*some: Signed) -> bytes:
    """In PEM."""
    return x509.pem(*(one.certificate for one in some))


def key_pem(one: Signed, passphrase: bytes = b"") -> bytes:
    """In PEM, as ACME clients write it."""
    how: Any = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return one.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, how)


LEAF = make("portal", MIDDLE, hosts=("other.town.example", HOST))


def bring(folder: Path, told: bytes, key: bytes, host: str = HOST) -> certificate.Portal:
    """As the command does it."""
    return certificate.bring(folder, host, told, key, [STRANGE.certificate, ROOT.certificate], NOW_MS)


# ---- the town's own


def test_the_towns_own_is_made_at_first_need_for_the_portals_name_and_served(tmp_path: Path) -> None:
    made = certificate.keep(tmp_path, pki().folder, HOST, NOW_MS)
    assert not made.brought
    leaf = x509.read_leaf(made.chain.encode())
    names = leaf.extensions.get_extension_for_class(certificates.SubjectAlternativeName).value
    assert names.get_values_for_type(certificates.DNSName) == [HOST]
    assert certificate.keep(tmp_path, pki().folder, HOST, NOW_MS) == made
    assert (tmp_path / certificate.OWN).stat().st_mode & 0o777 == 0o600
    # A client that knows the town's root takes it.
    (tmp_path / "chain.pem").write_text(made.chain)
    (tmp_path / "key.pem").write_text(made.key)
    here = certificate.keep(tmp_path / "now", pki().folder, HOST, int(datetime.now(UTC).timestamp()) * 1000)
    (tmp_path / "chain.pem").write_text(here.chain)
    (tmp_path / "key.pem").write_text(here.key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    handshake(server, ssl.create_default_context(cafile=str(pki().folder / "root.pem")), HOST)


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> None:
    """Both ends in memory. Raises ssl.SSLError when the client does not believe."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    there = server.wrap_bio(to_server, to_client, server_side=True)
    here = client.wrap_bio(to_client, to_server, server_hostname=host)
    ends: list[Callable[[], None]] = [here.do_handshake, there.do_handshake]
    for _ in range(10):
        for end in list(ends):
            try:
                end()
            except ssl.SSLWantReadError:
                continue
            ends.remove(end)
    assert not ends


def test_it_is_made_anew_at_two_thirds_of_its_life(tmp_path: Path) -> None:
    made = certificate.keep(tmp_path, pki().folder, HOST, NOW_MS)
    due_ms = made.begin_ms + (made.end_ms - made.begin_ms) * 2 // 3
    assert certificate.keep(tmp_path, pki().folder, HOST, due_ms - 1) == made
    again = certificate.keep(tmp_path, pki().folder, HOST, due_ms)
    assert again.end_ms > made.end_ms
    assert again.key != made.key


def test_another_name_or_a_broken_file_brings_another(tmp_path: Path) -> None:
    made = certificate.keep(tmp_path, pki().folder, HOST, NOW_MS)
    other = certificate.keep(tmp_path, pki().folder, "portal.town.example", NOW_MS)
    assert other.host == "portal.town.example"
    assert other.chain != made.chain
    (tmp_path / certificate.OWN).write_bytes(made.key.encode() + other.chain.encode())
    assert certificate.current(tmp_path, "portal.town.example", NOW_MS) is None
    assert certificate.keep(tmp_path, pki().folder, "portal.town.example", NOW_MS).key not in (made.key, other.key)


# ---- brought


@pytest.mark.parametrize("host", [HOST, "x.town.example"])
def test_one_from_outside_counts_until_it_ends(tmp_path: Path, host: str) -> None:
    leaf = make("portal", MIDDLE, hosts=("*.town.example",), days=30)
    made = bring(tmp_path, chain(leaf, MIDDLE, ROOT), key_pem(leaf), host)
    assert made.brought
    # A root that was sent along is left out: a phone has it, or does not believe it.
    assert made.chain == chain(leaf, MIDDLE).decode()
    assert certificate.keep(tmp_path, pki().folder, host, NOW_MS) == made
    assert NOW_MS < made.ends_soon_at_ms < made.end_ms
    after = certificate.keep(tmp_path, pki().folder, host, made.end_ms)
    assert not after.brought
    assert certificate.brought_end_ms(tmp_path) == made.end_ms
    found = certificate.brought(tmp_path, host)
    assert found is not None
    assert found.end_ms == made.end_ms


def test_keys_of_rsa_are_taken_too(tmp_path: Path) -> None:
    leaf = make("portal", MIDDLE, hosts=(HOST,), key=rsa.generate_private_key(65537, 2048))
    assert bring(tmp_path, chain(leaf, MIDDLE), key_pem(leaf)).key.startswith("-----BEGIN PRIVATE KEY-----")


@pytest.mark.parametrize(
    ("told", "key", "words"),
    [
        (b"", key_pem(LEAF), "found no certificate"),
        (chain(LEAF, MIDDLE), b"", "found no key"),
        (chain(LEAF, MIDDLE), key_pem(LEAF, b"secret"), "the key is encrypted"),
        (chain(LEAF, MIDDLE), key_pem(MIDDLE), "the key is not that of the first certificate"),
        (chain(MIDDLE, LEAF), key_pem(LEAF), "the key is not that of the first certificate"),
        # What an ACME client writes without its issuers: a browser may fetch them, a phone before a portal cannot.
        (chain(LEAF), key_pem(LEAF), "the chain is not complete: CN=portal was issued by CN=Public Issuer R9"),
        (chain(LEAF, ROOT), key_pem(LEAF), "CN=Public Root did not issue CN=portal"),
    ],
)
def test_what_is_wrong_is_one_plain_sentence_and_nothing_is_taken(
    tmp_path: Path, told: bytes, key: bytes, words: str
) -> None:
    with pytest.raises(BadPortal) as why:
        bring(tmp_path, told, key)
    assert words in str(why.value)
    assert "\n" not in str(why.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("leaf", "words"),
    [
        (make("p", MIDDLE, hosts=("town.example",)), "is for town.example; expected one for wifi.town.example"),
        (make("p", MIDDLE, hosts=("*.wifi.town.example",)), "expected one for wifi.town.example"),
        (make(HOST, MIDDLE), "is for no name"),
        (make("p", MIDDLE, hosts=(HOST,), begin=NOW - timedelta(days=91)), "ended on 2026-11-24"),
        (make("p", MIDDLE, hosts=(HOST,), begin=NOW + timedelta(days=1)), "begins on 2026-11-26"),
        (make("p", MIDDLE, hosts=(HOST,), client=True), "not one of a server"),
    ],
)
def test_a_certificate_that_would_not_do_is_refused(tmp_path: Path, leaf: Signed, words: str) -> None:
    with pytest.raises(BadPortal, match=words.replace(".", r"\.").replace("*", r"\*")):
        bring(tmp_path, chain(leaf, MIDDLE), key_pem(leaf))


def test_an_issuer_that_may_not_issue_is_refused(tmp_path: Path) -> None:
    fake = make("Fake Issuer", ROOT)
    leaf = make("p", fake, hosts=(HOST,))
    with pytest.raises(BadPortal, match="may not issue"):
        bring(tmp_path, chain(leaf, fake), key_pem(leaf))


def test_a_refused_one_leaves_the_one_before(tmp_path: Path) -> None:
    made = bring(tmp_path, chain(LEAF, MIDDLE), key_pem(LEAF))
    with pytest.raises(BadPortal):
        bring(tmp_path, chain(LEAF), key_pem(LEAF))
    assert certificate.current(tmp_path, HOST, NOW_MS) == made


def test_the_machines_own_roots_are_known() -> None:
    found = certificate.known_roots(pki().folder)
    assert x509.read_certificate((pki().folder / "root.pem").read_bytes()) in found
    if Path("/etc/ssl/certs/ca-certificates.crt").exists():
        assert len(found) > 50


# ---- the command


class Command:
    """`machinaka-hub portal-certificate` with a settings file and a database."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, folder / "hub"
        self.db = Db(self.state / "hub.db")
        self.db.open()
        self.settings = folder / "hub.toml"
        self.settings.write_text(
            f'state_dir = "{self.state}"\n[broker]\nca_dir = "{pki().folder}"\n[wifi]\nportal_host = "{HOST}"\n'
        )

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        """One run of it."""
        argv = [sys.executable, "-m", "hub", "portal-certificate", "--settings", str(self.settings), *more]
        return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)

    def write(self, name: str, data: bytes) -> str:
        """A file beside the settings."""
        (self.folder / name).write_bytes(data)
        return str(self.folder / name)

    def touched(self) -> int:
        """How often kits were changed."""
        rows = self.db.read(lambda conn: conn.execute("SELECT touched FROM kit_state").fetchall())
        return int(rows[0][0]) if rows else 0


def test_the_command_brings_shows_and_goes_back(tmp_path: Path) -> None:
    hall = Command(tmp_path)
    shown = hall.run()
    assert (shown.returncode, shown.stdout) == (0, f"{HOST}: no certificate yet; the hub makes one when it runs\n")
    root = make("Public Root", ca=True, begin=datetime.now(UTC) - timedelta(days=1), days=99)
    leaf = make("p", root, hosts=(HOST,), begin=datetime.now(UTC) - timedelta(days=1))
    told, key, roots = (
        hall.write("fullchain.pem", chain(leaf)),
        hall.write("privkey.pem", key_pem(leaf)),
        hall.write("root.pem", chain(root)),
    )
    strange = hall.run("--chain", told, "--key", key)
    assert strange.returncode == 2
    assert strange.stderr.startswith("machinaka-hub: portal-certificate: the chain is not complete")
    assert strange.stderr.count("\n") == 1
    assert hall.touched() == 0
    good = hall.run("--chain", told, "--key", key, "--root", roots)
    assert (good.returncode, good.stderr) == (0, "")
    assert "(brought)" in good.stdout
    assert hall.touched() == 1
    found = certificate.current(keys.folder_of(hall.state), HOST, int(datetime.now(UTC).timestamp()) * 1000)
    assert found is not None
    assert found.brought
    assert hall.run().stdout == good.stdout
    own = hall.run("--own")
    assert "the town's own" in own.stdout
    assert hall.touched() == 2
    assert [one.did for one in hall.db.read(audit.entries)] == ["portal_certificate"] * 2
    hall.db.close()


@pytest.mark.parametrize("more", [("--chain", "x"), ("--key", "x"), ("--own", "--chain", "x", "--key", "x")])
def test_the_command_says_what_it_expects(tmp_path: Path, more: tuple[str, ...]) -> None:
    hall = Command(tmp_path)
    answer = hall.run(*more)
    assert answer.returncode == 2
    assert "expected --chain FILE and --key FILE" in answer.stderr
    hall.db.close()


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    hall = Command(tmp_path)
    answer = hall.run("--chain", "/nowhere/a", "--key", "/nowhere/b")
    assert (answer.returncode, answer.stderr.count("\n")) == (2, 1)
    assert "/nowhere/a: No such file" in answer.stderr
    hall.db.close()
