"""SQL: rows of everybody, or of some, so many at a time."""

from collections.abc import Sequence
from typing import Any

from hub.db import Connection

# Names in one statement.
_AT_ONCE = 500


def some_rows(
    conn: Connection, select: str, column: str, which: str, args: tuple[Any, ...], wanted: Sequence[int] | None
) -> list[tuple[Any, ...]]:
    """Rows of all, or of the wanted ids, so many at a time."""
    if wanted is None:
        return conn.execute(f"{select} WHERE {which}", args).fetchall()
    found: list[tuple[Any, ...]] = []
    ids = sorted(set(wanted))
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        places = ",".join("?" * len(some))
        found += conn.execute(f"{select} WHERE {which} AND {column} IN ({places})", (*args, *some))
    return found
