"""A town hall in a database: people, cards, taps, requests, written as the hub writes them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hub.attendance import request_store, stale, store
from hub.attendance.request import Body, CorrectionBody, Decision, OrderBody
from hub.db import Connection, Db
from hub.fleet.truetime import NUMBER_OF_QUALITY, Anchor
from hub.people import Person
from hub.shown import JST
from hub.staff import store as staff
from hub.staff.terms import Terms
from wire.messages import ClockQuality, Direction, Punch, Record, Standing

T = TypeVar("T")

HOUR_MS = 3_600_000
CLERK = Person(1, "clerk", "", "clerk", "", False, 0)
BOSS = Person(2, "boss", "", "approver", "", False, 0)
FULL_TIME = Terms(since=date(2026, 4, 1), monthly_base_yen=250_000)


def ms(text: str) -> int:
    """Milliseconds of `YYYY-MM-DD HH:MM[:SS]` in Japan."""
    return int(datetime.fromisoformat(text).replace(tzinfo=JST).timestamp()) * 1000


def workdays(month: str) -> list[date]:
    """Monday to Friday of a month."""
    day, found = date.fromisoformat(f"{month}-01"), []
    while day.isoformat()[:7] == month:
        if day.weekday() < 5:
            found.append(day)
        day += timedelta(days=1)
    return found


def token(number: int) -> str:
    """A card's token."""
    return f"{number:032x}"


class Hall:
    """One database; each call is one transaction."""

    def __init__(self, db: Db) -> None:
        self.db = db
        self._seq = 0
        self.write(_terminals)

    def read(self, fn: Callable[[Connection], T]) -> T:
        """Reads."""
        return self.db.read(fn)

    def write(self, fn: Callable[[Connection], T]) -> T:
        """Writes."""
        return self.db.write_now(fn)

    def person(self, number: str, *, terms: Terms = FULL_TIME, card: int | None = None, since_ms: int = 0) -> int:
        """Somebody, with a card from the beginning on; their id."""

        def add(conn: Connection) -> int:
            staff_id = staff.add_member(conn, number, terms.since, 0)
            staff.set_terms(conn, staff_id, terms, 0, "clerk", corrects=True)
            if card is not None:
                staff.issue_card(conn, staff_id, token(card), since_ms, since_ms, "clerk")
            return staff_id

        return self.write(add)

    def tap(self, card: int, at: str | int, **more: Any) -> None:
        """A tap as the ingest keeps it."""
        row = self.row(card, at if isinstance(at, int) else ms(at), **more)
        self.write(lambda conn: self.keep(conn, row))

    def row(
        self,
        card: int,
        at_ms: int,
        *,
        terminal: int = 1,
        boot: int = 1,
        mono_ms: int | None = None,
        clock: ClockQuality = "synced",
        received_ms: int | None = None,
        standing: Standing = "accepted",
        direction: Direction = "clock_in",
        chosen: bool = False,
        seq: int | None = None,
        answers: int | None = None,
    ) -> tuple[Any, ...]:
        """A row of the punch table."""
        self._seq += 1
        seq = self._seq if seq is None else seq
        body = Punch(token(card), direction, standing, "person" if chosen else "time", "felica", answers)
        mono_ms = at_ms % 10**12 if mono_ms is None else mono_ms
        record = Record(seq, "punch", "b", mono_ms, at_ms, clock, msgspec.Raw(b""))
        received_ms = at_ms + 1000 if received_ms is None else received_ms
        return store.punch_row(terminal, terminal, boot, NUMBER_OF_QUALITY[clock], received_ms, record, body)

    def keep(self, conn: Connection, row: tuple[Any, ...]) -> None:
        """As the ingest does it."""
        store.keep(conn, row)
        stale.mark_punches(conn, row)

    def reading(self, boot: int, mono_ms: int, wall_ms: int) -> None:
        """A clock reading, as the ingest keeps it."""

        def keep(conn: Connection) -> None:
            conn.execute("INSERT INTO anchor (boot_id, mono_ms, wall_ms) VALUES (?, ?, ?)", (boot, mono_ms, wall_ms))
            stale.mark_clocks(conn, [(boot, Anchor(mono_ms, wall_ms))])

        self.write(keep)

    def work(self, card: int, day: date, begin: str = "08:21", end: str = "17:22", **more: Any) -> None:
        """A day's two taps."""
        self.tap(card, f"{day} {begin}", **more)
        self.tap(card, f"{day} {end}", **more)

    def month(self, card: int, month: str, but: tuple[int, ...] = (), holidays: tuple[int, ...] = ()) -> None:
        """Every working day of a month but some, and but the holidays."""
        rows: list[Any] = []
        for day in workdays(month):
            if day.day not in (*but, *holidays):
                rows += self.row(card, ms(f"{day} 08:21"))
                rows += self.row(card, ms(f"{day} 17:22"))

        def keep(conn: Connection) -> None:
            store.keep(conn, rows)
            stale.mark_punches(conn, rows)

        self.write(keep)

    def order(self, staff_id: int, begin: str, end: str, at_ms: int = 0) -> int:
        """An approved overtime order."""
        return self.request(
            staff_id, OrderBody(datetime.fromisoformat(begin), datetime.fromisoformat(end)), "approved", at_ms
        )

    def correct(self, staff_id: int, day: date, came: str | None, went: str | None, at_ms: int = 0) -> int:
        """An approved correction."""
        came_at = datetime.fromisoformat(f"{day} {came}") if came else None
        went_at = datetime.fromisoformat(f"{day} {went}") if went else None
        return self.request(staff_id, CorrectionBody(day, came_at, went_at), "approved", at_ms)

    def request(self, staff_id: int, body: Body, decision: Decision | None, at_ms: int = 0) -> int:
        """A request of the clerk's, decided by the boss or waiting."""

        def enter(conn: Connection) -> int:
            number = request_store.enter(conn, staff_id, body, "because", CLERK.name, at_ms)
            if decision is not None:
                assert request_store.decide(conn, number, decision, BOSS, at_ms, "seen") is None
            return number

        return self.write(enter)

    def decide(self, number: int, decision: Decision, at_ms: int = 0) -> None:
        """A decision of the boss's."""
        assert self.write(lambda conn: request_store.decide(conn, number, decision, BOSS, at_ms, "seen")) is None


def _terminals(conn: Connection) -> None:
    for number in (1, 2, 3):
        conn.execute(
            "INSERT INTO device (id, name, kind, first_heard_ms, last_heard_ms) VALUES (?, ?, 'terminal', 0, 0) "
            "ON CONFLICT DO NOTHING",
            (number, f"terminal-{number}"),
        )
        conn.execute(
            "INSERT INTO lane (id, device_id, spool, lane, through, last_ms) VALUES (?, ?, 's', 'urgent', 0, 0) "
            "ON CONFLICT DO NOTHING",
            (number, number),
        )
        conn.execute(
            "INSERT INTO boot (id, device_id, boot) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (number, number, f"boot-{number}"),
        )


@contextmanager
def hall(path: Path) -> Iterator[Hall]:
    """A town hall for the length of a `with`."""
    db = Db(path)
    db.open()
    try:
        yield Hall(db)
    finally:
        db.close()
