"""The bytes that the hub signs and a device checks: they say whose they are and what they are, and there is one way
to write them.

1. The device's name is inside, so that what is meant for one is worth nothing at another.
2. The purpose is inside, so that a document can never be taken for an order.
3. Keys sorted by code point, no white space, UTF-8; no fractions anywhere, so each value has one form.
"""

import hashlib
from typing import Any

import msgspec

from wire.messages import Order


class NotCanonical(Exception):
    """A value that has more than one form in JSON, or none; one plain sentence."""


def desired_bytes(device: str, incarnation: str, generation: int, document: dict[str, Any]) -> bytes:
    """What is signed of a desired state. Raises NotCanonical."""
    return _bytes(
        {
            "purpose": "machinaka desired 1",
            "device": device,
            "incarnation": incarnation,
            "generation": generation,
            "document": document,
        }
    )


def order_bytes(device: str, order: Order) -> bytes:
    """What is signed of an order: all of it but the signature. Raises NotCanonical."""
    return _bytes(
        {
            "purpose": "machinaka order 1",
            "device": device,
            "id": order.id,
            "name": order.name,
            "arguments": order.arguments,
            "not_after_ms": order.not_after_ms,
            "nonce": order.nonce,
        }
    )


def digest(signed: bytes) -> str:
    """The SHA-256 of signed bytes, in hex: what a device reports that it has applied."""
    return hashlib.sha256(signed).hexdigest()


def _bytes(value: dict[str, Any]) -> bytes:
    _check(value, "$")
    return msgspec.json.encode(value, order="sorted")


def _check(value: object, where: str) -> None:
    if value is None or isinstance(value, bool | str | int):
        return
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                raise NotCanonical(f"{where}: found the key {key!r}, expected a text")
            _check(part, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for place, part in enumerate(value):
            _check(part, f"{where}[{place}]")
    else:
        raise NotCanonical(f"{where}: found {value!r}, expected a text, a whole number, true, false, a list or a table")
