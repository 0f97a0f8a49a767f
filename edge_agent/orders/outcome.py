"""What an order comes to, and what a doing is (values)."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, NamedTuple

from edge_agent.clock import Stamp
from wire.orders import Reason

End = Literal["done", "failed", "refused", "expired"]


class Outcome(NamedTuple):
    """How an order ended. `detail` is a known word, and behind a colon its particulars.

    `then` is done once the outcome is on its way to the hub.
    """

    state: End
    detail: str = ""
    then: Callable[[], Awaitable[None]] | None = None


class Given(NamedTuple):
    """An order that is to be carried out."""

    id: str
    arguments: Any


class Begun(NamedTuple):
    """An order that an earlier process had begun, with its arguments, and when."""

    id: str
    arguments: Any
    boot: str
    mono_ms: int


class Doing(NamedTuple):
    """How one kind of order is carried out.

    `do` gives None when the end is known only to the next process. `settle` says what became of an order that an
    earlier process had begun: it is never begun a second time.
    """

    do: Callable[[Given], Awaitable[Outcome | None]]
    settle: Callable[[Begun, Stamp], Awaitable[Outcome | None]]
    limit_s: float = 120


def failed(reason: Reason, more: str = "") -> Outcome:
    """A failure, with its particulars."""
    return Outcome("failed", f"{reason}: {more}" if more else reason)


async def interrupted(begun: Begun, now: Stamp) -> Outcome:
    """The agent ended halfway: whether it was done is not known, and it is not done again."""
    return failed("interrupted")
