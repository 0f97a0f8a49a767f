"""SQL of commands: what was ordered, how far it is, and the files that came back."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from hub.db import Connection
from hub.fleet import outbox
from hub.orders import progress
from hub.orders.progress import PATIENCE_MS, Heard, Progress
from hub.told import Told
from wire.orders import BUNDLE_PARTS, PART_BYTES

# A diagnostics file is for the days in which somebody looks at it.
BUNDLE_DAYS = 30
_DAY_MS = 86_400_000
# Values in one question.
_AT_ONCE = 500

_COLUMNS = (
    "c.id, c.device_id, d.name, d.kind, c.name, c.arguments, c.who, c.made_ms, c.not_after_ms, c.state, "
    "COALESCE(c.sent_ms, o.sent_ms), c.delivered_ms, c.ended_ms, c.detail, c.number"
)
_FROM = (
    "FROM device_order c JOIN device d ON d.id = c.device_id LEFT JOIN outbox o ON o.device_id = c.device_id "
    "AND o.what = 'order' AND o.ref = c.id"
)


class OrderRow(msgspec.Struct, frozen=True):
    """One order; `progress` as it is to be shown now."""

    id: str
    device_id: int
    device: str
    kind: str
    name: str
    arguments: dict[str, Any]
    who: str
    made_ms: int
    not_after_ms: int
    progress: Progress
    number: int


class Parts(msgspec.Struct, frozen=True):
    """How much of a file has come."""

    have: int
    of: int
    size_bytes: int

    @property
    def whole(self) -> bool:
        """Whether it can be fetched."""
        return self.have == self.of


def insert(
    conn: Connection, order_id: str, device_id: int, order: tuple[str, str], who: str, now_ms: int, not_after_ms: int
) -> None:
    """A new order: `order` is its name and its arguments as JSON."""
    conn.execute(
        "INSERT INTO device_order (id, device_id, name, arguments, who, made_ms, not_after_ms, state) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 'made')",
        (order_id, device_id, *order, who, now_ms, not_after_ms),
    )


# ---- what devices tell


def take_results(conn: Connection, told: Sequence[Told]) -> None:
    """What became of orders (`wire.messages.Result`); of another device's, or of none of ours, nothing is taken."""
    known = _known(conn, told)
    changed: dict[str, Progress] = {}
    for one in told:
        order_id = one.body.order
        row = known.get(order_id)
        if row is not None and row.device_id == one.device_id:
            heard = Heard(one.body.state, one.received_ms, one.body.detail)
            changed[order_id] = progress.after(changed.get(order_id, row.progress), heard)
    _keep(conn, [(known[order_id], new) for order_id, new in changed.items()])


def take_bundles(conn: Connection, told: Sequence[Told]) -> None:
    """Parts of files that orders asked for (`wire.messages.Bundle`); what does not fit is not taken."""
    known = _known(conn, told)
    for one in told:
        row, body = known.get(one.body.order), one.body
        if row is None or row.device_id != one.device_id or row.name != "diagnostics":
            continue
        data = _part(body.data)
        if data is None or not body.part < body.parts <= BUNDLE_PARTS:
            continue
        conn.execute(
            "INSERT INTO order_part (order_id, part, parts, data) SELECT ?, ?, ?, ? WHERE NOT EXISTS "
            "(SELECT 1 FROM order_part WHERE order_id = ? AND parts <> ?) ON CONFLICT DO NOTHING",
            (row.id, body.part, body.parts, data, row.id, body.parts),
        )


def _part(text: str) -> bytes | None:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) <= PART_BYTES else None


def _known(conn: Connection, told: Sequence[Told]) -> dict[str, OrderRow]:
    ids = list({one.body.order for one in told})
    found: dict[str, OrderRow] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        marks = ",".join("?" * len(some))
        found.update((row.id, row) for row in _rows(conn, f"WHERE c.id IN ({marks})", some, None))
    return found


def _keep(conn: Connection, changed: Sequence[tuple[OrderRow, Progress]]) -> None:
    """Writes how far orders are; those that ended need not be sent any more."""
    conn.executemany(
        "UPDATE device_order SET state = ?, sent_ms = ?, delivered_ms = ?, ended_ms = ?, detail = ? WHERE id = ?",
        [
            (new.state, new.sent_ms, new.delivered_ms, new.ended_ms, new.detail, row.id)
            for row, new in changed
            if new != row.progress
        ],
    )
    for row, new in changed:
        if new.ended:
            outbox.drop(conn, row.device_id, "order", row.id)


# ---- what the clock tells


def is_overdue(conn: Connection, now_ms: int) -> bool:
    """Whether `expire` would find anything: an order that is over, or a file that is old."""
    ages = (now_ms, now_ms - PATIENCE_MS, now_ms - BUNDLE_DAYS * _DAY_MS)
    found = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM device_order WHERE ended_ms IS NULL AND not_after_ms < ? AND "
        "(state <> 'delivered' OR not_after_ms < ?)) OR EXISTS (SELECT 1 FROM order_part p JOIN device_order c "
        "ON c.id = p.order_id WHERE c.made_ms < ?)",
        ages,
    ).fetchone()
    return bool(found[0])


def expire(conn: Connection, now_ms: int) -> list[str]:
    """Ends what nobody answered in time, and forgets old files; the devices that it is about."""
    open_rows = _rows(conn, "WHERE c.ended_ms IS NULL AND c.not_after_ms < ?", (now_ms,), None)
    over = [(row, progress.at(row.progress, row.not_after_ms, now_ms)) for row in open_rows]
    ended = [(row, new) for row, new in over if new.ended]
    _keep(conn, ended)
    conn.execute(
        "DELETE FROM order_part WHERE order_id IN (SELECT id FROM device_order WHERE name = 'diagnostics' "
        "AND made_ms < ?)",
        (now_ms - BUNDLE_DAYS * _DAY_MS,),
    )
    return sorted({row.device for row, _ in ended})


def replace_open(conn: Connection, device_id: int, now_ms: int, detail: str) -> int:
    """Ends every open order of a device, because something else takes their place; how many those were."""
    found = _rows(conn, "WHERE c.device_id = ? AND c.ended_ms IS NULL", (device_id,), None)
    _keep(conn, [(row, progress.after(row.progress, Heard("expired", now_ms, detail))) for row in found])
    return len(found)


def withdraw(conn: Connection, order_id: str, now_ms: int) -> bool:
    """Takes back an order that no device has said that it has; False when it is too late for that."""
    row = order(conn, order_id, now_ms)
    if row is None or row.progress.state not in ("made", "sent"):
        return False
    _keep(conn, [(row, progress.after(row.progress, Heard("expired", now_ms, "withdrawn")))])
    return True


# ---- what pages show


def order(conn: Connection, order_id: str, now_ms: int) -> OrderRow | None:
    """One order, or None."""
    found = _rows(conn, "WHERE c.id = ?", (order_id,), now_ms)
    return found[0] if found else None


def latest(
    conn: Connection, now_ms: int, limit: int, *, device_id: int | None = None, before: int | None = None
) -> list[OrderRow]:
    """Orders, newest first; of one device, or of all; those before number `before` for the next page."""
    # Each question has an index of its own.
    whose: str
    values: tuple[int, ...]
    whose, values = ("1 = 1", ()) if device_id is None else ("c.device_id = ?", (device_id,))
    return _rows(
        conn,
        f"WHERE {whose} AND (? IS NULL OR c.number < ?) ORDER BY c.number DESC LIMIT ?",
        (*values, before, before, limit),
        now_ms,
    )


def parts(conn: Connection, order_ids: Iterable[str]) -> dict[str, Parts]:
    """How much has come of the files of these orders."""
    ids = list(order_ids)[:_AT_ONCE]
    rows = conn.execute(
        f"SELECT order_id, COUNT(*), MAX(parts), SUM(LENGTH(data)) FROM order_part "  # noqa: S608 (question marks)
        f"WHERE order_id IN ({','.join('?' * len(ids))}) GROUP BY order_id",
        ids,
    )
    return {order_id: Parts(*rest) for order_id, *rest in rows}


def bundle(conn: Connection, order_id: str) -> bytes | None:
    """The whole file of an order, or None while it is not whole."""
    told = parts(conn, [order_id]).get(order_id)
    if told is None or not told.whole:
        return None
    rows = conn.execute("SELECT data FROM order_part WHERE order_id = ? ORDER BY part", (order_id,))
    return b"".join(data for (data,) in rows)


def _rows(conn: Connection, where: str, values: Sequence[object], now_ms: int | None) -> list[OrderRow]:
    rows = conn.execute(f"SELECT {_COLUMNS} {_FROM} {where}", values)
    return [_row(row, now_ms) for row in rows]


def _row(row: Sequence[Any], now_ms: int | None) -> OrderRow:
    state, sent_ms, delivered_ms, ended_ms, detail, number = row[9:]
    far = Progress(state, None, delivered_ms, ended_ms, detail)
    if sent_ms is not None:
        far = progress.after(far, Heard("sent", sent_ms))
    if now_ms is not None:
        far = progress.at(far, row[8], now_ms)
    order_id, device_id, device, kind, name, arguments, who, made_ms, not_after_ms = row[:9]
    plain = msgspec.json.decode(arguments)
    return OrderRow(order_id, device_id, device, kind, name, plain, who, made_ms, not_after_ms, far, number)
