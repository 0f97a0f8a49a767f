"""The close of a month: what stops it, what it would come to, and the act itself.

1. A month is closed once it is over, after the month before it, when no day is open and no request waits.
2. A close is a snapshot in one transaction; there is no reopening.  What becomes known later makes a next version, and
   the difference is booked in the month after the last closed one, never in a closed one.
3. Whoever closes has looked at figures; if anything has changed since, nothing is done and they look again.
"""

from datetime import date
from typing import Literal

import msgspec

from hub import audit
from hub.attendance import amount, close_store, gather, request_store, timesheet_store
from hub.attendance.amount import Amount
from hub.attendance.close_store import Adjustment, Close, Snapshot
from hub.attendance.request_store import Which
from hub.attendance.rules import calendar
from hub.attendance.rules.kinds import Flag, PayClass, Status
from hub.attendance.rules.result import MonthResult
from hub.db import Connection, Db
from hub.fleet import store as fleet
from hub.staff import store as staff
from hub.staff.store import Member

# Why a month cannot be closed: it is not over; another one comes first; it lies before the first closed one; days are
# open; requests wait; nobody worked in it.
Stop = Literal["not_over", "gap", "before", "open_days", "waiting", "nobody"]
# Of closed months, so many people's months are worked out anew for one page; the next one goes on.
_WORKED_OUT = 400
Refused = Literal["not_over", "gap", "before", "open_days", "waiting", "nobody", "moved", "closed", "open", "same"]


class OpenDay(msgspec.Struct, frozen=True):
    """A day that somebody has to see to."""

    member: Member
    day: date
    status: Status
    flags: tuple[Flag, ...]

    @property
    def why(self) -> str:
        """What is wrong with it: the end that is missing, else its status."""
        return next((one for one in self.flags if one in ("MISSING_IN", "MISSING_OUT")), self.status)


class Changed(msgspec.Struct, frozen=True):
    """Somebody whose month is not what the last version says, and by how much."""

    member: Member
    differences: dict[PayClass, Amount]


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """A month as a close would have it at this moment. `fingerprint` stands for all that was looked at.

    `silent`: terminals that were not heard since the month ended, on which punches may still wait.
    """

    month: str
    latest: Close | None
    versions: list[Close]
    next_month: str | None
    stops: tuple[Stop, ...]
    open_days: list[OpenDay]
    waiting: int
    silent: list[str]
    people: int
    classes: dict[PayClass, Amount]
    total: Amount
    changed: list[Changed]
    difference: dict[PayClass, Amount]
    adjustments: list[Adjustment]
    people_booked: dict[int, Member]
    snapshot: Snapshot
    fingerprint: str

    @property
    def booked(self) -> Amount:
        """What the difference comes to."""
        return amount.altogether(self.difference)

    @property
    def can_close(self) -> bool:
        """Whether the month is open and nothing stops it."""
        return self.latest is None and not self.stops

    @property
    def can_book(self) -> bool:
        """Whether a closed month has changed and nothing stops the next version."""
        return self.latest is not None and bool(self.changed) and not self.stops


class Past(msgspec.Struct, frozen=True):
    """A closed month's last version; how many people's months are otherwise by now, and of how many it is not known
    without working it out."""

    close: Close
    changed: int
    unknown: int


def past(conn: Connection, now_ms: int, limit: int = 13) -> list[Past]:
    """The last closed months, the latest first, and whether they are still as they were closed."""
    members = staff.members(conn)
    found = []
    for month in close_store.closed_months(conn)[:limit]:
        last = close_store.latest(conn, month)
        assert last is not None  # noqa: S101 (it is a closed month)
        then = close_store.hashes(conn, last)
        now = timesheet_store.kept_hashes(conn, _employed(members, month), month, now_ms)
        unknown = sum(hashed is None for hashed in now.values())
        others = {id_ for id_, hashed in now.items() if hashed is not None and hashed != then.get(id_)}
        found.append(Past(last, len(others | (then.keys() - now.keys())), unknown))
    return found


def warm(db: Db, month: str, now_ms: int) -> None:
    """Works out what a look at a month would have to. Not on the event loop, nor in a transaction."""
    timesheet_store.warm(db, list(db.read(lambda conn: staff.members(conn, month))), month, now_ms)


def warm_past(db: Db, now_ms: int) -> list[Past]:
    """The last closed months, the latest first; of what is not known, so much is worked out at one time."""
    left = _WORKED_OUT
    for one in db.read(lambda conn: past(conn, now_ms)):
        if one.unknown and left > 0:
            left -= one.unknown
            warm(db, one.close.month, now_ms)
    return db.read(lambda conn: past(conn, now_ms))


def _employed(members: dict[int, Member], month: str) -> list[int]:
    first, last = calendar.month_span(month)
    return [id_ for id_, one in members.items() if one.since <= last and (one.left is None or one.left >= first)]


def look(conn: Connection, month: str, now_ms: int) -> Outlook:
    """The month as it is now."""
    members, results, snapshot = _now(conn, month, now_ms)
    versions = close_store.versions(conn, month)
    last = versions[0] if versions else None
    changed = _changed(conn, last, members, results, snapshot)
    open_days = [
        OpenDay(members[id_], one.day, one.status, one.flags)
        for id_, result in results.items()
        for one in result.days
        if one.open
    ]
    waiting = _waiting(conn, month)
    stops = _stops(conn, month, now_ms, last, open_days=bool(open_days), waiting=waiting, people=len(results))
    booked = close_store.adjustments_of(conn, month) if last else close_store.adjustments(conn, month)
    classes = amount.total(amount.amounts(result) for result in results.values())
    return Outlook(
        month=month,
        latest=last,
        versions=versions,
        next_month=close_store.booked_month(conn),
        stops=stops,
        open_days=sorted(open_days, key=lambda one: (one.day, one.member.number)),
        waiting=waiting,
        silent=[] if last or "not_over" in stops else fleet.silent_terminals(conn, gather.end_ms(conn, month)),
        people=len(results),
        classes=classes,
        total=amount.altogether(classes),
        changed=changed,
        difference=amount.total(one.differences for one in changed),
        adjustments=booked,
        people_booked=staff.members(conn, None, [one.staff_id for one in booked]),
        snapshot=snapshot,
        fingerprint=snapshot.hash(),
    )


def close(conn: Connection, month: str, fingerprint: str, now_ms: int, who: str) -> Close | Refused:
    """Closes a month as it was looked at; or why not. In a transaction."""
    found = look(conn, month, now_ms)
    if found.latest:
        return "closed"
    refused = _refused(found, fingerprint)
    return refused or _add(conn, found, now_ms, who)


def book(conn: Connection, month: str, fingerprint: str, now_ms: int, who: str) -> Close | Refused:
    """Makes the next version of a closed month, and books the difference in the open one; or why not."""
    found = look(conn, month, now_ms)
    if not found.latest:
        return "open"
    if not found.changed:
        return "same"
    refused = _refused(found, fingerprint)
    if refused:
        return refused
    made = _add(conn, found, now_ms, who)
    assert found.next_month is not None  # noqa: S101 (there is a closed month)
    close_store.book(conn, made, found.next_month, {one.member.id: one.differences for one in found.changed})
    return made


def _refused(found: Outlook, fingerprint: str) -> Refused | None:
    if found.stops:
        return found.stops[0]
    return None if found.fingerprint == fingerprint else "moved"


def _add(conn: Connection, found: Outlook, now_ms: int, who: str) -> Close:
    made = close_store.add(conn, found.snapshot, now_ms, who, "")
    did: Literal["month_close", "month_book"] = "month_book" if found.latest else "month_close"
    audit.note(conn, now_ms, who, did, made.month, f"{made.version} {made.hash}")
    return made


def _now(conn: Connection, month: str, now_ms: int) -> tuple[dict[int, Member], dict[int, MonthResult], Snapshot]:
    common = gather.town(conn, month)
    members = staff.members(conn, month)
    results = timesheet_store.months(conn, list(members), month, now_ms)
    snapshot = Snapshot(
        month=month,
        profile_hash=common.profile_hash,
        holiday_hash=common.holiday_hash,
        bodies={id_: close_store.person_body(members[id_].number, result) for id_, result in results.items()},
    )
    return members, results, snapshot


def _changed(
    conn: Connection,
    last: Close | None,
    members: dict[int, Member],
    results: dict[int, MonthResult],
    snapshot: Snapshot,
) -> list[Changed]:
    if last is None:
        return []
    before = close_store.hashes(conn, last)
    now = {id_: close_store.person_hash(body) for id_, body in snapshot.bodies.items()}
    moved = [id_ for id_ in {**before, **now} if before.get(id_) != now.get(id_)]
    old = close_store.results(conn, last, moved)
    gone = [id_ for id_ in moved if id_ not in members]
    known = members | staff.members(conn, None, gone)
    found = [Changed(known[id_], amount.difference(old.get(id_), results.get(id_))) for id_ in moved]
    return sorted(found, key=lambda one: one.member.number)


def _waiting(conn: Connection, month: str) -> int:
    first, last = calendar.month_span(month)
    return len(request_store.find(conn, Which(state="waiting", first=first, last=last)))


def _stops(
    conn: Connection, month: str, now_ms: int, last: Close | None, *, open_days: bool, waiting: int, people: int
) -> tuple[Stop, ...]:
    found: list[Stop] = []
    common = gather.town(conn, month)
    if gather.last_past_day(now_ms, common.profile.day_line) < calendar.month_span(month)[1]:
        found.append("not_over")
    if last is None:
        found += _out_of_order(conn, month)
    if not people:
        found.append("nobody")
    if open_days:
        found.append("open_days")
    # A version of a closed month does not wait for what may still be asked: it can be followed by another.
    if waiting and last is None:
        found.append("waiting")
    return tuple(found)


def _out_of_order(conn: Connection, month: str) -> list[Stop]:
    following = close_store.booked_month(conn)
    if following is None or month == following:
        return []
    return ["gap"] if month > following else ["before"]
