"""Roll-outs: proposed by one person's token, approved by another's, followed device by device."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from hub import audit, pages
from hub.api.gate import Caller, scope
from hub.api.model import LAST_ID, WHOLE, DeviceName, Limit, Model, Number
from hub.api.policy import of_group
from hub.api.problem import Refused
from hub.db import Connection
from hub.rollout import progress, store
from hub.rollout.acts import Act, Asked
from hub.rollout.plan import DAY_MS, Plan, propose

router = APIRouter(tags=["rollouts"])
Reader = Annotated[Caller, Depends(scope("rollouts:read"))]
Writer = Annotated[Caller, Depends(scope("rollouts:write"))]
Approver = Annotated[Caller, Depends(scope("rollouts:approve"))]
Milliseconds = Annotated[int, Field(ge=60_000, le=30 * DAY_MS), WHOLE]

_WHY_NOT = {
    "status": "that cannot be done as the roll-out stands",
    "own": "whoever made a roll-out does not approve it",
    "device": "that cannot be done to this device now",
    "group": "that cannot be done to this group now",
}


class Member(Model):
    """A device of a roll-out."""

    device: str
    group: int
    state: str
    why: str
    detail: str
    late: bool


class Rollout(Model):
    """A roll-out in short: how many devices are in which state."""

    id: int
    title: str
    status: str
    made_by: str
    made_ms: int
    approved_by: str
    counts: dict[str, int]


class OneRollout(Model):
    """A roll-out with its devices."""

    rollout: Rollout
    stage: int
    groups: list[str]
    members: list[Member]


class Rollouts(Model):
    """The newest roll-outs."""

    items: list[Rollout]


class New(Model):
    """Proposes what the preview of a group (or of all) shows, in the usual order of groups; `first` are to try it."""

    title: Annotated[str, Field(min_length=1, max_length=80)]
    fingerprint: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    group: Annotated[int, Field(ge=1, le=LAST_ID), WHOLE] | None = None
    first: Annotated[list[DeviceName], Field(max_length=50, default_factory=list)]
    soak_ms: Milliseconds = 600_000
    deadline_ms: Milliseconds = 1_800_000
    offline: Literal["skip", "wait"] = "skip"


class Doing(Model):
    """What is to be done; `device` and `group` (its number in the roll-out) for what is about one of them."""

    act: Literal["pause", "resume", "skip_device", "skip_group", "retry_device", "abort", "take_back"]
    device: DeviceName | None = None
    group: Annotated[int, Field(ge=0, le=10_000), WHOLE] = 0


class Approval(Model):
    """A second person's word."""

    approved: bool


@router.get("/rollouts")
def rollouts(request: Request, caller: Reader, limit: Limit = 50) -> Rollouts:
    """The newest roll-outs."""
    found = request.app.state.db.read(lambda conn: store.summaries(conn, limit))
    return Rollouts(items=[_rollout(one) for one in found])


@router.get("/rollouts/{number}")
def one_rollout(request: Request, caller: Reader, number: Number) -> OneRollout:
    """One roll-out."""
    return request.app.state.db.read(lambda conn: _one(conn, number))  # type: ignore[no-any-return]


@router.post("/rollouts", status_code=201)
async def make(request: Request, caller: Writer, new: New) -> OneRollout:
    """Proposes a roll-out; 409 when nothing would change, something else would by now, or a device is in another."""
    state = request.app.state

    def write(conn: Connection) -> int:
        found, now_ms = of_group(conn, new.group), pages.now_ms()
        if found.fingerprint != new.fingerprint:
            raise Refused(409, "what would be published is something else by now; look at /policy/preview again")
        if not found.documents:
            raise Refused(409, "there is nothing to change")
        devices = progress.candidates(conn, list(found.documents))
        if busy := progress.busy(conn, devices):
            raise Refused(409, f"in another roll-out that is open: {', '.join(busy[:20])}")
        laid = propose(devices, new.first)
        plan = Plan(laid.groups, soak_ms=new.soak_ms, deadline_ms=new.deadline_ms, offline=new.offline)
        entries = progress.entries(conn, devices, laid.group_of, found.documents)
        audit.note(conn, now_ms, caller.who, "rollout_make", new.title, f"{len(devices)}")
        return store.make(conn, new.title, plan, entries, now_ms, caller.who)

    number = await state.db.write(write)
    state.rollouts.wake(number)
    return await state.db.aread(lambda conn: _one(conn, number))  # type: ignore[no-any-return]


@router.post("/rollouts/{number}/acts")
async def act(request: Request, caller: Writer, number: Number, doing: Doing) -> OneRollout:
    """Pauses, resumes, skips, sends once more, aborts or takes back; 409 when it cannot be done now."""
    return await _do(request, caller, number, doing.act, doing.device, doing.group)


@router.put("/rollouts/{number}/approval")
async def approve(request: Request, caller: Approver, number: Number, approval: Approval) -> OneRollout:
    """A second person says yes or no; 409 from whoever made it."""
    return await _do(request, caller, number, "approve" if approval.approved else "decline")


async def _do(
    request: Request, caller: Caller, number: int, what: Act, device: str | None = None, group: int = 0
) -> OneRollout:
    state = request.app.state

    def write(conn: Connection) -> None:
        course = store.course(conn, number)
        if course is None:
            raise Refused(404, f"there is no roll-out {number}")
        id_ = next((one.device for one in course.members.values() if one.name == device), 0)
        refused = progress.do(conn, state.signing, number, Asked(what, caller.who, id_, group), pages.now_ms())
        if refused is not None:
            raise Refused(409, _WHY_NOT[refused])

    await state.db.write(write)
    state.down.wake()
    state.rollouts.wake(number)
    return await state.db.aread(lambda conn: _one(conn, number))  # type: ignore[no-any-return]


def _rollout(one: store.Summary) -> Rollout:
    head = one.head
    return Rollout(
        id=head.id,
        title=head.title,
        status=head.status,
        made_by=head.made_by,
        made_ms=head.made_ms,
        approved_by=head.approved_by,
        counts={str(state): count for state, count in one.counts.items()},
    )


def _one(conn: Connection, number: int) -> OneRollout:
    head, course = store.head(conn, number), store.course(conn, number)
    if head is None or course is None:
        raise Refused(404, f"there is no roll-out {number}")
    members = sorted(course.members.values(), key=lambda one: (one.group, one.name))
    counts: dict[str, int] = {}
    for one in members:
        counts[one.state] = counts.get(one.state, 0) + 1
    return OneRollout(
        rollout=Rollout(
            id=head.id,
            title=head.title,
            status=head.status,
            made_by=head.made_by,
            made_ms=head.made_ms,
            approved_by=head.approved_by,
            counts=counts,
        ),
        stage=course.stage,
        groups=[group.name for group in course.plan.groups],
        members=[
            Member(device=one.name, group=one.group, state=one.state, why=one.why, detail=one.detail, late=one.late)
            for one in members
        ],
    )
