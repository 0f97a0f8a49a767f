"""Loop: the mode of an access point, by the clock, the town's opening hours and the disaster switch.

1. What runs is on disk before anybody is told that it runs, and a restart or a power cut goes on with it.
2. It ends when its time is over, also while nobody else is there: no hub, no disk, no wall clock.
3. A disk that takes nothing does not keep the disaster network from beginning; it is then forgotten at a restart.
4. What was begun, ended, refused or tried is told with what was seen on the air before and after.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from edge_agent.clock import Clock
from edge_agent.effective import Holder
from edge_agent.policy.keep import write_whole
from edge_agent.settings import Settings
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi import disaster
from edge_agent.wifi.disaster import Asked, By, Kept, Mode, Refusal, Untold
from wire.messages import DisasterReport, Network

log = logging.getLogger(__name__)

_EVERY_S = 1.0
# The count is on disk at least so often: so much can a power cut add to a run, once each.
_SAVE_EVERY_MS = 30_000
# So long is waited for the air to be as it should, before what is seen is told.
_AIR_WITHIN_S = 20.0
_AIR_LOOK_S = 0.5
_LOOK_WITHIN_S = 3.0
_REHEARSE_WITHIN_S = 15.0
# A report that found no room is offered again after this.
_AGAIN_AFTER_S = 30.0
_LINES, _LINE = 40, 200
_HOUR_S, _REFUSALS_PER_HOUR = 3600, 20

State = Literal["begun", "ended", "drilled", "refused"]


class Air(msgspec.Struct, frozen=True):
    """What is seen on the air: the networks, and how many guests have a session."""

    networks: tuple[Network, ...] = ()
    sessions: int = 0


# What is on the air now.
Look = Callable[[], Awaitable[Air]]
# What beginning in this mode would do: its files made and checked, nothing applied. One line each.
Rehearse = Callable[[Mode], Awaitable[Sequence[str]]]


class Refused(Exception):
    """It does not begin; `reason` is a word of `wire.orders.Reason`, or `too_late`."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


async def _sees_nothing() -> Air:
    return Air()


async def _rehearses_nothing(mode: Mode) -> Sequence[str]:
    return ()


class Modes:
    """The mode of one access point: `now` at once, `watch` for changes, `run` as a task."""

    def __init__(
        self,
        settings: Settings,
        spool: AsyncSpool,
        clock: Clock,
        holder: Holder,
        *,
        look: Look = _sees_nothing,
        rehearse: Rehearse = _rehearses_nothing,
        every_s: float = _EVERY_S,
    ) -> None:
        self._spool, self._clock, self._holder = spool, clock, holder
        self._look, self._rehearse, self._every_s = look, rehearse, every_s
        self._path = Path(settings.state_dir) / "wifi" / "disaster.json"
        # Whether there is a network for guests at all.
        self.receives = bool(settings.wifi.guests)
        self._kept = _read(self._path)
        self._saved_ms = clock.stamp().mono_ms
        self._resumed = self._kept.running is not None
        self._disk_fails = False
        self._watchers: list[Callable[[Mode], None]] = []
        # One change at a time; what it does to the disk is done before the next.
        self._turn = asyncio.Lock()
        self._stir = asyncio.Event()
        self._refusals: list[int] = []
        self._count()
        self.now = self._mode()
        holder.watch(lambda _: self._show())

    def watch(self, watcher: Callable[[Mode], None]) -> None:
        """`watcher` is called on the loop whenever the mode has changed."""
        self._watchers.append(watcher)

    async def begin(self, run: str, minutes: int, by: By, until_ms: int = 0, evidence: Sequence[str] = ()) -> Mode:
        """Begins the disaster network; the mode that is now. Raises Refused."""
        return await self._begin(Asked(run, minutes, drill=False, by=by, until_ms=until_ms), evidence)

    async def drill(
        self, run: str, minutes: int, by: By = "order", until_ms: int = 0, evidence: Sequence[str] = ()
    ) -> Mode:
        """Begins a drill: everything but the air. Raises Refused."""
        return await self._begin(Asked(run, minutes, drill=True, by=by, until_ms=until_ms), evidence)

    async def end(self, run: str, by: By) -> bool:
        """Ends a run; whether it was running here. From now on it does not begin here any more."""
        async with self._turn:
            return await self._end(run, by)

    async def refuse(self, run: str, by: By, evidence: Sequence[str]) -> None:
        """Tells that somebody wanted to and might not; not without end: a child at a button must not fill the disk."""
        now_s = self._clock.stamp().mono_ms // 1000
        self._refusals = [at_s for at_s in self._refusals if now_s - at_s < _HOUR_S]
        if len(self._refusals) >= _REFUSALS_PER_HOUR:
            return
        self._refusals.append(now_s)
        async with self._turn:
            await self._change(self._kept, [self._report(run, "refused", by, [*evidence])])

    async def run(self) -> None:
        """Follows the clock, and tells what happened, until cancelled."""
        if self._resumed:
            await self._tell_resumed()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_time(), name="mode")
            tasks.create_task(self._telling(), name="mode told")

    async def _follow_time(self) -> None:
        while True:
            async with self._turn:
                await self._tick()
            await asyncio.sleep(self._every_s)

    # ---- changes

    async def _begin(self, asked: Asked, evidence: Sequence[str]) -> Mode:
        async with self._turn:
            self._count()
            before, running = await self._seen("before"), self._kept.running
            new = disaster.begun(self._kept, asked, self._clock.stamp())
            if isinstance(new, str):
                lines = [f"reason: {new}", *evidence]
                await self._change(self._kept, [self._report(asked.run, "refused", asked.by, lines)])
                raise Refused(new)
            if new == self._kept:
                return self.now
            reports = []
            if running is not None and running.run != asked.run:
                reports.append(self._report(running.run, "ended", asked.by, [f"taken_over: {asked.run}"]))
            lines = [*evidence, *before, *(await self._rehearsed() if asked.drill else ())]
            state: State = "drilled" if asked.drill else "begun"
            ends_ms = new.running.ends_ms if new.running else 0
            reports.append(self._report(asked.run, state, asked.by, lines, ends_ms))
            await self._change(new, reports)
            log.warning("the disaster switch: %s %s, by %s, for %d min", asked.run, state, asked.by, asked.minutes)
            return self.now

    async def _end(self, run: str, by: By) -> bool:
        running = self._kept.running
        if running is None or running.run != run:
            await self._change(disaster.ended(self._kept, run), [])
            return False
        report = self._report(run, "ended", by, [*(await self._seen("before"))])
        await self._change(disaster.ended(self._kept, run), [report])
        log.warning("the disaster switch: %s ended, by %s", run, by)
        return True

    async def _tick(self) -> None:
        self._count()
        running, stamp = self._kept.running, self._clock.stamp()
        if running is not None and running.left_ms <= 0:
            await self._end(running.run, "time")
        elif running is not None and not 0 <= stamp.mono_ms - self._saved_ms < _SAVE_EVERY_MS:
            await self._save()
        self._show()

    async def _change(self, new: Kept, reports: Sequence[Untold]) -> None:
        """From now on this: on disk, then to whoever listens; what is to be told follows."""
        self._kept = msgspec.structs.replace(new, untold=(*new.untold, *reports)[-_LINES:])
        await self._save()
        self._show()
        self._stir.set()

    async def _save(self) -> None:
        self._saved_ms = self._clock.stamp().mono_ms
        try:
            await asyncio.to_thread(_write, self._path, self._kept)
        except OSError as error:
            if not self._disk_fails:
                log.warning("the state of the disaster switch cannot be kept: %s", error)
            self._disk_fails = True
        else:
            if self._disk_fails:
                log.warning("the state of the disaster switch is kept again")
            self._disk_fails = False

    def _count(self) -> None:
        if self._kept.running is not None:
            counted = disaster.counted(self._kept.running, self._clock.stamp())
            self._kept = msgspec.structs.replace(self._kept, running=counted)

    def _mode(self) -> Mode:
        return disaster.mode(self._holder.now, self._kept.running, self._clock.stamp(), receives=self.receives)

    def _show(self) -> None:
        mode = self._mode()
        if mode != self.now:
            if mode.name != self.now.name:
                log.info("the mode is %s", mode.name)
            self.now = mode
            for watcher in self._watchers:
                watcher(mode)

    # ---- what is told

    def _report(self, run: str, state: State, by: By, lines: Sequence[str], ends_ms: int = 0) -> Untold:
        evidence = tuple(line[:_LINE] for line in lines[:_LINES])
        if self._disk_fails:
            evidence = ("disk: fails", *evidence)[:_LINES]
        return Untold(DisasterReport(run, state, by, ends_ms, evidence), *self._clock.stamp())

    async def _tell_resumed(self) -> None:
        """A run goes on after a restart: the hub hears that it does."""
        async with self._turn:
            running = self._kept.running
            if running is not None and running.left_ms > 0:
                lines = [f"left_minutes: {running.left_ms // 60_000}"]
                state: State = "drilled" if running.drill else "begun"
                await self._change(self._kept, [self._report(running.run, state, "restart", lines, running.ends_ms)])

    async def _telling(self) -> None:
        """Tells whenever there is something, and again later what found no room."""
        while True:
            self._stir.clear()
            await self._tell()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_AGAIN_AFTER_S):
                    await self._stir.wait()

    async def _tell(self) -> None:
        """Everything that the spool does not have yet, oldest first, each with what is on the air afterwards."""
        while self._kept.untold:
            one = self._kept.untold[0]
            after = await self._after(one.report)
            report = msgspec.structs.replace(one.report, evidence=(*one.report.evidence, *after)[:_LINES])
            stamp = self._clock.stamp()._replace(boot=one.boot, mono_ms=one.mono_ms, at_ms=one.at_ms, clock=one.clock)
            try:
                await self._spool.append("disaster_report", report, stamp)
            except SpoolFull:
                # Kept on the disk until there is room.
                return
            async with self._turn:
                untold = tuple(each for each in self._kept.untold if each is not one)
                self._kept = msgspec.structs.replace(self._kept, untold=untold)
                await self._save()

    async def _after(self, report: DisasterReport) -> list[str]:
        """What is on the air once it is as the mode wants it, or at the latest after some seconds."""
        if report.state == "refused":
            return []
        loop = asyncio.get_running_loop()
        until_s = loop.time() + _AIR_WITHIN_S
        while loop.time() < until_s:
            air = await self._air()
            networks = air.networks if air else ()
            on = {network.name for network in networks if network.on_air}
            if not networks or (disaster.DISASTER_NETWORK in on) == (self.now.on_air == "disaster"):
                break
            await asyncio.sleep(_AIR_LOOK_S)
        return await self._seen("after")

    async def _seen(self, when: Literal["before", "after"]) -> list[str]:
        air = await self._air()
        if air is None:
            return []
        lines = [
            f"{when}: {'on' if one.on_air else 'off'} {one.stations} {one.security or 'open'} {one.name}"
            for one in air.networks
        ]
        return [*lines, f"sessions_{when}: {air.sessions}"]

    async def _air(self) -> Air | None:
        try:
            async with asyncio.timeout(_LOOK_WITHIN_S):
                return await self._look()
        except (OSError, TimeoutError) as error:
            log.warning("what is on the air cannot be seen: %s", error)
            return None

    async def _rehearsed(self) -> list[str]:
        """What beginning would do here, tried as far as it can be without doing it."""
        would = Mode("disaster", disaster.DISASTER_NETWORK, on_air="disaster")
        try:
            async with asyncio.timeout(_REHEARSE_WITHIN_S):
                lines = await self._rehearse(would)
        except (OSError, TimeoutError) as error:
            lines = [f"would_fail: {error or 'no answer'}"]
        return [f"would_open: {would.network_name}", *lines]


def _read(path: Path) -> Kept:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except FileNotFoundError:
        return Kept()
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("the state of the disaster switch cannot be read, and nothing runs: %s", error)
        return Kept()


def _write(path: Path, kept: Kept) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, msgspec.json.encode(kept))
