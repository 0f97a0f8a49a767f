"""Loop: terminals are told what changed of cards and names, a moment after it was committed.

1. It looks every second (one small row), and when a device came or answered.
2. A key that is not there, or a roster that does not fit, is said once when it begins and once when it ends; the
   terminals go on with what they have.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

from hub.db import Connection, Db, Fault
from hub.live import Change, Live
from hub.signing import Signing
from hub.staff import roster_keys, roster_store
from hub.staff.roster_keys import BadKey
from hub.staff.roster_store import Published

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
# While it cannot be done.
_AGAIN_S = 10.0


async def run(db: Db, live: Live, signing: Signing, state_dir: Path, wake: Callable[[], None]) -> None:
    """Tells the terminals until cancelled; the database and the folder may come and go."""
    heard, fault = asyncio.Event(), ""

    def told(change: Change) -> None:
        if change.down:
            heard.set()

    live.watch(told)
    while True:
        heard.clear()
        error = await _look(db, signing, state_dir, wake)
        if error is not None and error != fault:
            log.warning("terminals: %s", error or "the roster can be sent again")
            fault = error
        if error:
            await asyncio.sleep(_AGAIN_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_EVERY_S):
                await heard.wait()


async def _look(db: Db, signing: Signing, state_dir: Path, wake: Callable[[], None]) -> str | None:
    """What keeps the terminals from being told; empty when they were, None when there was nothing to tell."""
    now_ms = time.time_ns() // 1_000_000
    try:
        # Read first: nothing is written while there is nothing to do.
        if not await db.aread(lambda conn: roster_store.due(conn, now_ms)):
            return None
        keys = await asyncio.to_thread(roster_keys.read, state_dir)

        def publish(conn: Connection) -> Published:
            return roster_store.publish(conn, signing, keys, now_ms)

        done: Published = await db.write(publish)
    except (BadKey, OSError) as error:
        why = str(error)
        with contextlib.suppress(Fault):
            await db.write(lambda conn: roster_store.note_error(conn, why))
        return why
    except Fault as error:
        return str(error)
    if done.devices:
        wake()
    return done.error
