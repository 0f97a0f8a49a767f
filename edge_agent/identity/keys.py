"""Keys and certificates on the device.  The library behind it is loaded at the first call (11 MB), which most runs of
the agent never come to: a certificate is renewed every two months.  Every call here may take long: not on the loop.
"""

import hashlib
import ssl

from wire import enrolment


class NotOurs(Exception):
    """A certificate that is not for this device's key or not of this town; one plain sentence."""


def make_key() -> bytes:
    """A new key, in PEM."""
    from wire import x509

    return x509.key_pem(x509.make_key())


def make_request(key: bytes, device: str) -> str:
    """A request for a certificate, in PEM. Raises ValueError for a key that cannot be read."""
    from wire import x509

    return x509.make_request(x509.read_key(key), device).decode()


def compare_text(key: bytes) -> str:
    """What a person compares before approving this key. Raises ValueError."""
    from wire import x509

    return enrolment.compare_text(x509.key_name(x509.read_key(key).public_key()))


def check(chain: str, root: bytes, device: str, key: bytes) -> None:
    """That a chain is for this device and this key, and leads to this root. Raises NotOurs."""
    from wire import x509

    try:
        leaf = x509.check_chain(chain.encode(), x509.read_certificate(root), device)
        mine = x509.read_key(key).public_key()
    except (x509.BadChain, ValueError) as error:
        raise NotOurs(str(error)) from error
    if leaf.public_key() != mine:
        raise NotOurs("the certificate is for another key")


def sign(key: bytes, data: bytes) -> str:
    """A signature as it crosses. Raises ValueError."""
    from wire import x509

    return enrolment.write_signature(x509.sign(x509.read_key(key), data))


def fingerprint(certificate: bytes) -> str:
    """The SHA-256 of the first certificate in PEM, in hex. Raises ValueError."""
    text = certificate.decode("ascii", "replace")
    end = "-----END CERTIFICATE-----"
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text[: text.index(end) + len(end)])).hexdigest()
