"""SQL of cards: in whose hands each is, and since when.

1. A card is in one pair of hands at a time.  Given to another person, it leaves the earlier hands at that moment;
   a lost card is in nobody's hands from when it was reported, until it is found.
2. Whatever changes whose a tap is marks the months that were worked out (`stale.py`), in the same transaction.
"""

from collections.abc import Sequence

import msgspec

from hub.db import Connection
from hub.staff.rows import some_rows
from hub.staff.stale import mark_stale
from hub.staff.terms import CardState

_EVER = ""


class Card(msgspec.Struct, frozen=True):
    """A card in somebody's hands, from a moment to before another (None: still), in milliseconds of UTC.

    `label` is the number printed on it.  A lost card has both an `until_ms`, when that was reported, and a place in
    the terminals' roster, to be refused.
    """

    id: int
    token: str
    staff_id: int
    label: str
    kind: str
    state: CardState
    from_ms: int
    until_ms: int | None


class CardHeld(Exception):
    """The card was in other hands at that moment; `card` is that holding."""

    def __init__(self, card: Card) -> None:
        super().__init__(card.id)
        self.card = card


_CARD = "id, token, staff_id, label, kind, state, from_ms, until_ms"


def cards(conn: Connection, staff_ids: Sequence[int] | None = None) -> list[Card]:
    """Every holding of every card, or those of these people; of a card in the order of time."""
    rows = some_rows(conn, f"SELECT {_CARD} FROM card", "staff_id", "1 = 1", (), staff_ids)  # noqa: S608 (our own names)
    return [Card(*row) for row in sorted(rows, key=lambda row: (row[6], row[0]))]


def card(conn: Connection, card_id: int) -> Card | None:
    """One holding, or None."""
    row = conn.execute(f"SELECT {_CARD} FROM card WHERE id = ?", (card_id,)).fetchone()  # noqa: S608
    return Card(*row) if row else None


def holdings(conn: Connection, token: str) -> list[Card]:
    """Who had a card, in the order of time."""
    rows = conn.execute(f"SELECT {_CARD} FROM card WHERE token = ? ORDER BY from_ms, id", (token,))  # noqa: S608
    return [Card(*row) for row in rows]


def issue_card(
    conn: Connection,
    staff_id: int,
    token: str,
    from_ms: int,
    now_ms: int,
    who: str,
    *,
    label: str = "",
    kind: str = "",
) -> int:
    """Gives a card to somebody from a moment on, out of whose hands it was in; the id of the holding.

    Raises CardHeld when the card was in somebody's hands after that moment already, or is this person's now.
    """
    earlier = holdings(conn, token)
    for one in earlier:
        mine_already = one.until_ms is None and one.staff_id == staff_id
        if mine_already or one.from_ms >= from_ms or (one.until_ms or 0) > from_ms:
            raise CardHeld(one)
    # Whatever became of it before: it is here now.
    conn.execute(
        "UPDATE card SET state = 'returned', until_ms = coalesce(until_ms, ?), changed_ms = ?, changed_by = ? "
        "WHERE token = ? AND state != 'returned'",
        (from_ms, now_ms, who, token),
    )
    cursor = conn.execute(
        "INSERT INTO card (token, staff_id, label, kind, state, from_ms, changed_ms, changed_by) "
        "VALUES (?, ?, ?, ?, 'issued', ?, ?, ?)",
        (token, staff_id, label, kind, from_ms, now_ms, who),
    )
    _mark_holders(conn, token)
    return int(cursor.lastrowid or 0)


def undo_issue(conn: Connection, card_id: int, now_ms: int, who: str) -> bool:
    """Takes back that a card was given to somebody, as if it never had been; whoever had it until then has it again.

    Whether it could be: only the newest holding, while the card is still in those hands.
    """
    found = card(conn, card_id)
    if found is None or found.until_ms is not None:
        return False
    _mark_holders(conn, found.token)
    conn.execute("DELETE FROM card WHERE id = ?", (card_id,))
    conn.execute(
        "UPDATE card SET state = 'issued', until_ms = NULL, changed_ms = ?, changed_by = ? WHERE id = "
        "(SELECT id FROM card WHERE token = ? ORDER BY from_ms DESC, id DESC LIMIT 1) AND until_ms = ?",
        (now_ms, who, found.token, found.from_ms),
    )
    return True


def card_lost(conn: Connection, card_id: int, now_ms: int, who: str) -> bool:
    """A card was reported lost: in nobody's hands from now on, and refused. Whether it was in somebody's."""
    return _set_state(conn, card_id, "lost", ("issued",), now_ms, now_ms, who)


def card_returned(conn: Connection, card_id: int, now_ms: int, who: str) -> bool:
    """A card came back, also a lost one. Whether it was out."""
    return _set_state(conn, card_id, "returned", ("issued", "lost"), now_ms, now_ms, who)


def card_found(conn: Connection, card_id: int, now_ms: int, who: str) -> bool:
    """A lost card was found: it is its holder's as if it never had been lost. Whether it was lost."""
    return _set_state(conn, card_id, "issued", ("lost",), None, now_ms, who)


def _set_state(
    conn: Connection,
    card_id: int,
    state: CardState,
    before: Sequence[CardState],
    until_ms: int | None,
    now_ms: int,
    who: str,
) -> bool:
    found = card(conn, card_id)
    if found is None or found.state not in before:
        return False
    if until_ms is not None:
        # What was reported lost ended then; no holding ends before it begins.
        until_ms = max(found.from_ms, until_ms if found.until_ms is None else found.until_ms)
    conn.execute(
        "UPDATE card SET state = ?, until_ms = ?, changed_ms = ?, changed_by = ? WHERE id = ?",
        (state, until_ms, now_ms, who, card_id),
    )
    _mark_holders(conn, found.token)
    return True


def set_label(conn: Connection, card_id: int, label: str, now_ms: int, who: str) -> None:
    """The number that is printed on a card."""
    conn.execute(
        "UPDATE card SET label = ?, changed_ms = ?, changed_by = ? WHERE id = ?", (label, now_ms, who, card_id)
    )


def _mark_holders(conn: Connection, token: str) -> None:
    """Taps that nobody could place may lie anywhere, so every month of whoever ever had the card is made anew."""
    for (staff_id,) in conn.execute("SELECT DISTINCT staff_id FROM card WHERE token = ?", (token,)).fetchall():
        mark_stale(conn, staff_id, _EVER)
