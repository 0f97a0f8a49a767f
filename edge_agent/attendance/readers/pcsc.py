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
# Byte 12 of a PC/SC part 3 ATR names the standard: 03 is ISO/IEC 14443 A, 11 is FeliCa (JIS X 6319-4).
_FELICA_STANDARDS = (0x11,)


class PcscReader:
    """Reader over pcscd: the first contactless reader that it lists, or the one whose name holds `wanted`."""

    def __init__(self, wanted: str = "") -> None:
        self._wanted = wanted
        self._visits = Visits()
        self.last_alive_ns = 0

    def listen(self, tell: Callable[[Heard], None], stop: threading.Event) -> None:
        """See Reader."""
        from smartcard import scard

        faulty: bool | None = None
        while not stop.is_set():
            result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
            fault = "pcscd does not run"
            if result == scard.SCARD_S_SUCCESS:
                fault = _Session(scard, context, self, tell, stop).run(told_ready=faulty is False)
                scard.SCardReleaseContext(context)
            if stop.is_set():
                return
            if not faulty:
                faulty = True
                tell(ReaderFault(fault))
            stop.wait(_RETRY_S)
            faulty = True

    def heard(self, atr: list[int], identifier: bytes) -> Heard | None:
        """What a card on the reader means, or None when it is the same visit as before."""
        now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        what = classify(atr, identifier, now_ns)
        key = what.identifier if isinstance(what, CardHeard) else what.reason
        return what if self._visits.begins(key, now_ns) else None

    def pick(self, names: list[str]) -> str | None:
        """The reader to use among those that pcscd lists."""
        return next((name for name in names if self._wanted in name), None)


def classify(atr: list[int], identifier: bytes, at_ns: int) -> CardHeard | CardUnreadable:
    """A card's technology from its ATR, and whether its number can be used (rule)."""
    if not identifier:
        return CardUnreadable("stumbled", at_ns)
    if len(atr) > 12 and atr[12] in _FELICA_STANDARDS:
        return CardHeard("felica", identifier, at_ns)
    # A Type B card has an ATR of its own making without the RID of PC/SC, and a PUPI of four bytes.
    if bytes(atr[7:12]) != bytes.fromhex("a000000306") and len(identifier) == 4 and atr[:2] != [0x3B, 0x8F]:
        return CardUnreadable("type_b", at_ns)
    if len(identifier) == 4 and identifier[0] == 0x08:
        return CardUnreadable("random_identifier", at_ns)
    return CardHeard("type_a", identifier, at_ns)


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

    def run(self, *, told_ready: bool) -> str:
        """Watches the reader; the fault that ended it."""
        scard = self._scard
        result, names = scard.SCardListReaders(self._context, [])
        name = self._reader.pick(names) if result == scard.SCARD_S_SUCCESS else None
        if name is None:
            return "no card reader is connected"
        if not told_ready:
            self._tell(ReaderReady(name))
        known = scard.SCARD_STATE_UNAWARE
        while not self._stop.is_set():
            result, states = scard.SCardGetStatusChange(self._context, _WAIT_MS, [(name, known)])
            self._reader.last_alive_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            if result == scard.SCARD_E_TIMEOUT:
                continue
            if result != scard.SCARD_S_SUCCESS:
                return "pcscd ended"
            _, state, atr = states[0]
            if state & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE):
                return "the card reader was unplugged"
            if state & scard.SCARD_STATE_PRESENT and not known & scard.SCARD_STATE_PRESENT:
                self._card(name, list(atr))
            known = state & ~scard.SCARD_STATE_CHANGED
        return "stopped"

    def _card(self, name: str, atr: list[int]) -> None:
        heard = self._reader.heard(atr, self._identifier(name))
        if heard is not None:
            self._tell(heard)

    def _identifier(self, name: str) -> bytes:
        """The card's number; empty when it does not give one."""
        scard = self._scard
        result, card, protocol = scard.SCardConnect(
            self._context, name, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        )
        if result != scard.SCARD_S_SUCCESS:
            return b""
        header = scard.SCARD_PCI_T1 if protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0
        result, answer = scard.SCardTransmit(card, header, _GET_IDENTIFIER)
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        if result != scard.SCARD_S_SUCCESS or answer[-2:] != [0x90, 0x00]:
            return b""
        return bytes(answer[:-2])
