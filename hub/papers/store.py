"""SQL of papers of every kind: what was sealed for whom, and what devices said of it.

1. Whoever changes what papers of a kind hold marks it (`touch`) in that transaction; `task.py` publishes them a moment
   later.  What changes without a mark (the time, settings, the register) is found by a look at everything.
2. A paper's content is made by its domain (`Contents`: plain bytes by device), deflated, sealed to the key of the
   device's newest certificate, signed, stored and put into the outbox in one transaction (`publish`).
3. Who has the same already is left alone; a device with another certificate gets it sealed anew; one on hold gets none.
   A device that its domain gives no content to keeps what it has: who takes something back gives less content.
4. It leaves the outbox when the device has answered, or after ten minutes; a device that comes with an older one is
   sent its own again.
5. A device that knows more than this hub remembers gets a new incarnation.
6. A paper that does not fit into a message leaves its device with what it has, and the others are told theirs.
"""

import hashlib
import secrets
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hub.db import Connection, Into, insert
from hub.fleet import incarnation, outbox
from hub.signing import Signing
from hub.told import Told
from wire import codec, sealed, signed, x509
from wire.messages import BATCH_BYTES

# What papers say, by the number of their device: JSON as the kind's own type has it (`wire/shelf.py`, `wire/purse.py`).
Contents = Mapping[int, bytes]

# For so long a device that says nothing is sent the same again; one that comes later, when it comes.
_SENT_FOR_MS = 600_000
# A device that is ahead is given a new incarnation at most so often.
_APART_MS = 600_000
# What is around a sealed paper in its message: names, the signature, the keys of the JSON.
_AROUND_BYTES = 512
# What content may deflate to; and what it may be before.
PACKED_BYTES = (BATCH_BYTES - _AROUND_BYTES) * 3 // 4 - sealed.OVERHEAD_BYTES
PLAIN_BYTES = 1024 * 1024

# So many are sealed in one transaction (0.15 s).
_AT_ONCE = 200

_PAPER = Into(
    "paper (device_id, kind, incarnation, generation, digest, key_name, touched, message, made_ms)",
    9,
    "ON CONFLICT (device_id, kind) DO UPDATE SET incarnation = excluded.incarnation, "
    "generation = excluded.generation, digest = excluded.digest, key_name = excluded.key_name, "
    "touched = excluded.touched, message = excluded.message, made_ms = excluded.made_ms",
)
# Devices with a good certificate that are not on hold: who, to which key, what they have, whether they are ahead.
_RECEIVERS = (
    "SELECT d.id, d.name, c.key_name, c.chain, coalesce(p.incarnation, ''), coalesce(p.generation, 0), "
    "coalesce(p.digest, ''), coalesce(p.key_name, ''), coalesce((r.incarnation, r.generation) "
    "> (p.incarnation, p.generation) AND (p.generation > 1 OR p.made_ms < ?), 0), coalesce(r.incarnation, ''), "
    "coalesce(r.generation, 0) "
    "FROM device d JOIN certificate c ON c.serial = (SELECT serial FROM certificate n WHERE n.device_id = d.id "
    "AND n.revoked_ms IS NULL AND n.end_ms > ? ORDER BY n.issued_ms DESC, n.serial LIMIT 1) "
    "LEFT JOIN paper p ON p.device_id = d.id AND p.kind = ? LEFT JOIN paper_report r ON r.device_id = d.id "
    "AND r.kind = ? LEFT JOIN hold h ON h.device_id = d.id WHERE h.device_id IS NULL ORDER BY d.name"
)


class NoContent(Exception):
    """Why papers of a kind cannot be made now; one plain sentence. It is tried again."""


class Receiver(msgspec.Struct, frozen=True):
    """A device that a paper can be sealed for, the last one that was, and what it said it goes by."""

    device_id: int
    device: str
    key_name: str
    chain: str
    incarnation: str
    generation: int
    digest: str
    sealed_to: str
    # 1 or 0, as the database has it: whether it knows more than this hub.
    ahead: int
    told_incarnation: str
    told_generation: int


class Made(msgspec.Struct, frozen=True):
    """A paper that is to go: for whom, its content deflated."""

    to: Receiver
    packed: bytes
    digest: str


class Plan(msgspec.Struct, frozen=True):
    """What a look found: papers to send, and why some cannot go. `looked` is the mark of what was looked at."""

    kind: str
    looked: int
    news: bool
    papers: tuple[Made, ...] = ()
    error: str = ""


class Standing(msgspec.Struct, frozen=True):
    """How a device is with its paper of a kind; `heard_ms` by our clock, 0 when it has said nothing of any."""

    device_id: int
    generation: int
    made_ms: int
    applied: bool
    heard_ms: int
    error: str


def touch(conn: Connection, kind: str) -> None:
    """What papers of this kind hold has changed: devices are to be told, as soon as this transaction is committed."""
    conn.execute(
        "INSERT INTO paper_state (kind, touched) VALUES (?, 1) ON CONFLICT (kind) DO UPDATE SET touched = touched + 1",
        (kind,),
    )


# ---- what is to go


def is_due(conn: Connection, kind: str) -> bool:
    """Whether papers of this kind were marked since they were looked at."""
    touched, tried, _ = _state(conn, kind)
    return touched != tried


def plan(conn: Connection, kind: str, contents: Contents, now_ms: int) -> Plan:
    """What every device with content is to know now, against what it was told last."""
    touched, tried, error = _state(conn, kind)
    made: list[Made] = []
    too_large: list[str] = []
    for one in _receivers(conn, kind, now_ms):
        plain = contents.get(one.device_id)
        if plain is None:
            continue
        digest = hashlib.sha256(plain).hexdigest()
        if (digest, one.key_name) == (one.digest, one.sealed_to) and not one.ahead:
            continue
        if _key(one) is None:
            continue
        packed = zlib.compress(plain, 9)
        if len(packed) > PACKED_BYTES or len(plain) > PLAIN_BYTES:
            too_large.append(one.device)
            continue
        made.append(Made(one, packed, digest))
    why = _too_large(kind, too_large)
    return Plan(kind, touched, touched != tried or why != error, tuple(made), why)


def parts(found: Plan) -> list[Plan]:
    """The same in turns that each hold up the writer for a moment only; at least one."""
    starts = range(0, max(1, len(found.papers)), _AT_ONCE)
    return [msgspec.structs.replace(found, papers=found.papers[start : start + _AT_ONCE]) for start in starts]


def publish(conn: Connection, signing: Signing, found: Plan, now_ms: int) -> tuple[str, ...]:
    """Seals and sends what a look found; the names of those that are told."""
    flat: list[Any] = []
    messages: dict[int, bytes] = {}
    for one in found.papers:
        to = one.to
        inc, generation = _next(to, now_ms)
        message = _message(signing, to, found.kind, inc, generation, one.packed)
        messages[to.device_id] = message
        flat += (to.device_id, found.kind, inc, generation, one.digest, to.key_name, found.looked, message, now_ms)
    insert(conn, _PAPER, flat)
    outbox.put_many(conn, "paper", found.kind, messages, now_ms, not_after_ms=now_ms + _SENT_FOR_MS)
    _note(conn, found.kind, found.looked, found.error)
    return tuple(one.to.device for one in found.papers)


def note_error(conn: Connection, kind: str, error: str) -> None:
    """Why devices are not told, for the pages; it is tried again."""
    touched, _, _ = _state(conn, kind)
    _note(conn, kind, touched - 1, error)


def error(conn: Connection, kind: str) -> str:
    """Why some devices are not told of the latest changes; empty when all is well."""
    return _state(conn, kind)[2]


def _receivers(conn: Connection, kind: str, now_ms: int) -> list[Receiver]:
    return [Receiver(*row) for row in conn.execute(_RECEIVERS, (now_ms - _APART_MS, now_ms, kind, kind))]


def _key(one: Receiver) -> Any:
    """The key to seal to; None for a certificate that was entered without its text, to which nothing can be sealed."""
    try:
        return x509.read_leaf(one.chain.encode()).public_key()
    except x509.BadChain:
        return None


def _message(signing: Signing, to: Receiver, kind: str, inc: str, generation: int, packed: bytes) -> bytes:
    about = signed.paper_place_bytes(to.device, kind, inc, generation)
    return codec.encode(signing.paper(to.device, kind, inc, generation, sealed.seal(_key(to), packed, about)))


def _next(to: Receiver, now_ms: int) -> tuple[str, int]:
    """The name of the next paper: of the same incarnation unless the device knows of more."""
    told = (to.told_incarnation, to.told_generation)
    if not to.incarnation or told > (to.incarnation, to.generation):
        known = max(to.incarnation, to.told_incarnation)
        return incarnation.following(known, now_ms, secrets.token_hex(10)), 1
    return to.incarnation, to.generation + 1


def _too_large(kind: str, devices: Sequence[str]) -> str:
    if not devices:
        return ""
    more = f" and {len(devices) - 1} more" if len(devices) > 1 else ""
    return f"the {kind} of {devices[0]}{more} does not fit into one message; the one before it stays"


def _note(conn: Connection, kind: str, tried: int, error: str) -> None:
    conn.execute(
        "INSERT INTO paper_state (kind, tried, error) VALUES (?, ?, ?) ON CONFLICT (kind) DO UPDATE SET "
        "tried = excluded.tried, error = excluded.error",
        (kind, tried, error),
    )


def _state(conn: Connection, kind: str) -> tuple[int, int, str]:
    row = conn.execute("SELECT touched, tried, error FROM paper_state WHERE kind = ?", (kind,)).fetchone()
    return (0, 0, "") if row is None else (row[0], row[1], row[2])


# ---- what devices say


def take_reports(conn: Connection, told: Sequence[Told]) -> None:
    """The papers that devices go by (`wire.tablet.PaperReport`): what was answered leaves the outbox."""
    for one in {(one.device_id, one.body.kind): one for one in told}.values():
        body = one.body
        conn.execute(
            "INSERT INTO paper_report (device_id, kind, incarnation, generation, result, error, at_ms) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device_id, kind) DO UPDATE SET "
            "incarnation = excluded.incarnation, generation = excluded.generation, result = excluded.result, "
            "error = excluded.error, at_ms = excluded.at_ms",
            (one.device_id, body.kind, body.incarnation, body.generation, body.result, body.error, one.received_ms),
        )
        ordered = _ordered(conn, one.device_id).get(body.kind)
        if body.result == "refused" or (ordered and ordered[:2] <= (body.incarnation, body.generation)):
            outbox.drop(conn, one.device_id, "paper", body.kind)


def take_presences(conn: Connection, told: Sequence[Told]) -> None:
    """Devices that came (`wire.messages.Presence`): one that goes by an older paper is sent its own again."""
    for one in {one.device_id: one for one in told}.values():
        held = {each.kind: (each.incarnation, each.generation) for each in one.body.papers}
        for kind, (inc, generation) in held.items():
            conn.execute(
                "INSERT INTO paper_report (device_id, kind, incarnation, generation, result, error, at_ms) "
                "VALUES (?, ?, ?, ?, 'applied', '', ?) ON CONFLICT (device_id, kind) DO UPDATE SET "
                "incarnation = excluded.incarnation, generation = excluded.generation, result = 'applied', error = '', "
                "at_ms = excluded.at_ms WHERE (excluded.incarnation, excluded.generation) <> (incarnation, generation)",
                (one.device_id, kind, inc, generation, one.received_ms),
            )
        until_ms = one.received_ms + _SENT_FOR_MS
        for kind, ordered in _ordered(conn, one.device_id).items():
            if one.body.online and ordered[:2] > held.get(kind, ("", 0)):
                outbox.put(conn, one.device_id, "paper", kind, ordered[2], one.received_ms, not_after_ms=until_ms)


def _ordered(conn: Connection, device_id: int) -> dict[str, tuple[str, int, bytes]]:
    rows = conn.execute("SELECT kind, incarnation, generation, message FROM paper WHERE device_id = ?", (device_id,))
    return {kind: (inc, generation, bytes(message)) for kind, inc, generation, message in rows}


# ---- for the pages


def standings(conn: Connection, kind: str) -> dict[int, Standing]:
    """How every device that was ordered a paper of this kind is with it, by the device's number."""
    rows = conn.execute(
        "SELECT p.device_id, p.generation, p.made_ms, coalesce((r.incarnation, r.generation) >= "
        "(p.incarnation, p.generation), 0), coalesce(r.at_ms, 0), coalesce(r.error, '') FROM paper p "
        "LEFT JOIN paper_report r ON r.device_id = p.device_id AND r.kind = p.kind WHERE p.kind = ?",
        (kind,),
    )
    return {row[0]: Standing(row[0], row[1], row[2], bool(row[3]), row[4], row[5]) for row in rows}
