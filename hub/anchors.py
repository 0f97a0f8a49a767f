"""What holds the audit log fast from outside: once a day its newest entry, signed, in a file beside the database.

Who can write the database can write these files too: what protects is that they are copied elsewhere, printed, mailed
or backed up (`docs/operations`).
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from hub import audit, chain, shown
from hub.chain import Anchor, Broken
from hub.db import Connection, Db, Fault
from hub.signing import Signing

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 600


def make(conn: Connection, signing: Signing, now_ms: int) -> Anchor | None:
    """The newest entry, signed; None while there is none."""
    seq, hashed = audit.head(conn)
    return signing.anchor(seq, hashed, now_ms) if seq else None


def keep(folder: Path, anchor: Anchor) -> bool:
    """Writes the day's anchor; whether it was the day's first. One that is there is never changed. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = _path(folder, anchor.at_ms)
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as file:
        file.write(chain.anchor_line(anchor).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    return True


def _path(folder: Path, at_ms: int) -> Path:
    return folder / f"{shown.moment(at_ms):%Y-%m-%d}.json"


def folder_of(state_dir: Path) -> Path:
    """Where the hub keeps them."""
    return state_dir / "anchors"


def newest(folder: Path) -> Anchor | None:
    """The last one that was kept. Raises Unreadable, OSError."""
    path = max(folder.glob("*.json"), default=None)
    return chain.read_anchors(path)[-1] if path else None


def check(conn: Connection, place: Path, key: str) -> tuple[int, Broken | None, int]:
    """How many entries hold, the first that does not, how many anchors were looked at. Raises Unreadable, OSError."""
    anchors = chain.read_anchors(place, key) if place.exists() else []
    held, broken = chain.check(audit.links(conn), anchors)
    return held, broken, len(anchors)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def run(db: Db, signing: Signing, folder: Path, now_ms: Callable[[], int] = _now_ms) -> None:
    """Keeps one a day until cancelled; a disk that is full is told once."""
    failing = False
    while True:
        try:
            await keep_todays(db, signing, folder, now_ms())
        except (Fault, OSError) as fault:
            if not failing:
                log.warning("the audit log is not anchored: %s", fault)
            failing = True
        else:
            if failing:
                log.info("the audit log is anchored again")
            failing = False
        await asyncio.sleep(_LOOK_EVERY_S)


async def keep_todays(db: Db, signing: Signing, folder: Path, now_ms: int) -> None:
    """Keeps today's, if it is not there and there is something to anchor. Raises Fault, OSError."""
    if not await asyncio.to_thread(_path(folder, now_ms).exists):
        anchor = await db.aread(lambda conn: make(conn, signing, now_ms))
        if anchor is not None:
            await asyncio.to_thread(keep, folder, anchor)
