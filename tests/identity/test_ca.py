"""The town's certificate authority as the officer uses it: real files, and openssl's own opinion of them."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509 as certificates

from hub.identity.authority import Authority
from provisioning.__main__ import main
from wire import ca_folder, x509

NOW = datetime.now(UTC).replace(microsecond=0)
NOW_MS = int(NOW.timestamp()) * 1000
DAY_MS = 86_400_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root on a stick."""
    folder = tmp_path / "stick"
    assert main(["ca", "init", "--folder", str(folder), "--town", "Yamanokuchi"]) == 0
    return folder


@pytest.fixture
def hub(root: Path, tmp_path: Path) -> Path:
    """A hub's folder with its issuers."""
    folder = tmp_path / "hub"
    folder.mkdir()
    assert _issue(root, folder) == 0
    return folder


def _issue(root: Path, hub: Path, *more: str) -> int:
    hosts = ["--host", "broker.town.example", "--host", "127.0.0.1"]
    return main(["ca", "issue", "--folder", str(root), "--hub", str(hub), *hosts, *more])


def _leaf(hub: Path, name: ca_folder.Leaf) -> ca_folder.Leaves:
    return ca_folder.leaf(hub / "ca", name)


def _verify(hub: Path, certificate: Path, purpose: str, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *("openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", str(hub / "ca" / "root.pem")),
            *("-untrusted", str(certificate), *more, str(certificate)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def test_openssl_trusts_what_was_made_for_its_purpose_only(hub: Path) -> None:
    ca = hub / "ca"
    for name, good, bad in (("hub", "sslclient", "sslserver"), ("broker", "sslserver", "sslclient")):
        assert _verify(hub, ca / f"{name}.pem", good).returncode == 0
        assert _verify(hub, ca / f"{name}.pem", bad).returncode != 0
    assert _verify(hub, ca / "hub.pem", "sslclient", "-crl_check", "-CRLfile", str(ca / "crl.pem")).returncode == 0


def test_every_secret_is_for_its_owner_only(root: Path, hub: Path) -> None:
    for folder in (root, hub / "ca"):
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_withdrawn_device_is_refused_by_openssl_and_stays_withdrawn(hub: Path, tmp_path: Path) -> None:
    authority = Authority(hub / "ca")
    issued = authority.issue(x509.make_request(x509.make_key(), "terminal-1"), "terminal-1", NOW_MS)
    leaf = tmp_path / "leaf.pem"
    leaf.write_text(issued.chain)
    check = ("-crl_check", "-CRLfile", str(hub / "ca" / "crl.pem"))
    assert _verify(hub, leaf, "sslclient", *check).returncode == 0
    before = authority.crl()
    assert main(["ca", "revoke", "--hub", str(hub), "--serial", issued.serial]) == 0
    assert "revoked" in _verify(hub, leaf, "sslclient", *check).stderr
    # The hub's next list knows nothing of it by itself, and it is still there.
    after = authority.write_crl((), NOW_MS + DAY_MS)
    assert before is not None
    assert after.number == before.number + 2
    assert "revoked" in _verify(hub, leaf, "sslclient", *check).stderr
    assert main(["ca", "crl", "--hub", str(hub)]) == 0
    assert authority.crl().number == after.number + 1  # type: ignore[union-attr]


def test_a_list_that_was_lost_gets_a_higher_number(hub: Path) -> None:
    authority = Authority(hub / "ca")
    before = authority.write_crl((), NOW_MS)
    (hub / "ca" / "crl.pem").unlink()
    assert authority.crl() is None
    # The number before may be of a moment later than the one at which this file was read.
    assert authority.write_crl((), NOW_MS + 3_600_000).number > before.number


def test_new_issuers_leave_the_devices_of_the_old_one_alone(root: Path, hub: Path, tmp_path: Path) -> None:
    old = Authority(hub / "ca").issue(x509.make_request(x509.make_key(), "terminal-1"), "terminal-1", NOW_MS)
    assert _issue(root, hub) == 2
    assert _issue(root, hub, "--again") == 0
    new = Authority(hub / "ca").issue(x509.make_request(x509.make_key(), "terminal-2"), "terminal-2", NOW_MS)
    check = ("-crl_check", "-CRLfile", str(hub / "ca" / "crl.pem"))
    for issued in (old, new):
        (tmp_path / "leaf.pem").write_text(issued.chain)
        done = _verify(hub, tmp_path / "leaf.pem", "sslclient", *check)
        assert done.returncode == 0, done.stderr
    Authority(hub / "ca").write_crl([x509.Withdrawn(int(old.serial, 16), NOW)], NOW_MS)
    (tmp_path / "leaf.pem").write_text(old.chain)
    assert "revoked" in _verify(hub, tmp_path / "leaf.pem", "sslclient", *check).stderr


def test_an_encrypted_root_needs_its_passphrase(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret, wrong, stick, hub = (tmp_path / name for name in ("secret", "wrong", "stick", "hub"))
    secret.write_text("a long enough phrase\n")
    wrong.write_text("another long phrase\n")
    hub.mkdir()
    begin = ["ca", "init", "--folder", str(stick), "--town", "Town", "--passphrase-file", str(secret)]
    assert main(begin) == 0
    assert b"ENCRYPTED" in (stick / "root.key").read_bytes()
    assert _issue(stick, hub) == 2
    assert "found an encrypted key, expected --passphrase-file" in capsys.readouterr().err
    assert _issue(stick, hub, "--passphrase-file", str(wrong)) == 2
    assert "is it this root's passphrase?" in capsys.readouterr().err
    assert not (hub / "ca").exists()
    assert _issue(stick, hub, "--passphrase-file", str(secret)) == 0
    # Nothing is written over.
    assert main(begin) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["ca", "init", "--folder", "{tmp}/x", "--town", " "], "--town: found ' '"),
        (["ca", "init", "--folder", "{tmp}/stick", "--town", "A"], "is there already"),
        (["ca", "init", "--folder", "{tmp}/x", "--town", "A", "--passphrase-file", "{tmp}/none"], "No such file"),
        (["ca", "issue", "--folder", "{tmp}/none", "--hub", "{tmp}/hub", "--host", "a"], "expected a root"),
        (["ca", "issue", "--folder", "{tmp}/stick", "--hub", "{tmp}/none", "--host", "a"], "no such folder"),
        (["ca", "issue", "--folder", "{tmp}/stick", "--hub", "{tmp}", "--host", "a b"], "--host: found 'a b'"),
        (["ca", "revoke", "--hub", "{tmp}/hub", "--serial", "xyz"], "--serial: found 'xyz'"),
        (["ca", "revoke", "--hub", "{tmp}", "--serial", "aa"], "expected an issuer"),
        (["ca", "crl", "--hub", "{tmp}/none"], "expected an issuer"),
        (["ca", "status"], "expected --folder, --hub or both"),
        (["ca", "status", "--folder", "{tmp}/none"], "expected a certificate"),
    ],
)
def test_a_mistake_is_one_sentence(
    root: Path, hub: Path, tmp_path: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    before = sorted(tmp_path.rglob("*"))
    assert main([word.replace("{tmp}", str(tmp_path)) for word in words]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert not said.out
    assert sorted(tmp_path.rglob("*")) == before


def test_status_tells_what_ends_and_what_to_do(root: Path, hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["ca", "status", "--folder", str(root), "--hub", str(hub)]) == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) == 6
    assert "Next" not in said
    folder = ca_folder.read(hub / "ca")
    ca_folder.write_crl(folder, (), NOW - timedelta(days=17))
    assert main(["ca", "status", "--hub", str(hub)]) == 1
    said = capsys.readouterr().out
    assert "12 days left" in said or "13 days left" in said
    assert "Next: the hub renews it by itself: see that the hub runs." in said
    ca_folder.write_crl(folder, (), NOW - timedelta(days=40))
    assert main(["ca", "status", "--hub", str(hub)]) == 1
    assert "ended 10 days ago" in capsys.readouterr().out


def test_the_hub_renews_its_own_at_two_thirds_and_heals_a_torn_pair(hub: Path) -> None:
    authority = Authority(hub / "ca")
    before = _leaf(hub, "hub")
    assert authority.renew_own(NOW_MS + 59 * DAY_MS) == (renewed := authority.renew_own(NOW_MS))
    assert (renewed.hub, renewed.broker) == (False, False)
    renewed = authority.renew_own(NOW_MS + 61 * DAY_MS)
    assert (renewed.hub, renewed.broker) == (True, False)
    assert _leaf(hub, "hub").end_ms > before.end_ms
    renewed = authority.renew_own(NOW_MS + 265 * DAY_MS)
    assert (renewed.hub, renewed.broker) == (True, True)
    assert _leaf(hub, "broker").hosts == ("broker.town.example", "127.0.0.1")
    # A power cut between key and certificate.
    (hub / "ca" / "broker.key").write_bytes(x509.key_pem(x509.make_key()))
    (hub / "ca" / "hub.key").unlink()
    renewed = authority.renew_own(NOW_MS + 266 * DAY_MS)
    assert (renewed.hub, renewed.broker) == (True, True)
    assert _leaf(hub, "hub").fits
    assert _leaf(hub, "broker").fits


def test_a_leaf_never_outlives_its_issuer(hub: Path) -> None:
    authority = Authority(hub / "ca")
    late = authority.issuer_end_ms - 10 * DAY_MS
    issued = authority.issue(x509.make_request(x509.make_key(), "t1"), "t1", late)
    assert issued.end_ms <= authority.issuer_end_ms
    assert certificates.load_pem_x509_certificate(issued.chain.encode()).serial_number == int(issued.serial, 16)
