"""Loop: orders that came down are judged one by one, carried out at most once ever, and told of.

1. An order is on this disk as begun before its first step, and its end before it is told.
2. One thing at a time where things would get in each other's way; a long one does not hold up a short one.
3. Nothing here waits on the loop: signatures, disk and commands have threads and processes of their own.
"""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from pathlib import Path

import msgspec

from edge_agent import verify
from edge_agent.clock import Clock
from edge_agent.orders import book
from edge_agent.orders.book import Answer, Do, Facts
from edge_agent.orders.doings import Doings
from edge_agent.orders.outcome import Begun, Given, Outcome, failed
from edge_agent.orders.seen import Broken, Seen, Unfinished
from edge_agent.settings import Settings
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from wire.messages import Order, Result
from wire.orders import VERBS, read_arguments

log = logging.getLogger(__name__)

# What comes while so much waits is not taken: the hub sends it again.
_WAITING = 256
_TIDY_EVERY_S = 60
# Answers to what is not the hub's word, an hour: they must not fill the disk.
_STRANGERS_PER_HOUR = 20
# These change what the device is: one after the other, in the order in which they came.
_CHANGING = frozenset({"restart", "reboot", "lock", "unlock", "wipe"})


class Orders:
    """The orders of one device. `take` from the uplink, `run` as a task."""

    def __init__(self, settings: Settings, spool: AsyncSpool, clock: Clock, doings: Doings, seen: Seen) -> None:
        self._settings, self._spool, self._clock, self._doings, self._seen = settings, spool, clock, doings, seen
        self._came: asyncio.Queue[Order] = asyncio.Queue(_WAITING)
        self._running: set[str] = set()
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._strangers: list[float] = []

    def take(self, order: Order) -> None:
        """An order came down. Never waits."""
        with contextlib.suppress(asyncio.QueueFull):
            self._came.put_nowait(order)

    async def run(self) -> None:
        """Settles what an earlier process began, then takes orders until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for one in await self._unfinished():
                self._running.add(one.id)
                tasks.create_task(self._settle(one), name=f"order {one.name}")
            tasks.create_task(self._tidy(), name="orders told")
            tasks.create_task(self._doings.wipe.resume(), name="wipe")
            while True:
                order = await self._came.get()
                decision = await self._judge(order)
                if isinstance(decision, Do):
                    self._running.add(order.id)
                    tasks.create_task(self._carry_out(order, decision), name=f"order {order.name}")

    async def _unfinished(self) -> list[Unfinished]:
        try:
            return await asyncio.to_thread(self._seen.unfinished)
        except Broken as error:
            log.warning("the memory of orders: %s", error)
            return []

    # ---- judging

    async def _judge(self, order: Order) -> book.Decision:
        """What to do with an order; answers are given here."""
        if order.id in self._running:
            return book.Quiet()
        try:
            decision = book.decide(order, await asyncio.to_thread(self._facts, order))
            if isinstance(decision, Answer):
                await self._answer(order, decision)
        except Broken as error:
            log.warning("an order cannot be judged: %s", error)
            # What must not be escaped by a broken disk is nothing that could be done once too often.
            return _without_memory(order, await asyncio.to_thread(self._refusal, order))
        if isinstance(decision, Do):
            await self._tell(order.id, "delivered")
        return decision

    def _facts(self, order: Order) -> Facts:
        entry, nonce_used = self._seen.entry(order)
        remembered, lost_ms = self._seen.figures()
        stamp = self._clock.stamp()
        return Facts(
            self._refusal(order),
            entry,
            nonce_used,
            self._settings.kind,
            stamp.clock,
            stamp.at_ms,
            remembered,
            lost_ms,
        )

    def _refusal(self, order: Order) -> verify.Refusal | None:
        return verify.order(Path(self._settings.state_dir), self._settings.device, order)

    async def _answer(self, order: Order, answer: Answer) -> None:
        if answer.detail in ("signature", "no_key") and not self._may_answer_a_stranger():
            return
        if not answer.remember:
            await self._tell(order.id, answer.state, answer.detail)
        elif await asyncio.to_thread(
            self._seen.answer, order, self._clock.stamp(), answer.state, answer.detail
        ) and await self._tell(order.id, answer.state, answer.detail):
            await asyncio.to_thread(self._seen.tell, order.id)

    def _may_answer_a_stranger(self) -> bool:
        now_s = time.monotonic()
        self._strangers = [at_s for at_s in self._strangers if now_s - at_s < 3600]
        if len(self._strangers) >= _STRANGERS_PER_HOUR:
            return False
        self._strangers.append(now_s)
        log.warning("an order that is not the hub's word was refused")
        return True

    # ---- carrying out

    async def _carry_out(self, order: Order, do: Do) -> None:
        name = do.verb.name
        async with self._turns["changing" if name in _CHANGING else name]:
            stamp = self._clock.stamp()
            late = book.is_late(order.not_after_ms, do.verb, stamp.clock, stamp.at_ms)
            outcome: Outcome | None
            if late is not None:
                # It waited for its turn until it was too late.
                outcome = Outcome(late.state, late.detail)
                await self._begin(order, do)
            elif await self._begin(order, do):
                outcome = await self._do(name, Given(order.id, do.arguments))
            else:
                outcome = failed("disk")
            if outcome is not None:
                await self._end(order.id, outcome)
        self._running.discard(order.id)

    async def _begin(self, order: Order, do: Do) -> bool:
        """Whether it may be done: its beginning is on disk, or it is one that no broken disk may prevent."""
        arguments = msgspec.json.encode(do.arguments)
        try:
            return await asyncio.to_thread(self._seen.begin, order, arguments, self._clock.stamp())
        except Broken as error:
            log.warning("the beginning of an order cannot be kept: %s", error)
            return do.verb.name == "wipe"

    async def _do(self, name: str, given: Given) -> Outcome | None:
        doing = self._doings.by_name[name]
        log.info("order %s: begun", name)
        try:
            async with asyncio.timeout(doing.limit_s):
                return await doing.do(given)
        except TimeoutError:
            return failed("too_long")
        except Exception:
            # A mistake in one order must not take the terminal away from the people before it.
            log.exception("order %s", name)
            return failed("fault")

    async def _settle(self, one: Unfinished) -> None:
        """What became of an order that an earlier process began."""
        verb, doing = VERBS.get(one.name), self._doings.by_name.get(one.name)
        outcome: Outcome | None = failed("interrupted")
        if verb is not None and doing is not None:
            arguments = read_arguments(verb, msgspec.json.decode(one.arguments))
            begun = Begun(one.id, arguments or verb.arguments(), one.boot, one.mono_ms)
            try:
                outcome = await doing.settle(begun, self._clock.stamp())
            except Exception:
                log.exception("order %s", one.name)
                outcome = failed("fault")
        if outcome is not None:
            await self._end(one.id, outcome)
        self._running.discard(one.id)

    # ---- telling

    async def _end(self, order_id: str, outcome: Outcome) -> None:
        try:
            await asyncio.to_thread(self._seen.finish, order_id, outcome.state, outcome.detail)
            if await self._tell(order_id, outcome.state, outcome.detail):
                await asyncio.to_thread(self._seen.tell, order_id)
        except Broken as error:
            log.warning("the end of an order cannot be kept: %s", error)
            await self._tell(order_id, outcome.state, outcome.detail)
        log.info("order %s: %s %s", order_id[:8], outcome.state, outcome.detail.partition(":")[0])
        if outcome.then is not None:
            await outcome.then()

    async def _tell(self, order_id: str, state: str, detail: str = "") -> bool:
        """Into the spool; whether there was room."""
        try:
            result = Result(order_id, state, detail[:2000])  # type: ignore[arg-type]
            await self._spool.append("result", result, self._clock.stamp())
        except SpoolFull:
            return False
        return True

    async def _tidy(self) -> None:
        """Tells the ends for which there was no room, and forgets what is long over."""
        while True:
            try:
                for entry in await asyncio.to_thread(self._seen.untold):
                    if entry.id not in self._running and await self._tell(entry.id, entry.state, entry.detail):
                        await asyncio.to_thread(self._seen.tell, entry.id)
                stamp = self._clock.stamp()
                if stamp.clock != "unset":
                    await asyncio.to_thread(self._seen.forget, stamp.at_ms)
            except Broken as error:
                log.warning("the memory of orders: %s", error)
            await asyncio.sleep(_TIDY_EVERY_S)


def _without_memory(order: Order, refusal: verify.Refusal | None) -> book.Decision:
    """A wipe is carried out although it cannot be looked up whether it was before: twice is as once."""
    verb = VERBS.get(order.name)
    arguments = read_arguments(verb, order.arguments) if verb is not None else None
    if refusal is None and verb is not None and verb.name == "wipe" and arguments is not None:
        return Do(verb, arguments)
    return book.Quiet()
