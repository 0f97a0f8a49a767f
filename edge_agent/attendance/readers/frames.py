"""Frames of serial card readers: bytes in, card numbers out (rule).

| form | bytes |
|---|---|
| `xor` | STX, hex digits, 2 hex digits: XOR of the bytes before, optional CR LF, ETX (RDM6300, ID-12: 10 + 2 digits) |
| `none` | STX, hex digits, ETX; or a line of hex digits ended by CR or LF |

1. STX always begins anew, so a frame behind any noise is found.
2. Anything that is no digit, or a digit too many, spoils the whole frame or line: half a number is another card's.
3. A line that follows an STX without its ETX is a line again: one stray byte does not silence a line reader.
"""

from dataclasses import dataclass
from typing import Literal

Checksum = Literal["xor", "none"]

_STX, _ETX = 0x02, 0x03
_LINE_ENDS = (0x0D, 0x0A)
_HEX = frozenset(b"0123456789abcdefABCDEF")
# No card's number is shorter (Wiegand-26 has three bytes); a longer run of digits is noise, and memory stays small.
SHORTEST_BYTES = 3
LONGEST_BYTES = 32


@dataclass
class FrameParser:
    """Feed it what the line gives; it gives the numbers of whole and right frames."""

    checksum: Checksum = "xor"

    def __post_init__(self) -> None:
        """Nothing heard yet."""
        self._digits = bytearray()
        self._framed = self._ending = self._spoiled = False

    def feed(self, data: bytes) -> list[bytes]:
        """The numbers of the frames that ended in `data`; wrong frames are dropped."""
        return [number for byte in data if (number := self._take(byte)) is not None]

    def _take(self, byte: int) -> bytes | None:
        if byte == _STX:
            self._begin(framed=True)
        elif byte == _ETX:
            return self._end(whole=self._framed)
        elif byte in _LINE_ENDS:
            return self._line_end()
        else:
            self._digit(byte)
        return None

    def _begin(self, *, framed: bool) -> None:
        self._digits.clear()
        self._framed, self._ending, self._spoiled = framed, False, False

    def _digit(self, byte: int) -> None:
        if self._ending:
            self._begin(framed=False)
        if byte not in _HEX or len(self._digits) >= 2 * (LONGEST_BYTES + 1):
            self._spoiled = True
        elif not self._spoiled:
            self._digits.append(byte)

    def _line_end(self) -> bytes | None:
        if self._framed and not self._spoiled:
            self._ending = True  # ETX may follow
            return None
        return self._end(whole=self.checksum == "none" and not self._framed)

    def _end(self, *, whole: bool) -> bytes | None:
        """The number, when a whole frame of the form that is expected ends here."""
        digits, good = bytes(self._digits), whole and not self._spoiled
        self._begin(framed=False)
        if not good or len(digits) % 2:
            return None
        number = bytes.fromhex(digits.decode("ascii"))
        if self.checksum == "xor":
            number = _checked(number)
        return number if SHORTEST_BYTES <= len(number) <= LONGEST_BYTES else None


def _checked(raw: bytes) -> bytes:
    """The number without its last byte, when that is the XOR of the others; nothing otherwise."""
    total = 0
    for byte in raw:
        total ^= byte
    return raw[:-1] if total == 0 else b""
