"""Which worked-out months a punch or a clock reading marks, down to the ingest."""

from pathlib import Path

import pytest

from hub.attendance import timesheet_store
from hub.db import Connection
from hub.staff import store as staff
from tests.attendance.close.hall import FULL_TIME, HOUR_MS, Hall, hall, ms
from tests.broker import Broker
from tests.ingest.parts import CARD, Device, batch, punch, record, running_hub, soon
from wire.messages import ClockReading

MONTHS = ("2026-08", "2026-09", "2026-10", "2026-11")
NOW_MS = ms("2026-12-01 09:00")


def marked(conn: Connection) -> list[str]:
    """The months that are marked."""
    return [month for (month,) in conn.execute("SELECT month FROM timesheet_stale ORDER BY month")]


def keep_all(one: Hall, staff_id: int) -> None:
    """Works every month out."""
    for month in MONTHS:
        timesheet_store.warm(one.db, [staff_id], month, NOW_MS)


@pytest.mark.parametrize(
    ("day", "months"),
    [
        ("2026-10-15", ["2026-10"]),
        ("2026-09-27", ["2026-09", "2026-10"]),
        ("2026-10-08", ["2026-09", "2026-10"]),
        ("2027-03-01", []),
    ],
)
def test_a_punch_marks_the_months_within_reach_of_its_day(tmp_path: Path, day: str, months: list[str]) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = one.person("0001", card=1)
        one.person("0002", card=2)
        keep_all(one, taro)
        one.tap(1, f"{day} 08:20")
        one.tap(2, "2026-08-20 08:20")
        one.tap(3, "2026-08-20 08:20")
        assert one.read(marked) == months


def test_an_unset_clock_marks_all_and_a_reading_only_where_it_is_the_nearest(tmp_path: Path) -> None:
    with hall(tmp_path / "hub.db") as one:
        taro = one.person("0001", card=1)
        keep_all(one, taro)
        one.tap(1, 5000, boot=2, mono_ms=5000, clock="unset")
        assert one.read(marked) == list(MONTHS)
        keep_all(one, taro)
        one.reading(2, HOUR_MS, ms("2026-10-05 09:00"))
        assert one.read(marked) == list(MONTHS)
        keep_all(one, taro)
        # An hour later it hears the time again: nothing changes by that.
        one.reading(2, 2 * HOUR_MS, ms("2026-10-05 10:00"))
        one.reading(3, 2 * HOUR_MS, ms("2026-10-05 10:00"))
        assert one.read(marked) == []


def test_the_ingest_marks_in_the_transaction_that_keeps(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, running_hub(tmp_path / "hub.db", broker.port) as hub:

        def employ(conn: Connection) -> int:
            staff_id = staff.add_member(conn, "0001", FULL_TIME.since, 0)
            staff.set_terms(conn, staff_id, FULL_TIME, 0, "clerk")
            staff.issue_card(conn, staff_id, CARD, 0, 0, "clerk")
            return staff_id

        taro = hub.db.write_now(employ)

        def work_out() -> None:
            for month in MONTHS:
                timesheet_store.warm(hub.db, [taro], month, NOW_MS)

        work_out()
        device = Device(broker.port)
        device.deliver(batch(0, punch(1, at_ms=ms("2026-10-15 08:20"), mono_ms=1000)))
        assert soon(lambda: hub.db.read(marked)) == ["2026-10"]
        work_out()
        device.deliver(batch(1, punch(2, at_ms=1000, mono_ms=2000, clock="unset")))
        assert soon(lambda: hub.db.read(marked)) == list(MONTHS)
        work_out()
        reading = ClockReading(mono_ms=3000, wall_ms=ms("2026-10-16 08:20"))
        device.deliver(batch(2, record(3, reading, "clock")))
        assert soon(lambda: hub.db.read(marked)) == list(MONTHS)
        device.drop()
