"""SQL of cards that were tapped and belong to nobody."""

from typing import NamedTuple

from hub.db import Connection
from hub.staff.card_store import holdings


class Unknown(NamedTuple):
    """A card that was tapped and that nobody was ever given.

    How often; when first and last, in milliseconds of UTC (a tap without a good clock: when the hub got it); at which
    terminal last, and with which technology.
    """

    token: str
    taps: int
    first_ms: int
    last_ms: int
    terminal: str
    technology: str


# Goes from card to card along the index of punches: a town has few cards and millions of taps.
_STRANGERS = (
    "WITH RECURSIVE one (card) AS (SELECT min(card) FROM punch UNION ALL "
    "SELECT (SELECT min(p.card) FROM punch p WHERE p.card > one.card) FROM one WHERE one.card IS NOT NULL) "
    "SELECT card FROM one WHERE card IS NOT NULL AND NOT EXISTS (SELECT 1 FROM card c WHERE c.token = one.card) "
    # A resident's, for benefits.
    "AND NOT EXISTS (SELECT 1 FROM benefit_card b WHERE b.card = one.card)"
)
_WHEN = "CASE WHEN clock = 0 THEN at_ms ELSE received_ms END"


def unknown_cards(conn: Connection) -> list[Unknown]:
    """Those that were tapped last first."""
    found = [one for (token,) in conn.execute(_STRANGERS).fetchall() if (one := unknown_card(conn, token)) is not None]
    return sorted(found, key=lambda one: (-one.last_ms, one.token))


def strangers(conn: Connection) -> int:
    """How many there are."""
    return int(conn.execute(f"SELECT count(*) FROM ({_STRANGERS})").fetchone()[0])  # noqa: S608 (our own words)


def strangers_like(conn: Connection, prefix: str) -> list[str]:
    """Tokens of those that begin so (hexadecimal figures), at most two."""
    rows = conn.execute(
        "SELECT DISTINCT card FROM punch WHERE card >= ? AND card < ? "
        "AND NOT EXISTS (SELECT 1 FROM card c WHERE c.token = punch.card) "
        "AND NOT EXISTS (SELECT 1 FROM benefit_card b WHERE b.card = punch.card) LIMIT 2",
        (prefix, prefix + "~"),
    )
    return [str(token) for (token,) in rows]


def unknown_card(conn: Connection, token: str) -> Unknown | None:
    """One of them; None for a card that is somebody's, or was never tapped."""
    n, first_ms, last_ms, latest = conn.execute(
        f"SELECT count(*), min({_WHEN}), max({_WHEN}), max(id) FROM punch WHERE card = ?",  # noqa: S608 (our own words)
        (token,),
    ).fetchone()
    if not n or holdings(conn, token):
        return None
    terminal, technology = conn.execute(
        "SELECT d.name, p.technology FROM punch p JOIN device d ON d.id = p.device_id WHERE p.id = ?", (latest,)
    ).fetchone()
    return Unknown(token, n, first_ms, last_ms, terminal, technology)


def last_punch(conn: Connection) -> int:
    """The newest punch's number; 0 when there is none."""
    return int(conn.execute("SELECT coalesce(max(id), 0) FROM punch").fetchone()[0])


def newest_tapped(conn: Connection, after: int) -> str:
    """The token of the newest punch behind this number; empty when there is none."""
    row = conn.execute("SELECT card FROM punch WHERE id > ? ORDER BY id DESC LIMIT 1", (after,)).fetchone()
    return str(row[0]) if row else ""
