"""One place that builds the agent, in the order of the datum; every task has a name and an owner."""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import sqlite3
from collections.abc import Coroutine, Iterator, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_agent import memory
from edge_agent.clock import Clock, Keep, Stamp, Watch
from edge_agent.effective import Holder, of_settings
from edge_agent.fleet import task as fleet
from edge_agent.fleet.inventory import serial_number
from edge_agent.identity.task import Identity
from edge_agent.kiosk.screen import Screen
from edge_agent.orders import locked
from edge_agent.orders.doings import Doings
from edge_agent.orders.lock import Lock
from edge_agent.orders.seen import Seen
from edge_agent.orders.task import Orders
from edge_agent.papers import Papers
from edge_agent.policy.lease_task import LeaseKeeper
from edge_agent.policy.task import Policy
from edge_agent.policy.well import trouble
from edge_agent.settings import KioskSettings, Settings
from edge_agent.spool import Spool, SpoolFull
from edge_agent.spool_thread import AsyncSpool
from edge_agent.uplink import Uplink
from wire.messages import Alarm, Certificate, ClockReading, Desired, Kit, Order, Roam, Roster
from wire.settings_file import BadSetting

if TYPE_CHECKING:
    from edge_agent.attendance.cards import Cards
    from edge_agent.attendance.task import Attendance
    from edge_agent.orders.outcome import Doing
    from edge_agent.tablet.library import Library
    from edge_agent.tablet.task import Tablet
    from edge_agent.wifi.task import Wifi

log = logging.getLogger(__name__)

_DAY_MS = 86_400_000
_TIDY_EVERY_S = 3600
# By then everything is imported, the reader's library too.
_LOADED_S = 30


def open_spool(settings: Settings, clock: Clock) -> AsyncSpool:
    """The spool in the agent's folder, bounded as its settings say."""
    limits = settings.spool
    return AsyncSpool(
        lambda: Spool(
            Path(settings.state_dir) / "spool.db",
            max_bytes=limits.max_mb << 20,
            ballast_bytes=limits.ballast_kb << 10,
            stamp=clock.stamp,
        )
    )


async def run(settings: Settings, *, clock: Clock | None = None, file: str = "settings") -> None:
    """Runs the agent until SIGTERM or SIGINT. Raises BadSetting."""
    folder = Path(settings.state_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # noqa: ASYNC240 (nothing runs yet)
        with contextlib.ExitStack() as held:
            held.enter_context(_alone(folder, file))
            await asyncio.to_thread(locked.before_start, folder)
            clock = clock or Clock(folder / "good-time")
            spool = open_spool(settings, clock)
            until_the_end = held.pop_all()
    except (OSError, sqlite3.OperationalError) as error:
        found = f"{str(folder)!r} ({getattr(error, 'strerror', None) or error})"
        raise BadSetting(file, "state_dir", found, "a folder that the agent may write to") from error
    with until_the_end:
        try:
            await _run_until_ended(settings, clock, spool, file)
        finally:
            await asyncio.to_thread(clock.remember)
            spool.close()


@contextlib.contextmanager
def _alone(folder: Path, file: str) -> Iterator[None]:
    """Holds the folder for this process: two agents would give the same seq twice. Raises BadSetting, OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        found = f"{str(folder)!r}, which another agent uses"
        raise BadSetting(file, "state_dir", found, "a folder of this agent's own") from error
    try:
        yield
    finally:
        os.close(descriptor)


async def _run_until_ended(settings: Settings, clock: Clock, spool: AsyncSpool, file: str) -> None:
    holder = Holder(of_settings(settings))
    policy = Policy(settings, spool, clock, holder, partial(trouble, spool, settings))
    policy.load()
    uplink = Uplink(settings, spool, clock, version=metadata.version("machinaka"), holder=holder)
    uplink.on_down(Desired, policy.take)
    uplink.say_followed(lambda: policy.followed)
    identity = Identity(settings, spool, clock, uplink, partial(serial_number, Path("/")))
    uplink.on_down(Certificate, identity.take)
    uplink.watch(lambda state: identity.connected(state.connected))
    screen = Screen()
    cards = _cards(settings)
    attendance = _attendance(settings, spool, clock, screen, file, holder, cards)
    work: list[Coroutine[Any, Any, None]] = []
    if attendance is not None:
        uplink.watch(attendance.uplink_changed)
        attendance.uplink_changed(uplink.state)
        work += [*_page(settings.kiosk, screen, clock, file, holder), attendance.run()]
    if cards is not None:
        work.append(_roster(settings, spool, clock, uplink, cards))
    work += [Watch(clock, _keeping(spool)).run(), uplink.run(), _house(settings, spool, clock)]
    reader = attendance.condition if attendance else None
    papers = _papers(settings, spool, clock, uplink)
    library = _library(settings, spool, clock, papers) if papers else None
    tablet = _tablet(settings, spool, clock, holder, library, screen, uplink, file) if library else None
    counts = tablet is None
    work += [fleet.run(settings, spool, clock, reader=reader, holder=holder, counts_usage=counts), policy.run()]
    work += tablet.works() if tablet else ()
    if library is not None and tablet is not None:
        work.append(_fetching(settings, library, holder, tablet))
    work.append(identity.run())
    shown = screen if (attendance and settings.kiosk.port) or (tablet and tablet.has_page) else None
    wifi = _wifi(settings, spool, clock, holder, uplink)
    if papers is not None:
        if attendance is not None:
            work.append(_benefits(spool, clock, papers, screen, holder, attendance))
        # Registered by now is everything that goes by a paper.
        work.append(papers.run())
    seen = Seen(Path(settings.state_dir) / "orders.db", clock.now_ms)
    orders, lock = _orders(settings, spool, clock, shown, file, seen, wifi.doings if wifi else {})
    uplink.on_down(Order, orders.take)
    work += [*(wifi.works(seen) if wifi else ()), orders.run()]
    work += [LeaseKeeper(settings, clock, holder, lock, lambda: uplink.heard_s).run()]
    group = asyncio.create_task(_together(work), name="agent")
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, group.cancel)
    with contextlib.ExitStack() as ending:
        ending.callback(tablet.close if tablet else lambda: None)
        ending.enter_context(contextlib.suppress(asyncio.CancelledError))
        await group


async def _together(work: list[Coroutine[Any, Any, None]]) -> None:
    """All or none: one that fails ends the others, and the process is started anew."""
    async with asyncio.TaskGroup() as tasks:
        for one in work:
            tasks.create_task(one, name=getattr(one, "__qualname__", "work"))


def _cards(settings: Settings) -> "Cards | None":
    """What a time clock knows of cards, where there is one. Raises BadSetting, OSError."""
    if settings.kind != "terminal" or not settings.attendance.reader:
        return None
    from edge_agent.attendance.cards import Cards

    return Cards(Path(settings.state_dir))


def _wifi(settings: Settings, spool: AsyncSpool, clock: Clock, holder: Holder, uplink: Uplink) -> "Wifi | None":
    """What an access point does for guests, where it is set up to receive any, wired to the hub. Raises BadSetting."""
    if settings.kind != "access_point" or not settings.wifi.guests:
        return None
    from edge_agent.wifi.task import Wifi

    wifi = Wifi(settings, spool, clock, holder, lambda: not uplink.state.hub_away, partial(_barred, settings))
    uplink.on_down(Kit, wifi.kit.take)
    uplink.say_roster(lambda: wifi.kit.followed)
    uplink.on_down(Roam, wifi.kit.take_roam)
    return wifi


def _papers(settings: Settings, spool: AsyncSpool, clock: Clock, uplink: Uplink) -> Papers | None:
    """What a tablet or a terminal is told to go by, wired to the hub; access points have a kit."""
    if settings.kind == "access_point":
        return None
    return Papers(settings, spool, clock, uplink, partial(_barred, settings))


def _library(settings: Settings, spool: AsyncSpool, clock: Clock, papers: Papers) -> "Library | None":
    """What a tablet shows, wired to its shelf."""
    if settings.kind != "tablet":
        return None
    from edge_agent.tablet.library import Library
    from wire import shelf

    library = Library(Path(settings.state_dir), spool, clock)
    papers.register(shelf.KIND, shelf.unpack, library.use)
    return library


def _fetching(settings: Settings, library: "Library", holder: Holder, tablet: "Tablet") -> Coroutine[Any, Any, None]:
    """The loop that brings the files of what a tablet shows."""
    from edge_agent.tablet.fetch import Fetching

    return Fetching(settings, library, holder, lambda: tablet.way, partial(_barred, settings)).run()


def _benefits(
    spool: AsyncSpool, clock: Clock, papers: Papers, screen: Screen, holder: Holder, attendance: "Attendance"
) -> Coroutine[Any, Any, None]:
    """The terminal's desk for benefits, wired to its purse, its screen and its reader."""
    from edge_agent.benefit.benefits import Benefits
    from edge_agent.benefit.desk import Desk
    from wire import purse

    benefits = Benefits(spool, clock)
    papers.register(purse.KIND, purse.unpack, benefits.use)
    desk = Desk(benefits, screen, holder)
    attendance.divert(desk.tapped)
    return desk.run()


def _tablet(
    settings: Settings,
    spool: AsyncSpool,
    clock: Clock,
    holder: Holder,
    library: "Library",
    screen: Screen,
    uplink: Uplink,
    file: str,
) -> "Tablet":
    """What a lent tablet counts, shows and lets its resident do. Raises BadSetting, OSError, sqlite3.Error."""
    from edge_agent.tablet.task import Tablet

    return Tablet(settings, spool, clock, holder, library, screen, lambda: uplink.state.hub_away, file)


def _barred(settings: Settings) -> bool:
    """Whether nothing may be kept any more: the device is being wiped."""
    found = locked.read(Path(settings.state_dir))
    return found is not None and found.why in ("wiping", "wiped")


def _roster(
    settings: Settings, spool: AsyncSpool, clock: Clock, uplink: Uplink, cards: "Cards"
) -> Coroutine[Any, Any, None]:
    """The loop that keeps the town's roster, wired to the hub."""
    from edge_agent.attendance.roster_task import RosterKeeper

    keeper = RosterKeeper(settings, spool, clock, cards, partial(_barred, settings))
    uplink.on_down(Roster, keeper.take)
    uplink.say_roster(lambda: keeper.followed)
    return keeper.run()


def _attendance(
    settings: Settings,
    spool: AsyncSpool,
    clock: Clock,
    screen: Screen,
    file: str,
    holder: Holder,
    cards: "Cards | None",
) -> "Attendance | None":
    """Reader, rules and screen of a time clock, where there is one. Raises BadSetting."""
    if cards is None:
        return None
    from edge_agent.attendance.readers.choose import make_reader
    from edge_agent.attendance.task import Attendance

    reader = make_reader(settings.attendance, file=file, proof_key=cards.proof_key)
    return Attendance(settings, reader, spool, clock, screen, holder, cards)


def _page(
    kiosk: KioskSettings, screen: Screen, clock: Clock, file: str, holder: Holder
) -> list[Coroutine[Any, Any, None]]:
    """The terminal's page with its port taken, where there is to be one. Raises BadSetting."""
    if not kiosk.port:
        return []
    from edge_agent.kiosk import web  # aiohttp: only where there is a page

    try:
        listening = web.listen(kiosk.host, kiosk.port)
    except OSError as error:
        found = f"{kiosk.port} ({os.strerror(error.errno or 0)})"
        raise BadSetting(file, "kiosk.port", found, "a port that nobody else has") from error
    return [web.serve(web.make_app(screen, clock, kiosk, holder), listening)]


def _orders(
    settings: Settings,
    spool: AsyncSpool,
    clock: Clock,
    screen: Screen | None,
    file: str,
    seen: Seen,
    wifi: "Mapping[str, Doing]",
) -> tuple[Orders, Lock]:
    """What this device can be ordered to do; it stays locked, when it was."""

    def end() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    doings = Doings(settings, spool, clock, screen, end, file, wifi)
    doings.lock.restore()
    return Orders(settings, spool, clock, doings, seen), doings.lock


def _keeping(spool: AsyncSpool) -> Keep:
    """Keeps a record that may wait when there is no room for it; whether there was."""

    async def keep(kind: str, reading: ClockReading, stamp: Stamp) -> bool:
        try:
            await spool.append(kind, reading, stamp)
        except SpoolFull:
            return False
        return True

    return keep


async def _house(settings: Settings, spool: AsyncSpool, clock: Clock) -> None:
    """Says when the spool had to begin anew, forgets what was acked long ago, and keeps the process small."""
    if spool.was_broken:
        with contextlib.suppress(SpoolFull):
            await spool.append("alarm", Alarm("spool_broken", "begun"), clock.stamp())
    asyncio.get_running_loop().call_later(_LOADED_S, memory.give_back)
    while True:
        stamp = clock.stamp()
        if stamp.clock != "unset":
            await spool.tidy(older_than_ms=stamp.at_ms - settings.spool.keep_days * _DAY_MS)
        await asyncio.sleep(_TIDY_EVERY_S)
