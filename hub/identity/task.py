"""What the hub does for identities by itself: answers renewals, makes the list of the withdrawn anew each day, renews
its own and the broker's certificates.

1. A renewal is answered soon after its record was committed; what is left over from before a restart, at the start.
2. The list is made anew daily, and whenever the register has withdrawn what is not on it yet.
3. The broker reads its files only when it starts: whoever restarts it is told (`on_files_changed`).
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol

from hub.db import Connection, Db, Fault
from hub.identity import enrolling, store
from hub.identity.authority import Authority, BadFolder
from hub.identity.store import Asked
from hub.live import Change, Live
from hub.settings import Settings

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 60
_DAY_MS = 86_400_000
_AT_ONCE = 100


class Waker(Protocol):
    """The downlink."""

    def wake(self) -> None:
        """Something was put into the outbox."""
        ...


class Identity:
    """One a hub. `run` as a task; the rest from any thread."""

    def __init__(self, settings: Settings, db: Db, live: Live, down: Waker, now_ms: Callable[[], int]) -> None:
        self._ca, self._db, self._down, self._now_ms = settings.ca, db, down, now_ms
        self._lock = threading.Lock()
        self._authority: Authority | None = None
        self._watchers: list[Callable[[], None]] = []
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failing = ""
        self._untold = False
        live.watch(self._heard)

    def authority(self) -> Authority:
        """The issuers, read once. Raises BadFolder while there are none: `machinaka-provision ca issue` makes them."""
        with self._lock:
            if self._authority is None:
                self._authority = Authority(self._ca)
            return self._authority

    def on_files_changed(self, watcher: Callable[[], None]) -> None:
        """`watcher` is called, in any thread, when the broker should start anew to read its certificate or list."""
        self._watchers.append(watcher)

    def withdrawn(self) -> None:
        """The register has withdrawn something: makes the list and tells the broker. Raises BadFolder, OSError."""
        self.make_list()
        self._tell()

    def make_list(self) -> None:
        """The list of the withdrawn, as the register has it now. Raises BadFolder, OSError."""
        self.authority().write_crl(self._db.read(store.withdrawn), self._now_ms())

    def wake(self) -> None:
        """Looks at once what there is to do. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    def prepare(self) -> None:
        """Before anything connects: makes anew what is due, or what a power cut left without its key."""
        try:
            self._keep_fresh()
        except (BadFolder, Fault, OSError) as fault:
            self._began(str(fault))

    async def run(self) -> None:
        """Goes on for ever; the database and the folder may come and go."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            try:
                await asyncio.to_thread(self._keep_fresh)
                while await asyncio.to_thread(self._answer_some):
                    self._down.wake()
            except (BadFolder, Fault, OSError) as fault:
                self._began(str(fault))
            else:
                self._ended()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._woken.wait()

    def _heard(self, change: Change) -> None:
        if change.down:
            self._woken.set()

    # ---- in a thread

    def _keep_fresh(self) -> None:
        """The list of the withdrawn, and the hub's own certificates."""
        authority, now_ms = self.authority(), self._now_ms()
        wanted = self._db.read(store.withdrawn)
        crl = authority.crl()
        missing = {one.serial for one in wanted} - {one.serial for one in crl.withdrawn} if crl else set()
        changed = False
        if crl is None or missing or not 0 <= now_ms - crl.made_ms < _DAY_MS:
            authority.write_crl(wanted, now_ms)
            # One that is only younger can wait for the broker's next start: the old one is good for weeks.
            changed = crl is None or bool(missing)
        renewed = authority.renew_own(now_ms)
        if renewed.hub:
            log.info("the hub's certificate was made anew")
        if renewed.broker:
            log.info("the broker's certificate was made anew")
        self._untold = self._untold or changed or renewed.broker
        if self._untold and self._loop is not None:
            self._untold = False
            self._tell()

    def _answer_some(self) -> bool:
        """Answers renewals, each in a transaction of its own; whether there were any."""
        authority = self.authority()
        asked = self._db.read(lambda conn: store.asked(conn, _AT_ONCE))
        for one in asked:
            why_not = self._db.write_now(partial(self._answer, authority, one))
            if why_not:
                log.warning("%s asked for its next certificate and gets none: %s", one.device, why_not)
        return bool(asked)

    def _answer(self, authority: Authority, one: Asked, conn: Connection) -> str:
        return enrolling.renew(conn, authority, one, self._now_ms())

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher()

    def _began(self, fault: str) -> None:
        if self._failing != fault:
            log.warning("identities: %s", fault)
        self._failing = fault

    def _ended(self) -> None:
        if self._failing:
            log.warning("identities: all is well again")
        self._failing = ""
