"""Loop: tablets are told what changed of what they show, of their allowance and of numbers to call."""

from collections.abc import Callable, Mapping
from pathlib import Path

from hub.db import Connection, Db
from hub.key_file import read_key
from hub.papers import task
from hub.signing import Signing
from hub.tablet import shelf_store
from wire.shelf import KIND, Allowance

# What each tablet's line carries, by the tablet's number: the registers of lines know it.
Allowances = Callable[[Connection, int], Mapping[int, Allowance]]

_KEY = "tickets.key"


async def run(db: Db, signing: Signing, state_dir: Path, wake: Callable[[], None], allowances: Allowances) -> None:
    """Tells tablets until cancelled."""

    def contents(conn: Connection, now_ms: int) -> dict[int, bytes]:
        return shelf_store.contents(conn, key(state_dir), allowances(conn, now_ms), now_ms)

    await task.run(db, signing, wake, KIND, contents)


def key(state_dir: Path) -> bytes:
    """What tickets are made with. A new one makes every ticket worthless, and every shelf is sent anew. Raises
    OSError."""
    return read_key(state_dir, _KEY)
