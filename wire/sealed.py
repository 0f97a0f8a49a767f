"""Seals bytes to a device's public key, so that only its private key opens them: no broker does, and no backup.

1. A new key pair on P-256 for each sealing; the shared secret (ECDH, SP 800-56A) is spread by HKDF-SHA-256 (RFC 5869)
   into an AES-256 key and a nonce. Both public keys are part of what is spread, so that one seal has one meaning.
2. AES-256-GCM (SP 800-38D) over the bytes; `about` is bound to them and not sent.
3. Sealed bytes are the new public key (65 bytes, X9.62 uncompressed), then the ciphertext with its tag (16).
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_POINT_BYTES, _KEY_BYTES, _NONCE_BYTES, _TAG_BYTES = 65, 32, 12, 16
_PURPOSE = b"machinaka seal 1"
# What sealing adds.
OVERHEAD_BYTES = _POINT_BYTES + _TAG_BYTES


class CannotOpen(Exception):
    """Bytes that this key does not open, for this purpose; nothing is said of why."""


def seal(to: ec.EllipticCurvePublicKey, plain: bytes, about: bytes) -> bytes:
    """Sealed for the holder of the private key; `about` must be said again to open it."""
    once = ec.generate_private_key(ec.SECP256R1())
    point = _point(once.public_key())
    key, nonce = _spread(once.exchange(ec.ECDH(), to), point + _point(to))
    return point + AESGCM(key).encrypt(nonce, plain, about)


def unseal(key: ec.EllipticCurvePrivateKey, sealed: bytes, about: bytes) -> bytes:
    """What was sealed. Raises CannotOpen."""
    point = sealed[:_POINT_BYTES]
    try:
        once = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        # The other form of a point would be other bytes with the same meaning.
        if len(point) != _POINT_BYTES or point[0] != 4:
            raise CannotOpen
        secret, nonce = _spread(key.exchange(ec.ECDH(), once), point + _point(key.public_key()))
        return AESGCM(secret).decrypt(nonce, sealed[_POINT_BYTES:], about)
    except (ValueError, InvalidTag) as error:
        raise CannotOpen from error


def _spread(secret: bytes, points: bytes) -> tuple[bytes, bytes]:
    spread = HKDF(hashes.SHA256(), _KEY_BYTES + _NONCE_BYTES, salt=None, info=_PURPOSE + points).derive(secret)
    return spread[:_KEY_BYTES], spread[_KEY_BYTES:]


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
