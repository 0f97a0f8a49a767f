"""Pages of ordered settings: groups, what they say, what would change, and publishing it.

What a group says is written down first and published afterwards, when somebody has seen what it changes for whom.
"""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response

from hub import audit, pages
from hub.db import Connection
from hub.fleet import groups as inventory
from hub.guard import Who, need, read_form
from hub.policy import device_web, form, group_store, merge, store
from hub.policy import preview as previews
from hub.policy.form import Section, Wrong
from hub.policy.group_store import RANKS, Group, GroupKind
from hub.policy.preview import Preview
from wire.policy import KINDS, BadDocument

router = APIRouter()
router.include_router(device_web.router)

Form = Annotated[dict[str, str], Depends(read_form)]
Configurer = Annotated[Who, Depends(need("configure"))]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]

_NAMES_SHOWN = 30
_STANDINGS_SHOWN = 200


@router.get("/policy")
def policy_page(request: Request, who: Configurer) -> Response:
    """Groups, what waits to be published, and which devices are not in step."""
    return _policy(request, who)


def _policy(request: Request, who: Who, error: str = "") -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        standings = previews.standings(conn)
        apart = [one for one in standings if one.word not in ("in_step", "never_ordered")]
        groups = group_store.groups(conn)
        found = previews.preview(conn)
        return {
            "groups": groups,
            "known_settings": form.NAMES,
            "members": _members(conn),
            "preview": found,
            "apart": apart[:_STANDINGS_SHOWN],
            "apart_n": len(apart),
            "in_step": sum(one.word == "in_step" for one in standings),
            "known": len(standings),
            "publications": store.publications(conn),
            "free": _free(conn, groups),
        }

    values = request.app.state.db.read(gather)
    return pages.page(request, "policy.html", who, 400 if error else 200, error=error, **values)


def _members(conn: Connection) -> dict[int, int]:
    """How many devices each group has."""
    counted: dict[int, int] = {}
    for groups in group_store.groups_of(conn).values():
        for one in groups:
            counted[one.id] = counted.get(one.id, 0) + 1
    return counted


@router.post("/policy/groups")
def add_group(request: Request, who: Configurer, sent: Form) -> Response:
    """A new group, which says nothing yet."""
    kind, _, name = sent.get("which", "").partition("/")
    now = pages.now_ms()

    def add(conn: Connection) -> int | None:
        known = next((one for one in _free(conn, group_store.groups(conn)) if one == (kind, name)), None)
        if known is None:
            return None
        audit.note(conn, now, who.person.name, "policy_group", name, kind)
        return group_store.add_group(conn, *known, 5, now, who.person.name)

    number = request.app.state.db.write_now(add)
    if number is None:
        return _policy(request, who, "policy_no_such_group")
    return pages.to(f"/policy/groups/{number}")


def _free(conn: Connection, groups: list[Group]) -> list[tuple[GroupKind, str]]:
    """What could be a group and is none yet: every kind, and the places and tags of the inventory."""
    could_be: list[tuple[GroupKind, str]] = [("kind", kind) for kind in KINDS]
    could_be += [("place", place) for place in inventory.places(conn)]
    could_be += [("tag", tag) for tag in inventory.tags(conn)]
    taken = {(one.kind, one.name) for one in groups}
    return [one for one in could_be if one not in taken]


@router.get("/policy/groups/{number}")
def group_page(
    request: Request, who: Configurer, number: Number, section: Section = "common", saved: str = ""
) -> Response:
    """What a group says, section by section, as a form."""
    return _group(request, who, number, section, saved=saved == "yes")


def _group(
    request: Request,
    who: Who,
    number: int,
    section: Section,
    *,
    saved: bool = False,
    wrong: Wrong | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        group = _found(conn, number)
        return {
            "group": group,
            "known_settings": form.NAMES,
            "members": _members(conn).get(number, 0),
            "said_before": group_store.said_before(conn, number),
            "waiting": previews.preview(conn).count,
        }

    values = request.app.state.db.read(gather)
    group: Group = values["group"]
    sections = form.sections_of(group.name if group.kind == "kind" else "")
    if section not in sections:
        section = "common"
    return pages.page(
        request,
        "policy_group.html",
        who,
        400 if wrong else 200,
        section=section,
        sections=sections,
        fields=form.filled(group.document, section),
        typed=typed or {},
        wrong=wrong,
        saved=saved,
        ranks=RANKS,
        raw=_raw(group.document),
        **values,
    )


def _raw(document: merge.Document) -> str:
    """A layer as it is kept, for the curious."""
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=2).decode()


@router.post("/policy/groups/{number}")
def change_group(request: Request, who: Configurer, sent: Form, number: Number) -> Response:
    """Saves a section, goes back to what was said before, changes the rank, or removes the group."""
    section = form.section_of(sent.get("section"))
    do = {"save": _save, "back": _back, "rank": _rank, "remove": _remove}.get(sent.get("do", ""))
    if do is None:
        raise HTTPException(400)
    if sent.get("do") == "remove" and sent.get("sure") != "yes":
        group = request.app.state.db.read(lambda conn: _found(conn, number))
        return pages.page(request, "policy_remove.html", who, group=group)
    try:
        going_to: str = request.app.state.db.write_now(lambda conn: do(conn, who, number, sent, section))
    except Wrong as wrong:
        return _group(request, who, number, section, wrong=wrong, typed=sent)
    return pages.to(going_to, section=section, saved="yes") if going_to != "/policy" else pages.to(going_to)


def _save(conn: Connection, who: Who, number: int, sent: dict[str, str], section: Section) -> str:
    group = _found(conn, number)
    document = form.taken(group.document, section, sent)
    if document != group.document:
        _say(conn, who, group, document)
    return f"/policy/groups/{number}"


def _back(conn: Connection, who: Who, number: int, sent: dict[str, str], _section: Section) -> str:
    group = _found(conn, number)
    said = next((one for one in group_store.said_before(conn, number) if str(one.id) == sent.get("said")), None)
    if said is None:
        raise HTTPException(404)
    _say(conn, who, group, said.document)
    return f"/policy/groups/{number}"


def _say(conn: Connection, who: Who, group: Group, document: merge.Document) -> None:
    try:
        group_store.say(conn, group.id, document, pages.now_ms(), who.person.name)
    except BadDocument as error:
        raise HTTPException(400) from error
    changed = device_web.told(merge.differences(group.document, document))
    audit.note(conn, pages.now_ms(), who.person.name, "policy_group", group.name, changed)


def _rank(conn: Connection, who: Who, number: int, sent: dict[str, str], _section: Section) -> str:
    rank = next((known for known in RANKS if str(known) == sent.get("rank")), None)
    group = _found(conn, number)
    if rank is None:
        raise HTTPException(400)
    group_store.set_rank(conn, number, rank)
    audit.note(conn, pages.now_ms(), who.person.name, "policy_group", group.name, f"rank: {group.rank} → {rank}")
    return f"/policy/groups/{number}"


def _remove(conn: Connection, who: Who, number: int, _sent: dict[str, str], _section: Section) -> str:
    group = _found(conn, number)
    group_store.remove_group(conn, number)
    audit.note(conn, pages.now_ms(), who.person.name, "policy_group_removed", group.name)
    return "/policy"


def _found(conn: Connection, number: int) -> Group:
    group = group_store.group(conn, number)
    if group is None:
        raise HTTPException(404)
    return group


# ---- publishing


@router.get("/policy/changes")
def changes(request: Request, who: Configurer, group: int = 0, published: int = 0) -> Response:
    """What would change for which devices; `group` shows only its members."""
    return _changes(request, who, group, published=published)


def _changes(request: Request, who: Who, group: int, *, published: int = 0, stale: bool = False) -> Response:
    found, chosen = request.app.state.db.read(lambda conn: _preview(conn, group))
    groups = request.app.state.db.read(group_store.groups)
    return pages.page(
        request,
        "policy_changes.html",
        who,
        409 if stale else 200,
        known_settings=form.NAMES,
        preview=found,
        chosen=chosen,
        groups=groups,
        published=published,
        stale=stale,
        names_shown=_NAMES_SHOWN,
    )


def _preview(conn: Connection, group: int) -> tuple[Preview, Group | None]:
    if not group:
        return previews.preview(conn), None
    chosen = group_store.group(conn, group)
    if chosen is None:
        raise HTTPException(404)
    members = [id_ for id_, groups in group_store.groups_of(conn).items() if any(one.id == group for one in groups)]
    return previews.preview(conn, members), chosen


@router.post("/policy/publish")
def publish(request: Request, who: Configurer, sent: Form) -> Response:
    """Publishes what was looked at; when it is something else by now, that is shown first."""
    state, now = request.app.state, pages.now_ms()
    group = int(sent["group"]) if sent.get("group", "").isascii() and sent.get("group", "").isdecimal() else 0
    if group > pages.LAST_ID:
        raise HTTPException(404)

    def write(conn: Connection) -> int | None:
        found, chosen = _preview(conn, group)
        if found.fingerprint != sent.get("fingerprint"):
            return None
        store.publish_many(conn, state.signing, found.documents, now, who.person.name)
        what = chosen.name if chosen else ""
        audit.note(conn, now, who.person.name, "policy_publish", what, _who_gets(found))
        return found.count

    count = state.db.write_now(write)
    if count is None:
        return _changes(request, who, group, stale=True)
    state.down.wake()
    return pages.to("/policy/changes", published=str(count), **({"group": str(group)} if group else {}))


def _who_gets(found: Preview) -> str:
    names = [device.name for one in found.alike for device in one.devices]
    more = f" … ({len(names)})" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
