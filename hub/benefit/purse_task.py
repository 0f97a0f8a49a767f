"""Loop: what devices may take follows the day and their ordered settings, and reaches them in their purses; uses go
into the ledger.

1. A change by people or by a use is followed in its own transaction (`account_store.follow`); here now and
   then everybody's.
2. Purses are papers (`hub/papers/`): sealed, signed, sent again until they are answered.
3. The ledger may refuse (a closed month, a full disk): that is said once, and tried again.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hub.benefit import account_store, booking, purse_store
from hub.db import Connection, Db, Fault
from hub.papers import task as papers
from hub.papers.store import Contents
from hub.signing import Signing
from hub.waiver.ledger import NotPosted
from wire import purse

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_WHOLE_EVERY_S = 15.0
# While it cannot be done.
_AGAIN_S = 10.0


async def run(db: Db, signing: Signing, state_dir: Path, wake: Callable[[], None]) -> None:
    """Tells devices until cancelled."""

    def content_of(conn: Connection, now_ms: int) -> Contents:
        return purse_store.contents(conn, state_dir, now_ms)

    await papers.run(db, signing, wake, purse.KIND, content_of)


async def follow(db: Db) -> None:
    """Brings allowances and the ledger in line until cancelled; the database may come and go."""
    fault, whole_s = "", -_WHOLE_EVERY_S
    while True:
        whole = time.monotonic() - whole_s >= _WHOLE_EVERY_S
        error = await _look(db, whole=whole)
        if error != fault:
            log.warning("benefits: %s", error or "they are followed and booked again")
            fault = error
        if whole:
            whole_s = time.monotonic()
        await asyncio.sleep(_AGAIN_S if error else _LOOK_EVERY_S)


async def _look(db: Db, *, whole: bool) -> str:
    """What keeps it from being done; empty when it was."""
    now_ms = time.time_ns() // 1_000_000
    try:
        # Read first: nothing is written while there is nothing to do.
        if whole and (found := await db.aread(lambda conn: account_store.due(conn, now_ms))):
            whose = {one.resident_id for one in found}
            await db.write(lambda conn: account_store.give(conn, now_ms, whose))
        if await db.aread(booking.is_due):
            await db.write(partial(booking.book, now_ms=now_ms))
    except (Fault, NotPosted) as error:
        return str(error)
    return ""
