"""Puts a lent tablet together: samples, state, and what its resident sees and does."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from edge_agent.clock import Clock
from edge_agent.effective import Holder
from edge_agent.fleet.probe import Probe
from edge_agent.settings import Settings
from edge_agent.spool_thread import AsyncSpool
from edge_agent.tablet.bus import Bus
from edge_agent.tablet.sampler import Sampler
from edge_agent.tablet.state_task import StateTask
from edge_agent.tablet.usage_book import UsageBook


class Tablet:
    """One lent tablet. Raises OSError, sqlite3.Error where its folder cannot be used."""

    def __init__(self, settings: Settings, spool: AsyncSpool, clock: Clock, holder: Holder) -> None:
        rules = settings.tablet
        folder = Path(settings.state_dir) / "tablet"
        probe = Probe(Path(settings.state_dir))
        self.book = UsageBook(folder)
        self.sampler = Sampler(
            spool, clock, holder, self.book, probe.counters, Bus(rules.dbus), every_s=rules.sample_every_s
        )
        self._state = StateTask(spool, clock, lambda: self.sampler.heard, None, lambda: "")

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """Everything that runs until cancelled."""
        return [self.sampler.run(), self._state.run()]
