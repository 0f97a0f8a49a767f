"""What people do to a roll-out, as a table: when it may be done, by whom, and which steps it comes to (rule).

1. Who made a roll-out does not approve it (four eyes).
2. Nobody is released twice unless a person says `retry`.
3. Taking back does not wait for closed hours: what harms is gone at once.
"""

from typing import Literal

import msgspec

from hub.access import Need
from hub.rollout.state import AWAY, Begin, Course, Member, Move, Status, Step, Turn

Act = Literal[
    "approve", "decline", "pause", "resume", "skip_device", "skip_group", "retry_device", "abort", "take_back"
]
# Why something cannot be done (`cannot_…` in the words).
Refusal = Literal["status", "own", "device", "group"]


class Rule(msgspec.Struct, frozen=True):
    """What an act needs, in which status it may be done, and whether it asks once before."""

    need: Need
    when: frozenset[Status]
    asks: bool = False


_GOING: frozenset[Status] = frozenset({"running", "paused", "stopped"})

RULES: dict[Act, Rule] = {
    "approve": Rule("approve", frozenset({"proposed"}), asks=True),
    "decline": Rule("approve", frozenset({"proposed"})),
    "pause": Rule("configure", frozenset({"running"})),
    "resume": Rule("configure", frozenset({"paused", "stopped"}), asks=True),
    "skip_device": Rule("configure", _GOING),
    "skip_group": Rule("configure", _GOING, asks=True),
    "retry_device": Rule("configure", _GOING),
    "abort": Rule("configure", _GOING | {"proposed"}, asks=True),
    "take_back": Rule("configure", _GOING | {"aborting", "done", "aborted"}, asks=True),
}


class Asked(msgspec.Struct, frozen=True):
    """What somebody wants: the act, who they are, and the device (its id) or group that it is about."""

    act: Act
    who: str
    device: int = 0
    group: int = 0


def act(course: Course, made_by: str, asked: Asked) -> tuple[Step, ...] | Refusal:
    """The steps that it comes to, or why it cannot be done now."""
    if course.status not in RULES[asked.act].when:
        return "status"
    if asked.act == "approve" and asked.who == made_by:
        return "own"
    if asked.act in ("skip_device", "retry_device"):
        return _device(course, asked)
    if asked.act == "skip_group":
        return _group(course, asked.group)
    return _whole(course, asked.act)


def may_skip(member: Member) -> bool:
    """Whether a device can be left out: it has not had its turn, or it would join at the end."""
    return member.state == "waiting" or (member.state == "skipped" and member.why in AWAY)


def may_retry(member: Member) -> bool:
    """Whether a device can have its turn once more; not when its settings are somebody else's by now."""
    return member.state in ("failed", "failed_timeout", "rolled_back", "skipped") and member.why != "changed"


def _device(course: Course, asked: Asked) -> tuple[Step, ...] | Refusal:
    member = course.members.get(asked.device)
    if member is None:
        return "device"
    if asked.act == "skip_device":
        return (Move(member.device, "skipped", "person"),) if may_skip(member) else "device"
    if not may_retry(member):
        return "device"
    # The turn of its own group may be over; then it comes at the end.
    return (Move(member.device, "waiting", late=member.late or member.group < course.stage),)


def _group(course: Course, group: int) -> tuple[Step, ...] | Refusal:
    """The rest of a group is left out; what has failed in it no longer stops the roll-out."""
    if not course.stage <= group <= len(course.plan.groups):
        return "group"
    rest = [one for one in course.in_stage(group) if one.state == "waiting"]
    if group == len(course.plan.groups):
        rest += [one for one in course.members.values() if not one.late and may_skip(one) and one.state == "skipped"]
    elif not rest and not any(one.faulty for one in course.in_stage(group)):
        return "group"
    moves = (Move(one.device, "skipped", "person") for one in rest)
    status: Status = "running" if course.status == "stopped" and group == course.stage else course.status
    return (*moves, Turn(status, forgive=status != course.status))


def _whole(course: Course, what: Act) -> tuple[Step, ...]:
    waiting = [one for one in course.members.values() if one.state == "waiting"]
    match what:
        case "approve":
            return (Turn("running"), Begin(0))
        case "decline":
            return (*(Move(one.device, "skipped", "aborted") for one in waiting), Turn("declined"))
        case "pause":
            return (Turn("paused"),)
        case "resume":
            return (Turn("running", forgive=True),)
        case "take_back":
            return (*(Move(one.device, "skipped", "taken_back") for one in waiting), Turn("taking_back"))
        case _:
            ended: Status = "aborted" if course.status == "proposed" else "aborting"
            return (*(Move(one.device, "skipped", "aborted") for one in waiting), Turn(ended))
