"""A device's identity folder under a power cut: key and certificate change together, or not at all."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.identity import files, keys
from hub.identity.authority import Authority
from tests.identity.conftest import NOW_MS
from wire import x509

_STRACE = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,rename,renameat,renameat2")
_PUT = """
import sys
from pathlib import Path
from edge_agent.identity import files
folder = Path(sys.argv[1])
key = (folder / "pending.pem").read_bytes()
files.put(folder, key, (folder / "answer").read_bytes())
"""


@pytest.fixture
def folder(tmp_path: Path, authority: Authority) -> Path:
    """A device that is about to take its second certificate."""
    folder = tmp_path / "identity"
    first = keys.make_key()
    files.put_town(folder, authority.root_pem.encode(), "A" * 43, "http://127.0.0.1:1")
    files.put(folder, first, _chain(authority, first))
    second = keys.make_key()
    files.put_pending(folder, second)
    (folder / "answer").write_bytes(_chain(authority, second))
    return folder


def _chain(authority: Authority, key: bytes) -> bytes:
    request = keys.make_request(key, "t1").encode()
    return authority.issue(request, "t1", NOW_MS).chain.encode()


def _fits(folder: Path) -> bool:
    leaf = x509.read_leaf((folder / "certificate.pem").read_bytes())
    return leaf.public_key() == x509.read_key((folder / "key.pem").read_bytes()).public_key()


def test_a_cut_at_any_system_call_leaves_one_whole_identity(folder: Path, tmp_path: Path) -> None:
    """Killed at the N-th fsync or rename, for every N; the next start brings the change to its end."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    before = (folder / "key.pem").read_bytes()
    seen: set[bool] = set()
    for number in range(1, 40):
        copy = tmp_path / f"cut-{number}"
        shutil.copytree(folder, copy)
        inject = f"inject=fsync,rename,renameat,renameat2:signal=KILL:when={number}"
        done = subprocess.run(
            [*_STRACE, "-e", inject, sys.executable, "-c", _PUT, str(copy)],
            capture_output=True,
            check=False,
        )
        if b"ptrace" in done.stderr or b"not permitted" in done.stderr:
            pytest.skip(f"strace may not trace here: {done.stderr.decode().strip()}")
        files.settle(copy)
        assert _fits(copy), number
        assert not (copy / "next.pem").exists()
        seen.add((copy / "key.pem").read_bytes() == before)
        if done.returncode == 0:
            break
        assert done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), done
    else:
        pytest.fail("it never came to its end")
    # Some cuts were before, some after.
    assert seen == {True, False}


def test_a_change_that_was_half_written_is_forgotten(folder: Path) -> None:
    key = (folder / "key.pem").read_bytes()
    (folder / ".next.pem.new").write_bytes(b"half")
    (folder / "next.pem").write_bytes(b"-----BEGIN PRIVATE KEY-----\n")
    files.settle(folder)
    assert _fits(folder)
    assert (folder / "key.pem").read_bytes() == key
    files.put(folder, (folder / "pending.pem").read_bytes(), (folder / "answer").read_bytes())
    assert _fits(folder)
    assert not (folder / "pending.pem").exists()


def test_a_certificate_that_is_not_ours_is_not_taken(folder: Path, authority: Authority) -> None:
    key, root = (folder / "pending.pem").read_bytes(), (folder / "root.pem").read_bytes()
    good = (folder / "answer").read_text()
    keys.check(good, root, "t1", key)
    other = x509.make_root("Other", x509.moment(NOW_MS))
    issuer = x509.make_issuer(other, "Other", "devices", x509.moment(NOW_MS))
    request = x509.check_request(keys.make_request(key, "t1").encode(), "t1")
    foreign = x509.pem(x509.issue_device(issuer, request, "t1", x509.moment(NOW_MS)), issuer.certificate).decode()
    leaf, end, rest = good.partition("-----END CERTIFICATE-----\n")
    for chain in (foreign, "", "x", leaf + end, leaf + end + foreign.partition(end)[2], rest + leaf + end):
        with pytest.raises(keys.NotOurs):
            keys.check(chain, root, "t1", key)
    for root_pem, device, mine in (
        (x509.pem(other.certificate), "t1", key),
        (root, "t2", key),
        (root, "t1", (folder / "key.pem").read_bytes()),
        (root, "t1", b"nonsense"),
    ):
        with pytest.raises(keys.NotOurs):
            keys.check(good, root_pem, device, mine)
