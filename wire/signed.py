"""The bytes that the hub signs and a device checks: they say whose they are and what they are, and there is one way
to write them.

1. The device's name is inside, so that what is meant for one is worth nothing at another.
2. The purpose is inside, so that a document can never be taken for an order.
3. Keys sorted by code point, no white space, UTF-8; whole numbers of 64 bits and no fractions, so each value has
   one form. Escaped are only the quotation mark, the backslash and the control characters (RFC 8785, 3.2.2.2).
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from wire.messages import INT64_MAX, Grant, Order

# Nested deeper is no document of ours, and would bring a small device's interpreter to its limit.
DEEPEST = 32


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


def roster_bytes(device: str, incarnation: str, generation: int, sealed: str) -> bytes:
    """What is signed of a roster; its content is sealed, and nobody between can read it. Raises NotCanonical."""
    return _bytes(
        {
            "purpose": "machinaka roster 1",
            "device": device,
            "incarnation": incarnation,
            "generation": generation,
            "sealed": sealed,
        }
    )


def roster_place_bytes(device: str, incarnation: str, generation: int) -> bytes:
    """What the seal of a roster is bound to: it opens at this device, as this generation, and nowhere else."""
    return _bytes(
        {
            "purpose": "machinaka roster content 1",
            "device": device,
            "incarnation": incarnation,
            "generation": generation,
        }
    )


def kit_bytes(device: str, incarnation: str, generation: int, sealed: str) -> bytes:
    """What is signed of a kit; its content is sealed, and nobody between can read it. Raises NotCanonical."""
    return _bytes(
        {
            "purpose": "machinaka kit 1",
            "device": device,
            "incarnation": incarnation,
            "generation": generation,
            "sealed": sealed,
        }
    )


def kit_place_bytes(device: str, incarnation: str, generation: int) -> bytes:
    """What the seal of a kit is bound to: it opens at this device, as this generation, and nowhere else."""
    return _bytes(
        {
            "purpose": "machinaka kit content 1",
            "device": device,
            "incarnation": incarnation,
            "generation": generation,
        }
    )


def paper_bytes(device: str, kind: str, incarnation: str, generation: int, sealed: str) -> bytes:
    """What is signed of a paper; its content is sealed, and nobody between can read it. Raises NotCanonical."""
    return _bytes(
        {
            "purpose": "machinaka paper 1",
            "device": device,
            "kind": kind,
            "incarnation": incarnation,
            "generation": generation,
            "sealed": sealed,
        }
    )


def paper_place_bytes(device: str, kind: str, incarnation: str, generation: int) -> bytes:
    """What the seal of a paper is bound to: it opens at this device, as this kind and generation, and nowhere else."""
    return _bytes(
        {
            "purpose": "machinaka paper content 1",
            "device": device,
            "kind": kind,
            "incarnation": incarnation,
            "generation": generation,
        }
    )


def roam_bytes(device: str, grants: Sequence[Grant], made_ms: int) -> bytes:
    """What is signed of the grants for a device: each with all its fields. Raises NotCanonical."""
    plain = [{name: getattr(grant, name) for name in Grant.__struct_fields__} for grant in grants]
    return _bytes({"purpose": "machinaka roam 1", "device": device, "grants": plain, "made_ms": made_ms})


def contact_bytes(session: str) -> bytes:
    """What a sealed contact is bound to: the session whose consent it is part of."""
    return _bytes({"purpose": "machinaka contact 1", "session": session})


def late_renewal_bytes(device: str, asked: dict[str, Any]) -> bytes:
    """What a device signs with its old key to get the next certificate. Raises NotCanonical."""
    return _bytes({**asked, "purpose": "machinaka late renewal 1", "device": device})


def digest(signed: bytes) -> str:
    """The SHA-256 of signed bytes, in hex: what a device reports that it has applied."""
    return hashlib.sha256(signed).hexdigest()


def _bytes(value: dict[str, Any]) -> bytes:
    _check(value, "$", 0)
    return msgspec.json.encode(value, order="sorted")


def _check(value: object, where: str, depth: int) -> None:
    if depth > DEEPEST:
        raise NotCanonical(f"{where}: found more than {DEEPEST} tables and lists in one another")
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                raise NotCanonical(f"{where}: found the key {key!r}, expected a text")
            _check(key, where, depth)
            _check(part, f"{where}.{key}", depth + 1)
    elif isinstance(value, list | tuple):
        for place, part in enumerate(value):
            _check(part, f"{where}[{place}]", depth + 1)
    elif not _is_plain(value):
        expected = "a text, a whole number of 64 bits, true, false, null, a list or a table"
        raise NotCanonical(f"{where}: found {value!r}, expected {expected}")


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        # Half of a surrogate pair has no form in UTF-8.
        return not any("\ud800" <= character <= "\udfff" for character in value)
    return value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) <= INT64_MAX)
