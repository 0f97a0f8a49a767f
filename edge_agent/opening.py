"""Opens what the hub sealed for this device, with the key of its certificate.

1. A certificate that is being renewed has its key waiting beside the present one; the hub may have sealed to either.
2. The library is loaded at the first opening (11 MB, with what reads the key); not on the event loop.
"""

from pathlib import Path

_KEYS = ("key.pem", "pending.pem")


def unseal(state_dir: Path, sealed: bytes, about: bytes) -> bytes | None:
    """What was sealed, bound to `about`; None when it is not for a key of this device."""
    from wire import x509
    from wire.sealed import CannotOpen
    from wire.sealed import unseal as unseal_with

    for name in _KEYS:
        try:
            return unseal_with(x509.read_key((state_dir / "identity" / name).read_bytes()), sealed, about)
        except (OSError, ValueError, CannotOpen):
            continue
    return None
