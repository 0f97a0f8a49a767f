"""SQL of the disaster switch: who asked for what, who confirmed it, which access points it went to, what they said.

1. What is decided, and the orders that follow from it, are one transaction.
2. Reports are appended as they come; one that comes twice is there once.  The first of a button makes its run.
3. An access point whose order ran out, or that could be given none, is given another while its run goes on.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from hub import audit
from hub.db import Among, Connection, among
from hub.guard import Who
from hub.orders import giving
from hub.orders import store as orders
from hub.orders.giving import CannotOrder, Target
from hub.signing import Signing
from hub.told import Told
from hub.wifi import disaster, kit_store
from hub.wifi.disaster import Given, Run, Said
from hub.wifi.place_store import places
from hub.wifi.session import plausible_ms

_COLUMNS = (
    "id, run, drill, reason, minutes, places, asked_ms, asked_by, decided, decided_ms, decided_by, ends_ms, ended_ms, "
    "ended_by"
)
_BEGUN = Among("SELECT DISTINCT r.run FROM", 1, "JOIN disaster_report r ON r.run = k.column1 AND r.state <> 'refused'")
_BUTTON = "standing-"
# Refused presses name no run.
_BUTTONS = "standing"
_MINUTE_MS = 60_000


class Point(msgspec.Struct, frozen=True):
    """One access point of a run: what it said, and how far its orders are."""

    device_id: int
    device: str
    place: str
    given: Given
    said: tuple[Said, ...]


class Pressed(msgspec.Struct, frozen=True):
    """A press of a button that was refused."""

    device: str
    said: Said


# ---- decisions


def ask(conn: Connection, run: Run, now_ms: int) -> int:
    """A new request; its number."""
    found = conn.execute(
        "INSERT INTO disaster (run, drill, reason, minutes, places, asked_ms, asked_by) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "RETURNING id",
        (run.run, int(run.drill), run.reason, run.minutes, _json(run.places), now_ms, run.asked_by),
    ).fetchone()
    audit.note(conn, now_ms, run.asked_by, "disaster_ask", run.run, run.reason)
    return int(found[0])


def confirm(conn: Connection, signing: Signing, run: Run, who: str, now_ms: int) -> list[str]:
    """A second person agrees: the orders go out; the access points that they are for."""
    ends_ms = now_ms + run.minutes * _MINUTE_MS
    _decide(conn, run, "confirm", who, now_ms)
    conn.execute("UPDATE disaster SET ends_ms = ? WHERE id = ?", (ends_ms, run.id))
    found = targets(conn, run.places)
    for target in found:
        conn.execute("INSERT INTO disaster_point (disaster_id, device_id) VALUES (?, ?)", (run.id, target.id))
        _give(conn, signing, msgspec.structs.replace(run, ends_ms=ends_ms, decided_by=who), target, now_ms)
    audit.note(conn, now_ms, who, "disaster_confirm", run.run, f"{len(found)}")
    return [target.name for target in found]


def refuse(conn: Connection, run: Run, who: str, now_ms: int) -> None:
    """A second person does not agree."""
    _decide(conn, run, "refuse", who, now_ms)
    audit.note(conn, now_ms, who, "disaster_refuse", run.run)


def withdraw(conn: Connection, run: Run, who: str, now_ms: int) -> None:
    """Whoever asked takes it back."""
    _decide(conn, run, "withdraw", who, now_ms)
    audit.note(conn, now_ms, who, "disaster_withdraw", run.run)


def _decide(conn: Connection, run: Run, decided: str, who: str, now_ms: int) -> None:
    conn.execute(
        "UPDATE disaster SET decided = ?, decided_ms = ?, decided_by = ? WHERE id = ?",
        (decided, now_ms, who, run.id),
    )


def end(conn: Connection, signing: Signing, run: Run, who: str, now_ms: int) -> list[str]:
    """It is over: what no access point has yet is taken back, the others are told; those that are told."""
    for _target, order_id in _given(conn, run.id):
        orders.withdraw(conn, order_id, now_ms)
    told = _tell_end(conn, signing, run, who, now_ms)
    _over(conn, run.id, who, now_ms)
    audit.note(conn, now_ms, who, "disaster_end", run.run)
    return told


def _tell_end(conn: Connection, signing: Signing, run: Run, who: str, now_ms: int) -> list[str]:
    """Tells every access point of a run that it is over, unless it was told and may still hear of it.

    Also those whose order to begin was taken back: it may be on its way, and an end wins over what comes after it.
    """
    told = []
    for target, order_id in _given(conn, run.id, "end_order_id"):
        row = orders.order(conn, order_id, now_ms) if order_id else None
        if row is not None and row.progress.state != "expired":
            continue
        try:
            ended = giving.give(conn, signing, target, ("disaster", {"action": "end", "run": run.run}), who, now_ms)
        except CannotOrder:
            # It is on hold; when it comes back in time it is told.
            continue
        conn.execute(
            "UPDATE disaster_point SET end_order_id = ? WHERE disaster_id = ? AND device_id = ?",
            (ended, run.id, target.id),
        )
        told.append(target.name)
    return told


def _over(conn: Connection, number: int, who: str, now_ms: int) -> None:
    conn.execute("UPDATE disaster SET ended_ms = ?, ended_by = ? WHERE id = ?", (now_ms, who, number))


def targets(conn: Connection, wanted: Sequence[str]) -> list[Target]:
    """The access points in these places, or all."""
    rows = conn.execute(
        "SELECT d.id, d.name, d.kind FROM device d LEFT JOIN item i ON i.device_id = d.id "
        "WHERE d.kind = 'access_point' ORDER BY d.name"
    ).fetchall()
    where = places(conn, [row[0] for row in rows]) if wanted else {}
    return [Target(*row) for row in rows if not wanted or where.get(row[0]) in wanted]


def all_places(conn: Connection) -> list[tuple[str, int]]:
    """The places that have access points, with how many."""
    found = conn.execute(
        "SELECT i.place, count(*) FROM device d JOIN item i ON i.device_id = d.id "
        "WHERE d.kind = 'access_point' AND i.place <> '' GROUP BY i.place ORDER BY i.place"
    )
    return [(str(place), int(n)) for place, n in found]


def _give(conn: Connection, signing: Signing, run: Run, target: Target, now_ms: int) -> None:
    arguments = {
        "action": "drill" if run.drill else "begin",
        "run": run.run,
        "minutes": run.minutes,
        "until_ms": run.ends_ms,
    }
    try:
        given = giving.give(conn, signing, target, ("disaster", arguments), run.decided_by, now_ms)
    except CannotOrder:
        # It is on hold; when it comes back in time it is told.
        return
    conn.execute(
        "UPDATE disaster_point SET order_id = ? WHERE disaster_id = ? AND device_id = ?", (given, run.id, target.id)
    )


def _given(
    conn: Connection, number: int, column: Literal["order_id", "end_order_id"] = "order_id"
) -> list[tuple[Target, str]]:
    rows = conn.execute(
        f"SELECT d.id, d.name, d.kind, p.{column} FROM disaster_point p "  # noqa: S608 (one of two names)
        "JOIN device d ON d.id = p.device_id WHERE p.disaster_id = ? ORDER BY d.name",
        (number,),
    )
    return [(Target(*row[:3]), row[3]) for row in rows.fetchall()]


# ---- what the clock tells


def is_due(conn: Connection, now_ms: int) -> bool:
    """Whether `follow_time` may find anything: a run that is over, an access point that was not told."""
    found = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM disaster WHERE decided IN ('confirm', 'button') AND ended_ms IS NULL AND "
        "ends_ms <= ?) OR EXISTS (SELECT 1 FROM disaster r JOIN disaster_point p ON p.disaster_id = r.id "
        "LEFT JOIN device_order c ON c.id = iif(r.ended_ms IS NULL, p.order_id, p.end_order_id) "
        "LEFT JOIN hold h ON h.device_id = p.device_id WHERE r.ends_ms > ? AND h.device_id IS NULL AND "
        "(r.decided = 'confirm' OR r.ended_by <> '') AND (c.id IS NULL OR c.state = 'expired'))",
        (now_ms, now_ms),
    ).fetchone()
    return bool(found[0])


def follow_time(conn: Connection, signing: Signing, now_ms: int) -> list[str]:
    """Ends what is over, and tells again whoever was not told; the access points that it is about."""
    touched = []
    for run in _rows(conn, "WHERE decided IN ('confirm', 'button') AND (ended_ms IS NULL OR ends_ms > ?)", (now_ms,)):
        if (run.ends_ms or 0) <= now_ms:
            for target, order_id in _given(conn, run.id):
                orders.withdraw(conn, order_id, now_ms)
                touched.append(target.name)
            _over(conn, run.id, "", now_ms)
            audit.note(conn, now_ms, audit.SYSTEM, "disaster_over", run.run)
        elif run.ended_ms is not None:
            touched += _tell_end(conn, signing, run, run.ended_by, now_ms) if run.ended_by else []
        elif run.decided == "confirm":
            touched += _tell_again(conn, signing, run, now_ms)
    return touched


def _tell_again(conn: Connection, signing: Signing, run: Run, now_ms: int) -> list[str]:
    again = []
    for target, order_id in _given(conn, run.id):
        row = orders.order(conn, order_id, now_ms) if order_id else None
        if row is None or row.progress.state == "expired":
            _give(conn, signing, run, target, now_ms)
            again.append(target.name)
    return again


# ---- what access points tell


def take(conn: Connection, told: Sequence[Told]) -> None:
    """What access points did with the switch (`wire.messages.DisasterReport`)."""
    for one in told:
        body, at_ms = one.body, plausible_ms(one.at_ms, one.received_ms)
        evidence = _json(body.evidence)
        row = (one.device_id, body.run, body.state, body.by, body.ends_ms, evidence, at_ms)
        new = conn.execute(
            "INSERT INTO disaster_report (device_id, run, state, told_by, ends_ms, evidence, at_ms) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            row,
        ).rowcount
        if new and body.run.startswith(_BUTTON):
            _of_button(conn, one, at_ms)


def _of_button(conn: Connection, one: Told, at_ms: int) -> None:
    """A run that an access point began by itself, with the order in its kit."""
    body = one.body
    if body.state == "begun":
        ends_ms = plausible_ms(body.ends_ms, at_ms + 30 * 86_400_000)
        number = conn.execute(
            "INSERT INTO disaster (run, drill, reason, minutes, asked_ms, asked_by, decided, decided_ms, ends_ms) "
            "VALUES (?, 0, '', ?, ?, '', 'button', ?, ?) ON CONFLICT (run) DO NOTHING RETURNING id",
            (body.run, max(0, ends_ms - at_ms) // _MINUTE_MS, at_ms, at_ms, ends_ms),
        ).fetchone()
        if number is not None:
            conn.execute(
                "INSERT INTO disaster_point (disaster_id, device_id) VALUES (?, ?)", (number[0], one.device_id)
            )
            audit.note(conn, one.received_ms, audit.SYSTEM, "disaster_button", one.device, body.run)
            # The order is used up: the next kit brings another.
            kit_store.touch(conn)
    elif body.state == "ended":
        conn.execute(
            "UPDATE disaster SET ended_ms = ?, ended_by = '' WHERE run = ? AND ended_ms IS NULL AND EXISTS "
            "(SELECT 1 FROM disaster_point p WHERE p.disaster_id = disaster.id AND p.device_id = ?)",
            (at_ms, body.run, one.device_id),
        )


# ---- what pages show


def run(conn: Connection, number: int) -> Run | None:
    """One run."""
    found = _rows(conn, "WHERE id = ?", (number,))
    return found[0] if found else None


def runs(conn: Connection, limit: int) -> list[Run]:
    """The newest, newest first."""
    return _rows(conn, "ORDER BY id DESC LIMIT ?", (limit,))


def open_runs(conn: Connection, now_ms: int) -> list[Run]:
    """What waits for somebody, or goes on."""
    return _rows(
        conn,
        "WHERE (decided = '' AND asked_ms > ?) OR (decided IN ('confirm', 'button') AND ended_ms IS NULL "
        "AND ends_ms > ?) ORDER BY id DESC",
        (now_ms - disaster.ASKED_FOR_MS, now_ms),
    )


def waiting(conn: Connection, who: Who, now_ms: int) -> list[Run]:
    """What the start page tells this person: what goes on, and for those who may confirm, what waits."""
    found = open_runs(conn, now_ms) if who.may("wifi") else []
    return [one for one in found if one.decided or who.may("disaster")]


def real_runs(conn: Connection, now_ms: int) -> bool:
    """Whether a disaster network, not a drill, goes on somewhere."""
    return any(not one.drill and one.decided for one in open_runs(conn, now_ms))


def begun(conn: Connection, numbers: Iterable[Run]) -> frozenset[str]:
    """Those of these runs that an access point said it began."""
    return frozenset(row[0] for row in among(conn, _BEGUN, [one.run for one in numbers]))


def points(conn: Connection, found: Run, now_ms: int) -> list[Point]:
    """The access points of a run; before it is confirmed those that it would go to."""
    if not found.decided:
        return [Point(one.id, one.name, place, Given(), ()) for one, place in _with_places(conn, found)]
    said = _said(conn, found.run)
    listed = _given(conn, found.id)
    where = places(conn, [target.id for target, _ in listed])
    result = []
    for target, order_id in listed:
        row = orders.order(conn, order_id, now_ms) if order_id else None
        given = Given(row.progress.state, row.made_ms, row.progress.detail) if row else Given()
        result.append(Point(target.id, target.name, where.get(target.id, ""), given, said[target.id]))
    return result


def _with_places(conn: Connection, found: Run) -> list[tuple[Target, str]]:
    listed = targets(conn, found.places)
    where = places(conn, [one.id for one in listed])
    return [(one, where.get(one.id, "")) for one in listed]


def _said(conn: Connection, name: str) -> defaultdict[int, tuple[Said, ...]]:
    rows = conn.execute(
        "SELECT device_id, state, told_by, ends_ms, evidence, at_ms FROM disaster_report WHERE run = ? "
        "ORDER BY at_ms, id",
        (name,),
    )
    found: defaultdict[int, tuple[Said, ...]] = defaultdict(tuple)
    for device_id, state, by, ends_ms, evidence, at_ms in rows:
        found[device_id] += (Said(state, by, ends_ms, _lines(evidence), at_ms),)
    return found


def pressed(conn: Connection, limit: int) -> list[Pressed]:
    """Presses of buttons that were refused, newest first."""
    rows = conn.execute(
        "SELECT d.name, r.state, r.told_by, r.ends_ms, r.evidence, r.at_ms FROM disaster_report r "
        "JOIN device d ON d.id = r.device_id WHERE r.run = ? ORDER BY r.at_ms DESC, r.id DESC LIMIT ?",
        (_BUTTONS, limit),
    )
    return [Pressed(row[0], Said(row[1], row[2], row[3], _lines(row[4]), row[5])) for row in rows]


def drill_due_ms(conn: Connection) -> int | None:
    """When a drill is due; None for a town without access points."""
    first, last = conn.execute(
        "SELECT (SELECT min(first_heard_ms) FROM device WHERE kind = 'access_point'), (SELECT max(d.decided_ms) "
        "FROM disaster d JOIN disaster_report r ON r.run = d.run AND r.state = 'drilled' WHERE d.drill = 1)"
    ).fetchone()
    return None if first is None else disaster.drill_due_ms(last, first)


def _rows(conn: Connection, where: str, values: Sequence[Any]) -> list[Run]:
    rows = conn.execute(f"SELECT {_COLUMNS} FROM disaster {where}", values)  # noqa: S608 (pieces of this file)
    return [_run(list(row)) for row in rows]


def _run(values: list[Any]) -> Run:
    values[2], values[5] = bool(values[2]), _lines(values[5])
    return Run(*values)


def _lines(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
