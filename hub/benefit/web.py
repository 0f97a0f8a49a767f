"""Pages of benefits on a card: what waits for somebody, accounts, and what devices may take on their own."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from hub import audit, pages, shown
from hub.benefit import account_store, account_web, allowance, kind_web, purse_store, report_web, store, use_store
from hub.benefit.account_store import AllowanceRow
from hub.benefit.benefit import Kind
from hub.db import Connection
from hub.guard import Who, fields, need
from hub.inventory import store as inventory
from hub.papers import store as papers
from wire import purse

router = APIRouter()
router.include_router(kind_web.router)
router.include_router(account_web.router)
router.include_router(report_web.router)

Seer = Annotated[Who, Depends(need("waivers"))]
Decider = Annotated[Who, Depends(need("decide"))]
Keeper = Annotated[Who, Depends(need("benefits"))]
Decision = Annotated[dict[str, str], Depends(fields("do", "grant"))]
Sight = Annotated[dict[str, str], Depends(fields("do", "device", "use"))]

ON_A_PAGE = 100
_DID = ("approved", "refused", "seen", "given_up", "own", "gone")


class Sum(msgspec.Struct, frozen=True):
    """A kind's accounts together: what is left, what devices may take unheard, and over what is left at worst."""

    kind: Kind
    residents: int
    left: int
    exposure: int
    worst: int


class Place(msgspec.Struct, frozen=True):
    """A device and what it may take unheard: in units by kind, until when, when it was last heard of its purse."""

    device_id: int
    device: str
    units: dict[str, int]
    accounts: int
    until_ms: int
    heard_ms: int
    serves: bool
    lapsed: bool


class Line(msgspec.Struct, frozen=True):
    """One resident's accounts: what is left of each kind."""

    id: int
    number: str
    name: str
    cards: int
    left: dict[str, int]
    over: int


@router.get("/benefits")
def benefits(
    request: Request,
    who: Seer,
    q: Annotated[str, Query(max_length=60)] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    did: str = "",
) -> Response:
    """What waits for somebody, every kind together, devices, and every account."""
    now_ms = pages.now_ms()
    values = request.app.state.db.read(lambda conn: _gather(conn, now_ms))
    lines = [one for one in values.pop("lines") if not q.strip() or q.strip() in one.number or q.strip() in one.name]
    values |= {"lines": lines[(page - 1) * ON_A_PAGE : page * ON_A_PAGE], "n": len(lines), "number": page}
    more = len(lines) > page * ON_A_PAGE
    return pages.page(request, "benefits.html", who, q=q, more=more, did=did if did in _DID else "", **values)


def _gather(conn: Connection, now_ms: int) -> dict[str, Any]:
    kinds, today = store.kinds(conn), shown.day_of(now_ms)
    whose = account_store.everybody(conn)
    accounts = account_store.accounts(conn, whose)
    exposed = account_store.exposed(conn)
    left = {key: one.balance(today) for key, one in accounts.items()}
    over = {key: sum(one.over.values()) for key, one in accounts.items()}
    return {
        "kinds": kinds,
        "grants": store.open_grants(conn),
        "troubles": use_store.troubles(conn),
        "sums": [_sum(kind, left, exposed) for kind in kinds.values()],
        "places": _places(exposed, account_store.places(conn), now_ms),
        "serving": account_store.places(conn),
        "left_out": purse_store.left_out(conn, now_ms),
        "error": papers.error(conn, purse.KIND),
        "names_kept": inventory.names_kept(conn),
        "lines": _lines(conn, left, over),
    }


def _sum(kind: Kind, left: dict[account_store.Key, int], exposed: list[AllowanceRow]) -> Sum:
    mine = {id_: units for (id_, code), units in left.items() if code == kind.code}
    of: dict[int, list[int]] = {}
    for one in exposed:
        if one.benefit == kind.code:
            of.setdefault(one.resident_id, []).append(one.exposure)
    worst = sum(allowance.over_at_worst(mine.get(id_, 0), units) for id_, units in of.items())
    return Sum(kind, len(mine), sum(mine.values()), sum(map(sum, of.values())), worst)


def _places(exposed: list[AllowanceRow], serving: dict[int, str], now_ms: int) -> list[Place]:
    """Devices that may take something unheard, those first that were not heard of for longest."""
    of: dict[int, list[AllowanceRow]] = {}
    for one in exposed:
        of.setdefault(one.device_id, []).append(one)
    found = []
    for device_id, rows in of.items():
        units: dict[str, int] = {}
        for row in rows:
            units[row.benefit] = units.get(row.benefit, 0) + row.exposure
        until_ms = max(row.until_ms for row in rows)
        lapsed = all(row.until_ms <= now_ms and row.limit <= row.used for row in rows)
        name = rows[0].device or str(device_id)
        found.append(Place(device_id, name, units, len(rows), until_ms, rows[0].heard_ms, device_id in serving, lapsed))
    return sorted(found, key=lambda one: (one.serves, one.heard_ms, one.device))


def _lines(conn: Connection, left: dict[account_store.Key, int], over: dict[account_store.Key, int]) -> list[Line]:
    rows = conn.execute(
        "SELECT r.id, r.number, r.name, (SELECT count(*) FROM benefit_card c WHERE c.resident_id = r.id "
        "AND c.taken_back_ms IS NULL) FROM resident r ORDER BY r.number"
    )
    of: dict[int, dict[str, int]] = {}
    for (id_, code), units in left.items():
        of.setdefault(id_, {})[code] = units
    overs: dict[int, int] = {}
    for (id_, _), units in over.items():
        overs[id_] = overs.get(id_, 0) + units
    return [Line(id_, number, name, n, of.get(id_, {}), overs.get(id_, 0)) for id_, number, name, n in rows]


@router.post("/benefits/grants")
def decide(request: Request, who: Decider, form: Decision) -> Response:
    """Approves or refuses another person's grant."""
    result = {"approve": "approved", "refuse": "refused"}.get(form.get("do", ""))
    number = form.get("grant", "")
    if result is None or not number.isascii() or not number.isdigit() or int(number) > pages.LAST_ID:
        raise HTTPException(400)
    now_ms = pages.now_ms()

    def write(conn: Connection) -> str:
        found = store.grant(conn, int(number))
        if found is None:
            raise HTTPException(404)
        if found.entered_by == who.person.name:
            return "own"
        if not store.decide_grant(conn, found, result, who.person.name, now_ms):
            return "gone"
        did: audit.Did = "benefit_approve" if result == "approved" else "benefit_refuse"
        audit.note(conn, now_ms, who.person.name, did, found.resident, f"{found.benefit} {found.units}")
        return result

    return pages.to("/benefits", did=request.app.state.db.write_now(write))


@router.post("/benefits/uses")
def see(request: Request, who: Keeper, form: Sight) -> Response:
    """Somebody has seen to what was wrong with a use; or nothing more is expected of a device."""
    device, do = form.get("device", ""), form.get("do", "")
    if do not in ("seen", "give_up") or not device.isascii() or not device.isdigit() or int(device) > pages.LAST_ID:
        raise HTTPException(400)
    now_ms, person = pages.now_ms(), who.person.name

    def write(conn: Connection) -> str:
        if do == "give_up":
            count = account_store.give_up(conn, int(device), now_ms)
            audit.note(conn, now_ms, person, "benefit_give_up", device, str(count))
            return "given_up" if count else "gone"
        found = use_store.use(conn, (int(device), form.get("use", "")))
        if found is None:
            raise HTTPException(404)
        use_store.see(conn, found, person, now_ms)
        audit.note(conn, now_ms, person, "benefit_seen", found.resident, f"{found.trouble} {found.use[:8]}")
        return "seen"

    return pages.to("/benefits", did=request.app.state.db.write_now(write))
