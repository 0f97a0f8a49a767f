"""What a person lays down before a roll-out begins: which devices in which order, and how much may go wrong (rule).

A small town has three terminals, not three thousand: one failure of three is 33 %.  So failures are counted,
never taken as shares.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from hub.rollout.quiet import MINUTE_MS, Quiet, Window

HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

Offline = Literal["skip", "wait"]
Millis = Annotated[int, msgspec.Meta(ge=0, le=365 * DAY_MS)]

CLOCKING = Quiet((Window(8 * 60, 9 * 60, ("terminal",)), Window(17 * 60, 18 * 60, ("terminal",))), days_off=True)


class Group(msgspec.Struct, frozen=True):
    """Devices that have their turn together.

    More than `max_failures` of them that fail stop the roll-out.  Up to `at_once` are under way at a time, so that at
    most `max_failures + at_once` have failed when it has stopped.  With `apart` no two of one place are under way
    at once; of devices whose place is not known none are.
    """

    name: str
    max_failures: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    at_once: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    apart: bool = False


# Those that were away at their turn and have come back: one after the other, at the end.
LATE = Group("late", 0, 1)


class Plan(msgspec.Struct, frozen=True):
    """How a roll-out goes.

    `soak_ms`: from the end of a group to the first of the next.  `deadline_ms`: from a device's release to its
    success.  `offline`: a device that is away at its turn is skipped, or waited for at most `wait_ms`; away is who
    has not been heard for `grace_ms`.  `join_ms`: so long after the last group those that were skipped may still join.
    """

    groups: tuple[Group, ...]
    soak_ms: Millis = 10 * MINUTE_MS
    deadline_ms: Millis = 30 * MINUTE_MS
    offline: Offline = "skip"
    wait_ms: Millis = DAY_MS
    grace_ms: Millis = MINUTE_MS
    join_ms: Millis = 7 * DAY_MS
    quiet: Quiet = CLOCKING

    def stage(self, number: int) -> Group:
        """The group of a number; the one after the last is that of the late ones."""
        return self.groups[number] if number < len(self.groups) else LATE


class Candidate(msgspec.Struct, frozen=True):
    """A device that a roll-out may bring along."""

    id: int
    name: str
    kind: str
    place: str
    online: bool


class Proposal(msgspec.Struct, frozen=True):
    """Groups, and which of them each device is in (by its id)."""

    groups: tuple[Group, ...]
    group_of: dict[int, int]


# A tablet that fails troubles one person, a terminal everyone who comes in, an access point a whole place.
_HARMLESS_FIRST = ("tablet", "terminal", "access_point")
_KINDS = ("terminal", "access_point", "tablet")
_AT_ONCE = {"terminal": 3, "access_point": 3, "tablet": 10}


def propose(devices: Sequence[Candidate], first: Sequence[str] = ()) -> Proposal:
    """The usual order: one to try (or those named in `first`), one of each kind, terminals, access points, tablets.

    A group without devices is left out.  Devices of other kinds come last.
    """
    left = sorted(devices, key=_rank)
    parts: list[tuple[Group, list[Candidate]]] = []

    def part(name: str, chosen: list[Candidate], at_once: int, *, apart: bool = False) -> None:
        for one in chosen:
            left.remove(one)
        if chosen:
            parts.append((Group(name, 0, min(at_once, len(chosen)), apart), chosen))

    named = [one for one in left if one.name in first]
    part("first", named or left[:1], len(named) or 1)
    kinds = {one.kind: one for one in reversed(left)}
    # A second round only where something is left for the rounds after it.
    part("each", list(kinds.values()) if len(left) > len(kinds) else [], len(kinds))
    for kind in _KINDS:
        part(f"{kind}s", [one for one in left if one.kind == kind], _AT_ONCE[kind], apart=kind == "access_point")
    part("others", list(left), 1)
    return Proposal(
        tuple(group for group, _ in parts),
        {one.id: number for number, (_, chosen) in enumerate(parts) for one in chosen},
    )


def _rank(one: Candidate) -> tuple[bool, int, str]:
    """Those that are there first, then those that do the least harm."""
    kind = _HARMLESS_FIRST.index(one.kind) if one.kind in _HARMLESS_FIRST else len(_HARMLESS_FIRST)
    return not one.online, kind, one.name
