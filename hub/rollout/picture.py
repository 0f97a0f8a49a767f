"""One roll-out as its page shows it: groups with their counts, why it stands still, what can be done."""

from collections import Counter

import msgspec

from hub import people
from hub.access import may
from hub.db import Connection
from hub.guard import Who
from hub.rollout import progress, store
from hub.rollout.acts import RULES, Act, may_retry, may_skip
from hub.rollout.course import faults
from hub.rollout.state import ACTIVE, AWAY, ENDS, OPEN, Course, Member, State, Status
from hub.rollout.store import Event, Head

# Marks of the four that every page knows.
MARK_OF_STATE: dict[State, str] = {
    "waiting": "offline",
    "released": "warning",
    "seen": "warning",
    "succeeded": "ok",
    "failed": "fault",
    "failed_timeout": "fault",
    "skipped": "offline",
    "rolled_back": "fault",
}
MARK_OF_STATUS: dict[Status, str] = {
    "proposed": "warning",
    "running": "ok",
    "paused": "warning",
    "stopped": "fault",
    "aborting": "warning",
    "taking_back": "warning",
    "done": "ok",
    "aborted": "offline",
    "taken_back": "offline",
    "declined": "offline",
}
_CHIPS = 60
_ROWS = 200
_EVENTS = 100
_NAMES = 5
# What needs a look comes first.
_FIRST: tuple[State, ...] = (
    "failed",
    "failed_timeout",
    "rolled_back",
    "seen",
    "released",
    "waiting",
    "skipped",
    "succeeded",
)


class Stage(msgspec.Struct, frozen=True):
    """A group on the page. `most`: so many can have failed before it has stopped. `turn`: before, now or over."""

    number: int
    name: str
    turn: str
    total: int
    ended: int
    faults: int
    max_failures: int
    at_once: int
    counts: dict[str, int]
    members: tuple[Member, ...]
    can_skip: bool

    @property
    def most(self) -> int:
        """So many can have failed before it has stopped."""
        return self.max_failures + self.at_once

    @property
    def more(self) -> int:
        """Devices that are not drawn."""
        return self.total - len(self.members)


class Said(msgspec.Struct, frozen=True):
    """Why it stands still (`rollout_still_…` in the words), until when, and which devices or people."""

    why: str
    until_ms: int | None = None
    names: str = ""
    n: int = 0


class Picture(msgspec.Struct, frozen=True):
    """Everything that the page shows."""

    head: Head
    course: Course
    stages: tuple[Stage, ...]
    said: Said | None
    rows: tuple[Member, ...]
    more: int
    events: tuple[Event, ...]
    acts: tuple[Act, ...]
    ended: int
    total: int


def picture(conn: Connection, number: int, who: Who, now_ms: int) -> Picture | None:
    """One roll-out for somebody's eyes."""
    head, course = store.head(conn, number), store.course(conn, number)
    if head is None or course is None:
        return None
    members = sorted(course.members.values(), key=lambda one: (_FIRST.index(one.state), one.name))
    return Picture(
        head,
        course,
        stages(course, changes=who.may("configure")),
        _said(conn, head, course, now_ms),
        tuple(members[:_ROWS]),
        max(0, len(members) - _ROWS),
        tuple(store.events(conn, number, _EVENTS)),
        acts(head, who),
        sum(one.state in ENDS for one in members),
        len(members),
    )


def acts(head: Head, who: Who) -> tuple[Act, ...]:
    """What this person may do to the whole of it now."""
    return tuple(
        act
        for act, rule in RULES.items()
        if act not in ("skip_device", "skip_group", "retry_device")
        and head.status in rule.when
        and who.may(rule.need)
        and not (act == "approve" and head.made_by == who.person.name)
    )


def stages(course: Course, *, changes: bool) -> tuple[Stage, ...]:
    """The groups in their order; the late ones only where there are any."""
    last = len(course.plan.groups)
    found = [_stage(course, number, course.in_stage(number), changes=changes) for number in range(last)]
    late = course.in_stage(last)
    if course.stage >= last or late:
        away = [one for one in course.members.values() if one.state == "skipped" and one.why in AWAY and not one.late]
        found.append(_stage(course, last, late + away, changes=changes))
    return tuple(found)


def _stage(course: Course, number: int, members: list[Member], *, changes: bool) -> Stage:
    group = course.plan.stage(number)
    turn = "before" if number > course.stage else "over"
    if number == course.stage and course.status in ACTIVE:
        turn = "now"
    return Stage(
        number,
        group.name,
        turn,
        len(members),
        sum(one.state in ENDS for one in members),
        faults(course, number),
        group.max_failures,
        group.at_once,
        dict(Counter(MARK_OF_STATE[one.state] for one in members)),
        tuple(members[:_CHIPS]),
        changes
        and course.status in RULES["skip_group"].when
        and number >= course.stage
        and any(may_skip(one) for one in members),
    )


def _said(conn: Connection, head: Head, course: Course, now_ms: int) -> Said | None:
    """Why nothing goes on just now, as a sentence."""
    if head.status == "proposed":
        others = [
            one.shown or one.name
            for one in people.everyone(conn)
            if may(one.role, "approve") and not one.disabled and one.password and one.name != head.made_by
        ]
        return Said("approval" if others else "nobody", None, _listed(others), len(others))
    if head.status == "stopped":
        failed = sorted(one.name for one in course.members.values() if one.faulty)
        return Said("stopped", None, _listed(failed), len(failed))
    if head.status == "paused":
        return Said("paused", None, head.changed_by)
    still = progress.steps(conn, head.id, now_ms).still if head.status in ACTIVE else None
    return Said(still.why, still.until_ms, _listed(still.names), len(still.names)) if still else None


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names[:_NAMES]) + (f" … ({len(names)})" if len(names) > _NAMES else "")


def can_retry(course: Course, member: Member) -> bool:
    """Whether a person can send it once more."""
    return course.status in RULES["retry_device"].when and may_retry(member)


def can_skip(course: Course, member: Member) -> bool:
    """Whether a person can leave it out."""
    return course.status in RULES["skip_device"].when and may_skip(member)


class Waiting(msgspec.Struct, frozen=True):
    """A roll-out that waits for somebody: `reason` is `stopped` or `approval`."""

    id: int
    title: str
    reason: str
    since_ms: int


def waiting(conn: Connection, who: Who) -> list[Waiting]:
    """Which roll-outs wait for this person: stopped ones, and those that they can approve. For the start page."""
    found = []
    for one in store.summaries(conn, 100, only_open=True):
        head = one.head
        if head.status == "stopped" and who.may("configure"):
            found.append(Waiting(head.id, head.title, "stopped", head.changed_ms))
        if head.status == "proposed" and who.may("approve") and head.made_by != who.person.name:
            found.append(Waiting(head.id, head.title, "approval", head.made_ms))
    return found


__all__ = ["ENDS", "OPEN", "Picture", "Stage", "acts", "can_retry", "can_skip", "picture", "stages", "waiting"]
