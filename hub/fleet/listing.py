"""Every device and thing in a line, for lists: few columns of each, read with a fixed number of statements (SQL).

1. A list of two thousand is read whole, because a condition depends on the time; so each line must be cheap.
   The page of one device reads more (`store.py`).
2. How often a device reports is looked up only for those that have been silent for so long that it matters.
3. A thing that was bought and has not been heard yet has a line without a device.
"""

from collections import defaultdict
from typing import Any, Literal, NamedTuple

import msgspec

from hub.db import Connection
from hub.fleet import interval_store, late
from hub.fleet.condition import Condition, condition
from hub.fleet.truetime import QUALITIES
from wire.messages import ClockQuality

Loan = Literal["", "lent", "overdue", "store"]
NOTHING_LOST = (0, 0, 0)


class Vital(msgspec.Struct, frozen=True, gc=False):
    """What a list shows of a health record, and what a condition asks of it; the rest is not even read."""

    cpu_permille: int
    memory_total: int
    memory_available: int
    disk_total: int
    disk_free: int
    version: str = ""
    temperature_milli_c: int | None = None
    throttled: int | None = None
    spool_urgent: int = 0
    spool_bulk: int = 0


class Thing(msgspec.Struct, frozen=True, gc=False):
    """What people know of a thing; `loan` is empty for one that nobody has entered."""

    id: int = 0
    asset: str = ""
    serial: str = ""
    model: str = ""
    place: str = ""
    loan: Loan = ""
    loan_number: str = ""
    loan_until: str = ""


class Brief(msgspec.Struct, frozen=True, gc=False):
    """One device, as lists show it; of a thing that has not been heard yet, `id` is 0 and `name` empty."""

    id: int
    name: str
    kind: str
    online: bool
    last_heard_ms: int
    version: str
    health: Vital | None
    clock: ClockQuality | None
    quarantined: int
    missing: int
    dropped: int
    open_alarms: tuple[str, ...]
    spool_urgent: int
    spool_bulk: int
    report_every_ms: int = late.USUAL_MS


class Line(NamedTuple):
    """A device and how it is, and what people know of it."""

    row: Brief
    condition: Condition
    thing: Thing = Thing()
    tags: tuple[str, ...] = ()


_UNHEARD = Condition("unheard", ())
_vital = msgspec.json.Decoder(Vital)

# All devices, or those that a person has entered without one: the same columns of the inventory.
_THING = (
    "i.id, i.asset, coalesce(nullif(i.serial, ''), f.serial, ''), coalesce(nullif(i.model, ''), f.model, ''), i.place"
)


def lines(conn: Connection, now_ms: int, today: str) -> list[Line]:
    """Every device with its condition, by name; `today` (YYYY-MM-DD) tells which loans are overdue."""
    latest = _latest(conn)
    lost = _lost(conn)
    alarms = _open_alarms(conn)
    tags = _tags(conn)
    found = []
    for id_, name, kind, online, heard_ms, lane_ms, version, *known in conn.execute(
        "SELECT d.id, d.name, d.kind, d.online, d.last_heard_ms, coalesce(l.last_ms, 0), d.version, "  # noqa: S608
        f"{_THING}, o.number, o.until FROM device d "
        "LEFT JOIN (SELECT device_id, max(last_ms) AS last_ms FROM lane GROUP BY device_id) l ON l.device_id = d.id "
        "LEFT JOIN item i ON i.device_id = d.id LEFT JOIN device_fact f ON f.device_id = d.id "
        "LEFT JOIN loan o ON o.item_id = i.id AND o.returned IS NULL ORDER BY d.name"
    ):
        health, clock = latest.get(id_, (None, None))
        missing, dropped, quarantined = lost.get(id_, NOTHING_LOST)
        row = Brief(
            id_,
            name,
            kind,
            bool(online),
            heard_ms if heard_ms > lane_ms else lane_ms,
            version or (health.version if health else ""),
            health,
            clock,
            quarantined,
            missing,
            dropped,
            alarms.get(id_, ()),
            health.spool_urgent if health else 0,
            health.spool_bulk if health else 0,
        )
        thing = _thing(known, today) if known[0] is not None else _known_by_itself(known)
        found.append(Line(row, condition(row, now_ms), thing, tags.get(thing.id, ())))
    return _with_intervals(conn, found, now_ms)


def unheard(conn: Connection, today: str) -> list[Line]:
    """Things that somebody has entered and of which no device has been heard."""
    tags = _tags(conn)
    return [
        Line(_nobody(kind), _UNHEARD, _thing(known, today), tags.get(known[0], ()))
        for kind, *known in conn.execute(
            "SELECT i.kind, i.id, i.asset, i.serial, i.model, i.place, o.number, o.until FROM item i "
            "LEFT JOIN loan o ON o.item_id = i.id AND o.returned IS NULL "
            "WHERE i.device_id IS NULL ORDER BY i.asset, i.serial"
        )
    ]


def _nobody(kind: str) -> Brief:
    return Brief(
        id=0,
        name="",
        kind=kind,
        online=False,
        last_heard_ms=0,
        version="",
        health=None,
        clock=None,
        quarantined=0,
        missing=0,
        dropped=0,
        open_alarms=(),
        spool_urgent=0,
        spool_bulk=0,
    )


def names(conn: Connection) -> list[tuple[str, str]]:
    """Name and kind of every device, by name."""
    return conn.execute("SELECT name, kind FROM device ORDER BY name").fetchall()


def _thing(known: list[Any], today: str) -> Thing:
    id_, asset, serial, model, place, number, until = known
    if number is None:
        return Thing(id_, asset, serial, model, place, "store")
    return Thing(id_, asset, serial, model, place, "overdue" if until < today else "lent", number, until)


def _known_by_itself(known: list[Any]) -> Thing:
    """Of a device that nobody has entered: what it tells of itself."""
    return Thing(serial=known[2], model=known[3]) if known[2] or known[3] else _NO_THING


_NO_THING = Thing()


def _with_intervals(conn: Connection, found: list[Line], now_ms: int) -> list[Line]:
    """The lines anew whose silence is to be judged by the device's own interval."""
    doubtful = {line.row.id for line in found if line.row.online and now_ms - line.row.last_heard_ms > late.SOONEST_MS}
    if not doubtful:
        return found
    every_ms = interval_store.report_intervals(conn)
    return [
        line
        if line.row.id not in doubtful
        else _judged(line, msgspec.structs.replace(line.row, report_every_ms=every_ms[line.row.id]), now_ms)
        for line in found
    ]


def _judged(line: Line, row: Brief, now_ms: int) -> Line:
    return Line(row, condition(row, now_ms), line.thing, line.tags)


def _latest(conn: Connection) -> dict[int, tuple[Vital | None, ClockQuality | None]]:
    """The newest health record, and the clock quality of the record that came last."""
    health: dict[int, Vital] = {}
    newest: dict[int, tuple[int, int, int]] = {}
    for device_id, clock, received_ms, at_ms, body in conn.execute(
        "SELECT device_id, clock, received_ms, at_ms, CASE WHEN kind = 'health' THEN body END FROM latest"
    ):
        if body is not None:
            health[device_id] = _vital.decode(body)
        came = (received_ms, at_ms, clock)
        if device_id not in newest or came >= newest[device_id]:
            newest[device_id] = came
    return {id_: (health.get(id_), QUALITIES[came[2]]) for id_, came in newest.items()}


def _lost(conn: Connection) -> dict[int, tuple[int, int, int]]:
    """Records that a device no longer keeps, gave up, or that cannot be read, and that nobody has looked at."""
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for which, query in enumerate(
        (
            "SELECT device_id, sum(missing) FROM lane WHERE missing > 0 GROUP BY device_id",
            "SELECT device_id, sum(n) FROM dropped GROUP BY device_id",
            "SELECT device_id, count(*) FROM quarantine GROUP BY device_id",
        )
    ):
        for device_id, n in conn.execute(query):
            found[device_id][which] = n
    for device_id, *seen in conn.execute("SELECT device_id, missing, dropped, quarantined FROM seen"):
        found[device_id] = [n - known for n, known in zip(found[device_id], seen, strict=True)]
    return {device_id: (counts[0], counts[1], counts[2]) for device_id, counts in found.items()}


def _open_alarms(conn: Connection) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for device_id, name in conn.execute("SELECT device_id, name FROM alarm WHERE ended_ms IS NULL ORDER BY id"):
        found[device_id] = (*found.get(device_id, ()), name)
    return found


def _tags(conn: Connection) -> dict[int, tuple[str, ...]]:
    """By item."""
    found: dict[int, list[str]] = defaultdict(list)
    for item_id, tag in conn.execute("SELECT item_id, tag FROM item_tag ORDER BY item_id, tag"):
        found[item_id].append(tag)
    return {item_id: tuple(tags) for item_id, tags in found.items()}
