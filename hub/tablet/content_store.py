"""SQL of content for tablets: items and their files, what was fetched and opened of them.

Whoever changes what tablets show marks their shelves in the same transaction (`papers.store.touch`).
"""

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec

from hub.db import Connection
from hub.papers import store as papers
from hub.tablet.content import Change, Item, Kind, Text
from hub.told import Told
from wire import shelf
from wire.shelf import File, Question

# How many items a list of the past shows at a time.
PAGE = 50
_EARLIEST_MS = 1_577_836_800_000

_SELECT = (
    "SELECT id, name, kind, title, text, urgent, questions, districts, published_ms, published_by, until_ms, "
    "withdrawn_ms, withdrawn_by, made_by, made_ms, changed_ms FROM content_item "
)
_questions = msgspec.json.Decoder(tuple[Question, ...])
_districts = msgspec.json.Decoder(tuple[str, ...])


class Seen(msgspec.Struct, frozen=True):
    """What became of an item on a tablet; times in ms, 0: not (or not any more)."""

    device_id: int
    device: str
    fetched_ms: int = 0
    opened_ms: int = 0
    dropped_ms: int = 0


# ---- items


def begin(conn: Connection, kind: Kind, title: str, who: str, now_ms: int) -> int:
    """A new draft; its number."""
    row = conn.execute(
        "INSERT INTO content_item (name, kind, title, made_by, made_ms, changed_ms) VALUES (?, ?, ?, ?, ?, ?) "
        "RETURNING id",
        (secrets.token_hex(16), kind, title, who, now_ms, now_ms),
    ).fetchone()
    return int(row[0])


def item(conn: Connection, number: int) -> Item | None:
    """One of them."""
    row = conn.execute(_SELECT + "WHERE id = ?", (number,)).fetchone()
    return _item(row, _files(conn, [number]).get(number, ())) if row else None


def draft(conn: Connection, number: int) -> Item | None:
    """One of them, as long as it is being written."""
    found = item(conn, number)
    return found if found is not None and found.published_ms is None else None


def drafts(conn: Connection) -> list[Item]:
    """What is being written, newest first."""
    rows = conn.execute(_SELECT + "WHERE published_ms IS NULL ORDER BY id DESC")
    return _items(conn, rows.fetchall())


def live(conn: Connection, now_ms: int) -> list[Item]:
    """What is published, not withdrawn and not over, newest first."""
    rows = conn.execute(
        _SELECT + "WHERE published_ms IS NOT NULL AND withdrawn_ms IS NULL "
        "AND (until_ms = 0 OR until_ms > ?) ORDER BY published_ms DESC, id DESC",
        (now_ms,),
    )
    return _items(conn, rows.fetchall())


def past(conn: Connection, now_ms: int, before: int | None = None) -> list[Item]:
    """What is withdrawn or over, newest first; at most PAGE, those with numbers below `before`."""
    rows = conn.execute(
        _SELECT + "WHERE published_ms IS NOT NULL AND (withdrawn_ms IS NOT NULL "
        "OR (until_ms <> 0 AND until_ms <= ?)) AND id < ? ORDER BY id DESC LIMIT ?",
        (now_ms, before or 2**63 - 1, PAGE),
    )
    return _items(conn, rows.fetchall())


def write(
    conn: Connection, item: Item, text: Text, until_ms: int, change: Change, file: File | None, now_ms: int
) -> None:
    """Keeps what a draft says, its questions, and its files without the one that goes and with the one that was added;
    a file's bytes are on the disk already."""
    conn.execute(
        "UPDATE content_item SET title = ?, text = ?, urgent = ?, districts = ?, until_ms = ?, questions = ?, "
        "changed_ms = max(changed_ms + 1, ?) WHERE id = ?",
        (
            text.title,
            text.text,
            int(text.urgent),
            _json(text.districts),
            until_ms,
            _json(change.questions),
            now_ms,
            item.id,
        ),
    )
    if change.without:
        conn.execute("DELETE FROM content_file WHERE item_id = ? AND digest = ?", (item.id, change.without))
    if file is not None and file.digest not in {one.digest for one in item.files}:
        conn.execute(
            "INSERT INTO content_file (item_id, n, digest, size_bytes, media_type, name) "
            "SELECT ?, coalesce(max(n), 0) + 1, ?, ?, ?, ? FROM content_file WHERE item_id = ?",
            (item.id, file.digest, file.size_bytes, file.media_type, file.name, item.id),
        )


def drop(conn: Connection, number: int) -> None:
    """Throws a draft away."""
    conn.execute("DELETE FROM content_file WHERE item_id = ?", (number,))
    conn.execute("DELETE FROM content_item WHERE id = ?", (number,))


def is_kept(conn: Connection, digest: str) -> bool:
    """Whether an item has this file."""
    return conn.execute("SELECT 1 FROM content_file WHERE digest = ? LIMIT 1", (digest,)).fetchone() is not None


def publish(conn: Connection, number: int, who: str, now_ms: int) -> None:
    """A draft goes to its tablets."""
    conn.execute(
        "UPDATE content_item SET published_ms = ?, published_by = ? WHERE id = ? AND published_ms IS NULL",
        (now_ms, who, number),
    )
    papers.touch(conn, shelf.KIND)


def withdraw(conn: Connection, number: int, who: str, now_ms: int) -> None:
    """Tablets show it no more; what was read and answered stays."""
    conn.execute(
        "UPDATE content_item SET withdrawn_ms = ?, withdrawn_by = ? WHERE id = ? AND withdrawn_ms IS NULL",
        (now_ms, who, number),
    )
    papers.touch(conn, shelf.KIND)


def _items(conn: Connection, rows: Sequence[Any]) -> list[Item]:
    files = _files(conn, [row[0] for row in rows])
    return [_item(row, files.get(row[0], ())) for row in rows]


def _files(conn: Connection, numbers: Sequence[int]) -> dict[int, tuple[File, ...]]:
    found: dict[int, list[File]] = {}
    for number in numbers:
        rows = conn.execute(
            "SELECT digest, size_bytes, media_type, name FROM content_file WHERE item_id = ? ORDER BY n", (number,)
        )
        found[number] = [File(*row) for row in rows]
    return {number: tuple(files) for number, files in found.items()}


def _item(row: Sequence[Any], files: tuple[File, ...]) -> Item:
    number, name, kind, title, text, urgent, questions, districts = row[:8]
    published_ms, published_by, until_ms, withdrawn_ms, withdrawn_by, made_by, made_ms, changed_ms = row[8:]
    return Item(
        id=number,
        name=name,
        kind=kind,
        title=title,
        text=text,
        urgent=bool(urgent),
        questions=_questions.decode(questions),
        districts=_districts.decode(districts),
        published_ms=published_ms,
        published_by=published_by,
        until_ms=until_ms,
        withdrawn_ms=withdrawn_ms,
        withdrawn_by=withdrawn_by,
        made_by=made_by,
        made_ms=made_ms,
        changed_ms=changed_ms,
        files=files,
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


# ---- what tablets tell


def take(conn: Connection, told: Sequence[Told]) -> None:
    """What became of items on tablets (`wire.tablet.ContentSeen`); of items that there are."""
    for one in told:
        body = one.body
        if body.what in ("fetched", "dropped"):
            other = "dropped" if body.what == "fetched" else "fetched"
            conn.execute(
                "DELETE FROM content_seen WHERE item_name = ? AND device_id = ? AND what = ?",
                (body.item, one.device_id, other),
            )
        conn.execute(
            "INSERT INTO content_seen (item_name, device_id, what, at_ms) SELECT name, ?, ?, ? FROM content_item "
            "WHERE name = ? ON CONFLICT DO NOTHING",
            (one.device_id, body.what, at_ms(one), body.item),
        )


def at_ms(told: Told) -> int:
    """When it was, by the device's clock where that can be, else when it came."""
    return told.at_ms if _EARLIEST_MS <= told.at_ms <= told.received_ms else told.received_ms


def seen(conn: Connection, name: str) -> dict[int, Seen]:
    """What became of an item, by the tablet's number."""
    rows = conn.execute(
        "SELECT s.device_id, d.name, max(s.at_ms) FILTER (WHERE s.what = 'fetched'), "
        "max(s.at_ms) FILTER (WHERE s.what = 'opened'), max(s.at_ms) FILTER (WHERE s.what = 'dropped') "
        "FROM content_seen s JOIN device d ON d.id = s.device_id WHERE s.item_name = ? GROUP BY s.device_id",
        (name,),
    )
    return {row[0]: Seen(row[0], row[1], row[2] or 0, row[3] or 0, row[4] or 0) for row in rows}


def counts(conn: Connection) -> dict[str, tuple[int, int]]:
    """How many tablets have each item whole, and on how many it was opened, by its name."""
    rows = conn.execute(
        "SELECT item_name, count(*) FILTER (WHERE what = 'fetched'), count(*) FILTER (WHERE what = 'opened') "
        "FROM content_seen GROUP BY item_name"
    )
    return {name: (fetched, opened) for name, fetched, opened in rows}


def whole_by_device(conn: Connection) -> dict[int, set[str]]:
    """The names of items that each tablet has whole."""
    found: dict[int, set[str]] = {}
    for device_id, name in conn.execute("SELECT device_id, item_name FROM content_seen WHERE what = 'fetched'"):
        found.setdefault(device_id, set()).add(name)
    return found
