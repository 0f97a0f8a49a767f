"""Pages of roll-outs: the list, a new one, and one as a picture that goes on by itself."""

from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from hub import audit, pages
from hub.db import Connection
from hub.guard import Who, fresh, need, read_form
from hub.policy import group_store, preview
from hub.rollout import form, picture, progress, store
from hub.rollout.acts import RULES, Act, Asked
from hub.rollout.form import Wrong
from hub.rollout.plan import propose
from hub.stream import stream

router = APIRouter()

_PAUSE_S = 0.5
_LISTED = 50
_NAMES = 12

Seer = Annotated[Who, Depends(need("devices"))]
Configurer = Annotated[Who, Depends(need("configure"))]
# Four eyes are worth nothing on somebody else's open screen: whoever approves has just said who they are.
Approver = Annotated[Who, Depends(fresh("approve"))]
Form = Annotated[dict[str, str], Depends(read_form)]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]
GroupNumber = Annotated[int, Query(ge=0, le=pages.LAST_ID)]


@router.get("/rollouts")
def rollouts(request: Request, who: Seer) -> Response:
    """All roll-outs, newest first."""
    found = request.app.state.db.read(lambda conn: store.summaries(conn, _LISTED))
    return pages.page(request, "rollouts.html", who, found=found, marks_of=picture.MARK_OF_STATUS, ends=picture.ENDS)


# ---- a new one


@router.get("/rollouts/new")
def new(request: Request, who: Configurer, group: GroupNumber = 0, first: str = "") -> Response:
    """What would go to whom, in which order; everything can be changed before it is proposed."""
    return _new(request, who, group, {"first": first})


def _new(request: Request, who: Who, group: int, sent: dict[str, str], *, wrong: str = "", names: str = "") -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        found, chosen = _change(conn, group)
        devices = progress.candidates(conn, list(found.documents))
        named = [name for name in form.parts(sent.get("first", "")) if any(one.name == name for one in devices)]
        proposal = propose(devices, named)
        members = [
            sorted(one.name for one in devices if proposal.group_of[one.id] == number)
            for number in range(len(proposal.groups))
        ]
        return {
            "preview": found,
            "chosen": chosen,
            "groups": list(zip(proposal.groups, members, strict=True)),
            "devices": devices,
            "typed": {**form.defaults(proposal), **sent},
        }

    values = request.app.state.db.read(gather)
    status = (409 if wrong in ("stale", "busy") else 400) if wrong else 200
    return pages.page(
        request, "rollout_new.html", who, status, group=group, wrong=wrong, names=names, names_shown=_NAMES, **values
    )


def _change(conn: Connection, group: int) -> tuple[preview.Preview, group_store.Group | None]:
    """What is written down and not published yet: of one group's devices, or of all."""
    if not group:
        return preview.preview(conn), None
    chosen = group_store.group(conn, group)
    if chosen is None:
        raise HTTPException(404)
    members = [id_ for id_, groups in group_store.groups_of(conn).items() if any(one.id == group for one in groups)]
    return preview.preview(conn, members), chosen


@router.post("/rollouts")
def make(request: Request, who: Configurer, sent: Form) -> Response:
    """Proposes what was looked at; a second person approves it."""
    now, group = pages.now_ms(), _whole(sent.get("group", "0"))

    def write(conn: Connection) -> int | Wrong | list[str]:
        found, _chosen = _change(conn, group)
        if not found.documents or found.fingerprint != sent.get("fingerprint"):
            return Wrong("stale")
        devices = progress.candidates(conn, list(found.documents))
        if busy := progress.busy(conn, devices):
            return busy
        laid = form.read(sent, devices)
        entries = progress.entries(conn, devices, laid.group_of, found.documents)
        audit.note(conn, now, who.person.name, "rollout_make", laid.title, f"{len(devices)}")
        return store.make(conn, laid.title, laid.plan, entries, now, who.person.name)

    try:
        made = request.app.state.db.write_now(write)
    except Wrong as wrong:
        return _new(request, who, group, sent, wrong=wrong.field)
    if isinstance(made, Wrong):
        return _new(request, who, group, sent, wrong=made.field)
    if isinstance(made, list):
        return _new(request, who, group, sent, wrong="busy", names=", ".join(made[:_NAMES]))
    request.app.state.rollouts.wake(made)
    return pages.to(f"/rollouts/{made}")


def _whole(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 19 else -1
    if not 0 <= number <= pages.LAST_ID:
        raise HTTPException(400)
    return number


# ---- one


@router.get("/rollouts/{number}")
def rollout(request: Request, who: Seer, number: Number) -> Response:
    """One roll-out."""
    return _rollout(request, who, number)


def _rollout(request: Request, who: Who, number: int, refused: str = "") -> Response:
    values = request.app.state.db.read(lambda conn: _gather(conn, number, who))
    return pages.page(request, "rollout.html", who, 409 if refused else 200, refused=refused, **values)


@router.get("/rollouts/{number}/events")
def rollout_events(request: Request, who: Seer, number: Number) -> StreamingResponse:
    """The same, anew whenever it has gone on (server-sent events)."""
    language = pages.language_of(request)
    request.app.state.db.read(lambda conn: _gather(conn, number, who))

    def render(conn: Connection) -> str:
        return pages.fragment("_rollout.html", language, who=who, **_gather(conn, number, who))

    return stream(request, "rollout", lambda change: number in change.rollouts, render, _PAUSE_S)


def _gather(conn: Connection, number: int, who: Who) -> dict[str, Any]:
    found = picture.picture(conn, number, who, pages.now_ms())
    if found is None:
        raise HTTPException(404)
    return {
        "p": found,
        "mark_of_state": picture.MARK_OF_STATE,
        "mark_of_status": picture.MARK_OF_STATUS,
        "can_retry": picture.can_retry,
        "can_skip": picture.can_skip,
    }


@router.post("/rollouts/{number}")
def act(request: Request, who: Configurer, sent: Form, number: Number) -> Response:
    """Pauses, resumes, skips, sends once more, aborts or takes back."""
    return _act(request, who, sent, number, "configure")


@router.post("/rollouts/{number}/approval")
def approve(request: Request, who: Approver, sent: Form, number: Number) -> Response:
    """A second person says yes or no."""
    return _act(request, who, sent, number, "approve")


def _act(request: Request, who: Who, sent: dict[str, str], number: int, need_: str) -> Response:
    state, known = request.app.state, get_args(Act)
    do: Act | None = next((one for one in known if one == sent.get("do")), None)
    if do is None or RULES[do].need != need_:
        raise HTTPException(400)
    asked = Asked(do, who.person.name, _whole(sent.get("device", "0")), _whole(sent.get("group", "0")))
    head = state.db.read(lambda conn: store.head(conn, number))
    if head is None:
        raise HTTPException(404)
    if RULES[do].asks and sent.get("sure") != "yes":
        course = state.db.read(lambda conn: store.course(conn, number))
        return pages.page(request, "rollout_confirm.html", who, head=head, act=do, asked=asked, course=course)
    refused = state.db.write_now(lambda conn: progress.do(conn, state.signing, number, asked, pages.now_ms()))
    if refused is not None:
        return _rollout(request, who, number, refused)
    state.down.wake()
    state.rollouts.wake(number)
    return pages.to(f"/rollouts/{number}")
