"""SQL of what access points know to receive guests: what was sealed for whom, and what they said of it.

1. Whoever changes what a kit holds marks it (`touch`) in that transaction; `kit_task.py` publishes it a moment later.
   What changes without a mark (places, contacts, keys of days, the time) is found once a minute.
2. A kit is made and packed by a reader (`plan`), and sealed to the key of the access point's newest certificate,
   signed, stored and put into the outbox in one transaction (`publish`).  None of its keys are anywhere to be read.
3. Who has the same already is left alone; an access point with another certificate gets it sealed anew.  No other
   kind of device gets one, and none that is on hold.
4. It leaves the outbox when the access point has answered, or after ten minutes; one that comes with an older kit is
   sent it again.
5. An access point that knows more than this hub remembers gets a new incarnation.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hub.db import Connection, Into, insert
from hub.fleet import incarnation, outbox
from hub.policy import store as policy
from hub.signing import Signing
from hub.told import Told
from hub.wifi import kit, terms_store
from hub.wifi.kit import Files, Place, VoucherRow
from wire import codec, orders, sealed, signed, x509
from wire.kit import PLAIN_BYTES, Terms, Voucher, pack
from wire.messages import BATCH_BYTES, Order

# For so long an access point that says nothing is sent the same again; one that comes later, when it comes.
_SENT_FOR_MS = 600_000
# An access point that is ahead is given a new incarnation at most so often.
_APART_MS = 600_000

_KIT = Into(
    "kit (device_id, incarnation, generation, digest, key_name, touched, message, made_ms, terms, standing, "
    "standing_ms, standing_report)",
    12,
    "ON CONFLICT (device_id) DO UPDATE SET incarnation = excluded.incarnation, generation = excluded.generation, "
    "digest = excluded.digest, key_name = excluded.key_name, touched = excluded.touched, message = excluded.message, "
    "made_ms = excluded.made_ms, terms = excluded.terms, standing = excluded.standing, "
    "standing_ms = excluded.standing_ms, standing_report = excluded.standing_report",
)
# Access points with a good certificate that are not on hold: who, to which key, what they have, whether they are ahead.
_RECEIVERS = (
    "SELECT d.id, d.name, c.key_name, c.chain, coalesce(k.incarnation, ''), coalesce(k.generation, 0), "
    "coalesce(k.digest, ''), coalesce(k.key_name, ''), coalesce(k.touched, -1), coalesce(k.standing, ''), "
    "coalesce(k.standing_ms, 0), coalesce(k.standing_report, 0), coalesce((r.incarnation, r.generation) > "
    "(k.incarnation, k.generation) AND (k.generation > 1 OR k.made_ms < ?), 0) "
    "FROM device d JOIN certificate c ON c.serial = (SELECT serial FROM certificate n WHERE n.device_id = d.id "
    "AND n.revoked_ms IS NULL AND n.end_ms > ? ORDER BY n.issued_ms DESC, n.serial LIMIT 1) "
    "LEFT JOIN kit k ON k.device_id = d.id LEFT JOIN kit_report r ON r.device_id = d.id "
    "LEFT JOIN hold h ON h.device_id = d.id WHERE d.kind = 'access_point' AND h.device_id IS NULL ORDER BY d.name"
)


class Receiver(msgspec.Struct, frozen=True):
    """An access point that a kit can be sealed for, and the last one that was."""

    device_id: int
    device: str
    key_name: str
    chain: str
    incarnation: str
    generation: int
    digest: str
    sealed_to: str
    touched: int
    standing: str
    standing_ms: int
    standing_report: int
    # 1 or 0, as the database has it: whether it knows more than this hub.
    ahead: int

    def is_due(self, touched: int) -> bool:
        """Whether it is to be told, or at least to be looked at."""
        return self.touched != touched or self.sealed_to != self.key_name or bool(self.ahead)


class Made(msgspec.Struct, frozen=True):
    """A kit that is to go: for whom, its content packed, and the standing order in it."""

    to: Receiver
    packed: bytes
    digest: str
    standing: str
    standing_ms: int
    standing_report: int


class Plan(msgspec.Struct, frozen=True):
    """What a look found: kits to send, who has the same already, or why nothing can go."""

    touched: int
    terms: str
    kits: tuple[Made, ...] = ()
    same: tuple[int, ...] = ()
    error: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.kits or self.same or self.error)


class Standing(msgspec.Struct, frozen=True):
    """How an access point is with its kit: what it was told, and what it said of it (`at_ms` by our clock)."""

    device: str
    generation: int
    made_ms: int
    terms: str
    applied: bool
    heard_ms: int
    error: str


def touch(conn: Connection) -> None:
    """What a kit holds has changed: access points are to be told, as soon as this transaction is committed."""
    conn.execute(
        "INSERT INTO kit_state (id, touched) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET touched = touched + 1"
    )


# ---- what is to go


def is_due(conn: Connection, now_ms: int) -> bool:
    """Whether somebody is to be told something; not while the same change has failed before."""
    touched, tried, error = _state(conn)
    return not (error and tried == touched) and any(one.is_due(touched) for one in _receivers(conn, now_ms))


def has_receivers(conn: Connection, now_ms: int) -> bool:
    """Whether there is an access point that a kit can be sealed for."""
    return bool(_receivers(conn, now_ms))


def plan(conn: Connection, signing: Signing, files: Files, now_ms: int) -> Plan:
    """What every access point is to know now, against what it was told last."""
    touched, _, _ = _state(conn)
    terms = terms_store.current(conn)
    usable = kit.vouchers(voucher_rows(conn), files.voucher_check, now_ms)
    where, last_use = places(conn), _last_uses(conn)
    kits: list[Made] = []
    same: list[int] = []
    for one in _receivers(conn, now_ms):
        order, made_ms, report = _standing(conn, signing, one, last_use.get(one.device_id, 0), now_ms)
        content = kit.content(files, terms, usable, where.get(one.device_id, Place()), order)
        plain = msgspec.json.encode(content)
        digest = hashlib.sha256(plain).hexdigest()
        if (digest, one.key_name) == (one.digest, one.sealed_to) and not one.ahead:
            same += [one.device_id] if one.touched != touched else []
            continue
        packed = pack(content)
        if kit.over_bytes(len(packed)) or len(plain) > PLAIN_BYTES:
            return Plan(touched, terms.version, error=_too_large(usable, len(packed)))
        standing = msgspec.json.encode(order).decode()
        kits.append(Made(one, packed, digest, standing, made_ms, report))
    return Plan(touched, terms.version, tuple(kits), tuple(same))


def publish(conn: Connection, signing: Signing, found: Plan, now_ms: int) -> tuple[str, ...]:
    """Seals and sends what a look found; the names of those that are told. What does not fit leaves every access point
    with what it has."""
    if found.error:
        _note(conn, found.touched, found.error)
        return ()
    told = {row[0]: row[1:] for row in conn.execute("SELECT device_id, incarnation, generation FROM kit_report")}
    flat: list[Any] = []
    messages: dict[int, bytes] = {}
    for one in found.kits:
        to = one.to
        inc, generation = _next(to, told.get(to.device_id, ("", 0)), now_ms)
        message = _message(signing, to, inc, generation, one.packed)
        messages[to.device_id] = message
        flat += (to.device_id, inc, generation, one.digest, to.key_name, found.touched, message, now_ms, found.terms)
        flat += (one.standing, one.standing_ms, one.standing_report)
    if any(len(message) > BATCH_BYTES for message in messages.values()):
        _note(conn, found.touched, "the kit is larger than a message to an access point; the one before it stays")
        return ()
    insert(conn, _KIT, flat)
    for device_id, message in messages.items():
        outbox.put(conn, device_id, "kit", "", message, now_ms, not_after_ms=now_ms + _SENT_FOR_MS)
    conn.executemany("UPDATE kit SET touched = ? WHERE device_id = ?", [(found.touched, id_) for id_ in found.same])
    _note(conn, found.touched, "")
    return tuple(one.to.device for one in found.kits)


def note_error(conn: Connection, error: str) -> None:
    """Why access points are not told, for the pages; it is tried again."""
    touched, _, _ = _state(conn)
    _note(conn, touched - 1, error)


def error(conn: Connection) -> str:
    """Why no access point is told of the latest changes; empty when all is well."""
    return _state(conn)[2]


def overfull(
    conn: Connection,
    files: Files,
    now_ms: int,
    *,
    more: Sequence[Voucher] = (),
    without: int | None = None,
    terms: Terms | None = None,
) -> int | None:
    """Whether kits would be too large with more vouchers (`without` those of a batch), or with other terms: then how
    many more vouchers fit."""
    rows = [row for row in voucher_rows(conn) if row.batch_id != without]
    usable = kit.vouchers(rows, files.voucher_check, now_ms)
    where = max(places(conn).values(), key=lambda one: len(one.place + one.contact), default=Place("所" * 40, "0" * 30))
    order = Order("0" * 32, "disaster", kit.ARGUMENTS, 0, secrets.token_hex(16), secrets.token_urlsafe(64))
    one = kit.content(files, terms or terms_store.current(conn), usable, where, order)
    return None if kit.fits(one, more) else kit.room(one)


def _receivers(conn: Connection, now_ms: int) -> list[Receiver]:
    rows = conn.execute(_RECEIVERS, (now_ms - _APART_MS, now_ms))
    found = [Receiver(*row) for row in rows]
    return [one for one in found if _key(one) is not None]


def _key(one: Receiver) -> Any:
    """The key to seal to; None for a certificate that was entered without its text, to which nothing can be sealed."""
    try:
        return x509.read_leaf(one.chain.encode()).public_key()
    except x509.BadChain:
        return None


def _standing(conn: Connection, signing: Signing, one: Receiver, last_use: int, now_ms: int) -> tuple[Order, int, int]:
    """The order in the kit, when it was signed, and the last use of one that was known then."""
    if one.standing and not kit.is_standing_over(one.standing_ms, one.standing_report, last_use, now_ms):
        return msgspec.json.decode(one.standing, type=Order), one.standing_ms, one.standing_report
    not_after_ms = now_ms + orders.STANDING_MS
    order = signing.order(one.device, secrets.token_hex(16), "disaster", dict(kit.ARGUMENTS), not_after_ms)
    return order, now_ms, last_use


def _last_uses(conn: Connection) -> dict[int, int]:
    """The number of each access point's last report that a standing order began."""
    return dict(
        conn.execute(
            "SELECT device_id, max(id) FROM disaster_report WHERE (run = ? OR run LIKE ? || '-%') "
            "AND state = 'begun' AND told_by <> 'restart' GROUP BY device_id",
            (kit.RUN, kit.RUN),
        )
    )


def places(conn: Connection) -> Mapping[int, Place]:
    """What guests are told of each access point: its place in the inventory, the contact in its ordered settings."""
    rows = conn.execute(
        "SELECT d.id, coalesce(i.place, '') FROM device d LEFT JOIN item i ON i.device_id = d.id "
        "WHERE d.kind = 'access_point'"
    ).fetchall()
    ordered = policy.ordered(conn, [id_ for id_, _ in rows]) if rows else {}
    contacts = {id_: str(one.document.get("contact", "")) for id_, one in ordered.items()}
    return {id_: Place(place, contacts.get(id_, "")) for id_, place in rows}


def voucher_rows(conn: Connection) -> list[VoucherRow]:
    """Every voucher of batches that are neither withdrawn nor over long since."""
    rows = conn.execute(
        "SELECT v.batch_id, v.number, v.code_hash, b.minutes, b.devices, b.until_ms, b.key_check FROM voucher v "
        "JOIN voucher_batch b ON b.id = v.batch_id WHERE b.withdrawn_ms IS NULL ORDER BY v.batch_id, v.number"
    )
    return [VoucherRow(*row) for row in rows]


def _message(signing: Signing, to: Receiver, inc: str, generation: int, packed: bytes) -> bytes:
    about = signed.kit_place_bytes(to.device, inc, generation)
    return codec.encode(signing.kit(to.device, inc, generation, sealed.seal(_key(to), packed, about)))


def _next(to: Receiver, told: tuple[str, int], now_ms: int) -> tuple[str, int]:
    """The name of the next kit: of the same incarnation unless the access point knows of more."""
    if not to.incarnation or told > (to.incarnation, to.generation):
        known = max(to.incarnation, told[0])
        return incarnation.following(known, now_ms, secrets.token_hex(10)), 1
    return to.incarnation, to.generation + 1


def _too_large(usable: Sequence[Voucher], packed: int) -> str:
    return (
        f"the terms and {len(usable)} vouchers do not fit into one message to an access point (by "
        f"{kit.over_bytes(packed)} bytes); the kit before this one stays"
    )


def _note(conn: Connection, tried: int, error: str) -> None:
    conn.execute(
        "INSERT INTO kit_state (id, tried, error) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "tried = excluded.tried, error = excluded.error",
        (tried, error),
    )


def _state(conn: Connection) -> tuple[int, int, str]:
    row = conn.execute("SELECT touched, tried, error FROM kit_state").fetchone()
    return (0, 0, "") if row is None else (row[0], row[1], row[2])


# ---- what access points say


def take_reports(conn: Connection, told: Sequence[Told]) -> None:
    """The kit that access points go by (`wire.messages.KitReport`): what was answered leaves the outbox."""
    for one in {one.device_id: one for one in told}.values():
        body = one.body
        conn.execute(
            "INSERT INTO kit_report (device_id, incarnation, generation, result, error, at_ms) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device_id) DO UPDATE SET incarnation = excluded.incarnation, "
            "generation = excluded.generation, result = excluded.result, error = excluded.error, "
            "at_ms = excluded.at_ms",
            (one.device_id, body.incarnation, body.generation, body.result, body.error, one.received_ms),
        )
        ordered = _ordered(conn, one.device_id)
        if body.result == "refused" or (ordered and ordered[:2] <= (body.incarnation, body.generation)):
            outbox.drop(conn, one.device_id, "kit")


def take_presences(conn: Connection, told: Sequence[Told]) -> None:
    """Access points that came (`wire.messages.Presence`): one that goes by an older kit is sent its own again."""
    for one in {one.device_id: one for one in told}.values():
        ordered = _ordered(conn, one.device_id)
        if one.body.roster:
            conn.execute(
                "INSERT INTO kit_report (device_id, incarnation, generation, result, error, at_ms) "
                "VALUES (?, ?, ?, 'applied', '', ?) ON CONFLICT (device_id) DO UPDATE SET "
                "incarnation = excluded.incarnation, generation = excluded.generation, result = 'applied', error = '', "
                "at_ms = excluded.at_ms WHERE (excluded.incarnation, excluded.generation) <> (incarnation, generation)",
                (one.device_id, one.body.roster, one.body.roster_generation, one.received_ms),
            )
        if ordered and ordered[:2] > (one.body.roster, one.body.roster_generation):
            until_ms = one.received_ms + _SENT_FOR_MS
            outbox.put(conn, one.device_id, "kit", "", ordered[2], one.received_ms, not_after_ms=until_ms)


def _ordered(conn: Connection, device_id: int) -> tuple[str, int, bytes] | None:
    row = conn.execute("SELECT incarnation, generation, message FROM kit WHERE device_id = ?", (device_id,)).fetchone()
    return (row[0], row[1], bytes(row[2])) if row else None


# ---- for the pages


def standings(conn: Connection) -> list[Standing]:
    """How every access point that is not on hold is with its kit, by name; `generation` 0: it has none yet."""
    rows = conn.execute(
        "SELECT d.name, coalesce(k.generation, 0), coalesce(k.made_ms, 0), coalesce(k.terms, ''), "
        "coalesce((r.incarnation, r.generation) >= (k.incarnation, k.generation), 0), coalesce(r.at_ms, 0), "
        "coalesce(r.error, '') FROM device d LEFT JOIN kit k ON k.device_id = d.id "
        "LEFT JOIN kit_report r ON r.device_id = d.id LEFT JOIN hold h ON h.device_id = d.id "
        "WHERE d.kind = 'access_point' AND h.device_id IS NULL ORDER BY d.name"
    )
    return [Standing(row[0], row[1], row[2], row[3], bool(row[4]), row[5], row[6]) for row in rows]


def networks(conn: Connection) -> list[tuple[str, bool]]:
    """The names of guests' networks in access points' ordered settings, each with whether vouchers are taken there."""
    rows = [id_ for (id_,) in conn.execute("SELECT id FROM device WHERE kind = 'access_point'")]
    tables = [one.document.get("access_point", {}) for one in policy.ordered(conn, rows).values()] if rows else []
    found: dict[str, bool] = {}
    for table in tables:
        if name := table.get("network_name"):
            found[name] = found.get(name, False) or bool(table.get("vouchers"))
    return sorted(found.items())
