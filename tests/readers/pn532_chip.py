"""A PN532 on a pseudo terminal: the chip's side of the serial line, with the simulated cards in its field.

Hand-written after the PN532 user manual (UM0701-02): frames 6.2.1, commands 7.2 and 7.3.
1. An acknowledgement and an answer are frames of their own; a frame with a wrong sum is not answered.
2. The chip hears only what is sent at its own baud rate; after SetSerialBaudRate it changes once it hears the host's
   acknowledgement, which the host may have sent just before it changed itself.
3. InListPassiveTarget: of several Type A cards the chip picks as many as it may list; FeliCa cards in one time slot
   hide one another, in several they are listed.
"""

import os
import select
import termios
import threading
import tty
from collections.abc import Callable
from pathlib import Path

from edge_agent.attendance.readers.cards import Card

_ACK = bytes.fromhex("0000ff00ff00")
_RATES = {4: 115_200, 5: 230_400, 6: 460_800, 7: 921_600}
_SPEEDS = {getattr(termios, f"B{rate}"): rate for rate in _RATES.values()}
_TX_MODE, _RX_MODE, _TX_CONTROL, _FIFO = 0x6302, 0x6303, 0x6304, 0x6339
_FRAMINGS = {0: "106A", 2: "212F", 3: "106B"}
_OK, _TIMEOUT = 0x00, 0x01


class Pn532:
    """The chip. `name` is the link below /dev under which it is found; making it needs the right to write there."""

    def __init__(self, name: str) -> None:
        self._link = Path("/dev") / name
        self.path = f"tty:{name}:pn532"
        self.baud = 115_200
        self.hangs = False
        self.listings = 0
        self._changes_to: int | None = None
        self._cards: list[Card] = []
        self._active: Card | None = None
        self._registers = dict.fromkeys((_TX_MODE, _RX_MODE, _TX_CONTROL, _FIFO), 0)
        self._lock = threading.Lock()
        self._pulled = threading.Event()
        self._master: int | None = None
        self._thread: threading.Thread | None = None

    # ---- the hand

    def plug(self) -> None:
        """Plugs the board in: it has power, and its name in /dev."""
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self._link.symlink_to(os.ttyname(slave))
        self._pulled.clear()
        self._thread = threading.Thread(target=self._serve, args=(self._master, slave), name="pn532", daemon=True)
        self._thread.start()

    def pull(self) -> None:
        """Pulls the board out: its name goes, and whoever holds the line is told by the kernel."""
        self._link.unlink(missing_ok=True)
        self._pulled.set()
        if self._thread is not None:
            self._thread.join()
        self._thread = None
        self.baud, self._changes_to = 115_200, None

    def place(self, *cards: Card) -> None:
        """Puts cards into the field."""
        with self._lock:
            for card in cards:
                card.power_up()
            self._cards += cards

    def remove(self) -> None:
        """Takes all cards away."""
        with self._lock:
            self._cards.clear()

    # ---- the line

    def _serve(self, master: int, slave: int) -> None:
        heard = b""
        # The slave end stays open here, so that the line outlives a host that closes it.
        try:
            while not self._pulled.is_set():
                if not select.select([master], [], [], 0.02)[0]:
                    continue
                heard += self._heard(master)
                while (cut := _frame(heard)) is not None:
                    frame, heard = cut
                    self._take(master, frame)
        finally:
            os.close(slave)
            os.close(master)

    def _heard(self, master: int) -> bytes:
        """What came at the chip's own rate; anything else is noise to it."""
        data = os.read(master, 4096)
        rate = _SPEEDS.get(termios.tcgetattr(master)[5])
        if self._changes_to is not None and (rate == self._changes_to or _ACK in data):
            self.baud, self._changes_to = self._changes_to, None
            return data
        return data if rate == self.baud and not self.hangs else b""

    def _take(self, master: int, data: bytes) -> None:
        """A command frame's data: D4, the command, its arguments."""
        command, arguments = data[1], data[2:]
        with self._lock:
            answer = self._commands[command](self, arguments)
        os.write(master, _ACK)
        if answer is not None:
            os.write(master, _framed(bytes([0xD5, command + 1]) + answer))

    # ---- commands

    def _diagnose(self, arguments: bytes) -> bytes:
        return arguments  # the line test: what was sent

    def _version(self, arguments: bytes) -> bytes:
        return bytes.fromhex("32010607")

    def _read_register(self, arguments: bytes) -> bytes:
        return bytes(self._registers.get(int.from_bytes(arguments[i : i + 2]), 0) for i in range(0, len(arguments), 2))

    def _write_register(self, arguments: bytes) -> bytes:
        for i in range(0, len(arguments), 3):
            self._registers[int.from_bytes(arguments[i : i + 2])] = arguments[i + 2]
        return b""

    def _baud_rate(self, arguments: bytes) -> bytes:
        self._changes_to = _RATES[arguments[0]]
        return b""

    def _done(self, arguments: bytes) -> bytes:
        return b""

    def _power_down(self, arguments: bytes) -> bytes:
        return b"\x00"

    def _exchange(self, arguments: bytes) -> bytes:
        return self._thru(arguments[1:])

    def _thru(self, frame: bytes) -> bytes:
        """InCommunicateThru: a frame to the card that was listed, at the rate that the registers say."""
        rate = _FRAMINGS[self._registers[_TX_MODE] & 0x03]
        present = self._active is not None and self._active in self._cards
        reply = self._active.answer(rate, frame) if present and self._active is not None else None
        if reply is None:
            return bytes([_TIMEOUT])
        if not self._registers[_RX_MODE] & 0x80 and len(reply) > 1:
            reply += _crc_a(reply)
        return bytes([_OK]) + reply

    def _list(self, arguments: bytes) -> bytes:
        """InListPassiveTarget: how many, at which rate, with which polling."""
        self.listings += 1
        most, kind, request = arguments[0], arguments[1], arguments[2:]
        find = {0: self._find_a, 1: self._find_f, 3: self._find_b}[kind]
        framing = {0: 0, 1: 2, 3: 3}[kind]
        self._registers[_TX_MODE] = self._registers[_RX_MODE] = 0x80 | framing
        found = find(request)[:most]
        self._active = found[0][0] if found else None
        listed = b"".join(bytes([number]) + data for number, (_, data) in enumerate(found, start=1))
        return bytes([len(found)]) + listed

    def _find_a(self, uid: bytes) -> list[tuple[Card, bytes]]:
        self._registers[_FIFO] = 0x26  # SENS_REQ is still there when nobody answered
        found = [(card, data) for card in self._cards if (data := _selected_a(card))]
        if found:
            self._registers[_FIFO] = 0
        return [(card, data) for card, data in found if data[4:].endswith(uid.removeprefix(b"\x88"))]

    def _find_f(self, request: bytes) -> list[tuple[Card, bytes]]:
        poll = bytes([len(request) + 1]) + request
        found = [(card, reply) for card in self._cards if (reply := card.answer("212F", poll))]
        return [] if len(found) > 1 and request[-1] == 0 else found

    def _find_b(self, afi: bytes) -> list[tuple[Card, bytes]]:
        found = [(card, reply) for card in self._cards if (reply := card.answer("106B", b"\x05" + afi + b"\x00"))]
        return [(card, reply + b"\x01\x00") for card, reply in found]

    _commands: dict[int, Callable[["Pn532", bytes], bytes | None]] = {  # noqa: RUF012 (a table, never changed)
        0x00: _diagnose,
        0x02: _version,
        0x06: _read_register,
        0x08: _write_register,
        0x10: _baud_rate,
        0x12: _done,
        0x14: _done,
        0x16: _power_down,
        0x32: _done,
        0x40: _exchange,
        0x42: _thru,
        0x4A: _list,
    }


def _selected_a(card: Card) -> bytes:
    """SENS_RES (high byte first), SEL_RES, length and UID, as the chip lists a Type A card; empty when it is none."""
    sens_res = card.answer("106A", b"\x26")
    if sens_res is None:
        return b""
    uid = b""
    for level in (0x93, 0x95):
        part = card.answer("106A", bytes([level, 0x20])) or b""
        sel_res = card.answer("106A", bytes([level, 0x70]) + part) or b"\x00"
        uid += part[1:4] if sel_res[0] & 0x04 else part[:4]
        if not sel_res[0] & 0x04:
            break
    return sens_res[::-1] + sel_res + bytes([len(uid)]) + uid


def _frame(heard: bytes) -> tuple[bytes, bytes] | None:
    """The data of the first whole frame and what follows it; None when there is none yet. Noise is passed over."""
    start = heard.find(b"\x00\xff")
    while start >= 0:
        head = start + 2
        extended = heard[head : head + 2] == b"\xff\xff"
        lengths = heard[head + 2 : head + 5] if extended else heard[head : head + 2]
        if len(lengths) < (3 if extended else 2):
            return None
        size = int.from_bytes(lengths[:-1])
        data_at = head + (5 if extended else 2)
        if size and not sum(lengths) & 0xFF:
            data = heard[data_at : data_at + size]
            if len(heard) < data_at + size + 1:
                return None
            if not sum(heard[data_at : data_at + size + 1]) & 0xFF and data[:1] == b"\xd4":
                return data, heard[data_at + size + 1 :]
        start = heard.find(b"\x00\xff", start + 1)
    return None


def _framed(data: bytes) -> bytes:
    if len(data) < 255:
        head = b"\x00\x00\xff" + bytes([len(data), -len(data) & 0xFF])
    else:
        size = len(data).to_bytes(2)
        head = b"\x00\x00\xff\xff\xff" + size + bytes([-sum(size) & 0xFF])
    return head + data + bytes([-sum(data) & 0xFF, 0])


def _crc_a(data: bytes) -> bytes:
    """CRC_A of ISO/IEC 14443-3, annex B."""
    crc = 0x6363
    for byte in data:
        mixed = byte ^ (crc & 0xFF)
        mixed = (mixed ^ (mixed << 4)) & 0xFF
        crc = (crc >> 8) ^ (mixed << 8) ^ (mixed << 3) ^ (mixed >> 4)
    return (crc & 0xFFFF).to_bytes(2, "little")
