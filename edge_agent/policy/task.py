"""Loop: what the hub orders, onto this disk and into the running tasks; what became of it, back to the hub.

1. A desired state must bear the hub's signature, must be news, and must be one of this kind of device.
2. It is on disk as `trying` before it counts, and as `applied` only after the agent was found well with it.
3. When it is not well, the one before counts again, and the hub is told `rolled_back`.  An agent that ends while it
   tries tries again at its next start, three times at most.
4. The hub is told when something changed, and once more when it asks by sending the same again.
5. Without a hub everything stays as it was applied last, for as long as it takes.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from edge_agent import verify
from edge_agent.clock import Clock
from edge_agent.effective import Holder
from edge_agent.policy import values
from edge_agent.policy.actual import Actual, Found
from edge_agent.policy.judge import Seen, judge
from edge_agent.policy.keep import Keep, Kept
from edge_agent.settings import Settings
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from wire import signed
from wire.messages import Desired, Drift, Reported
from wire.policy import BadDocument

log = logging.getLogger(__name__)

# How often the file that people may edit is looked at.
_LOOK_EVERY_S = 2.0
_ATTEMPTS = 3
_WELL_WITHIN_S = 15.0
_ERROR = 200

# Why the agent is not well; empty when it is.
Well = Callable[[], Awaitable[str]]


class Policy:
    """One agent's ordered settings. `load` before the tasks that go by them begin, then `run`."""

    def __init__(self, settings: Settings, spool: AsyncSpool, clock: Clock, holder: Holder, well: Well) -> None:
        self._settings, self._spool, self._clock, self._holder, self._well = settings, spool, clock, holder, well
        self._state_dir = Path(settings.state_dir)
        self._keep = Keep(self._state_dir / "policy")
        self._actual = Actual(self._state_dir, settings.kind)
        self._ground = values.ground(settings)
        self._kept = Kept()
        self._drift: tuple[Drift, ...] = ()
        self._told: Desired | None = None
        self._arrived = asyncio.Event()
        self._disk_fails = False

    @property
    def followed(self) -> tuple[str, int, int]:
        """Incarnation, generation seen, generation applied: what a presence says."""
        seen = self._kept.seen
        return seen.incarnation, seen.generation, self._applied_generation()

    def take(self, desired: Desired) -> None:
        """A desired state came down. Never waits; of several only the latest counts."""
        self._told = desired
        self._arrived.set()

    def load(self) -> None:
        """What was applied last counts from now on; before the agent's tasks begin. Never raises for a bad disk."""
        self._kept = self._keep.load()
        try:
            for one in (self._kept.applied, self._kept.trying):
                values.effective(one.document if one else {}, self._settings.kind)
        except BadDocument as error:
            # Kept by a newer agent than this one: the settings file counts until the hub sends something else.
            log.warning("ordered settings that were kept cannot be used: %s", error)
            why = f"document: {error}"[:_ERROR]
            self._kept = Kept(self._kept.seen, result="failed", error=why, reported=self._kept.reported)
        self._holder.put(values.effective(self._wanted(), self._settings.kind))
        if self._kept.trying is None:
            self._see(self._actual.read(self._ground))

    async def run(self) -> None:
        """Follows the hub, and the file that people may edit, until cancelled."""
        while True:
            told, self._told = self._told, None
            self._arrived.clear()
            if told is not None:
                await self._guarded(self._follow(told))
            elif self._kept.trying is not None:
                await self._guarded(self._try_again())
            elif await asyncio.to_thread(self._actual.changed):
                await self._guarded(self._look())
            await self._guarded(self._report())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._arrived.wait()

    async def _guarded(self, work: Awaitable[None]) -> None:
        """A disk that takes nothing is told once; the hub sends again what it has heard nothing of."""
        try:
            await work
        except (OSError, SpoolFull) as error:
            if not self._disk_fails:
                log.warning("ordered settings cannot be kept: %s", error)
            self._disk_fails = True

    # ---- a desired state

    async def _follow(self, told: Desired) -> None:
        refusal = await asyncio.to_thread(verify.desired, self._state_dir, self._settings.device, told)
        if refusal is not None:
            # Nobody knows whose word it is: nothing that it says is believed, its generation neither.
            return await self._refuse(self._kept.seen, refusal)
        seen = self._seen(told)
        match judge(self._kept.seen, seen):
            case "older":
                await self._refuse(self._kept.seen, "older")
            case "again":
                self._kept = msgspec.structs.replace(self._kept, reported=None)
            case "new":
                await self._try(told, seen)
        return None

    async def _try(self, told: Desired, seen: Seen) -> None:
        try:
            document = values.over(self._ground, told.document)
            values.effective(told.document, self._settings.kind)
        except BadDocument as error:
            return await self._refuse(seen, f"document: {error}")
        await self._save(seen=seen, trying=told, attempts=1)
        return await self._apply(told, document)

    async def _try_again(self) -> None:
        told, attempts = self._kept.trying, self._kept.attempts
        if told is None:
            return None
        if attempts >= _ATTEMPTS:
            return await self._roll_back(f"the agent ended {attempts} times while it was applied")
        await self._save(attempts=attempts + 1)
        return await self._apply(told, values.over(self._ground, told.document))

    async def _apply(self, told: Desired, document: values.Document) -> None:
        await asyncio.to_thread(self._actual.write, document)
        self._holder.put(values.effective(document, self._settings.kind))
        trouble = await self._trouble()
        if trouble:
            return await self._roll_back(trouble)
        before = self._kept.applied
        await self._save(applied=told, before=before, trying=None, attempts=0, result="applied", error="")
        self._drift = ()
        log.info("ordered settings: generation %d is applied", told.generation)
        return None

    async def _trouble(self) -> str:
        try:
            async with asyncio.timeout(_WELL_WITHIN_S):
                return await self._well()
        except TimeoutError:
            return f"no answer within {_WELL_WITHIN_S:.0f} s"

    async def _roll_back(self, why: str) -> None:
        log.warning("ordered settings: generation %d is taken back: %s", self._kept.seen.generation, why)
        wanted = self._wanted()
        await asyncio.to_thread(self._actual.write, wanted)
        self._holder.put(values.effective(wanted, self._settings.kind))
        await self._save(trying=None, attempts=0, result="rolled_back", error=why[:_ERROR])
        self._drift = ()

    async def _refuse(self, seen: Seen, why: str) -> None:
        log.warning("ordered settings are refused: %s", why)
        again = self._kept.reported if why != "older" else None
        await self._save(seen=seen, result="refused", error=why[:_ERROR], reported=again)

    async def _save(self, **changed: object) -> None:
        kept = msgspec.structs.replace(self._kept, **changed)
        if kept != self._kept:
            await asyncio.to_thread(self._keep.save, kept)
            self._kept = kept
            if self._disk_fails:
                log.warning("ordered settings are kept again")
            self._disk_fails = False

    # ---- the file that people may edit

    async def _look(self) -> None:
        found = await asyncio.to_thread(self._actual.read, self._ground)
        if found is None:
            await asyncio.to_thread(self._actual.write, self._wanted())
            found = await asyncio.to_thread(self._actual.read, self._ground)
        self._see(found)

    def _see(self, found: Found | None) -> None:
        if found is None:
            return
        if found.effective is None:
            if not any(one.key == "actual.toml" for one in self._drift):
                log.warning("actual.toml cannot be read, and changes nothing: %s", found.trouble)
            self._drift = (Drift("actual.toml", "", found.trouble),)
            return
        drift = values.drift(self._wanted(), found.document)
        if drift and drift != self._drift:
            log.warning("actual.toml was edited: %s", ", ".join(one.key for one in drift))
        self._drift = drift
        self._holder.put(found.effective)

    # ---- what the hub is told

    async def _report(self) -> None:
        """Tells the hub how it is, when that is not what it was told last."""
        kept = self._kept
        if kept.trying is not None or (not kept.result and not self._drift):
            return
        report = Reported(
            kept.seen.incarnation,
            kept.seen.generation,
            self._applied_generation(),
            kept.result or "applied",  # type: ignore[arg-type]
            kept.error,
            self._digest(kept.applied) if self._applied_generation() else "",
            self._drift,
        )
        if report != kept.reported:
            await self._spool.append("reported", report, self._clock.stamp())
            await self._save(reported=report)

    def _applied_generation(self) -> int:
        """The applied generation, of the incarnation that was seen last."""
        applied = self._kept.applied
        return applied.generation if applied and applied.incarnation == self._kept.seen.incarnation else 0

    def _wanted(self) -> values.Document:
        """What the device should go by: the ground, and over it what was applied."""
        return values.over(self._ground, self._kept.applied.document if self._kept.applied else {})

    def _seen(self, told: Desired) -> Seen:
        return Seen(told.incarnation, told.generation, self._digest(told))

    def _digest(self, told: Desired | None) -> str:
        if told is None:
            return ""
        return signed.digest(
            signed.desired_bytes(self._settings.device, told.incarnation, told.generation, told.document)
        )
