"""Ordered settings: groups and what they say, what each device is ordered and has, what would change, publishing it."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from hub import audit, pages
from hub.api.gate import Caller, scope
from hub.api.model import LAST_ID, WHOLE, Limit, Model, Name, NameCursor, Number, Page, part
from hub.api.problem import Refused
from hub.db import Connection
from hub.db import Refused as Taken
from hub.policy import group_store, merge, preview, store
from hub.policy.group_store import Group as Row
from wire.policy import BadDocument, Layer

router = APIRouter(tags=["policy"])
Reader = Annotated[Caller, Depends(scope("policy:read"))]
Writer = Annotated[Caller, Depends(scope("policy:write"))]
OfGroup = Annotated[int | None, Query(ge=1, le=LAST_ID, description="Only devices of this group.")]
_DETAIL = 500


def layer_schemas() -> dict[str, Any]:
    """What a layer may say, as the wire has it, by name; the references are to the API's own document."""
    _, schemas = msgspec.json.schema_components([Layer], ref_template="#/components/schemas/{name}")
    # Plain values: lists, no tuples; a regular expression of the document ends with `$`.
    return msgspec.json.decode(msgspec.json.encode(schemas).replace(rb"\\Z", b"$"))  # type: ignore[no-any-return]


class Group(Model):
    """A group and what it says."""

    id: int
    kind: str
    name: str
    rank: int
    document: dict[str, Any]
    changed_ms: int
    who: str


class Groups(Model):
    """All groups, in the order of precedence, the lowest first."""

    items: list[Group]


class NewGroup(Model):
    """A group that says nothing yet; `name` is a kind, a place or a tag."""

    kind: Literal["kind", "place", "tag"]
    name: Annotated[str, Field(min_length=1, max_length=60)]
    rank: Annotated[int, Field(ge=1, le=9), WHOLE] = 5


class Saying(Model):
    """What a group says from now on; nothing is published by that."""

    document: dict[str, Any]


class Standing(Model):
    """A device: what it is ordered, what it reported, and how that is in one word."""

    device: str
    word: str
    incarnation: str
    generation: int
    ordered_ms: int | None
    document: dict[str, Any]
    seen: int | None
    applied: int | None
    result: str
    error: str
    drift: list[str]
    reported_ms: int | None


class Change(Model):
    """One setting that would change; null where it is not said."""

    key: str
    before: Any
    after: Any


class Alike(Model):
    """Devices for which the same would change."""

    devices: list[str]
    first: bool
    changes: list[Change]


class Preview(Model):
    """What would be published, and the fingerprint with which exactly that is; `undecided` devices are left out."""

    fingerprint: str
    devices: int
    alike: list[Alike]
    undecided: list[str]


class Publishing(Model):
    """Publishes exactly what was looked at."""

    fingerprint: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    group: Annotated[int, Field(ge=1, le=LAST_ID), WHOLE] | None = None


class Published(Model):
    """To how many devices."""

    devices: int


@router.get("/policy/groups")
def groups(request: Request, caller: Reader) -> Groups:
    """All groups."""
    return Groups(items=[_group(row) for row in request.app.state.db.read(group_store.groups)])


@router.post("/policy/groups", status_code=201)
async def add_group(request: Request, caller: Writer, new: NewGroup) -> Group:
    """A new group; 409 when there is one already."""

    def write(conn: Connection) -> Group:
        now_ms = pages.now_ms()
        try:
            number = group_store.add_group(conn, new.kind, new.name, new.rank, now_ms, caller.who)
        except Taken as error:
            raise Refused(409, f"there is a group of the {new.kind} {new.name} already") from error
        audit.note(conn, now_ms, caller.who, "policy_group", new.name, new.kind)
        return _group(_found(conn, number))

    return await request.app.state.db.write(write)  # type: ignore[no-any-return]


@router.get("/policy/groups/{number}")
def one_group(request: Request, caller: Reader, number: Number) -> Group:
    """One group."""
    return _group(request.app.state.db.read(lambda conn: _found(conn, number)))


@router.put("/policy/groups/{number}/document")
async def say(request: Request, caller: Writer, number: Number, saying: Saying) -> Group:
    """What a group says from now on."""

    def write(conn: Connection) -> Group:
        group, now_ms = _found(conn, number), pages.now_ms()
        try:
            group_store.say(conn, number, saying.document, now_ms, caller.who)
        except (BadDocument, UnicodeEncodeError) as error:
            raise Refused(422, f"document: {error}") from error
        changed = ", ".join(one.key for one in merge.differences(group.document, saying.document))
        audit.note(conn, now_ms, caller.who, "policy_group", group.name, changed[:_DETAIL])
        return _group(_found(conn, number))

    return await request.app.state.db.write(write)  # type: ignore[no-any-return]


@router.delete("/policy/groups/{number}", status_code=204)
async def remove_group(request: Request, caller: Writer, number: Number) -> None:
    """The group is no more; nothing is published by that."""

    def write(conn: Connection) -> None:
        group = _found(conn, number)
        group_store.remove_group(conn, number)
        audit.note(conn, pages.now_ms(), caller.who, "policy_group_removed", group.name)

    await request.app.state.db.write(write)


@router.get("/policy/devices")
def standings(request: Request, caller: Reader, cursor: NameCursor = None, limit: Limit = 50) -> Page[Standing]:
    """How each device is with what it was ordered, by name."""

    def read(conn: Connection) -> list[preview.Standing]:
        wanted = [one.id for one in group_store.devices(conn) if one.name > (cursor or "")][: limit + 1]
        return preview.standings(conn, wanted)

    found = request.app.state.db.read(read)
    return part([_standing(one) for one in found], limit, [one.device.name for one in found])


@router.get("/policy/devices/{name}")
def one_standing(request: Request, caller: Reader, name: Name) -> Standing:
    """How one device is with what it was ordered."""

    def read(conn: Connection) -> list[preview.Standing]:
        return preview.standings(conn, [one.id for one in group_store.devices(conn) if one.name == name])

    found = request.app.state.db.read(read)
    if not found:
        raise Refused(404, f"there is no device {name}")
    return _standing(found[0])


@router.get("/policy/preview")
def previewed(request: Request, caller: Reader, group: OfGroup = None) -> Preview:
    """What would change for which devices if it were published now."""
    found = request.app.state.db.read(lambda conn: of_group(conn, group))
    return Preview(
        fingerprint=found.fingerprint,
        devices=found.count,
        alike=[
            Alike(
                devices=[device.name for device in one.devices],
                first=one.first,
                changes=[Change(key=each.key, before=each.before, after=each.after) for each in one.differences],
            )
            for one in found.alike
        ],
        undecided=[device.name for device, _ in found.undecided],
    )


@router.post("/policy/publications", status_code=201)
async def publish(request: Request, caller: Writer, publishing: Publishing) -> Published:
    """Publishes what was looked at; 409 when it is something else by now."""
    state = request.app.state

    def write(conn: Connection) -> int:
        found, now_ms = of_group(conn, publishing.group), pages.now_ms()
        if found.fingerprint != publishing.fingerprint:
            raise Refused(409, "what would be published is something else by now; look at /policy/preview again")
        store.publish_many(conn, state.signing, found.documents, now_ms, caller.who)
        names = ", ".join(device.name for one in found.alike for device in one.devices)
        audit.note(conn, now_ms, caller.who, "policy_publish", "", names[:_DETAIL])
        return found.count

    count = await state.db.write(write)
    state.down.wake()
    return Published(devices=count)


def of_group(conn: Connection, group: int | None) -> preview.Preview:
    """What would be published to the members of a group, or to all. Raises Refused."""
    if group is None:
        return preview.preview(conn)
    _found(conn, group)
    members = [id_ for id_, its in group_store.groups_of(conn).items() if any(one.id == group for one in its)]
    return preview.preview(conn, members)


def _found(conn: Connection, number: int) -> Row:
    group = group_store.group(conn, number)
    if group is None:
        raise Refused(404, f"there is no group {number}")
    return group


def _group(row: Row) -> Group:
    return Group(
        id=row.id,
        kind=row.kind,
        name=row.name,
        rank=row.rank,
        document=row.document,
        changed_ms=row.changed_ms,
        who=row.who,
    )


def _standing(one: preview.Standing) -> Standing:
    ordered, report = one.ordered, one.report
    return Standing(
        device=one.device.name,
        word=one.word,
        incarnation=ordered.incarnation if ordered else "",
        generation=ordered.generation if ordered else 0,
        ordered_ms=ordered.made_ms if ordered else None,
        document=ordered.document if ordered else {},
        seen=report.seen if report else None,
        applied=report.applied if report else None,
        result=report.result if report else "",
        error=report.error if report else "",
        drift=[each.key for each in report.drift] if report else [],
        reported_ms=report.received_ms if report else None,
    )
