"""Loop: the roster that the hub sends, onto this disk and into the next tap; what became of it, back to the hub.

1. It must bear the hub's signature, be sealed to this device, and be news.  An older one, or one that cannot be
   opened, changes nothing, and the hub is told why.
2. It is on disk before it counts; the tap path never waits for any of this.
3. The hub is told once, and once more when it asks by sending the same again.
4. A device that is being wiped takes none.
"""

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge_agent import memory, opening, verify
from edge_agent.attendance import town_roster
from edge_agent.attendance.cards import Cards
from edge_agent.clock import Clock
from edge_agent.settings import Settings
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from wire import signed
from wire.messages import Roster, RosterReport
from wire.roster import BadRoster, unpack

log = logging.getLogger(__name__)


class RosterKeeper:
    """One terminal's roster. `take` on the loop; `run` as a task. `barred` says that nothing may be kept any more."""

    def __init__(
        self,
        settings: Settings,
        spool: AsyncSpool,
        clock: Clock,
        cards: Cards,
        barred: Callable[[], bool] = lambda: False,
    ) -> None:
        self._device, self._folder = settings.device, Path(settings.state_dir)
        self._spool, self._clock, self._cards, self._barred = spool, clock, cards, barred
        self._kept = town_roster.load(self._folder)
        self._told: Roster | None = None
        self._arrived = asyncio.Event()
        self._disk_fails = False

    @property
    def followed(self) -> tuple[str, int]:
        """Incarnation and generation of the roster that counts: what a presence says."""
        return self._kept.incarnation, self._kept.generation

    def take(self, told: Roster) -> None:
        """A roster came down. Never waits; of several only the latest counts."""
        self._told = told
        self._arrived.set()

    async def run(self) -> None:
        """Follows the hub until cancelled."""
        while True:
            told, self._told = self._told, None
            self._arrived.clear()
            try:
                if told is not None:
                    await self._follow(told)
                await self._report()
            except (OSError, SpoolFull) as error:
                # The hub sends again what it has heard nothing of.
                if not self._disk_fails:
                    log.warning("the town's roster cannot be kept: %s", error)
                self._disk_fails = True
            await self._arrived.wait()

    async def _follow(self, told: Roster) -> None:
        if await asyncio.to_thread(self._barred):
            return None
        refusal = await asyncio.to_thread(verify.roster, self._folder, self._device, told)
        if refusal is not None:
            # Nobody knows whose word it is.
            return await self._refuse(refusal)
        digest = signed.digest(signed.roster_bytes(self._device, told.incarnation, told.generation, told.sealed))
        place, before = (told.incarnation, told.generation), (self._kept.incarnation, self._kept.generation)
        if place == before and digest == self._kept.digest:
            self._kept = msgspec.structs.replace(self._kept, reported=None)
            return None
        if place <= before:
            return await self._refuse("older")
        return await self._apply(told, digest)

    async def _apply(self, told: Roster, digest: str) -> None:
        about = signed.roster_place_bytes(self._device, told.incarnation, told.generation)
        plain = await asyncio.to_thread(_open, self._folder, told.sealed, about)
        if plain is None:
            return await self._refuse("sealed")
        try:
            content = await asyncio.to_thread(unpack, plain)
        except BadRoster:
            return await self._refuse("content")
        kept = town_roster.following(self._kept, told.incarnation, told.generation, digest, content)
        if not await asyncio.to_thread(self._save, kept):
            return None
        self._kept = kept
        self._cards.use(kept)
        log.info("the town's roster: version %d with %d cards counts", told.generation, len(content.cards))
        if self._disk_fails:
            log.warning("the town's roster is kept again")
        self._disk_fails = False
        # What opening it took is not needed again for weeks.
        await asyncio.to_thread(memory.give_back)
        return None

    async def _refuse(self, why: str) -> None:
        log.warning("the town's roster is refused: %s", why)
        kept = self._kept
        report = RosterReport(kept.incarnation, kept.generation, "refused", why, _count(kept))
        await self._spool.append("roster_report", report, self._clock.stamp())

    async def _report(self) -> None:
        """Tells the hub which roster counts, when it was not told yet."""
        kept = self._kept
        if kept.content is None:
            return
        report = RosterReport(kept.incarnation, kept.generation, cards=_count(kept))
        if report != kept.reported:
            await self._spool.append("roster_report", report, self._clock.stamp())
            self._kept = msgspec.structs.replace(kept, reported=report)
            await asyncio.to_thread(self._save, self._kept)

    def _save(self, kept: town_roster.Kept) -> bool:
        """On disk, unless nothing may be kept any more: then it is gone, also when that began meanwhile."""
        if self._barred():
            return False
        town_roster.save(self._folder, kept)
        if self._barred():
            town_roster.remove(self._folder)
            return False
        return True


def _count(kept: town_roster.Kept) -> int:
    return len(kept.content.cards) if kept.content else 0


def _open(folder: Path, sealed: str, about: bytes) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    except (ValueError, binascii.Error):
        return None
    return opening.unseal(folder, raw, about)
