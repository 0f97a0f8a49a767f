"""SQL of uses: what devices say they took, what people take back, and what is wrong.

1. A use counts once by (device, use); one under an allowance that is not known is kept all the same, and people are
   told.
2. What a device may take binds the hub until it has said, in the lane of its uses, that it goes by less.
"""

from collections.abc import Sequence

import msgspec

from hub.benefit.account_store import follow
from hub.benefit.benefit import UseName
from hub.db import Connection
from hub.told import Told
from wire import purse


class UseRow(msgspec.Struct, frozen=True):
    """A use as it came; `back` says who took it back ("device" for its own), `trouble` what is wrong with it."""

    device_id: int
    device: str
    use: str
    benefit: str
    resident_id: int
    resident: str
    units: int
    at_ms: int
    arrived_ms: int
    trouble: str
    seen_ms: int | None
    back: str
    back_reason: str
    ledger_seq: int | None

    @property
    def name(self) -> UseName:
        """What it is known by."""
        return self.device_id, self.use


# ---- uses

# A use without those that only take another back.
_USES = (
    "SELECT u.device_id, coalesce(d.name, ''), u.use, u.benefit, u.resident_id, coalesce(r.number, ''), u.units, "
    "u.at_ms, u.arrived_ms, u.trouble, u.seen_ms, "
    "CASE WHEN own.use IS NOT NULL THEN 'device' ELSE coalesce(b.entered_by, '') END, coalesce(b.reason, ''), "
    "u.ledger_seq FROM benefit_use u LEFT JOIN device d ON d.id = u.device_id "
    "LEFT JOIN resident r ON r.id = u.resident_id "
    "LEFT JOIN benefit_use own ON own.device_id = u.device_id AND own.takes_back = u.use AND own.takes_back <> '' "
    "LEFT JOIN benefit_take_back b ON b.device_id = u.device_id AND b.use = u.use WHERE u.takes_back = ''"
)


def uses(conn: Connection, resident_id: int) -> list[UseRow]:
    """Every use of a resident, newest first."""
    rows = conn.execute(f"{_USES} AND u.resident_id = ? ORDER BY u.at_ms DESC, u.device_id, u.use", (resident_id,))
    return [UseRow(*row) for row in rows]


def uses_between(conn: Connection, from_ms: int, until_ms: int) -> list[UseRow]:
    """Every use of a span, oldest first."""
    rows = conn.execute(f"{_USES} AND u.at_ms >= ? AND u.at_ms < ? ORDER BY u.at_ms", (from_ms, until_ms))
    return [UseRow(*row) for row in rows]


def use(conn: Connection, name: UseName) -> UseRow | None:
    """One use."""
    row = conn.execute(f"{_USES} AND u.device_id = ? AND u.use = ?", name).fetchone()
    return UseRow(*row) if row else None


def troubles(conn: Connection) -> list[UseRow]:
    """Uses that something is wrong with and that nobody has seen to, oldest first."""
    rows = conn.execute(f"{_USES} AND u.trouble <> '' AND u.seen_ms IS NULL ORDER BY u.arrived_ms")
    return [UseRow(*row) for row in rows]


def unseen(conn: Connection) -> int:
    """How many uses something is wrong with that nobody has seen to."""
    row = conn.execute(
        "SELECT count(*) FROM benefit_use WHERE trouble <> '' AND seen_ms IS NULL AND takes_back = ''"
    ).fetchone()
    return int(row[0])


def take_back(conn: Connection, found: UseRow, reason: str, who: str, now_ms: int) -> bool:
    """An officer takes a use back; False when it was taken back already."""
    if found.back:
        return False
    conn.execute(
        "INSERT INTO benefit_take_back (device_id, use, reason, entered_by, entered_ms) VALUES (?, ?, ?, ?, ?)",
        (*found.name, reason, who, now_ms),
    )
    follow(conn, now_ms, {found.resident_id})
    return True


def see(conn: Connection, found: UseRow, who: str, now_ms: int) -> None:
    """Somebody has seen to what was wrong with a use."""
    conn.execute(
        "UPDATE benefit_use SET seen_ms = ?, seen_by = ? WHERE device_id = ? AND use = ?", (now_ms, who, *found.name)
    )


# ---- what devices say


def take_uses(conn: Connection, told: Sequence[Told]) -> None:
    """Uses at devices (`wire.tablet.BenefitUse`): each counts once, then what may be taken follows."""
    changed: set[int] = set()
    for one in told:
        changed |= _take_use(conn, one)
    if changed:
        follow(conn, told[-1].received_ms, changed)


def _take_use(conn: Connection, one: Told) -> set[int]:
    """One use, unless it is known; whose account it changes."""
    body = one.body
    benefit, resident_id, before, known = _whose(conn, one)
    after = before + (-body.units if body.takes_back else body.units)
    trouble = "" if known else "unknown"
    if known and after != body.used:
        trouble = "gap"
    elif known and 0 < body.until_ms <= one.at_ms:
        trouble = "late"
    name = (one.device_id, body.use, body.allowance, benefit, resident_id)
    done = conn.execute(
        "INSERT INTO benefit_use (device_id, use, allowance, benefit, resident_id, units, used, takes_back, at_ms, "
        "arrived_ms, trouble) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (*name, body.units, body.used, body.takes_back, one.at_ms, one.received_ms, trouble),
    ).rowcount
    if not done:
        return set()
    conn.execute(
        "UPDATE benefit_allowance SET used_units = ? WHERE id = ? AND device_id = ?",
        (body.used, body.allowance, one.device_id),
    )
    return {resident_id} - {0}


def _whose(conn: Connection, one: Told) -> tuple[str, int, int, bool]:
    """Benefit, resident, what was known to be used under the allowance, and whether that is known at all.

    A hub that was put back from a copy knows not all that it gave; the allowance's name tells the benefit then, and the
    card the resident.
    """
    row = conn.execute(
        "SELECT benefit, resident_id, used_units FROM benefit_allowance WHERE id = ? AND device_id = ?",
        (one.body.allowance, one.device_id),
    ).fetchone()
    if row:
        return row[0], row[1], row[2], True
    benefit = one.body.allowance.rpartition(".")[0]
    row = conn.execute("SELECT resident_id FROM benefit_card WHERE card = ?", (one.body.card,)).fetchone()
    is_benefit = conn.execute("SELECT 1 FROM benefit WHERE code = ?", (benefit,)).fetchone()
    return (benefit, row[0], 0, False) if row and is_benefit else ("", 0, 0, False)


def take_reports(conn: Connection, told: Sequence[Told]) -> None:
    """Devices that say which purse they go by (`wire.tablet.PaperReport`): what it tells binds them, and no more than
    that.  Only a report that comes in the lane of the uses proves it; a presence may come before them."""
    for one in told:
        if one.body.kind != purse.KIND or one.body.result != "applied":
            continue
        row = conn.execute(
            "SELECT touched FROM paper WHERE device_id = ? AND kind = ? AND incarnation = ? AND generation = ?",
            (one.device_id, purse.KIND, one.body.incarnation, one.body.generation),
        ).fetchone()
        if row:
            conn.execute(
                "UPDATE benefit_allowance SET bound_units = limit_units WHERE device_id = ? AND mark <= ? "
                "AND bound_units <> limit_units",
                (one.device_id, row[0]),
            )
