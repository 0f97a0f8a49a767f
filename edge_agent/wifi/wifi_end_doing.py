"""Doing: the order `wifi_end`. One session, of a guest or of staff, is over at once."""

from collections.abc import Awaitable, Callable, Sequence

from edge_agent.clock import Stamp
from edge_agent.orders.outcome import Begun, Doing, Given, Outcome, failed

# Ends a session by its id; False when it has none of that id.
EndSession = Callable[[str], Awaitable[bool]]


class WifiEnd:
    """Ends sessions. `ways` are asked one after the other until one knows the session (guests', then staff's)."""

    def __init__(self, ways: Sequence[EndSession]) -> None:
        self._ways = ways

    @property
    def doing(self) -> Doing:
        """As the loop takes it."""
        return Doing(self._do, self._settle)

    async def _do(self, given: Given) -> Outcome:
        return await self._end(given.arguments.session)

    async def _settle(self, begun: Begun, now: Stamp) -> Outcome:
        """Ending twice is as once: what is not there any more is ended."""
        outcome = await self._end(begun.arguments.session)
        return Outcome("done") if outcome.detail == "no_such_session" else outcome

    async def _end(self, session: str) -> Outcome:
        for way in self._ways:
            if await way(session):
                return Outcome("done")
        return failed("no_such_session")
