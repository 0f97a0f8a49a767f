"""SQL of roll-outs: what was laid down, how far each device is, and what happened when."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.db import Connection, Into, insert
from hub.rollout.plan import Plan
from hub.rollout.state import ACTIVE, OPEN, Course, Member, State, Status

Document = dict[str, Any]

_PLAN = msgspec.json.Decoder(Plan)
_DEVICE = Into("rollout_device (rollout_id, device_id, place, stage, old_hash, new_hash, known)", 7)
_DOCUMENT = Into("rollout_document (hash, body)", 2, "ON CONFLICT DO NOTHING")
_EVENT = Into("rollout_event (rollout_id, at_ms, who, what, device, why, detail)", 7)


class Entry(msgspec.Struct, frozen=True):
    """A device as it comes into a roll-out: its group, what it is ordered to be (None: nothing yet), what it is to be.

    One that was never ordered anything goes back to settings that say nothing.
    """

    device: int
    place: str
    group: int
    old: Document | None
    new: Document


class Head(msgspec.Struct, frozen=True):
    """Who made a roll-out, and how it stands. `changed_by`: who did the last thing to it; empty: the hub itself."""

    id: int
    title: str
    status: Status
    made_by: str
    made_ms: int
    approved_by: str
    changed_by: str
    changed_ms: int


class Summary(msgspec.Struct, frozen=True):
    """A roll-out with how many devices are in which state."""

    head: Head
    counts: dict[State, int]


class Event(msgspec.Struct, frozen=True):
    """One thing that happened: `what` is a device's new state, an act, or a status; `who` is empty for the hub."""

    at_ms: int
    who: str
    what: str
    device: str
    why: str
    detail: str


def content(document: Document) -> str:
    """What tells settings apart, whoever publishes them: the SHA-256 of their canonical bytes, in hex."""
    return hashlib.sha256(_text(document).encode()).hexdigest()


def _text(document: Document) -> str:
    return msgspec.json.encode(document, order="sorted").decode()


# ---- making


def make(conn: Connection, title: str, plan: Plan, entries: Sequence[Entry], now_ms: int, who: str) -> int:
    """A new roll-out that waits for its approval; its number."""
    number = int(
        conn.execute(
            "INSERT INTO rollout (title, status, plan, made_by, made_ms, changed_by, changed_ms) "
            "VALUES (?, 'proposed', ?, ?, ?, ?, ?)",
            (title, msgspec.json.encode(plan).decode(), who, now_ms, who, now_ms),
        ).lastrowid
        or 0
    )
    documents: dict[str, str] = {}
    flat: list[Any] = []
    for one in entries:
        old, new = content(one.old or {}), content(one.new)
        documents[old], documents[new] = _text(one.old or {}), _text(one.new)
        flat += (number, one.device, one.place, one.group, old, new, "" if one.old is None else old)
    insert(conn, _DOCUMENT, [part for pair in documents.items() for part in pair])
    insert(conn, _DEVICE, flat)
    return number


def in_open(conn: Connection) -> dict[int, int]:
    """Devices of roll-outs that have not ended, and in which one each is."""
    found = conn.execute(
        "SELECT d.device_id, d.rollout_id FROM rollout r JOIN rollout_device d ON d.rollout_id = r.id "  # noqa: S608
        f"WHERE r.status IN {_words(OPEN)}"
    )
    return dict(found.fetchall())


# ---- reading


_HEAD = "r.id, r.title, r.status, r.made_by, r.made_ms, r.approved_by, r.changed_by, r.changed_ms"


def _words(words: Collection[str]) -> str:
    """Words of our own, as SQL."""
    return "(" + ", ".join(f"'{word}'" for word in sorted(words)) + ")"


def head(conn: Connection, number: int) -> Head | None:
    """One roll-out."""
    row = conn.execute(f"SELECT {_HEAD} FROM rollout r WHERE r.id = ?", (number,)).fetchone()  # noqa: S608 (our own)
    return Head(*row) if row else None


def active(conn: Connection) -> list[int]:
    """Roll-outs that the hub still has something to do with."""
    found = conn.execute(f"SELECT id FROM rollout WHERE status IN {_words(ACTIVE)} ORDER BY id")  # noqa: S608
    return [number for (number,) in found]


def names(conn: Connection, number: int) -> set[str]:
    """The names of a roll-out's devices."""
    found = conn.execute(
        "SELECT d.name FROM rollout_device m JOIN device d ON d.id = m.device_id WHERE m.rollout_id = ?", (number,)
    )
    return {name for (name,) in found}


def summaries(conn: Connection, limit: int, *, only_open: bool = False) -> list[Summary]:
    """Roll-outs, newest first."""
    which = f"WHERE r.status IN {_words(OPEN)}" if only_open else ""
    heads = [
        Head(*row)
        for row in conn.execute(f"SELECT {_HEAD} FROM rollout r {which} ORDER BY r.id DESC LIMIT ?", (limit,))  # noqa: S608
    ]
    return [Summary(one, _counts(conn, one.id)) for one in heads]


def _counts(conn: Connection, number: int) -> dict[State, int]:
    found = conn.execute("SELECT state, count(*) FROM rollout_device WHERE rollout_id = ? GROUP BY state", (number,))
    return dict(found.fetchall())


def course(conn: Connection, number: int) -> Course | None:
    """A roll-out as the rule sees it."""
    row = conn.execute("SELECT plan, status, stage, stage_ms FROM rollout WHERE id = ?", (number,)).fetchone()
    if row is None:
        return None
    rows = conn.execute(
        "SELECT m.device_id, d.name, d.kind, m.place, m.stage, m.known, m.state, m.why, m.detail, m.released_ms, "
        "m.generation, m.ended_ms, m.back_ms, m.back_generation, m.faulty, m.late "
        "FROM rollout_device m JOIN device d ON d.id = m.device_id WHERE m.rollout_id = ?",
        (number,),
    )
    members = {one[0]: replace(Member(*one), faulty=bool(one[14]), late=bool(one[15])) for one in rows}
    return Course(_PLAN.decode(row[0]), row[1], row[2], row[3], members)


def documents(conn: Connection, number: int, device_ids: Collection[int], *, new: bool) -> dict[int, Document]:
    """What devices are to become (or were before), as it was laid down."""
    which = "new_hash" if new else "old_hash"
    wanted = set(device_ids)
    bodies: dict[str, Document] = {}
    out: dict[int, Document] = {}
    for device_id, body in conn.execute(
        f"SELECT m.device_id, p.body FROM rollout_device m JOIN rollout_document p ON p.hash = m.{which} "  # noqa: S608
        "WHERE m.rollout_id = ?",
        (number,),
    ):
        if device_id in wanted:
            if body not in bodies:
                bodies[body] = msgspec.json.decode(body)
            out[device_id] = bodies[body]
    return out


def events(conn: Connection, number: int, limit: int) -> list[Event]:
    """What happened, newest first."""
    rows = conn.execute(
        "SELECT at_ms, who, what, device, why, detail FROM rollout_event WHERE rollout_id = ? ORDER BY id DESC LIMIT ?",
        (number, limit),
    )
    return [Event(*row) for row in rows]


class Contact(msgspec.Struct, frozen=True):
    """Whether a device is there, and when it and its health were heard last."""

    online: bool
    heard_ms: int
    health_ms: int


def contacts(conn: Connection, number: int) -> dict[int, Contact]:
    """The devices of a roll-out, as they were heard."""
    rows = conn.execute(
        "SELECT d.id, d.online, d.last_heard_ms, coalesce(l.received_ms, 0) FROM rollout_device m "
        "JOIN device d ON d.id = m.device_id LEFT JOIN latest l ON l.device_id = d.id AND l.kind = 'health' "
        "WHERE m.rollout_id = ?",
        (number,),
    )
    return {device_id: Contact(bool(online), heard_ms, health_ms) for device_id, online, heard_ms, health_ms in rows}


# ---- writing


def save(conn: Connection, number: int, before: Course, now: Course) -> None:
    """Keeps what has changed."""
    if (before.status, before.stage, before.stage_ms) != (now.status, now.stage, now.stage_ms):
        conn.execute(
            "UPDATE rollout SET status = ?, stage = ?, stage_ms = ? WHERE id = ?",
            (now.status, now.stage, now.stage_ms, number),
        )
    conn.executemany(
        _CHANGE,
        [(*_changing(one), number, one.device) for one in now.members.values() if before.members[one.device] != one],
    )


_CHANGE = (
    "UPDATE rollout_device SET known = ?, state = ?, why = ?, detail = ?, released_ms = ?, generation = ?, "
    "ended_ms = ?, back_ms = ?, back_generation = ?, faulty = ?, late = ? WHERE rollout_id = ? AND device_id = ?"
)


def _changing(one: Member) -> tuple[object, ...]:
    done = (one.known, one.state, one.why, one.detail, one.released_ms, one.generation, one.ended_ms)
    return (*done, one.back_ms, one.back_generation, int(one.faulty), int(one.late))


def changed(conn: Connection, number: int, who: str, now_ms: int) -> None:
    """The roll-out came to another status through somebody, or through the hub itself (empty)."""
    conn.execute("UPDATE rollout SET changed_by = ?, changed_ms = ? WHERE id = ?", (who, now_ms, number))


def approved(conn: Connection, number: int, who: str) -> None:
    """Somebody has approved it."""
    conn.execute("UPDATE rollout SET approved_by = ? WHERE id = ?", (who, number))


def note(conn: Connection, number: int, found: Iterable[Event]) -> None:
    """Adds to what happened."""
    insert(
        conn,
        _EVENT,
        [part for one in found for part in (number, one.at_ms, one.who, one.what, one.device, one.why, one.detail)],
    )
