"""The list reads few columns with few statements, and says of each device what its own page says."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import pages
from hub.db import Connection, Db
from hub.fleet import listing, record_store, store, web
from hub.fleet.condition import condition
from hub.fleet.listing import Line
from hub.fleet.overview import Overview
from hub.fleet.record_store import AlarmChange, Rows
from hub.live import Change, Live
from tests.ingest.parts import NOW_MS
from tests.inventory.parts import device, lent, thing
from wire import codec
from wire.messages import Health

TODAY = "2026-11-24"
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
AGO = st.sampled_from([0, MINUTE_MS, 6 * MINUTE_MS, 20 * MINUTE_MS, 3 * HOUR_MS])
HEALTH = st.builds(
    Health,
    cpu_permille=st.integers(0, 1000),
    memory_total=st.just(10**9),
    memory_available=st.integers(0, 10**9),
    disk_total=st.sampled_from([0, 10**9]),
    disk_free=st.integers(0, 10**8),
    uptime_s=st.just(1),
    version=st.sampled_from(["", "0.1.0"]),
    temperature_milli_c=st.sampled_from([None, 50_000, 90_000]),
    throttled=st.sampled_from([None, 0, 1, 1 << 16]),
    spool_urgent=st.integers(0, 3000),
    spool_bulk=st.integers(0, 3),
)
DEVICE = st.fixed_dictionaries(
    {
        "online": st.booleans(),
        "heard": AGO,
        "lane": st.lists(st.tuples(AGO, st.integers(0, 3)), max_size=2),
        "health": st.none() | HEALTH,
        "clocks": st.lists(st.tuples(st.sampled_from(["usage", "clock"]), st.integers(0, 2), AGO), max_size=2),
        "samples": st.lists(st.tuples(st.integers(0, 2), st.integers(1, 70)), max_size=2),
        "quarantined": st.integers(0, 2),
        "dropped": st.integers(0, 2),
        "seen": st.none() | st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)),
        "alarms": st.lists(st.sampled_from(["card_reader", "spool_broken"]), max_size=2),
    }
)


@contextmanager
def database(folder: Path) -> Iterator[Db]:
    """A real database."""
    hub = Db(folder / "hub.db")
    hub.open()
    try:
        yield hub
    finally:
        hub.close()


def _store(conn: Connection, drawn: list[dict[str, Any]]) -> None:
    rows, hour_ms = Rows(), NOW_MS - NOW_MS % HOUR_MS
    rows.month, rows.mark_hour_ms = "202611", hour_ms
    latest: dict[tuple[int, str], list[Any]] = {}
    hours: dict[tuple[int, int], list[Any]] = {}
    for id_, one in enumerate(drawn, 1):
        heard_ms = NOW_MS - one["heard"]
        rows.new_devices += [id_, f"t-{id_:03}", "terminal", 0, heard_ms, int(one["online"]), "b", 1, ""]
        for lane, (ago_ms, missing) in zip(("urgent", "bulk"), one["lane"], strict=False):
            rows.new_lanes += [len(rows.new_lanes) // 7 + 1, id_, "0" * 16, lane, 9, missing, NOW_MS - ago_ms]
        if one["health"] is not None:
            raw = bytes(codec.encode_body(one["health"]))
            latest[id_, "health"] = [id_, "health", id_, 1, NOW_MS, 0, heard_ms, raw]
        for kind, clock, ago_ms in one["clocks"]:
            latest[id_, kind] = [id_, kind, id_, 1, NOW_MS - ago_ms, clock, NOW_MS - ago_ms, b"{}"]
        for ago_hours, samples in one["samples"]:
            hours[id_, ago_hours] = [id_, hour_ms - ago_hours * HOUR_MS, samples, *[0] * 6]
        rows.quarantine += [id_, None, None, "", "bad", b"", NOW_MS] * one["quarantined"]
        rows.dropped += [id_, "health", one["dropped"]] if one["dropped"] else []
        rows.alarms += [AlarmChange(id_, name, "", True, NOW_MS) for name in one["alarms"]]
        rows.alarms += [AlarmChange(id_, "gone", "", begun, NOW_MS) for begun in (True, False)]
        if one["seen"] is not None:
            conn.execute("INSERT INTO seen VALUES (?, ?, ?, ?, 1, 'x')", (id_, *one["seen"]))
    rows.latest = [cell for row in latest.values() for cell in row]
    rows.health_hours = [cell for row in hours.values() for cell in row]
    record_store.keep(conn, rows)


@settings(max_examples=60, deadline=None)
@given(st.lists(DEVICE, max_size=5))
def test_the_list_says_what_the_page_of_a_device_says(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[dict[str, Any]]
) -> None:
    with database(tmp_path_factory.mktemp("hub")) as hub:
        hub.write_now(lambda conn: _store(conn, drawn))
        found = hub.read(lambda conn: listing.lines(conn, NOW_MS, TODAY))
        whole = hub.read(store.devices)
        assert [line.condition for line in found] == [condition(row, NOW_MS) for row in whole]
        same = ["id", "name", "kind", "online", "last_heard_ms", "version", "spool_urgent", "spool_bulk"]
        same += ["quarantined", "missing", "dropped", "open_alarms"]
        for line, row in zip(found, whole, strict=True):
            assert [getattr(line.row, name) for name in same] == [getattr(row, name) for name in same]
            for name in ("cpu_permille", "memory_available", "temperature_milli_c", "disk_free"):
                assert getattr(line.row.health, name, None) == getattr(row.health, name, None)
            if "silent" in line.condition.reasons:
                assert line.row.report_every_ms == row.report_every_ms


def _statements(folder: Path, devices: int) -> tuple[int, str]:
    """How many statements the list takes with so many devices, and its page."""
    with database(folder) as hub:

        def fill(conn: Connection) -> None:
            for number in range(1, devices + 1):
                # Silent ones: their intervals are looked up as well.
                device(conn, number, f"t-{number:03}")
                conn.execute("UPDATE device SET last_heard_ms = ?", (NOW_MS - HOUR_MS,))
                item = thing(conn, number, place=f"p{number % 3}", tags=f"a b{number % 5}")
                if number % 2:
                    lent(conn, item, f"R{number}", "2026-01-01", "2026-12-01")
                thing(conn, asset=f"box-{number}")

        hub.write_now(fill)
        said: list[str] = []

        def traced(conn: Connection) -> list[Line]:
            conn.set_trace_callback(said.append)
            try:
                return web.with_unheard(conn, NOW_MS)
            finally:
                conn.set_trace_callback(None)

        found = web.matching(hub.read(traced), web.Asked(sort="condition"))
        assert len(found) == 2 * devices
        return len(said), pages.fragment("_devices.html", "ja", lines=web.on_page(found, 1))


def test_the_list_takes_as_many_statements_for_three_hundred_devices_as_for_three(tmp_path: Path) -> None:
    few, _ = _statements(tmp_path / "few", 3)
    many, page = _statements(tmp_path / "many", 300)
    assert few == many <= 16
    assert page.count("<tr ") == 50


def test_open_pages_share_one_reading_and_never_miss_a_change(tmp_path: Path) -> None:
    with database(tmp_path) as hub:
        live = Live()
        overview = Overview(live)

        def names() -> list[str]:
            return [line.row.name for line in hub.read(lambda conn: overview.lines(conn, NOW_MS))]

        assert names() == []
        for number in range(1, 4):
            hub.write_now(lambda conn, number=number: device(conn, number, f"t-{number}"))  # type: ignore[misc]
            live.tell(Change(frozenset({f"t-{number}"})))
            readings = overview.readings
            threads = [threading.Thread(target=names) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(names()) == number
            # Of nine that waited for one change; a busy machine may take more than a second over it.
            assert readings < overview.readings < readings + 9


def test_what_is_read_grows_old(tmp_path: Path) -> None:
    with database(tmp_path) as hub:
        overview = Overview(Live())
        assert hub.read(lambda conn: overview.lines(conn, NOW_MS)) == []
        hub.write_now(lambda conn: device(conn, 1, "t-1"))
        # Nobody told of it.
        end_s = time.monotonic() + 30
        while not hub.read(lambda conn: overview.lines(conn, NOW_MS)):
            assert time.monotonic() < end_s
            time.sleep(0.1)
