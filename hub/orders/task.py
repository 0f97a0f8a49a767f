"""Loop: ends the orders that nobody answered in time."""

import asyncio
import logging
import time

from hub.db import Connection, Db, Fault
from hub.live import Change, Live
from hub.orders import store

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 10


async def run(db: Db, live: Live) -> None:
    """Looks every few seconds until cancelled; the database may be away."""
    failing = False
    while True:
        try:
            await end_overdue(db, live, time.time_ns() // 1_000_000)
        except Fault as fault:
            if not failing:
                log.warning("orders cannot be ended: %s", fault)
            failing = True
        else:
            failing = False
        await asyncio.sleep(_LOOK_EVERY_S)


async def end_overdue(db: Db, live: Live, now_ms: int) -> None:
    """Ends what is over. Writes only when there is something: each writing waits for the disk. Raises Fault."""
    if not await db.aread(lambda conn: store.is_overdue(conn, now_ms)):
        return

    def expire(conn: Connection) -> list[str]:
        return store.expire(conn, now_ms)

    live.tell(Change(frozenset(await db.write(expire)), at_ms=now_ms))
