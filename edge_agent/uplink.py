"""The uplink: from the spool to the broker, and the hub's acks back.  Nothing here holds a record for long.

1. The spool is the only memory: each connection starts clean, with a client of its own.
2. At most BATCHES_UNDER_WAY batches a lane are under way; they join (`after`), so the hub sees a lost one.
3. An ack moves the spool's mark, forward or back; sending goes on from there.
4. What is not acked is sent again after 30 s, growing to 10 min with jitter, and after every reconnect.
5. Urgent records go at once; bulk within `bulk_every_s` or 500 records, and at once after a reconnect.
6. A broker that refuses or is away is said once when it begins and once when it ends.
"""

import asyncio
import contextlib
import logging
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from edge_agent.clock import Clock
from edge_agent.effective import Holder, of_settings
from edge_agent.link import Link, Refused
from edge_agent.settings import Settings
from edge_agent.spool_thread import AsyncSpool
from wire import codec, topics
from wire.messages import BATCHES_UNDER_WAY, LANES, RECORDS_PER_BATCH, Ack, Batch, Down, Held, Lane, Presence

T = TypeVar("T", bound=Down)

log = logging.getLogger(__name__)

_BACKOFF_S = (1, 60)
# A connection that lasted so long was a good one; one that ends at once (two devices of one name push each other
# off) is no reason to hurry.
_SETTLED_S = 10
_RESEND_S = (30, 600)
_REWIND_APART_S = 1
# An answer that takes longer than this means that the hub is away, even when the broker is not.
_ANSWER_S = 5
# A lane that has had nothing to say for so long asks where the hub is.
_ASK_EVERY_S = 600
# For so long after a connection, bulk records wait only so long.
_FRESH_S, _FRESH_WAIT_S = 10, 2


@dataclass(frozen=True, slots=True)
class UplinkState:
    """What the kiosk and the health record may know."""

    connected: bool = False
    answered: bool = True

    @property
    def hub_away(self) -> bool:
        """Whether what is kept now will have to wait."""
        return not (self.connected and self.answered)


@dataclass(slots=True)
class _Lane:
    """What is under way in one lane: (after, through) of each batch, oldest first."""

    under_way: list[tuple[int, int]] = field(default_factory=list)
    following: int = 0
    mark: int = 0
    sent_s: float = 0
    resend_s: float = _RESEND_S[0]
    rewound_s: float = -1e9
    told_s: float = -1e9
    due_s: float | None = None
    waiting: int = 0

    def rewind(self, to: int) -> None:
        """Goes on from `to`, whatever was under way."""
        self.under_way.clear()
        self.following = self.mark = to
        self.due_s = 0


class Uplink:
    """Sends what the spool holds. `run` until cancelled."""

    def __init__(
        self,
        settings: Settings,
        spool: AsyncSpool,
        clock: Clock,
        *,
        version: str,
        under_way: int = BATCHES_UNDER_WAY,
        holder: Holder | None = None,
    ) -> None:
        self._settings = settings
        self._holder = holder or Holder(of_settings(settings))
        self._spool = spool
        self._clock = clock
        self._version = version
        self._under_way = under_way
        self._counter = Path(settings.state_dir) / "connection"
        self._number = 0
        # Random for each start: of two devices with one identity each has its own.
        self._run = secrets.token_hex(8)
        self._said = Path(settings.state_dir) / "link"
        self._wake = asyncio.Event()
        self._anew = asyncio.Event()
        self._acks: list[Ack] = []
        self._hub_begins = False
        self._lanes: dict[Lane, _Lane] = {lane: _Lane() for lane in LANES}
        self._watchers: list[Callable[[UplinkState], None]] = []
        self._takers: dict[type, Callable[[Any], None]] = {}
        self._followed: Callable[[], tuple[str, int, int]] = lambda: ("", 0, 0)
        self._roster: Callable[[], tuple[str, int]] = lambda: ("", 0)
        self._papers: Callable[[], tuple[Held, ...]] = tuple
        self._fault = ""
        self._connected_s = -1e9
        # Since when the hub owes an answer. Sending again, or a new connection to the broker, is none.
        self._unanswered_s: float | None = None
        # When the hub itself was heard last, by the monotonic clock; None since the start.
        self.heard_s: float | None = None
        self.state = UplinkState()
        spool.on_append(self._appended)

    def watch(self, watcher: Callable[[UplinkState], None]) -> None:
        """`watcher` is called on the loop whenever the state changes."""
        self._watchers.append(watcher)

    def on_down(self, what: type[T], taker: Callable[[T], None]) -> None:
        """`taker` is called on the loop with each message of a type that comes down; it must neither wait nor raise.

        Nothing is promised about them: the hub sends again what it has not been told the end of.
        """
        self._takers[what] = taker

    def say_followed(self, followed: Callable[[], tuple[str, int, int]]) -> None:
        """`followed` tells each presence how far this device is: incarnation, generations seen and applied."""
        self._followed = followed

    def say_roster(self, roster: Callable[[], tuple[str, int]]) -> None:
        """`roster` tells each presence by which roster (or kit) this device goes: incarnation and generation."""
        self._roster = roster

    def say_papers(self, papers: Callable[[], tuple[Held, ...]]) -> None:
        """`papers` tells each presence by which papers this device goes."""
        self._papers = papers

    def reconnect(self) -> None:
        """Connects anew and at once: the device's identity has changed, or the broker's place."""
        self._anew.set()
        self._wake.set()

    async def run(self) -> None:
        """Connects, serves, and does so again, until cancelled."""
        pause_s: float = _BACKOFF_S[0]
        while True:
            self._anew.clear()
            clock_is_set = self._clock.stamp().clock != "unset"
            link = Link(self._settings, self._next_presence(), self._message, self._wake, clock_is_set=clock_is_set)
            try:
                await link.open()
                self._ended()
                await self._serve(link)
                if time.monotonic() - self._connected_s > _SETTLED_S:
                    pause_s = _BACKOFF_S[0]
                if not self._anew.is_set():
                    self._began("the broker ended the connection")
            except Refused as refused:
                self._began(str(refused))
            finally:
                self._set(connected=False)
                await link.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s * random.uniform(0.5, 1)):  # noqa: S311 (spreads reconnects)
                    await self._anew.wait()
            pause_s = _BACKOFF_S[0] if self._anew.is_set() else min(pause_s * 2, _BACKOFF_S[1])

    async def _serve(self, link: Link) -> None:
        self._acks.clear()
        self._connected_s = time.monotonic()
        for lane, lane_state in self._lanes.items():
            lane_state.rewind(await self._spool.cursor(lane))
            lane_state.told_s = -1e9
        self._set(connected=True)
        while link.connected and not self._anew.is_set():
            self._wake.clear()
            if self._hub_begins:
                # What was said while it did not listen is lost where the broker was killed as well.
                self._hub_begins = False
                link.say_hello()
            await self._take_acks()
            now_s = time.monotonic()
            for lane, lane_state in self._lanes.items():
                self._resend_if_late(lane_state, now_s)
                await self._fill(link, lane, lane_state, now_s)
                await self._ask(link, lane, lane_state, now_s)
            self._set(answered=not self._is_late(now_s))
            # Not `wait_for`: in Python 3.11 it forgets that it was told to end when it is woken in the same moment.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s(now_s)):
                    await self._wake.wait()

    # ---- out

    async def _fill(self, link: Link, lane: Lane, state: _Lane, now_s: float) -> None:
        """Sends batches until the window is full or nothing is due."""
        while len(state.under_way) < self._under_way and self._is_due(state, now_s):
            outgoing = await self._spool.batch(lane, state.following)
            if outgoing is None:
                state.due_s, state.waiting = None, 0
                return
            if not state.under_way:
                state.sent_s = now_s
            state.under_way.append((outgoing.after, outgoing.through))
            state.following = outgoing.through
            self._told(state, now_s)
            state.waiting = max(0, state.waiting - outgoing.count)
            link.publish(topics.topic(self._settings.device, "up"), outgoing.payload)

    async def _ask(self, link: Link, lane: Lane, state: _Lane, now_s: float) -> None:
        """Asks where the hub is, with a batch of nothing, when the lane has been silent for long; a question that was
        not answered, more often.

        A hub that was restored from a backup is found out by it, also where nobody taps until Monday.
        """
        every_s = _RESEND_S[0] if self._is_late(now_s) else _ASK_EVERY_S
        if state.under_way or now_s - state.told_s < every_s:
            return
        self._told(state, now_s)
        question = Batch(await self._spool.spool_id(), lane, state.mark, ())
        link.publish(topics.topic(self._settings.device, "up"), codec.encode(question))

    def _told(self, state: _Lane, now_s: float) -> None:
        state.told_s = now_s
        if self._unanswered_s is None:
            self._unanswered_s = now_s

    def _is_due(self, state: _Lane, now_s: float) -> bool:
        return state.waiting >= RECORDS_PER_BATCH or (state.due_s is not None and now_s >= state.due_s)

    def _appended(self, lane: Lane) -> None:
        state = self._lanes[lane]
        state.waiting += 1
        now_s = time.monotonic()
        if state.due_s is None:
            state.due_s = now_s + self._wait_s(lane, now_s)
        if lane == "urgent" or state.waiting == RECORDS_PER_BATCH:
            self._wake.set()

    def _wait_s(self, lane: Lane, now_s: float) -> float:
        """How long a record may wait for company. Just after a connection not long: somebody may be looking."""
        if lane == "urgent":
            return 0
        every_s = self._holder.now.bulk_every_s
        return every_s if now_s - self._connected_s > _FRESH_S else min(every_s, _FRESH_WAIT_S)

    def _resend_if_late(self, state: _Lane, now_s: float) -> None:
        if state.under_way and now_s - state.sent_s >= state.resend_s:
            state.rewind(state.mark)
            state.resend_s = min(state.resend_s * 2, _RESEND_S[1]) * random.uniform(0.8, 1.2)  # noqa: S311 (jitter)

    def _is_late(self, now_s: float) -> bool:
        return self._unanswered_s is not None and now_s - self._unanswered_s > _ANSWER_S

    def _pause_s(self, now_s: float) -> float:
        moments = [state.sent_s + state.resend_s for state in self._lanes.values() if state.under_way]
        moments += [state.due_s for state in self._lanes.values() if state.due_s and not state.under_way]
        return max(0.02, min([1.0, *(moment - now_s for moment in moments)]))

    # ---- in

    def _message(self, topic: str, payload: bytes) -> None:
        address = topics.parse(topic)
        if address is None or address.device != self._settings.device:
            return
        try:
            if address.leaf == "down":
                self.hand_on(codec.decode_down(payload))
            elif address.leaf == "ack":
                ack = codec.decode_ack(payload)
                # One for another run is about the records of a copy of this device.
                if ack.run in ("", self._run):
                    self._acks.append(ack)
                    self._hub_begins |= ack.begins
                    self._wake.set()
        except codec.Unreadable as error:
            log.warning("a message on %s could not be read: %s", address.leaf, error)

    def hand_on(self, told: Down) -> None:
        """Gives a message to whoever takes its type; also one that came by another way than the broker's."""
        taker = self._takers.get(type(told))
        if taker is not None:
            taker(told)

    async def _take_acks(self) -> None:
        acks, self._acks = self._acks, []
        # Only the newest word of a lane counts; each costs an fsync.
        for ack in {(ack.spool, ack.lane): ack for ack in acks}.values():
            if await self._spool.take_ack(ack):
                self.heard_s = time.monotonic()
                await self._follow(ack)

    async def _follow(self, ack: Ack) -> None:
        """Frees the window, or goes back to where the hub is."""
        state = self._lanes[ack.lane]
        now_s = time.monotonic()
        mark = await self._spool.cursor(ack.lane)
        if mark != ack.through or mark > state.following:
            state.rewind(mark)
        elif mark > state.mark:
            state.mark = mark
            state.under_way = [batch for batch in state.under_way if batch[1] > mark]
            state.sent_s, state.resend_s = now_s, _RESEND_S[0]
        elif mark < state.mark or (state.under_way and now_s - state.rewound_s >= _REWIND_APART_S):
            # Behind: the hub was restored. The same again: a batch of ours did not join, or an ack came twice.
            state.rewound_s = now_s
            state.rewind(mark)
        waits = any(lane.under_way for lane in self._lanes.values())
        self._unanswered_s = now_s if waits else None

    # ---- what people see

    def _set(self, *, connected: bool | None = None, answered: bool | None = None) -> None:
        state = replace(
            self.state,
            connected=self.state.connected if connected is None else connected,
            answered=self.state.answered if answered is None else answered,
        )
        if state != self.state:
            self.state = state
            self._say(state)
            for watcher in self._watchers:
                watcher(state)

    def _say(self, state: UplinkState) -> None:
        """For whoever stands before the device: the file `link` tells whether it is connected."""
        with contextlib.suppress(OSError):
            self._said.write_text("connected\n" if state.connected else "away\n", encoding="ascii")

    def _began(self, fault: str) -> None:
        if not self._fault:
            log.warning("broker %s:%d: %s", self._settings.broker.host, self._settings.broker.port, fault)
        self._fault = fault

    def _ended(self) -> None:
        if self._fault:
            log.warning("broker %s:%d: connected again", self._settings.broker.host, self._settings.broker.port)
        self._fault = ""

    def _next_presence(self) -> Presence:
        """The presence of the next connection; its number is on disk before it is used."""
        number = self._number = max(read_counter(self._counter), self._number) + 1
        temporary = self._counter.with_suffix(".new")
        # A full disk must not keep the device from being heard: the number then lasts as long as this run.
        with contextlib.suppress(OSError):
            temporary.write_text(f"{number}\n", encoding="ascii")
            temporary.replace(self._counter)
        stamp = self._clock.stamp()
        incarnation, seen, applied = self._followed()
        kind = self._settings.kind
        told = (stamp.boot, number, self._version, kind, seen, applied, incarnation, self._run, *self._roster())
        return Presence(True, *told, papers=self._papers())  # noqa: FBT003 (online)


def read_counter(path: Path) -> int:
    """The number kept in a file; 0 when there is none that can be read."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
