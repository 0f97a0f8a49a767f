"""Takes units of benefits at this device: on its disk before anybody is told, each use once.

1. The record of a use and the count of what was taken so far are one write (`Spool.append_many`, `beside`): after a
   power cut both are there or none is, so what was said to be taken is counted, and nothing twice.
2. One use at a time: the next is decided upon only when the one before it is on disk, or is not.
3. The last use under an allowance can be taken back here, once.
"""

import asyncio
import contextlib
import logging
import secrets
from typing import NamedTuple

import msgspec

from edge_agent.attendance import card
from edge_agent.benefit import allowance as rule
from edge_agent.benefit.allowance import Count, Refused
from edge_agent.clock import Clock
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from wire.purse import Allowance, Benefit, PurseContent
from wire.tablet import BenefitUse

log = logging.getLogger(__name__)

_BESIDE = "benefit."


class Taken(NamedTuple):
    """Units that were taken, or given back; `left` is what is left everywhere as far as this device knows."""

    use: str
    benefit: Benefit
    units: int
    left: int
    at_ms: int


class Benefits:
    """The benefits of one device. `use` with each purse that counts; `load` before anything is taken."""

    def __init__(self, spool: AsyncSpool, clock: Clock) -> None:
        self._spool, self._clock = spool, clock
        self._content: PurseContent | None = None
        self._counts: dict[str, Count] = {}
        self._one_at_a_time = asyncio.Lock()
        self._loaded = asyncio.Event()

    def use(self, content: PurseContent) -> None:
        """This purse counts from now on."""
        self._content = content

    async def load(self) -> None:
        """Reads what was counted so far from this disk."""
        for name, value in (await self._spool.beside(_BESIDE)).items():
            with contextlib.suppress(msgspec.MsgspecError):
                self._counts[name.removeprefix(_BESIDE)] = msgspec.json.decode(value, type=Count)
        self._loaded.set()

    @property
    def offered(self) -> tuple[Benefit, ...]:
        """The kinds that can be taken here."""
        return self._content.benefits if self._content else ()

    def token(self, identifier: bytes) -> str:
        """A card's token under the key of the purse; empty while there is none."""
        return card.token(self._content.card_key, identifier) if self._content else ""

    def knows(self, token: str) -> bool:
        """Whether this card has any benefit here."""
        return self._content is not None and any(one.card == token for one in self._content.allowances)

    async def take(self, token: str, benefit: str, units: int) -> Taken | Refused:
        """Takes units for a card; on disk when this returns `Taken`."""
        await self._loaded.wait()
        async with self._one_at_a_time:
            content, stamp = self._content, self._clock.stamp()
            kind = self._kind(benefit)
            if content is None or kind is None:
                return Refused("unknown")
            may = rule.decide(content, self._counts, token, benefit, units, stamp)
            if isinstance(may, Refused):
                return may
            of, used = may.allowance, may.used + units
            use = secrets.token_hex(16)
            body = BenefitUse(use, of.id, units, used, token, until_ms=of.until_ms)
            if not await self._keep(of.id, body, Count(used, use, units)):
                return Refused("full")
            return Taken(use, kind, units, rule.balance_left(of, used), stamp.at_ms)

    async def take_back(self, token: str, taken: Taken) -> Taken | Refused:
        """Gives back what was taken last, while nothing else was; on disk when this returns `Taken`."""
        async with self._one_at_a_time:
            stamp = self._clock.stamp()
            of = rule.of_card(self._content, token, taken.benefit.code) if self._content else None
            count = self._counts.get(of.id) if of else None
            if of is None or count is None or count.use != taken.use:
                return Refused("too_late")
            used = count.used - count.units
            body = BenefitUse(secrets.token_hex(16), of.id, count.units, used, token, count.use, of.until_ms)
            if not await self._keep(of.id, body, Count(used)):
                return Refused("full")
            return Taken(body.use, taken.benefit, count.units, rule.balance_left(of, self._used(of)), stamp.at_ms)

    def _used(self, of: Allowance) -> int:
        return rule.used_so_far(of, self._counts.get(of.id))

    def _kind(self, code: str) -> Benefit | None:
        return next((one for one in self.offered if one.code == code), None)

    async def _keep(self, id_: str, body: BenefitUse, count: Count) -> bool:
        """Both on disk, or neither and then False."""
        before = self._counts.get(id_)
        # Counted before it is on disk: whoever stops waiting for it does not take it for free.
        self._counts[id_] = count
        beside = {f"{_BESIDE}{id_}": msgspec.json.encode(count)}
        try:
            await self._spool.append_many([("benefit_use", body)], self._clock.stamp(), beside)
        except SpoolFull:
            if before is None:
                del self._counts[id_]
            else:
                self._counts[id_] = before
            return False
        return True
