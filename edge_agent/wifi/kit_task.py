"""Loop: the kit that the hub sends, onto this disk and into the next guest; what became of it, back to the hub.

1. It must bear the hub's signature, be sealed to this device, and be news.  An older one, or one that cannot be
   opened, changes nothing, and the hub is told why.
2. It is on disk before it counts; no guest waits for any of this.
3. The hub sends a kit again until it is told, and is told once more when it asks by sending the same again.
4. A device that is being wiped takes none, and removes the one that it has.
5. Grants of roaming must bear the hub's signature too; who listens gets them checked.
6. Keys of past days go at midnight in Japan, in memory and on disk.
"""

import asyncio
import base64
import binascii
import logging
import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge_agent import memory, opening, verify
from edge_agent.clock import Clock
from edge_agent.settings import Settings
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi import town_kit
from edge_agent.wifi.japan_day import day_before
from wire import signed
from wire.kit import KEY_BYTES, BadKit, KitContent, unpack
from wire.messages import Kit, KitReport, Roam

log = logging.getLogger(__name__)

# How often it is looked whether a day's key is to go.
_LOOK_EVERY_S = 300.0
# Messages of grants that wait for their check; the hub sends again what was not followed by a session's end.
_ROAMS_AT_MOST = 1000
_OWN_DAYS = 4

KitWatcher = Callable[[KitContent | None], None]
RoamWatcher = Callable[[Roam], None]


class KitHolder:
    """The kit of one access point. `take` and `take_roam` on the loop; `run` as a task.

    `barred` says that nothing may be kept any more.
    """

    def __init__(
        self,
        settings: Settings,
        spool: AsyncSpool,
        clock: Clock,
        barred: Callable[[], bool] = lambda: False,
    ) -> None:
        self._device, self._folder = settings.device, Path(settings.state_dir)
        self._spool, self._clock, self._barred = spool, clock, barred
        self._kept = town_kit.load(self._folder)
        self._own: dict[str, bytes] = {}
        self._told: Kit | None = None
        self._roams: list[Roam] = []
        self._arrived = asyncio.Event()
        self._watchers: list[KitWatcher] = []
        self._roam_watchers: list[RoamWatcher] = []
        self._disk_fails = False

    @property
    def now(self) -> KitContent | None:
        """What the kit says, or None when there is none yet."""
        return self._kept.content

    @property
    def followed(self) -> tuple[str, int]:
        """Incarnation and generation of the kit that counts."""
        return self._kept.incarnation, self._kept.generation

    def watch(self, watcher: KitWatcher) -> None:
        """`watcher` is called on the loop whenever another kit counts."""
        self._watchers.append(watcher)

    def watch_roam(self, watcher: RoamWatcher) -> None:
        """`watcher` is called on the loop with grants that are the hub's word."""
        self._roam_watchers.append(watcher)

    def day_key(self, day: str) -> bytes:
        """The key of a day in Japan; without the town's, a random one of this process, which is never on disk."""
        key = town_kit.key_of(self._kept, day) or self._own.get(day)
        if key is None:
            key = self._own[day] = secrets.token_bytes(KEY_BYTES)
            while len(self._own) > _OWN_DAYS:
                del self._own[next(iter(self._own))]
        return key

    def take(self, told: Kit) -> None:
        """A kit came down. Never waits; of several only the latest counts."""
        self._told = told
        self._arrived.set()

    def take_roam(self, told: Roam) -> None:
        """Grants came down. Never waits."""
        if len(self._roams) < _ROAMS_AT_MOST:
            self._roams.append(told)
        self._arrived.set()

    async def run(self) -> None:
        """Follows the hub until cancelled."""
        while True:
            told, self._told = self._told, None
            roams, self._roams = self._roams, []
            self._arrived.clear()
            try:
                await self._forget_days()
                if told is not None:
                    await self._follow(told)
                await self._report()
            except (OSError, SpoolFull) as error:
                # The hub sends again what it has heard nothing of.
                if not self._disk_fails:
                    log.warning("the access point's kit cannot be kept: %s", error)
                self._disk_fails = True
            for roam in roams:
                await self._follow_roam(roam)
            await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_EVERY_S):
                await self._arrived.wait()
        except TimeoutError:
            pass

    async def _follow(self, told: Kit) -> None:
        if await asyncio.to_thread(self._barred):
            return await self._drop()
        refusal = await asyncio.to_thread(verify.kit, self._folder, self._device, told)
        if refusal is not None:
            # Nobody knows whose word it is.
            return await self._refuse(refusal)
        digest = signed.digest(signed.kit_bytes(self._device, told.incarnation, told.generation, told.sealed))
        place, before = (told.incarnation, told.generation), (self._kept.incarnation, self._kept.generation)
        if place == before and digest == self._kept.digest:
            self._kept = msgspec.structs.replace(self._kept, reported=None)
            return None
        if place <= before:
            return await self._refuse("older")
        return await self._apply(told, digest)

    async def _apply(self, told: Kit, digest: str) -> None:
        about = signed.kit_place_bytes(self._device, told.incarnation, told.generation)
        plain = await asyncio.to_thread(_open, self._folder, told.sealed, about)
        if plain is None:
            return await self._refuse("sealed")
        try:
            content = await asyncio.to_thread(unpack, plain)
        except BadKit:
            return await self._refuse("content")
        kept = town_kit.following(self._kept, told.incarnation, told.generation, digest, content)
        kept = self._without_past(kept)
        if not await asyncio.to_thread(self._save, kept):
            return await self._drop()
        self.use(kept)
        log.info("the access point's kit: version %d counts, terms %s", told.generation, content.terms.version)
        if self._disk_fails:
            log.warning("the access point's kit is kept again")
        self._disk_fails = False
        # What opening it took is not needed again for a while.
        await asyncio.to_thread(memory.give_back)
        return None

    async def _follow_roam(self, told: Roam) -> None:
        if await asyncio.to_thread(verify.roam, self._folder, self._device, told) is not None:
            log.warning("grants of roaming are refused: they are not the hub's word")
            return
        for watcher in self._roam_watchers:
            watcher(told)

    async def _refuse(self, why: str) -> None:
        log.warning("the access point's kit is refused: %s", why)
        report = KitReport(self._kept.incarnation, self._kept.generation, "refused", why)
        await self._spool.append("kit_report", report, self._clock.stamp())

    async def _report(self) -> None:
        """Tells the hub which kit counts, when it was not told yet."""
        kept = self._kept
        if kept.content is None:
            return
        report = KitReport(kept.incarnation, kept.generation)
        if report != kept.reported:
            await self._spool.append("kit_report", report, self._clock.stamp())
            self._kept = msgspec.structs.replace(kept, reported=report)
            await asyncio.to_thread(self._save, self._kept)

    async def _drop(self) -> None:
        """Nothing may be kept any more."""
        await asyncio.to_thread(town_kit.remove, self._folder)
        self.use(town_kit.Kept())

    @property
    def kept(self) -> town_kit.Kept:
        """All of it, with where it came from."""
        return self._kept

    def use(self, kept: town_kit.Kept) -> None:
        """From now on this one."""
        before, self._kept = self._kept, kept
        if kept.content != before.content:
            for watcher in self._watchers:
                watcher(kept.content)

    async def _forget_days(self) -> None:
        """Keys of days that are over go, on disk first."""
        kept = self._without_past(self._kept)
        if kept is self._kept:
            return
        await asyncio.to_thread(self._save, kept)
        self._kept = kept

    def _without_past(self, kept: town_kit.Kept) -> town_kit.Kept:
        stamp = self._clock.stamp()
        # A clock that nobody set would say 1970, and one day keep keys for ever: then nothing is decided.
        return kept if stamp.clock == "unset" else town_kit.without_days_before(kept, day_before(stamp.at_ms))

    def _save(self, kept: town_kit.Kept) -> bool:
        """On disk, unless nothing may be kept any more: then it is gone, also when that began meanwhile."""
        if self._barred():
            return False
        town_kit.save(self._folder, kept)
        if self._barred():
            town_kit.remove(self._folder)
            return False
        return True


def _open(folder: Path, sealed: str, about: bytes) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    except (ValueError, binascii.Error):
        return None
    return opening.unseal(folder, raw, about)
