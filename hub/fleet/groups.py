"""In which place a device stands and which tags it has, as people entered it; read by every domain (SQL)."""

from collections import defaultdict
from collections.abc import Iterable

from hub.db import Connection

_AT_ONCE = 500
NOWHERE: tuple[str, tuple[str, ...]] = ("", ())


def places_and_tags(
    conn: Connection, device_ids: Iterable[int] | None = None
) -> dict[int, tuple[str, tuple[str, ...]]]:
    """Place and tags (in order) of these devices, or of all; without the devices that nobody has entered."""
    if device_ids is None:
        return _read(conn, "IS NOT NULL", [])
    wanted, found = list(device_ids), {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        found.update(_read(conn, f"IN ({','.join('?' * len(some))})", some))
    return found


def places(conn: Connection) -> list[str]:
    """Every place that a thing stands in, in order."""
    return [place for (place,) in conn.execute("SELECT DISTINCT place FROM item WHERE place != '' ORDER BY place")]


def tags(conn: Connection) -> list[str]:
    """Every tag that is in use, in order."""
    return [tag for (tag,) in conn.execute("SELECT DISTINCT tag FROM item_tag ORDER BY tag")]


def _read(conn: Connection, which: str, args: list[int]) -> dict[int, tuple[str, tuple[str, ...]]]:
    tagged: dict[int, list[str]] = defaultdict(list)
    for device_id, tag in conn.execute(
        f"SELECT i.device_id, t.tag FROM item i JOIN item_tag t ON t.item_id = i.id WHERE i.device_id {which} "  # noqa: S608
        "ORDER BY t.tag",
        args,
    ):
        tagged[device_id].append(tag)
    return {
        device_id: (place, tuple(tagged[device_id]))
        for device_id, place in conn.execute(f"SELECT device_id, place FROM item WHERE device_id {which}", args)  # noqa: S608
    }
