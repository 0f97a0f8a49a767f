"""The closing of a month of 3,000 lines: looked at, asked for, approved; with eleven closed months behind it.

Real are the database on the disk that is measured, its commits, and the functions that the month's page calls.
"""

import shutil
import time
from pathlib import Path

from benchmarks.measured import Benchmark, Claim, Measured, Place, Side
from hub.db import Db
from hub.waiver import closing, ledger_store, outlook
from hub.waiver.ledger_store import Closing
from tests.waiver.month import model
from tests.waiver.month.hall import APPROVES, ASKS, Hall, after, hall

LINES = 3000
_MONTHS = model.months_from(model.FIRST, 12)


def a_close(place: Place) -> Measured:
    """The last month of a fiscal year; what the page shows, and the act of the person who approves."""
    with_year = _copied(place)
    month = _MONTHS[-1]
    now_ms = after(month)
    began_s = time.perf_counter()
    found = with_year.db.read(lambda conn: outlook.look(conn, month, now_ms))
    looked_s = time.perf_counter()
    with_year.db.write_now(lambda conn: closing.ask(conn, month, found.fingerprint, "", ASKS, now_ms))
    asked_s = time.perf_counter()
    done = with_year.db.write_now(lambda conn: closing.approve(conn, month, APPROVES, now_ms))
    ended_s = time.perf_counter()
    assert isinstance(done, Closing), done
    entries = with_year.db.read(lambda conn: len(ledger_store.booked_line_months(conn, "line", month)))
    with_year.db.close()
    return {
        "lines": len(with_year.town),
        "line_months": entries,
        "look_ms": (looked_s - began_s) * 1000,
        "ask_ms": (asked_s - looked_s) * 1000,
        "close_ms": (ended_s - asked_s) * 1000,
    }


def _copied(place: Place) -> Hall:
    """A hub with eleven closed months and the twelfth's bills, made once and copied for each round."""
    lines = place.size(LINES, 30)
    kept = place.kept / "year.db"
    if not kept.exists():
        _make(kept, lines)
    folder = place.fresh / "copy"
    folder.mkdir()
    shutil.copy(kept, folder / "hub.db")
    return Hall(Db(folder / "hub.db"), model.town(lines))


def _make(kept: Path, lines: int) -> None:
    folder = kept.parent / "making"
    folder.mkdir()
    made = hall(folder, lines, _MONTHS)
    for month in _MONTHS:
        made.bills(month)
        if month != _MONTHS[-1]:
            closed = made.close(month)
            assert isinstance(closed, Closing), closed
    made.db.empty_log()
    made.db.close()
    (folder / "hub.db").replace(kept)


BENCHMARK = Benchmark(
    title="Closing a month of 3,000 lines",
    about="A made-up town: two carriers, four rules, hand-overs within months, eleven closed months. Measured "
    "are the look at the month (everything worked out, earlier months looked at again), the request, and the approval: "
    "worked out anew, bills, assessments and waivers entered in the chained ledger, the month closed, one commit.",
    sides=(Side("a month", a_close),),
    claims=(
        Claim(
            "seconds to close 3,000 lines",
            lambda found: found["a month"]["close_ms"] / 1000,
            "at most",
            5,
            ("a month",),
            " s",
        ),
    ),
    rounds=3,
)
