"""Rule: packets of RADIUS accounting and of Disconnect (RFC 2865, 2866, 2869, 5176), from bytes and to bytes.

1. A packet is believed only with the right authenticator; secrets and sums are compared in constant time. A
   Message-Authenticator that is there has to be right as well.
2. A length that does not hold what it says makes the whole packet nothing (RFC 2865, 3: silently discarded).
3. MD5 is what the protocol has. These packets do not leave the device.
"""

import hashlib
import hmac
import struct
from collections.abc import Sequence

import msgspec

ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE = 4, 5
DISCONNECT_REQUEST, DISCONNECT_ACK, DISCONNECT_NAK = 40, 41, 42
PROXY_STATE, EVENT_TIMESTAMP, MESSAGE_AUTHENTICATOR = 33, 55, 80
ACCT_SESSION_ID, ERROR_CAUSE = 44, 101
# RFC 5176, 3.5: the session is not there.
NO_SUCH_SESSION = 503
_HEAD = struct.Struct("!BBH16s")
_MOST_BYTES = 4096
_ZERO = bytes(16)

Attributes = Sequence[tuple[int, bytes]]


class BadPacket(Exception):
    """Bytes that are no packet, or one that nobody with the secret made; one sentence without its content."""


class Packet(msgspec.Struct, frozen=True):
    """One packet: its attributes as they stand in it, each by its number."""

    code: int
    identifier: int
    authenticator: bytes
    attributes: tuple[tuple[int, bytes], ...]
    raw: bytes

    def first(self, kind: int) -> bytes | None:
        """The first attribute of a number."""
        return next((value for number, value in self.attributes if number == kind), None)

    def number(self, kind: int) -> int | None:
        """The first attribute of a number, as a 32-bit integer; None when it is none."""
        value = self.first(kind)
        return int.from_bytes(value) if value is not None and len(value) == 4 else None


def parse(data: bytes) -> Packet:
    """A packet; what follows its length is padding. Raises BadPacket."""
    if len(data) < _HEAD.size:
        raise BadPacket(f"{len(data)} bytes; expected at least {_HEAD.size}")
    code, identifier, length, authenticator = _HEAD.unpack_from(data)
    if not _HEAD.size <= length <= min(len(data), _MOST_BYTES):
        raise BadPacket(f"a length of {length} in {len(data)} bytes; expected {_HEAD.size} to {_MOST_BYTES}")
    return Packet(code, identifier, authenticator, _attributes(data[_HEAD.size : length]), data[:length])


def _attributes(data: bytes) -> tuple[tuple[int, bytes], ...]:
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        length = data[at + 1] if at + 1 < len(data) else 0
        if length < 2 or at + length > len(data):
            raise BadPacket("an attribute that does not fit")
        found.append((data[at], data[at + 2 : at + length]))
        at += length
    return tuple(found)


def accounting_request(data: bytes, secret: bytes) -> Packet:
    """An Accounting-Request that was made with the secret (RFC 2866, 3). Raises BadPacket."""
    packet = parse(data)
    if packet.code != ACCOUNTING_REQUEST:
        raise BadPacket(f"code {packet.code}; expected {ACCOUNTING_REQUEST}")
    _check_sums(packet, _ZERO, secret)
    return packet


def accounting_response(request: Packet, secret: bytes) -> bytes:
    """The answer to a request that was recorded; it repeats what proxies put in."""
    states = [(kind, value) for kind, value in request.attributes if kind == PROXY_STATE]
    return _signed(ACCOUNTING_RESPONSE, request.identifier, request.authenticator, states, secret)


def request(code: int, identifier: int, attributes: Attributes, secret: bytes) -> bytes:
    """An Accounting-Request or Disconnect-Request, with a Message-Authenticator (RFC 5176, 3.4)."""
    body = [*attributes, (MESSAGE_AUTHENTICATOR, _ZERO)]
    unsigned = _bytes(code, identifier, _ZERO, body)
    # It is the last attribute: its sixteen bytes are the packet's last.
    told = hmac.new(secret, unsigned, "md5").digest()
    return _signed(code, identifier, _ZERO, [*attributes, (MESSAGE_AUTHENTICATOR, told)], secret)


def answer(asked: bytes, data: bytes, secret: bytes) -> Packet:
    """The answer to a request of ours, from whoever has the secret (RFC 2865, 3). Raises BadPacket."""
    packet, ours = parse(data), parse(asked)
    if packet.identifier != ours.identifier:
        raise BadPacket("an answer to another request")
    _check_sums(packet, ours.authenticator, secret)
    return packet


def text(value: str) -> bytes:
    """A text as an attribute holds it (RFC 2865, 5), at most 253 bytes."""
    return value.encode("utf-8", "replace")[:253]


def whole(value: int) -> bytes:
    """A number of 32 bits as an attribute holds it."""
    return struct.pack("!I", value & 0xFFFFFFFF)


def _check_sums(packet: Packet, authenticator: bytes, secret: bytes) -> None:
    """`authenticator` is what stood in the header while the sums were made."""
    body = packet.raw[_HEAD.size :]
    head = packet.raw[:4] + authenticator
    if not hmac.compare_digest(_sum(head + body, secret), packet.authenticator):
        raise BadPacket("an authenticator that the secret does not make")
    told = packet.first(MESSAGE_AUTHENTICATOR)
    if told is None:
        return
    zeroed = _bytes(packet.code, packet.identifier, authenticator, _without_sum(packet.attributes))
    if not hmac.compare_digest(hmac.new(secret, zeroed, "md5").digest(), told):
        raise BadPacket("a Message-Authenticator that the secret does not make")


def _without_sum(attributes: Attributes) -> Attributes:
    return [(kind, _ZERO if kind == MESSAGE_AUTHENTICATOR else value) for kind, value in attributes]


def _signed(code: int, identifier: int, authenticator: bytes, attributes: Attributes, secret: bytes) -> bytes:
    unsigned = _bytes(code, identifier, authenticator, attributes)
    return unsigned[:4] + _sum(unsigned, secret) + unsigned[_HEAD.size :]


def _sum(data: bytes, secret: bytes) -> bytes:
    return hashlib.md5(data + secret, usedforsecurity=False).digest()


def _bytes(code: int, identifier: int, authenticator: bytes, attributes: Attributes) -> bytes:
    body = b"".join(struct.pack("!BB", kind, len(value) + 2) + value for kind, value in attributes)
    return _HEAD.pack(code, identifier, _HEAD.size + len(body), authenticator) + body
