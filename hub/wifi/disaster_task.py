"""Loop: runs of the disaster switch end by themselves, and an access point that comes late is told of them."""

import asyncio
import logging
import time
from collections.abc import Callable

from hub.db import Db, Fault
from hub.live import Change, Live
from hub.signing import Signing
from hub.wifi import disaster_store as store

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 5


async def run(db: Db, live: Live, signing: Signing, wake: Callable[[], None]) -> None:
    """Looks every few seconds until cancelled; the database may be away."""
    failing = False
    while True:
        try:
            await follow_time(db, live, signing, wake, time.time_ns() // 1_000_000)
        except Fault as fault:
            if not failing:
                log.warning("the disaster switch cannot follow the time: %s", fault)
            failing = True
        else:
            if failing:
                log.warning("the disaster switch follows the time again")
            failing = False
        await asyncio.sleep(_LOOK_EVERY_S)


async def follow_time(db: Db, live: Live, signing: Signing, wake: Callable[[], None], now_ms: int) -> None:
    """One look. Writes only when there is something. Raises Fault."""
    if not await db.aread(lambda conn: store.is_due(conn, now_ms)):
        return
    touched = await db.write(lambda conn: store.follow_time(conn, signing, now_ms))
    if touched:
        wake()
        live.tell(Change(frozenset(touched), at_ms=now_ms))
