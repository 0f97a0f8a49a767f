"""Readers that speak in lines: a serial line (pyserial) and a keyboard wedge (evdev).

Both repeat a card while it lies there, or not at all: one visit is one tap (`visit.py`).
A line that is gone is a fault, said once; it is opened again until it is back.
"""

import contextlib
import select
import termios
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import serial

from edge_agent.attendance.readers.frames import Checksum, FrameParser
from edge_agent.attendance.readers.heard import CardHeard, Heard, ReaderFault, ReaderReady, Technology
from edge_agent.attendance.readers.visit import Visits

_RETRY_S = 1.0
_TICK_S = 0.1
# pyserial lets termios.error through, which is no OSError, and ValueError for a rate that the port does not know.
_GONE = (OSError, termios.error, ValueError)


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
        faulty = False
        while not stop.is_set():
            try:
                line = self._open_line()
            except _GONE as error:
                if not faulty:
                    tell(self._fault(error))
                faulty = True
                stop.wait(_RETRY_S)
                continue
            tell(ReaderReady(self.name))
            faulty = False
            try:
                self._serve(line, tell, stop)
            except _GONE as error:
                tell(self._fault(error))
                faulty = True
            finally:
                line.close()
            stop.wait(_RETRY_S)

    def _fault(self, error: Exception) -> ReaderFault:
        return ReaderFault(f"{self.name}: {getattr(error, 'strerror', None) or error}")

    def _serve(self, line: Line, tell: Callable[[Heard], None], stop: threading.Event) -> None:
        """Tells the numbers that come until stopped."""
        listening_since_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        for number in line.numbers():
            now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            self.last_alive_ns = now_ns
            if number is None:
                self._visits.nobody(listening_since_ns)
            elif self._visits.begins(number, now_ns):
                tell(CardHeard(self._technology, number, now_ns))
            listening_since_ns = now_ns
            if stop.is_set():
                return


class SerialLine:
    """A serial port with one of the frame forms. Raises serial.SerialException (an OSError) when it is not there."""

    def __init__(self, port: str, baud: int, checksum: Checksum) -> None:
        # Ours alone: two programs on one line would each get half of every frame.
        self._port = serial.Serial(port, baud, timeout=_TICK_S, exclusive=True)
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
_LONGEST_DIGITS = 32


class Typed:
    """Card numbers out of the names of pressed keys: digits up to ENTER (rule). Other keys are not part of one.

    An even count of digits is read as hex; an odd one (a decimal number) gets a leading zero.
    """

    def __init__(self) -> None:
        self._digits = ""
        self._spoiled = False

    def press(self, key: str) -> bytes | None:
        """The number that this key ends, if it ends one."""
        if key in _ENTER:
            digits, spoiled = self._digits, self._spoiled
            self.forget()
            return bytes.fromhex(digits.rjust(len(digits) + len(digits) % 2, "0")) if digits and not spoiled else None
        if key in _KEYS:
            self._spoiled = self._spoiled or len(self._digits) >= _LONGEST_DIGITS
            self._digits += "" if self._spoiled else _KEYS[key]
        return None

    def forget(self) -> None:
        """What was typed so far is not the beginning of what comes: a wedge types a number without a pause."""
        self._digits, self._spoiled = "", False

    def lost(self) -> None:
        """Keys were lost: what is typed up to the next ENTER is no number."""
        self._spoiled = True


class WedgeLine:
    """A keyboard wedge, held for ourselves alone so that numbers go nowhere else. `device` is an evdev.InputDevice."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._typed = Typed()
        try:
            device.grab()
        except OSError:
            device.close()
            raise

    def numbers(self) -> Iterator[bytes | None]:
        """See Line."""
        while True:
            if select.select([self._device], [], [], _TICK_S)[0]:
                with contextlib.suppress(BlockingIOError):  # another file woke it; nothing is lost
                    yield from self._pressed()
            else:
                self._typed.forget()
            yield None

    def _pressed(self) -> Iterator[bytes]:
        from evdev import ecodes

        for event in self._device.read():
            if (event.type, event.code) == (ecodes.EV_SYN, ecodes.SYN_DROPPED):
                self._typed.lost()
            elif event.type == ecodes.EV_KEY and event.value == 1:
                name = ecodes.KEY.get(event.code, "")
                number = self._typed.press(name if isinstance(name, str) else name[0])
                if number:
                    yield number

    def close(self) -> None:
        """See Line."""
        self._device.close()
