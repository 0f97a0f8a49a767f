"""Attendance of 300 staff with five years of punches: closing a month, pages of a month, a year worked out anew."""

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from benchmarks.measured import Benchmark, Claim, Measured, Place, Side, percentile
from benchmarks.parts import town
from hub import people
from hub.attendance import closing as month_closing
from hub.attendance import store, timesheet_store
from hub.attendance.close_store import Close
from hub.attendance.request import OrderBody
from hub.db import Connection, Db
from hub.staff import store as staff
from hub.staff.terms import Terms
from tests.hub_process import Hub
from tests.login.parts import HASHED, PASSWORD

_JAPAN_MS = 9 * 3_600_000
_MINUTE_MS, _DAY_MS = 60_000, 86_400_000
_EPOCH = date(1970, 1, 1)
_DEPARTMENTS = 6
_TERMINALS = 6
# Four punches a day: in, out for lunch, in again, out.
_TAPS_MIN = (505, 721, 778, 1040)
_ROWS_AT_ONCE = 20_000
_NOW = date(2026, 11, 24)


def a_close(place: Place) -> Measured:
    """A month that nobody has looked at yet: worked out, looked at, closed; and the last two alone."""
    month, now_ms = "2026-10", _ms(date(2026, 11, 3), 600)
    with _copy(place) as db:
        began_s = time.perf_counter()
        month_closing.warm(db, month, now_ms)
        warm_s = time.perf_counter()
        found = db.read(lambda conn: month_closing.look(conn, month, now_ms))
        looked_s = time.perf_counter()
        done = db.write_now(lambda conn: month_closing.close(conn, month, found.fingerprint, now_ms, "sachi"))
        ended_s = time.perf_counter()
        assert isinstance(done, Close), (done, found.stops, found.open_days[:3])
    return {
        "close_ms": (ended_s - began_s) * 1000,
        "look_ms": (looked_s - warm_s) * 1000,
        "act_ms": (ended_s - looked_s) * 1000,
    }


def a_year(place: Place) -> Measured:
    """Twelve months of everybody, from the punches."""
    months = [f"2025-{n:02}" for n in (10, 11, 12)] + [f"2026-{n:02}" for n in range(1, 10)]
    now_ms = _ms(_NOW, 600)
    with _copy(place) as db:
        ids = db.read(lambda conn: list(staff.members(conn)))
        began_s = time.perf_counter()
        for month in months if not place.quick else months[:1]:
            found = db.read(lambda conn, month=month: timesheet_store.fold(conn, ids, month, now_ms))  # type: ignore[misc]
            assert len(found) == len(ids)
        return {"year_ms": (time.perf_counter() - began_s) * 1000}


def pages(place: Place) -> Measured:
    """Pages over HTTP, signed in: any month of anybody; months of departments, the first time and again."""
    folder = place.fresh / "town"
    (folder / "hub").mkdir(parents=True)
    shutil.copyfile(_filled(place), folder / "hub" / "hub.db")
    chance = random.Random(2)
    months = _months(date(2026, 10, 31), place.size(60, 4))
    with town(folder) as (_, hub), httpx.Client(base_url=hub.url, timeout=60) as client:
        _sign_in(hub, client)
        persons = [
            _took_ms(client, f"/attendance/people/{chance.randrange(_staff(place)):06}/{chance.choice(months)}")
            for _ in range(place.size(300, 5))
        ]
        looks = [f"/attendance/months/{month}?department={n:03}" for month in months[-12:] for n in range(_DEPARTMENTS)]
        first = [_took_ms(client, path) for path in looks]
        again = [_took_ms(client, chance.choice(looks)) for _ in range(place.size(200, 5))]
    return {
        "person_p50_ms": percentile(persons, 0.5),
        "person_p95_ms": percentile(persons, 0.95),
        "department_first_p95_ms": percentile(first, 0.95),
        "department_p50_ms": percentile(again, 0.5),
        "department_p95_ms": percentile(again, 0.95),
    }


def _took_ms(client: httpx.Client, path: str) -> float:
    began_s = time.perf_counter()
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return (time.perf_counter() - began_s) * 1000


def _sign_in(hub: Hub, client: httpx.Client) -> None:
    def add(conn: Connection) -> None:
        people.set_password(conn, people.add(conn, "sachi", "", "clerk", 0), HASHED)

    with closing(Db(hub.database)) as db:
        db.write_now(add)
    answer = client.post("/sign-in", data={"name": "sachi", "password": PASSWORD, "next": "/"})
    assert answer.status_code == 303, answer.text


@contextmanager
def _copy(place: Place) -> Iterator[Db]:
    copy = place.fresh / "hub.db"
    shutil.copyfile(_filled(place), copy)
    with closing(Db(copy)) as db:
        db.open()
        yield db


def _staff(place: Place) -> int:
    return place.size(300, 12)


def _filled(place: Place) -> Path:
    """The database with five years in it, made once."""
    path = place.kept / "filled.db"
    if not path.exists():
        years = place.size(5, 1)
        with closing(Db(path)) as db:
            db.open()
            db.write_now(_terminals)
            db.write_now(lambda conn: _everybody(conn, _staff(place)))
            _punches(db, _staff(place), date(_NOW.year - years, 11, 1))
            db.write_now(lambda conn: conn.execute("ANALYZE"))
            path.with_suffix(".made").touch()
    return path


def _terminals(conn: Connection) -> None:
    for n in range(1, _TERMINALS + 1):
        conn.execute(
            "INSERT INTO device (id, name, kind, first_heard_ms, last_heard_ms) VALUES (?, ?, 'terminal', 0, 0)",
            (n, f"terminal-{n}"),
        )
        conn.execute(
            "INSERT INTO lane (id, device_id, spool, lane, through, last_ms) VALUES (?, ?, ?, 'urgent', 0, 0)",
            (n, n, f"{n:016x}"),
        )
        conn.execute("INSERT INTO boot (id, device_id, boot) VALUES (?, ?, ?)", (n, n, f"boot-{n}"))


def _everybody(conn: Connection, count: int) -> None:
    for n in range(_DEPARTMENTS):
        staff.add_department(conn, f"{n:03}", f"department {n}")
    for n in range(count):
        terms = Terms(since=date(2020, 4, 1), department=f"{n % _DEPARTMENTS:03}", monthly_base_yen=200_000 + n * 700)
        id_ = staff.add_member(conn, f"{n:06}", terms.since, 0)
        staff.set_terms(conn, id_, terms, 0, "sachi")
        staff.issue_card(conn, id_, f"{n:032x}", 0, 0, "sachi")


def _punches(db: Db, count: int, first: date) -> None:
    """Every day but Sundays, with an order on every fourth evening; as ingest and requests would have kept them."""
    days = [first + timedelta(days=n) for n in range((_NOW - first).days)]
    for day in days:
        if day.weekday() == 6:
            continue
        ordered = [n for n in range(count) if (day.toordinal() + n) % 4 == 0]
        rows = [row for n in range(count) for row in _day(n, day, late=n in set(ordered))]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            flat = [value for row in rows[start : start + _ROWS_AT_ONCE] for value in row]
            db.write_now(lambda conn, flat=flat: store.keep(conn, flat))  # type: ignore[misc]
        db.write_now(lambda conn, day=day, ordered=ordered: _orders(conn, day, ordered))  # type: ignore[misc]


def _day(n: int, day: date, *, late: bool) -> Iterator[tuple[Any, ...]]:
    for number, minute in enumerate(_TAPS_MIN):
        at_ms = _ms(day, minute + (150 if late and number == 3 else 0)) + n * 37 % 9 * 1000
        terminal = (n + number) % _TERMINALS + 1
        seq = (day.toordinal() * 400 + n) * 4 + number
        yield (
            terminal,
            terminal,
            seq,
            terminal,
            at_ms,
            at_ms,
            0,
            at_ms + 900,
            f"{n:032x}",
            "clock_in",
            "accepted",
            "time",
            "felica",
            None,
        )


def _orders(conn: Connection, day: date, numbers: list[int]) -> None:
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 (as requests have it)
    body = OrderBody(midnight + timedelta(minutes=1035), midnight + timedelta(minutes=1180))
    text = msgspec.json.encode(body).decode()
    for n in numbers:
        cursor = conn.execute(
            "INSERT INTO request (staff_id, kind, from_day, to_day, body, reason, entered_ms, entered_by) "
            "VALUES (?, 'order', ?, ?, ?, '', 0, 'yuki')",
            (n + 1, day.isoformat(), day.isoformat(), text),
        )
        conn.execute(
            "INSERT INTO request_decision (request_id, decision, note, at_ms, who) "
            "VALUES (?, 'approved', '', 0, 'sachi')",
            (cursor.lastrowid,),
        )


def _ms(day: date, minute: int) -> int:
    return (day - _EPOCH).days * _DAY_MS + minute * _MINUTE_MS - _JAPAN_MS


def _months(last: date, count: int) -> list[str]:
    first = last.year * 12 + last.month - count
    return [f"{(first + n) // 12:04}-{(first + n) % 12 + 1:02}" for n in range(count)]


BENCHMARK = Benchmark(
    "Attendance of 300 staff",
    "Five years of four punches a day (1.9 million) and an order on every fourth evening. A close begins with nothing "
    "worked out; a person's page is worked out anew each time, a department's is read from what was worked out.",
    (Side("close", a_close), Side("year", a_year), Side("pages", pages)),
    (
        Claim(
            "closing a month of 300 staff, from nothing",
            lambda m: m["close"]["close_ms"] / 1000,
            "at most",
            3,
            ("close",),
            "s",
        ),
        Claim(
            "a person's month, 95th percentile", lambda m: m["pages"]["person_p95_ms"], "at most", 100, ("pages",), "ms"
        ),
        Claim(
            "a department's month, 95th percentile",
            lambda m: m["pages"]["department_p95_ms"],
            "at most",
            100,
            ("pages",),
            "ms",
        ),
        Claim(
            "a year of 300 staff worked out anew", lambda m: m["year"]["year_ms"] / 1000, "at most", 30, ("year",), "s"
        ),
    ),
    rounds=3,
)
