"""SQL of requests and of the decisions on them: both are appended, neither is changed or taken away.

1. What is approved is what the latest decision that fits says (`request.py`); the one that was entered later comes
   later.
2. A decision is checked and written in one transaction, with its line in the audit log: two people who press at the
   same time cannot both decide, and nobody can decide on their own time.
3. Whatever changes what counts marks the worked-out months that it concerns.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from hub import audit
from hub.attendance.request import (
    LONGEST_DAYS,
    Approved,
    Body,
    Decided,
    Decision,
    Kind,
    Refusal,
    Request,
    State,
    approved_of,
    clash,
    days_of,
    kind_of,
    may_decide,
)
from hub.db import Connection
from hub.people import Person
from hub.staff.stale import mark_days
from wire.messages import INT64_MAX

__all__ = ["Approved", "Request", "approved", "decide", "enter", "find", "request", "waiting"]

_AT_ONCE = 500
_COLUMNS = "r.id, r.staff_id, r.body, r.reason, r.entered_ms, r.entered_by"
_LATEST = "(SELECT d.decision FROM request_decision d WHERE d.request_id = r.id ORDER BY d.id DESC LIMIT 1)"
# Few among many: a table of their own, kept by triggers.
_WAITS = " AND r.id IN (SELECT request_id FROM request_waiting)"
# The word of the audit log for a decision.
_DID: dict[Decision, audit.Did] = {
    "approved": "request_approve",
    "refused": "request_refuse",
    "revoked": "request_revoke",
    "withdrawn": "request_withdraw",
    "entered_again": "request_enter_again",
}
# What is approved or may yet be.
OPEN: tuple[State, ...] = ("waiting", "approved")
_decoder = msgspec.json.Decoder(Body)
_Row = tuple[int, int, str, str, int, str]


class Which(NamedTuple):
    """Which requests: of these people (None: of all), kind, state, and days that touch `first` through `last`."""

    staff_ids: tuple[int, ...] | None = None
    kind: Kind | None = None
    state: State | None = None
    first: date | None = None
    last: date | None = None


def approved(conn: Connection, staff_ids: Sequence[int] | None, first: date, last: date) -> dict[int, Approved]:
    """What counts on any day from `first` through `last`, person by person; nobody without anything is in it."""
    by_staff: dict[int, list[tuple[int, Body]]] = defaultdict(list)
    for one in find(conn, Which(None if staff_ids is None else tuple(staff_ids), None, "approved", first, last)):
        by_staff[one.staff_id].append((one.id, one.body))
    return {staff_id: approved_of(sorted(found, key=lambda one: one[0])) for staff_id, found in by_staff.items()}


def waiting(conn: Connection, staff_ids: Sequence[int] | None = None) -> list[Request]:
    """What nobody has decided yet, oldest first."""
    return find(conn, Which(None if staff_ids is None else tuple(staff_ids), state="waiting"))


def enter(conn: Connection, staff_id: int, body: Body, reason: str, who: str, now_ms: int) -> int:
    """Enters a request that was checked (`request_check.py`); its number."""
    first, last = days_of(body)
    cursor = conn.execute(
        "INSERT INTO request (staff_id, kind, from_day, to_day, body, reason, entered_ms, entered_by) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            staff_id,
            kind_of(body),
            first.isoformat(),
            last.isoformat(),
            msgspec.json.encode(body).decode(),
            reason,
            now_ms,
            who,
        ),
    )
    number = int(cursor.lastrowid or 0)
    audit.note(conn, now_ms, who, "request_enter", _number_of(conn, staff_id), f"{number}: {kind_of(body)} {first}")
    return number


def decide(
    conn: Connection, number: int, decision: Decision, who: Person, now_ms: int, note: str = ""
) -> Refusal | None:
    """Writes a decision down, or says why not. Raises KeyError for a number that there is none of."""
    one = request(conn, number)
    if one is None:
        raise KeyError(number)
    (person_id,) = conn.execute("SELECT person_id FROM staff WHERE id = ?", (one.staff_id,)).fetchone()
    refused = may_decide(one, decision, who, person_id, note)
    if refused is None and decision in ("approved", "entered_again") and clashing(conn, one, decision):
        refused = "clash"
    if refused is not None:
        return refused
    conn.execute(
        "INSERT INTO request_decision (request_id, decision, note, at_ms, who) VALUES (?, ?, ?, ?, ?)",
        (number, decision, note.strip(), now_ms, who.name),
    )
    first, last = days_of(one.body)
    if decision in ("approved", "revoked"):
        mark_days(conn, one.staff_id, first, last)
    told = f"{number}: {one.kind} {first}"
    audit.note(conn, now_ms, who.name, _DID[decision], _number_of(conn, one.staff_id), told)
    return None


def clashing(conn: Connection, one: Request, decision: Decision) -> list[Request]:
    """What a request cannot stand beside once it is decided so: what is approved, or what may yet be."""
    others = of_person(conn, one.staff_id, one.body, ("approved",) if decision == "approved" else OPEN)
    return [other for other in others if other.id != one.id and clash(one.body, other.body)]


def of_person(conn: Connection, staff_id: int, body: Body, states: Iterable[State]) -> list[Request]:
    """The requests of a person, in any of these states, on the days of a body."""
    first, last = days_of(body)
    return [one for state in states for one in find(conn, Which((staff_id,), None, state, first, last))]


def request(conn: Connection, number: int) -> Request | None:
    """The request of a number."""
    row = conn.execute(f"SELECT {_COLUMNS} FROM request r WHERE r.id = ?", (number,)).fetchone()  # noqa: S608
    return next(iter(_requests(conn, [row])), None) if row else None


def find(conn: Connection, which: Which, limit: int = -1, after: int = 0) -> list[Request]:
    """Requests in the order in which they were entered, at most `limit` of those past a number."""
    return _find(conn, which, limit, "r.id > ?", after, newest=False)


def newest(conn: Connection, which: Which, limit: int, before: int | None = None) -> list[Request]:
    """Requests, newest first, at most `limit` of those before a number."""
    return _find(conn, which, limit, "r.id < ?", INT64_MAX if before is None else before, newest=True)


def _find(conn: Connection, which: Which, limit: int, where_id: str, edge: int, *, newest: bool) -> list[Request]:
    (where, args), order = _where(which), "DESC" if newest else "ASC"
    rows: list[_Row] = []
    for some in [None] if which.staff_ids is None else _chunks(which.staff_ids):
        of_staff = "" if some is None else f" AND r.staff_id IN ({','.join('?' * len(some))})"
        rows += conn.execute(
            f"SELECT {_COLUMNS} FROM request r WHERE {where_id}{where}{of_staff} ORDER BY r.id {order} LIMIT ?",  # noqa: S608
            (edge, *args, *(some or ()), limit),
        ).fetchall()
    rows.sort(key=lambda row: row[0], reverse=newest)
    return _requests(conn, rows if limit < 0 else rows[:limit])


def waiting_since(conn: Connection, before_ms: int) -> tuple[int, int | None]:
    """How many wait that were entered before a moment, and when the oldest was."""
    n, since_ms = conn.execute(
        # CROSS: what waits comes first, whatever the planner thinks; the requests of all years are many.
        "SELECT count(*), min(r.entered_ms) FROM request_waiting w CROSS JOIN request r ON r.id = w.request_id "
        "WHERE r.entered_ms < ?",
        (before_ms,),
    ).fetchone()
    return n, since_ms


def _where(which: Which) -> tuple[str, list[object]]:
    text, args = "", list[object]()
    if which.kind is not None:
        text, args = text + " AND r.kind = ?", [*args, which.kind]
    if which.first is not None and which.last is not None:
        earliest = which.first - timedelta(days=LONGEST_DAYS)
        text += " AND r.from_day >= ? AND r.from_day <= ? AND r.to_day >= ?"
        args += [earliest.isoformat(), which.last.isoformat(), which.first.isoformat()]
    if which.state is not None:
        # Each decision was checked before it was written: the latest one is the state.
        text += _WAITS if which.state == "waiting" else f" AND {_LATEST} = ?"
        args += [] if which.state == "waiting" else [which.state]
    return text, args


def _requests(conn: Connection, rows: Sequence[_Row]) -> list[Request]:
    decided = _decided(conn, [row[0] for row in rows])
    return [
        Request(
            id=id_,
            staff_id=staff_id,
            body=_decoder.decode(body),
            reason=reason,
            entered_ms=entered_ms,
            entered_by=entered_by,
            decided=tuple(decided.get(id_, ())),
        )
        for id_, staff_id, body, reason, entered_ms, entered_by in rows
    ]


def _decided(conn: Connection, numbers: Iterable[int]) -> dict[int, list[Decided]]:
    found: dict[int, list[Decided]] = defaultdict(list)
    for some in _chunks(list(numbers)):
        rows = conn.execute(
            "SELECT request_id, decision, note, at_ms, who FROM request_decision "  # noqa: S608
            f"WHERE request_id IN ({','.join('?' * len(some))}) ORDER BY id",
            some,
        )
        for number, decision, note, at_ms, who in rows:
            found[number].append(Decided(decision, note, at_ms, who))
    return found


def _chunks(numbers: Sequence[int]) -> list[Sequence[int]]:
    return [numbers[start : start + _AT_ONCE] for start in range(0, len(numbers), _AT_ONCE)]


def _number_of(conn: Connection, staff_id: int) -> str:
    (number,) = conn.execute("SELECT number FROM staff WHERE id = ?", (staff_id,)).fetchone()
    return str(number)
