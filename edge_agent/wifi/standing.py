"""Doing without the hub: the order that lies in the kit, signed in advance, carried out when the button says so.

It passes what an order from the hub passes: its signature, this device's name in it, its time, and the book of orders
that were carried out once (edge_agent/orders).  Whatever does not pass is told, and does nothing.  Where that book was
lost with a broken disk it passes: it is good for a year, and a button that is dead in a disaster is the greater harm.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge_agent import verify
from edge_agent.clock import Clock
from edge_agent.orders import book
from edge_agent.orders.book import Answer, Do, Facts
from edge_agent.orders.seen import Broken, Seen
from edge_agent.settings import Settings
from edge_agent.wifi.disaster_doing import STANDING, carry_out
from edge_agent.wifi.mode_task import Modes
from wire.messages import Order
from wire.orders import Disaster

log = logging.getLogger(__name__)


class Standing:
    """The standing order of one access point. `order` gives the one in the kit that counts now."""

    def __init__(
        self, settings: Settings, clock: Clock, seen: Seen, modes: Modes, order: Callable[[], Order | None]
    ) -> None:
        self._settings, self._clock, self._seen, self._modes, self._order = settings, clock, seen, modes, order

    async def use(self, evidence: tuple[str, ...]) -> bool:
        """Begins the disaster network, or tells why not; whether it begins. `evidence` is what the button saw."""
        order = self._order()
        if order is None or not self._modes.receives:
            return await self._refuse("no_standing" if order is None else "no_guests", evidence)
        try:
            decision = await asyncio.to_thread(self._judge, order)
            if not isinstance(decision, Do) or not _begins(decision):
                return await self._refuse(_why(decision), evidence)
            return await self._carry_out(order, decision, evidence)
        except Broken as error:
            log.warning("the standing order cannot be looked up: %s", error)
            return await self._refuse("disk", evidence)

    async def _carry_out(self, order: Order, do: Do, evidence: tuple[str, ...]) -> bool:
        arguments = msgspec.json.encode(do.arguments)
        if not await asyncio.to_thread(self._seen.begin, order, arguments, self._clock.stamp()):
            return await self._refuse("used_before", evidence)
        outcome = await carry_out(self._modes, order.id, do.arguments, "button", evidence)  # type: ignore[arg-type]
        await asyncio.to_thread(self._seen.finish, order.id, outcome.state, outcome.detail)
        # The hub never gave it, and waits for no result: it hears of it by the report.
        await asyncio.to_thread(self._seen.tell, order.id)
        return outcome.state == "done"

    async def rehearse(self) -> list[str]:
        """What pressing the button would come to now: a line for the evidence of a drill."""
        order = self._order()
        if order is None:
            return ["standing: no_standing"]
        try:
            decision = await asyncio.to_thread(self._judge, order)
        except Broken:
            return ["standing: disk"]
        good = isinstance(decision, Do) and _begins(decision)
        return [f"standing: {'ok' if good else _why(decision)}"]

    async def _refuse(self, why: str, evidence: tuple[str, ...]) -> bool:
        log.warning("the button of the disaster switch: refused: %s", why)
        await self._modes.refuse(STANDING, "button", [f"reason: {why}", *evidence])
        return False

    def _judge(self, order: Order) -> book.Decision:
        entry, nonce_used = self._seen.entry(order)
        remembered, lost_ms = self._seen.figures()
        stamp = self._clock.stamp()
        refusal = verify.order(Path(self._settings.state_dir), self._settings.device, order)
        kind = self._settings.kind
        facts = Facts(refusal, entry, nonce_used, kind, stamp.clock, stamp.at_ms, remembered, lost_ms)
        return book.decide(order, facts)


def _begins(do: Do) -> bool:
    """Whether this is an order that begins the disaster network, and no other that bears the hub's signature."""
    return isinstance(do.arguments, Disaster) and do.arguments.action == "begin"


def _why(decision: book.Decision) -> str:
    """In one word. An order that was answered before was used, however it ended."""
    if isinstance(decision, Answer) and decision.remember:
        return decision.detail or decision.state
    if isinstance(decision, Answer) and decision.detail in ("signature", "no_key", "too_many"):
        return decision.detail
    return "used_before" if not isinstance(decision, Do) else "arguments"
