"""Puts a lent tablet together: samples, state, and what its resident sees and does."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from edge_agent.clock import Clock
from edge_agent.effective import Effective, Holder
from edge_agent.fleet.probe import Probe
from edge_agent.kiosk.screen import Screen, View
from edge_agent.settings import Settings
from edge_agent.spool_thread import AsyncSpool
from edge_agent.tablet import browser_task, choices
from edge_agent.tablet.answers import Answers
from edge_agent.tablet.bus import Bus, Way
from edge_agent.tablet.choices import ChoiceFile, Comfort
from edge_agent.tablet.desk import FAULTS, Desk
from edge_agent.tablet.help import Help
from edge_agent.tablet.library import Library
from edge_agent.tablet.sampler import Sampler
from edge_agent.tablet.senses import Senses
from edge_agent.tablet.state_task import StateTask
from edge_agent.tablet.usage_book import UsageBook
from wire.settings_file import BadSetting

log = logging.getLogger(__name__)

FOLDER = "tablet"


class Tablet:
    """One lent tablet. `screen` is what the town's IT locks; `file` holds its settings.

    Raises BadSetting where its port is taken, OSError and sqlite3.Error where its folder cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        spool: AsyncSpool,
        clock: Clock,
        holder: Holder,
        library: Library,
        screen: Screen,
        hub_away: Callable[[], bool],
        file: str = "settings",
    ) -> None:
        rules, folder = settings.tablet, Path(settings.state_dir) / FOLDER
        self._rules, self._clock, self._holder = rules, clock, holder
        self._listening = _listening(settings, file)
        self.book = UsageBook(folder)
        counters, bus = Probe(Path(settings.state_dir)).counters, Bus(rules.dbus)
        self.sampler = Sampler(spool, clock, holder, self.book, counters, bus, every_s=rules.sample_every_s)
        self._choices, self._senses = ChoiceFile(folder), Senses(rules)
        self._help, self._answers = Help(folder, spool, clock), Answers(folder, spool, clock)
        self._library = library
        self._state = StateTask(spool, clock, self.sampler.hear, library, lambda: self._comfort.text_size)
        self._desk = Desk(
            port=rules.port,
            clock=clock,
            holder=holder,
            screen=screen,
            library=library,
            sampler=self.sampler,
            help=self._help,
            answers=self._answers,
            choices=self._choices,
            senses=self._senses,
            hub_away=hub_away,
        )
        screen.ground(View("idle"))

    @property
    def has_page(self) -> bool:
        """Whether there is a page before its resident."""
        return self._listening is not None

    @property
    def way(self) -> Way:
        """The link of the tablet's way out, as it was heard last."""
        return self.sampler.heard.online_by if self.sampler.heard is not None else "unknown"

    @property
    def _comfort(self) -> Comfort:
        return choices.comfort(self._choices.now, self._holder.now)

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """Everything that runs until cancelled."""
        works = [self.sampler.run(), self._state.run(), self._feel()]
        if self._rules.browser_policies:
            works.append(browser_task.run(self._rules, self._clock, self._holder))
        if self._listening is not None:
            from edge_agent.kiosk import web
            from edge_agent.tablet.home import make_app

            works.append(web.serve(make_app(self._desk), self._listening))
        return works

    def close(self) -> None:
        """Closes what it holds open."""
        self.book.close()

    async def _feel(self) -> None:
        """Ends what a power cut interrupted, forgets what is over, and sets volume and light as they are to be."""
        for resume in (self._help.resume, self._answers.resume):
            try:
                await resume()
            except FAULTS as error:
                log.warning("what the resident asked for waits for the next start: %s", error)
        changed = asyncio.Event()
        self._holder.watch(lambda _: changed.set())
        self._library.watch(changed.set)
        before: Effective | None = None
        while True:
            changed.clear()
            if self._library.shelf.ticket:
                with contextlib.suppress(*FAULTS):
                    self._answers.forget(frozenset(item.id for item in self._library.shelf.items))
            if before != self._holder.now:
                before, now = self._holder.now, self._comfort
                await self._senses.set_volume(now.volume)
                await self._senses.set_light(now.light)
            await changed.wait()


def _listening(settings: Settings, file: str) -> socket.socket | None:
    """The page's port, taken. Raises BadSetting."""
    rules = settings.tablet
    if not rules.port:
        return None
    from edge_agent.kiosk import web  # aiohttp: only where there is a page

    try:
        return web.listen(rules.host, rules.port)
    except OSError as error:
        found = f"{rules.port} ({os.strerror(error.errno or 0)})"
        raise BadSetting(file, "tablet.port", found, "a port that nobody else has") from error
