"""Pages of the disaster switch: asking, a second person's word, what access points do, the end, and the evidence."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from fastapi.responses import StreamingResponse

from hub import pages, shown
from hub.db import Connection
from hub.guard import Who, fresh, need, read_form
from hub.live import Change
from hub.stream import stream
from hub.wifi import disaster
from hub.wifi import disaster_store as store
from hub.wifi.disaster import ACTS, Act, Run

router = APIRouter()

_PAUSE_S = 0.5
_LISTED = 50
_PRESSES = 20
_REASON = 200
_NAMES = 20

Seer = Annotated[Who, Depends(need("wifi"))]
Asker = Annotated[Who, Depends(need("disaster"))]
# Four eyes are worth nothing on somebody else's open screen: whoever confirms has just said who they are.
SureConfirmer = Annotated[Who, Depends(fresh("disaster"))]
Form = Annotated[dict[str, str], Depends(read_form)]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]


@router.get("/wifi/disaster")
def switch(request: Request, who: Seer) -> Response:
    """What runs, what waits for a second person, when a drill is due, and everything that was."""
    now_ms = pages.now_ms()

    def gather(conn: Connection) -> dict[str, Any]:
        runs = store.runs(conn, _LISTED)
        begun = store.begun(conn, runs)
        return {
            "found": [(one, disaster.status(one, now_ms, begun=one.run in begun)) for one in runs],
            "open_runs": store.open_runs(conn, now_ms),
            "due_ms": store.drill_due_ms(conn),
            "presses": store.pressed(conn, _PRESSES),
        }

    values = request.app.state.db.read(gather)
    return pages.page(request, "disaster.html", who, now_ms=now_ms, marks_of=disaster.MARK_OF_STATUS, **values)


# ---- asking


@router.get("/wifi/disaster/new")
def new(request: Request, who: Asker, drill: bool = False) -> Response:  # noqa: FBT001, FBT002
    """Why, for how long, where."""
    return _new(request, who, {"drill": "yes" if drill else ""})


def _new(request: Request, who: Who, form: dict[str, str], wrong: str = "") -> Response:
    drill = form.get("drill") == "yes"

    def gather(conn: Connection) -> dict[str, Any]:
        return {"places": store.all_places(conn), "points": len(store.targets(conn, ()))}

    return pages.page(
        request,
        "disaster_new.html",
        who,
        400 if wrong else 200,
        drill=drill,
        form=form,
        wrong=wrong,
        longest=_REASON,
        lasts=disaster.DRILL_LASTS if drill else disaster.LASTS,
        **request.app.state.db.read(gather),
    )


@router.post("/wifi/disaster")
def ask(request: Request, who: Asker, form: Form) -> Response:
    """Asks for it; nothing happens on the air before another person confirms."""
    state, now_ms = request.app.state, pages.now_ms()

    def write(conn: Connection) -> int | str:
        asked = _asked(conn, form, who.person.name, now_ms)
        return asked if isinstance(asked, str) else store.ask(conn, asked, now_ms)

    made: int | str = state.db.write_now(write)
    if isinstance(made, str):
        return _new(request, who, form, made)
    state.live.tell(Change(at_ms=now_ms))
    return pages.to(f"/wifi/disaster/{made}")


def _asked(conn: Connection, form: dict[str, str], who: str, now_ms: int) -> Run | str:
    """What a form asks for, or the field that is wrong."""
    drill, reason = form.get("drill") == "yes", " ".join(form.get("reason", "").split())
    text = form.get("minutes", "")
    minutes = int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0
    known = [place for place, _ in store.all_places(conn)]
    chosen = tuple(place for number, place in enumerate(known) if form.get(f"place_{number}") == place)
    some = form.get("where") == "some"
    if not reason or len(reason) > _REASON:
        return "reason"
    if not disaster.lasting(minutes, drill=drill):
        return "minutes"
    if some and not chosen:
        return "places"
    places = chosen if some else ()
    if not store.targets(conn, places):
        return "nobody"
    if drill and store.real_runs(conn, now_ms):
        return "runs"
    day = shown.day_of(now_ms).replace("-", "")
    name = f"{'drill' if drill else 'disaster'}-{day}-{secrets.token_hex(3)}"
    return Run(0, name, drill, reason, minutes, places, now_ms, who, "", None, "", None, None, "")


# ---- one


@router.get("/wifi/disaster/{number}")
def one_run(request: Request, who: Seer, number: Number) -> Response:
    """One run, and what may be done with it."""
    return _one_run(request, who, number)


def _one_run(request: Request, who: Who, number: int, refused: str = "") -> Response:
    values = request.app.state.db.read(lambda conn: _gather(conn, number, who))
    return pages.page(request, "disaster_one.html", who, 409 if refused else 200, refused=refused, **values)


@router.get("/wifi/disaster/{number}/events")
def run_events(request: Request, who: Seer, number: Number) -> StreamingResponse:
    """The same, anew whenever an access point was heard (server-sent events)."""
    language = pages.language_of(request)
    request.app.state.db.read(lambda conn: _gather(conn, number, who))

    def render(conn: Connection) -> str:
        return pages.fragment("_disaster.html", language, who=who, **_gather(conn, number, who))

    return stream(request, "disaster", lambda change: True, render, _PAUSE_S)


@router.get("/wifi/disaster/{number}/evidence")
def evidence(request: Request, who: Seer, number: Number) -> Response:
    """Everything that is known of a run, to print."""
    values = request.app.state.db.read(lambda conn: _gather(conn, number, who))
    return pages.page(request, "disaster_evidence.html", who, **values)


def _gather(conn: Connection, number: int, who: Who) -> dict[str, Any]:
    run, now_ms = store.run(conn, number), pages.now_ms()
    if run is None:
        raise HTTPException(404)
    begun = run.run in store.begun(conn, [run])
    status = disaster.status(run, now_ms, begun=begun)
    points = [
        (one, *disaster.point_state(one.said, one.given, now_ms, over=status == "ended"))
        for one in store.points(conn, run, now_ms)
    ]
    real_runs = store.real_runs(conn, now_ms)
    cannot = {do: _cannot(run, do, who, now_ms, real_runs=real_runs) for do in ACTS}
    return {
        "run": run,
        "far": status,
        "points": points,
        "tally": {mark: sum(disaster.MARK[state] == mark for _, state, _ in points) for mark in disaster.MARK.values()},
        "cannot": cannot,
        "mark_of": disaster.MARK,
        "mark": disaster.MARK_OF_STATUS[status],
        "lapses_ms": run.asked_ms + disaster.ASKED_FOR_MS,
        "now_ms": now_ms,
    }


def _cannot(run: Run, do: Act, who: Who, now_ms: int, *, real_runs: bool) -> str:
    found = disaster.why_not(run, do, who.person.name, now_ms, may=who.may("disaster"), real_runs=real_runs)
    return found or ""


@router.post("/wifi/disaster/{number}")
def end_or_withdraw(request: Request, who: Asker, form: Form, number: Number) -> Response:
    """One person ends it, says no, or takes back what they asked for."""
    return _act(request, who, form, number, frozenset({"end", "withdraw", "refuse"}))


@router.post("/wifi/disaster/{number}/confirmation")
def confirm(request: Request, who: SureConfirmer, form: Form, number: Number) -> Response:
    """A second person confirms."""
    return _act(request, who, form, number, frozenset({"confirm"}))


def _act(request: Request, who: Who, form: dict[str, str], number: int, known: frozenset[Act]) -> Response:
    state, now_ms = request.app.state, pages.now_ms()
    do: Act | None = next((one for one in known if one == form.get("do")), None)
    if do is None:
        raise HTTPException(400)
    if do in ("confirm", "end") and form.get("sure") != "yes":
        values = state.db.read(lambda conn: _gather(conn, number, who))
        if values["cannot"][do]:
            return _one_run(request, who, number, values["cannot"][do])
        return pages.page(request, "disaster_confirm.html", who, act=do, names_shown=_NAMES, **values)

    def write(conn: Connection) -> str | list[str]:
        run = store.run(conn, number)
        if run is None:
            raise HTTPException(404)
        refused = _cannot(run, do, who, now_ms, real_runs=store.real_runs(conn, now_ms))
        return refused or _carry_out(conn, state.signing, run, do, who.person.name, now_ms)

    done: str | list[str] = state.db.write_now(write)
    if isinstance(done, str):
        return _one_run(request, who, number, done)
    state.down.wake()
    state.live.tell(Change(frozenset(done), at_ms=now_ms))
    return pages.to(f"/wifi/disaster/{number}")


def _carry_out(conn: Connection, signing: Any, run: Run, do: Act, who: str, now_ms: int) -> list[str]:
    """Does it; the access points that it is about."""
    match do:
        case "confirm":
            return store.confirm(conn, signing, run, who, now_ms)
        case "end":
            return store.end(conn, signing, run, who, now_ms)
        case "refuse":
            store.refuse(conn, run, who, now_ms)
        case _:
            store.withdraw(conn, run, who, now_ms)
    return []
