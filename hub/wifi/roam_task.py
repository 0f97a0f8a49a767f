"""Loop: access points are told of the guests of their neighbours, at most once a second.

1. It looks every second (two small tables), and when something was heard.
2. A database that cannot be written is said once when it begins and once when it ends; guests agree again meanwhile.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from hub.db import Db, Fault
from hub.signing import Signing
from hub.wifi import roam_store
from hub.wifi.roam_store import Plan

log = logging.getLogger(__name__)

_EVERY_S = 1.0


async def run(db: Db, signing: Signing, wake: Callable[[], None]) -> None:
    """Tells them until cancelled."""
    failing = False
    while True:
        try:
            await _look(db, signing, wake)
        except Fault as fault:
            if not failing:
                log.warning("access points are not told of their neighbours' guests: %s", fault)
            failing = True
        else:
            if failing:
                log.info("access points are told of their neighbours' guests again")
            failing = False
        await asyncio.sleep(_EVERY_S)


async def _look(db: Db, signing: Signing, wake: Callable[[], None]) -> None:
    now_ms = time.time_ns() // 1_000_000
    plan: Plan = await db.aread(lambda conn: roam_store.plan(conn, signing, now_ms))
    if not plan.is_empty and await db.write(lambda conn: roam_store.publish(conn, plan)):
        wake()
