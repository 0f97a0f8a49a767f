"""The hub's signature (Ed25519) under what it tells devices to be and to do; they know its public half."""

import base64
import contextlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import chain
from hub.chain import Anchor
from wire import signed
from wire.messages import Desired, Grant, Kit, Order, Paper, Roam, Roster


class Signing:
    """Signs. One a hub; its key lies in the hub's folder, readable by the hub alone, and is made at first need."""

    def __init__(self, folder: Path) -> None:
        self._key = _read_key(folder)

    @property
    def public(self) -> str:
        """The public half, as devices keep it: base64url of 32 bytes."""
        raw = self._key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return _text(raw)

    def desired(self, device: str, incarnation: str, generation: int, document: dict[str, Any]) -> Desired:
        """A desired state, signed. Raises NotCanonical."""
        data = signed.desired_bytes(device, incarnation, generation, document)
        return Desired(incarnation, generation, document, _text(self._key.sign(data)))

    def order(self, device: str, id_: str, name: str, arguments: dict[str, Any], not_after_ms: int) -> Order:
        """An order, signed. Raises NotCanonical."""
        plain = Order(id_, name, arguments, not_after_ms, secrets.token_hex(16), "")
        signature = self._key.sign(signed.order_bytes(device, plain))
        return Order(plain.id, name, arguments, not_after_ms, plain.nonce, _text(signature))

    def roster(self, device: str, incarnation: str, generation: int, sealed: bytes) -> Roster:
        """A sealed roster, signed."""
        text = _text(sealed)
        data = signed.roster_bytes(device, incarnation, generation, text)
        return Roster(incarnation, generation, text, _text(self._key.sign(data)))

    def kit(self, device: str, incarnation: str, generation: int, sealed: bytes) -> Kit:
        """A sealed kit, signed."""
        text = _text(sealed)
        data = signed.kit_bytes(device, incarnation, generation, text)
        return Kit(incarnation, generation, text, _text(self._key.sign(data)))

    def paper(self, device: str, kind: str, incarnation: str, generation: int, sealed: bytes) -> Paper:
        """A sealed paper of a kind, signed."""
        text = _text(sealed)
        data = signed.paper_bytes(device, kind, incarnation, generation, text)
        return Paper(kind, incarnation, generation, text, _text(self._key.sign(data)))

    def roam(self, device: str, grants: Sequence[Grant], made_ms: int) -> Roam:
        """Grants for one access point, signed."""
        signature = self._key.sign(signed.roam_bytes(device, grants, made_ms))
        return Roam(tuple(grants), made_ms, _text(signature))

    def anchor(self, seq: int, hashed: bytes, at_ms: int) -> Anchor:
        """The audit log's newest entry, signed."""
        signature = self._key.sign(chain.anchor_bytes(seq, hashed, at_ms))
        return Anchor(seq, hashed, at_ms, self.public, _text(signature))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _read_key(folder: Path) -> Ed25519PrivateKey:
    path = folder / "signing.key"
    with contextlib.suppress(FileNotFoundError):
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    folder.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes_raw())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return key
