"""Doing: the order `disaster`. It begins, ends or tries the disaster network; twice is as once.

The order kept in the kit is called `standing` by whoever signed it; each is a run of its own, named after the order.
"""

from edge_agent.clock import Stamp
from edge_agent.orders.outcome import Begun, Doing, Given, Outcome, failed
from edge_agent.wifi.disaster import By
from edge_agent.wifi.mode_task import Modes, Refused
from wire.orders import Disaster

STANDING = "standing"


def run_of(order_id: str, arguments: Disaster) -> str:
    """The run's name: as the hub says, or for a standing order its own."""
    return f"{STANDING}-{order_id[:8]}" if arguments.run == STANDING else arguments.run


class DisasterDoing:
    """As orders' loop takes it. One an access point."""

    def __init__(self, modes: Modes) -> None:
        self._modes = modes

    @property
    def doing(self) -> Doing:
        """As the loop takes it."""
        return Doing(self._do, self._settle)

    async def _do(self, given: Given) -> Outcome:
        return await carry_out(self._modes, given.id, given.arguments, "order")

    async def _settle(self, begun: Begun, now: Stamp) -> Outcome:
        """Whatever was done of it: what runs goes on, what ended stays ended, what was not begun yet begins."""
        by: By = "button" if begun.arguments.run == STANDING else "order"
        return await carry_out(self._modes, begun.id, begun.arguments, by)


async def carry_out(
    modes: Modes, order_id: str, arguments: Disaster, by: By, evidence: tuple[str, ...] = ()
) -> Outcome:
    """Does what an order says that was found good; how it ended."""
    run = run_of(order_id, arguments)
    if not modes.receives:
        return failed("no_guests")
    try:
        if arguments.action == "end":
            was = await modes.end(run, by)
            return Outcome("done", "" if was else "nothing_ran")
        lines = (f"order: {order_id}", *evidence)
        begin = modes.drill if arguments.action == "drill" else modes.begin
        await begin(run, arguments.minutes, by, arguments.until_ms, lines)
    except Refused as refused:
        return Outcome("expired") if refused.reason == "too_late" else Outcome("refused", refused.reason)
    return Outcome("done")
