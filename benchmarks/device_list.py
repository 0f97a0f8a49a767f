"""How long the list of devices takes at the hub, with 2,000 devices that have told of thirty days."""

import random
import re
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks.measured import Benchmark, Claim, Measured, Place, Side, percentile
from benchmarks.parts import town
from hub import people
from hub.db import Connection, Db
from hub.fleet import record_store
from hub.fleet.record_store import AlarmChange, Rows
from hub.inventory import store as inventory
from tests.hub_process import Hub
from tests.login.parts import HASHED, PASSWORD
from wire import codec
from wire.messages import Health, Interface, ProcessState, Usage

_HOUR_MS = 3_600_000
_KINDS = ("terminal", "tablet", "access_point")
_USAGE = bytes(codec.encode_body(Usage((Interface("eth0", 1000, 1000, "wired"),))))
# Each a view of its own: whole, sorted by what must be worked out, filtered, a late page.
_VIEWS = ("", "?sort=condition", "?place=place+3&tag=new", "?sort=heard&page=9", "?loan=lent&sort=until")


def a_month(place: Place) -> Measured:
    """Thirty days of hourly events and roll-ups."""
    return _measure(place, days=place.size(30, 2))


def an_hour(place: Place) -> Measured:
    """The same devices, an hour after they were first heard."""
    return _measure(place, days=0)


def _measure(place: Place, *, days: int) -> Measured:
    devices = place.size(2_000, 60)
    folder = place.kept / f"days-{days}"
    if not folder.exists():
        _fill(folder / "hub" / "hub.db", devices, days)
    with town(folder) as (_, hub):
        _heard_just_now(hub)
        with httpx.Client(base_url=hub.url, timeout=60) as client:
            _sign_in(client)
            pages = [_took_ms(client, f"/devices{_VIEWS[n % len(_VIEWS)]}") for n in range(place.size(200, 10))]
            parts = [_first_part_ms(client, f"/devices/events{_VIEWS[n % len(_VIEWS)]}") for n in range(20)]
    return {
        "p50_ms": percentile(pages, 0.5),
        "p95_ms": percentile(pages, 0.95),
        "live_p95_ms": percentile(parts, 0.95),
        "events": devices * (days * 24 + 1),
    }


def _took_ms(client: httpx.Client, path: str) -> float:
    began_s = time.perf_counter()
    assert client.get(path).status_code == 200
    return (time.perf_counter() - began_s) * 1000


def _first_part_ms(client: httpx.Client, path: str) -> float:
    began_s = time.perf_counter()
    with client.stream("GET", path) as answer:
        said = ""
        for text in answer.iter_text():
            said += text
            if "\n\n" in said:
                return (time.perf_counter() - began_s) * 1000
    raise AssertionError(f"{path} ended after {said!r}")


def _sign_in(client: httpx.Client) -> None:
    answer = client.post("/sign-in", data={"name": "sachi", "password": PASSWORD, "next": "/"})
    assert answer.status_code == 303, answer.text
    assert re.search("tablet-0001", client.get("/devices?q=tablet-0001").text)


def _heard_just_now(hub: Hub) -> None:
    """As if each had been heard within the last minute: what is silent costs a look at its intervals, too."""
    now_ms = time.time_ns() // 1_000_000

    def heard(conn: Connection) -> None:
        conn.execute("UPDATE device SET last_heard_ms = ?, online = id % 17 != 0", (now_ms,))
        conn.execute("UPDATE lane SET last_ms = ?", (now_ms,))

    with closing(Db(hub.database)) as db:
        db.write_now(heard)


def _fill(database: Path, devices: int, days: int) -> None:
    """A hub's database as its own intake and pages would have made it."""
    chance = random.Random(1)
    now_ms = time.time_ns() // 1_000_000
    first_ms = now_ms - now_ms % _HOUR_MS - days * 24 * _HOUR_MS
    with closing(Db(database)) as db:
        db.open()
        db.write_now(lambda conn: _known(conn, devices, first_ms, now_ms))
        for hour in range(days * 24 + 1):
            rows = _hour(devices, first_ms, hour, chance, is_last=hour == days * 24)
            db.write_now(lambda conn, rows=rows: record_store.keep(conn, rows))  # type: ignore[misc]
        db.write_now(lambda conn: _people_say(conn, devices, now_ms))


def _known(conn: Connection, devices: int, first_ms: int, now_ms: int) -> None:
    rows = _begun(first_ms)
    rows.kinds += [1, "health", 2, "usage"]
    for id_ in range(1, devices + 1):
        kind = _KINDS[id_ % 3]
        name = f"{kind.replace('_', '-')}-{id_:04}"
        rows.new_devices += [id_, name, kind, first_ms, now_ms, 1, f"boot-{id_}", 1, "0.1.0"]
        rows.boots += [id_, id_, f"boot-{id_}"]
        for number, lane in ((2 * id_ - 1, "urgent"), (2 * id_, "bulk")):
            rows.new_lanes += [number, id_, f"{id_:016x}", lane, 1000, 0, now_ms]
        rows.anchors += [id_, 1000, first_ms]
        if id_ % 50 == 0:
            rows.alarms.append(AlarmChange(id_, "card_reader", "no answer", begun=True, at_ms=now_ms))
        for number in range(5):
            rows.alarms += [AlarmChange(id_, "passed", "", begun, first_ms + number) for begun in (True, False)]
        if id_ % 97 == 0:
            rows.quarantine += [id_, None, None, "", "not JSON", b"x", now_ms]
        if id_ % 101 == 0:
            rows.dropped += [id_, "health", 5]
    record_store.keep(conn, rows)


def _begun(at_ms: int) -> Rows:
    rows = Rows()
    rows.month, rows.mark_hour_ms = f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y%m}", at_ms
    return rows


def _hour(devices: int, first_ms: int, hour: int, chance: random.Random, *, is_last: bool) -> Rows:
    at_ms = first_ms + hour * _HOUR_MS
    rows, mono_ms = _begun(at_ms), hour * _HOUR_MS + 1000
    for id_ in range(1, devices + 1):
        health = bytes(codec.encode_body(_health(chance, hour, full=id_ % 83 == 0)))
        rows.events += [2 * id_, hour + 1, 1, id_, mono_ms, at_ms, 0, at_ms, health]
        rows.health_hours += [id_, at_ms, 60, 1, 1, 1, 60, 1, 1]
        rows.usage_hours += [id_, at_ms, "eth0", "wired", 1000, 1000]
        if is_last:
            rows.latest += [id_, "health", id_, mono_ms, at_ms, int(id_ % 5 == 0), at_ms, health]
            rows.latest += [id_, "usage", id_, mono_ms, at_ms, 0, at_ms, _USAGE]
    return rows


def _health(chance: random.Random, hour: int, *, full: bool) -> Health:
    return Health(
        cpu_permille=chance.randrange(900),
        memory_total=10**9,
        memory_available=5 * 10**8,
        disk_total=32 * 10**9,
        disk_free=(1 if full else 20) * 10**9,
        uptime_s=hour * 3600,
        version="0.1.0",
        temperature_milli_c=chance.randrange(40_000, 81_000),
        spool_bulk=chance.randrange(30),
        reader="ready",
        processes=(ProcessState("machinaka-agent", "running", 1), ProcessState("kiosk", "running", 1)),
    )


def _people_say(conn: Connection, devices: int, now_ms: int) -> None:
    """An inventory in which each device stands, and a third is lent; and somebody who looks at the list."""
    for id_ in range(1, devices + 1):
        number = inventory.enter(conn, id_, now_ms)
        values = {"asset": f"A-{id_}", "place": f"place {id_ % 20}", "tags": f"new tag{id_ % 7}"}
        inventory.change(conn, number, values, now_ms)
        if id_ % 3 == 1:
            loan = {"loan_number": f"R-{id_}", "loan_since": "2026-01-01", "loan_until": f"2027-01-{id_ % 28 + 1:02}"}
            inventory.lend(conn, number, loan, "sachi")
    people.set_password(conn, people.add(conn, "sachi", "", "support", now_ms), HASHED)


BENCHMARK = Benchmark(
    "The list of 2,000 devices",
    "The whole page over HTTP, signed in, in five views; `live` is the first part of a page that updates by itself.",
    (Side("after an hour", an_hour), Side("after 30 days", a_month)),
    (
        Claim(
            "the page, 95th percentile, 2,000 devices with 30 days of history",
            lambda m: m["after 30 days"]["p95_ms"],
            "at most",
            100,
            ("after 30 days",),
            "ms",
        ),
        Claim(
            "its live part, 95th percentile",
            lambda m: m["after 30 days"]["live_p95_ms"],
            "at most",
            100,
            ("after 30 days",),
            "ms",
        ),
        Claim(
            "after 30 days ÷ after an hour, median",
            lambda m: m["after 30 days"]["p50_ms"] / m["after an hour"]["p50_ms"],
            "at most",
            1.3,
            ("after 30 days", "after an hour"),
        ),
    ),
    rounds=3,
)
