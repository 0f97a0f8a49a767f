"""Pages of commands: all of them, one of them, and giving one to a device or to those of a list."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from fastapi.responses import StreamingResponse

from hub import audit, pages
from hub.db import Connection
from hub.fleet import outbox
from hub.fleet import store as fleet
from hub.fleet.web import Asked, AskedFor, asked_in, lines, matching
from hub.guard import Who, fresh, need, read_form
from hub.live import Change
from hub.orders import giving, store
from hub.orders.giving import CannotOrder, Target
from hub.stream import stream
from wire.orders import VERBS, Verb

router = APIRouter()

_ON_A_PAGE = 50
_PAUSE_S = 0.3
_NAMES_SHOWN = 30

Form = Annotated[dict[str, str], Depends(read_form)]
Giver = Annotated[Who, Depends(need("order"))]
prove_again = fresh("order")


def _giver(request: Request, form: Form, who: Giver) -> Who:
    """Who gives a command; for one that takes everything away, somebody who proved a moment ago who they are."""
    return prove_again(request, form, who) if form.get("order") == "wipe" and "confirm" in form else who


_giver.need = "order"  # type: ignore[attr-defined]
SureGiver = Annotated[Who, Depends(_giver)]
OrderId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", max_length=32)]


class Choice(msgspec.Struct, frozen=True):
    """What somebody is about to order, of which devices, and how many are left out."""

    verb: Verb
    arguments: dict[str, Any]
    targets: tuple[Target, ...]
    left_out: int = 0


# ---- looking


@router.get("/orders")
def orders(request: Request, who: Giver, before: pages.Before = None, given: str = "", n: int = 0) -> Response:
    """All commands, newest first; the first page updates by itself."""

    def gather(conn: Connection) -> dict[str, Any]:
        return _listed(conn, store.latest(conn, pages.now_ms(), _ON_A_PAGE, before=before))

    values = request.app.state.db.read(gather)
    known = given if given in VERBS else ""
    return pages.page(
        request, "orders.html", who, before=before, page_size=_ON_A_PAGE, given=known, given_n=n, **values
    )


@router.get("/orders/events")
async def order_events(request: Request, who: Giver) -> StreamingResponse:
    """The newest commands, anew whenever a device was heard (server-sent events)."""
    language = pages.language_of(request)

    def rows(conn: Connection) -> str:
        found = _listed(conn, store.latest(conn, pages.now_ms(), _ON_A_PAGE))
        return pages.fragment("orders_rows.html", language, show_device=True, **found)

    return stream(request, "orders", lambda change: True, rows, _PAUSE_S)


@router.get("/orders/new")
def new_order(request: Request, who: Giver, asked: AskedFor) -> Response:
    """One command to the devices of a list: how many those are, and which command."""
    found = request.app.state.db.read(lambda conn: _targets(conn, asked))
    shared = [verb for verb in VERBS.values() if verb.shared and not verb.page]
    return pages.page(request, "orders_new.html", who, asked=asked, found=len(found), verbs=shared)


@router.get("/orders/{order}")
def one_order(request: Request, who: Giver, order: OrderId, too_late: bool = False) -> Response:  # noqa: FBT001, FBT002
    """One command: its steps, its result, its file."""
    values = request.app.state.db.read(lambda conn: _one(conn, order))
    return pages.page(request, "orders_one.html", who, too_late=too_late, **values)


@router.get("/orders/{order}/events")
async def one_order_events(request: Request, who: Giver, order: OrderId) -> StreamingResponse:
    """How far it is, anew whenever its device was heard (server-sent events)."""
    language = pages.language_of(request)
    device = (await request.app.state.db.aread(lambda conn: _one(conn, order)))["row"].device

    def render(conn: Connection) -> str:
        return pages.fragment("orders_steps.html", language, **_one(conn, order))

    return stream(request, "order", lambda change: device in change.devices, render, _PAUSE_S)


@router.get("/orders/{order}/bundle")
def order_bundle(request: Request, who: Giver, order: OrderId) -> Response:
    """The file that a device sent, once it is whole."""

    def gather(conn: Connection) -> tuple[store.OrderRow, bytes | None]:
        return _one(conn, order)["row"], store.bundle(conn, order)

    row, data = request.app.state.db.read(gather)
    if data is None:
        raise HTTPException(404)
    name = f"{row.device}-{row.id[:8]}.tar.gz"
    return Response(
        data, media_type="application/gzip", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _one(conn: Connection, order: str) -> dict[str, Any]:
    row = store.order(conn, order, pages.now_ms())
    if row is None:
        raise HTTPException(404)
    return {"row": row, "parts": store.parts(conn, [order]).get(order)}


def _listed(conn: Connection, found: list[store.OrderRow]) -> dict[str, Any]:
    files = [row.id for row in found if row.name == "diagnostics"]
    return {"orders": found, "files": store.parts(conn, files)}


# ---- giving


@router.post("/orders")
async def give_order(request: Request, who: SureGiver, form: Form) -> Response:
    """Gives a command to one device, or to those of a list; what cannot be undone is asked first."""
    state = request.app.state
    try:
        choice = await state.db.aread(lambda conn: _choice(conn, form))
        confirmed = form.get("confirm") == str(len(choice.targets))
        if not confirmed and (choice.verb.asks or "device" not in form or "confirm" in form):
            return _confirm(request, who, form, choice)

        def give(conn: Connection) -> list[str]:
            order = (choice.verb.name, choice.arguments)
            now_ms = pages.now_ms()
            return [giving.give(conn, state.signing, one, order, who.person.name, now_ms) for one in choice.targets]

        given: list[str] = await state.db.write(give)
    except CannotOrder as cannot:
        return pages.page(request, "orders_cannot.html", who, 409, reason=cannot.reason, device=form.get("device", ""))
    state.down.wake()
    state.live.tell(Change(frozenset(one.name for one in choice.targets), at_ms=pages.now_ms()))
    if "device" in form:
        return pages.to(f"/orders/{given[0]}")
    return pages.to("/orders", given=choice.verb.name, n=str(len(given)))


@router.post("/orders/{order}/withdraw")
async def withdraw(request: Request, who: Giver, form: Form, order: OrderId) -> Response:
    """Takes a command back that no device has yet."""
    state = request.app.state

    def undo(conn: Connection) -> tuple[str, bool]:
        row = store.order(conn, order, pages.now_ms())
        if row is None:
            raise HTTPException(404)
        taken = store.withdraw(conn, order, pages.now_ms())
        if taken:
            audit.note(conn, pages.now_ms(), who.person.name, "withdraw", row.device, row.name)
        return row.device, taken

    device, taken = await state.db.write(undo)
    state.live.tell(Change(frozenset({device}), at_ms=pages.now_ms()))
    return pages.to(f"/orders/{order}") if taken else pages.to(f"/orders/{order}", too_late="1")


def _confirm(request: Request, who: Who, form: dict[str, str], choice: Choice) -> Response:
    shown = {key: value for key, value in form.items() if key not in ("csrf", "confirm", "contact", "at_once")}
    return pages.page(
        request,
        "orders_confirm.html",
        who,
        choice=choice,
        form=shown,
        names=[one.name for one in choice.targets[:_NAMES_SHOWN]],
        changed="confirm" in form,
    )


def _choice(conn: Connection, form: dict[str, str]) -> Choice:
    """What a form asks for. Raises CannotOrder, HTTPException."""
    name = form.get("order", "")
    arguments = _arguments(name, form)
    if name in VERBS and VERBS[name].page:
        raise CannotOrder("page")
    if "device" in form:
        row = fleet.device(conn, form["device"])
        if row is None:
            raise HTTPException(404)
        verb = giving.check(name, arguments, row.kind)
        if row.id in outbox.held(conn, [row.id]):
            raise CannotOrder("held")
        return Choice(verb, arguments, (Target(row.id, row.name, row.kind),))
    kept = VERBS.get(name)
    if kept is None or not kept.shared:
        raise CannotOrder("unknown_order")
    every, held = _targets(conn, asked_in(form)), outbox.held(conn)
    fit = tuple(one for one in every if one.kind in kept.kinds and one.id not in held)
    if fit:
        giving.check(name, arguments, fit[0].kind)
    return Choice(kept, arguments, fit, len(every) - len(fit))


def _targets(conn: Connection, asked: Asked) -> list[Target]:
    """The devices of a list, as the page of devices shows it."""
    rows = [line.row for line in matching(lines(conn, pages.now_ms()), asked)]
    return [Target(row.id, row.name, row.kind) for row in rows]


def _arguments(name: str, form: dict[str, str]) -> dict[str, Any]:
    """An order's particulars, as its form gives them."""
    if name == "restart":
        return {"process": form.get("process", "").strip()}
    if name == "lock":
        return {"contact": form.get("contact", "").strip()}
    if name == "wipe":
        return {"at_once": form.get("at_once", "") == "yes"}
    return {}
