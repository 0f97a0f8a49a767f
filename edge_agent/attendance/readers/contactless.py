"""Readers that nfcpy drives: RC-S380, RC-S330, PN532 … and its own `udp` driver for a simulated field.

nfcpy is left as it is; what it does to an unattended terminal is met here:
1. `connect()` returns False on an I/O error and never opens again: close, wait, open.
2. Other errors escape it (IndexError, chipset errors): with a card in the field they are the card's and no fault of
   the reader; again and again without one they are a fault.
3. Identity is taken when a card is discovered, before anything is read from it: a card whose short ATS makes nfcpy
   stumble afterwards is a tap like any other.  FeliCa is asked for first, so that a phone shows its IDm and not a
   random number.
4. A held card is one tap (`visit.py`): a MIFARE Classic is "released" hundreds of times a second.
5. A PN532 that was killed at 921,600 baud does not answer at 115,200: it is set back before each opening.
6. Two cards at once answer over one another: said after a second of that, once.
7. A card that must prove that it is genuine is told once it has been asked, which needs it to stay a moment longer.
8. A reader is ready when a whole round of asking went well, not when it could be opened.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from edge_agent.attendance.readers import collision, pn532, silence
from edge_agent.attendance.readers.heard import (
    CardHeard,
    CardUnreadable,
    Heard,
    ReaderFault,
    ReaderReady,
    TwoCards,
)
from edge_agent.attendance.readers.proof import prove
from edge_agent.attendance.readers.visit import Visits

log = logging.getLogger(__name__)

_TARGETS = ("212F", "106A", "106B")
_BACKOFF_S = (0.5, 5.0)
# Errors without a card in the field, 50 ms apart, before the reader is opened anew.
_STUMBLES = 40
# Between two connects: a card that nfcpy "releases" at once does not keep the processor busy.
_PAUSE_S = 0.05


class ContactlessReader:
    """Reader over nfcpy. `path` is nfcpy's own: `udp:127.0.0.1:47000`, `usb`, `usb:054c:06c3`, `tty:AMA0:pn532`.

    `proof_key` gives the key with which a card of a number must prove itself, if it must; asked in the reader's thread.
    """

    def __init__(self, path: str, proof_key: Callable[[bytes], bytes | None] = lambda identifier: None) -> None:
        self.path, self._proof_key = path, proof_key
        self._unproved: tuple[CardHeard, bytes] | None = None
        self.last_alive_ns = 0
        self._tell: Callable[[Heard], None] = lambda heard: None
        self._stop = threading.Event()
        self.visits = Visits()
        self._collisions: collision.Collisions | None = None
        self._told: Literal["nothing", "ready", "fault"] = "nothing"
        self._found: object = None  # in this round, whatever became of it
        self._held: object = None
        self._round_began_ns: int | None = None

    def listen(self, tell: Callable[[Heard], None], stop: threading.Event) -> None:
        """See Reader. Opens, serves, and opens again after a fault until stopped."""
        self._tell, self._stop = tell, stop
        pause_s = _BACKOFF_S[0]
        while not stop.is_set():
            fault = self._open_and_serve()
            if stop.is_set():
                return
            if self._told != "fault":
                self._told = "fault"
                tell(ReaderFault(fault))
                pause_s = _BACKOFF_S[0]
            stop.wait(pause_s)
            pause_s = min(pause_s * 2, _BACKOFF_S[1])

    def _open_and_serve(self) -> str:
        """Opens the reader and serves it until a fault; what the fault was."""
        frontend = None
        try:
            frontend = self._open()
            return self._serve(frontend) if frontend.device else f"no reader at {self.path}"
        except Exception as error:  # noqa: BLE001 (a driver may raise anything; the loop opens again)
            return f"{type(error).__name__}: {error}"
        finally:
            self._collisions = None
            if frontend is not None:
                _close(frontend)

    def _open(self) -> Any:
        """nfcpy's frontend, opened when there is a reader."""
        import nfc  # heavy, and only where such a reader is used

        # It warns at every presence check of a MIFARE Classic and at every opening; what matters is told by us, once.
        logging.getLogger("nfc").setLevel(logging.CRITICAL)
        pn532.recover(self.path)
        frontend = nfc.ContactlessFrontend()
        if frontend.open(self.path):
            if self.path.startswith("udp:"):
                silence.raise_when_gone(frontend.device)
            self._collisions = collision.Collisions(frontend.device)
        return frontend

    def _serve(self, frontend: Any) -> str:
        """Waits for cards until a fault; what the fault was."""
        stumbles = 0
        while not self._stop.is_set():
            self._found = self._held = self._round_began_ns = None
            try:
                outcome = frontend.connect(rdwr=self._options(), terminate=self._terminate)
            except Exception as error:  # noqa: BLE001 (see 2 above)
                # With a card in the field it is the card; again and again without one, it is the reader.
                stumbles = 0 if self._found is not None else stumbles + 1
                if stumbles > _STUMBLES:
                    return f"{type(error).__name__}: {error}"
            else:
                if outcome is False and not self._stop.is_set():
                    return "the reader does not answer"
                stumbles = 0
            self._not_asked()
            self._stop.wait(_PAUSE_S)
        return "stopped"

    def _options(self) -> dict[str, object]:
        return {
            "targets": _TARGETS,
            "on-discover": self._discovered,
            "on-connect": self._connected,
            "on-release": self._released,
            "iterations": 2,
            "interval": 0.05,
            "beep-on-connect": False,
        }

    def _terminate(self) -> bool:
        """Asked by nfcpy before each round and while a card lies there; a second time means that a round went well."""
        now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if self._round_began_ns is not None:
            self._alive(now_ns)
            self._round_over(self._round_began_ns, now_ns)
        self._round_began_ns = now_ns
        return self._stop.is_set()

    def _alive(self, now_ns: int) -> None:
        """The reader did its work: its sign of life, and the end of a fault."""
        self.last_alive_ns = now_ns
        if self._told != "ready":
            self._told = "ready"
            self._tell(ReaderReady(self.path))

    def _round_over(self, began_ns: int, now_ns: int) -> None:
        if self._held is not None:
            self.visits.begins(self._held, now_ns)
            return
        if self._found is None:
            self.visits.nobody(began_ns)
        self._found = None
        if self._collisions is not None and self._collisions.due(began_ns):
            self._tell(TwoCards(now_ns))

    def _discovered(self, target: Any) -> bool:
        """Asked by nfcpy about what it found: whether to go on with it."""
        now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self._alive(now_ns)
        heard = identify(target, now_ns)
        self._found = heard.identifier if isinstance(heard, CardHeard) else heard.reason
        if self._collisions is not None:
            if self._collisions.beside(target.brty):
                return False
            self._collisions.over()
        if self.visits.begins(self._found, now_ns):
            key = self._proof_key(heard.identifier) if isinstance(heard, CardHeard) else None
            if key is None or not isinstance(heard, CardHeard):
                self._tell(heard)
            else:
                self._unproved = heard, key
        return True

    def _connected(self, tag: object) -> bool:
        self._held = self._found
        if self._unproved is not None:
            (heard, key), self._unproved = self._unproved, None
            self._tell(prove(tag, heard, key))
        return True

    def _not_asked(self) -> None:
        """A card that must prove itself and could not even be asked."""
        if self._unproved is not None:
            (heard, _), self._unproved = self._unproved, None
            self._tell(CardUnreadable("stumbled", heard.at_mono_ns))

    def _released(self, tag: object) -> bool:
        self.visits.begins(self._held, time.clock_gettime_ns(time.CLOCK_BOOTTIME))
        self._held = None
        return True


def identify(target: Any, at_ns: int) -> CardHeard | CardUnreadable:
    """What a discovered target is: plain bytes, or why it cannot be used.

    A four-byte number that begins with 08 is random by ISO/IEC 14443-3, and so is a Type B PUPI.
    """
    if target.brty.endswith("F"):
        return CardHeard("felica", bytes(target.sensf_res[1:9]), at_ns)
    if target.brty.endswith("B"):
        return CardUnreadable("type_b", at_ns)
    if not target.sdd_res:
        return CardUnreadable("stumbled", at_ns)
    identifier = bytes(target.sdd_res)
    if len(identifier) == 4 and identifier[0] == 0x08:
        return CardUnreadable("random_identifier", at_ns)
    return CardHeard("type_a", identifier, at_ns)


def _close(frontend: Any) -> None:
    """Lets the reader go, whatever state it is in: nfcpy leaves the port open when the chip does not say goodbye.

    A port that stays open keeps its name, and a USB reader that comes back would be given another.
    """
    transport = getattr(getattr(frontend.device, "chipset", None), "transport", None)
    port = getattr(transport, "tty", None) or transport
    for part in (frontend, port):
        try:
            if part is not None:
                part.close()
        except Exception as error:  # noqa: BLE001 (a reader that is gone cannot be closed well)
            log.debug("closing the reader: %s", error)
