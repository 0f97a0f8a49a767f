"""SQL of groups and of what groups and devices say: the layers, before anything is published."""

from collections.abc import Collection, Sequence
from typing import Any, Literal, get_args

import msgspec

from hub.db import Connection
from hub.fleet.groups import NOWHERE, places_and_tags
from hub.policy import merge
from hub.policy.merge import Document, Folded
from wire import policy

GroupKind = Literal["kind", "place", "tag"]
# The order of precedence, lowest first; a device's own layer stands above them all.
GROUP_KINDS: tuple[GroupKind, ...] = get_args(GroupKind)
RANKS = range(1, 10)
OWN = ""
# As many places of one statement as are used for single devices; more are looked for among all.
_FEW = 200


class Group(msgspec.Struct, frozen=True):
    """A group and what it says. A group of the kind `kind` has every device of that kind (its name)."""

    id: int
    kind: GroupKind
    name: str
    rank: int
    document: Document
    changed_ms: int
    who: str

    @property
    def level(self) -> tuple[int, int]:
        """Where it stands among the layers; groups of one level must not disagree."""
        return GROUP_KINDS.index(self.kind), self.rank

    @property
    def said(self) -> int:
        """How many settings it says."""
        return len(merge.leaves(self.document))

    @property
    def order(self) -> tuple[int, int, str]:
        """By precedence, then by name."""
        return *self.level, self.name


class Said(msgspec.Struct, frozen=True):
    """What a group said from a moment on."""

    id: int
    document: Document
    changed_ms: int
    who: str

    @property
    def said(self) -> int:
        """How many settings it said."""
        return len(merge.leaves(self.document))


class Device(msgspec.Struct, frozen=True):
    """A device as far as layers go by it."""

    id: int
    name: str
    kind: str


_GROUP = "id, kind, name, rank, document, changed_ms, who"


def groups(conn: Connection) -> list[Group]:
    """All groups, in the order of precedence, then by name."""
    found = [_group(row) for row in conn.execute(f"SELECT {_GROUP} FROM policy_group")]  # noqa: S608 (our own names)
    return sorted(found, key=lambda one: one.order)


def group(conn: Connection, group_id: int) -> Group | None:
    """One group."""
    row = conn.execute(f"SELECT {_GROUP} FROM policy_group WHERE id = ?", (group_id,)).fetchone()  # noqa: S608
    return _group(row) if row else None


def _group(row: tuple[Any, ...]) -> Group:
    id_, kind, name, rank, document, changed_ms, who = row
    return Group(id_, kind, name, rank, msgspec.json.decode(document), changed_ms, who)


def add_group(conn: Connection, kind: GroupKind, name: str, rank: int, now_ms: int, who: str) -> int:
    """A new group that says nothing yet; its number. Raises db.Refused for a name that is taken."""
    cursor = conn.execute(
        "INSERT INTO policy_group (kind, name, rank, changed_ms, who) VALUES (?, ?, ?, ?, ?)",
        (kind, name, rank, now_ms, who),
    )
    return int(cursor.lastrowid or 0)


def remove_group(conn: Connection, group_id: int) -> None:
    """The group is no more; nothing is published by that."""
    conn.execute("DELETE FROM policy_group_history WHERE group_id = ?", (group_id,))
    conn.execute("DELETE FROM policy_group WHERE id = ?", (group_id,))


def set_rank(conn: Connection, group_id: int, rank: int) -> None:
    """Where it stands among the groups of its kind; a higher one counts more."""
    conn.execute("UPDATE policy_group SET rank = ? WHERE id = ?", (rank, group_id))


def say(conn: Connection, group_id: int, document: Document, now_ms: int, who: str) -> None:
    """What a group says from now on; nothing is published by that. Raises policy.BadDocument."""
    policy.read_layer(document)
    conn.execute(
        "UPDATE policy_group SET document = ?, changed_ms = ?, who = ? WHERE id = ?",
        (_text(document), now_ms, who, group_id),
    )
    conn.execute(
        "INSERT INTO policy_group_history (group_id, document, changed_ms, who) VALUES (?, ?, ?, ?)",
        (group_id, _text(document), now_ms, who),
    )


def said_before(conn: Connection, group_id: int, limit: int = 20) -> list[Said]:
    """What a group said, newest first; the first is what it says now."""
    rows = conn.execute(
        "SELECT id, document, changed_ms, who FROM policy_group_history WHERE group_id = ? ORDER BY id DESC LIMIT ?",
        (group_id, limit),
    )
    return [Said(id_, _read(document), changed_ms, who) for id_, document, changed_ms, who in rows]


def say_own(conn: Connection, device_id: int, document: Document, now_ms: int, who: str) -> None:
    """What a device itself says from now on. Raises policy.BadDocument."""
    policy.read_layer(document)
    conn.execute(
        "INSERT INTO device_layer (device_id, document, changed_ms, who) VALUES (?, ?, ?, ?) ON CONFLICT (device_id) "
        "DO UPDATE SET document = excluded.document, changed_ms = excluded.changed_ms, who = excluded.who",
        (device_id, _text(document), now_ms, who),
    )


def own(conn: Connection, device_id: int) -> Document:
    """What a device itself says."""
    row = conn.execute("SELECT document FROM device_layer WHERE device_id = ?", (device_id,)).fetchone()
    return _read(row[0]) if row else {}


def devices(conn: Connection, device_ids: Collection[int] | None = None) -> list[Device]:
    """These devices, or all, by name."""
    rows = rows_of(conn, "SELECT id, name, kind FROM device", "id", device_ids)
    return sorted((Device(*row) for row in rows), key=lambda one: one.name)


def device(conn: Connection, name: str) -> Device | None:
    """The device of that name."""
    row = conn.execute("SELECT id, name, kind FROM device WHERE name = ?", (name,)).fetchone()
    return Device(*row) if row else None


def groups_of(conn: Connection, device_ids: Sequence[int] | None = None) -> dict[int, list[Group]]:
    """The groups of each device, in the order of precedence: the one place that knows who belongs where.

    A group of a kind has the devices of that kind, one of a place or tag those that the inventory has there.
    """
    known = {(one.kind, one.name): one for one in groups(conn)}
    standing = places_and_tags(conn, device_ids)
    found: dict[int, list[Group]] = {}
    for device_id, kind in rows_of(conn, "SELECT id, kind FROM device", "id", device_ids):
        place, tags = standing.get(device_id, NOWHERE)
        keys: list[tuple[GroupKind, str]] = [("kind", kind), ("place", place), *(("tag", tag) for tag in tags)]
        found[device_id] = sorted((known[key] for key in keys if key in known), key=lambda one: one.order)
    return found


def folded(conn: Connection, device_ids: Sequence[int] | None = None) -> dict[int, Folded]:
    """What each device should be by its layers, where it comes from, and what its groups disagree about."""
    membership = groups_of(conn, device_ids)
    kinds = dict(rows_of(conn, "SELECT id, kind FROM device", "id", device_ids))
    own_said = dict(rows_of(conn, "SELECT device_id, document FROM device_layer", "device_id", device_ids))
    # Most devices have the same groups and nothing of their own: each mixture is folded once.
    known: dict[tuple[str, tuple[int, ...]], Folded] = {}
    out: dict[int, Folded] = {}
    for device_id, members in membership.items():
        key = (kinds[device_id], tuple(one.id for one in members))
        if device_id in own_said:
            out[device_id] = _fold(kinds[device_id], members, _read(own_said[device_id]))
        else:
            if key not in known:
                known[key] = _fold(kinds[device_id], members, {})
            out[device_id] = known[key]
    return out


def _fold(kind: str, members: Sequence[Group], own_layer: Document) -> Folded:
    ranks: dict[tuple[int, int], list[tuple[str, Document]]] = {}
    for one in members:
        ranks.setdefault(one.level, []).append((f"{one.kind}/{one.name}", policy.for_kind(one.document, kind)))
    in_order = [ranks[level] for level in sorted(ranks)]
    return merge.folded([*in_order, [(OWN, policy.for_kind(own_layer, kind))]])


def rows_of(conn: Connection, select: str, column: str, ids: Collection[int] | None) -> list[tuple[Any, ...]]:
    """What a statement gives for some devices, whose numbers it names first, or for all."""
    if ids is None:
        return conn.execute(select).fetchall()
    if len(ids) <= _FEW:
        return conn.execute(f"{select} WHERE {column} IN ({','.join('?' * len(ids))})", tuple(ids)).fetchall()
    wanted = set(ids)
    return [row for row in conn.execute(select) if row[0] in wanted]


def _text(document: Document) -> str:
    return msgspec.json.encode(document, order="sorted").decode()


def _read(text: str) -> Document:
    document: Document = msgspec.json.decode(text)
    return document
