"""SQL of closed months: versions, what each person's month came to in them, and what later versions booked elsewhere.

1. A close is appended whole, in one transaction, and never changed or taken away (triggers).
2. Months are closed one after the other, without a gap.  What a later version of a closed month came to more or less is
   booked in the month after the last closed one.
3. The hash of a person is over their staff number and the canonical bytes of their month (`rules/canonical.py`); that
   of the month over all of these by staff number, the profile, the holidays, and which rules of ours worked it out.
   Who closed and when is no part of it, nor under which number or when a fact came to this hub: the same facts give
   the same hash wherever and whenever they are closed.
4. Of a day the figures, ends, flags and pieces are kept, so that what was paid can be explained whatever our rules are
   by then; which entries stand behind a piece, the facts tell.
"""

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from hub.attendance.amount import Amount
from hub.attendance.rules.calendar import month_after
from hub.attendance.rules.canonical import canonical
from hub.attendance.rules.kinds import PayClass
from hub.attendance.rules.result import DayResult, MonthResult
from hub.db import Connection

# Goes up when our rules give other figures for the same facts (a test holds them fast).
ENGINE = "1"


class Close(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a closed month."""

    id: int
    month: str
    version: int
    hash: str
    profile_hash: str
    holiday_hash: str
    engine: str
    closed_ms: int
    who: str
    note: str


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """What a later version of `target_month` came to more (or less) than the one before, booked in another month."""

    staff_id: int
    target_month: str
    booked_month: str
    cls: PayClass
    minutes: int
    hours: int
    yen: int
    close_id: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a close writes down: each person's bytes by staff id, and what counted for everybody."""

    month: str
    profile_hash: str
    holiday_hash: str
    bodies: dict[int, bytes]
    engine: str = ENGINE

    def hash(self) -> str:
        """The month's hash."""
        return month_hash(self.month, self.profile_hash, self.holiday_hash, self.engine, self.bodies.values())


class _Body(msgspec.Struct, frozen=True):
    number: str
    result: msgspec.Raw


class _Canonical(msgspec.Struct, frozen=True):
    month: MonthResult


_body = msgspec.json.Decoder(_Body)
_canonical = msgspec.json.Decoder(_Canonical)


def person_body(number: str, result: MonthResult) -> bytes:
    """The bytes that a close writes down of a person."""
    bare = msgspec.structs.replace(result, days=tuple(_bare(day) for day in result.days))
    return msgspec.json.encode(_Body(number, msgspec.Raw(canonical(bare))))


def with_sources(closed: MonthResult, now: MonthResult | None) -> MonthResult:
    """A closed month, with the entries behind each day that is still as it was closed (`now`: what the facts say)."""
    known = {day.day: day for day in now.days} if now else {}
    days = (known[day.day] if day.day in known and _bare(known[day.day]) == day else day for day in closed.days)
    return msgspec.structs.replace(closed, days=tuple(days))


def _bare(day: DayResult) -> DayResult:
    pieces = tuple(msgspec.structs.replace(one, refs=()) if one.refs else one for one in day.pieces)
    return msgspec.structs.replace(day, notes=(), pieces=pieces, taps=())


def person_hash(body: bytes) -> str:
    """The hash of one person's month, in hex."""
    return hashlib.sha256(b"machinaka person month 1\n" + body).hexdigest()


def number_in(body: bytes) -> str:
    """The staff number that stands in the bytes. Raises msgspec.MsgspecError."""
    return _body.decode(body).number


def result_in(body: bytes) -> MonthResult:
    """The month that stands in the bytes. Raises msgspec.MsgspecError."""
    return _canonical.decode(_body.decode(body).result).month


def month_hash(month: str, profile_hash: str, holiday_hash: str, engine: str, persons: Iterable[bytes]) -> str:
    """The hash of a month, in hex; `persons` are their bytes, in any order."""
    lines = sorted(f"{number_in(body)} {person_hash(body)}" for body in persons)
    text = "\n".join(("machinaka month 1", month, engine, profile_hash, holiday_hash, *lines, ""))
    return hashlib.sha256(text.encode()).hexdigest()


_COLUMNS = "id, month, version, hash, profile_hash, holiday_hash, engine, closed_ms, who, note"


def latest(conn: Connection, month: str) -> Close | None:
    """The version of a month that counts; None while it is open."""
    found = _closes(conn, "WHERE month = ? ORDER BY version DESC LIMIT 1", (month,))
    return found[0] if found else None


def versions(conn: Connection, month: str) -> list[Close]:
    """All versions of a month, the latest first."""
    return _closes(conn, "WHERE month = ? ORDER BY version DESC", (month,))


def _closes(conn: Connection, which: str, args: tuple[Any, ...]) -> list[Close]:
    rows = conn.execute(f"SELECT {_COLUMNS} FROM month_close {which}", args)  # noqa: S608 (our own words)
    names = _COLUMNS.split(", ")
    return [Close(**dict(zip(names, row, strict=True))) for row in rows]


def is_closed(conn: Connection, month: str) -> bool:
    """Whether there is a version of it."""
    return conn.execute("SELECT 1 FROM month_close WHERE month = ? LIMIT 1", (month,)).fetchone() is not None


def first_closed(conn: Connection) -> dict[str, int]:
    """When each closed month was closed for the first time."""
    return dict(conn.execute("SELECT month, min(closed_ms) FROM month_close GROUP BY month").fetchall())


def closed_months(conn: Connection) -> list[str]:
    """The closed months, the latest first."""
    return [month for (month,) in conn.execute("SELECT DISTINCT month FROM month_close ORDER BY month DESC")]


def booked_month(conn: Connection) -> str | None:
    """The month in which differences are booked: the one after the last closed one; None before the first close."""
    (last,) = conn.execute("SELECT max(month) FROM month_close").fetchone()
    return month_after(last) if last else None


def bodies(conn: Connection, close: Close) -> dict[int, bytes]:
    """The canonical bytes of each person's month in a version. Raises zlib.error, TypeError for what is none."""
    rows = conn.execute("SELECT staff_id, body FROM month_close_staff WHERE close_id = ?", (close.id,))
    return {staff_id: zlib.decompress(body) for staff_id, body in rows}


def hashes(conn: Connection, close: Close) -> dict[int, str]:
    """The hash of each person's month in a version."""
    return dict(conn.execute("SELECT staff_id, hash FROM month_close_staff WHERE close_id = ?", (close.id,)).fetchall())


def results(conn: Connection, close: Close, staff_ids: Sequence[int] | None = None) -> dict[int, MonthResult]:
    """Each person's month as it was in a version."""
    if staff_ids is not None and len(staff_ids) == 1:
        # A page of one person reads one row, not everybody's.
        row = conn.execute(
            "SELECT body FROM month_close_staff WHERE close_id = ? AND staff_id = ?", (close.id, staff_ids[0])
        ).fetchone()
        return {staff_ids[0]: result_in(zlib.decompress(row[0]))} if row else {}
    wanted = None if staff_ids is None else set(staff_ids)
    return {id_: result_in(body) for id_, body in bodies(conn, close).items() if wanted is None or id_ in wanted}


def add(conn: Connection, snapshot: Snapshot, now_ms: int, who: str, note: str) -> Close:
    """Appends a version of a month."""
    before = latest(conn, snapshot.month)
    version, hashed = before.version + 1 if before else 1, snapshot.hash()
    cursor = conn.execute(
        "INSERT INTO month_close (month, version, hash, profile_hash, holiday_hash, engine, closed_ms, who, note) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            snapshot.month,
            version,
            hashed,
            snapshot.profile_hash,
            snapshot.holiday_hash,
            snapshot.engine,
            now_ms,
            who,
            note,
        ),
    )
    close_id = int(cursor.lastrowid or 0)
    conn.executemany(
        "INSERT INTO month_close_staff (close_id, staff_id, hash, body) VALUES (?, ?, ?, ?)",
        [(close_id, id_, person_hash(body), zlib.compress(body)) for id_, body in sorted(snapshot.bodies.items())],
    )
    return Close(
        id=close_id,
        month=snapshot.month,
        version=version,
        hash=hashed,
        profile_hash=snapshot.profile_hash,
        holiday_hash=snapshot.holiday_hash,
        engine=snapshot.engine,
        closed_ms=now_ms,
        who=who,
        note=note,
    )


def book(conn: Connection, close: Close, booked: str, differences: Mapping[int, Mapping[PayClass, Amount]]) -> None:
    """Books what a version came to more or less, by staff id and class, in another month."""
    conn.executemany(
        "INSERT INTO adjustment (close_id, staff_id, booked_month, target_month, class, minutes, hours, yen) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (close.id, id_, booked, close.month, cls, *amount)
            for id_, classes in sorted(differences.items())
            for cls, amount in classes.items()
        ],
    )


def adjustments(conn: Connection, booked: str, staff_ids: Sequence[int] | None = None) -> list[Adjustment]:
    """What is booked in a month, by staff, target month and class."""
    found = _adjustments(conn, "WHERE booked_month = ?", (booked,))
    return found if staff_ids is None else [one for one in found if one.staff_id in set(staff_ids)]


def adjustments_of(conn: Connection, target: str) -> list[Adjustment]:
    """What was booked elsewhere for a month."""
    return _adjustments(conn, "WHERE target_month = ?", (target,))


def _adjustments(conn: Connection, which: str, args: tuple[str]) -> list[Adjustment]:
    rows: Iterable[tuple[Any, ...]] = conn.execute(
        "SELECT staff_id, target_month, booked_month, class, minutes, hours, yen, close_id FROM adjustment "  # noqa: S608
        f"{which} ORDER BY staff_id, target_month, id",
        args,
    )
    return [
        Adjustment(
            staff_id=staff_id,
            target_month=target,
            booked_month=booked,
            cls=cls,
            minutes=minutes,
            hours=hours,
            yen=yen,
            close_id=close_id,
        )
        for staff_id, target, booked, cls, minutes, hours, yen, close_id in rows
    ]
