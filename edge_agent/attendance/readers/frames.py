"""Frames of serial card readers: bytes in, card numbers out (rule).

| form | bytes |
|---|---|
| `xor` (RDM6300, ID-12) | STX, 10 hex digits, 2 hex digits: XOR of the five bytes, optional CR LF, ETX |
| `none` | STX, hex digits, ETX; or a line of hex digits ended by CR or LF |
"""

from dataclasses import dataclass
from typing import Literal

Checksum = Literal["xor", "none"]

_STX, _ETX = 0x02, 0x03
_ENDS = (_ETX, 0x0D, 0x0A)
_HEX = frozenset(b"0123456789abcdefABCDEF")
# A longer run of digits is noise: it is thrown away, and memory stays small.
_LONGEST = 64


@dataclass
class FrameParser:
    """Feed it what the line gives; it gives the numbers of whole and right frames."""

    checksum: Checksum = "xor"

    def __post_init__(self) -> None:
        """Nothing heard yet."""
        self._digits = bytearray()
        self._open = False

    def feed(self, data: bytes) -> list[bytes]:
        """The numbers of the frames that ended in `data`. A second STX begins anew; wrong frames are dropped."""
        found = []
        for byte in data:
            if byte == _STX:
                self._begin(framed=True)
            elif byte in _ENDS:
                number = self._end(byte)
                if number is not None:
                    found.append(number)
            elif byte in _HEX and len(self._digits) < _LONGEST:
                self._digits.append(byte)
            else:
                self._begin(framed=False)
        return found

    def _begin(self, *, framed: bool) -> None:
        self._digits.clear()
        self._open = framed

    def _end(self, byte: int) -> bytes | None:
        """The number, when this byte ends a frame of the form that is expected."""
        if self._open and byte != _ETX:
            return None  # CR LF before ETX
        complete = self._open if byte == _ETX else self.checksum == "none"
        digits = bytes(self._digits)
        self._begin(framed=False)
        if not complete or not digits or len(digits) % 2:
            return None
        raw = bytes.fromhex(digits.decode("ascii"))
        return raw if self.checksum == "none" else _checked(raw)


def _checked(raw: bytes) -> bytes | None:
    """The number without its last byte, when that is the XOR of the others."""
    total = 0
    for byte in raw:
        total ^= byte
    return raw[:-1] if total == 0 and len(raw) > 1 else None
