"""Keeps the broker in step with who may speak: never reloaded, always tried, restarted and tried again.

1. A reload (SIGHUP) of version 2.0.11 fails open, so there is none. A restart takes a tenth of a second, drops every
   connection, and loses nothing: devices keep all until the hub has acknowledged it, and come back by themselves.
2. Before it, the same program is started with the same file on another port and tried; when that is wrong the
   running broker is left alone, and the fault shown.
3. After it, the real one is tried. One that lets a stranger in is stopped.
4. What is wanted while a restart is under way is done by one more.
5. A broker refuses everybody once the list that it read has ended, so it is restarted in the small hours long before.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec

from hub.broker import canary, restart, trial
from hub.broker.canary import Open, Place, Red, Silent
from hub.settings import Settings

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 3600
_FIRST_LOOK_S = 30
_TRY_FOR_S = 10.0
_READ_ANEW_EVERY = timedelta(days=7)
_JAPAN = timezone(timedelta(hours=9))
_SMALL_HOURS = range(3, 5)


class State(msgspec.Struct, frozen=True):
    """How the broker was when it was last touched: what is wrong (empty: nothing), since when; when it was started."""

    fault: str = ""
    since_ms: int = 0
    started_ms: int = 0


class Keeper:
    """One a hub. `apply` after somebody was shut out; `run` as a task."""

    def __init__(self, settings: Settings, prepare: Callable[[], None]) -> None:
        """`prepare` makes the list of the withdrawn anew, right before the broker reads it. May raise OSError."""
        self._settings = settings
        self._prepare = prepare
        self._place = Place(settings.broker.host, settings.broker.port, settings.ca)
        self._lock = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked_for = asyncio.Event()
        self._wanted = self._done = 0
        # What the broker read at its last start is not known before this hub has started it once.
        self.state = State()

    def want(self) -> None:
        """The broker's files have changed: it should read them, soon. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._asked_for.set)

    async def apply(self) -> State:
        """Who is withdrawn is shut out when this returns without a fault, and everybody's connection was ended."""
        self._wanted += 1
        mine = self._wanted
        async with self._lock:
            if self._done < mine:
                goal = self._wanted
                self._asked_for.clear()
                await self._restart()
                self._done = goal
        return self.state

    def fault(self) -> tuple[str, int]:
        """What is wrong with the broker, and since when (UTC ms); empty when nothing is."""
        return self.state.fault, self.state.since_ms

    async def run(self) -> None:
        """Does what is wanted, looks every hour whether the broker keeps its rules, and has it read its files anew
        in the small hours, long before they end."""
        self._loop = asyncio.get_running_loop()
        pause_s = _FIRST_LOOK_S
        while True:
            try:
                async with asyncio.timeout(pause_s):
                    await self._asked_for.wait()
            except TimeoutError:
                pause_s = _LOOK_EVERY_S
                if self._is_old() and datetime.now(_JAPAN).hour in _SMALL_HOURS:
                    await self.apply()
                else:
                    await self._look()
            else:
                await self.apply()

    def _is_old(self) -> bool:
        started = datetime.fromtimestamp(self.state.started_ms / 1000, UTC)
        return datetime.now(UTC) - started > _READ_ANEW_EVERY

    async def _look(self) -> None:
        async with self._lock:
            try:
                await asyncio.to_thread(canary.check, self._place)
            except Silent:
                return  # the intake tells that
            except Open as open_:
                await self._shut(open_)
            except Red as red:
                self._tell(str(red))
            else:
                self.state = State("", _now_ms(), self.state.started_ms)

    async def _shut(self, open_: Open) -> None:
        try:
            await asyncio.to_thread(restart.stop, self._settings.broker)
        except Red as red:
            self._tell(f"{open_}; {red}")
        else:
            self._tell(f"stopped, because {open_}")

    def _tell(self, fault: str) -> None:
        if fault != self.state.fault:
            log.error("the broker: %s", fault)
            self.state = State(fault, _now_ms(), self.state.started_ms)

    async def _restart(self) -> None:
        began_s = time.monotonic()
        try:
            await asyncio.to_thread(self._restart_now)
        except (Red, OSError) as error:
            self._tell(str(error))
        else:
            log.info("the broker was restarted and keeps its rules (%.1f s)", time.monotonic() - began_s)
            self.state = State("", _now_ms(), _now_ms())

    def _restart_now(self) -> None:
        self._prepare()
        if self._settings.broker.config:
            trial.check(Path(self._settings.broker.config), self._settings.ca)
        restart.restart(self._settings.broker)
        self._check_running()

    def _check_running(self) -> None:
        try:
            canary.check_started(self._place, _TRY_FOR_S)
        except Open as open_:
            restart.stop(self._settings.broker)
            raise Red(f"stopped, because {open_}") from open_


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
