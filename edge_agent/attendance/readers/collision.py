"""Two cards at once, as far as each driver of nfcpy lets it be seen.

Cards that answer over one another leave an answer that is none: nfcpy finds nothing and says nothing.  What is looked
at is whether something answered although nothing was found (RC-S380, udp), or how many targets the chip lists when it
may list two (PN53x):

1. FeliCa: asked for with one time slot, as nfcpy does, two cards hide one another; with eight slots both are listed.
2. Type A: the chip picks one of several by itself (anticollision), which may be the other person's card; so it is asked
   for two before a card counts.
"""

import time
from collections.abc import Callable
from typing import Any

AFTER_NS = 1_000_000_000
GAP_NS = 700_000_000
_ASK_EVERY_NS = 300_000_000
_LIST_PASSIVE_TARGETS = 0x4A
_TYPE_A, _FELICA = 0, 1
# Polling of JIS X 6319-4: any system, its code asked for, eight time slots.
_FELICA_POLL = bytes.fromhex("00ffff0107")
_RECEIVE_TIMEOUT = 0x80


class Lasting:
    """Says once that something has been seen for AFTER_NS; anew when it was looked for and was gone for GAP_NS (rule).

    As with a visit, time alone ends nothing: only looks do.
    """

    def __init__(self) -> None:
        self._since_ns: int | None = None
        self._last_ns = 0
        self._told = False

    def look(self, began_ns: int, *, seen: bool) -> bool:
        """A look that began at `began_ns`; whether it is time to say so."""
        if seen:
            self._since_ns = began_ns if self._since_ns is None else self._since_ns
            self._last_ns = began_ns
        elif began_ns - self._last_ns > GAP_NS:
            self.end()
        if self._since_ns is None or self._told:
            return False
        self._told = self._last_ns - self._since_ns >= AFTER_NS
        return self._told

    def end(self) -> None:
        """It is over: one card was read."""
        self._since_ns, self._told = None, False


class Collisions:
    """Watches one opened device of nfcpy. Costs little while nothing answers."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._lasting = Lasting()
        self._answered = False
        self._seen = False
        self._asked_ns = 0
        self._lists_two = self._observe(device)

    def _observe(self, device: Any) -> bool:
        """Puts an ear on the driver's exchange; True when the chip can be asked for two targets instead."""
        driver = type(device).__module__.rsplit(".", 1)[-1]
        if driver == "udp":
            device._recv_data = self._listening(device._recv_data)
        elif driver == "rcs380":  # hardware only
            device.chipset.in_comm_rf = self._listening(device.chipset.in_comm_rf)
        else:
            return driver in ("pn531", "pn532", "pn533")
        device.sense_tta = self._sensing(device.sense_tta)
        device.sense_ttf = self._sensing(device.sense_ttf)
        return False

    def _listening(self, exchange: Callable[..., Any]) -> Callable[..., Any]:
        def heard(*arguments: Any, **named: Any) -> Any:
            try:
                answer = exchange(*arguments, **named)
            except Exception as error:
                self._answered = self._answered or _broken_answer(error)
                raise
            data = answer[1] if isinstance(answer, tuple) else answer
            self._answered = self._answered or bool(data)
            return answer

        return heard

    def _sensing(self, sense: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def sensed(target: Any) -> Any:
            self._answered = False
            found = sense(target)
            self._seen = self._seen or (found is None and self._answered)
            return found

        return sensed

    def beside(self, rate: str) -> bool:
        """Whether another card lies beside the one of this bit rate that was found just now."""
        if not self._lists_two or not rate.endswith("A"):
            return False
        chipset = self._device.chipset
        # The chip sets its receiver anew with each list; nfcpy has set it for the card already.
        receiver = chipset.read_register("CIU_RxMode")
        self._seen = self._count(_TYPE_A, b"") >= 2
        chipset.write_register("CIU_RxMode", receiver)
        return self._seen

    def due(self, began_ns: int) -> bool:
        """Asked after each round in which no card was read: whether two cards have lain there long enough to say so."""
        now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if self._lists_two and not self._seen:
            if now_ns - self._asked_ns < _ASK_EVERY_NS:
                return False
            self._asked_ns = now_ns
            self._seen = self._count(_FELICA, _FELICA_POLL) >= 2
        seen, self._seen = self._seen, False
        return self._lasting.look(began_ns, seen=seen)

    def over(self) -> None:
        """One card was read."""
        self._seen = False
        self._lasting.end()

    def _count(self, kind: int, request: bytes) -> int:
        """How many targets of a kind a PN53x lists; 0 when it does not say."""
        chipset = self._device.chipset
        try:
            answer = chipset.command(_LIST_PASSIVE_TARGETS, bytearray([2, kind]) + request, 0.3)
        except (OSError, IndexError, chipset.Error):
            return 0  # a chip that is gone says so at the next round
        return int(answer[0]) if answer else 0


def _broken_answer(error: Exception) -> bool:
    """Whether an RC-S380 says that something answered wrongly; its silence is an error as well, of another number."""
    status = getattr(error, "errno", None)
    if isinstance(error, OSError) or not isinstance(status, int):
        return False
    return not status & _RECEIVE_TIMEOUT  # hardware only
