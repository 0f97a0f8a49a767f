"""Loop: reader -> punch -> spool -> screen.  Nothing here waits for the network.

1. A punch is on disk before the screen says so.
2. When it does not fit on the disk, the screen never shows green.
3. A fault of the reader is an alarm, begun once and ended once.
4. A locked terminal takes no punch, and says so.
5. A card that was lost, or must prove that it is genuine and has not, is refused; the tap is kept all the same.
6. A reader that ends although nobody told it to ends the agent, which is started anew: a dead terminal never says
   "touch your card".
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edge_agent.attendance import punch
from edge_agent.attendance.cards import Cards, Known
from edge_agent.attendance.punch import LastPunches, Policy, Tap
from edge_agent.attendance.readers.heard import (
    CardHeard,
    CardUnreadable,
    Heard,
    Reader,
    ReaderFault,
    ReaderReady,
    TwoCards,
)
from edge_agent.clock import Clock, Stamp
from edge_agent.effective import Holder, of_settings
from edge_agent.kiosk.screen import Screen, State, View
from edge_agent.settings import Settings
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from edge_agent.uplink import UplinkState
from wire import codec
from wire.codec import Unreadable
from wire.messages import Alarm, Direction, Punch

log = logging.getLogger(__name__)

_CHOICE_S = 10.0
_HEARD_AT_MOST = 64
_REBUILD_FROM = 2000
_SHOWN: dict[str, State] = {"accepted": "accepted", "repeat": "repeat", "unsure": "question", "unknown": "unknown"}

_GROUNDS: dict[str, State] = {"starting": "starting", "ready": "idle", "fault": "reader_fault"}


@dataclass
class ReaderCondition:
    """How the reader is, for the health record: `starting`, `ready` or `fault`, and since when (UTC ms)."""

    state: str = "starting"
    since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class _Question:
    """An unsure punch, kept as `seq`, that view `number` of the screen asks about."""

    punch: Punch
    seq: int
    number: int


class Attendance:
    """One terminal's time clock."""

    def __init__(
        self,
        settings: Settings,
        reader: Reader,
        spool: AsyncSpool,
        clock: Clock,
        screen: Screen,
        holder: Holder | None = None,
        cards: Cards | None = None,
    ) -> None:
        self._reader, self._spool, self._clock, self._screen = reader, spool, clock, screen
        self.cards = cards or Cards(Path(settings.state_dir))
        self._holder = holder or Holder(of_settings(settings))
        self._last = LastPunches()
        self._choice: tuple[Direction, int] | None = None
        self._question: _Question | None = None
        self._uplink = UplinkState()
        self._waiting = 0
        self._fault_mono_ns = 0
        self._elsewhere: Callable[[bytes], Awaitable[bool]] | None = None
        self.condition = ReaderCondition()

    @property
    def _policy(self) -> Policy:
        """What counts now: the hub may order otherwise at any time."""
        rules = self._holder.now
        return Policy(punch.parse_minutes(rules.clock_out_from), rules.debounce_s)

    def divert(self, elsewhere: Callable[[bytes], Awaitable[bool]]) -> None:
        """`elsewhere` is asked of each good card whether its tap was meant for something else, and sees to it then."""
        self._elsewhere = elsewhere

    def uplink_changed(self, state: UplinkState) -> None:
        """The hub went away or came back."""
        self._uplink = state
        self._ground()

    async def run(self) -> None:
        """Serves the reader until cancelled."""
        await self._rebuild()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(), name="reader")
            tasks.create_task(self._people(), name="buttons")
            tasks.create_task(self._answers(), name="answers")
            tasks.create_task(self._refresh(), name="small lines")

    async def _rebuild(self) -> None:
        """The last punches, from what this disk still holds."""
        for record in await self._spool.recent("punch", _REBUILD_FROM):
            with contextlib.suppress(Unreadable):
                stamp = Stamp(record.boot, record.mono_ms, record.at_ms, record.clock)
                self._last.take(codec.decode_body("punch", record.body), stamp)

    # ---- the reader

    async def _listen(self) -> None:
        async with contextlib.aclosing(_heard(self._reader)) as heard_values:
            async for heard in heard_values:
                await self._take(heard)

    async def _take(self, heard: Heard) -> None:
        match heard:
            case CardHeard():
                await self._tap(heard)
            case TwoCards():
                self._show("two_cards", heard.at_mono_ns)
            case CardUnreadable():
                self._show("refused_card", heard.at_mono_ns)
            case ReaderFault(detail):
                await self._reader_changed("fault", detail)
            case ReaderReady(name):
                await self._reader_changed("ready", name)

    async def _tap(self, heard: CardHeard) -> None:
        stamp = self._clock.stamp_at(heard.at_mono_ns)
        if self._screen.locked:
            self._screen.refuse(stamp.at_ms)
            return
        known = self.cards.of(heard.identifier)
        refused_as = _refused_as(known, heard)
        if refused_as is None and self._elsewhere is not None and await self._elsewhere(heard.identifier):
            return
        tap = Tap(
            known.token,
            heard.technology,
            stamp,
            self._chosen(stamp),
            known.standing != "unknown",
            refused_as is not None,
        )
        last = self._last.of(*known.tokens)
        asked = self._asked(known.tokens)
        body = punch.decide(tap, last, self._policy, asked=asked is not None)
        seq = await self._keep(body, stamp)
        if seq is None:
            return
        self._choice = None
        again = asked if body.standing == "repeat" else None
        state: State = refused_as or ("question" if again else _SHOWN[body.standing])
        self._screen.show(
            replace(
                self._view(state),
                direction=body.direction,
                chosen=body.chosen,
                at_ms=stamp.at_ms,
                name="" if refused_as else known.name,
                since_ms=self._when(last.stamp) if last and body.standing != "accepted" else 0,
                reference=seq,
            )
        )
        self._question = None
        if state == "question":
            # Who touches again instead of answering is asked again, about the first tap.
            first = again or _Question(body, seq, 0)
            self._question = replace(first, number=self._screen.view.number)

    def _asked(self, tokens: tuple[str, ...]) -> _Question | None:
        """The question that is on the screen about this card, if any."""
        view, question = self._screen.view, self._question
        if question is None or (view.state, view.number) != ("question", question.number):
            return None
        return question if question.punch.card in tokens else None

    def _when(self, stamp: Stamp) -> int:
        """The wall clock at a stamp, by the clock that is right now; UTC ms."""
        now = self._clock.stamp()
        return now.at_ms - punch.elapsed_ms(stamp, now)

    async def _keep(self, body: Punch, stamp: Stamp) -> int | None:
        """On disk, or said aloud that it is not."""
        try:
            seq = await self._spool.append("punch", body, stamp)
        except SpoolFull:
            self._screen.show(replace(self._view("disk_full"), at_ms=stamp.at_ms))
            return None
        self._last.take(body, stamp)
        self._waiting += 1
        return seq

    async def _reader_changed(self, state: str, detail: str) -> None:
        before = self.condition.state
        if state == before:
            return
        stamp = self._clock.stamp()
        self.condition.state, self.condition.since_ms = state, stamp.at_ms
        self._fault_mono_ns = stamp.mono_ms * 1_000_000
        log.log(logging.WARNING if state == "fault" else logging.INFO, "card reader: %s (%s)", state, detail)
        self._ground()
        if state == "fault" or before == "fault":
            alarm = Alarm("card_reader", "begun" if state == "fault" else "ended", detail[:200])
            # A full disk is told by the punch that does not fit.
            with contextlib.suppress(SpoolFull):
                await self._spool.append("alarm", alarm, stamp)

    # ---- people at the screen

    async def _people(self) -> None:
        while True:
            direction = await self._screen.choices.get()
            self._choice = (direction, self._clock.stamp().mono_ms)
            self._ground()

    async def _answers(self) -> None:
        while True:
            given = await self._screen.answers.get()
            question = self._question
            if question is None or given.number != question.number:
                continue
            self._question = None
            stamp = self._clock.stamp()
            body = punch.answer(question.punch, question.seq, given.direction)
            if await self._keep(body, stamp) is not None:
                shown = replace(self._view("accepted"), direction=body.direction, chosen="person", at_ms=stamp.at_ms)
                self._screen.show(replace(shown, name=self.cards.name(body.card)))

    def _chosen(self, stamp: Stamp) -> Direction | None:
        """What a person chose a moment ago."""
        if self._choice is None or stamp.mono_ms - self._choice[1] > _CHOICE_S * 1000:
            return None
        return self._choice[0]

    # ---- the screen's ground and small lines

    async def _refresh(self) -> None:
        while True:
            self._waiting = await self._spool.waiting("urgent")
            self._ground()
            await asyncio.sleep(1)

    def _ground(self) -> None:
        state = _GROUNDS[self.condition.state]
        stamp = self._clock.stamp()
        chosen = self._chosen(stamp)
        self._screen.ground(
            replace(
                self._view(state),
                direction=chosen or punch.direction_by_time(stamp.at_ms, self._policy),
                chosen="person" if chosen else "time",
                # A clock that was set since then tells another time of the same moment.
                since_ms=self._clock.stamp_at(self._fault_mono_ns).at_ms if state == "reader_fault" else 0,
            )
        )

    def _view(self, state: State) -> View:
        return View(
            state,
            waiting=self._waiting,
            hub_away=self._uplink.hub_away,
            clock_unset=self._clock.quality() == "unset",
        )

    def _show(self, state: State, at_mono_ns: int) -> None:
        self._screen.show(replace(self._view(state), at_ms=self._clock.stamp_at(at_mono_ns).at_ms))


def _refused_as(known: Known, heard: CardHeard) -> State | None:
    """What the screen says of a card that is no good here; None for one that is."""
    if known.standing == "lost":
        return "lost_card"
    return "refused_card" if known.proof_key is not None and not heard.proved else None


class ReaderEnded(Exception):
    """A reader gave up listening: a fault of the program, not of the hardware."""


async def _heard(reader: Reader) -> AsyncGenerator[Heard, None]:
    """What a reader tells, from its own thread to this loop; the thread ends when nobody listens any more.

    Raises ReaderEnded.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Heard | ReaderEnded] = asyncio.Queue()
    stop = threading.Event()

    def put(heard: Heard | ReaderEnded) -> None:
        # A long queue means that the disk hangs: the newest taps are then refused by silence, never confirmed.
        if queue.qsize() < _HEARD_AT_MOST or not isinstance(heard, CardHeard):
            queue.put_nowait(heard)

    def tell(heard: Heard | ReaderEnded) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(put, heard)

    def listen() -> None:
        why = "it returned"
        try:
            reader.listen(tell, stop)
        except Exception as error:  # noqa: BLE001 (it belongs to the loop)
            why = f"{type(error).__name__}: {error}"
        tell(ReaderEnded(why))

    thread = threading.Thread(target=listen, name="card reader", daemon=True)
    thread.start()
    try:
        while True:
            heard = await queue.get()
            if isinstance(heard, ReaderEnded):
                raise heard
            yield heard
    finally:
        stop.set()
        await asyncio.to_thread(thread.join, 2)
