"""Tickets by which tablets fetch the files of their own shelf (rule): made of a key of the hub's, never stored.

1. A ticket is the tablet's name and a keyed hash (HMAC-SHA-256) of that name and of its certificate's key: it is the
   same for as long as the certificate's key is, is worth nothing for another tablet, and ends with the certificate.
2. It travels sealed in the tablet's shelf, and comes back in a header over HTTPS.
3. Compares take the same time whatever is wrong.
"""

import hashlib
import hmac

HEADER = "authorization"
_SCHEME = "Bearer "


def make(key: bytes, device: str, key_name: str) -> str:
    """The ticket of a tablet whose certificate has this key."""
    return f"{device}.{_hash(key, device, key_name)}"


def device_of(header: str) -> str:
    """Whose ticket a header says it is; empty for none."""
    ticket = header.removeprefix(_SCHEME) if header.startswith(_SCHEME) else ""
    return ticket.rpartition(".")[0][:63]


def is_good(key: bytes, header: str, device: str, key_name: str) -> bool:
    """Whether a header carries the ticket of this tablet and certificate."""
    expected = _SCHEME + make(key, device, key_name)
    return hmac.compare_digest(header.encode("utf-8", "replace"), expected.encode())


def _hash(key: bytes, device: str, key_name: str) -> str:
    # A line feed is in no name of a device: the parts cannot run into one another.
    said = b"machinaka content ticket 1\n" + device.encode() + b"\n" + key_name.encode()
    return hmac.new(key, said, hashlib.sha256).hexdigest()
