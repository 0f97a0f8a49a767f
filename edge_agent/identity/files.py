"""The identity folder of a device: its key, its certificate, the town's root, the hub's public half.

    key.pem  certificate.pem     who this device is: chain, leaf first
    root.pem  orders.pub         whom it believes
    hub.txt                      where the hub is (its address), for a renewal that comes late
    pending.pem                  a key that has no certificate yet; it becomes key.pem together with its certificate
    next.pem                     key and chain on their way into the two files above

1. The folder is its owner's alone; the key was made here and goes nowhere.
2. Key and certificate change together: both are first in `next.pem`, which is whole or not there, and whatever
   cuts the power, the next start brings the change to its end.
"""

import contextlib
import re
from pathlib import Path

from wire import whole_file

_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\n", re.DOTALL)
_CERTIFICATES = re.compile(rb"-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----\n?", re.DOTALL)


def settle(folder: Path) -> None:
    """Brings a change of identity to its end that was under way. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        both = (folder / "next.pem").read_bytes()
        key, chain = _KEY.search(both), _CERTIFICATES.search(both)
        if key and chain:
            whole_file.write(folder / "key.pem", key[0])
            whole_file.write(folder / "certificate.pem", chain[0])
        whole_file.remove(folder / "next.pem")


def put(folder: Path, key: bytes, chain: bytes) -> None:
    """The device is from now on who this key and chain say; the pending key is done with. Raises OSError."""
    whole_file.write(folder / "next.pem", key + chain)
    settle(folder)
    whole_file.remove(folder / "pending.pem")


def put_town(folder: Path, root: bytes, orders: str, hub: str) -> None:
    """Whom the device believes, and where the hub is. Raises OSError."""
    whole_file.make_folder(folder)
    whole_file.write(folder / "root.pem", root)
    whole_file.write(folder / "orders.pub", orders.encode() + b"\n")
    whole_file.write(folder / "hub.txt", hub.encode() + b"\n")


def read(folder: Path, name: str) -> bytes | None:
    """A file of the folder; None when it is not there. Raises OSError."""
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError:
        return None


def hub(folder: Path) -> str:
    """Where the hub is; empty when nobody said. Raises OSError."""
    return (read(folder, "hub.txt") or b"").decode("utf-8", "replace").strip()


def put_pending(folder: Path, key: bytes) -> None:
    """Keeps a key that waits for its certificate. Raises OSError."""
    whole_file.make_folder(folder)
    whole_file.write(folder / "pending.pem", key)
