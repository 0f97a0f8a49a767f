"""What waits for somebody in attendance, in a line each, for the page of the day.

Whoever approves: requests that they may decide.  Whoever closes: days of last month that are still open, once it is
over.  Counting open days means working months out, so the count is kept for some minutes.
"""

import threading
from typing import Literal

import msgspec

from hub.attendance import close_store, open_work, request_store
from hub.attendance.rules.calendar import month_after, month_of
from hub.db import Connection
from hub.guard import Who
from hub.shown import moment
from hub.staff import store as staff

_KEPT_MS = 5 * 60_000


class Reminder(msgspec.Struct, frozen=True):
    """How many requests wait and since when, or how many days of a month are open; and where one goes on."""

    what: Literal["requests", "days"]
    n: int
    path: str
    since_ms: int = 0
    month: str = ""


class Reminders:
    """One a hub."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self._lock = threading.Lock()
        self._counted: tuple[str, int, int] = ("", 0, 0)

    def of(self, conn: Connection, who: Who, now_ms: int) -> list[Reminder]:
        """What waits for this person."""
        found = []
        if who.may("approve_time") and (line := _requests(conn, who)):
            found.append(line)
        if who.may("close") and (line := self._days(conn, now_ms)):
            found.append(line)
        return found

    def _days(self, conn: Connection, now_ms: int) -> Reminder | None:
        month = month_after(month_of(moment(now_ms).date()), -1)
        if month in close_store.first_closed(conn):
            return None
        n = self._count(conn, month, now_ms)
        return Reminder("days", n, f"/attendance/open?month={month}", month=month) if n else None

    def _count(self, conn: Connection, month: str, now_ms: int) -> int:
        with self._lock:
            counted, at_ms, n = self._counted
            if counted != month or not 0 <= now_ms - at_ms < _KEPT_MS:
                work = open_work.gather(conn, open_work.members(conn, month, ""), month, now_ms)
                n = len(work.days)
                self._counted = (month, now_ms, n)
            return n


def _requests(conn: Connection, who: Who) -> Reminder | None:
    own = staff.linked(conn).get(who.person.id)
    found = [one for one in request_store.waiting(conn) if one.staff_id != own and one.entered_by != who.person.name]
    if not found:
        return None
    return Reminder("requests", len(found), "/attendance/requests", min(one.entered_ms for one in found))
