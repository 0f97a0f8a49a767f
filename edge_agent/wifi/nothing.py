"""The firewall of a desk (`enforce: nothing`): it remembers who was let on, and touches no packet."""

import time

from edge_agent.wifi.elements import Counted, checked_address, checked_mark
from edge_agent.wifi.firewall import NotApplied
from edge_agent.wifi.ruleset import Plan, check
from edge_agent.wifi.shaping import Limits


class Nothing:
    """The same methods as `Firewall`. Nobody is kept from anything, and nothing is counted."""

    shaping = ""

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self._sessions: dict[int, tuple[str, float]] = {}

    async def apply(self, plan: Plan) -> None:
        """Takes a plan of good values. Raises ValueError."""
        check(plan)
        self.plan = plan

    async def drift(self) -> bool:
        """Nothing stands, so nothing is changed."""
        return False

    async def admit(self, address: str, mark: int, seconds: int, limits: Limits | None = None) -> None:
        """Remembers a device. Raises ValueError for what is no address of a device or no mark."""
        address = checked_address(address)
        self._sessions = {old: kept for old, kept in self._sessions.items() if kept[0] != address}
        self._sessions[checked_mark(mark)] = (address, time.monotonic() + seconds)

    async def prolong(self, mark: int, seconds: int) -> None:
        """A session ends so long from now. Raises NotApplied when the mark is no session."""
        if mark not in self._sessions:
            raise NotApplied("there is no session with this mark")
        self._sessions[mark] = (self._sessions[mark][0], time.monotonic() + seconds)

    async def limit(self, mark: int, limits: Limits | None) -> None:
        """Does nothing."""

    async def remove(self, mark: int) -> Counted:
        """Forgets a session."""
        self._sessions.pop(checked_mark(mark), None)
        return Counted()

    async def counters(self) -> dict[int, Counted]:
        """Nothing, for each session."""
        return dict.fromkeys(self._sessions, Counted())

    async def admitted(self) -> dict[str, int]:
        """Each device whose time is not over, and its mark."""
        now_s = time.monotonic()
        return {address: mark for mark, (address, end_s) in self._sessions.items() if end_s > now_s}

    async def seconds_left(self) -> dict[int, int]:
        """How long each session goes on yet."""
        now_s = time.monotonic()
        return {mark: int(end_s - now_s) for mark, (_, end_s) in self._sessions.items() if end_s > now_s}
