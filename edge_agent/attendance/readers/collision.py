"""Two cards at once, as far as each driver of nfcpy lets it be seen.

Cards that answer over one another leave an answer that is none: nfcpy finds nothing and says nothing.  What is looked
at is whether something answered although nothing was found (RC-S380, udp), or how many targets the chip lists when it
may list two (PN53x).
"""

import time
from collections.abc import Callable
from typing import Any

_AFTER_NS = 1_000_000_000
_GAP_NS = 700_000_000
_ASK_EVERY_NS = 300_000_000
_LIST_PASSIVE_TARGETS = 0x4A
_FELICA_POLL = bytes.fromhex("00ffff0100")


class Collisions:
    """Watches one opened device of nfcpy. Costs nothing while nothing answers."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._answered = False
        self._since_ns: int | None = None
        self._last_ns = 0
        self._told = False
        self._asked_ns = 0
        self._lists_two = self._observe(device)

    def _observe(self, device: Any) -> bool:
        """Puts an ear on the driver's exchange; True when the chip can be asked for two targets instead."""
        driver = type(device).__module__.rsplit(".", 1)[-1]
        if driver == "udp":
            device._recv_data = self._listening(device._recv_data)
        elif driver == "rcs380":
            device.chipset.in_comm_rf = self._listening(device.chipset.in_comm_rf)
        else:
            return hasattr(getattr(device, "chipset", None), "command") and driver in ("pn531", "pn532", "pn533")
        device.sense_tta = self._sensing(device.sense_tta)
        device.sense_ttf = self._sensing(device.sense_ttf)
        return False

    def _listening(self, exchange: Callable[..., Any]) -> Callable[..., Any]:
        def heard(*arguments: Any, **named: Any) -> Any:
            answer = exchange(*arguments, **named)
            data = answer[1] if isinstance(answer, tuple) else answer
            self._answered = self._answered or bool(data)
            return answer

        return heard

    def _sensing(self, sense: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def sensed(target: Any) -> Any:
            self._answered = False
            found = sense(target)
            if found is None and self._answered:
                self._note(time.clock_gettime_ns(time.CLOCK_BOOTTIME))
            return found

        return sensed

    def _note(self, now_ns: int) -> None:
        if now_ns - self._last_ns > _GAP_NS:
            self._since_ns, self._told = now_ns, False
        self._last_ns = now_ns

    def due(self, now_ns: int) -> bool:
        """Whether two cards have lain there for a second and it was not said yet."""
        if self._lists_two and now_ns - self._asked_ns >= _ASK_EVERY_NS:
            self._asked_ns = now_ns
            if self._count() >= 2:
                self._note(now_ns)
        if self._since_ns is None or self._told or now_ns - self._last_ns > _GAP_NS:
            return False
        self._told = self._last_ns - self._since_ns >= _AFTER_NS
        return self._told

    def _count(self) -> int:
        """How many FeliCa or Type A targets a PN53x lists; 0 when it does not say."""
        for rate, request in ((1, _FELICA_POLL), (0, b"")):
            try:
                answer = self._device.chipset.command(_LIST_PASSIVE_TARGETS, bytearray([2, rate]) + request, 0.2)
            except (OSError, IndexError, self._device.chipset.Error):
                return 0
            if answer and answer[0] >= 2:
                return int(answer[0])
        return 0
