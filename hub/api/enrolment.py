"""Identities: codes for new devices, requests that wait, taking an identity away, a stolen device."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field

from hub import pages, stolen
from hub.api.gate import Caller, scope
from hub.api.model import DeviceName, Model, Name
from hub.api.problem import Refused
from hub.db import Connection
from hub.fleet import outbox
from hub.fleet import store as fleet
from hub.identity import enrol_store, inviting, store
from hub.identity.enrol_store import Expected, Pending
from hub.live import Change
from hub.orders.giving import Target

router = APIRouter(tags=["enrolment"])
Reader = Annotated[Caller, Depends(scope("enrolment:read"))]
Writer = Annotated[Caller, Depends(scope("enrolment:write"))]
KeyName = Annotated[str, Path(pattern="^[0-9a-f]{64}$", max_length=64, description="The SHA-256 of the request's key.")]


class NewCode(Model):
    """For which device a code is; with a serial number it is good for that machine only."""

    device: DeviceName
    kind: Literal["terminal", "tablet", "access_point"]
    serial: Annotated[str, Field(max_length=100)] = ""


class Code(Model):
    """A code, which is told this once."""

    device: str
    code: str
    end_ms: int


class NewExpected(Model):
    """A device known by its serial number: what it will be called, and whether it is let in without a person."""

    serial: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[!-~]+$")]
    device: DeviceName
    kind: Literal["terminal", "tablet", "access_point"]
    at_once: bool = False


class ExpectedDevice(Model):
    """A device on the list."""

    serial: str
    device: str
    kind: str
    at_once: bool
    who: str
    made_ms: int


class ExpectedDevices(Model):
    """The whole list."""

    items: list[ExpectedDevice]


class Asking(Model):
    """A request that waits for a person."""

    key: str
    device: str
    kind: str
    serial: str
    source: str
    first_ms: int
    last_ms: int
    state: str


class Requests(Model):
    """All that wait."""

    items: list[Asking]


class Decision(Model):
    """Whether the device is let in."""

    approved: bool


class Revoking(Model):
    """Why an identity is taken away."""

    reason: Literal["lost", "clone", "retired", "other"]


class Certificate(Model):
    """A certificate that was given."""

    serial: str
    how: str
    issued_ms: int
    end_ms: int
    revoked_ms: int | None
    reason: str


class Identity(Model):
    """A device's certificates, the newest first, and whether it is on hold."""

    device: str
    hold: str | None
    certificates: list[Certificate]


@router.post("/enrolment/codes", status_code=201)
async def make_code(request: Request, caller: Writer, new: NewCode) -> Code:
    """A code for one device, good for half an hour; 409 for a device that was reported stolen."""
    made = await request.app.state.db.write(
        lambda conn: inviting.make_code(conn, new.device, new.kind, new.serial, caller.who)
    )
    if isinstance(made, str):
        raise Refused(409, made)
    return Code(device=new.device, code=made.code, end_ms=made.end_ms)


@router.get("/enrolment/requests")
def waiting(request: Request, caller: Reader) -> Requests:
    """Requests that wait."""
    return Requests(items=[_asking(one) for one in request.app.state.db.read(enrol_store.waiting)])


@router.put("/enrolment/requests/{key}/decision")
async def decide(request: Request, caller: Writer, key: KeyName, decision: Decision) -> Asking:
    """Lets a device in or refuses it; 404 when it waits no more."""

    def write(conn: Connection) -> Asking:
        asked = inviting.decide(conn, key, caller.who, approve=decision.approved)
        now = enrol_store.pending(conn, key)
        if asked is None or now is None:
            raise Refused(404, "no such request waits")
        return _asking(now)

    found: Asking = await request.app.state.db.write(write)
    _tell(request, found.device)
    return found


@router.get("/enrolment/expected")
def expected(request: Request, caller: Reader) -> ExpectedDevices:
    """Devices that are expected by their serial numbers, by name."""
    return ExpectedDevices(items=[_expected(one) for one in request.app.state.db.read(enrol_store.everyone_expected)])


@router.post("/enrolment/expected", status_code=201)
async def expect(request: Request, caller: Writer, new: NewExpected) -> ExpectedDevice:
    """Puts a device on the list; 409 when its serial number or its name is on it already."""
    one = Expected(new.serial, new.device, new.kind, new.at_once, caller.who, pages.now_ms())
    if not await request.app.state.db.write(lambda conn: inviting.expect(conn, one)):
        raise Refused(409, "this serial number or this name is on the list already")
    return _expected(one)


@router.delete("/enrolment/expected/{name}")
async def forget(request: Request, caller: Writer, name: Name) -> ExpectedDevice:
    """Takes a device off the list, by its name."""

    def write(conn: Connection) -> ExpectedDevice:
        for one in enrol_store.everyone_expected(conn):
            if one.device == name and inviting.forget(conn, one.hardware, caller.who):
                return _expected(one)
        raise Refused(404, f"no device {name} is expected")

    found: ExpectedDevice = await request.app.state.db.write(write)
    return found


def _expected(one: Expected) -> ExpectedDevice:
    return ExpectedDevice(
        serial=one.hardware, device=one.device, kind=one.kind, at_once=one.at_once, who=one.who, made_ms=one.made_ms
    )


@router.get("/devices/{name}/identity")
def identity(request: Request, caller: Reader, name: Name) -> Identity:
    """A device's certificates."""
    return request.app.state.db.read(lambda conn: _identity(conn, name))  # type: ignore[no-any-return]


@router.post("/devices/{name}/identity/revocation")
async def revoke(request: Request, caller: Writer, name: Name, revoking: Revoking) -> Identity:
    """Takes a device's identity away, also for a connection that is open."""
    state = request.app.state
    count = await state.db.write(lambda conn: inviting.withdraw(conn, name, revoking.reason, caller.who))
    if count is None:
        raise Refused(404, f"there is no device {name}")
    # Makes the list and restarts the broker: who is withdrawn is out when this returns.
    await state.broker.apply()
    _tell(request, name)
    return await state.db.aread(lambda conn: _identity(conn, name))  # type: ignore[no-any-return]


@router.post("/devices/{name}/stolen")
async def report_stolen(request: Request, caller: Writer, name: Name) -> Identity:
    """Reports a device as stolen: its orders give way to a wipe, its identity is taken away, at once."""
    state = request.app.state

    def write(conn: Connection) -> Identity:
        row = fleet.device(conn, name)
        if row is None:
            raise Refused(404, f"there is no device {name}")
        if outbox.held(conn, [row.id]).get(row.id) == "stolen":
            raise Refused(409, f"{name} was reported stolen already")
        stolen.report(conn, state.signing, Target(row.id, row.name, row.kind), pages.now_ms(), caller.who)
        return _identity(conn, name)

    found: Identity = await state.db.write(write)
    state.down.wake()
    state.shutting.wake()
    _tell(request, name)
    return found


def _tell(request: Request, device: str) -> None:
    request.app.state.live.tell(Change(frozenset({device}), at_ms=pages.now_ms()))


def _identity(conn: Connection, name: str) -> Identity:
    id_ = store.device_id(conn, name)
    if id_ is None:
        raise Refused(404, f"there is no device {name}")
    certificates = [
        Certificate(
            serial=row.serial,
            how=row.how,
            issued_ms=row.issued_ms,
            end_ms=row.end_ms,
            revoked_ms=row.revoked_ms,
            reason=row.reason,
        )
        for row in store.of_device(conn, id_)
    ]
    return Identity(device=name, hold=outbox.held(conn, [id_]).get(id_), certificates=certificates)


def _asking(one: Pending) -> Asking:
    return Asking(
        key=one.key_name,
        device=one.device,
        kind=one.kind,
        serial=one.hardware,
        source=one.source,
        first_ms=one.first_ms,
        last_ms=one.last_ms,
        state=one.state,
    )
