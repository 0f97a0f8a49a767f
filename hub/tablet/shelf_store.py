"""SQL of shelves: which tablet is lent to whom and where, what the town says of itself, and each tablet's files."""

from collections.abc import Mapping
from datetime import date

import msgspec

from hub import shown
from hub.db import Connection
from hub.papers import store as papers
from hub.policy import store as policy
from hub.tablet import content_store, shelf, ticket
from hub.tablet.shelf import Tablet, Town
from wire.shelf import KIND, Allowance, File, Telephone, as_json

_TABLETS = (
    "SELECT d.id, d.name, coalesce(r.number, l.number, ''), coalesce(r.district, by_number.district, ''), "
    "coalesce(u.from_ms, 0), coalesce(u.from_day, l.since, '') FROM device d LEFT JOIN item i ON i.device_id = d.id "
    "LEFT JOIN loan l ON l.id = (SELECT id FROM loan n WHERE n.item_id = i.id AND n.returned IS NULL "
    "ORDER BY n.id DESC LIMIT 1) "
    "LEFT JOIN line_use u ON u.id = (SELECT id FROM line_use n WHERE n.item_id = i.id AND n.from_day <= ? "
    "AND (n.to_day = '' OR n.to_day >= ?) ORDER BY n.id DESC LIMIT 1) "
    "LEFT JOIN resident r ON r.id = u.resident_id LEFT JOIN resident by_number ON by_number.number = l.number "
    "WHERE d.kind = 'tablet' ORDER BY d.name"
)
# The key of each tablet's newest good certificate; none of those on hold.
_KEYS = (
    "SELECT d.id, d.name, c.key_name FROM device d JOIN certificate c ON c.serial = (SELECT serial FROM certificate n "
    "WHERE n.device_id = d.id AND n.revoked_ms IS NULL AND n.end_ms > ? ORDER BY n.issued_ms DESC, n.serial LIMIT 1) "
    "LEFT JOIN hold h ON h.device_id = d.id WHERE d.kind = 'tablet' AND h.device_id IS NULL"
)
_telephones = msgspec.json.Decoder(tuple[Telephone, ...])


def tablets(conn: Connection, now_ms: int) -> list[Tablet]:
    """Every lent tablet by name, with who has it now."""
    today = shown.day_of(now_ms)
    rows = conn.execute(_TABLETS, (today, today)).fetchall()
    ordered = policy.ordered(conn, [row[0] for row in rows]) if rows else {}
    return [
        Tablet(
            id_,
            name,
            number,
            district,
            from_ms or _start_ms(from_day),
            str(ordered[id_].document.get("contact", "")) if id_ in ordered else "",
        )
        for id_, name, number, district, from_ms, from_day in rows
    ]


def _start_ms(day: str) -> int:
    try:
        return shown.day_start_ms(date.fromisoformat(day))
    except ValueError:
        return 0


def contents(conn: Connection, key: bytes, allowances: Mapping[int, Allowance], now_ms: int) -> dict[int, bytes]:
    """What every tablet's shelf says now; `key` is what tickets are made with."""
    lent = tablets(conn, now_ms)
    tickets = {id_: ticket.make(key, name, key_name) for id_, name, key_name in conn.execute(_KEYS, (now_ms,))}
    lists = shelf.lists(content_store.live(conn, now_ms), [one.district for one in lent])
    town = setting(conn)
    return {
        one.device_id: as_json(shelf.content(one, town, lists[one.district], tickets[one.device_id], allowances))
        for one in lent
        if one.device_id in tickets
    }


def setting(conn: Connection) -> Town:
    """What every shelf says of the town."""
    row = conn.execute("SELECT town, telephones FROM tablet_setting").fetchone()
    return Town(row[0], _telephones.decode(row[1])) if row else Town()


def error(conn: Connection) -> str:
    """Why some tablets are not told of the latest changes; empty when all is well."""
    return papers.error(conn, KIND)


def set_town(conn: Connection, town: Town) -> None:
    """Keeps that; tablets are told."""
    conn.execute(
        "INSERT INTO tablet_setting (id, town, telephones) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "town = excluded.town, telephones = excluded.telephones",
        (town.name, msgspec.json.encode(town.telephones).decode()),
    )
    papers.touch(conn, KIND)


def districts(conn: Connection) -> list[str]:
    """The districts in which residents live."""
    return [row[0] for row in conn.execute("SELECT DISTINCT district FROM resident WHERE district <> '' ORDER BY 1")]


def file_for(conn: Connection, key: bytes, header: str, digest: str, now_ms: int) -> File | None:
    """The file that a tablet's ticket lets it fetch: one of an item that it shows. None for any other."""
    name = ticket.device_of(header)
    row = next((row for row in conn.execute(_KEYS + " AND d.name = ?", (now_ms, name))), None)
    # A name that nobody has takes as long.
    device_id, device, key_name = row or (0, name, "")
    if not ticket.is_good(key, header, device, key_name) or row is None:
        return None
    one = next((each for each in tablets(conn, now_ms) if each.device_id == device_id), None)
    if one is None:
        return None
    listed = (item for item in content_store.live(conn, now_ms) if item.is_for(one.district))
    return next((file for item in listed for file in item.files if file.digest == digest), None)
