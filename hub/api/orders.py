"""Orders: given once under a key, followed until they are done or too late."""

import hashlib
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import Field

from hub import audit, pages
from hub.api import token_store
from hub.api.gate import Caller, scope
from hub.api.model import DEVICE_PATTERN, WHOLE, DeviceName, Limit, Model, NumberCursor, Page, number_of, part
from hub.api.problem import Refused
from hub.api.token_store import Answer
from hub.db import Connection
from hub.fleet import store as fleet
from hub.live import Change
from hub.orders import giving, store
from hub.orders.giving import CannotOrder, Target
from hub.orders.store import OrderRow

router = APIRouter(tags=["orders"])
Reader = Annotated[Caller, Depends(scope("orders:read"))]
Giver = Annotated[Caller, Depends(scope("orders:write"))]
OrderId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", max_length=32)]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern="^[A-Za-z0-9_-]{1,64}$",
        max_length=64,
        description="The same key with the same order within a day is the same order: it is given once.",
    ),
]

_SAID = {
    "held": "the device is on hold (copied, stolen or revoked)",
    "not_for_this_kind": "a device of this kind knows no such order",
    "arguments": "the arguments are not this order's",
    "unknown_order": "there is no such order",
}


class Plain(Model):
    """An order without particulars."""

    name: Literal["ping", "wifi_scan", "diagnostics", "reboot", "unlock"]


class Identify(Model):
    """Flashes and beeps for so long."""

    name: Literal["identify"]
    seconds: Annotated[int, Field(ge=1, le=60), WHOLE] = 15


class Restart(Model):
    """Starts a process of the device anew."""

    name: Literal["restart"]
    process: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$", max_length=64)]


class Lock(Model):
    """Locks the screen; `contact` is whom a finder may call."""

    name: Literal["lock"]
    contact: Annotated[str, Field(max_length=40)] = ""


class Wipe(Model):
    """Deletes what the device holds; `at_once` gives up records that have not been sent. It must enrol anew."""

    name: Literal["wipe"]
    at_once: bool = False


class Asked(Model):
    """An order to one device."""

    device: DeviceName
    order: Annotated[Plain | Identify | Restart | Lock | Wipe, Field(discriminator="name")]


class Order(Model):
    """An order and how far it is; `state` is sent as long as no device has said that it has it."""

    id: str
    device: str
    name: str
    arguments: dict[str, Any]
    who: str
    made_ms: int
    not_after_ms: int
    state: str
    sent_ms: int | None
    delivered_ms: int | None
    ended_ms: int | None
    detail: str


@router.get("/orders")
def orders(
    request: Request,
    caller: Reader,
    device: Annotated[str | None, Query(pattern=DEVICE_PATTERN, max_length=63)] = None,
    cursor: NumberCursor = None,
    limit: Limit = 50,
) -> Page[Order]:
    """Orders, newest first."""

    def read(conn: Connection) -> list[OrderRow]:
        row = fleet.device(conn, device) if device else None
        if device and row is None:
            return []
        id_ = row.id if row else None
        return store.latest(conn, pages.now_ms(), limit + 1, device_id=id_, before=number_of(cursor))

    found = request.app.state.db.read(read)
    return part([_order(row) for row in found], limit, [str(row.number) for row in found])


@router.get("/orders/{order}")
def one_order(request: Request, caller: Reader, order: OrderId) -> Order:
    """One order."""
    row = request.app.state.db.read(lambda conn: store.order(conn, order, pages.now_ms()))
    return _order(_found(row, order))


@router.post("/orders", status_code=201, responses={200: {"model": Order, "description": "Given before."}})
async def give(request: Request, caller: Giver, asked: Asked, response: Response, idempotency_key: Key = None) -> Order:
    """Gives an order; 409 when the device is on hold or knows no such order, or the key was another order's."""
    state, plain = request.app.state, asked.order.model_dump(exclude={"name"})
    question = hashlib.sha256(asked.model_dump_json().encode()).hexdigest()

    def write(conn: Connection) -> tuple[OrderRow, bool]:
        now_ms = pages.now_ms()
        was = token_store.answer(conn, caller.token.id, idempotency_key, now_ms) if idempotency_key else None
        if was is not None:
            if was.asked != question:
                raise Refused(409, "this Idempotency-Key was used for another order")
            return _found(store.order(conn, was.answer, now_ms), was.answer), False
        target = _target(conn, asked.device)
        try:
            made = giving.give(conn, state.signing, target, (asked.order.name, plain), caller.who, now_ms)
        except CannotOrder as cannot:
            raise Refused(409, _SAID.get(cannot.reason, cannot.reason)) from cannot
        if idempotency_key:
            token_store.keep_answer(conn, caller.token.id, idempotency_key, Answer(question, made), now_ms)
        return _found(store.order(conn, made, now_ms), made), True

    row, is_new = await state.db.write(write)
    response.status_code = 201 if is_new else 200
    state.down.wake()
    state.live.tell(Change(frozenset({row.device}), at_ms=row.made_ms))
    return _order(row)


@router.delete("/orders/{order}")
async def withdraw(request: Request, caller: Giver, order: OrderId) -> Order:
    """Takes an order back that no device has yet; 409 when one has."""

    def write(conn: Connection) -> OrderRow:
        now_ms = pages.now_ms()
        row = _found(store.order(conn, order, now_ms), order)
        if not store.withdraw(conn, order, now_ms):
            raise Refused(409, f"the order is {row.progress.state} already")
        audit.note(conn, now_ms, caller.who, "withdraw", row.device, row.name)
        return _found(store.order(conn, order, now_ms), order)

    row = await request.app.state.db.write(write)
    request.app.state.live.tell(Change(frozenset({row.device}), at_ms=row.made_ms))
    return _order(row)


def _target(conn: Connection, name: str) -> Target:
    row = fleet.device(conn, name)
    if row is None:
        raise Refused(404, f"there is no device {name}")
    return Target(row.id, row.name, row.kind)


def _found(row: OrderRow | None, order: str) -> OrderRow:
    if row is None:
        raise Refused(404, f"there is no order {order}")
    return row


def _order(row: OrderRow) -> Order:
    far = row.progress
    return Order(
        id=row.id,
        device=row.device,
        name=row.name,
        arguments=row.arguments,
        who=row.who,
        made_ms=row.made_ms,
        not_after_ms=row.not_after_ms,
        state=far.state,
        sent_ms=far.sent_ms,
        delivered_ms=far.delivered_ms,
        ended_ms=far.ended_ms,
        detail=far.detail,
    )
