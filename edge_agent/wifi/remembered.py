"""What a process knows of the sessions that it let through, for a kernel that was made to forget them."""

import math

from edge_agent.wifi import elements
from edge_agent.wifi.elements import Counted
from edge_agent.wifi.shaping import Limits


class Remembered:
    """Sessions by mark: whose, until when (monotonic seconds), how fast; and what was used when it was last read."""

    def __init__(self) -> None:
        self.limits: dict[int, Limits] = {}
        self.used: dict[int, Counted] = {}
        self._sessions: dict[int, tuple[str, float]] = {}

    def admitted(self, mark: int, address: str, end_s: float, limits: Limits) -> None:
        """A session began."""
        self._sessions[mark] = (address, end_s)
        self.limits[mark] = limits

    def prolonged(self, mark: int, end_s: float) -> None:
        """A session has another end."""
        if mark in self._sessions:
            self._sessions[mark] = (self._sessions[mark][0], end_s)

    def forget(self, mark: int) -> None:
        """A session is over."""
        for kept in (self._sessions, self.limits, self.used):
            kept.pop(mark, None)

    def lines(self, now_s: float, *, air: bool) -> list[str]:
        """The sessions as they would stand now, with what they had used; of those whose time is over only that."""
        lines = elements.restored(self.used, air=air)
        for mark, (address, end_s) in self._sessions.items():
            if end_s > now_s:
                lines += elements.admission(address, mark, math.ceil(end_s - now_s), air=air)
        return lines
