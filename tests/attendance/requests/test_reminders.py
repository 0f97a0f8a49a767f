"""Who is reminded of what: on the page of the day, and by an alert that stays until it is done."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from hub import pages
from hub.alerts import gather
from hub.alerts.rule import Fact
from hub.attendance import request_store as store
from hub.attendance.reminders import Reminders
from hub.attendance.request import GapBody
from hub.attendance.rules.calendar import month_after, month_of
from hub.db import Connection, Db
from hub.shown import JST, moment
from hub.staff import store as staff
from tests.attendance.requests import hall as halls
from tests.attendance.requests.hall import Hall
from tests.attendance.requests.parts import add_person, add_staff, without_trace

DAY_MS = 24 * 3_600_000


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    with halls.hall(tmp_path, pages.now_ms()) as found:
        yield found


def ms(text: str) -> int:
    """A moment in Japan."""
    return int(datetime.fromisoformat(text).replace(tzinfo=JST).timestamp()) * 1000


def close(conn: Connection, month: str) -> None:
    """As if it had been closed."""
    columns = {row[1]: row[2] for row in conn.execute("PRAGMA table_info(month_close)") if row[1] != "id"}
    values = {"month": month, "version": 1}
    conn.execute(
        f"INSERT INTO month_close ({','.join(columns)}) VALUES ({','.join('?' * len(columns))})",  # noqa: S608
        [values.get(name, 0 if kind == "INTEGER" else "") for name, kind in columns.items()],
    )


def test_a_request_that_nobody_decides_for_three_days_is_told(db: Db) -> None:
    def work(conn: Connection) -> None:
        boss, staff_id = add_person(conn, "boss", "approver"), add_staff(conn, "0001")
        close(conn, "2026-10")
        entered = ms("2026-11-20 09:00")
        numbers = [store.enter(conn, staff_id, GapBody(date(2026, 11, 19)), "x", "taro", entered + n) for n in (0, 5)]
        at_ms = entered + 3 * DAY_MS
        assert list(gather.attendance(conn, at_ms)) == []
        assert list(gather.attendance(conn, at_ms + 10)) == [Fact("requests", "", at_ms, n=2)]
        assert store.decide(conn, numbers[0], "approved", boss, at_ms) is None
        assert list(gather.attendance(conn, at_ms + 10)) == [Fact("requests", "", at_ms + 5, n=1)]
        assert store.decide(conn, numbers[1], "refused", boss, at_ms, "no") is None
        assert list(gather.attendance(conn, at_ms + 10)) == []

    without_trace(db, work)


def test_a_month_that_is_not_closed_is_told_from_the_fourth_on(db: Db) -> None:
    def work(conn: Connection) -> None:
        assert list(gather.attendance(conn, ms("2026-11-04 00:00"))) == []
        add_staff(conn, "0001")
        assert list(gather.attendance(conn, ms("2026-11-03 23:59"))) == []
        due = Fact("month_open", "", ms("2026-11-04 00:00"), detail="2026-10")
        assert list(gather.attendance(conn, ms("2026-11-04 00:00"))) == [due]
        assert list(gather.attendance(conn, ms("2026-11-24 12:00"))) == [due]
        close(conn, "2026-10")
        assert list(gather.attendance(conn, ms("2026-11-24 12:00"))) == []

    without_trace(db, work)


def test_the_page_of_the_day_leads_to_what_waits(hall: Hall) -> None:
    taro, clerk, boss, chief = (hall.browser(name) for name in ("taro", "clerk", "boss", "chief"))
    assert "todo-requests" not in boss.get("/").text
    form = {"kind": "correction", "day": hall.day.isoformat(), "out": "17:40", "reason": "x"}
    taro.send("/my-time/requests/new", form)
    chief.send("/my-time/requests/new", {**form, "in": "08:30"})
    assert 'id="todo-requests" href="/attendance/requests">2件の申請' in boss.get("/").text
    # Their own is for somebody else.
    assert "1件の申請" in chief.get("/").text
    assert "todo-requests" not in clerk.get("/").text


def test_open_days_of_last_month_are_counted_for_whoever_closes(hall: Hall) -> None:
    before = month_after(month_of(moment(hall.now_ms).date()), -1)
    clerk, boss = hall.browser("clerk"), hall.browser("boss")

    def long_here(conn: Connection) -> None:
        first = date.fromisoformat(f"{before}-01")
        conn.execute("UPDATE staff SET since = ? WHERE number = '0001'", (first.isoformat(),))
        terms = staff.members(conn, None, [hall.staff["taro"]])[hall.staff["taro"]].terms[0]
        earlier = type(terms)(since=first, monthly_base_yen=250_000)
        staff.set_terms(conn, hall.staff["taro"], earlier, 1, "clerk", corrects=True)

    hall.town.write(long_here)
    hall.town.app.state.reminders = Reminders()
    page = clerk.get("/").text
    assert f'href="/attendance/open?month={before}"' in page
    assert "締めの時期です" in page
    assert "todo-days" not in boss.get("/").text
    assert "先月" in hall.browser("taro").get("/my-time").text
    hall.town.write(lambda conn: close(conn, before))
    assert "todo-days" not in clerk.get("/").text
    assert "先月" not in hall.browser("taro").get("/my-time").text
