"""Punches, as they came. A card is a keyed hash; its serial number is nowhere."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from hub.api.gate import Caller, scope
from hub.api.model import DEVICE_PATTERN, Limit, Model, NumberCursor, Page, number_of, part
from hub.attendance import store

router = APIRouter(tags=["punches"])


class Punch(Model):
    """A card at a time clock; `at_ms` as the device's clock had it, `true_ms` after any correction."""

    id: int
    device: str
    card: str
    direction: str
    standing: str
    chosen: str
    at_ms: int
    true_ms: int
    clock: str
    received_ms: int


@router.get("/punches")
def punches(
    request: Request,
    caller: Annotated[Caller, Depends(scope("punches:read"))],
    device: Annotated[str | None, Query(pattern=DEVICE_PATTERN, max_length=63)] = None,
    card: Annotated[str, Query(pattern="^[0-9a-f]{0,32}$", max_length=32, description="How the card begins.")] = "",
    cursor: NumberCursor = None,
    limit: Limit = 50,
) -> Page[Punch]:
    """Punches in the order in which they came, newest first."""
    before = number_of(cursor)
    taps = request.app.state.db.read(lambda conn: store.latest_taps(conn, limit + 1, before, device, card))
    found = [
        Punch(
            id=tap.id,
            device=tap.device,
            card=tap.card,
            direction=tap.direction,
            standing=tap.standing,
            chosen=tap.chosen,
            at_ms=tap.at_ms,
            true_ms=tap.true_ms,
            clock=tap.clock,
            received_ms=tap.received_ms,
        )
        for tap in taps
    ]
    return part(found, limit, [str(one.id) for one in found])
