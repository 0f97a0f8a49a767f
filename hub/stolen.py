"""One action for a device that was stolen or lost, and its undoing.

1. In one transaction: it is on hold (so it is sent nothing else and support is blocked), what waited for it is
   dropped, and lock-and-wipe takes its place.
2. One that is connected has two seconds to say that it has the wipe. Then, and at once when it is not connected, its
   certificates are withdrawn and the broker ends its connection.
3. What was begun is finished also by the next hub: it lies in the database.
4. A device that shows itself later is told its wipe by the way of late renewals (`identity/door.py`).
"""

import asyncio
import contextlib
import logging
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response

from hub import audit, pages
from hub.broker.keeper import Keeper
from hub.db import Connection, Db, Fault
from hub.fleet import outbox
from hub.fleet import store as fleet
from hub.guard import Who, fresh, need, read_form
from hub.identity import store as identity
from hub.live import Change, Live
from hub.orders import giving, stolen_store
from hub.orders import store as orders
from hub.orders.giving import Target
from hub.orders.stolen_store import Stolen
from hub.signing import Signing

log = logging.getLogger(__name__)
router = APIRouter()

# So long a connected device may take to say that it has the wipe; all in all it is to be out within five seconds.
_WIPE_FIRST_MS = 2_000
_LOOK_EVERY_S = 0.1
_AGAIN_S = 30.0

Form = Annotated[dict[str, str], Depends(read_form)]
Enroller = Annotated[Who, Depends(need("enrol"))]
SureEnroller = Annotated[Who, Depends(fresh("enrol"))]


class Shutting:
    """Shuts out what was reported stolen. One a hub: `run` as a task, `wake` on the loop."""

    def __init__(self, db: Db, live: Live, broker: Keeper) -> None:
        self._db, self._live, self._broker = db, live, broker
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something was reported."""
        self._woken.set()

    async def run(self) -> None:
        """Goes on for ever; what does not succeed is tried again."""
        while True:
            self._woken.clear()
            pause_s = _AGAIN_S
            try:
                found: list[Stolen] = await self._db.aread(stolen_store.still_in)
                if found:
                    pause_s = await self._shut_out(found)
            except Fault as fault:
                log.warning("a stolen device is not shut out yet: %s", fault)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._woken.wait()

    async def _shut_out(self, found: list[Stolen]) -> float:
        """Does what is due; how long to wait until the next look."""
        now_ms = pages.now_ms()

        def over(conn: Connection) -> list[Stolen]:
            return [one for one in found if not _may_wait(conn, one, now_ms)]

        due: list[Stolen] = await self._db.aread(over)
        if not due:
            return _LOOK_EVERY_S

        def withdraw(conn: Connection) -> None:
            for one in due:
                identity.revoke(conn, one.device_id, "stolen", now_ms)

        await self._db.write(withdraw)
        # Makes the list of the withdrawn and restarts the broker: when it returns without a fault they are out.
        state = await self._broker.apply()
        if state.fault:
            log.error("a stolen device is not shut out yet: %s", state.fault)
            return _AGAIN_S

        def note(conn: Connection) -> None:
            for one in due:
                stolen_store.shut_out(conn, one.device_id, pages.now_ms())

        await self._db.write(note)
        self._live.tell(Change(frozenset(one.device for one in due), at_ms=pages.now_ms()))
        return 0.0 if len(due) < len(found) else _AGAIN_S


def _may_wait(conn: Connection, one: Stolen, now_ms: int) -> bool:
    """Whether a device that is connected may still say that it has the wipe."""
    row = orders.order(conn, one.order_id, now_ms)
    waits = row is not None and row.progress.state in ("made", "sent")
    return one.online and waits and now_ms - one.since_ms < _WIPE_FIRST_MS


# ---- in the database


def report(conn: Connection, signing: Signing, target: Target, now_ms: int, who: str) -> str:
    """Everything that is decided when a device is stolen, in one transaction; the id of its wipe."""
    orders.replace_open(conn, target.id, now_ms, "replaced")
    outbox.drop(conn, target.id)
    outbox.hold(conn, target.id, "stolen", now_ms, who)
    order_id = giving.give(conn, signing, target, ("wipe", {"at_once": True}), who, now_ms, despite_hold=True)
    stolen_store.mark(conn, target.id, order_id, now_ms, who)
    audit.note(conn, now_ms, who, "stolen", target.name)
    return order_id


def take_back(conn: Connection, target: Target, now_ms: int, who: str) -> bool:
    """It was found: things may go to it again, and no wipe does. It must enrol anew. False when it was not stolen."""
    if not stolen_store.forget(conn, target.id):
        return False
    orders.replace_open(conn, target.id, now_ms, "withdrawn")
    outbox.drop(conn, target.id)
    outbox.release(conn, target.id)
    # A connection that was never ended, because it was found within a moment, would be one without a hold.
    identity.revoke(conn, target.id, "stolen", now_ms)
    audit.note(conn, now_ms, who, "found_again", target.name)
    return True


# ---- pages


@router.get("/devices/{name}/stolen")
def ask(request: Request, who: Enroller, name: str) -> Response:
    """What will happen, and the question whether it shall."""
    target = request.app.state.db.read(lambda conn: _target(conn, name))
    return pages.page(request, "orders_stolen.html", who, name=target.name)


@router.post("/devices/{name}/stolen")
async def mark(request: Request, who: SureEnroller, form: Form, name: str) -> Response:
    """Reports it as stolen: all of it, at once."""
    state = request.app.state
    if form.get("confirm") != "yes":
        raise HTTPException(400)

    def do(conn: Connection) -> None:
        report(conn, state.signing, _target(conn, name), pages.now_ms(), who.person.name)

    await state.db.write(do)
    state.down.wake()
    state.shutting.wake()
    return _back(state, name)


@router.post("/devices/{name}/found")
async def found(request: Request, who: SureEnroller, name: str) -> Response:
    """It was found again."""
    state = request.app.state

    def do(conn: Connection) -> bool:
        return take_back(conn, _target(conn, name), pages.now_ms(), who.person.name)

    if await state.db.write(do):
        state.broker.want()
    return _back(state, name)


def _back(state: Any, name: str) -> Response:
    state.live.tell(Change(frozenset({name}), at_ms=pages.now_ms()))
    return pages.to(f"/devices/{name}")


def _target(conn: Connection, name: str) -> Target:
    row = fleet.device(conn, name)
    if row is None:
        raise HTTPException(404)
    return Target(row.id, row.name, row.kind)


def begin(app: FastAPI) -> "asyncio.Task[None]":
    """The task that shuts out, for as long as the hub runs."""
    state = app.state
    state.shutting = Shutting(state.db, state.live, state.broker)
    return asyncio.create_task(state.shutting.run(), name="stolen devices")
