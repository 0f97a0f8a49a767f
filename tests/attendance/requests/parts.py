"""A town hall in a database: people who sign in, and staff with cards, for tests of requests."""

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from hub import people
from hub.access import Role
from hub.db import Connection, Db
from hub.people import Person
from hub.shown import day_of
from hub.staff import store as staff
from hub.staff.terms import Terms

T = TypeVar("T")
SINCE = date(2024, 4, 1)
TODAY = date(2026, 11, 24)
# Noon of that day in Japan.
NOW_MS = 1_795_489_200_000
assert day_of(NOW_MS) == TODAY.isoformat()


def add_staff(conn: Connection, number: str, person: int | None = None, terms: Terms | None = None) -> int:
    """Somebody who works here since 2024, with the town's hours."""
    staff_id = staff.add_member(conn, number, SINCE, 1)
    staff.set_terms(conn, staff_id, terms or Terms(since=SINCE, monthly_base_yen=250_000), 1, "hanako")
    if person is not None:
        staff.link_person(conn, staff_id, person, 1)
    return staff_id


def add_person(conn: Connection, name: str, role: Role) -> Person:
    """Somebody who signs in."""
    found = people.by_id(conn, people.add(conn, name, name, role, 1))
    assert found is not None
    return found


def at(text: str) -> datetime:
    """A time of Japan, as requests have it."""
    return datetime.fromisoformat(text)


class RolledBack(Exception):
    """Ends a transaction without leaving anything."""


def without_trace(db: Db, work: Callable[[Connection], None]) -> None:
    """Runs work in one transaction and takes everything back."""

    def run(conn: Connection) -> None:
        work(conn)
        raise RolledBack

    try:
        db.write_now(run)
    except RolledBack:
        return
    raise AssertionError
