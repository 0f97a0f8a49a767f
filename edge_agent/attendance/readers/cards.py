"""Simulated cards: what each kind answers to the frames that nfcpy sends (FeliCa, ISO/IEC 14443 A and B).

Only what identifies a card and keeps it "present" is here; there is no memory worth reading.
"""

import secrets
from collections.abc import Callable
from typing import Protocol


class Card(Protocol):
    """A card in the field."""

    def power_up(self) -> None:
        """It comes into the field."""
        ...

    def answer(self, rate: str, frame: bytes) -> bytes | None:
        """What it sends back; None when it is silent."""
        ...


class FeliCa:
    """A FeliCa Standard card: JIS X 6319-4 polling and request response. `idm` has 8 bytes."""

    # Generous waiting times: with a real card's, a late datagram would put the two sides out of step.
    _PMM = bytes.fromhex("0120220427678f8f")
    _SYSTEM = b"\xfe\x00"

    def __init__(self, idm: bytes) -> None:
        self._idm = idm.ljust(8, b"\0")[:8]

    def power_up(self) -> None:
        """Nothing changes: the IDm is fixed."""

    def answer(self, rate: str, frame: bytes) -> bytes | None:
        """Answers a poll for any system or its own, and Request Response."""
        if rate != "212F" or len(frame) < 2 or frame[0] != len(frame):
            return None
        if frame[1] == 0x00 and len(frame) == 6:
            wanted, request = frame[2:4], frame[4]
            if any(w not in (0xFF, s) for w, s in zip(wanted, self._SYSTEM, strict=True)):
                return None
            return _framed(b"\x01" + self._idm + self._PMM + (self._SYSTEM if request == 1 else b""))
        if frame[1] == 0x04 and frame[2:10] == self._idm:
            return _framed(b"\x05" + self._idm + b"\x00")
        return None


def _framed(data: bytes) -> bytes:
    return bytes([len(data) + 1]) + data


class TypeA:
    """The anticollision of ISO/IEC 14443-3 A, one or two levels; kinds add what follows selection."""

    def __init__(self, uid: bytes, sak: int, sens_res: bytes) -> None:
        self._uid = uid
        self._sak = sak
        self._sens_res = sens_res

    def power_up(self) -> None:
        """Nothing changes: the UID is fixed."""

    def _levels(self) -> list[bytes]:
        parts = [self._uid] if len(self._uid) == 4 else [b"\x88" + self._uid[:3], self._uid[3:7]]
        return [part + bytes([part[0] ^ part[1] ^ part[2] ^ part[3]]) for part in parts]

    def answer(self, rate: str, frame: bytes) -> bytes | None:
        """Answers SENS_REQ, anticollision and selection; the rest is the kind's."""
        if rate != "106A":
            return None
        if frame in (b"\x26", b"\x52"):
            return self._sens_res
        levels = self._levels()
        for index, (level, code) in enumerate(zip(levels, (0x93, 0x95), strict=False)):
            if frame == bytes([code, 0x20]):
                return level
            if frame == bytes([code, 0x70]) + level:
                return bytes([self._sak | (0x04 if index + 1 < len(levels) else 0)])
        return self.selected(frame)

    def selected(self, frame: bytes) -> bytes | None:
        """What the card answers once it is selected."""
        return None


class Ntag(TypeA):
    """A Type 2 tag with a seven-byte UID that lets itself be read."""

    def __init__(self, uid: bytes) -> None:
        super().__init__(uid.ljust(7, b"\0")[:7], 0x00, b"\x44\x00")

    def selected(self, frame: bytes) -> bytes | None:
        """READ gives 16 bytes; GET_VERSION says NTAG215."""
        if frame[:1] == b"\x30":
            return self._uid + bytes(9)
        if frame == b"\x60":
            return bytes.fromhex("0004040201001103")
        return None


class Classic(TypeA):
    """A MIFARE Classic: it refuses READ without authentication, so nfcpy takes it for gone at once."""

    def __init__(self, uid: bytes) -> None:
        super().__init__(uid.ljust(4, b"\x01")[:4], 0x08, b"\x04\x00")

    def selected(self, frame: bytes) -> bytes | None:
        """A NAK for READ."""
        return b"\x04" if frame[:1] == b"\x30" else None


class Type4(TypeA):
    """An ISO-DEP card; `ats` short of its TB1 byte makes nfcpy stumble."""

    def __init__(self, uid: bytes, ats: bytes = bytes.fromhex("0578807102")) -> None:
        super().__init__(uid.ljust(7, b"\0")[:7], 0x20, b"\x44\x03")
        self._ats = ats

    def selected(self, frame: bytes) -> bytes | None:
        """RATS gives the ATS; a presence check (R-NAK) is acknowledged; commands are not found."""
        if frame[:1] == b"\xe0":
            return self._ats
        if frame[:1] in (b"\xb2", b"\xb3"):
            return bytes([0xA2 | (frame[0] & 1)])
        if frame[:1] in (b"\x02", b"\x03"):
            return bytes([frame[0]]) + b"\x6a\x82"
        return None


class Phone(Type4):
    """A phone without a fixed number: a random UID that begins with 08, another each time."""

    def __init__(self, uid: bytes) -> None:
        super().__init__(uid)
        self._sak = 0x60
        self._sens_res = b"\x04\x03"

    def power_up(self) -> None:
        """A new random number (ISO/IEC 14443-3, 6.5.4)."""
        self._uid = b"\x08" + secrets.token_bytes(3)


class TypeB:
    """A Type B card such as the My Number card: its PUPI is another each time."""

    def __init__(self, pupi: bytes) -> None:
        self._pupi = pupi

    def power_up(self) -> None:
        """A new random number."""
        self._pupi = secrets.token_bytes(4)

    def answer(self, rate: str, frame: bytes) -> bytes | None:
        """SENSB_RES, ATTRIB, the presence check, and DESELECT, which is answered by itself."""
        if rate != "106B":
            return None
        if frame[:1] == b"\x05":
            return b"\x50" + self._pupi + bytes.fromhex("00000000 118171")
        if frame[:1] == b"\x1d":
            return b"\x00"
        if frame[:1] in (b"\xb2", b"\xb3"):
            return bytes([0xA2 | (frame[0] & 1)])
        if frame[:1] in (b"\x02", b"\x03"):
            return bytes([frame[0]]) + b"\x6a\x82"
        return frame if frame[:1] in (b"\xc2", b"\xca") else None


_MAKERS: dict[str, Callable[[bytes], Card]] = {
    "felica": FeliCa,
    "ntag": Ntag,
    "mifare": Classic,
    "type4": Type4,
    "shortats": lambda uid: Type4(uid, bytes.fromhex("0278")),
    "phone": Phone,
    "typeb": TypeB,
}
KINDS = tuple(_MAKERS)
_LONGEST_BYTES = {"felica": 8, "mifare": 4, "typeb": 4}


def make_card(kind: str, identifier: bytes) -> Card:
    """A card of one of KINDS; a short identifier is filled up, a random one replaced.

    Raises ValueError for another kind, and for an identifier that is empty or longer than the kind's.
    """
    if kind not in _MAKERS:
        raise ValueError(f"card {kind!r}: expected one of {', '.join(KINDS)}")
    longest = _LONGEST_BYTES.get(kind, 7)
    if not 1 <= len(identifier) <= longest:
        raise ValueError(f"card number {identifier.hex()!r}: a {kind} card has 1 to {longest} bytes")
    return _MAKERS[kind](identifier)
