"""SQL of benefits on a card: kinds, cards, and grants, which a second person approves."""

import msgspec

from hub.benefit.account_store import follow, give, kinds
from hub.benefit.benefit import Kind
from hub.db import Connection
from hub.papers import store as papers
from wire import purse

__all__ = ["kinds"]


class NewGrant(msgspec.Struct, frozen=True):
    """A grant that somebody enters; `until_day` is the last day that it counts, empty: open."""

    benefit: str
    units: int
    day: str
    until_day: str = ""
    reason: str = ""


class GrantRow(msgspec.Struct, frozen=True):
    """A grant as it was entered; `result` is empty while it waits for a second person."""

    id: int
    benefit: str
    resident_id: int
    resident: str
    units: int
    day: str
    until_day: str
    reason: str
    entered_by: str
    entered_ms: int
    result: str
    approved_by: str
    approved_ms: int | None
    ended_day: str

    @property
    def last_day(self) -> str:
        """The last day that it counts; empty: open."""
        return min(filter(None, (self.until_day, self.ended_day)), default="")


class Resident(msgspec.Struct, frozen=True):
    """A resident of the register."""

    id: int
    number: str
    name: str


class Card(msgspec.Struct, frozen=True):
    """A card that a resident was given."""

    token: str
    resident_id: int
    given_ms: int
    taken_back_ms: int | None


def set_kind(conn: Connection, kind: Kind, now_ms: int) -> bool:
    """Enters a kind, or changes it; whether it is new."""
    new = conn.execute("SELECT 1 FROM benefit WHERE code = ?", (kind.code,)).fetchone() is None
    conn.execute(
        "INSERT INTO benefit (code, name_ja, name_en, unit_ja, unit_en, unit_yen, budget_code, offline_units, "
        "offline_days, from_day, to_day, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (code) DO UPDATE SET name_ja = excluded.name_ja, name_en = excluded.name_en, "
        "unit_ja = excluded.unit_ja, unit_en = excluded.unit_en, unit_yen = excluded.unit_yen, "
        "budget_code = excluded.budget_code, offline_units = excluded.offline_units, "
        "offline_days = excluded.offline_days, from_day = excluded.from_day, to_day = excluded.to_day, "
        "changed_ms = excluded.changed_ms",
        (*msgspec.structs.astuple(kind), now_ms),
    )
    give(conn, now_ms)
    return new


# ---- residents and their cards


def resident(conn: Connection, number: int) -> Resident | None:
    """One resident of the register, by the database's number."""
    row = conn.execute("SELECT id, number, name FROM resident WHERE id = ?", (number,)).fetchone()
    return Resident(*row) if row else None


def cards(conn: Connection, resident_id: int) -> list[Card]:
    """The cards that a resident was ever given, newest first."""
    rows = conn.execute(
        "SELECT card, resident_id, given_ms, taken_back_ms FROM benefit_card WHERE resident_id = ? "
        "ORDER BY given_ms DESC, card",
        (resident_id,),
    )
    return [Card(*row) for row in rows]


def card(conn: Connection, token: str) -> Card | None:
    """A card that somebody was given."""
    row = conn.execute(
        "SELECT card, resident_id, given_ms, taken_back_ms FROM benefit_card WHERE card = ?", (token,)
    ).fetchone()
    return Card(*row) if row else None


def returned_like(conn: Connection, prefix: str) -> list[str]:
    """Tokens of cards that residents gave back and that begin so (hexadecimal figures), at most two."""
    rows = conn.execute(
        "SELECT card FROM benefit_card WHERE card >= ? AND card < ? AND taken_back_ms IS NOT NULL LIMIT 2",
        (prefix, prefix + "~"),
    )
    return [str(token) for (token,) in rows]


def give_card(conn: Connection, token: str, resident_id: int, now_ms: int) -> bool:
    """Gives a card that nobody has; False when somebody has it."""
    before = card(conn, token)
    if before is not None and before.taken_back_ms is None:
        return False
    conn.execute(
        "INSERT INTO benefit_card (card, resident_id, given_ms) VALUES (?, ?, ?) ON CONFLICT (card) DO UPDATE SET "
        "resident_id = excluded.resident_id, given_ms = excluded.given_ms, taken_back_ms = NULL",
        (token, resident_id, now_ms),
    )
    give(conn, now_ms, {resident_id, before.resident_id if before else resident_id})
    papers.touch(conn, purse.KIND)
    return True


def take_card(conn: Connection, token: str, resident_id: int, now_ms: int) -> bool:
    """A resident's card counts no more; False when it was not theirs."""
    done = conn.execute(
        "UPDATE benefit_card SET taken_back_ms = ? WHERE card = ? AND resident_id = ? AND taken_back_ms IS NULL",
        (now_ms, token, resident_id),
    ).rowcount
    give(conn, now_ms, {resident_id})
    papers.touch(conn, purse.KIND)
    return bool(done)


# ---- grants

_GRANTS = (
    "SELECT g.id, g.benefit, g.resident_id, r.number, g.units, g.day, g.until_day, g.reason, g.entered_by, "
    "g.entered_ms, g.result, g.approved_by, g.approved_ms, g.ended_day FROM benefit_grant g "
    "JOIN resident r ON r.id = g.resident_id"
)


def grants(conn: Connection, resident_id: int) -> list[GrantRow]:
    """Every grant of a resident, newest first."""
    rows = conn.execute(f"{_GRANTS} WHERE g.resident_id = ? ORDER BY g.id DESC", (resident_id,))
    return [GrantRow(*row) for row in rows]


def open_grants(conn: Connection) -> list[GrantRow]:
    """Grants that wait for a second person, oldest first."""
    return [GrantRow(*row) for row in conn.execute(f"{_GRANTS} WHERE g.result = '' ORDER BY g.entered_ms, g.id")]


def waiting(conn: Connection, who: str) -> int:
    """How many grants wait for somebody else than who entered them, as this person is."""
    row = conn.execute("SELECT count(*) FROM benefit_grant WHERE result = '' AND entered_by <> ?", (who,)).fetchone()
    return int(row[0])


def grant(conn: Connection, grant_id: int) -> GrantRow | None:
    """One of them."""
    row = conn.execute(f"{_GRANTS} WHERE g.id = ?", (grant_id,)).fetchone()
    return GrantRow(*row) if row else None


def enter_grant(conn: Connection, resident_id: int, new: NewGrant, who: str, now_ms: int) -> int:
    """Enters a grant, which counts once another person has approved it; its number."""
    done = conn.execute(
        "INSERT INTO benefit_grant (benefit, resident_id, units, day, until_day, reason, entered_by, entered_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (new.benefit, resident_id, new.units, new.day, new.until_day, new.reason, who, now_ms),
    )
    return int(done.lastrowid or 0)


def decide_grant(conn: Connection, found: GrantRow, result: str, who: str, now_ms: int) -> bool:
    """Approves or refuses a grant; False when it was decided on already. Raises Refused for one's own."""
    done = conn.execute(
        "UPDATE benefit_grant SET result = ?, approved_by = ?, approved_ms = ? WHERE id = ? AND result = ''",
        (result, who, now_ms, found.id),
    ).rowcount
    if done:
        follow(conn, now_ms, {found.resident_id})
    return bool(done)


def end_grant(conn: Connection, found: GrantRow, last_day: str, now_ms: int) -> None:
    """An approved grant counts for the last time on a day."""
    conn.execute("UPDATE benefit_grant SET ended_day = ? WHERE id = ? AND result = 'approved'", (last_day, found.id))
    follow(conn, now_ms, {found.resident_id})
