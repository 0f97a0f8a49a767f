"""Readers that speak in lines: a serial line (pyserial) and a keyboard wedge (evdev).

Both repeat a card while it lies there, or not at all: one visit is one tap (`visit.py`).
A line that is gone is a fault, said once; it is opened again until it is back.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import serial

from edge_agent.attendance.readers.frames import Checksum, FrameParser
from edge_agent.attendance.readers.heard import CardHeard, Heard, ReaderFault, ReaderReady, Technology
from edge_agent.attendance.readers.visit import Visits

_RETRY_S = 1.0


class Line(Protocol):
    """Where card numbers come from once it is open."""

    def numbers(self) -> Iterator[bytes | None]:
        """Card numbers as they come; None at least once a second. Raises OSError when the line is gone."""
        ...

    def close(self) -> None:
        """Lets go of it."""
        ...


class LineReader:
    """Reader over a line. `open_line` raises OSError while there is nothing to open."""

    def __init__(self, name: str, technology: Technology, open_line: Callable[[], Line]) -> None:
        self.name = name
        self.last_alive_ns = 0
        self._technology = technology
        self._open_line = open_line
        self._visits = Visits()

    def listen(self, tell: Callable[[Heard], None], stop: threading.Event) -> None:
        """See Reader."""
        faulty: bool | None = None
        while not stop.is_set():
            try:
                line = self._open_line()
            except OSError as error:
                if not faulty:
                    faulty = True
                    tell(ReaderFault(f"{self.name}: {error.strerror or error}"))
                stop.wait(_RETRY_S)
                continue
            faulty = False
            tell(ReaderReady(self.name))
            try:
                self._serve(line, tell, stop)
            except OSError as error:
                faulty = True
                tell(ReaderFault(f"{self.name}: {error.strerror or error}"))
                stop.wait(_RETRY_S)
            finally:
                line.close()

    def _serve(self, line: Line, tell: Callable[[Heard], None], stop: threading.Event) -> None:
        for number in line.numbers():
            now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            self.last_alive_ns = now_ns
            if number and self._visits.begins(number, now_ns):
                tell(CardHeard(self._technology, number, now_ns))
            if stop.is_set():
                return


class SerialLine:
    """A serial port with one of the frame forms. Raises serial.SerialException (an OSError) when it is not there."""

    def __init__(self, port: str, baud: int, checksum: Checksum) -> None:
        self._port = serial.Serial(port, baud, timeout=0.5)
        self._parser = FrameParser(checksum)

    def numbers(self) -> Iterator[bytes | None]:
        """See Line."""
        while True:
            data = self._port.read(1)
            data += self._port.read(self._port.in_waiting)
            yield from self._parser.feed(data)
            yield None

    def close(self) -> None:
        """See Line."""
        self._port.close()


_KEYS = {f"KEY_{digit}": digit for digit in "0123456789ABCDEF"} | {f"KEY_KP{digit}": digit for digit in "0123456789"}
_ENTER = ("KEY_ENTER", "KEY_KPENTER")


def typed(keys: Iterable[str]) -> Iterator[bytes]:
    """Card numbers out of the names of pressed keys: digits up to ENTER (rule). Anything else is not part of one.

    An even count of digits is read as hex; an odd one (a decimal number) gets a leading zero.
    """
    digits = ""
    for key in keys:
        if key in _ENTER:
            if digits:
                yield bytes.fromhex(digits.rjust(len(digits) + len(digits) % 2, "0"))
            digits = ""
        elif key in _KEYS and len(digits) < 32:
            digits += _KEYS[key]


class WedgeLine:
    """A keyboard wedge, held for ourselves alone so that numbers go nowhere else. `device` is an evdev.InputDevice."""

    def __init__(self, device: Any) -> None:
        self._device = device
        device.grab()

    def numbers(self) -> Iterator[bytes | None]:
        """See Line."""
        yield from typed(self._pressed())

    def _pressed(self) -> Iterator[str]:
        from evdev import ecodes

        for event in self._device.read_loop():
            if event.type == ecodes.EV_KEY and event.value == 1:
                name = ecodes.KEY.get(event.code, "")
                yield name if isinstance(name, str) else name[0]

    def close(self) -> None:
        """See Line."""
        self._device.close()
