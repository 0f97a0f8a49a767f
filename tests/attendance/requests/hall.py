"""A hub that serves, with a few people in it: taro works here and forgot to clock out on his last working day."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import msgspec

from hub.access import Role
from hub.attendance import stale, store
from hub.attendance.request import at_minute, utc_ms
from hub.attendance.rules import calendar
from hub.attendance.rules.profile import DEFAULT
from hub.db import Connection
from hub.shown import moment
from hub.staff import store as staff
from hub.staff.terms import Terms
from tests.login.parts import Browser, Town, running_town
from wire.messages import Punch, Record

TOKEN = "0" * 31
ROLES: dict[str, Role] = {
    "taro": "staff",
    "jiro": "staff",
    "clerk": "clerk",
    "boss": "approver",
    "chief": "administrator",
    "nobody": "staff",
}
_DAY = timedelta(days=1)


def last_workday(now_ms: int) -> date:
    """The last day before today that is Monday to Friday and no holiday."""
    day = moment(now_ms).date() - _DAY
    while day.weekday() > 4 or day in calendar.holidays(day, day, DEFAULT.closed_days):
        day -= _DAY
    return day


def tap(conn: Connection, card: str, day: date, minute: int, seq: int, standing: str = "accepted") -> None:
    """A tap as the ingest keeps it."""
    at_ms = utc_ms(at_minute(day, minute))
    record = Record(seq, "punch", "b", at_ms % 10**12, at_ms, "synced", msgspec.Raw(b""))
    punch = Punch(card, "clock_in", standing, "time", "felica")  # type: ignore[arg-type]
    row = store.punch_row(1, 1, 1, 0, at_ms + 1000, record, punch)
    store.keep(conn, row)
    stale.mark_punches(conn, row)


def terminal(conn: Connection) -> None:
    """One time clock."""
    conn.execute(
        "INSERT INTO device (id, name, kind, first_heard_ms, last_heard_ms) VALUES (1, 'genkan', 'terminal', 0, 0)"
    )
    conn.execute("INSERT INTO lane (id, device_id, spool, lane, through, last_ms) VALUES (1, 1, 's', 'urgent', 0, 0)")
    conn.execute("INSERT INTO boot (id, device_id, boot) VALUES (1, 1, 'b')")


class Hall:
    """The town hall: `town` serves, `day` is the last working day, `staff` are the ids of taro and jiro."""

    def __init__(self, town: Town, now_ms: int) -> None:
        self.town, self.now_ms, self.day = town, now_ms, last_workday(now_ms)
        people = {name: town.add(name, role) for name, role in ROLES.items()}
        self.staff = town.write(lambda conn: self._fill(conn, people))
        self._browsers: dict[str, Browser] = {}

    def _fill(self, conn: Connection, people: dict[str, int]) -> dict[str, int]:
        terminal(conn)
        staff.add_department(conn, "SOMU", "総務課")
        found = {}
        for number, name in enumerate(("taro", "jiro", "chief"), 1):
            found[name] = staff.add_member(conn, f"000{number}", self.day, 1)
            terms = Terms(since=self.day, monthly_base_yen=250_000, department="SOMU" if name != "chief" else "")
            staff.set_terms(conn, found[name], terms, 1, "clerk")
            staff.link_person(conn, found[name], people[name], 1)
            staff.issue_card(conn, found[name], f"{TOKEN}{number}", 0, 1, "clerk")
        # taro forgot to clock out; jiro stayed an hour and a half without an order.
        tap(conn, f"{TOKEN}1", self.day, 8 * 60 + 21, 1)
        tap(conn, f"{TOKEN}2", self.day, 8 * 60 + 25, 2)
        tap(conn, f"{TOKEN}2", self.day, 19 * 60, 3)
        return found

    def browser(self, name: str) -> Browser:
        """Somebody's, signed in."""
        if name not in self._browsers:
            self._browsers[name] = Browser(self.town)
            assert self._browsers[name].sign_in(name).status_code == 303
        return self._browsers[name]


@contextmanager
def hall(folder: Path, now_ms: int) -> Iterator[Hall]:
    """One for the length of a `with`."""
    with running_town(folder) as town:
        yield Hall(town, now_ms)
