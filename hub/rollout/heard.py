"""What devices have told, and what that makes of them in a roll-out (rule).

1. A device has succeeded when it reports, after its own commit, the ordered generation with its digest and nothing
   that differs, and its health has been heard after that.  Nothing else is a success.  Health counts that the hub
   received later than the report: a device sends in order, so it was sent by an agent that runs with the new settings.
2. It has failed when it says so, also when it says so later, while the roll-out runs; or when its deadline is over.
3. It is left alone as soon as somebody else has ordered other settings of it.
"""

from typing import Literal

import msgspec

from hub.rollout.state import ENDS, FAILED, UNDER_WAY, Course, Member, Move, Ordered, Why

Result = Literal["applied", "refused", "failed", "rolled_back"]


class Report(msgspec.Struct, frozen=True):
    """What a device has told last (`wire.messages.Reported`), and when the hub heard it. `pure`: nothing differs."""

    incarnation: str
    seen: int
    applied: int
    result: Result
    error: str
    digest: str
    pure: bool
    received_ms: int


class Heard(msgspec.Struct, frozen=True):
    """What is known of a device now."""

    online: bool
    heard_ms: int
    health_ms: int
    ordered: Ordered | None
    on_hold: bool = False
    report: Report | None = None


def is_ours(member: Member, heard: Heard) -> bool:
    """Whether the device is still ordered to be what this roll-out knows of."""
    return (heard.ordered.content if heard.ordered else "") == member.known


def observed(course: Course, member: Member, heard: Heard, now_ms: int) -> Move | None:
    """What has become of a device, if anything has."""
    if member.back_ms:
        return _going_back(course, member, heard, now_ms)
    if member.state in UNDER_WAY:
        return _under_way(course, member, heard, now_ms)
    if member.state == "succeeded" and course.status != "taking_back" and is_ours(member, heard):
        failure = _failure(heard)
        return Move(member.device, "failed", *failure, fault=True) if failure else None
    return None


def goes_back(course: Course, member: Member, heard: Heard) -> bool:
    """Whether a device's old settings must be ordered again: it failed, or everything is taken back."""
    if not member.released_ms or member.back_ms or not is_ours(member, heard):
        return False
    taken = course.status == "taking_back" and (member.state in UNDER_WAY or member.state == "succeeded")
    return taken or member.state in FAILED


def is_settled(course: Course, member: Member, heard: Heard, now_ms: int) -> bool:
    """Whether nothing more is awaited of a device."""
    if member.state not in ENDS:
        return False
    going_back = member.back_ms and member.state != "rolled_back" and is_ours(member, heard)
    return not going_back or now_ms >= member.back_ms + course.plan.deadline_ms


def _under_way(course: Course, member: Member, heard: Heard, now_ms: int) -> Move | None:
    if not is_ours(member, heard):
        return Move(member.device, "skipped", "changed")
    if course.status == "taking_back":
        return None
    if failure := _failure(heard):
        return Move(member.device, "failed", *failure, fault=True)
    if _is_so(heard) and heard.report and heard.health_ms > heard.report.received_ms:
        return Move(member.device, "succeeded")
    if now_ms >= member.released_ms + course.plan.deadline_ms:
        return Move(member.device, "failed_timeout", "deadline", fault=True)
    return Move(member.device, "seen") if member.state == "released" and _has_seen(heard) else None


def _going_back(course: Course, member: Member, heard: Heard, now_ms: int) -> Move | None:
    if member.state in ("rolled_back", "skipped"):
        return None
    ours = is_ours(member, heard)
    if ours and _is_so(heard):
        return Move(member.device, "rolled_back", "" if member.state in FAILED else "taken_back")
    over = not ours or now_ms >= member.back_ms + course.plan.deadline_ms
    if over and member.state not in FAILED:
        return Move(member.device, "failed_timeout", "not_confirmed")
    return None


def _is_so(heard: Heard) -> bool:
    """Whether a device is as it is ordered to be, by its own word after its commit."""
    report, ordered = heard.report, heard.ordered
    if report is None or ordered is None or report.result != "applied" or not report.pure:
        return False
    told = (report.incarnation, report.applied, report.digest)
    return told == (ordered.incarnation, ordered.generation, ordered.digest)


def _has_seen(heard: Heard) -> bool:
    report, ordered = heard.report, heard.ordered
    return (
        report is not None
        and ordered is not None
        and (report.incarnation, report.seen) == (ordered.incarnation, ordered.generation)
    )


def _failure(heard: Heard) -> tuple[Why, str] | None:
    """Why a device has not become what it was ordered to be, by its own word."""
    report, ordered = heard.report, heard.ordered
    if report is None or ordered is None:
        return None
    if report.result == "refused" and report.error == "older":
        # The device knows more than a hub that was put back: the hub publishes the same anew by itself.
        return None
    # What a device refuses it may not have seen as what it is: a broken signature tells no generation.
    refused = report.result == "refused" and report.received_ms > ordered.made_ms
    if report.result != "applied" and (refused or _has_seen(heard)):
        return report.result, report.error
    if _has_seen(heard) and report.applied == ordered.generation and report.digest != ordered.digest:
        return "digest", report.digest
    return None
