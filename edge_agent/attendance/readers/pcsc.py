"""PC/SC readers such as Sony RC-S300, by pyscard's low level (optional extra `pcsc`).

pyscard's CardMonitor dies silently when pcscd restarts; here any result but success or time-out lets the context go and
makes a new one.  The identifier is asked with FF CA 00 00 00 (PC/SC part 3, 3.2.2.1.3), the ATR tells the technology.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from edge_agent.attendance.readers.heard import CardHeard, CardUnreadable, Heard, ReaderFault, ReaderReady
from edge_agent.attendance.readers.visit import Visits

_GET_IDENTIFIER = [0xFF, 0xCA, 0x00, 0x00, 0x00]
_WAIT_MS = 500
_RETRY_S = 1.0
# ATR of a storage card (PC/SC part 3, 3.1.3.2.3): the RID of PC/SC, then the standard that the card follows.
_STORAGE = slice(7, 12)
_PCSC_RID = [0xA0, 0x00, 0x00, 0x03, 0x06]
_STANDARD = 12
_FELICA_STANDARD = 0x11
_TYPE_B_STANDARDS = (0x05, 0x06, 0x07)


class PcscReader:
    """Reader over pcscd: the first contactless reader that it lists, or the one whose name holds `wanted`."""

    def __init__(self, wanted: str = "") -> None:
        self._wanted = wanted
        self.visits = Visits()
        self.last_alive_ns = 0

    def listen(self, tell: Callable[[Heard], None], stop: threading.Event) -> None:
        """See Reader."""
        from smartcard import scard

        faulty = False

        def told(heard: Heard) -> None:
            nonlocal faulty
            faulty = faulty and not isinstance(heard, ReaderReady)
            tell(heard)

        while not stop.is_set():
            result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
            fault = "pcscd does not run"
            if result == scard.SCARD_S_SUCCESS:
                fault = _Session(scard, context, self, told, stop).run()
                scard.SCardReleaseContext(context)
            if stop.is_set():
                return
            if not faulty:
                tell(ReaderFault(fault))
                faulty = True
            stop.wait(_RETRY_S)

    def pick(self, names: list[str]) -> str | None:
        """The reader to use among those that pcscd lists; a slot for a SIM-sized card (SAM) is none."""
        wanted = [name for name in names if self._wanted in name]
        return next((name for name in wanted if "SAM" not in name), None)


def classify(atr: list[int], identifier: bytes, at_ns: int) -> CardHeard | CardUnreadable:
    """A card's technology from its ATR, and whether its number can be used (rule)."""
    if not identifier:
        return CardUnreadable("stumbled", at_ns)
    standard = atr[_STANDARD] if len(atr) > _STANDARD and atr[_STORAGE] == _PCSC_RID else None
    if standard == _FELICA_STANDARD:
        return CardHeard("felica", identifier, at_ns)
    if standard in _TYPE_B_STANDARDS or (standard is None and _is_type_b(atr, identifier)):
        return CardUnreadable("type_b", at_ns)
    if len(identifier) == 4 and identifier[0] == 0x08:
        return CardUnreadable("random_identifier", at_ns)
    return CardHeard("type_a", identifier, at_ns)


def _is_type_b(atr: list[int], identifier: bytes) -> bool:
    """Whether a card that speaks ISO 14443-4 is of Type B: its ATR holds what its ATQB said.

    3B 88 80 01, four bytes of application data, bit rates, frame size and protocol (1), waiting time, MBLI, check byte
    (PC/SC part 3, 3.1.3.2.3.1). Its number is a PUPI of four bytes.
    """
    return len(atr) == 13 and len(identifier) == 4 and atr[:4] == [0x3B, 0x88, 0x80, 0x01] and atr[9] & 0x0F == 1


class _Session:
    """One context of pcscd, until a fault."""

    def __init__(
        self,
        scard: Any,
        context: Any,
        reader: PcscReader,
        tell: Callable[[Heard], None],
        stop: threading.Event,
    ) -> None:
        self._scard, self._context, self._reader = scard, context, reader
        self._tell, self._stop = tell, stop
        self._lying: object = None  # what lies on the reader
        self._atr: list[int] = []
        self._unsure = False  # it said nothing: it may be leaving

    def run(self) -> str:
        """Watches the reader; the fault that ended it."""
        scard = self._scard
        result, names = scard.SCardListReaders(self._context, [])
        name = self._reader.pick(names) if result == scard.SCARD_S_SUCCESS else None
        if name is None:
            return "no card reader is connected"
        self._tell(ReaderReady(name))
        known = scard.SCARD_STATE_UNAWARE
        began_ns = _now_ns()
        while not self._stop.is_set():
            result, states = scard.SCardGetStatusChange(self._context, _WAIT_MS, [(name, known)])
            if result not in (scard.SCARD_S_SUCCESS, scard.SCARD_E_TIMEOUT):
                return "pcscd ended"
            if result == scard.SCARD_S_SUCCESS:
                _, state, atr = states[0]
                if state & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE):  # hardware only
                    return "the card reader was unplugged"
                self._look(name, known, state, list(atr))
                known = state & ~scard.SCARD_STATE_CHANGED
            elif self._unsure:
                self._card(name, once_more=True)
            # Whatever lies there has lain there since the last look.
            self._refresh(began_ns)
            self._reader.last_alive_ns = began_ns = _now_ns()
        return "stopped"

    def _look(self, name: str, known: int, state: int, atr: list[int]) -> None:
        """Reads a card that came since the state that was known; the upper half counts comings and goings."""
        if not state & self._scard.SCARD_STATE_PRESENT:
            self._lying, self._unsure = None, False
        elif not known & self._scard.SCARD_STATE_PRESENT or known >> 16 != state >> 16:
            self._atr = atr
            self._card(name)

    def _refresh(self, began_ns: int) -> None:
        if self._lying is None:
            self._reader.visits.nobody(began_ns)
        else:
            self._reader.visits.begins(self._lying, _now_ns())

    def _card(self, name: str, *, once_more: bool = False) -> None:
        """Asks for the card's number. One that says nothing is asked once more, when it still lies there."""
        identifier = self._identifier(name)
        self._unsure = identifier is None and not once_more
        if self._unsure:
            return
        now_ns = _now_ns()
        heard = classify(self._atr, identifier or b"", now_ns)
        self._lying = heard.identifier if isinstance(heard, CardHeard) else heard.reason
        if self._reader.visits.begins(self._lying, now_ns):
            self._tell(heard)

    def _identifier(self, name: str) -> bytes | None:
        """The card's number; empty when it has none to give, None when it says nothing."""
        scard = self._scard
        result, card, protocol = scard.SCardConnect(
            self._context, name, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        )
        if result != scard.SCARD_S_SUCCESS:
            return None
        header = scard.SCARD_PCI_T1 if protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0
        result, answer = scard.SCardTransmit(card, header, _GET_IDENTIFIER)
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        if result != scard.SCARD_S_SUCCESS or len(answer) < 2:
            return None
        return bytes(answer[:-2]) if answer[-2:] == [0x90, 0x00] else b""


def _now_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
