"""SQL of what terminals know of cards: what was sealed for whom, and what they said of it.

1. Whoever changes a card or a name marks it (`touch`) in that transaction; `roster_task.py` publishes it a moment
   later.
2. A roster is sealed to the key of the terminal's newest certificate, signed, stored and put into the outbox in one
   transaction.  Neither names nor keys are anywhere in it to be read.
3. Who has the same already is left alone; a terminal with another certificate gets it sealed anew.
4. It leaves the outbox when the terminal has answered, or after ten minutes; a terminal that comes with an older one
   is sent it again.
5. A terminal that knows more than this hub remembers gets a new incarnation.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec

from hub.db import Connection, Into, insert
from hub.fleet import incarnation, outbox
from hub.signing import Signing
from hub.staff import roster, store
from hub.staff.roster import CardRow, Kind
from hub.staff.roster_keys import Keys
from hub.told import Told
from wire import codec, sealed, signed, x509
from wire.messages import BATCH_BYTES
from wire.roster import PLAIN_BYTES, RosterContent, pack

# For so long a terminal that says nothing is sent the same again; one that comes later, when it comes.
_SENT_FOR_MS = 600_000
# A terminal that is ahead is given a new incarnation at most so often.
_APART_MS = 600_000

_ROSTER = Into(
    "roster (device_id, incarnation, generation, digest, key_name, touched, message, made_ms)",
    8,
    "ON CONFLICT (device_id) DO UPDATE SET incarnation = excluded.incarnation, generation = excluded.generation, "
    "digest = excluded.digest, key_name = excluded.key_name, touched = excluded.touched, message = excluded.message, "
    "made_ms = excluded.made_ms",
)


class Standing(msgspec.Struct, frozen=True):
    """How a terminal is with its roster: what it was ordered, and what it said (`at_ms` by our clock)."""

    generation: int
    made_ms: int
    applied: bool
    at_ms: int
    error: str
    cards: int


class Due(msgspec.Struct, frozen=True):
    """A terminal that is to be told: to which key, and whether it knows more than this hub."""

    device_id: int
    device: str
    key_name: str
    chain: str
    ahead: bool


class Published(msgspec.Struct, frozen=True):
    """How many terminals were told, or why none was."""

    devices: tuple[str, ...] = ()
    error: str = ""


def touch(conn: Connection, now_ms: int) -> None:
    """Cards or names have changed: the terminals are to be told, as soon as this transaction is committed."""
    conn.execute(
        "INSERT INTO roster_state (id, touched) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET touched = touched + 1"
    )


# ---- what is to go


def due(conn: Connection, now_ms: int) -> list[Due]:
    """Terminals with a good certificate that are to be told something. None while the same change has failed before."""
    touched, tried, error, _ = _state(conn)
    if error and tried == touched:
        return []
    rows = conn.execute(
        "SELECT d.id, d.name, c.key_name, c.chain, "
        "coalesce((t.incarnation, t.generation) > (r.incarnation, r.generation) "
        "AND (r.generation > 1 OR r.made_ms < ?), 0) AS ahead "
        "FROM device d JOIN certificate c ON c.serial = (SELECT serial FROM certificate n WHERE n.device_id = d.id "
        "AND n.revoked_ms IS NULL AND n.end_ms > ? ORDER BY n.issued_ms DESC, n.serial LIMIT 1) "
        "LEFT JOIN roster r ON r.device_id = d.id LEFT JOIN roster_told t ON t.device_id = d.id "
        "LEFT JOIN hold h ON h.device_id = d.id WHERE d.kind = 'terminal' AND h.device_id IS NULL "
        "AND (r.device_id IS NULL OR r.key_name <> c.key_name OR r.touched <> ? OR ahead) ORDER BY d.name",
        (now_ms - _APART_MS, now_ms, touched),
    )
    found = [Due(id_, name, key_name, chain, bool(ahead)) for id_, name, key_name, chain, ahead in rows]
    return [one for one in found if _key(one) is not None]


def publish(conn: Connection, signing: Signing, keys: Keys, now_ms: int) -> Published:
    """Seals and sends what is due. One that does not fit leaves every terminal with what it has."""
    found = due(conn, now_ms)
    touched, _, _, key_check = _state(conn)
    if key_check not in ("", keys.check):
        why = "cards.key is not the key that cards were registered with; put it back from a copy of the hub's folder"
        return _failed(conn, why, tried=touched - 1)
    content = _content(conn, keys)
    plain = pack(content)
    digest = hashlib.sha256(plain).hexdigest()
    last_ones = conn.execute("SELECT device_id, incarnation, generation, digest, key_name FROM roster")
    known = {row[0]: row[1:] for row in last_ones}
    told = {row[0]: row[1:] for row in conn.execute("SELECT device_id, incarnation, generation FROM roster_told")}
    flat: list[Any] = []
    messages: dict[int, bytes] = {}
    for one in found:
        last = known.get(one.device_id)
        if last is not None and last[2:] == (digest, one.key_name) and not one.ahead:
            conn.execute("UPDATE roster SET touched = ? WHERE device_id = ?", (touched, one.device_id))
            continue
        inc, generation = _next(last, told.get(one.device_id, ("", 0)), now_ms)
        message = _message(signing, one, inc, generation, plain)
        if len(message) > BATCH_BYTES or len(msgspec.json.encode(content)) > PLAIN_BYTES:
            return _failed(conn, _too_many(content), tried=touched)
        messages[one.device_id] = message
        flat += (one.device_id, inc, generation, digest, one.key_name, touched, message, now_ms)
    insert(conn, _ROSTER, flat)
    for device_id, message in messages.items():
        outbox.put(conn, device_id, "roster", "", message, now_ms, not_after_ms=now_ms + _SENT_FOR_MS)
    _note(conn, touched, "", keys.check)
    return Published(tuple(one.device for one in found if one.device_id in messages))


def note_error(conn: Connection, error: str) -> None:
    """Why the terminals are not told, for the pages; it is tried again."""
    touched, _, _, key_check = _state(conn)
    _note(conn, touched - 1, error, key_check)


def accept_key(conn: Connection, keys: Keys, now_ms: int) -> None:
    """The card key that is there now is the town's from here on: the one before is lost for good."""
    touch(conn, now_ms)
    conn.execute("UPDATE roster_state SET key_check = ?, error = ''", (keys.check,))


def _failed(conn: Connection, error: str, *, tried: int) -> Published:
    _, _, _, key_check = _state(conn)
    _note(conn, tried, error, key_check)
    return Published(error=error)


def _note(conn: Connection, tried: int, error: str, key_check: str) -> None:
    conn.execute(
        "INSERT INTO roster_state (id, tried, error, key_check) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "tried = excluded.tried, error = excluded.error, key_check = excluded.key_check",
        (tried, error, key_check),
    )


def _state(conn: Connection) -> tuple[int, int, str, str]:
    row = conn.execute("SELECT touched, tried, error, key_check FROM roster_state").fetchone()
    return (0, 0, "", "") if row is None else (row[0], row[1], row[2], row[3])


def _too_many(content: RosterContent) -> str:
    return f"{len(content.cards)} cards do not fit into one message to a terminal; the roster before this one stays"


def _message(signing: Signing, one: Due, inc: str, generation: int, plain: bytes) -> bytes:
    about = signed.roster_place_bytes(one.device, inc, generation)
    return codec.encode(signing.roster(one.device, inc, generation, sealed.seal(_key(one), plain, about)))


def _key(one: Due) -> Any:
    """The key to seal to; None for a certificate that was entered without its text, to which nothing can be sealed."""
    try:
        return x509.read_leaf(one.chain.encode()).public_key()
    except x509.BadChain:
        return None


def _next(last: tuple[Any, ...] | None, told: tuple[str, int], now_ms: int) -> tuple[str, int]:
    """The name of the next roster: of the same incarnation unless the terminal knows of more."""
    if last is None or told > (last[0], last[1]):
        known = max(last[0] if last else "", told[0])
        return incarnation.following(known, now_ms, secrets.token_hex(10)), 1
    return last[0], last[1] + 1


def _content(conn: Connection, keys: Keys) -> RosterContent:
    rows = conn.execute(
        "SELECT c.token, c.state, c.kind, s.name, c.until_ms IS NULL, c.from_ms FROM card c "
        "JOIN staff s ON s.id = c.staff_id ORDER BY c.id"
    ).fetchall()
    shown = store.names_kept(conn)
    cards = [
        CardRow(token, state, kind, name if shown else "", bool(held), from_ms)
        for token, state, kind, name, held, from_ms in rows
    ]
    return roster.content(keys.cards, cards, kinds(conn), keys.felica)


# ---- kinds of cards


def kinds(conn: Connection) -> list[Kind]:
    """The kinds of cards that the town has named."""
    return [
        Kind(name, technology, bool(mac))
        for name, technology, mac in conn.execute("SELECT name, technology, mac FROM card_kind ORDER BY name")
    ]


def set_kind(conn: Connection, kind: Kind, now_ms: int) -> None:
    """Names a kind, or changes whether its cards must prove themselves."""
    conn.execute(
        "INSERT INTO card_kind (name, technology, mac) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
        "technology = excluded.technology, mac = excluded.mac",
        (kind.name, kind.technology, int(kind.mac)),
    )
    touch(conn, now_ms)


# ---- what terminals say


def take_reports(conn: Connection, told: Sequence[Told]) -> None:
    """The roster that terminals go by (`wire.messages.RosterReport`): what was answered leaves the outbox."""
    for one in {one.device_id: one for one in told}.values():
        body = one.body
        conn.execute(
            "INSERT INTO roster_told (device_id, incarnation, generation, error, cards, at_ms) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device_id) DO UPDATE SET incarnation = excluded.incarnation, "
            "generation = excluded.generation, error = excluded.error, cards = excluded.cards, at_ms = excluded.at_ms",
            (one.device_id, body.incarnation, body.generation, body.error, body.cards, one.received_ms),
        )
        ordered = _ordered(conn, one.device_id)
        if body.result == "refused" or (ordered and ordered[:2] <= (body.incarnation, body.generation)):
            outbox.drop(conn, one.device_id, "roster")


def take_presences(conn: Connection, told: Sequence[Told]) -> None:
    """Devices that came (`wire.messages.Presence`): one that goes by an older roster is sent its own again."""
    for one in {one.device_id: one for one in told}.values():
        ordered = _ordered(conn, one.device_id)
        if one.body.roster:
            conn.execute(
                "INSERT INTO roster_told (device_id, incarnation, generation, at_ms) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (device_id) DO UPDATE SET incarnation = excluded.incarnation, "
                "generation = excluded.generation, error = '', at_ms = excluded.at_ms "
                "WHERE (excluded.incarnation, excluded.generation) <> (incarnation, generation)",
                (one.device_id, one.body.roster, one.body.roster_generation, one.received_ms),
            )
        if ordered and ordered[:2] > (one.body.roster, one.body.roster_generation):
            until_ms = one.received_ms + _SENT_FOR_MS
            outbox.put(conn, one.device_id, "roster", "", ordered[2], one.received_ms, not_after_ms=until_ms)


def _ordered(conn: Connection, device_id: int) -> tuple[str, int, bytes] | None:
    row = conn.execute(
        "SELECT incarnation, generation, message FROM roster WHERE device_id = ?", (device_id,)
    ).fetchone()
    return (row[0], row[1], bytes(row[2])) if row else None


# ---- for the pages


def standing(conn: Connection, device_id: int) -> Standing | None:
    """How a terminal is with its roster; None when it was never ordered one."""
    row = conn.execute(
        "SELECT r.generation, r.made_ms, coalesce((t.incarnation, t.generation) >= (r.incarnation, r.generation), 0), "
        "coalesce(t.at_ms, 0), coalesce(t.error, ''), coalesce(t.cards, 0) FROM roster r "
        "LEFT JOIN roster_told t ON t.device_id = r.device_id WHERE r.device_id = ?",
        (device_id,),
    ).fetchone()
    return Standing(row[0], row[1], bool(row[2]), *row[3:]) if row else None


def error(conn: Connection) -> str:
    """Why no terminal is told of the latest changes; empty when all is well."""
    return _state(conn)[2]
