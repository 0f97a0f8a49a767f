"""Slows down whoever tries codes (rule; the clock is given). A code has 135 bits: this is for the log's sake, and so
that a device gone wild does not keep the hub busy.

1. Only wrong tries count, by source and over all; a hundred devices that enrol at once are none.
2. After so many within ten minutes a source waits until the oldest of them is ten minutes old.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

OF_ONE, OF_ALL = 20, 1000
WITHIN_S = 600.0
_SOURCES = 10_000


class Guesses:
    """Counts wrong tries. Used from many threads; one a hub."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._all: deque[float] = deque(maxlen=OF_ALL)
        self._by_source: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, source: str) -> int:
        """How many seconds this source should wait; 0 when it may try."""
        now_s = self._clock_s()
        with self._lock:
            return max(_wait_s(self._all, now_s), _wait_s(self._by_source.get(source), now_s))

    def wrong(self, source: str) -> None:
        """One try was wrong."""
        now_s = self._clock_s()
        with self._lock:
            self._all.append(now_s)
            self._by_source.setdefault(source, deque(maxlen=OF_ONE)).append(now_s)
            self._by_source.move_to_end(source)
            if len(self._by_source) > _SOURCES:
                self._by_source.popitem(last=False)


def _wait_s(tries: deque[float] | None, now_s: float) -> int:
    """A full list whose oldest is young enough means waiting until it is not."""
    if tries is None or len(tries) < (tries.maxlen or 0):
        return 0
    return max(0, int(tries[0] + WITHIN_S - now_s + 0.999))
