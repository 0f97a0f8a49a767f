"""A field for nfcpy's `udp` driver: the other side of the air, with cards that are put into it and taken away.

nfcpy's own emulator leaves seconds of dead time on an empty field; this one answers each datagram at once: a poll that
no card answers gets the bare bit rate, which nfcpy takes for silence.

1. One frame is one datagram: `212F 0600ffff0100`, without check bytes; `RFOFF` ends a field.
2. Two cards of one technology answer over one another: the answer is one that nobody can read.
3. Orders (place, remove) come as datagrams that begin with `machinaka `, from this machine only.
"""

import json
import selectors
import socket
import threading
import time
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from edge_agent.attendance.readers.cards import Card, make_card

ORDER = b"machinaka "
LONGEST_HOLD_S = 3600
_NOBODY = b""
_COLLISION = b"\x00"
_SENS_REQ = (b"\x26", b"\x52")


@dataclass
class _Lying:
    card: Card
    until_ns: int | None


def _overlaid(answers: set[bytes]) -> bytes:
    return bytes(reduce(or_, column) for column in zip(*answers, strict=False))


@dataclass
class Field:
    """The cards that lie in the field, and what they answer."""

    _lying: list[_Lying] = field(default_factory=list)

    def place(self, card: Card, *, until_ns: int | None = None) -> None:
        """Puts a card into the field, until a moment or until it is taken away."""
        card.power_up()
        self._lying.append(_Lying(card, until_ns))

    def remove(self) -> None:
        """Takes all cards away."""
        self._lying.clear()

    def answer(self, rate: str, frame: bytes, now_ns: int) -> bytes:
        """What comes back over the air: nothing, one answer, or two over one another."""
        self._lying = [one for one in self._lying if one.until_ns is None or one.until_ns > now_ns]
        answers = {reply for one in self._lying if (reply := one.card.answer(rate, frame)) is not None}
        if len(answers) > 1:
            # SENS_RES of several cards is their bits over one another and stays readable (ISO/IEC 14443-3, 6.5.2).
            return _overlaid(answers) if frame in _SENS_REQ else _COLLISION
        return answers.pop() if answers else _NOBODY


class UdpField:
    """A Field behind a UDP socket on the loopback interface. Port 0: any; `path` is what nfcpy opens."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self.field = Field()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self.host, self.port = self._socket.getsockname()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def path(self) -> str:
        """nfcpy's name of the reader that feels this field."""
        return f"udp:{self.host}:{self.port}"

    def start(self) -> "UdpField":
        """Answers from a thread of its own."""
        self._thread = threading.Thread(target=self.serve, name="nfc field", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Goes silent, as a reader that was unplugged."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._socket.close()

    def serve(self) -> None:
        """Answers datagrams until stopped."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while not self._stop.is_set():
                if selector.select(0.2):
                    data, sender = self._socket.recvfrom(4096)
                    reply = self.reply(data)
                    if reply:
                        self._socket.sendto(reply, sender)

    def place(self, *cards: Card, hold_s: float | None = None) -> None:
        """Puts cards into the field at the same moment."""
        until_ns = None if hold_s is None else time.monotonic_ns() + int(hold_s * 1e9)
        with self._lock:
            for card in cards:
                self.field.place(card, until_ns=until_ns)

    def remove(self) -> None:
        """Takes all cards away."""
        with self._lock:
            self.field.remove()

    def reply(self, data: bytes) -> bytes:
        """What goes back for a datagram; empty: nothing."""
        if data.startswith(ORDER):
            return self._order(data.removeprefix(ORDER))
        rate, _, hexed = data.partition(b" ")
        if rate == b"RFOFF":
            return b""
        try:
            frame = bytes.fromhex(hexed.decode("ascii"))
        except ValueError:
            return b""
        with self._lock:
            reply = self.field.answer(rate.decode("latin-1"), frame, time.monotonic_ns())
        return rate + b" " + reply.hex().encode() if reply else rate

    def _order(self, text: bytes) -> bytes:
        """Carries an order out; an empty answer, or one that says what is wrong with it."""
        try:
            order = json.loads(text)
            cards = [make_card(one["kind"], bytes.fromhex(one["id"])) for one in order["place"]]
            hold_s = _hold(float(order["hold_s"]))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            return ORDER + json.dumps({"error": str(error)}).encode()
        self.remove()
        self.place(*cards, hold_s=hold_s)
        return ORDER + b"{}"


def _hold(seconds: float) -> float:
    if not 0 < seconds <= LONGEST_HOLD_S:
        raise ValueError(f"hold {seconds:g} s: expected more than 0 and at most {LONGEST_HOLD_S} s")
    return seconds
