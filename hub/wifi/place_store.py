"""SQL: where access points are, as the inventory has it."""

from collections.abc import Sequence

from hub.db import Among, Connection, among

_PLACES = Among("SELECT i.device_id, i.place FROM", 1, "JOIN item i ON i.device_id = k.column1")


def places(conn: Connection, device_ids: Sequence[int]) -> dict[int, str]:
    """The places of devices; those that nobody has entered are left out."""
    return dict(among(conn, _PLACES, device_ids))
