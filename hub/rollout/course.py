"""How a roll-out goes on: what to do next, and why it stands still (rule).

1. What devices have told is taken in first (`heard.py`), whatever the roll-out's status: success, failure, deadline.
2. A device that failed gets its old settings ordered again at once, so that hub and device stay in step.
3. More failures in a group than its plan allows stop the roll-out, before anything else is released.
4. Groups have their turn in order; the next one when all of the last have ended and the soak is over.
5. Nothing is released to a device in closed hours, while it is away, or beyond the group's `at_once`.
6. Settings that somebody else has ordered meanwhile are left alone.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from hub.rollout.heard import Heard, goes_back, is_ours, is_settled, observed
from hub.rollout.quiet import closed
from hub.rollout.state import ACTIVE, AWAY, UNDER_WAY, Begin, Course, Member, Move, Release, Restore, Step, Turn, after

Stand = Literal["working", "soak", "window", "day_off", "away", "neighbour", "late", "going_back"]


class Still(msgspec.Struct, frozen=True):
    """Why nothing is released just now: until when at most (ms; None: not known), and for which devices."""

    why: Stand
    until_ms: int | None = None
    names: tuple[str, ...] = ()


class Steps(msgspec.Struct, frozen=True):
    """What to do now, why it then stands still (None: it does not run), and when to look again at the latest."""

    steps: tuple[Step, ...] = ()
    still: Still | None = None
    look_ms: int | None = None


class Now(msgspec.Struct, frozen=True):
    """A roll-out with what is known of its devices at a moment; every device of it is in `heard`."""

    course: Course
    heard: Mapping[int, Heard]
    now_ms: int

    def told(self, member: Member) -> Heard:
        """What is known of a device."""
        return self.heard[member.device]


def next_steps(course: Course, heard: Mapping[int, Heard], now_ms: int) -> Steps:
    """What to do now; until there is nothing, it is asked again of what that has made of the roll-out."""
    if course.status not in ACTIVE:
        return Steps()
    members = sorted(course.members.values(), key=lambda one: one.name)
    moves = [move for one in members if (move := observed(course, one, heard[one.device], now_ms))]
    now = Now(after(course, moves, now_ms), heard, now_ms)
    back = [Restore(id_) for id_, one in now.course.members.items() if goes_back(now.course, one, now.told(one))]
    if moves or back:
        return Steps((*moves, *back))
    found = _decided(now)
    return msgspec.structs.replace(found, look_ms=_earliest(found.look_ms, *_deadlines(course, now_ms)))


def faults(course: Course, stage: int) -> int:
    """How many of a group have failed since somebody last said that things shall go on."""
    return sum(one.faulty for one in course.members.values() if course.stage_of(one) == stage)


def _decided(now: Now) -> Steps:
    """What the roll-out itself does, once everything that was heard is taken in."""
    course = now.course
    if course.status == "running":
        if any(faults(course, stage) > course.plan.stage(stage).max_failures for stage in range(course.stage + 1)):
            return Steps((Turn("stopped"),))
        return _late(now) if course.stage >= len(course.plan.groups) else _group(now)
    if course.status == "aborting":
        return _settle(now, Turn("aborted"))
    if course.status == "taking_back":
        return _settle(now, Turn("taken_back"))
    return Steps()


def _settle(now: Now, end: Turn) -> Steps:
    """Waits for what is under way or going back; then the end."""
    open_ = [one for one in now.course.members.values() if not is_settled(now.course, one, now.told(one), now.now_ms)]
    if not open_:
        return Steps((end,))
    why: Stand = "working" if any(one.state in UNDER_WAY and not one.back_ms for one in open_) else "going_back"
    return Steps((), Still(why, None, tuple(sorted(one.name for one in open_))))


# ---- groups


def _group(now: Now) -> Steps:
    course = now.course
    members = course.in_stage(course.stage)
    if any(one.state == "waiting" or one.state in UNDER_WAY for one in members):
        return _release(now, members)
    soaked_ms = max((one.ended_ms + course.plan.soak_ms for one in members if one.released_ms), default=0)
    if now.now_ms < soaked_ms:
        return Steps((), Still("soak", soaked_ms), soaked_ms)
    return Steps((Begin(course.stage + 1),))


def _late(now: Now) -> Steps:
    """Those that were away at their turn, and those that a person has sent once more; then the end."""
    course, over_ms = now.course, now.course.stage_ms + now.course.plan.join_ms
    members = course.in_stage(course.stage)
    waiting = [one for one in members if one.state == "waiting"]
    away = [one for one in course.members.values() if _may_join(one)]
    if any(one.state in UNDER_WAY for one in members) or ((waiting or away) and now.now_ms < over_ms):
        found = _release(now, [*members, *sorted((one for one in away if not one.late), key=lambda one: one.name)])
        return msgspec.structs.replace(found, look_ms=_earliest(found.look_ms, over_ms))
    if waiting:
        return Steps(tuple(Move(one.device, "skipped", "away") for one in waiting))
    return _settle(now, Turn("done"))


def _may_join(member: Member) -> bool:
    return member.state == "skipped" and member.why in AWAY


def _release(now: Now, members: list[Member]) -> Steps:
    """Which devices of the group get their settings now, and which have to be left out."""
    course = now.course
    group, late = course.plan.stage(course.stage), course.stage >= len(course.plan.groups)
    working = [one for one in members if one.state in UNDER_WAY]
    busy = {one.place for one in working}
    steps: list[Step] = []
    stills: list[Still] = []
    names = [one.name for one in working]
    for member in members:
        if member.state != "waiting" and not (late and _may_join(member)):
            continue
        if len(names) >= group.at_once:
            break
        found = _stands_against(now, member, late=late)
        if found is None and group.apart and member.place in busy:
            found = Still("neighbour", None, (member.name,))
        if isinstance(found, Still):
            stills.append(found)
        elif found is not None:
            steps.append(found)
        else:
            steps.append(Release(member.device, late))
            names.append(member.name)
            busy.add(member.place)
    # Who is left out first: it may be one failure too many for the others.
    moves = tuple(step for step in steps if isinstance(step, Move))
    return Steps(moves or tuple(steps), _gathered(stills, tuple(names)), _earliest(*(one.until_ms for one in stills)))


def _stands_against(now: Now, member: Member, *, late: bool) -> Move | Still | None:
    """What stands against a release: a reason to leave the device out, or to wait; None when nothing does."""
    told = now.told(member)
    if not is_ours(member, told):
        return Move(member.device, "skipped", "changed")
    shut = closed(now.course.plan.quiet, member.kind, now.now_ms)
    if shut is not None:
        return Still(shut.cause, shut.until_ms, (member.name,))
    if told.online and not told.on_hold:
        return None
    return _away(now, member, told, late=late)


def _away(now: Now, member: Member, told: Heard, *, late: bool) -> Move | Still:
    """A device that is not there, or to which nothing may go, at its turn."""
    plan = now.course.plan
    why: Literal["on_hold", "away"] = "on_hold" if told.on_hold else "away"
    if late:
        return Still("late", now.course.stage_ms + plan.join_ms, (member.name,))
    if plan.offline == "wait":
        move = Move(member.device, "failed_timeout", why, fault=True)
        until_ms = now.course.stage_ms + plan.wait_ms
    else:
        move = Move(member.device, "skipped", why)
        until_ms = 0 if told.on_hold else told.heard_ms + plan.grace_ms
    return move if now.now_ms >= until_ms else Still("away", until_ms, (member.name,))


# ---- why it stands still

# The first of these that holds is told.
_TOLD: tuple[Stand, ...] = ("window", "day_off", "away", "neighbour", "late")


def _gathered(stills: list[Still], working: tuple[str, ...]) -> Still | None:
    if working:
        return Still("working", None, working)
    for why in _TOLD:
        if same := [one for one in stills if one.why == why]:
            return Still(why, _earliest(*(one.until_ms for one in same)), tuple(n for one in same for n in one.names))
    return None


def _deadlines(course: Course, now_ms: int) -> list[int]:
    """When deadlines of devices will be over."""
    ends = (
        (one.back_ms or one.released_ms) + course.plan.deadline_ms
        for one in course.members.values()
        if one.state in UNDER_WAY or (one.back_ms and one.state != "rolled_back")
    )
    return [at for at in ends if at > now_ms]


def _earliest(*moments: int | None) -> int | None:
    return min((at for at in moments if at is not None), default=None)
