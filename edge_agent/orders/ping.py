"""Ping: says that the agent is there and takes orders; the hub has the times."""

from edge_agent.clock import Stamp
from edge_agent.orders.outcome import Begun, Doing, Given, Outcome


async def _do(given: Given) -> Outcome:
    return Outcome("done")


async def _settle(begun: Begun, now: Stamp) -> Outcome:
    return Outcome("done")


PING = Doing(_do, _settle)
