"""The page of one device's settings: ordered and actual side by side, drift, its own layer, earlier versions."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, get_args

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from hub import audit, pages
from hub.db import Connection
from hub.guard import Who, need, read_form
from hub.policy import calendar, form, group_store, merge, store
from hub.policy import preview as previews
from hub.policy.form import Section, Wrong
from hub.policy.group_store import Device
from hub.signing import Signing
from hub.stream import stream
from wire.policy import BadDocument

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Configurer = Annotated[Who, Depends(need("configure"))]
Did = Literal["save", "publish", "repair", "accept", "back"]

_PAUSE_S = 0.5
_DETAIL = 500


class NotWhole(Exception):
    """What a device found is too long to be known whole, so it cannot be taken over."""


@router.get("/devices/{name}/policy")
def device_policy(request: Request, who: Configurer, name: str, section: Section = "common", did: str = "") -> Response:
    """One device: ordered and actual settings, and what it says itself."""
    return _page(request, who, name, section, did=did)


def _page(
    request: Request,
    who: Who,
    name: str,
    section: Section,
    *,
    did: str = "",
    wrong: Wrong | None = None,
    typed: dict[str, str] | None = None,
    error: str = "",
) -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        now = _now(conn, name)
        device: Device = now["device"]
        own = group_store.own(conn, device.id)
        sections = form.sections_of(device.kind)
        chosen = section if section in sections else "common"
        return {
            **now,
            "own": own,
            "raw": msgspec.json.format(msgspec.json.encode(own, order="sorted"), indent=2).decode(),
            "groups": group_store.groups_of(conn, [device.id])[device.id],
            "history": store.history(conn, device.id),
            "sections": sections,
            "section": chosen,
            "fields": form.filled(own, chosen),
        }

    values = request.app.state.db.read(gather)
    known = did if did in get_args(Did) else ""
    return pages.page(
        request,
        "policy_device.html",
        who,
        400 if wrong or error else 200,
        did=known,
        wrong=wrong,
        typed=typed or {},
        error=error,
        **values,
    )


@router.get("/devices/{name}/policy/events")
def device_policy_events(request: Request, who: Configurer, name: str) -> StreamingResponse:
    """How it is with its settings, anew whenever it was heard (server-sent events)."""
    language = pages.language_of(request)
    request.app.state.db.read(lambda conn: _now(conn, name))

    def render(conn: Connection) -> str:
        return pages.fragment("policy_now.html", language, csrf=who.csrf, **_now(conn, name))

    return stream(request, "policy", lambda change: name in change.devices, render, _PAUSE_S)


def _now(conn: Connection, name: str) -> dict[str, Any]:
    device = _device(conn, name)
    (standing,) = previews.standings(conn, [device.id])
    folded = store.folded(conn, [device.id])[device.id]
    before = calendar.without_holidays(standing.ordered.document) if standing.ordered else {}
    return {
        "device": device,
        "known_settings": form.NAMES,
        "standing": standing,
        "folded": folded,
        "settings": previews.settings(standing, folded),
        "waiting": previews.changes(before, folded.document),
    }


def _device(conn: Connection, name: str) -> Device:
    device = group_store.device(conn, name)
    if device is None:
        raise HTTPException(404)
    return device


@router.post("/devices/{name}/policy")
def change_device_policy(request: Request, who: Configurer, sent: Form, name: str) -> Response:
    """Saves the device's own layer, publishes, repairs or accepts drift, or goes back to what was ordered before."""
    do = _ACTS.get(sent.get("do", ""))
    section = form.section_of(sent.get("section"))
    if do is None:
        raise HTTPException(400)
    act = _Act(who, request.app.state.signing, sent, section, pages.now_ms())
    try:
        request.app.state.db.write_now(lambda conn: do(conn, act, _device(conn, name)))
    except Wrong as wrong:
        return _page(request, who, name, section, wrong=wrong, typed=sent)
    except NotWhole:
        return _page(request, who, name, section, error="policy_not_whole")
    except BadDocument as error:
        raise HTTPException(400) from error
    request.app.state.down.wake()
    return pages.to(f"/devices/{name}/policy", section=section, did=sent["do"])


class _Act(msgspec.Struct, frozen=True):
    """Who does it, with what they sent."""

    who: Who
    signing: Signing
    sent: dict[str, str]
    section: Section
    now_ms: int

    @property
    def name(self) -> str:
        return self.who.person.name


def _save(conn: Connection, act: _Act, device: Device) -> None:
    own = group_store.own(conn, device.id)
    document = form.taken(own, act.section, act.sent)
    if document == own:
        return
    group_store.say_own(conn, device.id, document, act.now_ms, act.name)
    audit.note(conn, act.now_ms, act.name, "policy_own", device.name, told(merge.differences(own, document)))


def _publish(conn: Connection, act: _Act, device: Device) -> None:
    folded = store.folded(conn, [device.id])[device.id]
    if folded.conflicts:
        raise HTTPException(409)
    generation = store.publish(conn, act.signing, device.id, folded.document, act.now_ms, act.name)
    audit.note(conn, act.now_ms, act.name, "policy_publish", device.name, f"#{generation}")


def _repair(conn: Connection, act: _Act, device: Device) -> None:
    """The same again as a new generation: the device writes all of it anew."""
    ordered = store.ordered(conn, [device.id]).get(device.id)
    if ordered is None:
        raise HTTPException(409)
    generation = store.publish(conn, act.signing, device.id, ordered.document, act.now_ms, act.name)
    audit.note(conn, act.now_ms, act.name, "policy_repair", device.name, f"#{generation}")


def _accept(conn: Connection, act: _Act, device: Device) -> None:
    """What was found becomes what the device itself says."""
    report = store.reports(conn, [device.id]).get(device.id)
    if report is None or not report.drift:
        raise HTTPException(409)
    own = group_store.own(conn, device.id)
    document = previews.accepted(own, report)
    if document is None:
        raise NotWhole
    ordered = store.ordered(conn, [device.id]).get(device.id)
    group_store.say_own(conn, device.id, document, act.now_ms, act.name)
    # Only what was found: what the groups say meanwhile is published when somebody has looked at it.
    found = merge.settled(merge.merged(ordered.document if ordered else {}, previews.accepted({}, report) or {}))
    store.publish(conn, act.signing, device.id, found, act.now_ms, act.name)
    audit.note(conn, act.now_ms, act.name, "policy_accept", device.name, told(merge.differences(own, document)))


def _back(conn: Connection, act: _Act, device: Device) -> None:
    """What was ordered before counts again, and the device itself says so from now on, whatever its groups say."""
    before = next(
        (
            one
            for one in store.history(conn, device.id)
            if f"{one.incarnation}/{one.generation}" == act.sent.get("generation")
        ),
        None,
    )
    if before is None:
        raise HTTPException(404)
    own = group_store.own(conn, device.id)
    group_store.say_own(conn, device.id, {}, act.now_ms, act.name)
    below = store.folded(conn, [device.id])[device.id]
    wanted = calendar.without_holidays(before.document)
    group_store.say_own(conn, device.id, merge.pinned(below.document, wanted), act.now_ms, act.name)
    store.publish(conn, act.signing, device.id, wanted, act.now_ms, act.name)
    changed = told(merge.differences(own, group_store.own(conn, device.id)))
    audit.note(conn, act.now_ms, act.name, "policy_back", device.name, f"#{before.generation} {changed}")


_ACTS: dict[str, Callable[[Connection, _Act, Device], None]] = {
    "save": _save,
    "publish": _publish,
    "repair": _repair,
    "accept": _accept,
    "back": _back,
}


def told(differences: Iterable[merge.Difference]) -> str:
    """What changed, for the audit log."""
    parts = (f"{one.key}: {_short(one.before)} → {_short(one.after)}" for one in differences)
    return "; ".join(parts)[:_DETAIL]


def _short(value: object) -> str:
    return "–" if value is None else form.written(value)[:80]
