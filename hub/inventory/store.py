"""SQL of inventory and loans: what devices tell of themselves, and what people know of things."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from hub import audit
from hub.db import Connection, Into, insert
from hub.inventory.thing import Fact, Item, Loan
from hub.told import Told

HOUR_MS = 3_600_000
_DRAFT_MS = HOUR_MS

_FACT = Into(
    "device_fact (device_id, model, serial, system, version, wear_permille, battery_permille, battery_cycles, "
    "certificate_end_ms, told_ms)",
    10,
    "ON CONFLICT (device_id) DO UPDATE SET model = excluded.model, serial = excluded.serial, system = excluded.system, "
    "version = excluded.version, wear_permille = excluded.wear_permille, "
    "battery_permille = excluded.battery_permille, battery_cycles = excluded.battery_cycles, "
    "certificate_end_ms = excluded.certificate_end_ms, told_ms = excluded.told_ms",
)


# ---- what devices tell


def take(conn: Connection, told: Sequence[Told]) -> None:
    """What devices are made of (`wire.messages.Inventory`); a thing that was entered beforehand finds its device."""
    newest = {one.device_id: one for one in told}
    rows: list[object] = []
    for device_id, one in newest.items():
        body = one.body
        rows += (device_id, body.model, body.serial, body.system, body.version, body.storage_wear_permille)
        rows += (body.battery_permille, body.battery_cycles, body.certificate_end_ms, one.received_ms)
    insert(conn, _FACT, rows)
    if any(one.body.serial for one in newest.values()):
        join(conn, max(one.received_ms for one in told))


def join(conn: Connection, now_ms: int) -> None:
    """A thing that was entered without its device, and the one device of its serial number, become one."""
    waiting = conn.execute("SELECT id, upper(serial) FROM item WHERE device_id IS NULL AND serial != ''").fetchall()
    if not waiting:
        return
    devices: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for serial, device_id, name, entered in conn.execute(
        "SELECT upper(f.serial), d.id, d.name, i.id FROM device_fact f JOIN device d ON d.id = f.device_id "
        "LEFT JOIN item i ON i.device_id = d.id WHERE f.serial != ''"
    ):
        devices[serial].append((device_id, "" if entered else name))
    for item_id, serial in waiting:
        # Two devices of one serial number: which of them is meant is for a person to say.
        if len(devices[serial]) == 1 and devices[serial][0][1]:
            device_id, name = devices.pop(serial)[0]
            set_device(conn, item_id, device_id)
            audit.note(conn, now_ms, audit.SYSTEM, "joined", name, serial)


def fact(conn: Connection, device_id: int) -> Fact | None:
    """What a device told of itself, if it did."""
    row = conn.execute(
        "SELECT model, serial, system, version, wear_permille, battery_permille, battery_cycles, certificate_end_ms, "
        "told_ms FROM device_fact WHERE device_id = ?",
        (device_id,),
    ).fetchone()
    return Fact(*row) if row else None


# ---- what people know

_ITEM = (
    "i.id, d.id, coalesce(d.name, ''), coalesce(i.asset, ''), coalesce(nullif(i.serial, ''), f.serial, ''), "
    "coalesce(nullif(d.kind, ''), i.kind, ''), coalesce(nullif(i.model, ''), f.model, ''), coalesce(i.place, ''), "
    "coalesce(i.note, ''), coalesce(i.bought, '')"
)
_LOAN = "id, item_id, number, name, since, until, returned, condition, lent_by, returned_to"


def everything(conn: Connection) -> list[Item]:
    """Every device and every thing without one, in that order; devices by name, things by number."""
    return _items(conn, "FROM device d LEFT JOIN item i ON i.device_id = d.id", "ORDER BY d.name") + _items(
        conn, "FROM item i LEFT JOIN device d ON d.id = i.device_id", "WHERE i.device_id IS NULL ORDER BY i.asset, i.id"
    )


def item(conn: Connection, item_id: int) -> Item | None:
    """One thing, or None."""
    found = _items(conn, "FROM item i LEFT JOIN device d ON d.id = i.device_id", "WHERE i.id = ?", item_id)
    return found[0] if found else None


def of_device(conn: Connection, name: str) -> Item | None:
    """The thing that a device is, entered or not; None when there is no such device."""
    found = _items(conn, "FROM device d LEFT JOIN item i ON i.device_id = d.id", "WHERE d.name = ?", name)
    return found[0] if found else None


def _items(conn: Connection, source: str, which: str, *args: object) -> list[Item]:
    rows = conn.execute(
        f"SELECT {_ITEM} {source} LEFT JOIN device_fact f ON f.device_id = d.id {which}",
        args,
    ).fetchall()
    only = rows[0][0] if len(rows) == 1 else None
    tags, loans = _tags(conn, only), _open_loans(conn, only)
    found = []
    for item_id, device_id, device, asset, serial, kind, model, place, note, bought in rows:
        values = {
            "asset": asset,
            "serial": serial,
            "kind": kind,
            "model": model,
            "place": place,
            "tags": " ".join(tags[item_id]),
            "note": note,
            "bought": bought,
        }
        found.append(Item(item_id or 0, device_id, device, values, loans.get(item_id)))
    return found


def _tags(conn: Connection, item_id: int | None) -> dict[int | None, list[str]]:
    found: dict[int | None, list[str]] = defaultdict(list)
    for owner, tag in conn.execute(
        "SELECT item_id, tag FROM item_tag WHERE (? IS NULL OR item_id = ?) ORDER BY item_id, tag", (item_id, item_id)
    ):
        found[owner].append(tag)
    return found


def _open_loans(conn: Connection, item_id: int | None) -> dict[int | None, Loan]:
    rows = conn.execute(
        f"SELECT {_LOAN} FROM loan WHERE returned IS NULL AND (? IS NULL OR item_id = ?)",  # noqa: S608
        (item_id, item_id),
    )
    return {row[1]: Loan(*row) for row in rows}


def taken(conn: Connection, field: str, value: str, besides: int) -> str:
    """Which other thing has this asset or serial number; empty for none."""
    column = "asset" if field == "asset" else "serial"
    row = conn.execute(f"SELECT id FROM item WHERE {column} = ? AND id != ?", (value, besides)).fetchone()  # noqa: S608
    other = item(conn, row[0]) if row and value else None
    return other.label if other else ""


def enter(conn: Connection, device_id: int | None, now_ms: int) -> int:
    """A thing of which nothing is known yet, or what a device is; its number."""
    cursor = conn.execute("INSERT INTO item (device_id, changed_ms) VALUES (?, ?)", (device_id, now_ms))
    return int(cursor.lastrowid or 0)


def change(conn: Connection, item_id: int, values: Mapping[str, str], now_ms: int) -> None:
    """Sets fields of `fields.EDITABLE`. Raises db.Refused for an asset or serial number that another has."""
    columns = [field for field in values if field != "tags"]
    conn.execute(
        f"UPDATE item SET {''.join(f'{field} = ?, ' for field in columns)}changed_ms = ? WHERE id = ?",  # noqa: S608
        (*(values[field] for field in columns), now_ms, item_id),
    )
    if "tags" in values:
        conn.execute("DELETE FROM item_tag WHERE item_id = ?", (item_id,))
        conn.executemany("INSERT INTO item_tag VALUES (?, ?)", [(item_id, tag) for tag in values["tags"].split()])


def remove(conn: Connection, item_id: int) -> bool:
    """Forgets a thing that was entered by mistake: one without a device that was never lent. Whether it did."""
    removed = conn.execute(
        "DELETE FROM item WHERE id = ? AND device_id IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM loan WHERE loan.item_id = item.id)",
        (item_id,),
    ).rowcount
    if removed:
        conn.execute("DELETE FROM item_tag WHERE item_id = ?", (item_id,))
    return bool(removed)


def set_device(conn: Connection, item_id: int, device_id: int) -> None:
    """Says which device a thing is."""
    conn.execute("UPDATE item SET device_id = ? WHERE id = ?", (device_id, item_id))


# ---- loans


def loans(conn: Connection, item_id: int) -> list[Loan]:
    """Who had a thing, newest first."""
    rows = conn.execute(f"SELECT {_LOAN} FROM loan WHERE item_id = ? ORDER BY id DESC LIMIT 100", (item_id,))  # noqa: S608
    return [Loan(*row) for row in rows]


def lend(conn: Connection, item_id: int, values: Mapping[str, str], who: str) -> None:
    """Lends a thing that is not lent (`fields.LOAN`). Raises db.Refused when it is."""
    conn.execute(
        "INSERT INTO loan (item_id, number, name, since, until, lent_by) VALUES (?, ?, ?, ?, ?, ?)",
        (item_id, values["loan_number"], values.get("loan_name", ""), values["loan_since"], values["loan_until"], who),
    )


def prolong(conn: Connection, item_id: int, until: str) -> None:
    """Another day by which it is due."""
    conn.execute("UPDATE loan SET until = ? WHERE item_id = ? AND returned IS NULL", (until, item_id))


def take_back(conn: Connection, item_id: int, day: str, condition: str, who: str) -> None:
    """Ends the loan; the name is forgotten, the number stays in the history."""
    conn.execute(
        "UPDATE loan SET returned = ?, condition = ?, returned_to = ?, name = '' "
        "WHERE item_id = ? AND returned IS NULL",
        (day, condition, who, item_id),
    )


def overdue(conn: Connection, today: str) -> int:
    """How many things are not back though they should be."""
    row = conn.execute("SELECT count(*) FROM loan WHERE returned IS NULL AND until < ?", (today,)).fetchone()
    return int(row[0])


def names_kept(conn: Connection) -> bool:
    """Whether the names of borrowers are kept; not, unless somebody chose so."""
    row = conn.execute("SELECT names_kept FROM inventory_setting WHERE id = 1").fetchone()
    return bool(row and row[0])


def keep_names(conn: Connection, *, kept: bool) -> int:
    """Chooses that. When they are kept no more, those that are there are forgotten; how many."""
    conn.execute(
        "INSERT INTO inventory_setting VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET names_kept = excluded.names_kept",
        (int(kept),),
    )
    if kept:
        return 0
    # Whoever has a line is a borrower too (`hub/schema/register.py`).
    lent = conn.execute("UPDATE loan SET name = '' WHERE name != ''").rowcount
    return lent + conn.execute("UPDATE resident SET name = '' WHERE name != ''").rowcount


# ---- imports that wait for their "do it"


def keep_draft(conn: Connection, token: str, who: str, name: str, content: bytes, now_ms: int) -> None:
    """Keeps a file for an hour; a person's earlier ones go."""
    conn.execute("DELETE FROM import_draft WHERE who = ? OR made_ms < ?", (who, now_ms - _DRAFT_MS))
    conn.execute("INSERT INTO import_draft VALUES (?, ?, ?, ?, ?)", (token, who, name, content, now_ms))


def draft(conn: Connection, token: str, who: str, now_ms: int) -> tuple[str, bytes] | None:
    """Name and content of a person's own file, while it waits."""
    row: tuple[str, bytes] | None = conn.execute(
        "SELECT name, content FROM import_draft WHERE token = ? AND who = ? AND made_ms >= ?",
        (token, who, now_ms - _DRAFT_MS),
    ).fetchone()
    return row


def drop_draft(conn: Connection, token: str) -> None:
    """Forgets it."""
    conn.execute("DELETE FROM import_draft WHERE token = ?", (token,))
