"""What the screen shows now, and telling those who look at it.

1. A View is frozen; a new one replaces it.
2. What a tap brought up goes by itself; the ground (starting, idle, or a fault of the reader) comes back after it.
3. A locked screen shows nothing but that, until it is unlocked; only `identify` may stand before it for a while.
4. An answer counts only for the question that its writer saw: another person's may stand there by now.
5. Benefits are asked for from the idle screen alone, and go by themselves like everything else that is asked.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeVar

from wire.messages import Direction

T = TypeVar("T")

State = Literal[
    "starting",
    "idle",
    "accepted",
    "repeat",
    "question",
    "unknown",
    "two_cards",
    "refused_card",
    "lost_card",
    "reader_fault",
    "disk_full",
    "identify",
    "locked",
    "wiped",
    "benefit_choose",
    "benefit_tap",
    "benefit_taken",
    "benefit_refused",
    "benefit_back",
]

# How long each state stays, in seconds; a name is never longer on the screen than `accepted`.
STAYS_S: dict[State, float] = {
    "accepted": 2.0,
    "repeat": 3.0,
    "question": 8.0,
    "unknown": 4.0,
    "two_cards": 3.0,
    "refused_card": 4.0,
    "lost_card": 4.0,
    "disk_full": 6.0,
    "identify": 15.0,
    "benefit_choose": 30.0,
    "benefit_tap": 20.0,
    "benefit_taken": 10.0,
    "benefit_refused": 6.0,
    "benefit_back": 4.0,
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A benefit that can be taken here: its code, what it is called, and its unit."""

    code: str
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class View:
    """One state of the screen. `number` grows with each view, so that the same state twice sounds twice.

    `reference` is the number of the record, to be said on the telephone; 0 for none.  `name` is whom to call on a
    locked screen, and the confirmation code on a wiped one.

    Of benefits: `offers` to choose from; `code` with its `name`, `units` and `unit`; `left` of it; why not (`reason`).
    """

    state: State = "starting"
    number: int = 0
    direction: Direction = "clock_in"
    chosen: Literal["time", "person"] = "time"
    at_ms: int = 0
    name: str = ""
    since_ms: int = 0
    reference: int = 0
    waiting: int = 0
    hub_away: bool = False
    clock_unset: bool = False
    offers: tuple[Offer, ...] = ()
    code: str = ""
    units: int = 0
    unit: str = ""
    left: int = 0
    reason: str = ""


class Wish(NamedTuple):
    """What a person wants of benefits, asked on view `number`."""

    number: int
    do: Literal["open", "choose", "leave", "take_back"]
    code: str = ""
    units: int = 1


# On which view each can be wanted.
_WISHED_ON: dict[str, tuple[State, ...]] = {
    "open": ("idle",),
    "choose": ("benefit_choose",),
    "leave": ("benefit_choose", "benefit_tap", "benefit_taken", "benefit_refused", "benefit_back"),
    "take_back": ("benefit_taken",),
}


class Answer(NamedTuple):
    """What a person answered to the question of view `number`."""

    number: int
    direction: Direction


@dataclass
class Screen:
    """The current view and its onlookers. Lives on the event loop."""

    view: View = field(default_factory=View)
    _ground: View = field(default_factory=View)
    _onlookers: set[asyncio.Queue[View]] = field(default_factory=set)
    _back: asyncio.TimerHandle | None = None
    _lock: View | None = None
    answers: asyncio.Queue[Answer] = field(default_factory=lambda: asyncio.Queue(1))
    choices: asyncio.Queue[Direction] = field(default_factory=lambda: asyncio.Queue(1))
    wishes: asyncio.Queue[Wish] = field(default_factory=lambda: asyncio.Queue(1))

    def show(self, view: View, *, stays_s: float | None = None) -> None:
        """Shows what a tap brought up; the ground comes back by itself, after `stays_s` instead of its usual time."""
        if self._lock is not None and view.state != "identify":
            self.refuse(view.at_ms)
            return
        if self._back is not None:
            self._back.cancel()
        self._set(view)
        after_s = STAYS_S[view.state] if stays_s is None else stays_s
        self._back = asyncio.get_running_loop().call_later(after_s, self.clear)

    def ground(self, view: View) -> None:
        """What is there when nothing else is; shown at once unless a tap is being shown."""
        self._ground = view
        if self._back is None:
            self._set(self._lock or view)
        elif self._lock is None:
            # The small lines below are true on every view.
            lines = replace(self.view, waiting=view.waiting, hub_away=view.hub_away, clock_unset=view.clock_unset)
            self._set(lines, again=False)

    def clear(self) -> None:
        """Back to the ground."""
        if self._back is not None:
            self._back.cancel()
            self._back = None
        self._set(self._lock or self._ground)

    # ---- the lock

    @property
    def locked(self) -> bool:
        """Whether nothing may be done here."""
        return self._lock is not None

    def lock(self, view: View) -> None:
        """Shows only this from now on."""
        self._lock = view
        self.clear()

    def unlock(self) -> None:
        """Shows what is there again."""
        self._lock = None
        self.clear()

    def refuse(self, at_ms: int) -> None:
        """Somebody tried: the locked view sounds again."""
        if self._lock is not None:
            if self._back is not None:
                self._back.cancel()
                self._back = None
            self._set(replace(self._lock, at_ms=at_ms))

    def _set(self, view: View, *, again: bool = True) -> None:
        if view == replace(self.view, number=view.number):
            return
        self.view = replace(view, number=self.view.number + again)
        for queue in self._onlookers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(self.view)

    @contextlib.contextmanager
    def onlooker(self) -> Iterator[asyncio.Queue[View]]:
        """The current view, and each one after it; a slow onlooker misses old ones, never the newest."""
        queue: asyncio.Queue[View] = asyncio.Queue(4)
        queue.put_nowait(self.view)
        self._onlookers.add(queue)
        try:
            yield queue
        finally:
            self._onlookers.discard(queue)

    @property
    def onlookers(self) -> int:
        """How many pages look at it; none means that nobody sees what is shown."""
        return len(self._onlookers)

    def choose(self, direction: Direction) -> None:
        """A person chose the direction of the next tap."""
        _replace(self.choices, direction)

    def answer_question(self, number: int, direction: Direction) -> bool:
        """A person answered the question of view `number`; False when it is no longer on the screen."""
        if (self.view.state, self.view.number) != ("question", number):
            return False
        _replace(self.answers, Answer(number, direction))
        return True

    def wish(self, wish: Wish) -> bool:
        """A person wants something of benefits; False when the screen shows another view by now.

        The small lines below change without a new view, so an idle screen is the same whatever its number.
        """
        view = self.view
        if view.state not in _WISHED_ON[wish.do] or (view.number != wish.number and wish.do != "open"):
            return False
        _replace(self.wishes, wish)
        return True


def _replace(queue: asyncio.Queue[T], value: T) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(value)
