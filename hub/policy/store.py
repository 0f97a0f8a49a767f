"""SQL of ordered and actual settings: what was published to whom, and what devices reported.

1. A publication is stored, signed and put into the outbox in one transaction.
2. It leaves the outbox when the device has reported that it saw that generation, whatever it made of it.
3. A device that comes and has seen less than was ordered is sent it again, signed as it was.
4. A device that has seen more than this hub remembers is noted (`ahead`); `task.py` then begins a new incarnation.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

from hub.db import Connection, Into, insert
from hub.fleet import incarnation, outbox
from hub.policy import calendar, group_store, step
from hub.policy.group_store import rows_of
from hub.policy.merge import Document, Folded
from hub.policy.step import Ordered, Report
from hub.signing import Signing
from hub.told import Told
from wire import codec, policy, signed
from wire.messages import Drift

__all__ = [
    "Ordered",
    "Report",
    "ahead",
    "document_of",
    "folded",
    "history",
    "ordered",
    "publications",
    "publish",
    "publish_many",
    "reports",
    "take_presences",
    "take_reports",
]

_JAPAN = timezone(timedelta(hours=9))
_DRIFT = msgspec.json.Decoder(tuple[Drift, ...])
# A device that is ahead is given a new incarnation at most so often.
_APART_MS = 600_000

_DESIRED = Into(
    "desired (device_id, incarnation, generation, hash, digest, made_ms, who, message)",
    8,
    "ON CONFLICT (device_id) DO UPDATE SET incarnation = excluded.incarnation, generation = excluded.generation, "
    "hash = excluded.hash, digest = excluded.digest, made_ms = excluded.made_ms, who = excluded.who, "
    "message = excluded.message",
)
_GENERATION = Into("generation (device_id, incarnation, generation, hash, made_ms, who)", 6)
_DOCUMENT = Into("policy_document (hash, body)", 2, "ON CONFLICT DO NOTHING")
_REPORT = Into(
    "policy_report (device_id, incarnation, seen, applied, result, error, digest, drift, at_ms, received_ms, boot)",
    11,
    "ON CONFLICT (device_id) DO UPDATE SET incarnation = excluded.incarnation, seen = excluded.seen, "
    "applied = excluded.applied, result = excluded.result, error = excluded.error, digest = excluded.digest, "
    "drift = excluded.drift, at_ms = excluded.at_ms, received_ms = excluded.received_ms, boot = excluded.boot",
)
_TOLD = Into(
    "policy_told (device_id, incarnation, seen, at_ms)",
    4,
    "ON CONFLICT (device_id) DO UPDATE SET incarnation = excluded.incarnation, seen = excluded.seen, "
    "at_ms = excluded.at_ms",
)


class Generation(msgspec.Struct, frozen=True):
    """One publication to a device, as its history shows it."""

    incarnation: str
    generation: int
    document: Document
    made_ms: int
    who: str


class Publication(msgspec.Struct, frozen=True):
    """One press of the button: when, by whom, to how many devices."""

    made_ms: int
    who: str
    devices: int


# ---- what a device should be


def folded(conn: Connection, device_ids: Sequence[int] | None = None) -> dict[int, Folded]:
    """What each device should be by its layers (see `merge.py`), as nobody may have published it yet."""
    return group_store.folded(conn, device_ids)


def document_of(conn: Connection, device_id: int) -> Document:
    """What a device should be now: its groups' layers and its own, merged. Empty for a device that is not known."""
    found = folded(conn, [device_id]).get(device_id)
    return found.document if found else {}


# ---- what was published


def ordered(conn: Connection, device_ids: Sequence[int] | None = None) -> dict[int, Ordered]:
    """What each device is ordered to be: the last that was published to it."""
    rows = rows_of(
        conn,
        "SELECT d.device_id, d.incarnation, d.generation, p.body, d.digest, d.made_ms, d.who FROM desired d "
        "JOIN policy_document p ON p.hash = d.hash",
        "d.device_id",
        device_ids,
    )
    bodies: dict[str, Document] = {}
    out = {}
    for device_id, inc, generation, body, digest, made_ms, who in rows:
        if body not in bodies:
            bodies[body] = msgspec.json.decode(body)
        out[device_id] = Ordered(inc, generation, bodies[body], digest, made_ms, who)
    return out


def history(conn: Connection, device_id: int, limit: int = 20) -> list[Generation]:
    """What was published to a device, newest first."""
    rows = conn.execute(
        "SELECT g.incarnation, g.generation, p.body, g.made_ms, g.who FROM generation g "
        "JOIN policy_document p ON p.hash = g.hash WHERE g.device_id = ? "
        "ORDER BY g.incarnation DESC, g.generation DESC LIMIT ?",
        (device_id, limit),
    )
    return [Generation(inc, gen, msgspec.json.decode(body), made_ms, who) for inc, gen, body, made_ms, who in rows]


def publications(conn: Connection, limit: int = 20) -> list[Publication]:
    """What was published lately, newest first: devices that were served together are one line."""
    rows = conn.execute(
        "SELECT made_ms, who, count(*) FROM generation GROUP BY made_ms, who ORDER BY made_ms DESC LIMIT ?", (limit,)
    )
    return [Publication(*row) for row in rows]


def publish(conn: Connection, signing: Signing, device_id: int, document: Document, now_ms: int, who: str) -> int:
    """The next generation of one device: stored, signed and on its way; its number. Raises policy.BadDocument."""
    return publish_many(conn, signing, {device_id: document}, now_ms, who)[device_id]


def publish_many(
    conn: Connection, signing: Signing, documents: dict[int, Document], now_ms: int, who: str
) -> dict[int, int]:
    """The next generation of each device, in few statements; their numbers. A device that is not known is left out.

    Raises policy.BadDocument when one document says what its device cannot be told; then nothing is published.
    """
    ids = list(documents)
    last = {row[0]: row[1:] for row in rows_of(conn, _LAST, "device_id", ids)}
    told = {row[0]: row[1:] for row in rows_of(conn, _HEARD, "device_id", ids)}
    today = datetime.fromtimestamp(now_ms / 1000, _JAPAN).date()
    desired: list[Any] = []
    generations: list[Any] = []
    bodies: dict[str, str] = {}
    messages: dict[int, bytes] = {}
    numbers: dict[int, int] = {}
    for device_id, name, kind in rows_of(conn, "SELECT id, name, kind FROM device", "id", ids):
        document = calendar.with_holidays(documents[device_id], today)
        policy.read_document(document, kind)
        inc, generation = _next(last.get(device_id), told.get(device_id, ("", 0)), now_ms)
        message = signing.desired(name, inc, generation, document)
        digest = signed.digest(signed.desired_bytes(name, inc, generation, document))
        body = msgspec.json.encode(document, order="sorted")
        hash_ = hashlib.sha256(body).hexdigest()
        bodies[hash_] = body.decode()
        messages[device_id], numbers[device_id] = codec.encode(message), generation
        desired += (device_id, inc, generation, hash_, digest, now_ms, who, messages[device_id])
        generations += (device_id, inc, generation, hash_, now_ms, who)
    insert(conn, _DOCUMENT, [part for pair in bodies.items() for part in pair])
    insert(conn, _DESIRED, desired)
    insert(conn, _GENERATION, generations)
    outbox.put_many(conn, "desired", "", messages, now_ms)
    return numbers


_LAST = "SELECT device_id, incarnation, generation FROM desired"
_HEARD = "SELECT device_id, incarnation, seen FROM policy_told"


def _next(last: tuple[str, int] | None, told: tuple[str, int], now_ms: int) -> tuple[str, int]:
    """The name of the next publication: of the same incarnation unless the device knows of more."""
    if last is None or step.is_ahead(*last, *told):
        known = max(last[0] if last else "", told[0])
        return incarnation.following(known, now_ms, secrets.token_hex(10)), 1
    return last[0], last[1] + 1


# ---- what devices reported


def reports(conn: Connection, device_ids: Sequence[int] | None = None) -> dict[int, Report]:
    """The latest report of each device."""
    rows = rows_of(
        conn,
        "SELECT device_id, incarnation, seen, applied, result, error, digest, drift, at_ms, received_ms, boot "
        "FROM policy_report",
        "device_id",
        device_ids,
    )
    return {
        device_id: Report(inc, seen, applied, result, error, digest, _DRIFT.decode(drift), at_ms, received_ms, boot)
        for device_id, inc, seen, applied, result, error, digest, drift, at_ms, received_ms, boot in rows
    }


def take_reports(conn: Connection, told: Sequence[Told]) -> None:
    """How far devices have followed (`wire.messages.Reported`): kept, and what was answered leaves the outbox."""
    newest = {one.device_id: one for one in told}
    flat: list[Any] = []
    heard: list[Any] = []
    for one in newest.values():
        body = one.body
        drift = msgspec.json.encode(body.drift).decode()
        flat += (one.device_id, body.incarnation, body.seen, body.applied, body.result, body.error, body.digest)
        flat += (drift, one.at_ms, one.received_ms, one.boot)
        heard += (one.device_id, body.incarnation, body.seen, one.received_ms)
    insert(conn, _REPORT, flat)
    insert(conn, _TOLD, heard)
    last = {row[0]: row[1:] for row in rows_of(conn, _LAST, "device_id", list(newest))}
    answered = [
        device_id
        for device_id, one in newest.items()
        if device_id in last and (one.body.incarnation, one.body.seen) == last[device_id]
    ]
    outbox.drop_many(conn, answered, "desired")


def take_presences(conn: Connection, told: Sequence[Told]) -> None:
    """Devices that came (`wire.messages.Presence`): one that has seen less than was ordered is sent it again."""
    newest = {one.device_id: one for one in told}
    heard: list[Any] = []
    for one in newest.values():
        if one.body.incarnation:
            heard += (one.device_id, one.body.incarnation, one.body.seen, one.received_ms)
    insert(conn, _TOLD, heard)
    last = {row[0]: row[1:] for row in rows_of(conn, _LAST, "device_id", list(newest))}
    behind = [
        device_id
        for device_id, known in last.items()
        if known > (newest[device_id].body.incarnation, newest[device_id].body.seen)
    ]
    if behind:
        now_ms = max(newest[device_id].received_ms for device_id in behind)
        rows = rows_of(conn, "SELECT device_id, message FROM desired", "device_id", behind)
        outbox.put_many(conn, "desired", "", dict(rows), now_ms)


def ahead(conn: Connection, now_ms: int) -> list[int]:
    """Devices that know more than this hub, or the ordered generation as something else: they need a new incarnation.

    One that was given a new incarnation a moment ago is left in peace.
    """
    found = conn.execute(
        "SELECT d.device_id FROM desired d JOIN policy_told t ON t.device_id = d.device_id "
        "WHERE (d.generation > 1 OR d.made_ms < ?) "
        "AND (t.incarnation > d.incarnation OR (t.incarnation = d.incarnation AND t.seen > d.generation)) "
        "UNION SELECT d.device_id FROM desired d JOIN policy_report r ON r.device_id = d.device_id "
        "WHERE (d.generation > 1 OR d.made_ms < ?) AND r.incarnation = d.incarnation AND r.seen = d.generation "
        "AND ((r.applied = d.generation AND r.digest <> d.digest) OR (r.result = 'refused' AND r.error = 'older'))",
        (now_ms - _APART_MS, now_ms - _APART_MS),
    )
    return [device_id for (device_id,) in found]
