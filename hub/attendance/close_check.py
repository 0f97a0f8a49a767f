"""Whether the closed months are as they were closed: hashes anew from what is kept, bookings anew from the versions.

1. A version's hashes must come out of its bytes, its number must follow the one before it, and its line must stand in
   the audit log, whose chain is held fast outside of the hub.
2. What was booked must be the difference of two versions.
3. That the facts say otherwise by now is no fault: it is told.
"""

import zlib
from collections.abc import Collection, Iterator

import msgspec

from hub import audit
from hub.attendance import amount, close_store, timesheet_store
from hub.attendance.amount import NOTHING, Amount
from hub.attendance.close_store import Close
from hub.attendance.rules.kinds import PayClass
from hub.attendance.rules.result import MonthResult
from hub.db import Connection
from hub.staff import store as staff

_UNREADABLE = (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, TypeError, ValueError)


class Checked(msgspec.Struct, frozen=True):
    """A month's latest version; what is wrong with any of its versions, in sentences; of how many people the facts
    say otherwise by now."""

    month: str
    version: int
    hash: str
    people: int
    faults: list[str]
    changed: int


def check(conn: Connection, month: str, told: Collection[str], now_ms: int) -> Checked:
    """Looks at every version of a month; `told` is what the audit log says of it (`told`).

    Raises LookupError when it is not closed, and the audit log knows of no close either.
    """
    versions = close_store.versions(conn, month)[::-1]
    faults = _missing(versions, told)
    if not versions and not faults:
        raise LookupError(month)
    before: dict[int, MonthResult] | None = None
    for number, one in enumerate(versions, 1):
        if one.version != number:
            faults.append(f"version {number} is missing")
        try:
            faults += _wrong(conn, one)
            after = close_store.results(conn, one)
            faults += _misbooked(conn, one, before, after)
            before = after
        except _UNREADABLE:
            faults.append(f"version {one.version}: what is kept of somebody cannot be read")
            before = None
    last = versions[-1] if versions else None
    then = close_store.hashes(conn, last) if last else {}
    now = timesheet_store.hashes(conn, list(staff.members(conn, month)), month, now_ms) if last else {}
    changed = sum(then.get(id_) != now.get(id_) for id_ in then.keys() | now.keys())
    return Checked(month, last.version if last else 0, last.hash if last else "", len(then), faults, changed)


def told(conn: Connection) -> dict[str, set[str]]:
    """Versions and hashes of each month whose close stands in the audit log or among the closes."""
    found: dict[str, set[str]] = {month: set() for month in close_store.closed_months(conn)}
    for link in audit.links(conn):
        if link.body["did"] in ("month_close", "month_book"):
            found.setdefault(link.body["what"], set()).add(link.body["detail"])
    return found


def _missing(versions: list[Close], told: Collection[str]) -> list[str]:
    there = {f"{one.version} {one.hash}": one.version for one in versions}
    lost = sorted(set(told) - there.keys())
    return [
        *(f"version {detail.partition(' ')[0]} of the audit log is not there as it was closed" for detail in lost),
        *(f"version {version} is not in the audit log" for detail, version in there.items() if detail not in told),
    ]


def _wrong(conn: Connection, close: Close) -> Iterator[str]:
    kept, bodies = close_store.hashes(conn, close), close_store.bodies(conn, close)
    for id_, body in bodies.items():
        if close_store.person_hash(body) != kept[id_]:
            number = close_store.number_in(body)
            yield f"version {close.version}: the month of staff number {number} is not what was closed"
    hashed = close_store.month_hash(close.month, close.profile_hash, close.holiday_hash, close.engine, bodies.values())
    if hashed != close.hash:
        yield f"version {close.version}: the hash of the month does not come out"


def _misbooked(
    conn: Connection, close: Close, before: dict[int, MonthResult] | None, after: dict[int, MonthResult]
) -> Iterator[str]:
    if before is None and close.version > 1:
        # There is nothing to compare with; what is wrong has been told.
        return
    booked: dict[tuple[int, PayClass], Amount] = {}
    for one in close_store.adjustments_of(conn, close.month):
        if one.close_id == close.id:
            key = (one.staff_id, one.cls)
            booked[key] = booked.get(key, NOTHING).plus(Amount(one.minutes, one.hours, one.yen))
    due: dict[tuple[int, PayClass], Amount] = {}
    if before is not None:
        for id_ in before.keys() | after.keys():
            for cls, more in amount.difference(before.get(id_), after.get(id_)).items():
                due[id_, cls] = more
    if booked != due:
        yield f"version {close.version}: what was booked in another month is not the difference"
