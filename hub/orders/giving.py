"""Giving an order: written down, signed, put where it will be sent from, and noted in the audit log, all or nothing."""

import secrets
from typing import Any

import msgspec

from hub import audit
from hub.db import Connection
from hub.fleet import outbox
from hub.orders import store
from hub.signing import Signing
from wire import codec, orders


class CannotOrder(Exception):
    """This order cannot be given to this device; `reason` is a word of `hub/words/orders.py` behind `cannot_`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Target(msgspec.Struct, frozen=True):
    """The device that it is for."""

    id: int
    name: str
    kind: str


def check(name: str, arguments: dict[str, Any], kind: str) -> orders.Verb:
    """The order's verb. Raises CannotOrder."""
    verb = orders.VERBS.get(name)
    if verb is None:
        raise CannotOrder("unknown_order")
    if kind not in verb.kinds:
        raise CannotOrder("not_for_this_kind")
    if orders.read_arguments(verb, arguments) is None:
        raise CannotOrder("arguments")
    return verb


def give(
    conn: Connection,
    signing: Signing,
    target: Target,
    order: tuple[str, dict[str, Any]],
    who: str,
    now_ms: int,
    *,
    despite_hold: bool = False,
) -> str:
    """Gives an order (its name and arguments); its id. Raises CannotOrder.

    The caller wakes the downlink once the transaction is over.
    """
    name, arguments = order
    verb = check(name, arguments, target.kind)
    if not despite_hold and target.id in outbox.held(conn, [target.id]):
        raise CannotOrder("held")
    order_id, not_after_ms = secrets.token_hex(16), now_ms + verb.good_for_ms
    signed = signing.order(target.name, order_id, name, arguments, not_after_ms)
    plain = (name, msgspec.json.encode(arguments).decode())
    store.insert(conn, order_id, target.id, plain, who, now_ms, not_after_ms)
    outbox.put(
        conn,
        target.id,
        "order",
        order_id,
        codec.encode(signed),
        now_ms,
        not_after_ms=not_after_ms,
        despite_hold=despite_hold,
    )
    audit.note(conn, now_ms, who, "order", target.name, name)
    return order_id
