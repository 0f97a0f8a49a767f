"""Carries out what the rule decides and what people do: everything that belongs together in one transaction.

The settings, their way into the outbox, each device's new state and the history are written at once.  Killed at any
moment, the hub has done all of a step or nothing of it, and nobody is released twice.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from hub import audit
from hub.db import Connection
from hub.fleet import groups as places
from hub.fleet import outbox
from hub.fleet import store as fleet
from hub.policy import calendar
from hub.policy import store as policy
from hub.rollout import store
from hub.rollout.acts import Act, Asked, Refusal, act
from hub.rollout.course import Steps, next_steps
from hub.rollout.heard import Heard, Report
from hub.rollout.plan import Candidate
from hub.rollout.state import Begin, Course, Move, Ordered, Release, Restore, Step, Turn, after
from hub.rollout.store import Event
from hub.signing import Signing
from wire.policy import BadDocument, read_document

_DID: dict[Act, audit.Did] = {
    "approve": "rollout_approve",
    "decline": "rollout_decline",
    "pause": "rollout_pause",
    "resume": "rollout_resume",
    "skip_device": "rollout_skip_device",
    "skip_group": "rollout_skip_group",
    "retry_device": "rollout_retry_device",
    "abort": "rollout_abort",
    "take_back": "rollout_take_back",
}
# A roll-out that never came to rest would hold up the hub; each look does at least one thing that cannot be undone.
_ROUNDS = 20


def candidates(conn: Connection, device_ids: list[int]) -> list[Candidate]:
    """These devices as a roll-out sees them."""
    standing, wanted = places.places_and_tags(conn, device_ids), set(device_ids)
    return [
        Candidate(row.id, row.name, row.kind, standing.get(row.id, places.NOWHERE)[0], row.online)
        for row in fleet.devices(conn)
        if row.id in wanted
    ]


def busy(conn: Connection, devices: Sequence[Candidate]) -> list[str]:
    """Which of these are in another roll-out that has not ended."""
    there = store.in_open(conn)
    return sorted(one.name for one in devices if one.id in there)


def entries(
    conn: Connection,
    devices: Sequence[Candidate],
    group_of: Mapping[int, int],
    documents: Mapping[int, dict[str, Any]],
) -> list[store.Entry]:
    """What a roll-out brings to each device, and what it had before."""
    ordered = policy.ordered(conn, [one.id for one in devices])
    return [
        store.Entry(
            one.id,
            one.place,
            group_of[one.id],
            as_written(ordered[one.id].document) if one.id in ordered else None,
            documents[one.id],
        )
        for one in devices
    ]


def steps(conn: Connection, number: int, now_ms: int) -> Steps:
    """What is to be done now, and why it stands still."""
    course = store.course(conn, number)
    return next_steps(course, heard(conn, number), now_ms) if course else Steps()


def go_on(conn: Connection, signing: Signing, number: int, now_ms: int) -> bool:
    """Does what is to be done now, until there is nothing; whether there was anything."""
    course = store.course(conn, number)
    for done in range(_ROUNDS):
        if course is None:
            break
        found = next_steps(course, heard(conn, number), now_ms).steps
        if not found:
            return done > 0
        course = _carry_out(conn, signing, _Doing(number, course, "", now_ms), found)
    return True


def do(conn: Connection, signing: Signing, number: int, asked: Asked, now_ms: int) -> Refusal | None:
    """Does what a person wants, with its line in the audit log; why it cannot be done, or None when it is done."""
    course, head = store.course(conn, number), store.head(conn, number)
    if course is None or head is None:
        return "status"
    found = act(course, head.made_by, asked)
    if isinstance(found, str):
        return found
    if asked.act == "approve":
        store.approved(conn, number, asked.who)
    what = course.members[asked.device].name if asked.device in course.members else ""
    group = str(asked.group + 1) if asked.act == "skip_group" else ""
    audit.note(conn, now_ms, asked.who, _DID[asked.act], head.title, what or group)
    store.note(conn, number, [Event(now_ms, asked.who, asked.act, what, "", group)])
    _carry_out(conn, signing, _Doing(number, course, asked.who, now_ms), found)
    go_on(conn, signing, number, now_ms)
    return None


def heard(conn: Connection, number: int) -> dict[int, Heard]:
    """What is known of the devices of a roll-out."""
    contacts = store.contacts(conn, number)
    ids = list(contacts)
    ordered, reports, held = policy.ordered(conn, ids), policy.reports(conn, ids), outbox.held(conn, ids)
    same = _Contents()
    return {
        id_: Heard(
            one.online,
            one.heard_ms,
            one.health_ms,
            same.of(ordered[id_]) if id_ in ordered else None,
            id_ in held,
            _report(reports[id_]) if id_ in reports else None,
        )
        for id_, one in contacts.items()
    }


def as_written(document: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as people wrote them: without the dates that each publication adds."""
    return calendar.without_holidays(dict(document))


class _Contents:
    """Tells settings apart; what many devices share is looked at once."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def of(self, one: policy.Ordered) -> Ordered:
        content = self._known.get(id(one.document))
        if content is None:
            content = self._known[id(one.document)] = store.content(as_written(one.document))
        return Ordered(content, one.incarnation, one.generation, one.digest, one.made_ms)


def _report(one: policy.Report) -> Report:
    return Report(
        one.incarnation,
        one.seen,
        one.applied,
        cast("Any", one.result),
        one.error,
        one.digest,
        not one.drift,
        one.received_ms,
    )


class _Doing(msgspec.Struct, frozen=True):
    """In which roll-out, as it was before, who does it (empty: the hub) and when."""

    number: int
    course: Course
    who: str
    now_ms: int


def _carry_out(conn: Connection, signing: Signing, doing: _Doing, found: Sequence[Step]) -> Course:
    """Publishes what is to be published, keeps the new state, and tells it in the history."""
    released = [step.device for step in found if isinstance(step, Release)]
    restored = [step.device for step in found if isinstance(step, Restore)]
    documents = store.documents(conn, doing.number, released, new=True)
    documents |= store.documents(conn, doing.number, restored, new=False)
    documents = {id_: one for id_, one in documents.items() if _fits(one, doing.course.members[id_].kind)}
    orders = dict.fromkeys([*released, *restored], _NOTHING)
    if documents:
        policy.publish_many(conn, signing, documents, doing.now_ms, doing.who or audit.SYSTEM)
        same = _Contents()
        orders |= {id_: same.of(one) for id_, one in policy.ordered(conn, list(documents)).items()}
    now = after(doing.course, found, doing.now_ms, orders)
    store.save(conn, doing.number, doing.course, now)
    if now.status != doing.course.status:
        store.changed(conn, doing.number, doing.who, doing.now_ms)
    store.note(conn, doing.number, [event for step in found if (event := _told(doing, step))])
    return now


# What a device has become another kind for cannot be told it: nothing is ordered, and it counts as changed by others.
_NOTHING = Ordered("", "", 0, "", 0)


def _fits(document: dict[str, Any], kind: str) -> bool:
    try:
        read_document(document, kind)
    except BadDocument:
        return False
    return True


def _told(doing: _Doing, step: Step) -> Event | None:
    """A step as the history tells it; what a person did is told already."""
    if isinstance(step, Move):
        return _event(doing, step.to, step.device, step.why, step.detail)
    if isinstance(step, Release | Restore):
        return _event(doing, "released" if isinstance(step, Release) else "restored", step.device)
    if isinstance(step, Begin):
        return Event(doing.now_ms, "", "begin", "", "", str(step.stage))
    if isinstance(step, Turn) and not doing.who:
        return Event(doing.now_ms, "", step.to, "", "", "")
    return None


def _event(doing: _Doing, what: str, device: int, why: str = "", detail: str = "") -> Event:
    return Event(doing.now_ms, doing.who, what, doing.course.members[device].name, why, detail)
