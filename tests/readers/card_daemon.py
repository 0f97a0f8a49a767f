"""A real pcscd with vpcd's virtual reader, and the cards that a hand puts onto it.

vpcd waits for a card on a TCP port; a connection is a card on the reader, its end is the card's removal.  A message is
two bytes of length and then one byte of control (00 off, 01 on, 02 reset, 04 the ATR is asked for) or a command.
"""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import threading
from functools import reduce
from operator import xor
from pathlib import Path
from types import TracebackType

from tests.readers.ear import PATIENCE_S, wait_until

_PCSCD = Path("/usr/sbin/pcscd")
_VPCD = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_COMM = "/run/pcscd/pcscd.comm"


def why_not() -> str:
    """Why a pcscd of our own cannot be had here; empty when it can."""
    if not (_PCSCD.exists() and _VPCD.exists()):
        return "pcscd or vpcd is not installed (provisioning/setup.sh test)"
    if os.geteuid() != 0:
        return "pcscd needs root to make its socket"
    return "another pcscd is running" if _answers() else ""


def _answers() -> bool:
    with socket.socket(socket.AF_UNIX) as line:
        return line.connect_ex(_COMM) == 0


class CardDaemon:
    """pcscd with one virtual reader, or with none; ended when the block ends."""

    def __init__(self, folder: Path) -> None:
        self._config = folder / "reader.conf"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_pair()

    def __enter__(self) -> "CardDaemon":
        """Nothing runs yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Ends pcscd."""
        if self._process is not None:
            self.end(signal.SIGTERM)

    def start(self, *, reader: bool = True) -> None:
        """Starts pcscd and waits until it can be asked."""
        conf = f"FRIENDLYNAME Town\nDEVICENAME /dev/null:{self.port:#x}\nLIBPATH {_VPCD}\nCHANNELID {self.port:#x}\n"
        self._config.write_text(conf if reader else "")
        self._process = subprocess.Popen(
            [str(_PCSCD), "-f", "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(_answers, "pcscd's socket")

    def end(self, number: int) -> None:
        """Ends pcscd by a signal."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(PATIENCE_S)
        self._process = None


def _free_pair() -> int:
    """A port that is free with the one after it: vpcd gives each of its two slots one."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def storage_atr(standard: int) -> bytes:
    """The ATR that a reader makes up for a card of this standard (PC/SC part 3, 3.1.3.2.3)."""
    body = bytes.fromhex("8f8001804f0ca000000306") + bytes([standard]) + bytes(6)
    return b"\x3b" + body + bytes([reduce(xor, body)])


class LyingCard:
    """A card on the virtual reader until the block ends. Without an identifier it says that it has none (6A81).

    `swiped`: it is gone as soon as it is asked for its number. `mute`: what it says is no answer.
    """

    def __init__(self, port: int, atr: bytes, identifier: bytes, *, swiped: bool = False, mute: bool = False) -> None:
        self._answer = identifier + b"\x90\x00" if identifier else b"\x6a\x81"
        self._answer = b"\x90" if mute else self._answer
        self._atr = atr
        self._swiped = swiped
        self.asked = 0
        self._line = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self._line.settimeout(None)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "LyingCard":
        """The card answers."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Takes the card away."""
        with contextlib.suppress(OSError):  # a card that was swiped has gone
            self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._line.close()

    def _serve(self) -> None:
        try:
            while len(head := self._line.recv(2)) == 2:
                message = self._line.recv(struct.unpack(">H", head)[0])
                if message == b"\x04":
                    self._say(self._atr)
                elif len(message) > 1:
                    self.asked += 1
                    if self._swiped:
                        self._line.shutdown(socket.SHUT_RDWR)
                    self._say(self._answer)
        except OSError:
            return  # pcscd was killed

    def _say(self, data: bytes) -> None:
        self._line.sendall(struct.pack(">H", len(data)) + data)
