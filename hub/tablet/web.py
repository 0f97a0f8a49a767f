"""Pages of lent tablets: how each is, what it has of what it shows, what its line used, and who asks for help."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from hub import audit, pages, shown
from hub.db import Connection
from hub.guard import Who, fields, need
from hub.live import Change
from hub.papers import store as papers
from hub.papers.store import Standing
from hub.stream import stream
from hub.tablet import content_store, shelf_store, tablet_store, usage_store
from hub.tablet.shelf import Tablet
from hub.tablet.tablet_store import Heard
from hub.tablet.usage_store import Used
from wire.shelf import KIND, Allowance

router = APIRouter()

_PAUSE_S = 0.5
# A battery that holds for less than half a day.
_LOW_PERCENT = 20

Seer = Annotated[Who, Depends(need("tablets"))]
Seen = Annotated[dict[str, str], Depends(fields("device", "ask"))]


class Row(msgspec.Struct, frozen=True):
    """A tablet in the list: who has it, how it is, what it has of its items, what its line used this month."""

    lent: Tablet
    heard: Heard
    items: int
    whole: int
    used: Used | None
    allowance: Allowance | None
    standing: Standing | None

    @property
    def condition(self) -> str:
        """The word for how it is: `offline`, `warning` (something needs somebody), `ok`, or `unheard`."""
        if not self.heard.last_heard_ms:
            return "unheard"
        if not self.heard.online:
            return "offline"
        return "warning" if self.is_low or self.is_over or (self.standing and self.standing.error) else "ok"

    @property
    def is_whole(self) -> bool:
        """Whether it has all that it is to show."""
        return self.whole >= self.items

    @property
    def is_low(self) -> bool:
        """Whether its battery needs the charger."""
        state = self.heard.state
        if state is None or state.battery_percent is None:
            return False
        return state.battery_percent <= _LOW_PERCENT and not state.charging

    @property
    def is_over(self) -> bool:
        """Whether its line has used more than it carries."""
        if self.used is None or self.allowance is None or not self.allowance.included_bytes:
            return False
        return self.used.sim_bytes > self.allowance.included_bytes

    @property
    def left_permille(self) -> int | None:
        """What is left of what the line carries; None where it has no limit, or nobody knows."""
        if self.allowance is None or not self.allowance.included_bytes:
            return None
        used = self.used.sim_bytes if self.used else 0
        return max(0, 1000 - used * 1000 // self.allowance.included_bytes)


@router.get("/tablets")
def overview(request: Request, who: Seer) -> Response:
    """Every lent tablet; whose resident asks for help stands above all."""
    values = request.app.state.db.read(lambda conn: _now(request, conn))
    return pages.page(request, "tablets.html", who, **values)


@router.get("/tablets/events")
async def events(request: Request, who: Seer) -> StreamingResponse:
    """The same, anew whenever something was heard (server-sent events)."""
    language = pages.language_of(request)

    def render(conn: Connection) -> str:
        return pages.fragment("_tablets.html", language, who=who, **_now(request, conn))

    return stream(request, "tablets", lambda change: bool(change.devices), render, _PAUSE_S)


@router.post("/tablets/help")
async def see_to(request: Request, who: Seer, form: Seen) -> Response:
    """Somebody has spoken with whoever asked for help."""
    state, device, ask = request.app.state, form.get("device", ""), form.get("ask", "")
    now_ms = pages.now_ms()

    def write(conn: Connection) -> bool:
        if not tablet_store.see_to(conn, device, ask, who.person.name, now_ms):
            return False
        audit.note(conn, now_ms, who.person.name, "help_seen", device)
        return True

    if not device or not ask:
        raise HTTPException(400)
    if await state.db.write(write):
        state.live.tell(Change(frozenset({device}), at_ms=now_ms))
    return pages.to("/tablets")


def _now(request: Request, conn: Connection) -> dict[str, Any]:
    now_ms = pages.now_ms()
    lent, heard = shelf_store.tablets(conn, now_ms), tablet_store.heard(conn)
    live, whole = content_store.live(conn, now_ms), content_store.whole_by_device(conn)
    used = usage_store.of_devices(conn, shown.day_of(now_ms)[:7])
    allowances, standings = request.app.state.line_allowances(conn, now_ms), papers.standings(conn, KIND)
    rows = []
    for one in lent:
        names = {item.name for item in live if item.is_for(one.district)}
        there = len(names & whole.get(one.device_id, set()))
        id_ = one.device_id
        rows.append(Row(one, heard[id_], len(names), there, used.get(id_), allowances.get(id_), standings.get(id_)))
    return {
        "rows": rows,
        "asking": tablet_store.asking(conn),
        "before": tablet_store.asked_before(conn),
        "numbers": {one.device_id: one.number for one in lent},
        "month": shown.day_of(now_ms)[:7],
        "error": shelf_store.error(conn),
    }
