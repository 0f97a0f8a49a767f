"""How far an order is: a fold over what is heard of it, in any order and any number of times (rule).

1. The furthest step wins; what is said again, or late, changes nothing. So it does not matter which copy came first.
2. An order of which nothing is heard expires; the device's own word, should it come later, is worth more than that.
3. `sent` is never shown as `done`: only the device says what it did.

    made -> sent -> delivered -> done | failed | refused | expired
"""

from typing import Literal

import msgspec

State = Literal["made", "sent", "delivered", "expired", "refused", "failed", "done"]

# Steps, from the first to the one that outweighs all others.
RANK: dict[State, int] = {
    "made": 0,
    "sent": 1,
    "delivered": 2,
    "expired": 3,
    "refused": 4,
    "failed": 5,
    "done": 6,
}
ENDS: frozenset[State] = frozenset({"expired", "refused", "failed", "done"})
# What a device may say; `made` and `sent` are the hub's own.
SAID: frozenset[State] = frozenset({"delivered", *ENDS})
# A device that has an order may be at it when its time is over; so much longer its word is waited for.
PATIENCE_MS = 10 * 60_000


class Heard(msgspec.Struct, frozen=True):
    """One step that was heard of, and when (the hub's clock)."""

    state: State
    at_ms: int
    detail: str = ""


class Progress(msgspec.Struct, frozen=True):
    """How far an order is, and when each step was first heard of."""

    state: State = "made"
    sent_ms: int | None = None
    delivered_ms: int | None = None
    ended_ms: int | None = None
    detail: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more is to come."""
        return self.state in ENDS


def after(progress: Progress, heard: Heard) -> Progress:
    """The progress with one more step known. The order and number of steps that are handed in do not matter."""
    if heard.state in ENDS:
        return _ended(progress, heard)
    state = max(progress.state, heard.state, key=RANK.__getitem__)
    progress = msgspec.structs.replace(progress, state=state)
    if heard.state == "sent":
        return msgspec.structs.replace(progress, sent_ms=_earliest(progress.sent_ms, heard.at_ms))
    if heard.state == "delivered":
        return msgspec.structs.replace(progress, delivered_ms=_earliest(progress.delivered_ms, heard.at_ms))
    return progress


def _ended(progress: Progress, heard: Heard) -> Progress:
    """The weightier of two ends stays; of the same end, what was heard first."""
    if progress.ended:
        before = (-RANK[progress.state], progress.ended_ms or 0, progress.detail)
        if before <= (-RANK[heard.state], heard.at_ms, heard.detail):
            return progress
    return msgspec.structs.replace(progress, state=heard.state, ended_ms=heard.at_ms, detail=heard.detail)


def _earliest(known_ms: int | None, at_ms: int) -> int:
    return at_ms if known_ms is None else min(known_ms, at_ms)


def at(progress: Progress, not_after_ms: int, now_ms: int) -> Progress:
    """The progress as it is to be shown now: an order that nobody answered in time has expired."""
    if progress.ended:
        return progress
    end_ms = not_after_ms + (PATIENCE_MS if progress.state == "delivered" else 0)
    if now_ms <= end_ms:
        return progress
    detail = "no_answer" if progress.state == "delivered" else ""
    return after(progress, Heard("expired", end_ms, detail))
