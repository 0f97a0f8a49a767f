"""Everything that the tablet's pages show, put together: which page stands at an address, and how all is around it."""

import asyncio
import contextlib
import hashlib
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge_agent.clock import Clock
from edge_agent.effective import Holder
from edge_agent.kiosk.screen import Screen
from edge_agent.spool import SpoolFull
from edge_agent.tablet import battery, choices, usage_view, views
from edge_agent.tablet.answers import Answers
from edge_agent.tablet.choices import ChoiceFile, Comfort
from edge_agent.tablet.help import Help
from edge_agent.tablet.library import Library
from edge_agent.tablet.page import Around, Page
from edge_agent.tablet.senses import Senses
from edge_agent.tablet.usage_view import Sample
from edge_agent.tablet.words import WORDS, Words
from wire.shelf import Item

# The disk takes nothing, or gives nothing.
FAULTS = (SpoolFull, sqlite3.Error, OSError)
_LOW_PERCENT = 15


class NoSuchPage(Exception):
    """There is nothing at this address, or not any more."""


class Samples(Protocol):
    """Where the samples of the line come from."""

    async def samples(self) -> list[Sample]:
        """All that there are, in the order in which they were taken, the newest of this moment."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that the pages show and do. `hub_away` tells whether what is kept will have to wait."""

    port: int
    clock: Clock
    holder: Holder
    screen: Screen
    library: Library
    sampler: Samples
    help: Help
    answers: Answers
    choices: ChoiceFile
    senses: Senses
    hub_away: Callable[[], bool]
    sys: Path = Path("/sys")

    @property
    def comfort(self) -> Comfort:
        """How the tablet is for its resident now."""
        return choices.comfort(self.choices.now, self.holder.now)

    @property
    def words(self) -> Words:
        """The words of the resident's language."""
        return WORDS[self.comfort.language]


async def view(desk: Desk, path: str) -> Page:
    """The page at an address; the same for the eye and for the voice. Raises NoSuchPage."""
    _, *rest = path.split("/")
    first, more = rest[0], rest[1:]
    if first not in _VIEWS or (more and first not in ("news", "surveys", "help")):
        raise NoSuchPage
    return await _VIEWS[first](desk, more)


async def _start(desk: Desk, _: list[str]) -> Page:
    items, opened = desk.library.items(), desk.library.opened_ms
    unread = sum(item.kind != "survey" and item.id not in opened for item in items)
    surveys = sum(item.kind == "survey" and not desk.answers.is_sent(item.id) for item in items)
    return views.start(desk.words, views.Waiting(unread, surveys, await _left(desk)))


async def _left(desk: Desk) -> str:
    """What is left of the line's data, in words; empty where that is not known."""
    with contextlib.suppress(*FAULTS):
        line = await _line(desk)
        if line.used is not None and line.included_bytes:
            return views.data(max(0, line.included_bytes - line.used.mobile_bytes))
    return ""


async def _line(desk: Desk) -> views.Line:
    """What the line carried this month. Raises sqlite3.Error."""
    stamp, allowance = desk.clock.stamp(), desk.library.shelf.allowance
    if stamp.clock == "unset":
        return views.Line(None)
    samples = await desk.sampler.samples()
    since_ms = allowance.since_ms or None if allowance else None
    sim = allowance.sim if allowance else ""
    month = usage_view.month_of(stamp.at_ms)
    used = await asyncio.to_thread(usage_view.used, samples, month, since_ms=since_ms, sim=sim)
    return views.Line(used, allowance.included_bytes if allowance else 0, stamp.at_ms)


async def _usage(desk: Desk, _: list[str]) -> Page:
    return views.usage(desk.words, await _line(desk))


async def _settings(desk: Desk, _: list[str]) -> Page:
    can = views.Can(desk.senses.has_volume, desk.senses.has_light)
    return views.settings(desk.words, desk.comfort, can)


async def _help(desk: Desk, more: list[str]) -> Page:
    if more == ["back"]:
        return views.taken_back(desk.words)
    if more:
        raise NoSuchPage
    asked, delivered = desk.help.open, await desk.help.delivered()
    return views.help_page(desk.words, desk.library.shelf.telephones, asked, delivered=delivered)


async def _news(desk: Desk, more: list[str]) -> Page:
    if not more:
        return views.news(desk.words, desk.library.items(), desk.library.opened_ms)
    found = item(desk, more[0], survey=False)
    if len(more) == 1:
        if desk.library.is_whole(found):
            with contextlib.suppress(*FAULTS):
                # What is read is read, also where the disk takes no note of it.
                await desk.library.opened(found)
        return views.news_item(desk.words, found, desk.library.there)
    at = number(more[1], len(found.files))
    if len(more) > 2 or desk.library.file(found.files[at].digest) is None:
        raise NoSuchPage
    return views.news_file(desk.words, found, at)


async def _surveys(desk: Desk, more: list[str]) -> Page:
    sent = {item.id for item in desk.library.items() if desk.answers.is_sent(item.id)}
    if not more:
        return views.surveys(desk.words, desk.library.items(), sent)
    found = item(desk, more[0], survey=True)
    sheet = desk.answers.sheet(found.id)
    if found.id in sent:
        return views.thanks(desk.words)
    if len(more) == 1:
        with contextlib.suppress(*FAULTS):
            await desk.library.opened(found)
        return views.survey(desk.words, found)
    if more[1:] == ["check"]:
        return views.check(desk.words, found, sheet)
    if len(more) > 2:
        raise NoSuchPage
    return views.question(desk.words, found, number(more[1], len(found.questions)), sheet)


_VIEWS: dict[str, Callable[[Desk, list[str]], Awaitable[Page]]] = {
    "": _start,
    "help": _help,
    "news": _news,
    "surveys": _surveys,
    "usage": _usage,
    "settings": _settings,
}
PAGES = (
    *("/", "/help", "/help/back", "/usage", "/settings"),
    *("/news", "/news/{item}", "/news/{item}/{number}"),
    *("/surveys", "/surveys/{item}", "/surveys/{item}/{number}"),
)


def item(desk: Desk, id_: str, *, survey: bool) -> Item:
    """An item that is shown now. Raises NoSuchPage."""
    item = desk.library.item(id_)
    if item is None or (item.kind == "survey") != survey:
        raise NoSuchPage
    return item


def number(text: str, below: int) -> int:
    """A number of a list. Raises NoSuchPage."""
    if not text.isascii() or not text.isdecimal() or len(text) > 4 or int(text) >= below:
        raise NoSuchPage
    return int(text)


async def around(desk: Desk, path: str) -> Around:
    words, stamp = desk.words, desk.clock.stamp()
    known = stamp.clock != "unset"
    lines = [words.hub_away] if desk.hub_away() else []
    power = await asyncio.to_thread(battery.read, desk.sys)
    if power.percent is not None and power.percent <= _LOW_PERCENT and not power.charging:
        lines.append(words.battery_low.format(percent=power.percent))
    return Around(
        comfort=desk.comfort,
        path=path,
        town=desk.library.shelf.town,
        date=views.day(words, stamp.at_ms) if known else "",
        time=views.time_of_day(stamp.at_ms) if known else "",
        lines=tuple(lines),
        has_voice=desk.senses.has_voice and desk.holder.now.speech,
        speaking=desk.senses.speaking,
        here=await here(desk),
    )


async def here(desk: Desk) -> str:
    """The name of how everything is that a page shows: another one when a page that stands there is out of date."""
    items = [(item.id, item.title, desk.library.is_whole(item)) for item in desk.library.items()]
    asked = (desk.help.open, await desk.help.delivered())
    state = (items, sorted(desk.library.opened_ms), desk.hub_away(), desk.screen.locked, desk.comfort, asked)
    return hashlib.sha256(repr(state).encode()).hexdigest()[:16]
