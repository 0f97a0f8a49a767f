"""The lines of all devices for pages that stay open: read once for all of them that wait for the same change.

1. What a page is sent holds at least every change that it was woken for.
2. A second later it is read anew in any case, because a condition depends on the time.
"""

import threading
import time

from hub import shown
from hub.db import Connection
from hub.fleet import listing
from hub.fleet.listing import Line
from hub.live import Live

_FRESH_S = 1.0


class Overview:
    """One a hub; used from any thread."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._lock = threading.Lock()
        self._lines: list[Line] = []
        self._told = -1
        self._read_s = 0.0
        self.readings = 0

    def lines(self, conn: Connection, now_ms: int) -> list[Line]:
        """Every device and thing, as of the last change that was told before this call or later."""
        wanted = self._live.told
        with self._lock:
            if self._told < wanted or time.monotonic() - self._read_s > _FRESH_S:
                # The number first: a change that is told meanwhile may not be in what is read.
                self._told, self._read_s = self._live.told, time.monotonic()
                today = shown.day_of(now_ms)
                self._lines = listing.lines(conn, now_ms, today) + listing.unheard(conn, today)
                self.readings += 1
            return self._lines
