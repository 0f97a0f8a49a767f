"""Pages of certificates: the register with its ends, one device's certificates, and taking them away."""

from typing import Annotated, Any, get_args

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import pages
from hub.db import Connection
from hub.fleet import outbox
from hub.guard import Who, fresh, need, read_form
from hub.identity import inviting, store
from hub.identity.authority import Authority, BadFolder, Crl
from hub.identity.store import Certified
from hub.live import Change
from wire import ca_folder, x509

router = APIRouter()

_DAY_MS = 86_400_000
WATCH_MS = x509.WATCH_DAYS * _DAY_MS
# What a person can say; the others are said by the hub itself.
REASONS: tuple[store.Reason, ...] = tuple(
    reason for reason in get_args(store.Reason) if reason not in ("stolen", "clone", "superseded")
)

Form = Annotated[dict[str, str], Depends(read_form)]
Enroller = Annotated[Who, Depends(need("enrol"))]
SureEnroller = Annotated[Who, Depends(fresh("enrol"))]


class Line(msgspec.Struct, frozen=True):
    """A certificate and how it is."""

    row: Certified
    state: str


class Ends(msgspec.Struct, frozen=True):
    """When the town's own things end (UTC ms); 0 for what is not there."""

    crl: Crl | None
    root_ms: int
    issuers_ms: int
    hub_ms: int
    broker_ms: int


def condition(row: Certified, now_ms: int) -> str:
    """good, ending (a device that has not renewed although it was due), ended or revoked."""
    if row.revoked_ms is not None:
        return "revoked"
    if row.end_ms <= now_ms:
        return "ended"
    return "ending" if row.end_ms - now_ms < WATCH_MS else "good"


@router.get("/settings/identity")
def register(request: Request, who: Enroller, show: str = "") -> Response:
    """Every device's certificate, the one that ends first at the top, and the ends of the town's own."""
    now_ms = pages.now_ms()
    rows = request.app.state.db.read(store.newest)
    lines = [Line(row, condition(row, now_ms)) for row in rows]
    if show in ("ending", "ended", "revoked", "good"):
        lines = [line for line in lines if line.state == show]
    ends = _ends(request)
    return pages.page(
        request,
        "identity_register.html",
        who,
        lines=lines,
        total=len(rows),
        show=show,
        ends=ends,
        now=now_ms,
        watch_ms=WATCH_MS,
    )


def _ends(request: Request) -> Ends | None:
    try:
        authority: Authority = request.app.state.identity.authority()
        hub, broker = (ca_folder.leaf(authority.folder, name).end_ms for name in ("hub", "broker"))
    except BadFolder:
        return None
    return Ends(authority.crl(), authority.root_end_ms, authority.issuer_end_ms, hub, broker)


@router.get("/settings/identity/{name}")
def one_device(request: Request, who: Enroller, name: str, did: str = "") -> Response:
    """All certificates that a device ever had."""
    values = request.app.state.db.read(lambda conn: _one(conn, name))
    fault = request.app.state.broker.state.fault if did == "revoked" else ""
    return pages.page(
        request, "identity_device.html", who, name=name, did=did == "revoked", fault=fault, reasons=REASONS, **values
    )


def _one(conn: Connection, name: str) -> dict[str, Any]:
    id_ = store.device_id(conn, name)
    if id_ is None:
        raise HTTPException(404)
    now_ms = pages.now_ms()
    lines = [Line(row, condition(row, now_ms)) for row in store.of_device(conn, id_)]
    return {"lines": lines, "held": outbox.held(conn, [id_]).get(id_, "")}


@router.post("/settings/identity/{name}/revoke")
async def revoke(request: Request, who: SureEnroller, form: Form, name: str) -> Response:
    """Takes a device's identity away: asked once, then at once, also for a connection that is open."""
    state = request.app.state
    reason = next((one for one in REASONS if one == form.get("reason")), None)
    if reason is None:
        raise HTTPException(400)
    if form.get("confirm") != "yes":
        values = await state.db.aread(lambda conn: _one(conn, name))
        return pages.page(request, "identity_revoke.html", who, name=name, reason=reason, **values)
    count = await state.db.write(lambda conn: inviting.withdraw(conn, name, reason, who.person.name))
    if count is None:
        raise HTTPException(404)
    # Makes the list and restarts the broker: who is withdrawn is out when this returns.
    await state.broker.apply()
    state.live.tell(Change(frozenset({name}), at_ms=pages.now_ms()))
    return pages.to(f"/settings/identity/{name}", did="revoked")
