"""The states of a roll-out and of each device in it, as tables, and what one step makes of them (rule).

1. `NEXT` says which state of a device may follow which; nothing else happens to it.
2. `released` and `seen` are under way; the other states but `waiting` are ends.
3. What the hub decides and what a person does are the same kind of thing: a step.  `after` carries it out.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

import msgspec
from msgspec.structs import replace

from hub.rollout.plan import Plan

State = Literal["waiting", "released", "seen", "succeeded", "failed", "failed_timeout", "skipped", "rolled_back"]
Status = Literal[
    "proposed",
    "running",
    "paused",
    "stopped",
    "aborting",
    "taking_back",
    "done",
    "aborted",
    "taken_back",
    "declined",
]
# Why a device is in its state.
Why = Literal[
    "",
    "refused",
    "failed",
    "rolled_back",
    "digest",
    "deadline",
    "away",
    "on_hold",
    "changed",
    "person",
    "aborted",
    "taken_back",
    "not_confirmed",
    "retry",
]

NEXT: dict[State, frozenset[State]] = {
    "waiting": frozenset({"released", "skipped", "failed_timeout"}),
    "released": frozenset({"seen", "succeeded", "failed", "failed_timeout", "skipped", "rolled_back"}),
    "seen": frozenset({"succeeded", "failed", "failed_timeout", "skipped", "rolled_back"}),
    # While its roll-out runs a device may still go back by itself, and be taken back.
    "succeeded": frozenset({"failed", "failed_timeout", "rolled_back"}),
    # Back to what it was; or once more, because a person says so.
    "failed": frozenset({"rolled_back", "waiting"}),
    "failed_timeout": frozenset({"rolled_back", "waiting"}),
    "rolled_back": frozenset({"waiting"}),
    # One that was away and came back, at the end; or because a person says so.
    "skipped": frozenset({"released", "waiting", "skipped"}),
}
UNDER_WAY: frozenset[State] = frozenset({"released", "seen"})
FAILED: frozenset[State] = frozenset({"failed", "failed_timeout"})
ENDS: frozenset[State] = frozenset(NEXT) - UNDER_WAY - {"waiting"}
# A device was skipped for these: it joins at the end when it is there again.
AWAY: frozenset[Why] = frozenset({"away", "on_hold"})

# A roll-out that the hub still has something to do with.
ACTIVE: frozenset[Status] = frozenset({"running", "paused", "stopped", "aborting", "taking_back"})
OPEN: frozenset[Status] = ACTIVE | {"proposed"}


class Ordered(msgspec.Struct, frozen=True):
    """What a device is ordered to be, whoever ordered it.

    `content` is the same for the same settings, however often they are published; a device that has applied them
    reports `generation` of `incarnation`, and `digest`.  `made_ms`: when it was published.
    """

    content: str
    incarnation: str
    generation: int
    digest: str
    made_ms: int


class Member(msgspec.Struct, frozen=True):
    """A device of a roll-out.

    `known`: the content that it is ordered to be, as far as this roll-out knows; another one is somebody else's.
    `released_ms` and `back_ms`: when the new settings, and after them the old ones, were ordered (0: not), with their
    generations.  `faulty`: it failed, and nobody has said since that things shall go on.  `late`: it has its turn at
    the end.
    """

    device: int
    name: str
    kind: str
    place: str
    group: int
    known: str = ""
    state: State = "waiting"
    why: Why = ""
    detail: str = ""
    released_ms: int = 0
    generation: int = 0
    ended_ms: int = 0
    back_ms: int = 0
    back_generation: int = 0
    faulty: bool = False
    late: bool = False


class Course(msgspec.Struct, frozen=True):
    """A roll-out as it stands: since `stage_ms` it is the turn of group `stage` (one past the last: the late ones)."""

    plan: Plan
    status: Status
    stage: int
    stage_ms: int
    members: dict[int, Member]

    def stage_of(self, member: Member) -> int:
        """Which group's turn is this device's."""
        return len(self.plan.groups) if member.late else member.group

    def in_stage(self, number: int) -> list[Member]:
        """The devices of a group, in order of their names."""
        return sorted((one for one in self.members.values() if self.stage_of(one) == number), key=lambda one: one.name)


# ---- steps


class Move(msgspec.Struct, frozen=True):
    """A device comes to another state. `fault`: this counts as a failure."""

    device: int
    to: State
    why: Why = ""
    detail: str = ""
    fault: bool = False
    late: bool = False


class Release(msgspec.Struct, frozen=True):
    """The new settings go to a device. `late`: at the end, as one of those that were away."""

    device: int
    late: bool = False


class Restore(msgspec.Struct, frozen=True):
    """The old settings are ordered of a device again."""

    device: int


class Begin(msgspec.Struct, frozen=True):
    """A group has its turn from now on."""

    stage: int


class Turn(msgspec.Struct, frozen=True):
    """The roll-out itself comes to another status. `forgive`: what has failed so far does not stop it any more."""

    to: Status
    forgive: bool = False


Step = Move | Release | Restore | Begin | Turn


_NOTHING: Mapping[int, Ordered] = MappingProxyType({})


class Impossible(Exception):
    """A step that the table does not have."""


def after(course: Course, steps: Iterable[Step], now_ms: int, orders: Mapping[int, Ordered] = _NOTHING) -> Course:
    """The roll-out after some steps; `orders`: what the devices of releases and restorings were ordered to be.

    Raises Impossible.
    """
    members, status, stage, stage_ms = dict(course.members), course.status, course.stage, course.stage_ms
    for step in steps:
        if isinstance(step, Begin):
            stage, stage_ms = step.stage, now_ms
        elif isinstance(step, Turn):
            status = step.to
            if step.forgive:
                members = {id_: replace(one, faulty=False) for id_, one in members.items()}
        elif isinstance(step, Move):
            members[step.device] = _moved(members[step.device], step, now_ms)
        else:
            members[step.device] = _ordered(members[step.device], step, now_ms, orders[step.device])
    return Course(course.plan, status, stage, stage_ms, members)


def _moved(member: Member, move: Move, now_ms: int) -> Member:
    _check(member, move.to)
    if move.to == "waiting":
        # Once more: nothing of the first time counts.
        again = Member(member.device, member.name, member.kind, member.place, member.group, member.known)
        return replace(again, why="retry", late=move.late)
    # Why it failed stays told when it has gone back.
    why = (member.why, member.detail) if move.to == "rolled_back" and not move.why else (move.why, move.detail)
    return replace(
        member,
        state=move.to,
        why=why[0],
        detail=why[1],
        # What comes after an end does not make the soak any longer.
        ended_ms=(member.ended_ms or now_ms) if move.to in ENDS else 0,
        faulty=member.faulty or move.fault,
    )


def _ordered(member: Member, step: Release | Restore, now_ms: int, ordered: Ordered) -> Member:
    if isinstance(step, Restore):
        return replace(member, known=ordered.content, back_ms=now_ms, back_generation=ordered.generation)
    _check(member, "released")
    return replace(
        member,
        state="released",
        why="",
        known=ordered.content,
        released_ms=now_ms,
        generation=ordered.generation,
        ended_ms=0,
        late=member.late or step.late,
    )


def _check(member: Member, to: State) -> None:
    if to not in NEXT[member.state]:
        raise Impossible(f"{member.name}: {member.state} is not followed by {to}")
