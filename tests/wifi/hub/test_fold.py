"""Any order, any repeat and any grouping of the same tellings leaves the same sessions and the same hours."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import migrations
from hub.db import Connection, Db
from hub.wifi import hourly, session_store
from hub.wifi.hourly import Flow, hour_of
from hub.wifi.session import MOST_BYTES, Told, merged, of_record, plausible_ms
from tests.wifi.hub.drawn import HOUR_MS, NOW_MS, tellings, told
from wire.messages import Cause, WifiSession


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with tables and nothing in them."""
    path = tmp_path_factory.mktemp("blank") / "hub.sqlite"
    migrations.apply(path)
    db = Db(path)
    db.write_now(lambda conn: conn.execute("SELECT 1"))
    db.close()
    return path.read_bytes()


@contextmanager
def database(blank: bytes) -> Iterator[Db]:
    """One that is gone afterwards."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "hub.sqlite"
        path.write_bytes(blank)
        db = Db(path)
        try:
            yield db
        finally:
            db.close()


def take(db: Db, groups: Sequence[Sequence[Told]]) -> None:
    """One transaction a group."""
    for group in groups:
        if group:
            db.write_now(lambda conn, group=group: session_store.take(conn, group, NOW_MS))  # type: ignore[misc]


def kept(conn: Connection) -> dict[str, list[Any]]:
    """Everything that the tellings left, without the numbers of rows."""
    return {
        "sessions": conn.execute(
            "SELECT told_by, session, number, began_ms, last_ms, ended_ms, end_number, ends_ms, cause, up_bytes, "
            "down_bytes, extensions, slowed, origin, guest, network, way, device_id FROM wifi_session "
            "ORDER BY told_by, session"
        ).fetchall(),
        "points": conn.execute(
            "SELECT s.told_by, s.session, h.hour_ms, h.up_bytes, h.down_bytes FROM wifi_session_hour h "
            "JOIN wifi_session s ON s.id = h.session_id ORDER BY 1, 2, 3"
        ).fetchall(),
        "hours": conn.execute(
            "SELECT * FROM wifi_hour WHERE began OR sessions OR up_bytes OR down_bytes ORDER BY told_by, hour_ms"
        ).fetchall(),
    }


_BELOW_ZERO = "SELECT * FROM wifi_hour WHERE min(up_bytes, down_bytes, began, sessions) < 0"


@given(told(), told(), told())
def test_folding_asks_neither_order_nor_repeat_nor_grouping(one: Told, two: Told, three: Told) -> None:
    two, three = (
        msgspec.structs.replace(other, told_by=one.told_by, session=one.session, device_id=one.device_id)
        for other in (two, three)
    )
    assert merged(one, two) == merged(two, one)
    assert merged(merged(one, two), three) == merged(one, merged(two, three))
    once = merged(one, two)
    assert merged(once, one) == merged(once, two) == merged(once, once) == once


@settings(max_examples=60, deadline=None)
@given(tellings, st.lists(st.integers(0, 11), max_size=12), st.randoms(use_true_random=False), st.integers(1, 8))
def test_shuffled_and_repeated_tellings_leave_the_same_rows(
    blank: bytes, tellings: list[Told], again: list[int], chance: Random, size: int
) -> None:
    other = [*tellings, *(tellings[n] for n in again if n < len(tellings))]
    chance.shuffle(other)
    with database(blank) as first, database(blank) as second:
        take(first, [tellings])
        take(second, [other[begin : begin + size] for begin in range(0, len(other), size)])
        assert first.read(kept) == second.read(kept)


@settings(max_examples=60, deadline=None)
@given(st.lists(tellings, max_size=4))
def test_hours_sum_to_the_sessions_after_every_group(blank: bytes, groups: list[list[Told]]) -> None:
    with database(blank) as db:
        for group in groups:
            take(db, [group])
            sessions, hours = db.read(
                lambda conn: (
                    conn.execute(
                        "SELECT told_by, sum(up_bytes), sum(down_bytes), count(*) FROM wifi_session GROUP BY told_by"
                    ).fetchall(),
                    conn.execute(
                        "SELECT told_by, sum(up_bytes), sum(down_bytes), sum(began) FROM wifi_hour GROUP BY told_by"
                    ).fetchall(),
                )
            )
            assert sessions == hours
            assert db.read(lambda conn: conn.execute(_BELOW_ZERO).fetchall()) == []


@given(st.dictionaries(st.integers(0, 5), st.builds(Flow, st.integers(0, 99), st.integers(0, 99)), min_size=1))
def test_shares_are_what_the_points_rise_by(points: dict[int, Flow]) -> None:
    found = hourly.shares(points)
    assert set(found) == set(points)
    assert sum(one.up_bytes for one in found.values()) == max(one.up_bytes for one in points.values())
    assert sum(one.down_bytes for one in found.values()) == max(one.down_bytes for one in points.values())
    assert all(one.up_bytes >= 0 and one.down_bytes >= 0 for one in found.values())


def telling(number: int, minutes: int, flowed: int, cause: Cause = "", **more: Any) -> Told:
    """One of a session that began two hours ago; ten times as much came as went."""
    began_ms = NOW_MS - 2 * HOUR_MS
    last_ms = began_ms + minutes * 60_000
    told = Told("device:1", "b", "5" * 32, number, began_ms, last_ms, flowed, flowed * 10)
    fixed = {"guest": "6" * 32, "day": "2026-09-21", "device_id": 1, "place": "hall", **more}
    return msgspec.structs.replace(told, ended_ms=last_ms if cause else None, cause=cause, **fixed)


def only(db: Db) -> dict[str, Any]:
    """The one session."""
    names = ("number", "last_ms", "ended_ms", "cause", "up_bytes", "down_bytes")
    row = db.read(
        lambda conn: conn.execute(
            "SELECT number, last_ms, ended_ms, cause, up_bytes, down_bytes FROM wifi_session"
        ).fetchall()
    )
    assert len(row) == 1
    return dict(zip(names, row[0], strict=True))


def test_four_gigabytes_are_not_lost_at_the_wrap(blank: bytes) -> None:
    with database(blank) as db:
        take(db, [[telling(1, 5, 2**32 - 1000)], [telling(2, 10, 2**32 + 500)]])
        assert only(db)["up_bytes"] == 2**32 + 500


def test_what_is_told_after_the_end_opens_nothing_and_lowers_nothing(blank: bytes) -> None:
    with database(blank) as db:
        take(db, [[telling(1, 5, 500)], [telling(3, 20, 900, "user")], [telling(2, 10, 600)], [telling(1, 5, 500)]])
        assert only(db) == {
            "number": 3,
            "last_ms": NOW_MS - 100 * 60_000,
            "ended_ms": NOW_MS - 100 * 60_000,
            "cause": "user",
            "up_bytes": 900,
            "down_bytes": 9000,
        }


def test_an_end_that_is_told_again_later_moves_nothing(blank: bytes) -> None:
    with database(blank) as db:
        take(db, [[telling(3, 20, 900, "user")], [telling(4, 70, 900, "power")]])
        assert (only(db)["ended_ms"], only(db)["cause"]) == (NOW_MS - 100 * 60_000, "user")
        take(db, [[telling(2, 15, 800, "idle")]])
        assert (only(db)["ended_ms"], only(db)["cause"]) == (NOW_MS - 105 * 60_000, "idle")


def test_bytes_told_late_move_to_their_hour_and_the_sum_stays(blank: bytes) -> None:
    hours = "SELECT hour_ms, up_bytes FROM wifi_hour WHERE up_bytes ORDER BY hour_ms"
    with database(blank) as db:
        take(db, [[telling(1, 0, 0)], [telling(3, 119, 1000)]])
        last = hour_of(NOW_MS - 60_000)
        assert db.read(lambda conn: conn.execute(hours).fetchall()) == [(last, 1000)]
        take(db, [[telling(2, 55, 400)]])
        middle = hour_of(NOW_MS - 65 * 60_000)
        assert db.read(lambda conn: conn.execute(hours).fetchall()) == [(middle, 400), (last, 600)]


def test_a_beginning_is_corrected_once_the_clock_is_right(blank: bytes) -> None:
    early = telling(1, 5, 10, began_ms=NOW_MS - 9 * HOUR_MS)
    with database(blank) as db:
        take(db, [[telling(2, 10, 20)], [early]])
        began = db.read(lambda conn: conn.execute("SELECT began_ms FROM wifi_session").fetchone()[0])
        assert began == NOW_MS - 2 * HOUR_MS
        rows = db.read(lambda conn: conn.execute("SELECT hour_ms, began FROM wifi_hour WHERE began").fetchall())
        assert rows == [(hour_of(NOW_MS - 2 * HOUR_MS), 1)]


def test_counters_that_no_session_has_break_no_sum(blank: bytes) -> None:
    with database(blank) as db:
        some = [telling(1, 5, 2**59, session=f"{number:032x}") for number in range(20)]
        take(db, [some])
        total, kind = db.read(
            lambda conn: conn.execute("SELECT sum(up_bytes), typeof(sum(up_bytes)) FROM wifi_hour").fetchone()
        )
        assert (total, kind) == (20 * MOST_BYTES, "integer")


def test_times_that_cannot_be_are_those_of_arrival() -> None:
    assert plausible_ms(5, NOW_MS) == plausible_ms(NOW_MS + HOUR_MS, NOW_MS) == NOW_MS
    assert plausible_ms(NOW_MS - HOUR_MS, NOW_MS) == NOW_MS - HOUR_MS
    body = WifiSession("5" * 32, "b", 1, 1000, 2000, 0, 0, "6" * 32, "2026-09-21", cause="power")
    read = of_record(body, 1, "hall", NOW_MS)
    assert (read.began_ms, read.last_ms, read.ended_ms) == (NOW_MS, NOW_MS, NOW_MS)


def test_a_group_of_thousands_takes_few_statements(blank: bytes) -> None:
    with database(blank) as db:
        counted: list[str] = []

        def run(conn: Connection) -> None:
            conn.set_trace_callback(counted.append)
            session_store.take(conn, [telling(1, 5, 10, session=f"{n:032x}") for n in range(4000)], NOW_MS)
            conn.set_trace_callback(None)

        db.write_now(run)
        assert len(counted) < 120
