"""SQL of lent tablets: how each was when it was heard last, and residents who ask for help.

1. The latest state counts; a request for help is named by its tablet, and counts once.
2. A request is open until the resident takes it back or an officer says that it was seen to.
"""

from collections.abc import Sequence

import msgspec

from hub.db import Connection
from hub.tablet.content_store import at_ms
from hub.told import Told
from wire.tablet import TabletState


class Help(msgspec.Struct, frozen=True):
    """Somebody asks for help at a tablet; times in ms, None: not yet."""

    device_id: int
    device: str
    ask: str
    about: str
    asked_ms: int
    taken_back_ms: int | None = None
    done_ms: int | None = None
    done_by: str = ""


class Heard(msgspec.Struct, frozen=True):
    """A lent tablet as the hub knows it: its name, whether it is connected, how it was, and when that was (ms)."""

    device_id: int
    device: str
    online: bool
    last_heard_ms: int
    state: TabletState | None = None
    state_ms: int = 0


_state = msgspec.json.Decoder(TabletState)


def take_states(conn: Connection, told: Sequence[Told]) -> None:
    """How tablets are (`wire.tablet.TabletState`)."""
    latest = {one.device_id: one for one in told}
    conn.executemany(
        "INSERT INTO tablet_state (device_id, body, at_ms) VALUES (?, ?, ?) ON CONFLICT (device_id) DO UPDATE SET "
        "body = excluded.body, at_ms = excluded.at_ms",
        [(id_, msgspec.json.encode(one.body).decode(), at_ms(one)) for id_, one in latest.items()],
    )


def take_asks(conn: Connection, told: Sequence[Told]) -> None:
    """Requests for help, and those that were taken back (`wire.tablet.HelpAsk`)."""
    for one in told:
        body, when = one.body, at_ms(one)
        conn.execute(
            "INSERT INTO help_ask (device_id, ask, about, asked_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (one.device_id, body.ask, body.about, when),
        )
        if body.state == "taken_back":
            conn.execute(
                "UPDATE help_ask SET taken_back_ms = ? WHERE device_id = ? AND ask = ? AND taken_back_ms IS NULL",
                (when, one.device_id, body.ask),
            )


_ASKS = (
    "SELECT h.device_id, d.name, h.ask, h.about, h.asked_ms, h.taken_back_ms, h.done_ms, h.done_by FROM help_ask h "
    "JOIN device d ON d.id = h.device_id "
)


def asking(conn: Connection) -> list[Help]:
    """Who waits for help, longest first."""
    rows = conn.execute(_ASKS + "WHERE h.taken_back_ms IS NULL AND h.done_ms IS NULL ORDER BY h.asked_ms, h.ask")
    return [Help(*row) for row in rows]


def asked_before(conn: Connection, limit: int = 20) -> list[Help]:
    """Requests that are over, newest first."""
    rows = conn.execute(
        _ASKS + "WHERE h.taken_back_ms IS NOT NULL OR h.done_ms IS NOT NULL ORDER BY h.asked_ms DESC LIMIT ?", (limit,)
    )
    return [Help(*row) for row in rows]


def see_to(conn: Connection, device: str, ask: str, who: str, now_ms: int) -> bool:
    """An officer has seen to a request; False when it was over already."""
    found = conn.execute(
        "UPDATE help_ask SET done_ms = ?, done_by = ? WHERE ask = ? AND done_ms IS NULL AND taken_back_ms IS NULL "
        "AND device_id = (SELECT id FROM device WHERE name = ?)",
        (now_ms, who, ask, device),
    )
    return found.rowcount > 0


def heard(conn: Connection) -> dict[int, Heard]:
    """Every lent tablet, by its number."""
    rows = conn.execute(
        "SELECT d.id, d.name, d.online, d.last_heard_ms, s.body, s.at_ms FROM device d "
        "LEFT JOIN tablet_state s ON s.device_id = d.id WHERE d.kind = 'tablet' ORDER BY d.name"
    )
    return {
        id_: Heard(id_, name, bool(online), last_ms, _state.decode(body) if body else None, when or 0)
        for id_, name, online, last_ms, body, when in rows
    }
