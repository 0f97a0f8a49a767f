"""Months as they come out of the facts, and a cache of them in the database.

1. A month is a fold: what `rules/month.py` makes of what `gather.py` finds.  The cache never says anything else.
2. A row counts while nothing of it is marked stale, in the transaction of the change, and while profile, holidays and
   our rules are those it was made with.  A month that is not over is made anew each day.
3. A reader only reads: what it has to work out it throws away.  `warm` works out and keeps, without holding up whoever
   writes: it takes a ticket, works it out beside them, and keeps it if nothing has come in between.
"""

import hashlib
import secrets
import zlib
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from importlib import metadata
from typing import Any, NamedTuple

import msgspec

from hub.attendance import close_store, gather
from hub.attendance.rules import calendar
from hub.attendance.rules import month as rules
from hub.attendance.rules.result import MonthResult
from hub.db import Connection, Db, may_write
from hub.staff import store as staff

_AT_ONCE = 500
# Another release may show a day otherwise.
_RELEASE = metadata.version("machinaka")
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(MonthResult)


class _Overtime(msgspec.Struct):
    overtime_min: int


_overtime_in = msgspec.json.Decoder(_Overtime).decode


class Made(NamedTuple):
    """A person's month, worked out: as a close would write it down, and that one's hash."""

    result: MonthResult
    hash: str


class _Basis(NamedTuple):
    """What a month was worked out with, besides the person's own facts."""

    until: date
    text: str


def months(conn: Connection, staff_ids: Collection[int], month: str, now_ms: int) -> dict[int, MonthResult]:
    """Each person's month: from the cache where that counts, worked out (and kept, if this may write) where not."""
    basis = _basis(conn, month, now_ms)
    found = _kept(conn, staff_ids, month, basis)
    missing = [id_ for id_ in staff_ids if id_ not in found]
    if missing:
        made = _work_out(conn, missing, month, basis)
        if may_write(conn):
            _keep(conn, made, month, basis, now_ms)
        found |= {id_: one.result for id_, one in made.items()}
    return {id_: found[id_] for id_ in staff_ids if id_ in found}


def overtime(conn: Connection, staff_ids: Collection[int], month: str, now_ms: int) -> dict[int, int]:
    """Each person's overtime in minutes, for many months of many people: the days are not read out of the cache."""
    found = {
        id_: _overtime_in(zlib.decompress(body)).overtime_min
        for id_, body in _rows(conn, "body", staff_ids, month, _basis(conn, month, now_ms))
    }
    lacking = [id_ for id_ in staff_ids if id_ not in found]
    made = months(conn, lacking, month, now_ms) if lacking else {}
    return found | {id_: one.overtime_min for id_, one in made.items()}


def fold(conn: Connection, staff_ids: Collection[int], month: str, now_ms: int) -> dict[int, MonthResult]:
    """The same without a look at the cache."""
    basis = _basis(conn, month, now_ms)
    return {id_: rules.month(given) for id_, given in gather.givens(conn, staff_ids, month, basis.until).items()}


def warm(db: Db, staff_ids: Collection[int], month: str, now_ms: int) -> None:
    """Works out and keeps what `months` would have to work out. Not on the event loop, nor in a transaction."""
    wanted = db.read(lambda conn: missing(conn, staff_ids, month, now_ms))
    if not wanted:
        return
    ticket = secrets.token_hex(16)
    db.write_now(lambda conn: _claim(conn, wanted, month, ticket, now_ms))

    def work_out(conn: Connection) -> tuple[_Basis, dict[int, Made]]:
        basis = _basis(conn, month, now_ms)
        return basis, _work_out(conn, wanted, month, basis)

    basis, made = db.read(work_out)
    db.write_now(lambda conn: _keep_claimed(conn, made, month, basis, ticket))


def kept_hashes(conn: Connection, staff_ids: Collection[int], month: str, now_ms: int) -> dict[int, str | None]:
    """The hash of what a close would write down of each person now; None where it has to be worked out first."""
    kept = dict(_rows(conn, "hash", staff_ids, month, _basis(conn, month, now_ms)))
    return {id_: kept.get(id_) for id_ in staff_ids}


def hashes(conn: Connection, staff_ids: Collection[int], month: str, now_ms: int) -> dict[int, str]:
    """The same, what is missing worked out."""
    basis = _basis(conn, month, now_ms)
    found: dict[int, str] = dict(_rows(conn, "hash", staff_ids, month, basis))
    made = _work_out(conn, [id_ for id_ in staff_ids if id_ not in found], month, basis)
    return found | {id_: one.hash for id_, one in made.items()}


def missing(conn: Connection, staff_ids: Collection[int], month: str, now_ms: int) -> list[int]:
    """Of whom the cache says nothing that counts."""
    return [id_ for id_, hashed in kept_hashes(conn, staff_ids, month, now_ms).items() if hashed is None]


def _basis(conn: Connection, month: str, now_ms: int) -> _Basis:
    common = gather.town(conn, month)
    last = calendar.month_span(month)[1]
    until = min(gather.last_past_day(now_ms, common.profile.day_line), last)
    text = f"{_RELEASE} {close_store.ENGINE} {common.profile_hash} {common.holiday_hash} {until}"
    return _Basis(until, hashlib.sha256(text.encode()).hexdigest()[:32])


def _work_out(conn: Connection, staff_ids: Collection[int], month: str, basis: _Basis) -> dict[int, Made]:
    numbers = {id_: member.number for id_, member in staff.members(conn, None, list(staff_ids)).items()}
    made = {}
    for id_, given in gather.givens(conn, staff_ids, month, basis.until).items():
        result = rules.month(given)
        made[id_] = Made(result, close_store.person_hash(close_store.person_body(numbers[id_], result)))
    return made


# ---- the cache


def _encode(result: MonthResult) -> bytes:
    # A twelfth of the size, for a fiftieth of the time that working it out takes.
    return zlib.compress(_encoder.encode(result), 1)


def _decode(body: bytes) -> MonthResult:
    return _decoder.decode(zlib.decompress(body))


def _kept(conn: Connection, staff_ids: Collection[int], month: str, basis: _Basis) -> dict[int, MonthResult]:
    return {id_: _decode(body) for id_, body in _rows(conn, "body", staff_ids, month, basis)}


def _rows(
    conn: Connection, column: str, staff_ids: Collection[int], month: str, basis: _Basis
) -> Iterable[tuple[int, Any]]:
    wanted = list(staff_ids)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        yield from conn.execute(
            f"SELECT t.staff_id, t.{column} FROM timesheet t WHERE t.staff_id IN ({','.join('?' * len(some))}) "  # noqa: S608
            "AND t.month = ? AND t.inputs = ? AND NOT EXISTS "
            "(SELECT 1 FROM timesheet_stale s WHERE s.staff_id = t.staff_id AND s.month = t.month)",
            (*some, month, basis.text),
        )


def _keep(conn: Connection, made: dict[int, Made], month: str, basis: _Basis, now_ms: int) -> None:
    _put(conn, [(id_, month, basis.text, one.hash, _encode(one.result), now_ms) for id_, one in made.items()])


def _claim(conn: Connection, staff_ids: Sequence[int], month: str, ticket: str, now_ms: int) -> None:
    """From now on a change marks these rows, so that nothing that comes meanwhile is missed."""
    _put(conn, [(id_, month, ticket, "", b"", now_ms) for id_ in staff_ids])


def _put(conn: Connection, rows: Sequence[tuple[int, str, str, str, bytes, int]]) -> None:
    conn.executemany(
        "INSERT INTO timesheet (staff_id, month, inputs, hash, body, made_ms) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (staff_id, month) DO UPDATE SET inputs = excluded.inputs, hash = excluded.hash, "
        "body = excluded.body, made_ms = excluded.made_ms",
        rows,
    )
    conn.executemany("DELETE FROM timesheet_stale WHERE staff_id = ? AND month = ?", [row[:2] for row in rows])


def _keep_claimed(conn: Connection, made: dict[int, Made], month: str, basis: _Basis, ticket: str) -> None:
    """Keeps what nothing has come for since the ticket was taken, and nobody has taken another one for."""
    conn.executemany(
        "UPDATE timesheet SET inputs = ?, hash = ?, body = ? WHERE staff_id = ? AND month = ? AND inputs = ? AND NOT "
        "EXISTS (SELECT 1 FROM timesheet_stale s WHERE s.staff_id = timesheet.staff_id AND s.month = timesheet.month)",
        [(basis.text, one.hash, _encode(one.result), id_, month, ticket) for id_, one in made.items()],
    )
