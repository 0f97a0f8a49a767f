"""B9: silent sockets of one address cannot keep devices out.  In a network namespace, with the real nftables."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.broker import CONFIGS, Broker
from tests.certificates import pki
from tests.lock.parts import Client

SILENT, LIMIT = 300, 256


def test_b9_the_rules_load() -> None:
    _in_namespace(["nft", "-c", "-f", str(CONFIGS / "broker.nft")])


def test_b9_silent_sockets_of_one_address_keep_nobody_out(tmp_path: Path) -> None:
    _in_namespace([sys.executable, "-m", "tests.lock.test_silent", str(tmp_path)])


def _in_namespace(words: list[str]) -> None:
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    if shutil.which("nft", path=path) is None:
        pytest.skip("nft is not installed")
    done = subprocess.run(
        ["unshare", "-rn", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path},
        timeout=120,
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip(f"the kernel allows no network namespace: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr


def _flood(folder: Path) -> None:
    """Within the namespace: what one address may take, and a device of another."""
    import socket

    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["nft", "-f", str(CONFIGS / "broker.nft")], check=True)
    with Broker(folder, 8883):
        taken: list[socket.socket] = []
        refused = 0
        for _ in range(SILENT):
            try:
                taken.append(socket.create_connection(("127.0.0.1", 8883), 5, ("127.0.0.2", 0)))
            except OSError:
                refused += 1
        assert (len(taken), refused) == (LIMIT, SILENT - LIMIT), (len(taken), refused)
        Client(8883, pki().context("terminal-1"), "terminal-1").close()
        for one in taken:
            one.close()


if __name__ == "__main__":
    _flood(Path(sys.argv[1]))
