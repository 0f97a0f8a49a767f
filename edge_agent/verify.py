"""Whether what came down is the hub's word: its Ed25519 signature, under the key that came with the enrolment.

1. The key lies in the identity folder (`orders.pub`, base64url of 32 bytes) and is read at each check, so that a
   device that was enrolled anew needs no restart.
2. The library is loaded at the first check (6 MB); a check is made off the event loop (`asyncio.to_thread`).
3. A refusal is one of a few fixed words: what a stranger sent is never repeated.
"""

import base64
import binascii
from pathlib import Path
from typing import Literal

from wire import signed
from wire.messages import Desired, Kit, Order, Paper, Roam, Roster

Refusal = Literal["no_key", "signature"]

_KEY_BYTES = 32


def desired(state_dir: Path, device: str, told: Desired) -> Refusal | None:
    """Why a desired state is not the hub's word for this device, or None when it is."""
    try:
        data = signed.desired_bytes(device, told.incarnation, told.generation, told.document)
    except signed.NotCanonical:
        return "signature"
    return _check(state_dir, data, told.signature)


def order(state_dir: Path, device: str, told: Order) -> Refusal | None:
    """Why an order is not the hub's word for this device, or None when it is."""
    try:
        data = signed.order_bytes(device, told)
    except signed.NotCanonical:
        return "signature"
    return _check(state_dir, data, told.signature)


def roster(state_dir: Path, device: str, told: Roster) -> Refusal | None:
    """Why a roster is not the hub's word for this device, or None when it is."""
    try:
        data = signed.roster_bytes(device, told.incarnation, told.generation, told.sealed)
    except signed.NotCanonical:
        return "signature"
    return _check(state_dir, data, told.signature)


def kit(state_dir: Path, device: str, told: Kit) -> Refusal | None:
    """Why a kit is not the hub's word for this device, or None when it is."""
    try:
        data = signed.kit_bytes(device, told.incarnation, told.generation, told.sealed)
    except signed.NotCanonical:
        return "signature"
    return _check(state_dir, data, told.signature)


def paper(state_dir: Path, device: str, told: Paper) -> Refusal | None:
    """Why a paper is not the hub's word for this device, or None when it is."""
    try:
        data = signed.paper_bytes(device, told.kind, told.incarnation, told.generation, told.sealed)
    except signed.NotCanonical:
        return "signature"
    return _check(state_dir, data, told.signature)


def roam(state_dir: Path, device: str, told: Roam) -> Refusal | None:
    """Why grants are not the hub's word for this device, or None when they are."""
    try:
        data = signed.roam_bytes(device, told.grants, told.made_ms)
    except signed.NotCanonical:
        return "signature"
    return _check(state_dir, data, told.signature)


def _check(state_dir: Path, data: bytes, signature: str) -> Refusal | None:
    key = _read_key(state_dir / "identity" / "orders.pub")
    if key is None:
        return "no_key"
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(base64.urlsafe_b64decode(signature + "=="), data)
    except (InvalidSignature, ValueError):
        return "signature"
    return None


def _read_key(path: Path) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(path.read_text(encoding="ascii").strip() + "=")
    except (OSError, ValueError, binascii.Error):
        return None
    return raw if len(raw) == _KEY_BYTES else None
