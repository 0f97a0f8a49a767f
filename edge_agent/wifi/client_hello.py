"""Rule: the name that a client asks for when it begins TLS, read off its first message without taking part in it.

The layout is RFC 8446, sections 5.1 (records) and 4.1.2 (ClientHello), and RFC 6066, section 3 (server_name). What a
client hides (ECH) is not seen: then the name on the outside is what it is judged by.
"""

import re

# The longest message that is waited for: hellos with post-quantum keys have about 2,000 bytes.
LONGEST_BYTES = 16_384
_RECORD, _HANDSHAKE, _HELLO, _SERVER_NAME, _HOST_NAME = 5, 22, 1, 0, 0
_NAME = re.compile(rb"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


class Incomplete(Exception):
    """More bytes are needed to tell."""


class NotHello(Exception):
    """It is not how a client begins TLS."""


def server_name(data: bytes) -> str:
    """The name asked for, in lower case; empty when the client names none. Raises Incomplete and NotHello."""
    if len(data) > LONGEST_BYTES:
        raise NotHello("the first message is too long")
    message = _Cut(_handshake(data))
    if message.number(1) != _HELLO:
        raise NotHello("the first message is no ClientHello")
    hello = _Cut(message.piece(3))
    hello.take(2 + 32)  # version and random
    hello.piece(1)  # session
    hello.piece(2)  # ciphers
    hello.piece(1)  # compression
    return _of_extensions(_Cut(hello.piece(2))) if hello.left else ""


def _handshake(data: bytes) -> bytes:
    """The handshake message that the records carry, whichever way it was cut. Raises Incomplete and NotHello."""
    message = bytearray()
    at = 0
    while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4], "big"):
        head = data[at : at + _RECORD]
        if head[:1] not in (b"", b"\x16") or head[1:2] not in (b"", b"\x03"):
            raise NotHello("it is no TLS")
        if len(head) < _RECORD:
            raise Incomplete
        length = int.from_bytes(head[3:5], "big")
        if not length:
            raise NotHello("a record is empty")
        at += _RECORD + length
        if at > len(data):
            if at > LONGEST_BYTES:
                raise NotHello("the first message is too long")
            raise Incomplete
        message += data[at - length : at]
        if message[0] != _HELLO:
            raise NotHello("the first message is no ClientHello")
    return bytes(message)


def _of_extensions(extensions: "_Cut") -> str:
    while extensions.left:
        kind, body = extensions.number(2), extensions.piece(2)
        if kind == _SERVER_NAME:
            names = _Cut(_Cut(body).piece(2))
            if names.number(1) != _HOST_NAME:
                raise NotHello("the server's name is of a kind that nobody knows")
            name = names.piece(2).lower()
            if not _NAME.fullmatch(name):
                raise NotHello("the server's name is no name")
            return name.decode("ascii")
    return ""


class _Cut:
    """Bytes that are taken off the front; what should be there and is not makes it no hello."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, length: int) -> bytes:
        if length > self.left:
            raise NotHello("it ends too early")
        self._at += length
        return self._data[self._at - length : self._at]

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def piece(self, length_bytes: int) -> bytes:
        return self.take(self.number(length_bytes))
