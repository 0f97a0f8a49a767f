"""A FeliCa Lite-S card by hand: its blocks, and the MAC that it answers a challenge with.

Written from the card's own description (a card key, a challenge in RC, a session key, CBC over the blocks in halves of
eight bytes, each the other way round), with another library's DES than the reader's.
"""

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

RC, MAC, ID, CKV, CK, MC = 0x80, 0x81, 0x82, 0x86, 0x87, 0x88
_SYSTEM = b"\x88\xb4"
# The IC code of a Lite-S, and generous waiting times: a late datagram would put the two sides out of step.
_PMM = bytes.fromhex("00f100008f8f8f8f")


class LiteS:
    """A card with a key; `asked` counts the reads, `written` the blocks that were written and last."""

    def __init__(self, idm: bytes, key: bytes) -> None:
        self._idm, self._key = idm, key
        self._rc = bytes(16)
        self.asked = 0
        self.written: list[int] = []
        self.leaves_after: int | None = None

    def power_up(self) -> None:
        """The challenge is forgotten with the field."""
        self._rc = bytes(16)

    def answer(self, rate: str, frame: bytes) -> bytes | None:
        """Polling, Read and Write Without Encryption."""
        is_gone = self.leaves_after is not None and self.asked >= self.leaves_after
        if is_gone or rate != "212F" or len(frame) < 2 or frame[0] != len(frame):
            return None
        if frame[1] == 0x00 and len(frame) == 6:
            return self._poll(frame[2:4], frame[4])
        if frame[2:10] != self._idm:
            return None
        return self._command(frame[1], frame[10:])

    def _command(self, code: int, request: bytes) -> bytes | None:
        if code == 0x06:
            self.asked += 1
            return self._framed(0x07, self._read(request))
        return self._framed(0x09, self._write(request)) if code == 0x08 else None

    def _poll(self, wanted: bytes, request: int) -> bytes | None:
        if any(w not in (0xFF, s) for w, s in zip(wanted, _SYSTEM, strict=True)):
            return None
        data = b"\x01" + self._idm + _PMM + (_SYSTEM if request == 1 else b"")
        return bytes([len(data) + 1]) + data

    def _framed(self, code: int, data: bytes) -> bytes:
        body = bytes([code]) + self._idm + data
        return bytes([len(body) + 1]) + body

    def _read(self, request: bytes) -> bytes:
        count, blocks = request[3], request[4:]
        numbers = [blocks[at + 1] for at in range(0, 2 * count, 2)]
        data = b""
        for number in numbers:
            data += self._block(number, data)
        return bytes([0, 0, count]) + data

    def _block(self, number: int, before: bytes) -> bytes:
        if number == ID:
            return self._idm + bytes(8)
        return self.mac(before) + bytes(8) if number == MAC else bytes(16)

    def _write(self, request: bytes) -> bytes:
        number, data = request[5], request[6:22]
        if number == RC:
            self._rc = data
        else:
            self.written.append(number)
            if number == CK:
                self._key = _turned(data)
        return b"\x00\x00"

    def mac(self, data: bytes) -> bytes:
        """The MAC of blocks, under the session key of the last challenge."""
        challenge = _turned(self._rc)
        session = _cbc(self._key, bytes(8), challenge)
        return _cbc(session, challenge[:8], _turned(data))[-8:][::-1]


class Silent(LiteS):
    """A copy of a number alone: it is found, and answers no command."""

    def answer(self, rate: str, frame: bytes) -> bytes | None:
        """Polling only."""
        return super().answer(rate, frame) if frame[1:2] == b"\x00" else None


def _cbc(key: bytes, start: bytes, data: bytes) -> bytes:
    worker = Cipher(TripleDES(key + key[:8]), modes.CBC(start)).encryptor()
    return worker.update(data) + worker.finalize()


def _turned(data: bytes) -> bytes:
    """Each eight bytes the other way round."""
    return b"".join(data[at : at + 8][::-1] for at in range(0, len(data), 8))
