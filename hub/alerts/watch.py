"""Looks for what is wrong, every 15 s and when a device came or went: begins and ends alerts, and writes letters.

1. A look reads everything in one snapshot, decides (`rule.py`), and writes alerts and letters in one transaction, so
   a hub that is ended at any moment forgets nothing and tells nothing twice.
2. While the database fails nothing is decided; the next look sees the same.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from hub.alerts import gather, hours, post, rule, say, store
from hub.alerts.gather import Surroundings
from hub.alerts.rule import Key, Letter, Seen
from hub.db import Connection, Db, Fault
from hub.live import Change, Live

log = logging.getLogger(__name__)

EVERY_S, APART_S = 15.0, 3.0
_FORGET_EVERY_S = 3600.0


class Hearing(Protocol):
    """The hub's intake."""

    @property
    def connected(self) -> bool:
        """Whether it hears its broker now."""
        ...


class Watch:
    """One a hub.  `run` as a task.  `wake_post` is called when there are letters to send."""

    def __init__(
        self,
        db: Db,
        live: Live,
        hearing: Hearing,
        folders: tuple[Path, Path],
        url: str,
        *,
        wake_post: Callable[[], None] = lambda: None,
        broker_fault: Callable[[], tuple[str, int]] = lambda: ("", 0),
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._db, self._live, self._hearing, self._url = db, live, hearing, url
        self._state_dir, self._ca = folders
        self._wake_post, self._now_ms = wake_post, now_ms
        self._broker_fault = broker_fault
        self._waiting: Mapping[Key, int] = {}
        self._hearing_since_ms: int | None = None
        self._deaf_since_ms = now_ms()
        self._woken = asyncio.Event()
        self._failing = False
        self._forgot_s = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        live.watch(self._heard)

    async def run(self) -> None:
        """Looks for ever."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            try:
                await self.look()
            except Fault as fault:
                self._trouble(f"alerts cannot be kept: {fault}", None)
            except Exception as error:  # noqa: BLE001 (a mistake in telling what is wrong must not stop the taking in)
                self._trouble(f"a look for alerts failed: {error!r}", error)
            else:
                self._failing = False
            await asyncio.sleep(APART_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S - APART_S):
                    await self._woken.wait()

    def _trouble(self, sentence: str, error: Exception | None) -> None:
        """Logged once when it begins."""
        if not self._failing:
            log.error(sentence, exc_info=error)
        self._failing = True

    def changed(self) -> None:
        """A person changed something: the open pages show it at once. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._live.tell, Change(alerts=True, at_ms=self._now_ms()))

    async def look(self) -> None:
        """One look. Raises Fault."""
        now_ms = self._now_ms()
        self._listen(now_ms)
        read = partial(gather.around, self._state_dir, self._ca, self._hearing_since_ms, self._deaf_since_ms)
        around = msgspec.structs.replace(await asyncio.to_thread(read), broker_fault=self._broker_fault())
        changes, quiet, due = await self._db.aread(partial(self._decide, around, now_ms))
        self._waiting = changes.waiting
        if changes.any or due:
            written = await self._db.write(partial(_write, changes, self._url, now_ms, quiet=quiet))
            if written:
                self._wake_post()
            self._live.tell(Change(alerts=True, at_ms=now_ms))
        if time.monotonic() - self._forgot_s > _FORGET_EVERY_S:
            self._forgot_s = time.monotonic()
            await self._db.write(partial(post.forget_old, now_ms=now_ms))

    def _listen(self, now_ms: int) -> None:
        """Since when the hub hears, or does not."""
        if not self._hearing.connected:
            if self._hearing_since_ms is not None:
                self._deaf_since_ms = now_ms
            self._hearing_since_ms = None
        elif self._hearing_since_ms is None:
            self._hearing_since_ms = now_ms

    def _decide(self, around: Surroundings, now_ms: int, conn: Connection) -> tuple[rule.Changes, bool, bool]:
        """What changes, whether it is quiet, and whether something is to be told that did not change."""
        settings = store.read_settings(conn)
        seen: Seen = gather.gather(conn, around, settings, now_ms)
        quiet = not hours.is_open(settings.hours, now_ms)
        changes = rule.decide(seen, store.open_alerts(conn), self._waiting, now_ms, settings.hold_down_ms)
        return changes, quiet, bool(rule.tell(store.untold(conn), now_ms, quiet=quiet))

    def _heard(self, change: Change) -> None:
        """A device that came is looked at soon; and whoever hears something hears."""
        if self._hearing_since_ms is None:
            self._listen(self._now_ms())
        if change.down:
            self._woken.set()


def _write(changes: rule.Changes, url: str, now_ms: int, conn: Connection, *, quiet: bool) -> int:
    """Alerts, and what is to be told of them; how many messages were written."""
    store.apply(conn, changes, now_ms)
    letters = rule.tell(store.untold(conn), now_ms, quiet=quiet)
    drafts = drafts_of(letters, post.targets(conn), url, now_ms)
    post.put(conn, drafts, now_ms)
    store.mark_told(conn, letters)
    return len(drafts)


def drafts_of(letters: Sequence[Letter], targets: Sequence[post.Target], url: str, now_ms: int) -> list[post.Draft]:
    """Each letter to each target, with what concerns that target only."""
    drafts = []
    for target in targets:
        for letter in letters:
            some = tuple(
                alert
                for alert in letter.alerts
                if (alert.urgent or not target.urgent_only) and target.place in ("", alert.place)
            )
            if some:
                own = letter._replace(alerts=some)
                title, body = say.letter(target.language, own, url, now_ms)
                drafts.append(post.Draft(target.id, title, body, own.urgent))
    return drafts
