"""What is to be done with an order that came (rule).

1. What is not signed by the hub for this device is refused, and leaves no trace: nobody can use up an order's id.
2. An order that was begun is never begun again; one that ended is answered with how it ended.
3. Too late is too late. A device that does not know what time it is carries out only what harms nothing when late
   (ping, identify, Wi-Fi scan, diagnostics), and what a thief must not escape by taking out a battery (lock, wipe).
4. Unknown, for another kind of device, or with particulars that are not its own: refused as a whole.
5. When the memory of past orders was lost, what was ordered before that moment is not carried out.
"""

from typing import Literal, NamedTuple

import msgspec

from wire.messages import ClockQuality, Order
from wire.orders import VERBS, Reason, Verb, read_arguments

# So many orders that are not over yet can be remembered; more are refused rather than another one's memory given up.
MOST = 2000


class Entry(NamedTuple):
    """An order that was begun or answered before: `state` is `begun` or how it ended."""

    id: str
    state: str
    detail: str


class Facts(NamedTuple):
    """What the device knows when an order comes."""

    refusal: Literal["no_key", "signature"] | None
    entry: Entry | None
    nonce_used: bool
    kind: str
    clock: ClockQuality
    now_ms: int
    remembered: int = 0
    lost_ms: int = 0


class Do(NamedTuple):
    """Carry it out."""

    verb: Verb
    arguments: msgspec.Struct


class Answer(NamedTuple):
    """Tell the hub this, and nothing else. `remember`: so that the answer stays the same."""

    state: Literal["refused", "expired", "done", "failed"]
    detail: str = ""
    remember: bool = True


class Quiet(NamedTuple):
    """It is being carried out: the hub will hear of it."""


Decision = Do | Answer | Quiet


def decide(order: Order, facts: Facts) -> Decision:
    """What to do with an order."""
    if facts.refusal is not None:
        return Answer("refused", facts.refusal, remember=False)
    if facts.entry is not None:
        return _known(facts.entry)
    if facts.nonce_used:
        return _refused("used_before", remember=False)
    verb = VERBS.get(order.name)
    if verb is None:
        return _refused("unknown_order")
    if facts.kind not in verb.kinds:
        return _refused("not_for_this_kind")
    return _timely(order, verb, facts)


def _known(entry: Entry) -> Decision:
    if entry.state == "begun":
        return Quiet()
    return Answer(entry.state, entry.detail, remember=False)  # type: ignore[arg-type]


def _timely(order: Order, verb: Verb, facts: Facts) -> Decision:
    arguments = read_arguments(verb, order.arguments)
    if arguments is None:
        return _refused("arguments")
    if order.not_after_ms - verb.good_for_ms < facts.lost_ms:
        return _refused("used_before")
    late = is_late(order.not_after_ms, verb, facts.clock, facts.now_ms)
    if late is not None:
        return late
    if facts.remembered >= MOST:
        return _refused("too_many", remember=False)
    return Do(verb, arguments)


def is_late(not_after_ms: int, verb: Verb, clock: ClockQuality, now_ms: int) -> Answer | None:
    """The answer to an order that is too late, or may be; None when it may be begun now."""
    if clock == "unset":
        return None if verb.despite_clock else _refused("clock_unset")
    return Answer("expired") if now_ms > not_after_ms else None


def _refused(reason: Reason, *, remember: bool = True) -> Answer:
    return Answer("refused", reason, remember)
