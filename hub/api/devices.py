"""Devices: how they are, what people know of them, to whom they are lent."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from hub import audit, pages, shown
from hub.api.gate import Caller, scope
from hub.api.model import Limit, Model, Name, NameCursor, Page, part
from hub.api.problem import Refused
from hub.db import Connection
from hub.fleet import listing, outbox, store
from hub.fleet.condition import condition
from hub.fleet.listing import Line, Vital
from hub.inventory import store as inventory
from hub.inventory.fields import EDITABLE, LOAN, Wrong, clean_all
from hub.inventory.thing import Fact as Told
from hub.inventory.thing import Item
from hub.inventory.transfer import told

router = APIRouter(tags=["devices"])

Reader = Annotated[Caller, Depends(scope("devices:read"))]
Keeper = Annotated[Caller, Depends(scope("inventory:write"))]
Condition = Literal["ok", "warning", "fault", "offline", "unheard"]
Text = Annotated[str, Field(max_length=500)]
Day = Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class Health(Model):
    """The newest figures of a device; percentages in tenths, temperature in thousandths of a degree Celsius."""

    cpu_permille: int
    memory_total: int
    memory_available: int
    disk_total: int
    disk_free: int
    temperature_milli_c: int | None


class Device(Model):
    """A device, as lists show it. Times are milliseconds of UTC."""

    name: str
    kind: str
    condition: str
    reasons: list[str]
    online: bool
    last_heard_ms: int
    version: str
    clock: str | None
    waiting: int
    place: str
    tags: list[str]
    asset: str
    serial: str
    model: str
    loan: str
    loan_until: str
    health: Health | None


class Loan(Model):
    """Who has a thing, and until when. The name is there only where the town keeps names."""

    number: str
    name: str
    since: str
    until: str


class Fact(Model):
    """What a device last told of itself."""

    model: str
    serial: str
    system: str
    version: str
    wear_permille: int | None
    battery_permille: int | None
    battery_cycles: int | None
    certificate_end_ms: int | None
    told_ms: int


class OneDevice(Model):
    """A device with what it told of itself, what people know of it, and whether it is on hold."""

    device: Device
    first_heard_ms: int
    boot: str
    missing: int
    dropped: int
    quarantined: int
    open_alarms: list[str]
    hold: str | None
    inventory: dict[str, str]
    loan: Loan | None
    fact: Fact | None


class Known(Model):
    """What people know of a thing; a field that is not there stays as it is, an empty one says that nobody knows."""

    asset: Text | None = None
    serial: Text | None = None
    kind: Literal["", "terminal", "tablet", "access_point"] | None = None
    model: Text | None = None
    place: Text | None = None
    tags: Text | None = None
    note: Text | None = None
    bought: Day | Literal[""] | None = None


class Lending(Model):
    """To whom a thing is lent (the number of a card or contract), and until when."""

    number: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[!-~]([ -~]*[!-~])?$")]
    until: Day
    since: Day | None = None
    name: Annotated[str, Field(max_length=60)] = ""


class Return(Model):
    """How a thing came back."""

    condition: Annotated[str, Field(max_length=200)] = ""


class Asked:
    """The filters of the list."""

    def __init__(
        self,
        q: Annotated[str, Query(max_length=80, description="A part of the name.")] = "",
        kind: Annotated[str, Query(max_length=40)] = "",
        condition: Condition | None = None,
        place: Annotated[str, Query(max_length=60)] = "",
        tag: Annotated[str, Query(max_length=30)] = "",
        online: bool | None = None,  # noqa: FBT001 (a query parameter)
    ) -> None:
        self.q, self.kind, self.condition, self.place, self.tag, self.online = q, kind, condition, place, tag, online

    def fits(self, line: Line) -> bool:
        """Whether a device is asked for."""
        return (
            self.q.lower() in line.row.name
            and self.kind in ("", line.row.kind)
            and self.condition in (None, line.condition.word)
            and self.place in ("", line.thing.place)
            and (not self.tag or self.tag in line.tags)
            and self.online in (None, line.row.online)
        )


@router.get("/devices")
def devices(
    request: Request, caller: Reader, asked: Annotated[Asked, Depends()], cursor: NameCursor = None, limit: Limit = 50
) -> Page[Device]:
    """Devices by name."""
    now_ms = pages.now_ms()
    every = request.app.state.db.read(lambda conn: listing.lines(conn, now_ms, shown.day_of(now_ms)))
    found = [line for line in every if line.row.name > (cursor or "") and asked.fits(line)][: limit + 1]
    return part([_device(line) for line in found], limit, [line.row.name for line in found])


@router.get("/devices/{name}")
def device(request: Request, caller: Reader, name: Name) -> OneDevice:
    """One device."""
    return request.app.state.db.read(lambda conn: _one(conn, name, caller))  # type: ignore[no-any-return]


@router.patch("/devices/{name}/inventory")
async def change_inventory(request: Request, caller: Keeper, name: Name, known: Known) -> OneDevice:
    """Changes what people know of a device."""
    given = {field: value for field, value in known.model_dump().items() if value is not None}

    def write(conn: Connection) -> OneDevice:
        item = _item(conn, name)
        values, wrong = clean_all({**item.values, **given}, EDITABLE)
        if item.values["kind"] and given.get("kind", item.values["kind"]) != item.values["kind"]:
            raise Refused(409, f"kind: {name} says itself that it is a {item.values['kind']}")
        for field in ("asset", "serial"):
            if values.get(field) and inventory.taken(conn, field, values[field], item.id):
                raise Refused(409, f"{field}: {values[field]} is another thing's")
        _refuse(wrong)
        changed = {field: value for field, value in values.items() if value != item.values[field]}
        if changed or not item.id:
            now_ms = pages.now_ms()
            inventory.change(conn, item.id or inventory.enter(conn, item.device_id, now_ms), changed, now_ms)
            inventory.join(conn, now_ms)
            audit.note(conn, now_ms, caller.who, "inventory", name, told(item.values, changed))
        return _one(conn, name, caller)

    return await request.app.state.db.write(write)  # type: ignore[no-any-return]


@router.put("/devices/{name}/loan")
async def lend(request: Request, caller: Keeper, name: Name, lending: Lending) -> OneDevice:
    """Lends a device; 409 while it is lent."""

    def write(conn: Connection) -> OneDevice:
        item, now_ms = _item(conn, name), pages.now_ms()
        if item.loan is not None:
            raise Refused(409, f"{name} is lent until {item.loan.until}; take it back first")
        given = {
            "loan_number": lending.number,
            "loan_since": lending.since or shown.day_of(now_ms),
            "loan_until": lending.until,
            "loan_name": lending.name if inventory.names_kept(conn) else "",
        }
        values, wrong = clean_all(given, LOAN)
        _refuse(wrong)
        if values["loan_until"] < values["loan_since"]:
            raise Refused(422, f"until: found {lending.until}, expected a day from {values['loan_since']} on")
        number = item.id or inventory.enter(conn, item.device_id, now_ms)
        inventory.lend(conn, number, values, caller.who)
        days = f"{values['loan_number']} {values['loan_since']} – {values['loan_until']}"
        audit.note(conn, now_ms, caller.who, "lend", name, days)
        return _one(conn, name, caller)

    return await request.app.state.db.write(write)  # type: ignore[no-any-return]


@router.post("/devices/{name}/loan/return")
async def take_back(request: Request, caller: Keeper, name: Name, how: Return) -> OneDevice:
    """Takes a device back; 409 when it is not lent."""

    def write(conn: Connection) -> OneDevice:
        item, now_ms = _item(conn, name), pages.now_ms()
        if item.loan is None:
            raise Refused(409, f"{name} is not lent")
        inventory.take_back(conn, item.id, shown.day_of(now_ms), how.condition.strip(), caller.who)
        audit.note(conn, now_ms, caller.who, "take_back", name, item.loan.number)
        return _one(conn, name, caller)

    return await request.app.state.db.write(write)  # type: ignore[no-any-return]


def _refuse(wrong: list[Wrong]) -> None:
    if wrong:
        first = wrong[0]
        raise Refused(422, f"{first.field.removeprefix('loan_')}: found {first.found!r}, expected {_expected(first)}")


def _expected(wrong: Wrong) -> str:
    said = {"shorter": f"at most {wrong.n} characters", "day": "a day (2026-11-24)", "tags": f"at most {wrong.n} tags"}
    return said.get(wrong.expected, "a text without control characters")


def _item(conn: Connection, name: str) -> Item:
    item = inventory.of_device(conn, name)
    if item is None:
        raise Refused(404, f"there is no device {name}")
    return item


def _device(line: Line) -> Device:
    row, thing, health = line.row, line.thing, line.row.health
    return Device(
        name=row.name,
        kind=row.kind,
        condition=line.condition.word,
        reasons=list(line.condition.reasons),
        online=row.online,
        last_heard_ms=row.last_heard_ms,
        version=row.version,
        clock=row.clock,
        waiting=row.spool_urgent + row.spool_bulk,
        place=thing.place,
        tags=list(line.tags),
        asset=thing.asset,
        serial=thing.serial,
        model=thing.model,
        loan=thing.loan,
        loan_until=thing.loan_until,
        health=_health(health) if health else None,
    )


def _health(vital: Vital) -> Health:
    return Health(
        cpu_permille=vital.cpu_permille,
        memory_total=vital.memory_total,
        memory_available=vital.memory_available,
        disk_total=vital.disk_total,
        disk_free=vital.disk_free,
        temperature_milli_c=vital.temperature_milli_c,
    )


def _fact(told_: Told) -> Fact:
    return Fact(
        model=told_.model,
        serial=told_.serial,
        system=told_.system,
        version=told_.version,
        wear_permille=told_.wear_permille,
        battery_permille=told_.battery_permille,
        battery_cycles=told_.battery_cycles,
        certificate_end_ms=told_.certificate_end_ms,
        told_ms=told_.told_ms,
    )


def _one(conn: Connection, name: str, caller: Caller) -> OneDevice:
    now_ms = pages.now_ms()
    row = store.device(conn, name)
    if row is None:
        raise Refused(404, f"there is no device {name}")
    line = next(line for line in listing.lines(conn, now_ms, shown.day_of(now_ms)) if line.row.name == name)
    item, fact = _item(conn, name), inventory.fact(conn, row.id)
    loan = item.loan
    return OneDevice(
        device=_device(line._replace(condition=condition(row, now_ms))),
        first_heard_ms=row.first_heard_ms,
        boot=row.boot,
        missing=row.missing,
        dropped=row.dropped,
        quarantined=row.quarantined,
        open_alarms=list(row.open_alarms),
        hold=outbox.held(conn, [row.id]).get(row.id),
        inventory=item.values,
        # Who has it is for those who lend.
        loan=Loan(number=loan.number, name=loan.name, since=loan.since, until=loan.until)
        if loan and "inventory:write" in caller.token.scopes
        else None,
        fact=_fact(fact) if fact else None,
    )
