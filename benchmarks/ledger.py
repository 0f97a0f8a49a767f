"""The ledger of 3,000 lines after ten years: pages that people open, a month that is posted, everything verified."""

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import httpx
import msgspec

from benchmarks.measured import Benchmark, Claim, Measured, Place, Side, percentile
from benchmarks.parts import town
from hub import people
from hub.db import Connection, Db
from hub.waiver import ledger_check, ledger_store, receipt
from hub.waiver.ledger import FEE, RECEIVABLE, WAIVED, Entry, Leg
from hub.waiver.receipt import Due, Receipt
from tests.hub_process import Hub
from tests.login.parts import HASHED, PASSWORD

_FEE_YEN, _HALF_YEN = 1631, 816
_FIRST_YEAR = 2016


def pages(place: Place) -> Measured:
    """Pages over HTTP, signed in: any resident's statement; the journal of one line; who is to be reminded."""
    folder = place.fresh / "town"
    (folder / "hub").mkdir(parents=True)
    shutil.copyfile(_filled(place), folder / "hub" / "hub.db")
    chance = random.Random(2)
    with town(folder) as (_, hub), httpx.Client(base_url=hub.url, timeout=120) as client:
        _sign_in(hub, client)
        _took_ms(client, "/waiver/residents/1/statement")
        statements = [
            _took_ms(client, f"/waiver/residents/{chance.randint(1, _lines(place))}/statement")
            for _ in range(place.size(300, 5))
        ]
        journal = [
            _took_ms(client, f"/waiver/ledger?resident=R{chance.randint(1, _lines(place)):05}")
            for _ in range(place.size(20, 2))
        ]
        reminders = [_took_ms(client, "/waiver/reminders?through=2025-12") for _ in range(place.size(5, 1))]
    return {
        "statement_p50_ms": percentile(statements, 0.5),
        "statement_p95_ms": percentile(statements, 0.95),
        "journal_p95_ms": percentile(journal, 0.95),
        "reminders_ms": percentile(reminders, 0.5),
    }


def a_month(place: Place) -> Measured:
    """A month more: posted, summed by line, closed; each in one transaction."""
    month = "2026-01"
    with _copy(place) as db:
        entries = list(_month(month, _lines(place)))
        began_s = time.perf_counter()
        posted = db.write_now(partial(ledger_store.post, entries=entries, now_ms=0, by="sachi"))
        posted_s = time.perf_counter()
        found = db.read(partial(ledger_store.of_line_months, area="line", month=month))
        summed_s = time.perf_counter()
        db.write_now(partial(ledger_store.close, area="line", month=month, now_ms=0, by="sachi", approved_by="boss"))
        ended_s = time.perf_counter()
        assert len(posted) == len(entries)
        assert len(found) == _lines(place)
    return {
        "entries": len(entries),
        "post_ms": (posted_s - began_s) * 1000,
        "sum_ms": (summed_s - posted_s) * 1000,
        "close_ms": (ended_s - summed_s) * 1000,
    }


def a_check(place: Place) -> Measured:
    """Every entry, every closing, and the file itself looked at."""
    with _copy(place) as db:
        began_s = time.perf_counter()
        found = db.read(ledger_check.check)
        took_s = time.perf_counter() - began_s
        assert found.whole, found
    return {"entries": found.entries, "check_ms": took_s * 1000, "rows_s": found.entries / took_s}


def _took_ms(client: httpx.Client, path: str) -> float:
    began_s = time.perf_counter()
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return (time.perf_counter() - began_s) * 1000


def _sign_in(hub: Hub, client: httpx.Client) -> None:
    def add(conn: Connection) -> None:
        people.set_password(conn, people.add(conn, "sachi", "", "finance", 0), HASHED)

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


def _lines(place: Place) -> int:
    return place.size(3000, 20)


def _filled(place: Place) -> Path:
    """The database with ten years in it, each month closed, made once."""
    path = place.kept / "ledger.db"
    if not path.exists():
        with closing(Db(path)) as db:
            db.open()
            db.write_now(partial(_registers, count=_lines(place)))
            for year in range(_FIRST_YEAR, _FIRST_YEAR + place.size(10, 1)):
                for number in range(1, 13):
                    db.write_now(partial(_fill, month=f"{year}-{number:02}", count=_lines(place)))
            db.write_now(lambda conn: conn.execute("ANALYZE"))
            assert db.empty_log()
    return path


def _registers(conn: Connection, count: int) -> None:
    for n in range(1, count + 1):
        conn.execute(
            "INSERT INTO line (id, phone, from_day, changed_ms) VALUES (?, ?, '2016-01-01', 0)", (n, f"0901{n:07}")
        )
        conn.execute("INSERT INTO resident (id, number, changed_ms) VALUES (?, ?, 0)", (n, f"R{n:05}"))


def _fill(conn: Connection, month: str, count: int) -> None:
    ledger_store.post(conn, list(_month(month, count)), now_ms=0, by="sachi")
    paid = [receipt.entry(one, [_due(one.resident_id, month)], month) for one in _paid(month, count)]
    posted = ledger_store.post(conn, paid, now_ms=0, by="sachi")
    conn.executemany(
        "INSERT INTO receipt (reference, n, entry_seq, resident_id, of_month, day, yen, way, entered_by, entered_ms) "
        "VALUES (?, 1, ?, ?, '', ?, ?, 'slip', 'sachi', 0)",
        [
            (one.reference, made.seq, one.resident_id, one.day, one.yen)
            for one, made in zip(_paid(month, count), posted, strict=True)
        ],
    )
    ledger_store.close(conn, "line", month, now_ms=0, by="sachi", approved_by="boss")


def _month(month: str, count: int) -> Iterator[Entry]:
    """Everybody is assessed; a third is waived whole, a third by half."""
    for n in range(1, count + 1):
        yield _entry("assess", n, month, _leg(RECEIVABLE, _FEE_YEN, n, month), _leg(FEE, -_FEE_YEN, n, month))
        if n % 3:
            yen = _FEE_YEN if n % 3 == 1 else _HALF_YEN
            waived = msgspec.structs.replace(_leg(WAIVED, yen, n, month), ground="disabled", decision=f"{n}")
            yield _entry("waive", n, month, waived, _leg(RECEIVABLE, -yen, n, month))


def _entry(kind: str, n: int, month: str, *legs: Leg) -> Entry:
    return Entry(f"{kind}:{month}:{n}", kind, "line", month, f"{month}-28", legs)


def _leg(account: str, yen: int, n: int, month: str) -> Leg:
    return Leg(account, yen, n, n, budget_code="8-1", fiscal_year=int(month[:4]), of_month=month)


def _paid(month: str, count: int) -> list[Receipt]:
    """Whoever has something to pay has paid, but for one in fifty."""
    return [
        Receipt(reference=f"{month}-{n}", resident_id=n, day=f"{month}-28", yen=_due(n, month).yen, way="slip")
        for n in range(1, count + 1)
        if n % 3 != 1 and n % 50
    ]


def _due(n: int, month: str) -> Due:
    return Due(n, month, _FEE_YEN if n % 3 == 0 else _FEE_YEN - _HALF_YEN, int(month[:4]), "8-1")


BENCHMARK = Benchmark(
    "The ledger of 3,000 lines after ten years",
    "Ten years of assessments, waivers and receipts (840,000 entries, 1.7 million legs), each month closed. A "
    "statement shows all of its ten years.",
    (Side("pages", pages), Side("month", a_month), Side("check", a_check)),
    (
        Claim(
            "a resident's statement, 95th percentile",
            lambda m: m["pages"]["statement_p95_ms"],
            "at most",
            100,
            ("pages",),
            "ms",
        ),
        Claim(
            "a month of 3,000 lines posted and closed",
            lambda m: (m["month"]["post_ms"] + m["month"]["close_ms"]) / 1000,
            "at most",
            5,
            ("month",),
            "s",
        ),
    ),
    rounds=3,
)
